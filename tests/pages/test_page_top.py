"""The top of a page: the finding, what the set expects, what people say."""

from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from support import executed

from sentence_reports.claims import Agreement, ClaimCheck, RatedPair, ReferenceCheck, Side
from sentence_reports.pages.render import render

LIMIT = Side("limit", (), 0.29)
CLOSER = ClaimCheck(
    *("closer", True, Side("pair", ("one", "two"), 0.914), Side("pair", ("one", "three"), -0.561), 0.05),
    because="two follows one",
)
UNRELATED = ClaimCheck("unrelated", False, Side("pair", ("one", "three"), 0.35), LIMIT)
TOGETHER = ClaimCheck("together", True, Side("within", ("A",), 0.64), Side("between", ("A", "B"), 0.6389))
PUBLISHED = ReferenceCheck("a book", "m", 0.01, compared=True, met=1, total=3, largest=0.25)


def page(**changes: Any) -> BeautifulSoup:
    return BeautifulSoup(render(executed(**changes)), "html.parser")


def words(tag: Tag | BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(found.get_text(" ", strip=True).split()) for found in tag.select(selector)]


def test_the_finding_is_between_the_title_and_the_notices() -> None:
    soup = page(finding=("No pair is close.", "Two are far."), notices=("a notice",), claims=(CLOSER,))
    parts = soup.select("h1, .finding, .finding ~ p, .notice, #expected, #glance")
    assert [part.get("id") or part.get_text() for part in parts] == [
        *("T", "No pair is close.", "Two are far.", "a notice", "expected", "glance")
    ]


def test_claims_are_told_in_words_and_numbers_those_that_do_not_hold_first() -> None:
    soup = page(claims=(CLOSER, UNRELATED, TOGETHER))
    assert words(soup, "#expected h2") == ["What was expected 2 of 3 claims hold"]
    assert words(soup, ".claims > li") == [
        "✗ does not hold 0.35 one three should not be closer than 0.29 99% of unrelated pairs",
        "✓ holds 0.91 one two is at least 0.05 closer than −0.56 one three two follows one",
        "✓ holds 0.6400 Average within A is higher than 0.6389 Average between A and B",
    ]
    assert words(soup, ".toc a")[0] == "What was expected"


def test_a_claim_says_what_should_be_whatever_came_out() -> None:
    (unmet,) = words(page(claims=(replace(CLOSER, met=False),)), ".claims > li")
    assert "one two should be at least 0.05 closer than" in unmet
    (met,) = words(page(claims=(replace(UNRELATED, met=True),)), ".claims > li")
    assert "one three is not closer than" in met


def test_published_figures_are_counted_apart_from_the_claims() -> None:
    soup = page(claims=(CLOSER,), reference=PUBLISHED)
    assert words(soup, "#expected h2 span") == ["The claim holds, and the published values do not match"]
    assert words(soup, ".claims > li")[0] == (
        "✗ does not hold 2 of 3 published values do not match: "
        "the largest difference is 0.250000, the tolerance 0.01 (a book)"
    )
    matched = page(reference=replace(PUBLISHED, met=3, largest=0.001))
    assert words(matched, "#expected h2 span") == ["The published values match"]
    assert words(matched, ".claims > .met")[0].endswith("3 published values match (a book)")


def test_figures_for_another_model_are_mentioned_and_not_counted() -> None:
    soup = page(reference=ReferenceCheck("a book", "big", 0.01, compared=False), claims=(CLOSER,))
    assert words(soup, "#expected h2 span") == ["The claim holds"]
    assert words(soup, "#expected p") == [
        "The published figures were not compared: they are for big ; this report used m . Source: a book"
    ]


def test_a_set_that_expects_nothing_has_no_such_section() -> None:
    assert not page().select("#expected, .toc a[href='#expected']")


def test_all_but_a_dozen_claims_are_folded() -> None:
    soup = page(claims=(UNRELATED,) * 13 + (CLOSER,) * 7)
    assert len(soup.select("#expected > .claims > li")) == 12
    assert words(soup, "#expected summary") == ["8 more, 1 of which does not hold"]
    assert words(soup, "#expected details .outcome") == ["✗ does not hold"] + 7 * ["✓ holds"]
    assert words(page(claims=(CLOSER,) * 13), "#expected summary") == ["1 more"]
    assert not page(claims=(CLOSER,) * 12).select("#expected details")


# --- what people say ----------------------------------------------------------------------------------------

RATED = Agreement(10, 0.724, (0.21, 0.93), (RatedPair(0, 2, -4.5, -0.1234, 92.3, 11.0),))


def rated(agreement: Agreement, selector: str) -> str:
    return " ".join(words(page(agreement=agreement), f"#ratings {selector}"))


def test_the_correlation_is_told_with_its_interval_and_the_number_of_pairs() -> None:
    assert rated(RATED, "p").startswith(
        "For the 10 rated pairs, Spearman’s rank correlation between people’s scores and the model’s similarities is "
        "0.7240 . (1 means the same order, 0 no relation, −1 the opposite order.) "
        "Its 95% interval is from 0.21 to 0.93."
    )
    assert "For the 1,379 rated pairs" in rated(replace(RATED, count=1379), "p")


@pytest.mark.parametrize(
    ("interval", "remarks"),
    [
        ((0.21, 0.93), ["wide"]),
        ((-0.2, 0.9), ["wide", "due to chance"]),
        ((-0.6, -0.1), ["wide"]),
        ((0.4, 0.7), ["rough estimate"]),
        ((-0.1, 0.2), ["rough estimate", "due to chance"]),
        ((0.80, 0.84), []),
        (None, ["how certain"]),
    ],
)
def test_how_little_few_pairs_tell_comes_from_the_interval(
    interval: tuple[float, float] | None, remarks: list[str]
) -> None:
    said = rated(replace(RATED, interval=interval), "p")
    assert [
        remark for remark in ("wide", "rough estimate", "due to chance", "how certain") if remark in said
    ] == remarks


def test_scores_that_are_all_equal_have_no_correlation() -> None:
    said = rated(Agreement(3, None, None, ()), "p")
    assert (
        said
        == "People rated 3 pairs. All scores or all similarities are equal, so there is no order to compare."
    )


def test_the_pairs_with_most_disagreement_are_shown_in_full() -> None:
    assert rated(RATED, "li") == ("−0.12 one three score −4.5, at rank 92; similarity at rank 11")
    assert rated(replace(RATED, disagreements=()), "h3") == ""


def test_a_set_without_ratings_has_no_such_section() -> None:
    assert not page().select("#ratings, .toc a[href='#ratings']")
