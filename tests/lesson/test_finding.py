"""The finding in words: each branch on a matrix that can be read off, and what holds for any matrix."""

import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sentence_reports.claim_records import Agreement, ClaimCheck, Side
from sentence_reports.facts import STEPS, Baseline
from sentence_reports.lesson.finding import CLEAR, cite, finding

# Unrelated pairs have -0.1 to 0.4: half of them 0.15 or less, 99% of them 0.395 or less.
BASELINE = Baseline("k", "m", 1000, tuple(round(k / STEPS * 0.5 - 0.1, 3) for k in range(STEPS + 1)))


def symmetric(n: int, values: dict[tuple[int, int], float], rest: float = 0.0) -> NDArray[np.float32]:
    matrix = np.full((n, n), rest, dtype="f4")
    for (i, j), value in values.items():
        matrix[i, j] = matrix[j, i] = value
    np.fill_diagonal(matrix, 1)
    return matrix


def blocks(groups: str, within: dict[str, float], between: dict[str, float]) -> NDArray[np.float32]:
    """Return a matrix whose values depend on the groups alone: "a" within, "ab" between, 0 if none is given."""
    pairs = combinations(range(len(groups)), 2)
    return symmetric(
        len(groups),
        {
            (i, j): within[groups[i]]
            if groups[i] == groups[j]
            else between.get("".join(sorted(groups[i] + groups[j])), 0.0)
            for i, j in pairs
        },
    )


def found(matrix: NDArray[np.float32], **given: Any) -> tuple[str, ...]:
    texts = given.pop("texts", [f"t{k}" for k in range(len(matrix))])
    return finding(texts, matrix, BASELINE, **given)


# --- claims ------------------------------------------------------------------------------------------------------


def claim(one: float, other: float, **changes: Any) -> ClaimCheck:
    first, second = Side("pair", ("a", "b"), one), Side("pair", ("a", "c"), other)
    return ClaimCheck(**{"kind": "closer", "met": one > other, "first": first, "second": second} | changes)


@pytest.mark.parametrize(
    ("claims", "headline", "expected"),
    [
        ([claim(0.9, 0.2)] * 4, "A denial is close", ("A denial is close: all 4 claims hold.",)),
        ([claim(0.9, 0.2)] * 2, " A denial\nis close. ", ("A denial is close: both claims hold.",)),
        ([claim(0.9, 0.2)], "Is a denial close? Yes!", ("Is a denial close? Yes! The claim holds.",)),
        ([claim(0.9, 0.2)], "קרוב.", ("\u2068קרוב\u2069: the claim holds.",)),
        ([claim(0.9, 0.2)], "A denial is close", ("A denial is close: the claim holds.",)),
        ([claim(0.9, 0.2)], None, ("The claim holds.", "“a” is closer to “b” (0.90) than to “c” (0.20).")),
        (
            [claim(0.5, 0.2), claim(0.9, 0.2), claim(0.3, 0.2)],
            None,
            ("All 3 claims hold.", "The clearest case: “a” is closer to “b” (0.90) than to “c” (0.20)."),
        ),
        (
            [claim(0.5, 0.2), claim(0.1, 0.2), claim(-0.3, 0.2), claim(0.1, 0.3)],
            "A denial is close",
            (
                "3 of 4 claims do not hold.",
                "The biggest miss: “a” should be closer to “b” (−0.30) than to “c” (0.20).",
            ),
        ),
        (
            [claim(0.5, 0.2), claim(0.1, 0.2)],
            "A denial is close",
            ("1 of 2 claims does not hold.", "“a” should be closer to “b” (0.10) than to “c” (0.20)."),
        ),
        (
            [claim(0.1, 0.2)],
            "A denial is close",
            ("The claim does not hold.", "“a” should be closer to “b” (0.10) than to “c” (0.20)."),
        ),
        (
            [claim(0.3, 0.2, margin=0.5, met=False), claim(0.1, 0.3)],
            None,
            (
                "2 of 2 claims do not hold.",
                "The biggest miss: “a” should be at least 0.5 closer to “b” (0.30) than to “c” (0.20).",
            ),
        ),
        (
            [
                claim(0.5, 0.2, kind="unrelated", met=False, second=Side("limit", (), 0.2)),
                claim(0.1, 0.2, kind="related", second=Side("limit", (), 0.2)),
            ],
            None,
            (
                "2 of 2 claims do not hold.",
                "The biggest miss: “a” and “b” (0.50) should not be closer than 99% of unrelated pairs (0.20).",
            ),
        ),
    ],
)  # fmt: skip
def test_claims_come_first(claims: list[ClaimCheck], headline: str | None, expected: tuple[str, ...]) -> None:
    matrix = blocks("aabb", {"a": 0.9, "b": 0.9}, {})
    assert found(matrix, groups="aabb", claims=claims, claim=headline) == expected


# --- groups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "within", "between", "expected"),
    [
        (
            "aabbcc",
            {"a": 0.5, "b": 0.6, "c": 0.3},
            {"ac": 0.31, "bc": 0.2},
            "“a” and “b” hold together; “c” does not: 0.18 on average within the group, 0.19 to “a”",
        ),
        (
            "aabbcc",
            {"a": 0.5, "b": 0.2, "c": 0.3},
            {"ac": 0.31, "bc": 0.25},
            "“a” holds together; “b” and “c” do not, “b” least: 0.06 on average within the group, 0.12 to “c”",
        ),
        (
            "aabb",
            {"a": 0.5, "b": 0.3},
            {"ab": 0.2},
            "Both groups hold together, “b” least: 0.18 on average within the group, 0.06 to “a”",
        ),
        (
            "aabbcc",
            {"a": 0.5, "b": 0.3, "c": 0.9},
            {},
            "All three groups hold together, “b” least: 0.18 on average within the group",
        ),
        (
            "aabb",
            {"a": 0.2, "b": -0.3},
            {"ab": 0.2},
            "Neither group holds together, “b” least: −0.53 on average within the group, 0.06 to “a”",
        ),
        (
            "aabbcc",
            {"a": 0.2, "b": 0.16, "c": 0.19},
            {"ab": -0.2},
            # Above the other groups, but about what unrelated sentences get.
            "“a” holds together; “b” and “c” do not, “b” least: 0.01 on average within the group",
        ),
        (
            "aabc",
            {"a": 0.5},
            {"ab": 0.2, "bc": 0.9},
            "“a” holds together: 0.41 on average within the group, 0.06 to “b”",
        ),
        (
            "aabc",
            {"a": 0.5},
            {"ab": 0.2, "ac": 0.7},
            "“a” does not hold together: 0.41 on average within the group, 0.65 to “c”",
        ),
        (
            "aabbc",
            {"a": 0.5, "b": 0.4},
            {},
            "Both groups of more than one sentence hold together, “b” least: "
            "0.29 on average within the group",
        ),
        (
            "aabbccd",
            {"a": 0.1, "b": 0.12, "c": 0.12},
            {},
            "None of the three groups of more than one sentence holds together, “a” least: "
            "−0.06 on average within the group",
        ),
    ],
)
def test_groups_hold_together_or_not(
    groups: str, within: dict[str, float], between: dict[str, float], expected: str
) -> None:
    assert (
        found(blocks(groups, within, between), groups=groups)[0]
        == f"{expected} (0 is chance, 1 the same text)."
    )


def test_sentences_that_are_closer_to_another_group_are_named() -> None:
    matrix = blocks("aaabbb", {"a": 0.8, "b": 0.8}, {"ab": 0.3})
    matrix[0, 1:] = matrix[1:, 0] = [0.1, 0.1, 0.7, 0.7, 0.7]
    assert found(matrix, groups="aaabbb")[1:] == ("“t0” is on average closer to “b” than to its own group.",)
    matrix[4, [0, 1, 2, 3, 5]] = matrix[[0, 1, 2, 3, 5], 4] = [0.5, 0.3, 0.3, 0.25, 0.25]
    assert found(matrix, groups="aaabbb")[1:] == (
        "“t0” and “t4” are on average closer to another group than to their own.",
    )


def test_a_sentence_as_close_to_another_group_as_to_its_own_is_not_named() -> None:
    assert len(found(blocks("aaabbb", {"a": 0.3, "b": 0.3}, {"ab": 0.3}), groups="aaabbb")) == 1


def test_many_groups_and_many_sentences_are_counted() -> None:
    groups = [f"g{k // 3}" for k in range(900)]
    matrix = np.full((900, 900), 0.2, dtype="f4")
    for k in range(0, 450, 3):
        matrix[k : k + 3, k : k + 3] = 0.5
    matrix[897:, 897:] = 0.1
    np.fill_diagonal(matrix, 1)
    first, second = found(matrix, groups=groups)
    assert first == (
        "“g0”, “g1”, “g2” and 147 more hold together; “g150”, “g151”, “g152” and 147 more do not, “g299” least: "
        "−0.06 on average within the group, 0.06 to “g0” (0 is chance, 1 the same text)."
    )
    assert second == "“t897”, “t898” and “t899” are on average closer to another group than to their own."
    matrix[600:, 600:] = 0.1
    np.fill_diagonal(matrix, 1)
    assert found(matrix, groups=groups)[1].startswith("“t600”, “t601”, “t602” and 297 more are ")


def test_groups_are_judged_on_the_chance_corrected_scale() -> None:
    """The same gap of 0.04 is a tenth of what is possible with one model, and nothing much with another."""
    matrix = blocks("aabb", {"a": 0.84, "b": 0.84}, {"ab": 0.8})
    narrow = Baseline("k", "m", 10, tuple(np.linspace(0.6, 0.9, STEPS + 1).round(3).tolist()))
    assert finding("wxyz", matrix, narrow, groups="aabb")[0].startswith("Both groups hold")
    assert finding("wxyz", matrix, BASELINE, groups="aabb")[0].startswith("Neither group holds")


def test_a_model_to_which_all_is_the_same_holds_nothing_together() -> None:
    blind = Baseline("k", "m", 10, (1.0,) * (STEPS + 1))
    assert finding("wxyz", np.ones((4, 4)), blind, groups="aabb") == (
        "Neither group holds together, “a” least: 0.00 on average within the group (0 is chance, 1 the same text).",
    )


@pytest.mark.parametrize("groups", [None, ["x"] * 3, ["x", "y", "z"]])
def test_groups_that_cannot_be_compared_leave_the_word_to_the_baseline(groups: list[str] | None) -> None:
    sentence, detail = found(symmetric(3, {(0, 1): 0.8}), groups=groups)
    assert (
        sentence
        == "To this model, one of three pairs looks related: closer than 99% of pairs of unrelated sentences."
    )
    assert detail == "The pair is “t0” and “t1” (0.80)."


# --- the baseline ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "values", "rest", "expected"),
    [
        (2, {}, 0.9, ("“t0” and “t1” (0.90) are closer than any of 1,000 unrelated pairs.",)),
        (2, {}, 0.398, ("“t0” and “t1” (0.40) are closer than 99.5% of unrelated pairs.",)),
        (
            2,
            {},
            -0.05,
            (
                "“t0” and “t1” (−0.05) are no closer than chance would allow: closer than 9.9% of unrelated pairs.",
            ),
        ),
        (
            3,
            {(0, 2): 0.395},
            -0.2,
            (
                "No pair is closer than chance would allow.",
                "The closest, “t0” and “t2” (0.40), is closer than 98.9% of unrelated pairs.",
            ),
        ),
        (
            3,
            {},
            -0.5,
            (
                "No pair is closer than chance would allow.",
                "The closest, “t0” and “t1” (−0.50), is closer than none of 1,000 unrelated pairs.",
            ),
        ),
        (
            4,
            {(0, 2): 0.5, (1, 3): 0.7},
            0.1,
            (
                "To this model, two of six pairs look related: closer than 99% of pairs of unrelated sentences.",
                "The closest are “t1” and “t3” (0.70), and “t0” and “t2” (0.50).",
            ),
        ),
        (
            6,
            {(0, k): 0.4 + k / 10 for k in range(1, 6)},
            0.1,
            (
                "To this model, five of 15 pairs look related: closer than 99% of pairs of unrelated sentences.",
                "The closest are “t0” and “t5” (0.90), and “t0” and “t4” (0.80).",
            ),
        ),
        (
            3,
            {},
            1.0,
            (
                "To this model, all three pairs look related: closer than 99% of pairs of unrelated sentences.",
                "The closest are “t0” and “t1” (1.00), and “t0” and “t2” (1.00).",
            ),
        ),
        (
            50,
            {(0, 1): 0.5},
            0.1,
            (
                "To this model, one of 1,225 pairs looks related: closer than 99% of pairs of unrelated "
                "sentences; by chance, about 12 would.",
                "The pair is “t0” and “t1” (0.50).",
            ),
        ),
    ],
)
def test_pairs_are_compared_with_unrelated_ones(
    n: int, values: dict[tuple[int, int], float], rest: float, expected: tuple[str, ...]
) -> None:
    assert found(symmetric(n, values, rest)) == expected


# --- ratings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agreement", "words"),
    [
        (
            Agreement(40, 0.823, (0.7, 0.9), ()),
            ["The model's rank correlation with people's ratings is 0.82 (95% interval from 0.70 to 0.90)."],
        ),
        (
            Agreement(3, -0.5, None, ()),
            ["The model's rank correlation with people's ratings is −0.50 (3 pairs only)."],
        ),
        (Agreement(3, None, None, ()), []),
    ],
)
def test_ratings_are_the_last_sentence(agreement: Agreement, words: list[str]) -> None:
    before = found(symmetric(3, {(0, 1): 0.8}))
    assert len(before) == 2
    assert found(symmetric(3, {(0, 1): 0.8}), agreement=agreement) == (*before, *words)


# --- texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("a\n  b", "“a b”"),
        ("word " * 20, "“word word word word word word word word word word word …”"),
        ("x" * 200, "“" + "x" * 60 + "…”"),
        ("short " + "x" * 200, "“short …”"),
        ("…", "“…”"),
        ("\u202eabc", "“\u2068\u202eabc\u2069”"),
    ],
)
def test_a_long_text_is_cut_at_the_end_of_a_word_and_isolated(text: str, cited: str) -> None:
    assert cite(text) == cited


# --- any matrix ----------------------------------------------------------------------------------------------------


@st.composite
def sets(draw: st.DrawFn) -> tuple[NDArray[np.float32], list[str] | None]:
    n = draw(st.integers(2, 9))
    cosines = st.floats(-1, 1, width=32) | st.sampled_from([-1.0, 0.0, 0.15, 0.395, 0.396, 1.0])
    pairs = list(combinations(range(n), 2))
    values = draw(st.lists(cosines, min_size=len(pairs), max_size=len(pairs)))
    matrix = symmetric(n, dict(zip(pairs, values, strict=True)))
    groups = draw(st.none() | st.lists(st.sampled_from("abcd"), min_size=n, max_size=n))
    return matrix, groups


@given(sets())
def test_any_finding_is_a_few_true_sentences(drawn: tuple[NDArray[np.float32], list[str] | None]) -> None:
    matrix, groups = drawn
    sentences = found(matrix, groups=groups)
    assert len(sentences) in (1, 2)
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z“\d][^\n]*\.", sentence)
        assert not re.search(r"\b(nan|None(?! of the)|inf)\b|-\d|−0\.00\b|\bno of\b", sentence)
    if match := re.match(r"(.*) (?:holds?|does not hold) together(?:; (.*) do(?:es)? not)?", sentences[0]):
        assert groups
        said = {name: "not" not in match[0].split(";")[0] for name in re.findall("“(.)”", match[1])}
        said |= dict.fromkeys(re.findall("“(.)”", match[2] or ""), False)
        if match[1].startswith(("Both", "All", "Neither", "None")):
            said = {name: not match[1].startswith("N") for name in groups if groups.count(name) > 1}
        assert said == naive(matrix, groups)
        closer = sentences[1] if len(sentences) > 1 else ""
        strays = naive_strays(matrix, groups)
        assert set(re.findall("“t(.)”", closer)) <= set(strays)
        assert bool(closer) == bool(strays)
        if len(strays) > 3:
            assert len(re.findall("“t.”", closer)) == 3
    else:
        related = sum(BASELINE.percentile(matrix[i, j]) >= 99 for i, j in combinations(range(len(matrix)), 2))
        words = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"]
        total = len(matrix) * (len(matrix) - 1) // 2
        if total == 1:
            assert ("no closer" in sentences[0]) == (related == 0)
        elif related < total:
            many = words[related].lower() if related <= 10 else str(related)
            assert sentences[0].startswith(f"To this model, {many} of" if related else "No pair")
        else:
            assert sentences[0].startswith("To this model, all ")


def means(matrix: NDArray[np.float32], groups: list[str], k: int) -> dict[str, float]:
    """The mean similarity of one sentence with the other sentences of each group."""
    others = {name: [j for j in range(len(groups)) if groups[j] == name and j != k] for name in groups}
    return {name: sum(float(matrix[k, j]) for j in js) / len(js) for name, js in others.items() if js}


def naive(matrix: NDArray[np.float32], groups: list[str]) -> dict[str, bool]:
    """Whether each group of more than one sentence holds together."""
    held = {}
    for name in sorted(set(groups)):
        pairs: dict[str, list[float]] = {}
        for i, j in combinations(range(len(groups)), 2):
            if name in (groups[i], groups[j]):
                rival = groups[j] if groups[i] == name else groups[i]
                pairs.setdefault(rival, []).append(float(matrix[i, j]))
        if name in pairs:
            value = {rival: (sum(values) / len(values) - 0.15) / 0.85 for rival, values in pairs.items()}
            most = max([0.0, *(v for rival, v in value.items() if rival != name)])
            held[name] = round(value[name] - most, 5) >= CLEAR
    return held


def naive_strays(matrix: NDArray[np.float32], groups: list[str]) -> list[str]:
    strays = []
    for k, group in enumerate(groups):
        to = means(matrix, groups, k)
        if group in to and max(round(value, 6) for value in to.values()) > round(to[group], 6):
            strays.append(str(k))
    return strays
