"""What a set expects of its model, and what came out: claims, published figures, ratings by people.

Plain records that the notebook computes and everything else reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import ClassVar, Literal, NamedTuple

from sentence_reports.texts import capitalized, digits_apart, isolated, number, quoted, shorten

SHOWN_LENGTH = 100
HEAD = 30  # characters that are shown of the beginning of a text, and before the place where two differ
ClaimKind = Literal["closer", "related", "unrelated", "finds", "together"]


class Claim(NamedTuple):
    """A claim as a set makes it, by positions counted from 0.

    `pair` holds two sentences, for `finds` a query and a sentence; `than` the pair that it is compared with, for
    `closer` only; `group` the name of a group, for `together` only.
    """

    kind: ClaimKind
    pair: tuple[int, int] | None = None
    than: tuple[int, int] | None = None
    group: str | None = None
    margin: float = 0.0
    because: str | None = None


class Check(NamedTuple):
    """One thing that a set expects, in plain text on one line.

    `expected` says what must be the case, the same for every model; `statement` says what is the case, with its
    numbers, whether that is `met` or not. Both quote at most `SHOWN_LENGTH` characters of a text. `published` says
    that it is about published figures, not a claim.
    """

    expected: str
    statement: str
    met: bool
    because: str | None = None
    published: bool = False


def tally(checks: Sequence[Check | ClaimCheck]) -> str:
    """Return how many claims hold and whether published values match, in words: "3 of 4 claims hold".

    It is empty if there are no checks. Each of those about published figures is a set's.
    """
    claims = [check.met for check in checks if not check.published]
    figures = [check.met for check in checks if check.published]
    values = "the published values match"
    if len(figures) > 1 and any(figures) and not all(figures):
        values += f" in {sum(figures):,} of {len(figures):,} sets"
    elif figures and not figures[0]:
        values = "the published values do not match"
    clauses = [_held(sum(claims), len(claims))] * bool(claims) + [values] * bool(figures)
    return capitalized(", and ".join(clauses))


def _held(met: int, total: int) -> str:
    if total == 1:
        return f"the claim {'holds' if met else 'does not hold'}"
    if total == 2 and met != 1:
        return "both claims hold" if met else "neither claim holds"
    if met == total:
        return f"all {total:,} claims hold"
    return f"{met:,} of {total:,} claims {'holds' if met == 1 else 'hold'}"


@dataclass(frozen=True)
class Side:
    """One of the two things that a claim compares, and its value.

    `texts` holds two sentences ("pair"), a query and a sentence ("search"), the name of one group (the pairs "within"
    it) or of two (the pairs "between" them), or nothing ("limit": what 99% of unrelated pairs do not exceed).
    """

    kind: Literal["pair", "search", "within", "between", "limit"]
    texts: tuple[str, ...]
    value: float


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
    published: ClassVar[bool] = False

    @property
    def gap(self) -> float:
        """By how much the claim is met; negative if it is not."""
        above = self.first.value - self.second.value
        return -above if self.kind == "unrelated" else above - self.margin

    @property
    def digits(self) -> int:
        """With how many decimals the two values, as they are shown, make the outcome visible: two, or more."""

        def agree(digits: int) -> bool:
            above = round(round(self.first.value, digits) - round(self.second.value, digits), digits)
            met = above <= 0 if self.kind == "unrelated" else above > 0 and above >= self.margin
            return met == self.met

        most = 3 if self.second.kind == "limit" else 6  # the limit is compared as it is known
        fewest = digits_apart(self.first.value, self.second.value, most=most)
        return next((digits for digits in range(fewest, most) if agree(digits)), most)

    @property
    def expected(self) -> str:
        """What the set expects in plain text, whatever came out: “A” is closer to “B” than to “C”."""
        texts = self.first.texts + (self.second.texts if self.kind == "closer" else ())
        return replace(self, met=True)._clause(partial(_quote, texts), values=False)

    @property
    def statement(self) -> str:
        """The outcome in plain text: “A” is closer to “B” (0.92) than to “C” (0.56), or should be."""
        return self.describe(partial(_quote, self.first.texts + self.second.texts))

    def describe(self, quote: Callable[[str], str]) -> str:
        """Return the outcome as a clause, with each text as `quote` writes it."""
        return self._clause(quote, values=True)

    @property
    def check(self) -> Check:
        """The claim in plain text, and whether it is met."""
        return Check(self.expected, self.statement, self.met, self.because)

    def _clause(self, quote: Callable[[str], str], *, values: bool) -> str:
        one, other = (f" ({number(side.value, self.digits)})" * values for side in (self.first, self.second))
        first, second = self.first.texts, self.second.texts
        no = " not" if self.kind == "unrelated" else ""
        singular, plural = (f"is{no}", f"are{no}") if self.met else 2 * (f"should{no} be",)
        short = not self.margin or (self.met and values)  # the values show by how much
        closer = "closer" if short else f"at least {self.margin:g} closer"
        if self.kind == "together":
            rival = f"those of {quote(second[-1])}" if values else "those of any other group"
            group = f"the sentences of {quote(first[0])} {plural} on average {closer} to each other"
            return f"{group}{one} than to {rival}{other}"
        if len(shared := set(first) & set(second)) == 1:
            (text,) = shared
            near, far = (quote(texts[texts[0] == text]) for texts in (first, second))
            rival = "any other sentence" if self.kind == "finds" and not values else far
            return f"{quote(text)} {singular} {closer} to {near}{one} than to {rival}{other}"
        than = " and ".join(map(quote, second)) or "99% of unrelated pairs"
        return f"{' and '.join(map(quote, first))}{one} {plural} {closer} than {than}{other}"


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
            return Check(
                expected, f"all {self.total} published values match ({source})", met=True, published=True
            )
        do = "does" if unmet == 1 else "do"
        statement = (
            f"{unmet} of {self.total} published values {do} not match: the largest difference is "
            f"{self.largest:.6f}, the tolerance {self.tolerance:g} ({source})"
        )
        return Check(expected, statement, met=False, published=True)


class RatedPair(NamedTuple):
    """A pair that people rated, by position counted from 0: its score, its similarity, and the rank of each.

    A rank is the share of the other rated pairs that are below, in percent; equal values share their mean rank.
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

    `spearman` is Spearman's rank correlation, from -1 to 1, and `interval` its 95% bootstrap interval. Both are None if
    all scores or all similarities are equal; the interval is also None if the pairs cannot give one. `disagreements`
    holds the pairs with the largest difference between the two ranks, the largest first.
    """

    count: int
    spearman: float | None
    interval: tuple[float, float] | None
    disagreements: tuple[RatedPair, ...]


def _quote(texts: Sequence[str], text: str) -> str:
    """Quote one of `texts`, cut; if it then looks like another one, with the place where they begin to differ."""
    cut, line = shorten(text, SHOWN_LENGTH), " ".join(text.split())
    twins = [other for other in texts if other != text and shorten(other, SHOWN_LENGTH) == cut]
    if not twins:
        return quoted(cut)
    pairs = (zip(line, " ".join(other.split()), strict=False) for other in twins)
    same = max(len(list(takewhile(lambda pair: pair[0] == pair[1], each))) for each in pairs)
    return quoted(f"{line[:HEAD].rstrip()}... {shorten(line[max(HEAD, same - HEAD) :], SHOWN_LENGTH - HEAD)}")
