"""What came out of a set's claims, on similarities that can be read off."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sentence_reports.claim_records import Claim, ClaimCheck, Side
from sentence_reports.facts import STEPS, Baseline
from sentence_reports.lesson.claims import check_claims

TEXTS = ["a", "b", "c", "d"]
MATRIX = np.array(
    [[1, 0.9, 0.2, 0.25], [0.9, 1, 0.3, 0.2], [0.2, 0.3, 1, 0.35], [0.25, 0.2, 0.35, 1]], dtype="f4"
)
BASELINE = Baseline("k", "m", 10, tuple(round(k / STEPS * 0.4, 3) for k in range(STEPS + 1)))  # 99%: 0.396


def check(claim: Claim, matrix: Any = MATRIX, **given: Any) -> ClaimCheck:
    (outcome,) = check_claims([claim], TEXTS, np.asarray(matrix, dtype="f4"), BASELINE, **given)
    return outcome


def pair_of(value: float) -> Sequence[Sequence[float]]:
    return np.where(np.eye(4) == 1, 1, value).tolist()


def test_a_pair_is_closer_than_another() -> None:
    outcome = check(Claim("closer", (0, 1), (1, 2), because="why"))
    assert outcome == ClaimCheck(
        "closer", True, Side("pair", ("a", "b"), 0.9), Side("pair", ("b", "c"), 0.3), 0.0, "why"
    )
    assert not check(Claim("closer", (1, 2), (0, 1))).met


@pytest.mark.parametrize(
    ("margin", "met"),
    [(0.05, True), (0.050001, False), (0.04, True)],
)
def test_a_margin_is_a_difference_of_similarities_as_they_are_printed(margin: float, met: bool) -> None:
    # As float32, 0.35 - 0.3 is 0.04999998.
    assert check(Claim("closer", (2, 3), (1, 2), margin=margin)).met == met


def test_a_tie_meets_nothing() -> None:
    tie = MATRIX.copy()
    tie[1, 2] = tie[2, 1] = 0.35 + 1e-7
    assert not check(Claim("closer", (1, 2), (2, 3)), tie).met
    assert not check(Claim("closer", (2, 3), (1, 2)), tie).met


@pytest.mark.parametrize(
    ("value", "related"), [(0.5, True), (0.3966, True), (0.3964, False), (0.396, False), (-0.1, False)]
)
def test_related_is_what_the_page_calls_closer_than_99_percent(value: float, related: bool) -> None:
    assert check(Claim("related", (0, 1)), pair_of(value)).met == related
    assert check(Claim("unrelated", (0, 1)), pair_of(value)).met != related
    assert (BASELINE.percentile(value) >= 99) == related
    assert check(Claim("related", (0, 1))).second == Side("limit", (), 0.396)


def test_a_query_finds_what_is_closest_to_it() -> None:
    given: dict[str, Any] = {
        "queries": ["p", "q"],
        "found": np.array([[0.1, 0.5, 0.4, 0.2], [0.7, 0.7, 0.1, 0.2]]),
    }
    best = check(Claim("finds", (0, 1)), **given)
    assert best.met
    assert (best.first, best.second) == (Side("search", ("p", "b"), 0.5), Side("search", ("p", "c"), 0.4))
    beaten = check(Claim("finds", (0, 2)), **given)
    assert not beaten.met
    assert beaten.second == Side("search", ("p", "b"), 0.5)
    assert not check(Claim("finds", (1, 0)), **given).met  # a tie
    assert not check(Claim("finds", (1, 1)), **given).met


def test_a_group_is_together_if_it_is_closer_than_to_every_other_group() -> None:
    groups = ["x", "x", "y", "z"]
    outcome = check(Claim("together", group="x", margin=0.6), groups=groups)
    assert outcome.met
    assert outcome.first == Side("within", ("x",), 0.9)
    assert outcome.second == Side("between", ("x", "y"), 0.25)
    assert not check(Claim("together", group="x", margin=0.7), groups=groups).met
    assert not check(Claim("together", group="y"), groups=["x", "y", "x", "y"]).met


# --- in words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "statement"),
    [
        (Claim("closer", (0, 1), (1, 2)), "“b” is closer to “a” (0.90) than to “c” (0.30)"),
        (Claim("closer", (1, 2), (1, 0)), "“b” should be closer to “c” (0.30) than to “a” (0.90)"),
        (
            Claim("closer", (0, 1), (2, 3), margin=0.6),
            "“a” and “b” (0.90) should be at least 0.6 closer than “c” and “d” (0.35)",
        ),
        (Claim("related", (0, 1)), "“a” and “b” (0.90) are closer than 99% of unrelated pairs (0.40)"),
        (Claim("related", (2, 3)), "“c” and “d” (0.35) should be closer than 99% of unrelated pairs (0.40)"),
        (
            Claim("unrelated", (0, 1)),
            "“a” and “b” (0.90) should not be closer than 99% of unrelated pairs (0.40)",
        ),
        (Claim("unrelated", (2, 3)), "“c” and “d” (0.35) are not closer than 99% of unrelated pairs (0.40)"),
        (Claim("finds", (0, 1)), "“b” is closer to “b” (0.90) than to “a” (0.50)"),
        (
            Claim("together", group="x"),
            "the sentences of “x” are on average closer to each other (0.90) than to those of “y” (0.24)",
        ),
    ],
)
def test_an_outcome_is_a_true_clause(claim: Claim, statement: str) -> None:
    outcome = check(claim, groups=["x", "x", "y", "y"], queries=["b"], found=np.array([[0.5, 0.9, 0.1, 0.1]]))
    assert outcome.statement == statement
    assert (outcome.gap >= 0) == outcome.met


@pytest.mark.parametrize(
    ("first", "second", "margin", "shown"),
    [
        (0.5549, 0.5501, 0.0, "(0.555) than to “c” (0.550)"),  # both are 0.55
        (0.555, 0.5051, 0.05, "(0.5550) than to “c” (0.5051)"),  # 0.56 and 0.51 would be at least 0.05 apart
        (0.50004, 0.50001, 0.0, "(0.50004) than to “c” (0.50001)"),
        (-0.001, -0.2, 0.0, "(0.00) than to “c” (−0.20)"),
    ],
)
def test_the_numbers_shown_agree_with_the_outcome(
    first: float, second: float, margin: float, shown: str
) -> None:
    matrix = np.eye(4)
    matrix[0, 1], matrix[0, 2] = first, second
    assert check(Claim("closer", (0, 1), (0, 2), margin=margin), matrix).statement.endswith(shown)
