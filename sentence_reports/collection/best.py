"""The best few of many proposals for each row, in a memory that does not grow with the number of proposals."""

import numpy as np
from numpy.typing import NDArray

from sentence_reports.collection.exact import error_bound, similarities

SPARE = 6  # proposals kept beyond k, which the error of a product may have put in the wrong order
CELLS = 1 << 24  # of a block that is held at once
NOBODY = np.iinfo(np.uint32).max


class Best:
    """The `k` nearest neighbors of `n` rows, as far as they have been offered.

    Offers are products with rounding errors. A row keeps its ``k + SPARE`` best ones; `floor`, `(n,)`, is what a
    further one must exceed to have a chance. `resolve` settles the order.
    """

    def __init__(self, vectors: NDArray[np.float32], k: int) -> None:
        self._vectors, self._k = vectors, k
        self._slack = np.float32(2 * error_bound(vectors))
        self._values = np.full((len(vectors), k + SPARE), -np.inf, dtype=np.float32)
        self._positions = np.full((len(vectors), k + SPARE), NOBODY, dtype=np.uint32)
        self.floor = np.full(len(vectors), -np.inf, dtype=np.float32)

    def offer(
        self, rows: NDArray[np.integer], others: NDArray[np.integer], block: NDArray[np.float32]
    ) -> None:
        """Offer the `others`, `(c,)`, to the `rows`, `(r,)`; `block` holds their products, `(r, c)`."""
        slots = self._values.shape[1]
        floor = self.floor[rows]
        if np.isneginf(floor).any() and block.shape[1] > 2 * slots:  # else nearly all are candidates
            seconds = np.argpartition(block, -slots - 1, axis=1)[:, -slots - 1 :]  # one may be the row itself
            firsts = np.repeat(np.arange(len(rows)), slots + 1)
            self._merge(rows[firsts], others[seconds.ravel()], block[firsts, seconds.ravel()])
        else:
            firsts, seconds = np.divmod(np.flatnonzero(block > floor[:, None]), block.shape[1])
            self._merge(rows[firsts], others[seconds], block[firsts, seconds])

    def offer_both(
        self, rows: NDArray[np.integer], others: NDArray[np.integer], block: NDArray[np.float32]
    ) -> None:
        """Offer the `others` to the `rows`, and the `rows` to the `others`; both have had offers before."""
        self.offer(rows, others, block)
        firsts, seconds = np.divmod(np.flatnonzero(block > self.floor[others]), block.shape[1])
        self._merge(others[seconds], rows[firsts], block[firsts, seconds])

    def _merge(
        self, rows: NDArray[np.integer], others: NDArray[np.integer], values: NDArray[np.float32]
    ) -> None:
        """Keep the best of what the rows have and of what they are offered, one offer per index, `(m,)` each."""
        strangers = rows != others
        rows, others, values = rows[strangers], others[strangers], values[strangers]
        order = np.lexsort((-values, rows))
        rows, others, values = rows[order], others[order], values[order]
        touched, starts, group = np.unique(rows, return_index=True, return_inverse=True)
        rank = np.arange(len(rows)) - starts[group]
        slots = self._values.shape[1]
        kept = rank < slots
        group, rank = group[kept], rank[kept] + slots
        table = np.full((len(touched), 2 * slots), -np.inf, dtype=np.float32)
        names = np.full((len(touched), 2 * slots), NOBODY, dtype=np.uint32)
        table[:, :slots], names[:, :slots] = self._values[touched], self._positions[touched]
        table[group, rank], names[group, rank] = values[kept], others[kept]
        best = np.argsort(-table, axis=1, kind="stable")[:, :slots]
        self._values[touched] = table = np.take_along_axis(table, best, axis=1)
        self._positions[touched] = np.take_along_axis(names, best, axis=1)
        self.floor[touched] = np.maximum(table[:, -1], table[:, self._k - 1] - self._slack)

    def resolve(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Return positions and exact similarities of the nearest neighbors of `rows`, `(r, k)` each, nearest first.

        Ties are in the order of positions. A row with more close calls than it could keep is compared with all again.
        """
        values, names = self._values[rows], self._positions[rows]
        close = values >= values[:, [self._k - 1]] - self._slack
        firsts, slots = np.nonzero(close)
        exact = np.full(values.shape, -np.inf, dtype=np.float32)
        exact[firsts, slots] = similarities(self._vectors, rows[firsts], names[firsts, slots])
        order = np.lexsort((names, -exact), axis=1)[:, : self._k]
        positions, result = np.take_along_axis(names, order, axis=1), np.take_along_axis(exact, order, axis=1)
        self._search_again(rows, np.flatnonzero(close[:, -1]), positions, result)
        return positions, result

    def _search_again(
        self,
        rows: NDArray[np.integer],
        crowded: NDArray[np.integer],
        positions: NDArray[np.uint32],
        result: NDArray[np.float32],
    ) -> None:
        """Write the neighbors of the `crowded` ones among `rows` into their rows of `positions` and `result`."""
        size = max(1, CELLS // len(self._vectors))
        for start in range(0, len(crowded), size):
            some = crowded[start : start + size]
            block = self._vectors[rows[some]] @ self._vectors.T
            block[np.arange(len(some)), rows[some]] = -np.inf
            for index, line in zip(some, block, strict=True):
                limit = np.partition(line, -self._k)[-self._k] - self._slack
                close = np.flatnonzero(line >= limit)
                exact = similarities(self._vectors, np.full(len(close), rows[index]), close)
                order = np.argsort(-exact, kind="stable")[: self._k]
                positions[index], result[index] = close[order], exact[order]
