"""Topics: communities of the graph that joins each text to its nearest neighbors, found by the Leiden algorithm.

The weight of an edge is the chance-corrected similarity, twice that if both texts are among each other's neighbors;
texts that are not above chance are not joined.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import graspologic_native
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sentence_reports.collection.exact import dot_products, similarities, tiles
from sentence_reports.collection.names import names, topic_words
from sentence_reports.collection.neighbors import Nearest
from sentence_reports.facts import EQUAL, Baseline

FEWEST, MOST = 5, 100  # topics that are aimed at
NEAR = 1.25  # times more or less than aimed at is near enough
ATTEMPTS = 8
STEP = 4.0  # times, from one resolution to the next at most
SEED = 0
CENTRAL = 5
DIFFERENT = 0.9  # central texts are less similar than this, so that they are not one text five times


@dataclass(frozen=True)
class Topic:
    """A topic: the positions of its most `central` texts (closest to the mean of its vectors) and its numbers.

    `words` are the most telling ones, `name` the first of them; both are empty if no word is in two of its texts.
    `share` is that of all texts, 0 to 1. `spread` is 0 if all of its texts are the same and 1 if two of them are on
    average no more similar than chance: 1 minus the chance-corrected mean similarity of all its pairs.
    """

    name: str
    words: tuple[str, ...]
    size: int
    share: float
    spread: float
    central: tuple[int, ...]


@dataclass(frozen=True)
class Topics:
    """The topics of `n` texts, the largest first (equal ones in the order of their first texts).

    ``of[p]`` is the topic of the text at `p`, counted from 0; -1 if it has none: it is in a community of fewer than
    `least` texts, of which there are `small`. `resolution` is that of Leiden; `aim` the number of topics that it was
    chosen for, None if it was given. `stop_words` says which language's are missing in the names, None for none.
    """

    topics: tuple[Topic, ...]
    of: NDArray[np.int32]
    resolution: float
    aim: int | None
    least: int
    small: int
    stop_words: str | None

    @property
    def unassigned(self) -> int:
        """How many texts have no topic."""
        return int((self.of < 0).sum())

    def candidates(self) -> Iterator[int]:
        """Yield the central texts as candidates for `find_representatives`: the first of each topic, the second …"""
        for rank in range(CENTRAL):
            yield from (topic.central[rank] for topic in self.topics if rank < len(topic.central))


def find_topics(
    nearest: Nearest,
    vectors: NDArray[np.float32],
    texts: Sequence[str],
    baseline: Baseline,
    *,
    resolution: float | None = None,
    weights: NDArray[np.floating] | None = None,
) -> Topics:
    """Return the topics of `n` texts with their vectors, `(n, d)`, and nearest neighbors.

    Without a `resolution`, one is looked for that gives about the square root of `n` topics, from `FEWEST` to `MOST`.
    In the names of topics, a text counts as its weight among the `weights`, `(n,)`, or as one.
    """
    n = len(texts)
    graph = neighbor_graph(nearest, baseline)
    least = least_size(n)
    aim = min(max(round(n**0.5), FEWEST), MOST) if resolution is None else None
    chosen_resolution, labels = (
        choose_resolution(graph, least, aim) if aim else (resolution or 1.0, communities(graph, resolution))
    )
    of, count, small = numbered(labels, least)
    words, stop_words = topic_words(texts, of, count, weights)
    order = np.argsort(of, kind="stable")
    ends = np.searchsorted(of[order], np.arange(count + 1))
    topics = tuple(
        _describe(name, some, order[start:end], vectors, baseline)
        for name, some, start, end in zip(names(words), words, ends, ends[1:], strict=False)
    )
    return Topics(topics, of, chosen_resolution, aim, least, small, stop_words)


def least_size(n: int) -> int:
    """Return how many texts make a topic: 3, or one in 2,000 of many texts."""
    return max(3, n // 2000)


def neighbor_graph(nearest: Nearest, baseline: Baseline) -> sparse.csr_array:
    """Return the symmetric `(n, n)` graph of the nearest neighbors, of at most ``2 * n * k`` edges."""
    n, k = nearest.positions.shape
    values: Any = nearest.similarities.astype(np.float64)
    weights, columns = (
        (np.zeros((n, k)) + baseline.corrected(values)).clip(0).ravel(),
        nearest.positions.astype(np.int32).ravel(),
    )
    one_way = sparse.csr_array((weights, columns, k * np.arange(n + 1)), shape=(n, n))
    graph = sparse.csr_array(one_way + one_way.T)
    graph.eliminate_zeros()
    graph.sort_indices()
    return graph


def communities(graph: sparse.csr_array, resolution: float | None) -> NDArray[np.intp]:
    """Return the number of the community of each of the `n` texts in a symmetric `(n, n)` graph, `(n,)`."""
    n = graph.shape[0]
    if not graph.nnz:
        return np.arange(n)
    _, partition = graspologic_native.leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data,
        n,
        resolution=resolution or 1.0,
        seed=SEED,
    )
    return np.fromiter(
        (partition.get(position, -1 - position) for position in range(n)), dtype=np.intp, count=n
    )


def choose_resolution(graph: sparse.csr_array, least: int, aim: int) -> tuple[float, NDArray[np.intp]]:
    """Return a resolution that gives about `aim` communities of at least so many texts, and the communities, `(n,)`.

    The number grows with the resolution, roughly in proportion, so a few attempts are enough.
    """
    best: tuple[float, float, NDArray[np.intp]] | None = None
    resolution = 1.0
    for _ in range(ATTEMPTS):
        labels = communities(graph, resolution)
        count = max(1, numbered(labels, least)[1])
        miss = max(aim / count, count / aim) + (count > MOST)  # more than can be read is worse than too few
        if best is None or miss < best[0]:
            best = miss, resolution, labels
        if miss <= NEAR:
            break
        resolution = round(resolution * min(max(aim / count, 1 / STEP), STEP), 4)
    assert best
    return best[1], best[2]


def numbered(labels: NDArray[np.integer], least: int) -> tuple[NDArray[np.int32], int, int]:
    """Return the communities of at least so many texts numbered by size, their number, and how many are smaller.

    `labels` is `(n,)`, as is the first result, in which the texts of smaller communities have -1.
    """
    _, first, inverse, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    count = int((sizes >= least).sum())
    number = np.full(len(sizes), -1, dtype=np.int32)
    number[order[:count]] = np.arange(count)
    return number[inverse], count, len(sizes) - count


def _describe(
    name: str,
    words: tuple[str, ...],
    members: NDArray[np.integer],
    vectors: NDArray[np.float32],
    baseline: Baseline,
) -> Topic:
    size = len(members)
    total = sum_of(vectors, members)
    itself = float(similarities(vectors, members, members).sum(dtype=np.float64))
    mean = (float((total * total).sum()) - itself) / (size * (size - 1))
    center = (total / np.linalg.norm(total)).astype(np.float32)
    closeness = np.concatenate([dot_products(tile, center) for tile in tiles(vectors[members])]).round(EQUAL)
    chosen: list[int] = []
    for position in members[np.argsort(-closeness, kind="stable")][: 10 * CENTRAL]:
        others = np.array(chosen, dtype=np.intp)
        if (similarities(vectors, others, np.full_like(others, position)) < DIFFERENT).all():
            chosen.append(int(position))
    spread = round(1 - baseline.corrected(mean), EQUAL)
    return Topic(name, words, size, size / len(vectors), spread, tuple(chosen[:CENTRAL]))


def sum_of(vectors: NDArray[np.float32], rows: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the sum of some rows of the vectors, `(d,)`."""
    parts = [tile.sum(axis=0, dtype=np.float64) for tile in tiles(vectors[rows])]
    return np.asarray(np.sum(parts, axis=0))
