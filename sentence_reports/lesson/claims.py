"""The claims of a set, checked: each is a comparison of two numbers."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sentence_reports.claim_records import Claim, ClaimCheck, Side, tally
from sentence_reports.facts import DIGITS, EQUAL, Baseline
from sentence_reports.lesson.groups import group_means


def check_claims(
    claims: Sequence[Claim],
    texts: Sequence[str],
    matrix: NDArray[np.floating],
    baseline: Baseline,
    *,
    groups: Sequence[str] | None = None,
    queries: Sequence[str] = (),
    found: NDArray[np.floating] | None = None,
) -> tuple[ClaimCheck, ...]:
    """Return what came out of each claim, in the order of the set.

    `matrix` holds the `(n, n)` similarities of the sentences `texts`, `groups` their groups, `found` the `(q, n)`
    similarities of the `queries` with the sentences. A tie meets no claim but `unrelated`.
    """
    means = None if groups is None else group_means(matrix, groups).round(EQUAL)

    def pair(i: int, j: int) -> Side:
        return Side("pair", (texts[i], texts[j]), round(float(matrix[i, j]), EQUAL))

    def best(query: int, wanted: int) -> tuple[Side, Side]:
        assert found is not None
        row = found[query].astype(float).round(EQUAL)
        rival = int(np.where(np.arange(len(row)) == wanted, -np.inf, row).argmax())
        one, other = (Side("search", (queries[query], texts[k]), float(row[k])) for k in (wanted, rival))
        return one, other

    def group(name: str) -> tuple[Side, Side]:
        assert means is not None
        row = dict(zip(map(str, means), map(float, means.loc[name]), strict=True))
        within = Side("within", (name,), row.pop(name))
        rival = max(row, key=row.__getitem__)
        return within, Side("between", (name, rival), row[rival])

    return check_each(claims, baseline, pair, best, group)


def check_each(
    claims: Sequence[Claim],
    baseline: Baseline,
    pair: Callable[[int, int], Side],
    best: Callable[[int, int], tuple[Side, Side]],
    group: Callable[[str], tuple[Side, Side]],
) -> tuple[ClaimCheck, ...]:
    """Return what came out of each claim, by the values that the functions return.

    `pair` returns that of two texts; `best` those of a query with the text that it should find and with the best other
    one, `group` those within a group and between it and the nearest other one.
    """

    def sides(claim: Claim) -> tuple[Side, Side]:
        if claim.group is not None:
            return group(claim.group)
        assert claim.pair is not None
        if claim.kind == "finds":
            return best(*claim.pair)
        other = Side("limit", (), baseline.rare) if claim.than is None else pair(*claim.than)
        return pair(*claim.pair), other

    return tuple(
        ClaimCheck(claim.kind, holds(claim, *compared), *compared, claim.margin, claim.because)
        for claim in claims
        for compared in [sides(claim)]
    )


def check_corrected(
    claims: Sequence[Claim],
    texts: Sequence[str],
    matrix: NDArray[np.floating],
    baseline: Baseline,
    *,
    groups: Sequence[str] | None = None,
) -> tuple[ClaimCheck, ...]:
    """Return what came out of each claim on the chance-corrected scale, on which models can be compared.

    The arguments are those of `check_claims`: `matrix` holds the similarities before the correction. A margin is one of
    chance-corrected similarities; without a margin, the outcome is that of `check_claims`.
    """

    def corrected(claim: Claim, check: ClaimCheck) -> ClaimCheck:
        decimals = DIGITS if check.second.kind == "limit" else EQUAL  # as the values were compared
        first, second = (
            replace(side, value=round(baseline.corrected(round(side.value, decimals)), EQUAL))
            for side in (check.first, check.second)
        )
        met = holds(claim, first, second) if claim.margin else check.met
        return replace(check, met=met, first=first, second=second)

    return tuple(map(corrected, claims, check_claims(claims, texts, matrix, baseline, groups=groups)))


def tally_claims(checks: Sequence[ClaimCheck]) -> str:
    """Return in a sentence how many claims hold."""
    return f"{tally(checks)}." if checks else "This set makes no claims."


def holds(claim: Claim, first: Side, second: Side) -> bool:
    """Whether a claim about the values of two sides holds."""
    if second.kind == "limit":  # as the baseline is rounded, so that all of a page agrees
        return (round(first.value, DIGITS) > second.value) != (claim.kind == "unrelated")
    return first.value > second.value and round(first.value - second.value, EQUAL) >= claim.margin
