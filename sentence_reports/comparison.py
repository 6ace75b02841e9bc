"""The numbers of a comparison of models: ranks of pairs, how well they agree, nearest neighbors, and what moved most.

Models differ in scale, so nothing here compares the similarities of two models as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.facts import DIGITS, EQUAL, STEPS, Baseline
from sentence_reports.overview import Neighbors, unpack

if TYPE_CHECKING:
    from sentence_reports.summary import ComparisonSummary

ALL_PAIRS_UP_TO = 500
"""Sentences; of more, only the pairs that `kept_pairs` returns are kept."""
NEIGHBORS = 10
"""How many of the nearest neighbors of each sentence are kept then."""
SHARED = (1, 3, 5)
"""For how many nearest neighbors two models are compared."""
TRIALS = 500
FEWEST_TRIALS = 20  # of 3,000 sentences, for which they cost 30 ms each and stay close to 0
SHUFFLED_CELLS = 20_000_000  # cells of a matrix that all trials may move


def upper(matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the values of all pairs of an `(n, n)` matrix, `(m,)`: the upper triangle, row by row."""
    pairs: NDArray[np.floating] = matrix[np.tri(len(matrix), k=-1, dtype=bool).T]
    return pairs


def rank_pairs(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the rank of each of the `(m,)` similarities: 1 for the largest; equal ones share the mean of their ranks.

    Those that are equal to `EQUAL` decimals count as equal: float32 cannot tell them apart. So there are few distinct
    ones, and counting them is faster than sorting.
    """
    levels = np.rint(np.asarray(values) * 10**EQUAL).astype(np.intp)
    levels -= levels.min(initial=0)
    counts = np.bincount(levels)
    larger = counts[::-1].cumsum()[::-1] - counts
    ranks: NDArray[np.float32] = (larger + (counts + 1) / 2).astype(np.float32)[levels]
    return ranks


def spearman(one: NDArray[np.floating], other: NDArray[np.floating]) -> float | None:
    """Return Spearman's rank correlation, from -1 to 1, of two columns of `rank_pairs`, `(m,)` each.

    It is Pearson's correlation of the ranks. None for fewer than two, or if all of a column are equal.
    """
    if len(one) < 2 or not np.ptp(one) or not np.ptp(other):
        return None
    x, y = (column - column.mean() for column in (one.astype(float), other.astype(float)))
    return round(float(x @ y / np.sqrt((x @ x) * (y @ y))), EQUAL)


def square(values: NDArray[np.floating], n: int) -> NDArray[np.floating]:
    """Return the symmetric `(n, n)` matrix whose upper triangle holds the `(m,)` values; its diagonal is 0."""
    matrix = np.zeros((n, n), dtype=values.dtype)
    matrix[np.triu_indices(n, k=1)] = values
    return matrix + matrix.T


def shuffled(statistic: Callable[[NDArray[np.integer]], float], n: int) -> float:
    """Return what 95% of trials with shuffled sentences do not exceed, the same in every run.

    `statistic` compares two models after the `n` sentences of one are put in the order of a permutation of their
    positions, `(n,)`. There are `TRIALS` trials, fewer for a large set.
    """
    trials = min(TRIALS, max(FEWEST_TRIALS, SHUFFLED_CELLS // n**2))
    generator = np.random.default_rng(0)
    values = [statistic(generator.permutation(n)) for _ in range(trials)]
    return round(float(np.quantile(values, 0.95)), EQUAL)


def spearman_by_chance(one: NDArray[np.floating], other: NDArray[np.floating], n: int) -> float | None:
    """Return what `spearman` does not exceed in 95% of trials with shuffled sentences.

    `one` and `other` hold the `rank_pairs` of all pairs of `n` sentences, `(m,)` each. None if there is no correlation.
    """
    if spearman(one, other) is None:
        return None
    units = []
    for column in (one, other):
        centered = column - column.mean(dtype=float)
        units.append(square((centered / np.linalg.norm(centered)).astype(np.float32), n))
    return shuffled(lambda order: float(np.vdot(units[0], units[1].take(order, 0).take(order, 1))) / 2, n)


def nearest(matrix: NDArray[np.floating], count: int = NEIGHBORS) -> NDArray[np.integer]:
    """Return the positions of the `count` nearest neighbors of each sentence, or of all others, the nearest first.

    `matrix` holds the `(n, n)` similarities; the result is `(n, count)`. Equal ones are in the order of the set.
    """
    return Neighbors.of(np.round(matrix, EQUAL), count).positions.astype(np.intp)


def shared_neighbors(one: NDArray[np.integer], other: NDArray[np.integer], k: int) -> float:
    """Return which share of the `k` nearest neighbors of a sentence two models have in common on average, 0 to 1.

    `one` and `other` are the tables that `nearest` returns for each model, `(n, k)` or wider.
    """
    common = (one[:, :k, None] == other[:, None, :k]).sum()
    return round(float(common / (len(one) * k)), EQUAL)


def shared_by_chance(one: NDArray[np.integer], other: NDArray[np.integer], k: int) -> float:
    """Return what `shared_neighbors` does not exceed in 95% of trials with shuffled sentences."""

    def trial(order: NDArray[np.integer]) -> float:
        moved = np.empty_like(other)
        moved[order] = order[other]
        return shared_neighbors(one, moved, k)

    return shuffled(trial, len(one))


def kept_pairs(
    tables: Sequence[NDArray[np.integer]], named: Iterable[tuple[int, int]] = ()
) -> NDArray[np.integer] | None:
    """Return the pairs that a summary keeps, `(m, 2)` in the order of the set; None if it keeps all.

    Above `ALL_PAIRS_UP_TO` sentences these are the pairs of each sentence with its nearest neighbors in each model
    (`tables` holds what `nearest` returns for each), and the `named` pairs: those that people rated, and those that
    claims are about.
    """
    n, count = tables[0].shape
    if n <= ALL_PAIRS_UP_TO:
        return None
    firsts = np.repeat(np.arange(n), count)
    pairs = [np.column_stack([firsts, table.ravel()]) for table in tables]
    pairs.append(np.array(list(named), dtype=np.intp).reshape(-1, 2))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def percentiles(values: NDArray[np.floating], baseline: Baseline) -> NDArray[np.floating]:
    """Return `baseline.percentile` of each of the `(m,)` similarities."""
    passed = np.searchsorted(baseline.quantiles, np.round(values.astype(float), DIGITS), side="left")
    return np.where(passed > STEPS, 100.0, 100 * np.maximum(passed - 1, 0) / STEPS)


class RankGap(NamedTuple):
    """A pair whose ranks differ between two models: `row` is its position among the kept pairs.

    `first` and `second` are its sentences, counted from 0. `near` is the position of the model that ranks it closest,
    `far` of the one that ranks it farthest; `share` is the difference of these ranks as a share of all pairs.
    """

    row: int
    first: int
    second: int
    near: int
    far: int
    share: float


class Compared:
    """The numbers of a `ComparisonSummary`, unpacked.

    Its `columns` are the models that ran, `n` the number of sentences, `total` that of all their pairs, `m` that of
    the pairs that are kept.
    """

    def __init__(self, summary: ComparisonSummary) -> None:
        self.columns = summary.columns
        self.n = len(summary.sentences)
        self.total = self.n * (self.n - 1) // 2
        self._packed = summary.pairs

    @cached_property
    def pairs(self) -> NDArray[np.integer]:
        """The positions of the two sentences of each kept pair, `(m, 2)`, the first before the second."""
        if self._packed is None:
            return np.column_stack(np.triu_indices(self.n, k=1))
        return unpack(self._packed, "<u4").reshape(-1, 2).astype(np.intp)

    @cached_property
    def similarities(self) -> NDArray[np.float32]:
        """The cosine similarities, one row for each model, `(c, m)`."""
        return np.stack([unpack(column.similarities) for column in self.columns])

    @cached_property
    def corrected(self) -> NDArray[np.floating]:
        """The chance-corrected similarities, one row for each model, `(c, m)`."""
        rows = zip(self.columns, self.similarities.astype(float), strict=True)
        return np.stack([column.baseline.corrected(row) + np.zeros_like(row) for column, row in rows])

    @cached_property
    def percentiles(self) -> NDArray[np.floating]:
        """The percentiles among the unrelated pairs of each model, 0 to 100, `(c, m)`."""
        rows = zip(self.columns, self.similarities, strict=True)
        return np.stack([percentiles(row, column.baseline) for column, row in rows])

    @cached_property
    def ranks(self) -> NDArray[np.float32]:
        """The ranks among all pairs of the set, 1 for the closest, one row for each model, `(c, m)`."""
        return np.stack([unpack(column.ranks) for column in self.columns])

    @cached_property
    def nearest(self) -> NDArray[np.integer]:
        """The position of the nearest neighbor of each sentence, one row for each model, `(c, n)`."""
        firsts, seconds = np.concatenate([self.pairs, self.pairs[:, ::-1]]).T
        tables = []
        for row in self.ranks:
            order = np.lexsort((seconds, np.concatenate([row, row]), firsts))
            _, starts = np.unique(firsts[order], return_index=True)
            tables.append(seconds[order][starts])
        return np.stack(tables)

    def matrix(self, column: int) -> NDArray[np.floating]:
        """Return the chance-corrected similarities of a model, `(n, n)`, with 1 on the diagonal.

        Raises ValueError if the set is so large that not all pairs are kept.
        """
        if self._packed is not None:
            raise ValueError(f"not all pairs of {self.n:,} sentences are kept")
        return square(self.corrected[column], self.n) + np.eye(self.n)

    def rank_gaps(self, count: int) -> list[RankGap]:
        """Return up to `count` pairs whose ranks differ most between any two models, the largest difference first.

        A pair of which all models say the same is not among them. Equal ones are in the order of the set.
        """
        spread = np.ptp(self.ranks, axis=0)
        near, far = self.ranks.argmin(axis=0).tolist(), self.ranks.argmax(axis=0).tolist()
        largest = np.argsort(-spread, kind="stable")[:count].tolist()
        pairs = self.pairs.tolist()
        return [
            RankGap(k, pairs[k][0], pairs[k][1], near[k], far[k], float(spread[k]) / self.total)
            for k in largest
            if spread[k]
        ]
