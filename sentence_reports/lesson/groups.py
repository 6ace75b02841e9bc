"""Mean similarities within and between the groups of a set."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sentence_reports.facts import Baseline
from sentence_reports.texts import number

NO_PAIR = "–"


def means_to_groups(matrix: NDArray[np.floating], groups: Sequence[str]) -> pd.DataFrame:
    """Return the mean similarity of each sentence to the other sentences of each group.

    `matrix` is `(n, n)`, `groups` names the group of each sentence. The result has a row per sentence, whose index is
    its group, and a column per group; the only sentence of a group has nan in its own.
    """
    names = list(dict.fromkeys(groups))
    members = np.array([[group == name for name in names] for group in groups], dtype=float)
    sizes = members.sum(axis=0) - members
    sums = (matrix - np.diag(matrix.diagonal())) @ members
    return pd.DataFrame(sums / np.where(sizes > 0, sizes, np.nan), list(groups), names)


def group_means(matrix: NDArray[np.floating], groups: Sequence[str]) -> pd.DataFrame:
    """Return the mean similarity of the pairs within each group and between each pair of groups.

    `matrix` is `(n, n)`, `groups` names the group of each sentence; the names are index and columns of the result.
    A sentence is never paired with itself: a group of one has nan on the diagonal.
    """
    return means_to_groups(matrix, groups).groupby(level=0, sort=False).mean()


def corrected_means(matrix: NDArray[np.floating], groups: Sequence[str], baseline: Baseline) -> pd.DataFrame:
    """Return `group_means` on the chance-corrected scale, as texts of two decimals.

    A group of one sentence, which has no pair, has a dash on the diagonal.
    """
    return group_means(matrix, groups).map(
        lambda mean: NO_PAIR if np.isnan(mean) else number(baseline.corrected(mean), 2)
    )


def compare_groups(matrix: NDArray[np.floating], groups: Sequence[str] | None, baseline: Baseline) -> str:
    """Return a sentence that compares the mean similarity within groups with that between groups.

    `matrix` is `(n, n)`, `groups` names the group of each sentence. The means are on the chance-corrected scale.
    """
    if not groups:
        return "This set has no groups."
    first, second = np.triu_indices(len(groups), k=1)
    group, values = np.array(groups), matrix[first, second]
    same = group[first] == group[second]
    if not same.any():
        return "Each group has one sentence, so there is no pair within a group."

    def mean(some: NDArray[np.bool_]) -> str:
        return number(baseline.corrected(float(values[some].mean(dtype=float))), 2)

    within = f"Sentences in the same group average {mean(same)}"
    if same.all():
        return f"{within}. There is only one group."
    sizes = pd.Series(groups).value_counts()
    alone = f" ({NO_PAIR}: one sentence, so no pair.)" if sizes.min() == 1 else ""
    return f"{within}, sentences in different groups {mean(~same)}.{alone}"
