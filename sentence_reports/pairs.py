"""The pairs of a similarity matrix, in order, for pictures, summary and page."""

import numpy as np
from numpy.typing import NDArray

from sentence_reports.facts import DIGITS, Baseline, Pair


class Pairs:
    """All n·(n-1)/2 pairs of an `(n, n)` similarity matrix, each once; equal ones are in the order of the set."""

    def __init__(self, matrix: NDArray[np.floating]) -> None:
        self._values = matrix[np.tri(len(matrix), k=-1, dtype=bool).T]
        # The starts of the pairs of each sentence but the first.
        self._starts = np.arange(len(matrix) - 1, 0, -1).cumsum()

    def __len__(self) -> int:
        return len(self._values)

    def closest(self, count: int) -> list[Pair]:
        """Return the `count` most similar pairs, the closest first."""
        return self._at(_largest(self._values, count))

    def farthest(self, count: int) -> list[Pair]:
        """Return the `count` least similar pairs, the farthest first."""
        return self._at(_largest(-self._values, count))

    def above(self, limit: float, count: int) -> tuple[list[Pair], int]:
        """Return the first `count` pairs above `limit` in the order of the set, and the number of all of them."""
        above = np.flatnonzero(self._values > limit)
        return self._at(above[:count]), len(above)

    def related(self, baseline: Baseline) -> int:
        """Return how many pairs are closer than 99% of unrelated pairs."""
        return int((self._values.astype(float).round(DIGITS) > baseline.rare).sum())

    def _at(self, positions: NDArray[np.integer]) -> list[Pair]:
        rows = np.searchsorted(self._starts, positions, side="right")
        columns = positions - np.r_[0, self._starts][rows] + rows + 1
        values = self._values[positions]
        return [Pair(*pair) for pair in zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True)]


def _largest(values: NDArray[np.floating], count: int) -> NDArray[np.integer]:
    """The positions of the `count` largest values, the largest first; equal ones are in their order."""
    candidates = np.arange(len(values))
    if count < len(values):  # to sort millions for the sake of ten would take seconds
        candidates = np.flatnonzero(values >= np.partition(values, -count)[-count])
    return candidates[np.argsort(-values[candidates], kind="stable")[:count]]
