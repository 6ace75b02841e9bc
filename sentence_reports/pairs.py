"""The pairs of a similarity matrix, each once, in order. Shared by pictures, summary and page."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Pair(NamedTuple):
    """Two sentences by their place in the set, counted from 0, `first` before `second`, and their similarity."""

    first: int
    second: int
    similarity: float


class Pairs:
    """All n·(n-1)/2 pairs of an `(n, n)` similarity matrix, from the closest to the farthest.

    Pairs of equal similarity stay in the order of the set. Behaves as a sequence of `Pair`.
    """

    def __init__(self, matrix: NDArray[np.floating]) -> None:
        rows, columns = np.triu_indices(len(matrix), k=1)
        values = matrix[rows, columns]
        order = np.argsort(-values, kind="stable")
        self._first, self._second, self._values = rows[order], columns[order], values[order]

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, k: int) -> Pair:
        return Pair(int(self._first[k]), int(self._second[k]), float(self._values[k]))

    def above(self, limit: float) -> list[Pair]:
        """The pairs with a similarity greater than `limit`."""
        return [self[k] for k in range(int(np.count_nonzero(self._values > limit)))]
