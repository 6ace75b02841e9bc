"""The rankings of a search: the sentences of each query, the best first, for notebook, summary, table and page."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.facts import Baseline, Pair

RELATED = 99.0
"""The percentile from which a similarity is above chance: closer than 99% of unrelated pairs."""


class Match(NamedTuple):
    """A sentence in the ranking of a query.

    `sentence` is its position, counted from 0; `percentile`, 0 to 100, says how many of the unrelated pairs are less
    similar; `margin` is how much more similar it is than the next one, None for the last.
    """

    sentence: int
    similarity: float
    percentile: float
    margin: float | None

    @property
    def related(self) -> bool:
        """Whether the similarity is above chance."""
        return self.percentile >= RELATED


def rankings(matrix: NDArray[np.floating], baseline: Baseline, count: int | None = None) -> list[list[Match]]:
    """Return for each query its `count` best sentences, or all, the best first; ties are in the order of the set.

    `matrix` holds the `(q, n)` similarities of queries and sentences.
    """
    return [_ranking(row, baseline, count) for row in matrix.astype(float)]


def _ranking(row: NDArray[np.float64], baseline: Baseline, count: int | None) -> list[Match]:
    end = len(row) if count is None else count + 1  # the last one's margin is to the next
    order = np.argsort(-row, kind="stable")[:end].tolist()
    values = row[order].tolist()
    margins = [*(one - other for one, other in pairwise(values)), None]
    best = zip(order[:count], values, margins, strict=False)
    return [Match(k, value, baseline.percentile(value), margin) for k, value, margin in best]


def best_match(matrix: NDArray[np.floating]) -> Pair:
    """Return the query and the sentence with the largest of the `(q, n)` similarities, and that similarity."""
    query, sentence = np.unravel_index(matrix.argmax(), matrix.shape)
    return Pair(int(query), int(sentence), float(matrix[query, sentence]))


def without_match(ranked: list[list[Match]]) -> list[int]:
    """Return the positions of the queries whose best sentence is not above chance."""
    return [query for query, matches in enumerate(ranked) if not matches[0].related]


def never_found(ranked: list[list[Match]], count: int) -> list[int]:
    """Return which of the `count` sentences are not the best of any query that finds one above chance."""
    best = {matches[0].sentence for matches in ranked if matches[0].related}
    return [k for k in range(count) if k not in best]


def found_by_chance(count: int) -> float:
    """Return the share of unrelated queries that find one of `count` sentences above chance: ``1 - 0.99 ** count``.

    Each sentence is above chance for 1% of them; that they are independent is an approximation.
    """
    return 1 - (RELATED / 100) ** count
