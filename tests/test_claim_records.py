"""What a set expects, in plain text: what must be the case, and what is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentence_reports.claim_records import Check, ClaimCheck, ClaimKind, ReferenceCheck, Side, tally

PAIR = Side("pair", ("a", "b"), 0.5)
LIMIT = Side("limit", (), 0.25)
OTHER = Side("pair", ("a", "c"), 0.25)
SEARCH = Side("search", ("q", "b"), 0.5), Side("search", ("q", "c"), 0.25)
GROUP = Side("within", ("g",), 0.5), Side("between", ("g", "h"), 0.25)


@pytest.mark.parametrize(
    ("claim", "expected", "met", "unmet"),
    [
        (
            ClaimCheck("closer", True, PAIR, OTHER, because="so"),
            "“a” is closer to “b” than to “c”",
            "“a” is closer to “b” (0.50) than to “c” (0.25)",
            "“a” should be closer to “b” (0.25) than to “c” (0.50)",
        ),
        (
            ClaimCheck("related", True, PAIR, LIMIT, because="so"),
            "“a” and “b” are closer than 99% of unrelated pairs",
            "“a” and “b” (0.50) are closer than 99% of unrelated pairs (0.25)",
            "“a” and “b” (0.25) should be closer than 99% of unrelated pairs (0.50)",
        ),
        (
            ClaimCheck("unrelated", True, replace(PAIR, value=0.25), replace(LIMIT, value=0.5), because="so"),
            "“a” and “b” are not closer than 99% of unrelated pairs",
            "“a” and “b” (0.25) are not closer than 99% of unrelated pairs (0.50)",
            "“a” and “b” (0.50) should not be closer than 99% of unrelated pairs (0.25)",
        ),
        (
            ClaimCheck("finds", True, *SEARCH, because="so"),
            "“q” is closer to “b” than to any other sentence",
            "“q” is closer to “b” (0.50) than to “c” (0.25)",
            "“q” should be closer to “b” (0.25) than to “c” (0.50)",
        ),
        (
            ClaimCheck("together", True, *GROUP, because="so"),
            "the sentences of “g” are on average closer to each other than to those of any other group",
            "the sentences of “g” are on average closer to each other (0.50) than to those of “h” (0.25)",
            "the sentences of “g” should be on average closer to each other (0.25) than to those of “h” (0.50)",
        ),
    ],
)
def test_what_is_expected_reads_the_same_whatever_came_out(
    claim: ClaimCheck, expected: str, met: str, unmet: str
) -> None:
    assert claim.check == Check(expected, met, True, "so")
    first, second = (
        replace(side, value=other.value)
        for side, other in ((claim.first, claim.second), (claim.second, claim.first))
    )
    assert replace(claim, met=False, first=first, second=second).check == Check(expected, unmet, False, "so")


def test_pairs_without_a_common_sentence_are_named_in_full() -> None:
    check = ClaimCheck("closer", True, PAIR, Side("pair", ("c", "d"), 0.25)).check
    assert check.expected == "“a” and “b” are closer than “c” and “d”"
    assert check.statement == "“a” and “b” (0.50) are closer than “c” and “d” (0.25)"


def test_a_query_may_be_one_of_the_sentences() -> None:
    same = ClaimCheck("finds", True, Side("search", ("q", "q"), 1.0), Side("search", ("q", "c"), 0.25)).check
    assert same.statement == "“q” is closer to “q” (1.00) than to “c” (0.25)"


def test_a_margin_is_part_of_both() -> None:
    check = ClaimCheck("closer", False, PAIR, Side("pair", ("a", "c"), 0.5), margin=0.05).check
    assert check.expected == "“a” is at least 0.05 closer to “b” than to “c”"
    assert check.statement == "“a” should be at least 0.05 closer to “b” (0.50) than to “c” (0.50)"


def test_values_that_look_equal_get_more_decimals_unless_they_are() -> None:
    def shown(first: float, second: float) -> str:
        sides = Side("pair", ("a", "b"), first), Side("pair", ("a", "c"), second)
        return ClaimCheck("closer", first > second, *sides).statement

    assert shown(0.2361, 0.2439) == "“a” should be closer to “b” (0.236) than to “c” (0.244)"
    assert shown(0.2439, 0.2361) == "“a” is closer to “b” (0.244) than to “c” (0.236)"
    assert shown(0.24, 0.24) == "“a” should be closer to “b” (0.24) than to “c” (0.24)"


CLOSE = st.integers(240_000, 241_000).map(lambda k: k / 1e6) | st.floats(-1, 1).map(lambda x: round(x, 6))


@given(CLOSE, CLOSE, st.sampled_from(["closer", "finds", "unrelated"]))
def test_the_decimals_of_two_values_show_the_outcome(first: float, second: float, kind: ClaimKind) -> None:
    met = (first > second) != (kind == "unrelated")
    sides = Side("pair", ("a", "b"), first), Side("pair", ("a", "c"), second)
    digits = ClaimCheck(kind, met, *sides).digits
    one, other = (float(f"{value:.{digits}f}") for value in (first, second))
    assert (one > other, one == other) == (first > second, first == second)
    assert 2 <= digits <= 6


@given(CLOSE, CLOSE, st.integers(1, 99).map(lambda k: k / 100))
def test_the_decimals_of_two_values_show_whether_a_margin_is_kept(
    first: float, second: float, margin: float
) -> None:
    met = round(first - second, 6) >= margin
    sides = Side("pair", ("a", "b"), first), Side("pair", ("a", "c"), second)
    digits = ClaimCheck("closer", met, *sides, margin=margin).digits
    one, other = (round(value, digits) for value in (first, second))
    assert (round(one - other, digits) >= margin) == met


def test_long_texts_are_cut_and_lines_joined() -> None:
    long = Side("pair", ("a\nb " + "x" * 100_000, "b"), 0.5)
    check = ClaimCheck("related", True, long, LIMIT).check
    assert check.statement.startswith("“a b xx")
    assert "xx...” and “b” (0.50)" in check.statement
    assert len(check.statement) < 300


def test_long_texts_that_begin_alike_are_shown_where_they_differ() -> None:
    begin = "word " * 60
    first, second = (Side("pair", (f"{begin}{end} so it ends", "b"), 0.5) for end in ("late", "early"))
    check = ClaimCheck("closer", True, first, second).check
    for said in (check.statement, check.expected):
        assert "word... " in said
        assert "word late so it ends”" in said
        assert "word early so it ends”" in said
    other = ClaimCheck("finds", True, replace(first, kind="search"), replace(second, kind="search")).check
    assert "late" not in other.expected  # the same whatever the model finds instead


def test_published_values_are_one_check() -> None:
    met = ReferenceCheck("a\nbook", "m", 0.01, compared=True, met=3, total=3, largest=0.001)
    missed = ReferenceCheck("a\nbook", "m", 0.01, compared=True, met=1, total=3, largest=0.5)
    assert met.check is not None
    assert missed.check is not None
    assert met.check.expected == missed.check.expected == "the published values match (a book)"
    assert met.check.statement == "all 3 published values match (a book)"
    assert missed.check.statement == (
        "2 of 3 published values do not match: the largest difference is 0.500000, the tolerance 0.01 (a book)"
    )
    assert ReferenceCheck("s", "m", 0.01, compared=False).check is None


HOLDS, FAILS = (Check("", "", met) for met in (True, False))
MATCH, DIFFER = (Check("", "", met, published=True) for met in (True, False))


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ([HOLDS], "The claim holds"),
        ([FAILS], "The claim does not hold"),
        ([HOLDS, HOLDS], "Both claims hold"),
        ([FAILS, FAILS], "Neither claim holds"),
        ([HOLDS, FAILS], "1 of 2 claims holds"),
        ([HOLDS] * 1052, "All 1,052 claims hold"),
        ([MATCH], "The published values match"),
        ([DIFFER, DIFFER], "The published values do not match"),
        ([HOLDS, HOLDS, DIFFER], "Both claims hold, and the published values do not match"),
        (
            [FAILS, MATCH, MATCH, DIFFER],
            "The claim does not hold, and the published values match in 2 of 3 sets",
        ),
    ],
)
def test_claims_are_counted_and_published_values_are_not_among_them(checks: list[Check], words: str) -> None:
    assert tally(checks) == words
