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
    """All n·(n-1)/2 pairs of an `(n, n)` similarity matrix; of equal ones the first in the set comes first."""

    def __init__(self, matrix: NDArray[np.floating]) -> None:
        self._rows, self._columns = np.triu_indices(len(matrix), k=1)
        self._values = matrix[self._rows, self._columns]

    def __len__(self) -> int:
        return len(self._values)

    def closest(self, count: int) -> list[Pair]:
        """The `count` most alike pairs, the closest first."""
        return self._named(np.argsort(-self._values, kind="stable")[:count])

    def farthest(self, count: int) -> list[Pair]:
        """The `count` least alike pairs, the farthest first."""
        return self._named(np.argsort(self._values, kind="stable")[:count])

    def above(self, limit: float, count: int) -> tuple[list[Pair], int]:
        """The first `count` pairs, in the order of the set, with a similarity above `limit`; and how many there are."""
        found = np.flatnonzero(self._values > limit)
        return self._named(found[:count]), len(found)

    def _named(self, places: NDArray[np.integer]) -> list[Pair]:
        return [Pair(int(self._rows[k]), int(self._columns[k]), float(self._values[k])) for k in places]
