"""Similarities whose bits depend on the two vectors only: not on tiles, threads, their order or the version of BLAS.

A matrix product is fast, but its last bits vary with its shape and the number of threads. So it only proposes: what it
says is off by at most `error_bound`, and whatever lies so close to a limit is computed again, with the sum in a fixed
order.
"""

import numpy as np
from numpy.typing import NDArray

PAIRS = 256  # whose products fit into a core's cache


def dot_products(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the dot product of each row of `one` with the same row of `other`, `(m, d)` each, as `(m,)` float32.

    `other` may also be one vector for all rows, `(d,)`. The sum is taken in float64 and in a fixed order, so
    ``dot_products(a, b)`` equals ``dot_products(b, a)``.
    """
    terms: NDArray[np.float64] = np.ascontiguousarray((one.astype(np.float64) * other).T)
    width = len(terms)
    while width > 1:
        half = (width + 1) // 2
        terms[: width - half] += terms[half:width]
        width = half
    total: NDArray[np.float32] = terms[0].astype(np.float32)
    return total


def similarities(
    vectors: NDArray[np.float32], first: NDArray[np.integer], second: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Return the similarity of each pair of rows of `vectors`, `(n, d)`: of ``first[p]`` and ``second[p]``, `(m,)`."""
    result = np.empty(len(first), dtype=np.float32)
    for start in range(0, len(first), PAIRS):
        some = slice(start, start + PAIRS)
        result[some] = dot_products(vectors[first[some]], vectors[second[some]])
    return result


def error_bound(vectors: NDArray[np.float32]) -> float:
    """Return how far an entry of a float32 matrix product of rows of `vectors`, `(n, d)`, is from `similarities`.

    It holds for any order of the sum: Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1.
    """
    largest = max((float(np.linalg.norm(tile, axis=1).max()) for tile in tiles(vectors)), default=0.0)
    return float((vectors.shape[1] + 8) * 2.0**-24 * largest**2 * 1.001)


def tiles(vectors: NDArray[np.float32], size: int = 4096) -> list[NDArray[np.float32]]:
    """Return views of `size` rows of `vectors` each, the last one of those that remain."""
    return [vectors[start : start + size] for start in range(0, len(vectors), size)]


def above(
    vectors: NDArray[np.float32], rows: NDArray[np.integer], limit: float, size: int = 4096
) -> NDArray[np.uint8]:
    """Return which rows of `vectors`, `(n, d)`, have a similarity above `limit` to each of the given `rows`, `(m,)`.

    The result is packed by `np.packbits`: `(m, ceil(n / 8))`, eight rows of `vectors` to a byte. A row is above the
    limit of itself.
    """
    error = error_bound(vectors)
    queries = vectors[rows]
    parts = []
    for start in range(0, len(vectors), size):  # `size` is a multiple of 8, so that bytes meet
        product = queries @ vectors[start : start + size].T
        part = product > limit
        unsure = np.argwhere(np.abs(product - np.float32(limit)) <= 2 * error)
        exact = similarities(vectors, rows[unsure[:, 0]], unsure[:, 1] + start)
        part[unsure[:, 0], unsure[:, 1]] = exact.astype(np.float64) > limit
        parts.append(np.packbits(part, axis=1))
    return np.concatenate(parts, axis=1)
