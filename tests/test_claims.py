"""What a set expects, in plain text: what must be the case, and what is."""

import pytest

from sentence_reports.claims import ClaimCheck, ClaimKind, ReferenceCheck, Side

PAIR = Side("pair", ("a", "b"), 0.5)
LIMIT = Side("limit", (), 0.25)
CASES: dict[ClaimKind, tuple[Side, Side, str, str]] = {
    "closer": (PAIR, Side("pair", ("a", "c"), 0.25), "“a” and “b”: closer than “a” and “c”", "closer than"),
    "related": (PAIR, LIMIT, "“a” and “b”: closer than 99% of unrelated pairs", "closer than"),
    "unrelated": (PAIR, LIMIT, "“a” and “b”: not closer than 99% of unrelated pairs", "not closer than"),
    "finds": (
        Side("search", ("q", "b"), 0.5),
        Side("search", ("q", "c"), 0.25),
        "“q” and “b”: closer than any other sentence",
        "closer than",
    ),
    "together": (
        Side("within", ("g",), 0.5),
        Side("between", ("g", "h"), 0.25),
        "the group “g” on average: closer than any other group",
        "closer than",
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_what_is_expected_reads_the_same_whatever_came_out(kind: ClaimKind) -> None:
    first, second, expected, relation = CASES[kind]
    opposite = {"closer than": "not closer than", "not closer than": "closer than"}[relation]
    for met in (True, False):
        check = ClaimCheck(kind, met, first, second, because="so").check
        assert (check.expected, check.met, check.because) == (expected, met, "so")
        words = relation if met else opposite
        assert check.statement == f"{first.name} (0.50): {words} {second.name} (0.25)"


def test_a_margin_is_part_of_both() -> None:
    check = ClaimCheck("closer", False, PAIR, Side("pair", ("a", "c"), 0.5), margin=0.05).check
    assert check.expected == "“a” and “b”: at least 0.05 closer than “a” and “c”"
    assert check.statement.startswith("“a” and “b” (0.5000): not at least 0.0500 closer than")


def test_long_texts_are_cut_and_lines_joined() -> None:
    long = Side("pair", ("a\nb " + "x" * 100_000, "b"), 0.5)
    check = ClaimCheck("related", True, long, LIMIT).check
    assert check.statement.startswith("“a b xx")
    assert "xx...” and “b” (0.50)" in check.statement
    assert len(check.statement) < 300


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
