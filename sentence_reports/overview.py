"""What a summary keeps of a large matrix of similarities, small enough to travel in a notebook."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OVERVIEW_FROM = 61  # sentences; of more, no heatmap of all can be read
MATRIX_UP_TO = 1000  # sentences; of more, the matrix is not kept
NEIGHBORS = 10
LEAST_RANGE = 0.1  # of the colors of blocks: small differences must not look large


@dataclass(frozen=True)
class Neighbors:
    """The nearest neighbors of `n` sentences, `count` of each, the nearest first.

    `packed_positions` and `packed_similarities` are the tables of `positions` and `similarities` as base64 of
    little-endian numbers.
    """

    count: int
    packed_positions: str
    packed_similarities: str

    @classmethod
    def of(cls, matrix: NDArray[np.floating], count: int = NEIGHBORS) -> Neighbors:
        """Return the `count` most similar others of each sentence, or all; ties are in the order of the set.

        `matrix` holds the `(n, n)` similarities.
        """
        import numpy as np

        count = min(count, len(matrix) - 1)
        positions = np.empty((len(matrix), count), dtype="<u4")
        for k, row in enumerate(matrix):
            others = row.copy()
            others[k] = -np.inf
            least = np.partition(others, -count)[-count]
            candidates = np.flatnonzero(others >= least)  # more than `count` if there are ties
            positions[k] = candidates[np.argsort(-others[candidates], kind="stable")][:count]
        similarities = np.take_along_axis(matrix, positions.astype(int), axis=1)
        return cls(count, pack(positions, "<u4"), pack(similarities))

    @cached_property
    def positions(self) -> NDArray[np.uint32]:
        """The positions of the neighbors, `(n, count)`."""
        return unpack(self.packed_positions, "<u4").reshape(-1, self.count)

    @cached_property
    def similarities(self) -> NDArray[np.float32]:
        """The similarities of the neighbors, `(n, count)`, bit for bit as the notebook had them."""
        return unpack(self.packed_similarities).reshape(-1, self.count)


@dataclass(frozen=True)
class Blocks:
    """The mean similarities of blocks of sentences: a heatmap that is small enough to be read.

    A block is a group of the set, or one of about equal parts of its rows in their order. `names` holds the groups'
    names, None for parts; `sizes` the numbers of sentences; `central` the position of the sentence of each block that
    is most similar to the others of its block. `means` is a square: the mean similarity of the pairs of sentences
    within a block (on the diagonal; None for a block of one sentence) and between two.
    """

    names: tuple[str, ...] | None
    sizes: tuple[int, ...]
    central: tuple[int, ...]
    means: tuple[tuple[float | None, ...], ...]

    def high_end(self, low: float) -> float:
        """Return the similarity at the high end of their colors: the largest mean, clearly above the `low` end."""
        return max(low + LEAST_RANGE, *(mean for row in self.means for mean in row if mean is not None))


@dataclass(frozen=True)
class Overview:
    """What the page of a large set shows in place of the matrix.

    `verdict` says which groups hold together, in one or two sentences; it is empty without groups.
    """

    neighbors: Neighbors
    blocks: Blocks
    verdict: tuple[str, ...] = ()


def pack(values: NDArray[np.generic], dtype: str = "<f4") -> str:
    """Return numbers as base64 of their little-endian bytes: float32, or "<u4" for positions."""
    return base64.b64encode(values.astype(dtype).tobytes()).decode("ascii")


def unpack(text: str, dtype: str = "<f4") -> NDArray[Any]:
    """Return the numbers that `pack` wrote, bit for bit."""
    import numpy as np

    return np.frombuffer(base64.b64decode(text), dtype=dtype)
