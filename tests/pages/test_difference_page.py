"""The page about what changed between two reports."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browsing import SOME_VIEWS, Watched, violations
from bs4 import BeautifulSoup
from hostile_texts import HOSTILE
from support import MODEL, Ran
from two_reports import OLD, VALUES, A, B, C, D, comparison, hostile_difference, large, square, walkthrough

from sentence_reports.claim_records import ClaimCheck, Side
from sentence_reports.difference import difference
from sentence_reports.movement import LISTED, Moved, Movement
from sentence_reports.pages.difference import APART, BOTTOM, TOP, render_difference, slopes, spread
from sentence_reports.summary import ComparisonSummary

OTHER = replace(MODEL, name="other", sha256="1" * 64)
NEW = walkthrough([A, B, C, D], 0.5, 0.2, 0.4, 0.3, 0.15, 0.3)


def page(*summaries: object) -> BeautifulSoup:
    return BeautifulSoup(
        render_difference(difference(*summaries), "main, 2026-01-01", "branch"), "html.parser"
    )  # type: ignore[arg-type]


def text(soup: BeautifulSoup) -> str:
    return " ".join(soup.get_text(" ").split())


def headings(soup: BeautifulSoup) -> list[str]:
    return [heading.contents[0].strip() for heading in soup.find_all("h2")]


def test_nothing_moved() -> None:
    soup = page(OLD, OLD)
    assert text(soup.h1) == "Nothing moved."
    assert headings(soup) == ["What else differs", "What was compared"]
    assert "Model, settings and versions are the same." in text(soup)
    assert "4 sentences that both reports have, matched by text: 6 pairs." in text(soup)
    assert soup.svg is None


def test_pairs_that_moved_with_both_values() -> None:
    soup = page(OLD, NEW)
    assert text(soup.h1) == "3 of 6 pairs moved."
    pairs = [text(each) for each in soup.select(".moved > li")]
    assert pairs == [
        "a cat ↔ a bus 0.10 → 0.40 (+0.30)",
        "a car ↔ a bus 0.50 → 0.30 (−0.20)",
        "a cat ↔ a dog 0.60 → 0.50 (−0.10)",
    ]
    assert "differs by more than 0.0001" in text(soup)
    assert "Old: main, 2026-01-01 · 4 sentences · m" in text(soup)
    assert soup.svg["aria-label"] == (
        "Similarities of 3 pairs, old on the left and new on the right: pair 1 from 0.10 to 0.40; pair 2 from 0.50 to "
        "0.30; pair 3 from 0.60 to 0.50."
    )


def test_small_moves_have_more_digits() -> None:
    soup = page(OLD, walkthrough([A, B, C, D], 0.6003, *VALUES[1:]))
    assert text(soup.select_one(".moved > li")) == "a cat ↔ a dog 0.6000 → 0.6003 (+0.0003)"
    soup = page(OLD, walkthrough([A, B, C, D], 0.606, *VALUES[1:]))
    assert text(soup.select_one(".moved > li")) == "a cat ↔ a dog 0.60 → 0.61 (+0.01)"
    soup = page(OLD, walkthrough([A, B, C, D], 0.602, *VALUES[1:]))
    assert text(soup.select_one(".moved > li")) == "a cat ↔ a dog 0.600 → 0.602 (+0.002)"


def test_sentences_that_came_or_went_are_listed() -> None:
    soup = page(OLD, walkthrough([A, B, C], 0.6, 0.2, 0.3))
    assert [text(each) for each in soup.select(".texts li")] == ["− a bus"]
    soup = page(walkthrough([A, B, C], 0.6, 0.2, 0.3), OLD)
    assert [text(each) for each in soup.select(".texts li")] == ["+ a bus"]


def test_another_model_has_ranks_and_two_scales() -> None:
    soup = page(OLD, replace(NEW, model=OTHER))
    assert "The models differ, so the similarities, in brackets, are on two scales." in text(soup)
    first = text(soup.select_one(".moved > li"))
    assert first == "a cat ↔ a bus rank 6 → 2 , chance-corrected −0.80 → −0.20 (similarity 0.10 → 0.40)"
    assert soup.svg["aria-label"].startswith("Ranks of 3 pairs")
    rows = [[text(cell) for cell in row.find_all(["th", "td"])] for row in soup.select(".changes tbody tr")]
    assert rows == [["Model", "m", "other"], ["Weights (SHA-256)", "0" * 64, "1" * 64]]


def test_claims_texts_groups_and_findings() -> None:
    sides = Side("pair", (A, B), 0.6), Side("pair", (A, C), 0.2)
    claim = ClaimCheck("closer", True, *sides, because="both are pets")
    old = replace(OLD, claims=(claim,), groups=("x", "x", "y", "y"), finding=("It holds.",))
    new = walkthrough(
        [A, B, C, "a tram"], *VALUES, claims=(replace(claim, met=False),), finding=("It does not.",)
    )
    soup = page(old, replace(new, groups=("z", "z", "y", "y")))
    assert headings(soup) == [
        *("Claims that changed", "Texts", "What came out", "What may explain it", "What was compared")
    ]
    told = text(soup.select_one(".claims li"))
    assert told.startswith("✗ no longer holds “a cat” is closer to “a dog” than to “a car”.")
    assert told.endswith("Why it is expected: both are pets")
    assert not soup.select(".texts li")
    assert "Sentence 4 a bus a tram" in text(soup)
    assert "Group x z" in text(soup)
    assert [text(each) for each in soup.select(".editions > div")] == ["Old It holds.", "New It does not."]


def test_a_claim_is_told_once_for_all_models() -> None:
    def claimed(*met: bool) -> ComparisonSummary:
        sides = Side("pair", (A, B), 0.6), Side("pair", (A, C), 0.2)
        plain = comparison(x=VALUES, y=VALUES, z=VALUES)
        claims = [
            ClaimCheck("closer", each, *sides[:: 1 if each else -1], because="both are pets") for each in met
        ]
        claims = [replace(each, first=replace(each.first, texts=(A, B))) for each in claims]
        claims = [replace(each, second=replace(each.second, texts=(A, C))) for each in claims]
        columns = zip(plain.columns, claims, strict=True)
        return replace(plain, columns=tuple(replace(column, claims=(claim,)) for column, claim in columns))

    soup = page(claimed(True, True, False), claimed(False, True, True))
    (claim,) = soup.select(".claims > li")
    assert [text(each) for each in claim.find_all("div")] == [
        "“a cat” is closer to “a dog” than to “a car”.",
        "✗ no longer holds for x : 0.60 against 0.20 → 0.20 against 0.60",
        "✓ now holds for z : 0.20 against 0.60 → 0.60 against 0.20",
        "Why it is expected: both are pets",
    ]


def test_a_large_set_says_what_could_not_be_compared() -> None:
    texts = [A, B, C, D]
    soup = page(large(texts, square(*VALUES), 1), large(texts, square(*VALUES), 1))
    assert text(soup.select_one(".notice")).startswith("Only 2 of 6 pairs could be compared.")


def test_models_of_comparisons_have_sections_of_their_own() -> None:
    soup = page(comparison(x=VALUES, y=VALUES), comparison(x=(0.7, *VALUES[1:]), y=(0.8, *VALUES[1:])))
    assert [text(each) for each in soup.find_all("h2")][:2] == [
        "The pairs that moved most: x 1 of 6 moved",
        "The pairs that moved most: y 1 of 6 moved",
    ]


def test_more_pairs_than_are_listed() -> None:
    texts = [str(k) for k in range(20)]
    old, new = (walkthrough(texts, *np.linspace(0.1, 0.1 + width, 190)) for width in (0.2, 0.8))
    soup = page(old, new)
    assert len(soup.select(".moved > li")) == LISTED
    assert f"The {LISTED} that moved most are listed." in text(soup)


def test_the_same_difference_is_the_same_page() -> None:
    assert render_difference(difference(OLD, NEW)) == render_difference(difference(OLD, NEW))


# --- the slope chart --------------------------------------------------------------------------------------------


def moved(*ends: tuple[float, float]) -> Movement:
    return Movement(True, 9, 9, len(ends), tuple(Moved("a", "b", *pair, *pair, None, None) for pair in ends))


def test_lines_rise_and_fall_between_the_least_and_the_largest_value() -> None:
    up, down = slopes(moved((0.2, 0.8), (0.6, 0.4)))
    assert (up.old, up.new, up.rises) == (BOTTOM, TOP, True)
    assert not down.rises
    assert TOP < down.old < down.new < BOTTOM
    assert (down.old_value, down.new_value) == ("0.60", "0.40")


def test_labels_keep_apart_in_their_order() -> None:
    heights = [100.0, 101.0, 286.0, 285.0, 34.0, 102.0, 286.0]
    placed = spread(heights)
    order = sorted(range(7), key=lambda k: heights[k])
    assert all(placed[after] - placed[before] >= APART for before, after in pairwise(order))
    assert max(placed) <= BOTTOM
    assert placed[4] == 34
    assert slopes(moved()) == slopes(moved((0.1, 0.2))) == []


def test_ranks_that_are_the_same_are_not_drawn() -> None:
    still = tuple(Moved("a", "b", 0.1, 0.2, 0.1, 0.2, rank, rank) for rank in (1, 2))
    assert slopes(Movement(False, 9, 9, 2, still)) == []
    assert len(slopes(Movement(False, 9, 9, 2, (still[0], still[1]._replace(new_rank=3))))) == 2


# --- hostile texts, in a browser ----------------------------------------------------------------------------------


def test_hostile_texts_are_only_text(visit: Callable[..., Watched], crafted: Ran) -> None:
    path = crafted.out / "diff.html"
    watched = visit(path)
    assert watched.page.title() == "What changed: " + "longest" * 200
    assert watched.page.locator("script, iframe, img, a, form").count() == 0
    for hostile in HOSTILE[:3]:
        assert watched.page.get_by_text(hostile, exact=True).count()
    for width in (1280, 360):
        watched.page.set_viewport_size({"width": width, "height": 800})
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width
    assert watched.trouble == []
    source = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in source


@pytest.mark.parametrize(("scheme", "width"), SOME_VIEWS)
def test_the_page_breaks_no_rule_of_wcag(
    visit: Callable[..., Watched], tmp_path: Path, scheme: str, width: int
) -> None:
    path = tmp_path / "diff.html"
    path.write_text(render_difference(hostile_difference([A, B, C, D, *"efghijklmnop"])), encoding="utf-8")
    watched = visit(path, scheme, width)
    assert violations(watched.page) == []
    sizes = watched.page.locator(".slopes text").evaluate_all(
        "all => all.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
    )
    assert min(sizes) >= 11
    tags = watched.page.locator("h1, h2, h3").evaluate_all("all => all.map(h => Number(h.tagName[1]))")
    assert tags[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(tags))
