"""The map: principal components, the frame, and labels that keep clear of each other."""

import builtins
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits
from vectors import unit

from sentence_reports.collection.projection import (
    Frame,
    MissingExtra,
    Projection,
    frame_of,
    label_spots,
    principal_components,
    project,
)


def test_a_map_is_the_two_principal_components() -> None:
    vectors = unit(5000) * np.array([3, 2] + [1] * 14, dtype=np.float32)
    result = project(vectors)
    fitted = PCA(2).fit(vectors.astype(float))
    expected = fitted.transform(vectors.astype(float))
    signs = np.sign(fitted.components_[[0, 1], np.abs(fitted.components_).argmax(axis=1)])
    np.testing.assert_allclose(result.points, expected * signs, atol=2e-5)
    assert result.kept == pytest.approx(fitted.explained_variance_ratio_.sum(), abs=1e-5)
    assert result.method == "two principal components"
    assert (result.points == result.points.round(5)).all()
    exact, _ = principal_components(vectors, 2)
    np.testing.assert_allclose(exact, expected * signs, atol=1e-9)


def test_a_map_is_the_same_for_any_number_of_threads() -> None:
    vectors = unit(3000, d=256)
    with threadpool_limits(1):
        one, _ = principal_components(vectors, 2)
    with threadpool_limits(2):
        np.testing.assert_array_equal(one, principal_components(vectors, 2)[0])


def test_no_component_points_the_other_way_round() -> None:
    vectors = unit(300)
    np.testing.assert_array_equal(project(-vectors).points, -project(vectors).points + 0.0)


@pytest.mark.parametrize("n", [1, 2, 11])
def test_few_texts_have_a_map(n: int) -> None:
    result = project(unit(n))
    assert result.points.shape == (n, 2)
    assert np.isfinite(result.points).all()
    assert result.frame.left < result.frame.right
    assert result.frame.bottom < result.frame.top


def test_equal_texts_are_in_one_place() -> None:
    result = project(np.repeat(unit(1), 5, axis=0))
    assert not result.points.any()
    assert (result.kept, result.frame) == (1.0, Frame(-1.0, -1.0, 1.0, 1.0, 0))


def test_one_dimension_makes_a_line() -> None:
    assert not project(unit(20, d=1)).points[:, 1].any()


def test_no_coordinate_is_minus_zero() -> None:
    points = project(np.array([[1, -1e-8], [-1, 1e-8], [1, 1e-8], [-1, -1e-8]], dtype=np.float32)).points
    assert not points[:, 1].any()
    assert not np.signbit(points[:, 1]).any()


def test_the_frame_leaves_out_what_is_far_away() -> None:
    points = np.random.default_rng(0).uniform(0, 1, (1000, 2))
    points[:3] = [[50, 0.5], [0.5, -50], [-50, 50]]
    frame = frame_of(points)
    assert -0.1 < frame.left < 0  # 0.5% and a margin
    assert 1 < frame.top < 1.1
    inside = (points > [frame.left, frame.bottom]).all(axis=1) & (points < [frame.right, frame.top]).all(
        axis=1
    )
    assert frame.outside == (~inside).sum() >= 3
    assert frame_of(points[:0]).outside == 0


def test_pacmap_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "pacmap":
            raise ModuleNotFoundError(name)
        return genuine(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install sentence-reports\[map\]"):
        project(unit(20), pacmap=True)


def test_pacmap_gives_the_same_map_again() -> None:
    pytest.importorskip("pacmap", reason="the extra `map` is not installed")
    vectors = unit(300)
    one, again = project(vectors, pacmap=True), project(vectors, pacmap=True)
    np.testing.assert_array_equal(one.points, again.points)
    assert one.method == "PaCMAP"
    assert one.kept == project(vectors).kept
    assert not np.array_equal(one.points, project(vectors).points)


# --- labels ------------------------------------------------------------------------------------------------


def mapped(points: np.ndarray) -> Projection:
    return Projection(points, Frame(0.0, 0.0, 10.0, 10.0, 0), "two principal components", 1.0)


def test_a_label_is_at_the_middle_of_its_topic() -> None:
    points = np.array([[2, 2], [3, 5], [9, 3], [8, 8], [9, 9]], dtype=float)
    projection = replace(mapped(points), frame=Frame(1.0, 2.0, 11.0, 12.0, 0))
    spots = label_spots(projection, np.array([0, 0, 0, 2, -1]), [(0.1, 0.05)] * 3)
    assert [tuple(spot) for spot in spots] == [(0, 0.2, 0.1), (2, 0.7, 0.6)]


def test_labels_that_are_clear_of_each_other_stay_at_their_middles() -> None:
    points = np.array([[1, 9], [5, 9], [9, 5], [5, 5], [1, 1], [1, 4], [9, 2], [9, 1]], dtype=float)
    spots = label_spots(mapped(points), np.arange(8), [(0.2, 0.05)] * 8)
    assert [(spot.topic, 10 * spot.x, 10 * spot.y) for spot in spots] == [
        (topic, pytest.approx(x), pytest.approx(y)) for topic, (x, y) in enumerate(points)
    ]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 60), st.integers(0, 99), st.floats(0.02, 0.6), st.floats(0.01, 0.3))
def test_labels_never_overlap_nor_leave_the_frame(
    topics: int, seed: int, width: float, height: float
) -> None:
    points = np.random.default_rng(seed).uniform(-1, 11, (100, 2))
    of = np.arange(100) % max(topics, 1)
    spots = label_spots(mapped(points), of, [(width, height)] * topics)
    assert len(spots) <= 25
    assert len(spots) >= min(topics, 1)
    for spot in spots:
        assert width / 2 - 1e-5 <= spot.x <= 1 - width / 2 + 1e-5
        assert height / 2 - 1e-5 <= spot.y <= 1 - height / 2 + 1e-5
    for one, other in combinations(spots, 2):
        assert max(abs(one.x - other.x) - width, abs(one.y - other.y) - height) >= 0.01 - 2e-5


def test_topics_at_one_place_get_labels_around_it() -> None:
    points = np.full((3, 2), 5.0)
    spots = label_spots(mapped(points), np.array([0, 1, 2]), [(0.2, 0.05)] * 3)
    assert [spot.topic for spot in spots] == [0, 1, 2]
    assert (spots[0].x, spots[0].y) == (0.5, 0.5)


def test_a_label_without_room_is_left_out_and_the_next_one_placed() -> None:
    points = np.array([[5, 5], [5, 5], [1, 1]], dtype=float)
    sizes = [(0.9, 0.9), (0.9, 0.9), (0.05, 0.02)]
    spots = label_spots(mapped(points), np.array([0, 1, 2]), [sizes[0], sizes[1], (0.04, 0.02)])
    assert [spot.topic for spot in spots] == [0, 2]
    for size in ((1.5, 0.1), (0.1, 1.5)):
        assert label_spots(mapped(points), np.array([0, 1, 2]), [size]) == ()


def test_the_largest_topics_are_named() -> None:
    points = np.random.default_rng(0).uniform(0, 10, (30, 2))
    spots = label_spots(mapped(points), np.arange(30), [(0.001, 0.001)] * 30, most=3)
    assert [spot.topic for spot in spots] == [0, 1, 2]
