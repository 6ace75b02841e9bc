"""The tables of a page, from tiny matrices that can be checked by eye."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from support import contrast, small_search, small_summary

from sentence_reports.facts import Legend
from sentence_reports.overview import pack
from sentence_reports.pages import tables
from sentence_reports.pages.tables import Colors

MATRIX = np.array([[1, 0.5, 0.25], [0.5, 1, 0.75], [0.25, 0.75, 1]], dtype=np.float32)
LEGEND = Legend(low=0, high=1, scale="", ramp=("#ffffff", "#808080", "#000000"))


@pytest.mark.parametrize(
    ("similarity", "color"),
    [
        (0, "#ffffff"),
        (0.5, "#808080"),
        (1, "#000000"),
        (1.0000002, "#000000"),
        (-0.3, "#ffffff"),
        (0.8, "#000000"),
    ],
)
def test_a_similarity_gets_the_nearest_color_of_the_ramp(similarity: float, color: str) -> None:
    assert Colors(LEGEND).of(similarity) == color


def test_numbers_can_be_read_on_every_color() -> None:
    steps = range(0, 256, 15)
    for red, green, blue in itertools.product(steps, steps, steps):
        color = f"#{red:02x}{green:02x}{blue:02x}"
        colors = Colors(Legend(low=0, high=1, scale="", ramp=(color, color)))
        assert contrast(color, colors.ink(0.5)) >= 4.5, color


def test_the_extreme_pairs_never_overlap() -> None:
    near, far = tables.extremes(MATRIX)
    assert near == [(1, 2, 0.75)]
    assert far == [(0, 2, 0.25)]
    near, far = tables.extremes(np.eye(40, dtype="f4"))
    assert len(near) == len(far) == 10
    assert set(near).isdisjoint(far)


def test_neighbors_are_nearest_first_and_never_the_sentence_itself() -> None:
    assert tables.nearest_neighbors(MATRIX) == [[1, 2], [2, 0], [1, 0]]
    nearest = tables.nearest_neighbors(np.ones((20, 20), dtype="f4"))
    assert nearest[2] == [0, 1, 3, 4, 5]


def thumbnail(matrix: NDArray[np.float32]) -> tuple[tuple[str, ...], ...]:
    texts = tuple(map(str, range(len(matrix))))
    return tables.thumbnail(small_summary(sentences=texts, labels=texts, legend=LEGEND, matrix=pack(matrix)))


def test_a_thumbnail_samples_a_large_matrix_from_corner_to_corner() -> None:
    assert thumbnail(MATRIX)[1] == ("#808080", "#000000", "#000000")
    assert tables.thumbnail(small_search(legend=LEGEND, matrix=pack(MATRIX[:2]))) == (
        ("#000000", "#808080", "#ffffff"),
        ("#808080", "#000000", "#000000"),
    )
    small = thumbnail(np.eye(500, dtype="f4"))
    assert len(small) == 12
    assert [small[k][k] for k in range(12)] == ["#000000"] * 12
    assert small[0][11] == "#ffffff"


def test_a_thumbnail_shows_the_rows_in_the_order_of_the_heatmap() -> None:
    shown = tables.thumbnail(small_summary(legend=LEGEND, matrix=pack(MATRIX), order=(0, 2, 1)))
    assert [row[0] for row in shown] == [Colors(LEGEND).of(value) for value in (1, 0.25, 0.5)]
