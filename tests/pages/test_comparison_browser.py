"""The page of a comparison in a real browser: wide and narrow, light and dark, on paper, with hostile texts."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
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
from executed_notebooks import executed_comparison
from hostile_texts import HOSTILE, UNRULY_TEXTS
from support import MODEL, comparison_of, many_compared, measured, small_comparison

from sentence_reports.claim_records import RatedPair
from sentence_reports.pages.render import render
from sentence_reports.summary import ComparisonSummary

if TYPE_CHECKING:
    pass

TEXTS = (*HOSTILE[:3], *UNRULY_TEXTS, "\u0e4a" * 200, "longest" * 200, "اثنان 12", "controls \x07 \x1b[31m\r")
NAMES = (HOSTILE[0], UNRULY_TEXTS[0], "longest" * 50)


def hostile() -> ComparisonSummary:
    """Return a comparison whose sentences, labels and reasons try to be more than text."""
    n = len(TEXTS)
    vectors = np.random.default_rng(0).normal(size=(n, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    table, baseline = (vectors @ vectors.T).astype(np.float32), measured("WordLlama")[1]
    order = [*range(1, n), 0]
    models = {name: (table[order][:, order] if k else table, baseline) for k, name in enumerate(NAMES)}
    summary = comparison_of(
        models,
        sentences=TEXTS,
        groups=tuple(text for text in TEXTS[:5] for _ in range(n))[:: 5][:n],
        claimed=tuple((k, k + 1, k + 2) for k in range(n - 2)),
        rated=0.7,
        finding=(TEXTS[3], TEXTS[0]),
        notices=TEXTS,
        missing=tuple(pairwise(TEXTS)),
        settings={"title": TEXTS[4], "description": TEXTS[5], "normalize": True},
    )  # fmt: skip
    first, *others = summary.columns
    claims = tuple(replace(claim, because=text) for claim, text in zip(first.claims, TEXTS, strict=False))
    model = replace(
        MODEL, name=TEXTS[3], prompt=TEXTS[4], languages=TEXTS, declared_prompts={TEXTS[3]: TEXTS[6]}
    )
    assert first.agreement is not None
    worst = tuple(RatedPair(k, k + 1, 4.5, 0.1, 90.0, 10.0) for k in range(n - 1))
    agreement = replace(first.agreement, disagreements=worst)
    return replace(
        summary, columns=(replace(first, claims=claims, model=model, agreement=agreement), *others)
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of comparisons of two models, of six, and of hostile texts."""
    folder = tmp_path_factory.mktemp("compared")
    two = small_comparison(rated=0.8, missing=(("Big", "no such folder"),))
    first, second = two.columns
    assert first.agreement is not None
    rated = replace(first.agreement, disagreements=(RatedPair(0, 1, 4.5, 0.1, 90.0, 10.0),))
    summaries = {
        "two": replace(two, columns=(replace(first, agreement=rated), second)),
        "six": many_compared(12, 6, claimed=((0, 1, 2),)),
        "sixty": many_compared(60, 2),
        "pair": many_compared(2, 2),
        "hostile": hostile(),
    }
    for name, summary in summaries.items():
        (folder / f"{name}.html").write_text(render(executed_comparison(summary)), encoding="utf-8")
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


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [
        pytest.param(name, *view, marks=[] if (name, view) == ("two", VIEWS[1]) else pytest.mark.slow)
        for name in ("two", "pair", "hostile")  # those of many sentences would take half a minute
        for view in VIEWS
    ],
)
def test_no_page_breaks_a_rule_of_wcag(
    visit: Callable[..., Watched], pages: dict[str, Path], name: str, scheme: str, width: int
) -> None:
    page = visit(pages[name], scheme, width).page
    unfold(page)
    assert violations(page) == []


def test_hostile_texts_and_labels_are_only_text(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    watched = visit(pages["hostile"])
    page = watched.page
    assert page.locator("script, iframe, [onerror], [onload], a[href^='javascript']").count() == 0
    assert page.locator("main img").count() == 2  # the slope chart, twice
    names = page.locator("#expected > table thead th bdi").all_text_contents()
    assert names == list(NAMES)
    assert page.locator(".disagreements h4").all_text_contents() == [NAMES[0]]
    assert page.locator(".disagreements q").all_text_contents()[:2] == list(TEXTS[:2])
    assert watched.trouble == []


def test_heatmaps_are_beside_each_other_and_on_a_phone_one_at_a_time(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["two"]).page
    one, other = (page.locator(".heats .matrix").nth(k) for k in (0, 1))
    boxes = [found.bounding_box() for found in (one, other)]
    assert boxes[0]["y"] == boxes[1]["y"]  # type: ignore[index]
    assert page.locator(".heats input").locator("visible=true").count() == 0
    for found in (one, other):
        assert found.evaluate("box => box.scrollWidth <= box.clientWidth")
    tops = "box => [...box.querySelectorAll('tr')].map(row => row.getBoundingClientRect().top)"
    assert one.evaluate(tops) == other.evaluate(tops)
    page.set_viewport_size({"width": 360, "height": 800})
    assert one.is_visible()
    assert not other.is_visible()
    page.get_by_role("radio", name="WordLlama").check()
    assert other.is_visible()
    assert not one.is_visible()
    assert other.locator(".label bdi").first.is_visible()


def test_tabs_are_chosen_by_keys(visit: Callable[..., Watched], pages: dict[str, Path]) -> None:
    page = visit(pages["six"]).page
    maps = page.locator(".heats .matrix")
    assert [maps.nth(k).is_visible() for k in range(6)] == [True, *[False] * 5]
    page.get_by_label("model 1", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert [maps.nth(k).is_visible() for k in range(6)] == [False, True, *[False] * 4]
    page.keyboard.press("ArrowLeft")
    assert maps.first.is_visible()


def test_on_a_phone_each_cell_of_the_scoreboard_names_its_model(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["two"], width=360).page
    cell = page.locator("#expected tbody td").first
    assert cell.inner_text().split() == ["all-MiniLM-L6-v2", "✓", "holds", "0.41", "against", "0.16"]
    assert not page.locator("#expected thead").first.is_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    assert cell.inner_text().split() == ["✓", "holds", "0.41", "against", "0.16"]


def test_on_paper_every_heatmap_is_shown_and_no_control(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    for name, count in (("two", 2), ("six", 6)):
        page = visit(pages[name]).page
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 680, "height": 1000})
        assert page.locator(".heats .matrix").locator("visible=true").count() == count
        assert page.locator("input").locator("visible=true").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") == 680


def test_on_paper_the_scoreboard_and_both_heatmaps_are_on_page_one(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["two"]).page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 1000})
    last = page.locator(".heats .matrix tr").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] < 1000  # A4 without its margins, in pixels


def test_a_guess_comes_before_everything_that_came_out(
    visit: Callable[..., Watched], pages: dict[str, Path]
) -> None:
    page = visit(pages["two"]).page
    page.goto(f"{pages['two'].as_uri()}#guess")
    seen = page.locator("body").inner_text()
    assert not [outcome for outcome in ("holds", "0.41", "rank 63", "meets 3 of 4") if outcome in seen]
    labels = page.locator(".top .reveal").locator("visible=true")
    assert labels.all_inner_texts() == [
        " Show what was expected, and which model meets it",
        " Show the heatmaps",
        " Show how much the models agree",
        " Show the pairs that moved most",
        " Show the nearest neighbors",
        " Show the models",
    ]
    for k in range(labels.count()):
        part = labels.nth(k).locator("+ *")
        assert not part.is_visible()
        labels.nth(k).click()
        assert part.is_visible()


@pytest.mark.parametrize("view", ["handout", "slides", "answers"])
def test_the_other_views_leave_the_answers_out(
    visit: Callable[..., Watched], pages: dict[str, Path], view: str
) -> None:
    page = visit(pages["two"]).page
    page.goto(f"{pages['two'].as_uri()}#{view}")
    assert page.locator(".top").locator("visible=true").count() == 0
