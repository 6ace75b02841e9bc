"""What a set expects of its model, and what came out: claims, published figures, ratings by people.

Plain records that the notebook computes and everything else reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sentence_reports.texts import isolated, number, shorten

SHOWN_LENGTH = 200
ClaimKind = Literal["closer", "related", "unrelated", "finds", "together"]


class Check(NamedTuple):
    """One thing that a set expects, in plain text on one line.

    `expected` says what must be the case, the same for every model; `statement` says what is the case, with its
    numbers, whether that is `met` or not. Both quote at most `SHOWN_LENGTH` characters of a text.
    """

    expected: str
    statement: str
    met: bool
    because: str | None = None


def tally(checks: Sequence[Check]) -> str:
    """Return how many of a set's claims hold, in words: "All 4 claims hold", "3 of 4 claims hold"."""
    met, total = sum(check.met for check in checks), len(checks)
    if total == 1:
        return "The claim holds" if met else "The claim does not hold"
    if met == total:
        return f"All {total} claims hold"
    return f"{met} of {total} claims {'holds' if met == 1 else 'hold'}"


@dataclass(frozen=True)
class Side:
    """One of the two things that a claim compares, and its value.

    `texts` holds two sentences ("pair"), a query and a sentence ("search"), the name of one group (the pairs "within"
    it) or of two (the pairs "between" them), or nothing ("limit": what 99% of unrelated pairs do not exceed).
    """

    kind: Literal["pair", "search", "within", "between", "limit"]
    texts: tuple[str, ...]
    value: float

    @property
    def name(self) -> str:
        """What is compared, in plain text: “A” and “B”."""
        quoted = [f"“{isolated(shorten(text, SHOWN_LENGTH))}”" for text in self.texts]
        match self.kind:
            case "within":
                return f"the group {quoted[0]} on average"
            case "between":
                return f"{quoted[0]} and {quoted[1]} on average"
            case "limit":
                return "99% of unrelated pairs"
            case _:
                return " and ".join(quoted)


@dataclass(frozen=True)
class ClaimCheck:
    """A claim of a set, and what came out: every claim compares the values of two sides.

    `closer`, `related`, `finds` and `together` are met if `first` is above `second` (for `closer` and `together`, by
    at least `margin`); `unrelated` is met if it is not. The second side is the limit for `related` and `unrelated`,
    the best other sentence for `finds`, the nearest other group for `together`.
    """

    kind: ClaimKind
    met: bool
    first: Side
    second: Side
    margin: float = 0.0
    because: str | None = None

    @property
    def relation(self) -> str:
        """The words between the two sides; with them the statement is true whether the claim is met or not."""
        above = self.met != (self.kind == "unrelated")
        return _relation(above, self.margin and number(self.margin, self.digits))

    @property
    def expected(self) -> str:
        """What the set expects in plain text, whatever came out: “A” and “B”: closer than “B” and “C”."""
        others = {"finds": "any other sentence", "together": "any other group"}
        relation = _relation(self.kind != "unrelated", self.margin and f"{self.margin:g}")
        return f"{self.first.name}: {relation} {others.get(self.kind, self.second.name)}"

    @property
    def digits(self) -> int:
        """How many decimals it takes to tell the two values apart: two, or four."""
        return 2 if round(self.first.value, 2) != round(self.second.value, 2) else 4

    @property
    def statement(self) -> str:
        """The outcome in plain text: “A” and “B” (0.92): closer than “B” and “C” (0.56)."""
        one, other = (
            f"{side.name} ({number(side.value, self.digits)})" for side in (self.first, self.second)
        )
        return f"{one}: {self.relation} {other}"

    @property
    def check(self) -> Check:
        """The claim in plain text, and whether it is met."""
        return Check(self.expected, self.statement, self.met, self.because)


@dataclass(frozen=True)
class ReferenceCheck:
    """Published figures against this run's: each pair of sentences counts once, the diagonal never.

    `compared` is False if the figures belong to another `model` than the one that ran; then `met` and `total` are 0
    and `largest`, the largest absolute difference, is None, as it is if the source prints no figure for a pair.
    """

    source: str
    model: str
    tolerance: float
    compared: bool
    met: int = 0
    total: int = 0
    largest: float | None = None

    @property
    def check(self) -> Check | None:
        """The comparison as one check; None if nothing was compared."""
        if self.largest is None:
            return None
        source = isolated(shorten(self.source, SHOWN_LENGTH))
        expected = f"the published values match ({source})"
        unmet = self.total - self.met
        if not unmet:
            return Check(expected, f"all {self.total} published values match ({source})", met=True)
        do = "does" if unmet == 1 else "do"
        statement = (
            f"{unmet} of {self.total} published values {do} not match: the largest difference is "
            f"{self.largest:.6f}, the tolerance {self.tolerance:g} ({source})"
        )
        return Check(expected, statement, met=False)


class RatedPair(NamedTuple):
    """A pair that people rated, by position counted from 0: its score, its similarity, and the rank of each.

    A rank is given as the share of the rated pairs that are below, in percent; equal values share their mean rank.
    """

    first: int
    second: int
    score: float
    similarity: float
    score_rank: float
    similarity_rank: float


@dataclass(frozen=True)
class Agreement:
    """How well the model's similarities agree with what people say about `count` pairs.

    `spearman` is Spearman's rank correlation, from -1 to 1, and `interval` its 95% bootstrap interval; both are None if
    all scores or all similarities are equal. `disagreements` holds the pairs with the largest difference between the
    two ranks, the largest first.
    """

    count: int
    spearman: float | None
    interval: tuple[float, float] | None
    disagreements: tuple[RatedPair, ...]


def _relation(above: bool, margin: str | float) -> str:
    lead = f"at least {margin} closer than" if margin else "closer than"
    return lead if above else f"not {lead}"
