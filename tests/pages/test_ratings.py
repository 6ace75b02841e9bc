"""What the page says about ratings by people."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from support import executed

from sentence_reports.claims import Agreement, RatedPair
from sentence_reports.pages.render import render

RATED = Agreement(10, 0.724, (0.21, 0.93), (RatedPair(0, 2, -4.5, -0.1234, 92.3, 11.0),))


def section(agreement: Agreement | None) -> Tag | None:
    return BeautifulSoup(render(executed(agreement=agreement)), "html.parser").select_one("#ratings")


def words(agreement: Agreement, selector: str) -> str:
    found = section(agreement)
    assert found is not None
    return " ".join(" ".join(tag.get_text(" ", strip=True).split()) for tag in found.select(selector))


def test_the_correlation_is_told_with_its_interval_and_the_number_of_pairs() -> None:
    assert words(RATED, "p").startswith(
        "Over 10 rated pairs, the rank correlation between people’s scores and the model’s similarities "
        "(Spearman’s) is 0.72 : 1 means the same order, 0 no relation, −1 the opposite order. "
        "Its 95% interval is from 0.21 to 0.93."
    )
    assert "Over 1,379 rated pairs" in words(replace(RATED, count=1379), "p")


@pytest.mark.parametrize(
    ("interval", "remarks"),
    [
        ((0.21, 0.93), ["wide"]),
        ((-0.2, 0.9), ["wide", "due to chance"]),
        ((-0.6, -0.1), ["wide"]),
        ((0.4, 0.7), ["rough estimate"]),
        ((-0.1, 0.2), ["rough estimate", "due to chance"]),
        ((0.80, 0.84), []),
    ],
)
def test_how_little_few_pairs_tell_comes_from_the_interval(
    interval: tuple[float, float], remarks: list[str]
) -> None:
    said = words(replace(RATED, interval=interval), "p")
    assert [remark for remark in ("wide", "rough estimate", "due to chance") if remark in said] == remarks


def test_scores_that_are_all_equal_have_no_correlation() -> None:
    said = words(Agreement(3, None, None, ()), "p")
    assert (
        said
        == "People rated 3 pairs. All scores or all similarities are equal, so there is no order to compare."
    )


def test_the_pairs_with_most_disagreement_are_shown_in_full() -> None:
    assert words(RATED, "li") == (
        "−0.12 one three Its score, −4.5, is higher than that of 92% of these pairs; "
        "its similarity is higher than that of 11%."
    )
    assert words(replace(RATED, disagreements=()), "h3") == ""


def test_a_set_without_ratings_has_no_such_section() -> None:
    assert section(None) is None
