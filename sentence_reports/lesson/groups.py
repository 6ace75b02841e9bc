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
    member = pd.get_dummies(pd.Series(groups), dtype=float)[list(dict.fromkeys(groups))]
    sizes = member.sum().to_numpy()
    total = member.T.to_numpy() @ matrix @ member.to_numpy()
    count = np.outer(sizes, sizes)
    total[np.diag_indices_from(total)] -= member.T.to_numpy() @ np.diag(matrix)
    count[np.diag_indices_from(count)] -= sizes
    means = np.divide(total, count, out=np.full_like(count, np.nan), where=count > 0)
    return pd.DataFrame(means, index=member.columns, columns=member.columns)


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
