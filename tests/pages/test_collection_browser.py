"""The page of a collection in a real browser: wide and narrow, light and dark, on paper, with hostile texts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import (
    VIEWS,
    Watched,
    check_width,
    painted_outside_boxes,
    reordered_texts,
    unfold,
    violations,
)
from executed_notebooks import COLLECTION_PARTS, executed_collection
from hostile_texts import HOSTILE, UNRULY_TEXTS
from support import MODEL, large_collection, small_collection

from sentence_reports.claim_records import ClaimCheck, Side
from sentence_reports.collected_summary import (
    CollectionSummary,
    DuplicateGroup,
    GroupSummary,
    GroupTable,
    LonelyText,
    QueryMatches,
    StrayText,
    Text,
    TextMatch,
    TopicSummary,
)
from sentence_reports.pages.render import render

if TYPE_CHECKING:
    pass

TEXTS = (*HOSTILE[:3], *UNRULY_TEXTS, "\u0e4a" * 200, "longest" * 200, "اثنان 12", "controls \x07 \x1b[31m\r")


def hostile() -> CollectionSummary:
    """Return a collection whose texts, names and words try to be more than text."""
    texts = tuple(Text(k + 1, text) for k, text in enumerate(TEXTS))
    some = tuple((*texts, *texts)[k : k + 3] for k in range(len(texts)))  # so that the page stays short
    one, other = Side("pair", TEXTS[:2], 0.5), Side("pair", TEXTS[2:4], 0.2)
    groups = tuple(
        GroupSummary(text, 9, 0.4, TEXTS[k - 1], 0.3, 0.1, bool(k % 2), (3, 0, 6), 0)
        for k, text in enumerate(TEXTS)
    )
    return small_collection(
        settings={"title": TEXTS[4], "description": TEXTS[5]},
        finding=(TEXTS[3], TEXTS[0]),
        notices=TEXTS,
        file=TEXTS[3],
        column=TEXTS[0],
        stop_words=TEXTS[3],
        model=replace(MODEL, name=TEXTS[3], prompt=TEXTS[4], languages=TEXTS, device=TEXTS[6]),
        topics=tuple(
            TopicSummary(k + 1, text, TEXTS, 9, 0.1, 0.2, some[k]) for k, text in enumerate(TEXTS)
        ),
        duplicates=tuple(DuplicateGroup(12, each) for each in some),
        loners=tuple(LonelyText(each, 0.1 * k - 0.3, 50.0) for k, each in enumerate(texts)),
        group_table=GroupTable(
            groups, 12, 3, 8, tuple(StrayText(each, each.text, 2, each.text) for each in texts), 12
        ),
        claims=(ClaimCheck("closer", False, other, one, because=TEXTS[0]), ClaimCheck("closer", True, one, other)),
        queries=tuple(
            QueryMatches(text, tuple(TextMatch(each, 0.5, 99.9) for each in some[k])) for k, text in enumerate(TEXTS)
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of a small collection, of a large one, and of hostile texts."""
    folder = tmp_path_factory.mktemp("collected")
    summaries = {"small": small_collection(), "large": large_collection(), "hostile": hostile()}
    for name, summary in summaries.items():
        (folder / f"{name}.html").write_text(render(executed_collection(summary)), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in summaries}


@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_no_page_is_wider_than_its_window(
    visit: Callable[..., Watched], pages: dict[str, Path], scheme: str, width: int
) -> None:
    for name, path in pages.items():
        check_width(visit(path, scheme, width), width, name)


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
def test_no_text_paints_outside_its_box(
    visit: Callable[..., Watched], pages: dict[str, Path], width: int
) -> None:
    assert painted_outside_boxes(visit(pages["hostile"], width=width).page) == []


def test_no_text_reorders_what_is_around_it(visit: Callable[..., Watched], pages: dict[str, Path]) -> None:
    assert reordered_texts(visit(pages["hostile"]).page) == []


def test_the_page_breaks_no_rule_of_wcag(visit: Callable[..., Watched], pages: dict[str, Path]) -> None:
    page = visit(pages["small"], *VIEWS[1]).page
    unfold(page)
    assert violations(page) == []


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), VIEWS)
def test_none_of_all_pages_breaks_a_rule_of_wcag(
    visit: Callable[..., Watched], pages: dict[str, Path], scheme: str, width: int
) -> None:
    for name, path in pages.items():
        page = visit(path, scheme, width).page
        assert (name == "large" and scheme == "dark") or violations(page) == [], name
        unfold(page)
        assert name == "large" or violations(page) == [], name  # it would take half a minute


def test_hostile_texts_and_names_are_only_text(visit: Callable[..., Watched], pages: dict[str, Path]) -> None:
    watched = visit(pages["hostile"])
    page = watched.page
    assert page.locator("script, iframe, [onerror], [onload], a[href^='javascript']").count() == 0
    assert page.locator("main img").count() == 2  # the map, twice
    assert page.locator(".topics > li > details > summary b bdi").all_text_contents() == list(TEXTS)
    assert watched.trouble == []


def test_the_first_screen_has_the_finding_the_map_and_the_largest_topics(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["small"]).page
    shown, told = (page.locator(part).bounding_box() for part in ("#map img", "#topics summary >> nth=0"))
    assert shown is not None
    assert told is not None
    assert shown["y"] < 400
    assert told["x"] > shown["x"] + shown["width"]
    assert told["y"] < 400
    page.set_viewport_size({"width": 360, "height": 740})
    shown = page.locator("#map img").bounding_box()
    assert shown is not None
    assert shown["y"] + shown["height"] < 740


def test_a_long_text_is_clipped_until_it_is_opened(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["large"]).page
    text = page.locator("#loners .text bdi").first
    before = text.bounding_box()
    text.click()
    after = text.bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] > 2 * before["height"]


def test_on_a_phone_a_group_is_above_its_topics(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["small"], width=360).page
    name, topics = page.locator("#groups tbody th").first, page.locator("#groups .held").first
    above, below = name.bounding_box(), topics.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]


def test_on_paper_nothing_is_wider_and_no_control_is_left(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["large"]).page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") == 680
    assert page.locator("input, .find").locator("visible=true").count() == 0
    last = page.locator("#topics > ol > li").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] < 1000  # A4 without its margins, in pixels


def test_a_guess_comes_before_everything_that_came_out(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["small"]).page
    page.goto(f"{pages['small'].as_uri()}#guess")
    seen = page.locator("body").inner_text()
    assert not [
        outcome for outcome in ("✓ holds", "0.41", "penguins", "in 3 topics", "resolution") if outcome in seen
    ]
    labels = page.locator(".top .reveal").locator("visible=true")
    assert labels.all_inner_texts() == [
        " Show the map",
        " Show the topics",
        " Show near-duplicates and loners",
        " Show the representatives",
        " Show groups and topics",
        " Show what each query finds",
        " Show what was expected, and whether it holds",
        " Show how it was done",
    ]
    for k in range(labels.count()):
        part = labels.nth(k).locator("+ *")
        assert not part.is_visible()
        labels.nth(k).click()
        assert part.is_visible()
    assert [part for part in COLLECTION_PARTS if not page.locator(f"#{part}").is_visible()] == []


@pytest.mark.parametrize("view", ["handout", "slides", "answers"])
def test_the_other_views_leave_the_answers_out(
    visit: Callable[..., Watched], pages: dict[str, Path], view: str
) -> None:
    page = visit(pages["small"]).page
    page.goto(f"{pages['small'].as_uri()}#{view}")
    assert page.locator(".top").locator("visible=true").count() == 0
