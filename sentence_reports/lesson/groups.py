"""Mean similarities within and between the groups of a set."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def group_means(matrix: NDArray[np.floating], groups: Sequence[str]) -> pd.DataFrame:
    """Return the mean similarity of the pairs within each group and between each pair of groups.

    `matrix` is `(n, n)`, `groups` names the group of each sentence; the names are index and columns of the result.
    A sentence is never paired with itself: a group of one has nan on the diagonal.
    """
    names = list(groups)
    pairs = pd.DataFrame(matrix, names, names, dtype=float).mask(np.eye(len(groups), dtype=bool))

    def total(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.groupby(level=0, sort=False).sum().T.groupby(level=0, sort=False).sum()

    return total(pairs) / total(pairs.notna())


def compare_groups(matrix: NDArray[np.floating], groups: Sequence[str]) -> str:
    """Return a sentence that compares the mean similarity within groups with that between groups.

    `matrix` is `(n, n)`, `groups` names the group of each sentence.
    """
    first, second = np.triu_indices(len(groups), k=1)
    group, values = np.array(groups), matrix[first, second]
    same = group[first] == group[second]
    if not same.any():
        return "Each group has one sentence, so there is no pair within a group."
    within = f"Sentences in the same group average {values[same].mean():.3f}"
    if same.all():
        return f"{within}. There is only one group."
    between, gap = values[~same].mean(), values[same].mean() - values[~same].mean()
    alone = " (NaN: a group of one sentence has no pair.)" if min(Counter(groups).values()) == 1 else ""
    return f"{within}; sentences in different groups {between:.3f}. The difference is {gap:.3f}.{alone}"
