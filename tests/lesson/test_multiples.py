"""Heatmaps side by side and the slope chart: what is on them, their text alternatives, and that they are bounded."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support import contrast

from sentence_reports.lesson.multiples import corrected_legend, corrected_range, heatmaps
from sentence_reports.lesson.picture import MIME, Picture
from sentence_reports.lesson.slopes import apart, in_digits, most_moved, slopes
from sentence_reports.schemes import GROUND, INK

LABELS = ["one", "two", "three"]


def symmetric(values: Any, labels: list[str] = LABELS) -> pd.DataFrame:
    upper = np.zeros((len(labels), len(labels)))
    upper[np.triu_indices(len(labels), k=1)] = values
    return pd.DataFrame(upper + upper.T + np.eye(len(labels)), labels, labels)


TWO = {"A": symmetric([0.7, -0.1, 0.2]), "B": symmetric([0.1, 0.3, 0.6])}


def svg_of(picture: Picture) -> str:
    return picture._repr_mimebundle_()[0][MIME]


def texts_of(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


# --- heatmaps ----------------------------------------------------------------------------------------------


def test_the_colors_run_from_chance_to_the_closest_pair_of_all_models() -> None:
    assert corrected_range(TWO) == (0.0, 0.7)
    assert corrected_range({"A": symmetric([0.1, 0.2, -0.4])}) == (0.0, 0.5)
    assert corrected_range({"A": symmetric([1.0001, 0.2, -0.4])}) == (0.0, 1.0)


def test_one_legend_serves_all_models() -> None:
    legend = corrected_legend(TWO, groups=["x", "x", "y"], cmap="YlGnBu")
    assert (legend.low, legend.high) == (0.0, 0.7)
    assert (
        legend.scale == "from 0.00 or less (lightest) to 0.70 (darkest)"
    )  # one model has a pair below chance
    assert corrected_legend({"B": TWO["B"]}, groups=None, cmap="YlGnBu").scale.startswith(
        "from 0.00 (lightest)"
    )
    assert [name for name, _ in legend.groups] == ["x", "y"]


def test_each_model_has_its_heatmap_with_one_scale() -> None:
    picture = heatmaps(TWO, order=[2, 0, 1], low=0, high=0.7, groups=["x", "y", "x"])
    texts = texts_of(svg_of(picture))
    assert [text for text in texts if text in ("A", "B")] == ["A", "B"]
    assert [text for text in texts if text.isdigit()] == ["3", "1", "2", "3", "1", "2"]
    assert [text for text in texts if " · " in text] == ["3 · three", "1 · one", "2 · two"]
    assert texts.count("chance-corrected similarity") == 1
    assert picture.alt == (
        "One heatmap for each of 2 models, of the chance-corrected similarity of 3 sentences, in the groups x, y, from "
        "0.00 or less (lightest) to 0.70 (darkest). A: The closest pair is “one” and “two” at 0.70; the farthest is "
        "“one” and “three” at −0.10. B: The closest pair is “two” and “three” at 0.60; the farthest is “one” and “two” "
        "at 0.10."
    )


def test_cells_are_in_the_order_of_the_rows() -> None:
    """The square of the closest pair is where its two rows are: in the given order, and moved with them."""
    dark = "#081d58"

    def first_dark(order: list[int]) -> int:
        svg = svg_of(heatmaps({"A": symmetric([0.7, 0, 0])}, order=order, high=0.7))
        fills = re.findall(r'style="fill: (#\w{6})"', svg[: svg.index("</g>", svg.index("QuadMesh"))])
        return fills.index(dark)

    assert first_dark([0, 1, 2]) == 0  # cells without a value are not drawn
    assert first_dark([2, 0, 1]) == 3


@pytest.mark.parametrize("n", [2, 24, 60, 61, 700])
@pytest.mark.parametrize("count", [2, 6])
def test_heatmaps_are_bounded_however_many_there_are(n: int, count: int) -> None:
    labels = [f"sentence {k}" for k in range(n)]
    values = np.linspace(0, 1, n * (n - 1) // 2)
    picture = heatmaps({f"model {k}": symmetric(values, labels) for k in range(count)})
    data, metadata = picture._repr_mimebundle_()
    assert len(data[MIME]) < 400_000
    assert metadata[MIME]["width"] == 840
    assert f"{n} sentences" in picture.alt


def test_many_sentences_are_drawn_as_groups() -> None:
    labels = [f"s{k}" for k in range(80)]
    tables = {
        "A": symmetric(np.linspace(0, 1, 3160), labels),
        "B": symmetric(np.linspace(1, 0, 3160), labels),
    }
    picture = heatmaps(tables, groups=["even", "odd"] * 40)
    assert picture.alt.startswith(
        "One heatmap for each of 2 models, of the mean chance-corrected similarity of 80 sentences in 2 groups, "
    )
    assert {"1 · even", "2 · odd"} <= set(texts_of(svg_of(picture)))


def test_what_the_font_cannot_draw_has_a_number() -> None:
    labels = ["一", "two", "three"]
    texts = texts_of(
        svg_of(heatmaps({"模型": symmetric([0.1, 0.2, 0.3], labels), "B": symmetric([0, 0, 0], labels)}))
    )
    assert {"model 1", "B", "1", "2", "3"} <= set(texts)
    assert "two" not in "".join(texts)


# --- slopes ------------------------------------------------------------------------------------------------


def rank_table(**models: list[float]) -> pd.DataFrame:
    pairs = [(0, 1), (0, 2), (1, 2)]
    return pd.DataFrame(models, index=pd.MultiIndex.from_tuples(pairs[: len(next(iter(models.values())))]))


def test_the_pairs_that_moved_most_come_first_and_those_that_stay_are_left_out() -> None:
    moved = most_moved(rank_table(A=[1, 2, 3], B=[2, 2, 1]))
    assert moved.index.tolist() == [(1, 2), (0, 1)]
    assert len(most_moved(rank_table(A=[1, 2, 3], B=[2, 2, 1]), 1)) == 1
    assert most_moved(rank_table(A=[1, 2, 3], B=[1, 2, 3])).empty


def test_a_line_that_falls_is_dashed() -> None:
    def dashed(**models: list[float]) -> list[bool]:
        svg = svg_of(slopes(rank_table(**models), LABELS, 3))
        lines = re.findall(r'<path [^>]*style="fill: none; stroke[^"]*opacity: 0.6[^"]*"', svg)
        return ["stroke-dasharray" in line for line in lines]

    assert dashed(A=[1, 3], B=[3, 1]) == [True, False]
    assert dashed(A=[1], B=[3], C=[2]) == [True, False]
    assert dashed(A=[2], B=[2]) == [False]


def test_pairs_are_named_by_number_and_text_with_their_ranks() -> None:
    picture = slopes(rank_table(A=[1, 2.5], B=[3, 1]), LABELS, 3)
    texts = texts_of(svg_of(picture))
    assert {"A", "B", "1 · one", "2 · two", "3 · three", "1 – 2", "1 – 3", "2.5"} <= set(texts)
    assert picture.alt == (
        "Slope chart of the ranks of 2 pairs among 3; 1 is the closest. From left to right: A, B. “one” and “two”: "
        "1, 3. “one” and “three”: 2.5, 1."
    )


def test_what_the_font_cannot_draw_is_named_by_number_only() -> None:
    texts = texts_of(svg_of(slopes(rank_table(A=[1], 模型=[2]), ["一", "two", "three"], 3)))
    assert {"1", "2", "1 – 2", "model 2"} <= set(texts)
    assert "two" not in "".join(texts)


def test_it_fits_six_models_with_long_names_and_millions_of_pairs() -> None:
    models = {
        f"{k} a model with a very long name, 64 dimensions": [k * 500_000.5 + 1, 3e6 - k] for k in range(6)
    }
    svg = svg_of(slopes(rank_table(**models), ["a very long sentence " * 9] * 3, 3_255_076))
    assert "2,500,003.5" in texts_of(svg)
    assert len(svg) < 60_000
    assert contrast(INK, GROUND) > 7


def test_a_rank_is_written_in_full() -> None:
    assert list(map(in_digits, [1, 2.5, 3_255_076])) == ["1", "2.5", "3,255,076"]


def test_labels_keep_their_distance_and_their_order() -> None:
    assert apart(np.array([50.0, 52, 20]), 10, 0, 100).tolist() == [46, 56, 20]
    assert apart(np.array([1.0, 0, 2]), 10, 0, 100).tolist() == [10, 0, 20]  # not below the bottom
    assert apart(np.array([99.0, 100]), 10, 0, 100).tolist() == [90, 100]
    assert apart(np.array([5.0]), 10, 0, 100).tolist() == [5]
    assert apart(np.array([5.0, 5, 5]), 80, 0, 100).tolist() == [0, 50, 100]  # no room


def test_all_heatmaps_have_the_same_colors_from_the_top_and_groups_have_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sentence_reports.lesson.multiples.Picture", lambda figure, alt: figure)
    tables = {
        name: pd.DataFrame(np.array([[1, x, -0.1], [x, 1, 0.2], [-0.1, 0.2, 1]]), list("abc"), list("abc"))
        for name, x in (("A", 0.3), ("B", 0.9))
    }
    drawn: Any = heatmaps(tables, low=0.0, high=0.9, groups=["x", "x", "y"])
    axes = drawn.axes
    grids = [each for each in axes if each.collections and each.get_ylim() == (3, 0)]
    assert [grid.collections[0].get_clim() for grid in grids] == [(0.0, 0.9)] * 2
    assert [len(grid.patches) for grid in grids] == [2, 2]


@pytest.mark.parametrize(("lowest", "end"), [(-0.1, "min"), (0.1, "neither")])
def test_the_scale_has_an_arrow_if_a_pair_is_below_its_low_end(
    lowest: float, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentence_reports.lesson.multiples.Picture", lambda figure, alt: figure)
    drawn: Any = heatmaps({"A": symmetric([0.7, 0.4, 0.2]), "B": symmetric([0.7, lowest, 0.2])}, high=0.7)
    scales = [
        each.colorbar for axes in drawn.axes for each in axes.collections if getattr(each, "colorbar", None)
    ]
    assert [scale.extend for scale in scales] == [end]
