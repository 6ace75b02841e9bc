"""The order in which heatmaps show the sentences of a set, and the means of its blocks."""

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from sentence_reports.facts import EQUAL
from sentence_reports.lesson.groups import means_to_groups
from sentence_reports.overview import Blocks

GIVEN_UP_TO = 20  # sentences; of more, a reader no longer sees which rows are similar
OPTIMAL_UP_TO = 500  # sentences: 0.4 s; the time grows with the third power, 1,000 take 3 s
MOST_BLOCKS = 60  # groups; of more, the rows are cut into parts instead
MOST_PARTS = 20  # two lines of text for each still fit on a screen
MEAN_DECIMALS = 4


def similarity_order(matrix: NDArray[np.floating]) -> list[int]:
    """Return the positions of `n` sentences so that similar ones are next to each other.

    `matrix` holds the `(n, n)` similarities. It is the order of the leaves of an average-linkage tree: the one with
    the most similar neighbors that the tree allows, up to `OPTIMAL_UP_TO` sentences.
    """
    if len(matrix) < 2:
        return list(range(len(matrix)))
    distances = squareform((1 - matrix.astype(float)).round(EQUAL), checks=False)
    tree = linkage(distances, "average")
    if len(matrix) <= OPTIMAL_UP_TO:
        tree = optimal_leaf_ordering(tree, distances)
    order: list[int] = leaves_list(tree).tolist()
    return order


def row_order(
    matrix: NDArray[np.floating],
    groups: Sequence[str] | None = None,
    order: Literal["given", "similarity"] | None = None,
) -> list[int]:
    """Return the positions of `n` sentences in the order in which a heatmap shows them.

    `matrix` holds the `(n, n)` similarities, `groups` one name per sentence. By similarity, groups stay where they
    are, and the sentences within each are ordered. If `order` is None, it is by similarity for more than
    `GIVEN_UP_TO` sentences without groups.
    """
    positions = list(range(len(matrix)))
    if order is None:
        order = "similarity" if len(matrix) > GIVEN_UP_TO and not groups else "given"
    if order == "given":
        return positions
    members = [list(run) for _, run in groupby(positions, key=lambda k: groups[k] if groups else None)]
    return [run[k] for run in members for k in similarity_order(matrix[np.ix_(run, run)])]


def blocks(matrix: NDArray[np.floating], order: Sequence[int], groups: Sequence[str] | None = None) -> Blocks:
    """Return the mean similarities of blocks of `n` sentences, in the order in which a heatmap shows them.

    `matrix` holds the `(n, n)` similarities, `order` the positions of the rows as they are shown (`row_order`),
    `groups` one name per sentence. The blocks are the groups, from two to `MOST_BLOCKS`, else equal parts of the
    rows: about as many as each has sentences, but at most `MOST_PARTS`.
    """
    names, block_of = list(dict.fromkeys(groups or ())), list(groups or ())
    grouped = 2 <= len(names) <= MOST_BLOCKS
    if not grouped:
        count = min(MOST_PARTS, round(len(order) ** 0.5))
        parts = {
            k: str(part) for part, some in enumerate(np.array_split(order, count)) for k in some.tolist()
        }
        names, block_of = [str(k) for k in range(count)], [parts[k] for k in range(len(order))]
    members = [[k for k in order if block_of[k] == name] for name in names]
    similar = means_to_groups(matrix, block_of)[names]
    means = similar.groupby(level=0).mean().loc[names].round(MEAN_DECIMALS)
    return Blocks(
        names=tuple(names) if grouped else None,
        sizes=tuple(map(len, members)),
        central=tuple(
            some[int(column[some].argmax())]
            for some, column in zip(members, similar.to_numpy().T, strict=True)
        ),
        means=tuple(
            tuple(None if np.isnan(mean) else mean for mean in row) for row in means.to_numpy().tolist()
        ),
    )
