"""The tables of a page, from tiny matrices that can be checked by eye."""

import itertools
from typing import Any

import numpy as np
import pytest
from support import contrast

from sentence_reports.pages import tables
from sentence_reports.pages.tables import Colors

MATRIX = np.array([[1, 0.5, 0.25], [0.5, 1, 0.75], [0.25, 0.75, 1]], dtype=np.float32)
LEGEND: dict[str, Any] = {"low": 0.0, "high": 1.0, "ramp": ["#ffffff", "#808080", "#000000"]}


def known(n: int = 3) -> list[tables.Sentence]:
    texts = [f"text {k}" for k in range(n)]
    return tables.sentences({"sentences": texts, "labels": texts, "groups": None, "legend": {"groups": []}})


def test_sentences_are_numbered_and_have_their_groups_colour() -> None:
    summary = {"sentences": ["a", "b"], "labels": ["A", "B"], "groups": ["x", "y"]}
    summary["legend"] = {"groups": [["y", "#222222"], ["x", "#111111"]]}
    assert tables.sentences(summary) == [
        tables.Sentence(1, "a", "A", "#111111"),
        tables.Sentence(2, "b", "B", "#222222"),
    ]


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
def test_a_similarity_gets_the_nearest_colour_of_the_ramp(similarity: float, color: str) -> None:
    assert Colors(LEGEND).of(similarity) == color


def test_numbers_can_be_read_on_every_colour() -> None:
    steps = range(0, 256, 15)
    for red, green, blue in itertools.product(steps, steps, steps):
        color = f"#{red:02x}{green:02x}{blue:02x}"
        cell = Colors({"low": 0, "high": 1, "ramp": [color, color]}).cell(0.5)
        assert cell.background == color
        assert contrast(color, cell.ink) >= 4.5, color


def test_the_matrix_is_a_table_up_to_thirty_sentences() -> None:
    rows = tables.matrix_rows(MATRIX, known(), Colors(LEGEND))
    assert [[cell.similarity for cell in cells] for _, cells in rows] == MATRIX.tolist()
    assert len(tables.matrix_rows(np.eye(30, dtype="f4"), known(30), Colors(LEGEND))) == 30
    assert tables.matrix_rows(np.eye(31, dtype="f4"), known(31), Colors(LEGEND)) == []


def test_the_extreme_pairs_never_overlap() -> None:
    near, far = tables.extremes(MATRIX, known())
    assert [(p.first.number, p.second.number, p.similarity) for p in near] == [(2, 3, 0.75)]
    assert [(p.first.number, p.second.number, p.similarity) for p in far] == [(1, 3, 0.25)]
    near, far = tables.extremes(np.eye(40, dtype="f4"), known(40))
    assert len(near) == len(far) == 10
    assert {(p.first, p.second) for p in near}.isdisjoint({(p.first, p.second) for p in far})


def test_neighbours_are_nearest_first_and_never_the_sentence_itself() -> None:
    found = tables.neighbours(MATRIX, known())
    assert [[other.second.number for other in others] for _, others in found] == [[2, 3], [3, 1], [2, 1]]
    assert max(len(others) for _, others in tables.neighbours(np.eye(20, dtype="f4"), known(20))) == 5
    assert tables.neighbours(np.eye(301, dtype="f4"), known(301)) == []


def test_a_thumbnail_samples_a_large_matrix_from_corner_to_corner() -> None:
    assert tables.thumbnail(MATRIX, Colors(LEGEND))[1] == ["#808080", "#000000", "#000000"]
    small = tables.thumbnail(np.eye(500, dtype="f4"), Colors(LEGEND))
    assert len(small) == 12
    assert [small[k][k] for k in range(12)] == ["#000000"] * 12
    assert small[0][11] == "#ffffff"
