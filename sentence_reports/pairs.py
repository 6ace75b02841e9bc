"""The pairs of a similarity matrix, each once, in order, and by group. Shared by pictures, lesson, summary and page."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
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

    def above(self, limit: float) -> list[Pair]:
        """The pairs with a similarity greater than `limit`, in the order of the set."""
        return self._named(np.flatnonzero(self._values > limit))

    def _named(self, places: NDArray[np.integer]) -> list[Pair]:
        return [Pair(int(self._rows[k]), int(self._columns[k]), float(self._values[k])) for k in places]


def group_means(matrix: NDArray[np.floating], groups: Sequence[str]) -> pd.DataFrame:
    """The mean similarity of the pairs within each group and between each two, with the groups as index and columns.

    `matrix` is `(n, n)`, `groups` names the group of each sentence. No sentence is paired with itself: a group of
    one has nan on the diagonal.
    """
    member = pd.get_dummies(pd.Series(groups), dtype=float)[list(dict.fromkeys(groups))]
    sizes = member.sum().to_numpy()
    total = member.T.to_numpy() @ matrix @ member.to_numpy()
    count = np.outer(sizes, sizes)
    total[np.diag_indices_from(total)] -= member.T.to_numpy() @ np.diag(matrix)
    count[np.diag_indices_from(count)] -= sizes
    means = np.divide(total, count, out=np.full_like(count, np.nan), where=count > 0)
    return pd.DataFrame(means, index=member.columns, columns=member.columns)
