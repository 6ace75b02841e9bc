"""The nearest neighbors that a summary keeps of a large matrix."""

import numpy as np

from sentence_reports.overview import NEIGHBORS, Neighbors


def test_neighbors_are_nearest_first_and_never_the_sentence_itself() -> None:
    matrix = np.array([[1, 0.5, 0.25], [0.5, 1, 0.75], [0.25, 0.75, 1]], dtype="f4")
    near = Neighbors.of(matrix)
    assert near.positions.tolist() == [[1, 2], [2, 0], [1, 0]]
    assert near.similarities.tolist() == [[0.5, 0.25], [0.75, 0.5], [0.75, 0.25]]


def test_ten_of_many_are_kept_and_ties_are_in_the_order_of_the_set() -> None:
    near = Neighbors.of(np.ones((20, 20), dtype="f4"))
    assert near.count == NEIGHBORS
    assert near.positions[2].tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]


def test_neighbors_agree_with_a_full_sort() -> None:
    matrix = np.random.default_rng(0).random((90, 90), dtype="f4")
    np.fill_diagonal(matrix, -1)
    near = Neighbors.of(matrix)
    assert np.array_equal(near.positions, np.argsort(-matrix, axis=1, kind="stable")[:, :NEIGHBORS])
    assert np.array_equal(near.similarities, -np.sort(-matrix, axis=1)[:, :NEIGHBORS])
