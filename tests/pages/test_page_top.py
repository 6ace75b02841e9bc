"""The top of a page: the finding, what the set expects, what people say."""

import re
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from support import executed, small_summary

from sentence_reports.claim_records import Agreement, ClaimCheck, RatedPair, ReferenceCheck, Side
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


def test_what_came_out_comes_first() -> None:
    soup = page(finding=("No pair is close.", "Two are far."), notices=("a notice",), claims=(CLOSER,))
    parts = soup.select(".kicker, h1, .headline p, .facts, .lead, .notice, #expected, #ends, #glance")
    assert [part.get("id") or part["class"][0] if part.attrs else part.get_text() for part in parts] == [
        *(
            "kicker",
            "No pair is close.",
            "Two are far.",
            "facts",
            "lead",
            "notice",
            "expected",
            "ends",
            "glance",
        )
    ]


def test_claims_are_told_in_words_and_numbers_those_that_do_not_hold_first() -> None:
    soup = page(claims=(CLOSER, UNRELATED, TOGETHER))
    assert words(soup, "#expected h2") == ["What was expected 2 of 3 claims hold"]
    assert words(soup, ".claims > li") == [
        "✗ does not hold 0.35 one ↔ three 0.29 should not be closer than 99% of unrelated pairs",
        "✓ holds one 0.91 is closer to two −0.56 than to three two follows one",
        "✓ holds A 0.640 on average within the group 0.639 is higher than with B",
    ]
    assert words(soup, ".toc a")[0] == "What was expected"


def test_each_claim_has_its_reason_if_they_differ() -> None:
    soup = page(claims=(CLOSER, replace(UNRELATED, because="another")))
    assert words(soup, "#expected li .quiet") == ["another", "two follows one"]
    assert not words(soup, "#expected p")
    soup = page(claims=(CLOSER, CLOSER))
    assert not words(soup, "#expected li .quiet")
    assert words(soup, "#expected p") == ["Two follows one"]


def test_pairs_that_share_no_sentence_are_told_in_full() -> None:
    claim = replace(CLOSER, second=Side("pair", ("three", "four"), 0.1))
    assert words(page(claims=(claim,)), ".claims > li") == [
        "✓ holds 0.91 one ↔ two 0.10 is closer than three ↔ four"
    ]


def test_a_claim_says_what_should_be_whatever_came_out() -> None:
    (unmet,) = words(page(claims=(replace(CLOSER, met=False),)), ".claims > li")
    assert re.search("one .* should be at least 0.05 closer to two .* than to three", unmet)
    (met,) = words(page(claims=(replace(UNRELATED, met=True),)), ".claims > li")
    assert "is not closer than 99% of unrelated pairs" in met


def test_published_figures_are_told_apart_from_the_claims() -> None:
    soup = page(claims=(CLOSER,), reference=PUBLISHED)
    assert words(soup, "#expected h2 span") == ["The claim holds"]
    assert words(soup, "#expected h3 + p") == [
        "✗ 2 of 3 published values do not match: "
        "the largest difference is 0.250000, the tolerance 0.01 (a book)."
    ]
    matched = page(reference=replace(PUBLISHED, met=3, largest=0.001))
    assert words(matched, "#expected") == ["Published figures ✓ All 3 published values match (a book)."]
    assert words(matched, ".toc a")[0] == "Published figures"


def test_figures_for_another_model_are_no_part_of_the_result() -> None:
    soup = page(reference=ReferenceCheck("a book", "big", 0.01, compared=False))
    assert not soup.select("#expected")
    assert "a book ; for big , so not compared with these" in words(soup, "#provenance")[0]


def test_a_set_that_expects_nothing_has_no_such_section() -> None:
    assert not page().select("#expected, .toc a[href='#expected']")


def test_claims_that_hold_are_folded_after_four_and_others_never() -> None:
    soup = page(claims=(UNRELATED,) * 13 + (CLOSER,) * 7)
    assert words(soup, "#expected > .claims .outcome") == ["✗ does not hold"] * 13
    assert words(soup, "#expected summary") == ["7 more that hold"]
    soup = page(claims=(UNRELATED,) + (CLOSER,) * 4)
    assert len(soup.select("#expected > .claims > li")) == 4
    assert words(soup, "#expected summary") == ["1 more that holds"]
    assert not page(claims=(CLOSER,) * 4).select("#expected details")


# --- what people say ----------------------------------------------------------------------------------------

RATED = Agreement(10, 0.724, (0.21, 0.93), (RatedPair(0, 2, -4.5, -0.1234, 92.3, 11.0),))


def rated(agreement: Agreement, selector: str) -> str:
    return " ".join(words(page(agreement=agreement), f"#ratings {selector}"))


def test_the_correlation_is_told_with_its_interval_and_the_number_of_pairs() -> None:
    assert rated(RATED, "p").startswith(
        "For the 10 rated pairs, Spearman's rank correlation between people's scores and the model's similarities is "
        "0.72 . (1 means the same order, 0 no relation, −1 the opposite order.) "
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
    assert rated(RATED, "li") == "one ↔ three People: −4.5 , rank 92. Model: −0.12 , rank 11."
    assert rated(replace(RATED, disagreements=()), "h3") == ""


def test_a_set_without_ratings_has_no_such_section() -> None:
    assert not page().select("#ratings, .toc a[href='#ratings']")


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [(0.5, 0.8, ["0.50 unrelated", "0.80 closest pair"]), (0.1, 0.9, ["0.10", "0.90"])],
)
def test_the_scale_names_its_ends_if_they_mean_something(low: float, high: float, names: list[str]) -> None:
    base = small_summary()
    soup = page(
        legend=replace(base.legend, low=low, high=high), closest=base.closest._replace(similarity=0.8)
    )
    ends = words(soup, ".scale span")
    assert [ends[0], ends[2]] == names
