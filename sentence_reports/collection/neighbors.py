"""The nearest neighbors of each text of a collection: exact, in a memory that grows with the number of texts.

The product of all vectors with all is taken in square tiles, of which only the best candidates are kept; a tile serves
its rows and its columns. The result is the same bits for any size of tiles and number of threads, see `exact`.
A million texts of 256 dimensions need a hundred times the time of 100,000 (over an hour on two cores) and 2 GB.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from sentence_reports.collection.best import NOBODY, Best
from sentence_reports.collection.exact import error_bound, similarities

NEIGHBORS = 10
VERSION = 1  # another one if other bits come out for the same vectors
TILE = 2048  # rows; a tile of the product takes 16 MB
FEW = 4  # more than one in so many rows changed: a whole pass, which uses each product twice, takes no longer

Progress = Callable[[int, int], None]
"""Called with the number of tiles that are done, and of all."""


@dataclass(frozen=True)
class Nearest:
    """The nearest neighbors of `n` texts, `k` of each (all others if there are fewer), the nearest first.

    `positions` is `(n, k)` uint32, counted from 0; `similarities` is `(n, k)` float32. Equal ones are in the order of
    their positions.
    """

    positions: NDArray[np.uint32]
    similarities: NDArray[np.float32]


def nearest(
    vectors: NDArray[np.float32], k: int = NEIGHBORS, *, tile: int = TILE, progress: Progress | None = None
) -> Nearest:
    """Return the `k` nearest neighbors of each of the `vectors`, `(n, d)` float32 of unit length.

    A text is never its own neighbor, but texts with equal vectors are neighbors. Raises ValueError if the vectors are
    not such an array, or not finite.
    """
    check(vectors)
    return search(vectors, np.arange(len(vectors)), k, tile=tile, progress=progress)


def search(
    vectors: NDArray[np.float32],
    rows: NDArray[np.integer],
    k: int = NEIGHBORS,
    *,
    tile: int = TILE,
    progress: Progress | None = None,
) -> Nearest:
    """Return the neighbors of some rows, `(r,)` ascending, among all `vectors`, bit for bit as `nearest` does.

    Equal vectors are searched for once: thousands of them would be so many ties for each other.
    """
    k = min(k, len(vectors) - 1)
    if k < 1:
        empty = np.empty((len(rows), 0))
        return Nearest(empty.astype(np.uint32), empty.astype(np.float32))
    copies = Copies(vectors)
    distinct = vectors[copies.first] if len(copies.first) < len(vectors) else vectors
    wanted, row_of = np.unique(copies.of[rows], return_inverse=True)
    width = min(k, len(distinct) - 1)
    if not width:  # all are equal
        nothing = np.empty((len(rows), 0))
        return copies.expand(distinct, rows, k, nothing.astype(np.uint32), nothing.astype(np.float32))
    best = Best(distinct, width)
    numbers = np.arange(len(distinct))
    parts = [numbers[start : start + tile] for start in range(0, len(distinct), tile)]
    if len(wanted) == len(distinct):
        blocks = [(part, part) for part in parts]
        blocks += [(one, other) for at, one in enumerate(parts) for other in parts[at + 1 :]]
    else:
        asking = [wanted[start : start + tile] for start in range(0, len(wanted), tile)]
        blocks = [(one, other) for one in asking for other in parts]
    for done, (one, other) in enumerate(blocks, start=1):
        block = distinct[one] @ distinct[other[0] : other[-1] + 1].T
        twice = len(wanted) == len(distinct) and one is not other
        (best.offer_both if twice else best.offer)(one, other, block)
        if progress:
            progress(done, len(blocks))
    positions, values = best.resolve(wanted)
    if len(distinct) == len(vectors):
        return Nearest(positions[row_of], values[row_of])
    return copies.expand(distinct, rows, k, positions[row_of], values[row_of])


def updated(
    old: Nearest,
    vectors: NDArray[np.float32],
    origin: NDArray[np.integer],
    k: int = NEIGHBORS,
    *,
    tile: int = TILE,
    progress: Progress | None = None,
) -> Nearest:
    """Return what `nearest` returns for `vectors`, `(n, d)`, but faster if few of them differ from those of `old`.

    ``origin[p]`` is the position that the vector at `p` had in `old`, -1 for a new one, `(n,)`; those of vectors that
    stay are ascending (see `origins`). Compared with all are new rows, rows that lost a neighbor, and rows to which a
    new one is near enough. Raises ValueError as `nearest` does, or if `origin` is not ascending.
    """
    check(vectors)
    stayed, new = np.flatnonzero(origin >= 0), np.flatnonzero(origin < 0)
    if len(origin) != len(vectors) or (np.diff(origin[stayed]) <= 0).any():
        raise ValueError("origin needs one position for each vector, and those that stay in ascending order")
    n, before = len(vectors), len(old.positions)
    if old.positions.shape[1] < k or n <= k or len(new) * FEW > n:
        return nearest(vectors, k, tile=tile, progress=progress)
    moved = np.full(before, NOBODY, dtype=np.uint32)
    moved[origin[stayed]] = stayed
    positions = np.full((n, k), NOBODY, dtype=np.uint32)
    values = np.full((n, k), -np.inf, dtype=np.float32)
    positions[stayed] = moved[old.positions[origin[stayed], :k]]
    values[stayed] = old.similarities[origin[stayed], :k]
    again = (positions == NOBODY).any(axis=1) | _approached(vectors, values[:, -1], new, tile)
    rows = np.flatnonzero(again)
    if len(rows) * FEW > n:
        return nearest(vectors, k, tile=tile, progress=progress)
    recomputed = search(vectors, rows, k, tile=tile, progress=progress)
    positions[rows], values[rows] = recomputed.positions, recomputed.similarities
    return Nearest(positions, values)


def origins(old: Sequence[Hashable], new: Sequence[Hashable]) -> NDArray[np.intp]:
    """Return which of the distinct `old` keys each of the distinct `new` keys was, -1 for none, `(n,)`, ascending.

    Of keys that changed their order as few as possible count as new: ties between neighbors go by position.
    """
    position_of = {key: position for position, key in enumerate(old)}
    result = np.array([position_of.get(key, -1) for key in new], dtype=np.intp)
    ends: list[int] = []  # the least end of an ascending sequence of each length, and where in `new` it is
    where: list[int] = []
    previous = np.full(len(result), -1, dtype=np.intp)
    for position, value in enumerate(result.tolist()):
        if value >= 0:
            length = bisect_left(ends, value)
            ends[length : length + 1], where[length : length + 1] = [value], [position]
            previous[position] = where[length - 1] if length else -1
    kept = np.zeros(len(result), dtype=bool)
    position = where[-1] if where else -1
    while position >= 0:
        kept[position] = True
        position = int(previous[position])
    return np.where(kept, result, -1)


def check(vectors: NDArray[np.float32]) -> None:
    """Raise ValueError if `vectors` is not an `(n, d)` array of finite float32 numbers with at least one dimension."""
    if vectors.ndim != 2 or vectors.shape[1] == 0 or vectors.dtype != np.float32:
        raise ValueError(f"expected an (n, d) array of float32, got {vectors.shape} of {vectors.dtype}")
    if not np.isfinite(vectors.sum(dtype=np.float64)):
        raise ValueError("expected finite numbers, got a vector with others")


def _approached(
    vectors: NDArray[np.float32], least: NDArray[np.float32], new: NDArray[np.integer], tile: int
) -> NDArray[np.bool_]:
    """Return to which rows one of the `new` ones may be as near as their farthest neighbor, `least`; `(n,)`."""
    result = np.zeros(len(vectors), dtype=bool)
    floor = least - np.float32(2 * error_bound(vectors))
    for start in range(0, len(vectors), tile):
        rows = slice(start, start + tile)
        for first in range(0, len(new), tile):
            block = vectors[rows] @ vectors[new[first : first + tile]].T
            result[rows] |= block.max(axis=1) >= floor[rows]
    return result


class Copies:
    """Which of `n` vectors are equal. `first` holds the first position of each distinct one, ascending, `(u,)`.

    ``of[p]`` is the distinct vector that the vector at `p` is a copy of, `(n,)`.
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        digests = np.array([blake2b(row.tobytes(), digest_size=16).digest() for row in vectors], dtype="S16")
        _, first, of = np.unique(digests, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        self.first, self.of = first[order], rank[of]

    def expand(
        self,
        distinct: NDArray[np.float32],
        rows: NDArray[np.integer],
        k: int,
        neighbors: NDArray[np.uint32],
        values: NDArray[np.float32],
    ) -> Nearest:
        """Return the `k` nearest of all vectors to each of the `rows`, `(r,)`, given the nearest `distinct` ones.

        `neighbors` and `values` are theirs, `(r, w)` each; of each distinct vector its first ``k + 1`` copies matter.
        """
        order = np.argsort(self.of, kind="stable")
        starts = np.searchsorted(self.of[order], np.arange(len(self.first)))
        rank = np.arange(len(order)) - starts[self.of[order]]
        members = np.full((len(self.first), k + 1), NOBODY, dtype=np.uint32)
        early = rank <= k
        members[self.of[order][early], rank[early]] = order[early]
        own = self.of[rows]
        itself = similarities(distinct, own, own)
        result = Nearest(np.empty((len(rows), k), np.uint32), np.empty((len(rows), k), np.float32))
        for start in range(0, len(rows), TILE):
            some = slice(start, start + TILE)
            groups = np.column_stack([own[some], neighbors[some].astype(np.intp)])
            names = members[groups].reshape(len(groups), -1)
            table = np.repeat(np.column_stack([itself[some], values[some]]), k + 1, axis=1)
            table[(names == NOBODY) | (names == rows[some, None])] = -np.inf
            nearest_first = np.lexsort((names, -table), axis=1)[:, :k]
            result.positions[some] = np.take_along_axis(names, nearest_first, axis=1)
            result.similarities[some] = np.take_along_axis(table, nearest_first, axis=1)
        return result
