"""Vectors for the tests of collections."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

# Few directions, nudged by less than a product can tell: the hardest case, all ties and close calls.
CROWDS = st.tuples(
    st.integers(1, 60), st.integers(1, 6), st.sampled_from([0.0, 1e-7, 1e-6, 1e-3]), st.integers(0, 99)
)


def unit(n: int, d: int = 16, seed: int = 0) -> Vectors:
    """Return `(n, d)` random vectors of unit length."""
    rows = np.random.default_rng(seed).standard_normal((n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def crowd(n: int, directions: int, nudge: float, seed: int) -> Vectors:
    """Return `(n, 16)` vectors of a few directions."""
    generator = np.random.default_rng(seed)
    rows = unit(directions, seed=seed)[generator.integers(0, directions, n)]
    return (rows + nudge * generator.standard_normal(rows.shape)).astype(np.float32)


def products(vectors: Vectors) -> Vectors:
    """Return the whole matrix of similarities, each rounded once."""
    return (vectors.astype(np.float64)[:, None] * vectors).sum(axis=2).astype(np.float32)
