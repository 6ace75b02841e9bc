"""Nearest neighbors: exact, and the same bits whatever the tiles, the threads, and the order of the texts."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits
from vectors import CROWDS, Vectors, crowd, products, unit

from sentence_reports.collection.exact import above, dot_products, error_bound
from sentence_reports.collection.neighbors import Nearest, nearest, origins, updated


def plain(vectors: Vectors, k: int) -> Nearest:
    """What `nearest` must equal: the whole matrix, sorted."""
    matrix = products(vectors)
    np.fill_diagonal(matrix, -np.inf)
    order = np.argsort(-matrix, axis=1, kind="stable")[:, : min(k, len(matrix) - 1)]
    return Nearest(order.astype(np.uint32), np.take_along_axis(matrix, order, axis=1))


def assert_same(one: Nearest, other: Nearest) -> None:
    np.testing.assert_array_equal(one.positions, other.positions)
    np.testing.assert_array_equal(one.similarities, other.similarities)
    assert one.positions.dtype == np.uint32
    assert one.similarities.dtype == np.float32


@pytest.mark.parametrize("n", [2, 3, 10, 11, 12, 17, 18, 1000])
@pytest.mark.parametrize("tile", [7, 64, 2048])
def test_neighbors_are_those_of_a_plain_product(n: int, tile: int) -> None:
    assert_same(nearest(unit(n), tile=tile), plain(unit(n), 10))


def test_one_text_and_none_have_no_neighbors() -> None:
    assert nearest(unit(1)).positions.shape == (1, 0)
    assert nearest(unit(2)[:0]).similarities.shape == (0, 0)


@settings(deadline=None, max_examples=150)
@given(CROWDS, st.integers(1, 12), st.integers(1, 70))
def test_ties_and_close_calls_are_settled_exactly(case: tuple, k: int, tile: int) -> None:
    vectors = crowd(*case)
    assert_same(nearest(vectors, k, tile=tile), plain(vectors, k))


def test_copies_are_neighbors_in_their_order() -> None:
    found = nearest(np.repeat(unit(3), 20, axis=0))
    assert found.positions[0].tolist() == list(range(1, 11))
    assert found.positions[5].tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert found.positions[25].tolist() == [20, 21, 22, 23, 24, 26, 27, 28, 29, 30]
    alone = nearest(np.repeat(unit(1), 20, axis=0))
    assert alone.positions[3].tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]


def test_thousands_of_copies_are_searched_for_once() -> None:
    vectors = np.concatenate([unit(50), np.repeat(unit(1, seed=1), 20_000, axis=0)])
    calls: list[tuple[int, int]] = []
    found = nearest(vectors, progress=lambda done, total: calls.append((done, total)))
    assert found.positions[-1].tolist() == list(range(50, 60))
    assert calls == [(1, 1)]  # the 51 distinct ones are a single tile


@settings(deadline=None, max_examples=40)
@given(CROWDS, st.integers(0, 99))
def test_the_order_of_the_texts_does_not_matter(case: tuple, seed: int) -> None:
    vectors = crowd(*case)
    order = np.random.default_rng(seed).permutation(len(vectors))
    one, other = nearest(vectors), nearest(vectors[order])
    np.testing.assert_array_equal(one.similarities[order], other.similarities)


def test_bits_are_the_same_for_any_number_of_threads() -> None:
    vectors = unit(1500, d=256)
    with threadpool_limits(1):
        one = nearest(vectors, tile=300)
    with threadpool_limits(2):
        assert_same(one, nearest(vectors))


def test_progress_counts_the_tiles() -> None:
    calls: list[tuple[int, int]] = []
    nearest(unit(100), tile=30, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(k, 10) for k in range(1, 11)]  # four tiles, each with itself and each later one


@pytest.mark.parametrize(
    "vectors",
    [unit(3).astype(float), unit(3)[0], unit(3)[:, :0], np.full((3, 2), np.nan, np.float32)],
    ids=["float64", "one vector", "no dimensions", "nan"],
)
def test_other_arrays_are_refused(vectors: Vectors) -> None:
    with pytest.raises(ValueError, match="expected"):
        nearest(vectors)


# --- changes -----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=150)
@given(CROWDS, st.data(), st.integers(1, 12), st.integers(1, 40))
def test_an_update_equals_a_whole_pass(case: tuple, data: st.DataObject, k: int, tile: int) -> None:
    old, new = crowd(*case), crowd(4, *case[1:])
    random = Random(data.draw(st.integers(0, 999)))
    keys = [("old", position) for position in range(len(old))]
    lost = random.sample(keys, min(len(keys), random.randint(0, 3)))
    after = [key for key in keys if key not in lost]
    for position in range(random.randint(0, 4)):
        after.insert(random.randint(0, len(after)), ("new", position))
    if random.random() < 0.3:
        random.shuffle(after)
    vectors = np.array([{"old": old, "new": new}[kind][place] for kind, place in after], np.float32).reshape(
        -1, 16
    )
    found = updated(nearest(old, k), vectors, origins(keys, after), k, tile=tile)
    assert_same(found, plain(vectors, k) if len(vectors) > 1 else nearest(vectors, k))


def test_one_changed_text_needs_no_whole_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(1000)
    before = nearest(vectors)
    changed = vectors.copy()
    changed[500] = unit(1, seed=7)
    origin = np.arange(1000)
    origin[500] = -1
    whole = nearest(changed)
    monkeypatch.setattr("sentence_reports.collection.neighbors.nearest", None)  # so that a whole pass fails
    assert_same(updated(before, changed, origin), whole)


def test_an_origin_that_changes_the_order_is_refused() -> None:
    with pytest.raises(ValueError, match="ascending"):
        updated(nearest(unit(20)), unit(20), np.arange(20)[::-1])


@given(st.lists(st.integers(0, 30), unique=True), st.lists(st.integers(0, 30), unique=True))
def test_origins_keep_the_longest_ascending_part(old: list[int], new: list[int]) -> None:
    found = origins(old, new).tolist()
    kept = [(place, key) for place, key in zip(found, new, strict=True) if place >= 0]
    assert all(old[place] == key for place, key in kept)
    assert all(one[0] < other[0] for one, other in pairwise(kept))
    lengths = [0] * len(new)  # of the longest part that ends at each key
    for end, key in enumerate(new):
        if key in old:
            earlier = [lengths[k] for k in range(end) if new[k] in old and old.index(new[k]) < old.index(key)]
            lengths[end] = 1 + max(earlier, default=0)
    assert len(kept) == max(lengths, default=0)


# --- exact similarities ------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3, 7, 256, 385])
def test_a_dot_product_is_symmetric_and_rounded_once(d: int) -> None:
    one, other = unit(300, d), unit(300, d, seed=1)
    np.testing.assert_array_equal(dot_products(one, other), dot_products(other, one))
    np.testing.assert_allclose(
        dot_products(one, other), np.einsum("nd,nd->n", one.astype("f8"), other), atol=6e-8
    )


@pytest.mark.parametrize("d", [3, 384])
def test_a_product_is_within_its_error_bound(d: int) -> None:
    vectors = 3 * unit(500, d)
    exact = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    assert np.abs(vectors @ vectors.T - exact).max() < error_bound(vectors)
    assert error_bound(vectors) < 1e-6 * (d + 8)


@settings(deadline=None, max_examples=50)
@given(CROWDS, st.sampled_from([8, 16, 4096]))
def test_above_a_limit_is_exact(case: tuple, size: int) -> None:
    vectors = crowd(*case)
    matrix = products(vectors)
    limit = float(np.sort(matrix.ravel())[matrix.size // 2])  # one that is met exactly
    rows = np.arange(0, len(vectors), 3)
    bits = np.unpackbits(above(vectors, rows, limit, size), axis=1)[:, : len(vectors)]
    np.testing.assert_array_equal(bits, matrix[rows] > limit)
