"""The heatmap of a similarity matrix, the meaning of its colors, and its description."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sentence_reports.lesson.picture import STYLE, Picture, group_colors, group_names, numbered
from sentence_reports.pairs import Pairs
from sentence_reports.rankings import best_match
from sentence_reports.summary import Baseline, Legend, Pair
from sentence_reports.texts import number, quoted

ANNOTATED_UP_TO = 20  # sentences; with more, a cell is too small for its number
VECTOR_UP_TO = 40  # sentences; with more, the PNG is smaller than the SVG
LABELED_UP_TO = 150  # sentences; with more, no label can be read at any zoom
FRAME: Any = {
    "fill": False,
    "edgecolor": "#333333",
    "linewidth": 1.4,
}  # round the adjacent sentences of a group
HIGHEST_LOW = 0.9  # of the colors; leaves them a tenth
RAMP = 64  # steps of color; an eye sees no more in a table


def color_range(similarity: pd.DataFrame, baseline: Baseline) -> tuple[float, float]:
    """Return the similarities at the ends of the colors: the median of unrelated pairs and the largest of the set.

    A pair that is no more similar than chance gets the first color. A sentence's similarity to itself does not count;
    in an `(q, n)` matrix of a search, all do. The high end is at least halfway from the low one to 1: small
    differences must not look like day and night.
    """
    values = similarity.to_numpy(copy=True)
    if list(similarity.index) == list(similarity.columns):
        np.fill_diagonal(values, -1)
    low = min(baseline.median, HIGHEST_LOW)
    return low, min(max(float(values.max()), (low + 1) / 2), 1.0)


def heatmap(
    similarity: pd.DataFrame,
    *,
    order: Sequence[int] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    groups: Sequence[str] | None = None,
    cmap: str = "YlGnBu",
) -> Picture:
    """Return the heatmap of an `(n, n)` similarity matrix.

    `similarity` has the same labels, in the same order, as index and columns. `order` holds the positions of the
    sentences in the order in which they are shown (`row_order`; None: as they are). `low` and `high` are the
    similarities at the ends of the colors (`color_range`); what is beyond gets the color of the end. The diagonal is
    blank. `groups` holds one name per sentence: adjacent sentences of a group are framed together and share a color.
    If the font cannot draw a label, the axes show the sentences' numbers. Raises ValueError if the matrix is not
    square or the labels differ.
    """
    n, labels = len(similarity), list(similarity.index)
    if similarity.shape != (n, n) or labels != list(similarity.columns):
        raise ValueError(
            f"expected a square matrix with equal labels on both axes, found shape {similarity.shape}"
        )
    positions = list(range(n) if order is None else order)
    shown = similarity.iloc[positions, positions]
    names = [groups[k] for k in positions] if groups else None
    side = _side(n)
    with mpl.rc_context(STYLE):
        figure, axes = _draw(shown, low, high, cmap, side, side, 10 if n <= 10 else 8, blank_diagonal=True)
        _label_axes(axes, labels, positions, names)
        start = 0
        for size in (len(list(members)) for _, members in groupby(names or ())):
            axes.add_patch(mpl.patches.Rectangle((start, start), size, size, **FRAME))
            start += size
        alt = describe_heatmap(similarity, low, high, groups, cmap)
        return Picture(figure, alt, vector=n <= VECTOR_UP_TO)


def search_heatmap(
    similarity: pd.DataFrame,
    *,
    low: float = 0.0,
    high: float = 1.0,
    groups: Sequence[str] | None = None,
    cmap: str = "YlGnBu",
) -> Picture:
    """Return the heatmap of a `(q, n)` similarity matrix, one row per query and one column per sentence.

    `low` and `high` are the similarities at the ends of the colors (`color_range`); what is beyond gets the color of
    the end. `groups` holds one name per sentence; the label of a sentence has the color of its group. If the font
    cannot draw a label, its axis shows numbers.
    """
    longest = max(similarity.shape)
    height, width = (
        max(1.2, 0.42 * n) if n <= ANNOTATED_UP_TO else min(0.15 * n, 16.0) for n in similarity.shape
    )
    with mpl.rc_context(STYLE):
        figure, axes = _draw(similarity, low, high, cmap, width, height, 9)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for axis, labels, kind in (
            (axes.xaxis, list(similarity.columns), "sentences"),
            (axes.yaxis, list(similarity.index), "queries"),
        ):
            if len(labels) > LABELED_UP_TO:
                axis.set_label_text(f"{kind} 1 to {len(labels)}, in the order of the set")
                continue
            shown = [str(k) for k in range(1, len(labels) + 1)] if numbered(labels) else labels
            rotation = 90 if axis is axes.xaxis and shown is labels else 0
            size = 9 if longest <= VECTOR_UP_TO else 7
            axis.set_ticks(np.arange(len(labels)) + 0.5, shown, rotation=rotation, size=size)
        for tick, color in zip(axes.get_xticklabels(), group_colors(groups or ()), strict=False):
            tick.set_color(color)
        alt = describe_search(similarity, low, high, groups, cmap)
        return Picture(figure, alt, vector=longest <= VECTOR_UP_TO)


def _draw(
    similarity: pd.DataFrame,
    low: float,
    high: float,
    cmap: str,
    width: float,
    height: float,
    size: float,
    *,
    blank_diagonal: bool = False,
) -> tuple[Figure, Axes]:
    """Draw the cells in a box of so many inches, with numbers of a font size, and the scale of colors next to it."""
    figure = Figure(figsize=(width + 1, height))
    axes = figure.add_axes((0, 0, width / (width + 1), 1))
    scale = figure.add_axes(((width + 0.25) / (width + 1), 0.1, 0.2 / (width + 1), 0.8))
    few = max(similarity.shape) <= ANNOTATED_UP_TO
    sns.heatmap(
        similarity,
        ax=axes,
        cbar_ax=scale,
        vmin=low,
        vmax=high,
        cmap=cmap,
        annot=similarity.map(lambda value: number(value, 2)) if few else False,
        fmt="",
        annot_kws={"size": size},
        xticklabels=False,
        yticklabels=False,
        cbar_kws={
            "label": "cosine similarity",
            "extend": "min" if similarity.to_numpy().min() < low else "neither",
        },
        rasterized=not few,
        mask=np.eye(len(similarity), dtype=bool) if blank_diagonal else None,
    )
    axes.set(xlabel=None, ylabel=None)
    legible = max(9.0, 1.5 * height)  # whatever the size of the whole
    scale.tick_params(labelsize=legible)
    scale.yaxis.label.set_fontsize(legible)
    return figure, axes


def _side(n: int) -> float:
    """The side in inches: room for a number in each cell, then for a label at each row, then for neither."""
    if n <= ANNOTATED_UP_TO:
        return max(5.0, 0.36 * n)
    return max(6.0, 0.15 * n) if n <= VECTOR_UP_TO else max(6.0, min(0.105 * n, 16.0))


def _label_axes(axes: Axes, labels: list[str], positions: list[int], groups: Sequence[str] | None) -> None:
    """Label the rows and columns, which show the sentences at `positions`."""
    n = len(labels)
    if n > LABELED_UP_TO:
        order = (
            "in the order of the set" if positions == sorted(positions) else "similar ones next to each other"
        )
        axes.set_xlabel(f"sentences 1 to {n}, {order}")
        return
    shown = [str(k + 1) if numbered(labels) else labels[k] for k in positions]
    size = 10 if n <= 10 else 9 if n <= ANNOTATED_UP_TO else 7 if n <= VECTOR_UP_TO else 6
    axes.xaxis.tick_top()
    axes.set_xticks(np.arange(n) + 0.5, shown, rotation=90, size=size)
    axes.set_yticks(np.arange(n) + 0.5, shown, rotation=0, size=size)
    axes.tick_params(length=0)
    if groups is not None:
        ticks = [*axes.get_xticklabels(), *axes.get_yticklabels()]
        for tick, color in zip(ticks, 2 * group_colors(groups), strict=True):
            tick.set_color(color)


def legend(
    similarity: pd.DataFrame, *, low: float, high: float, groups: Sequence[str] | None, cmap: str
) -> Legend:
    """Return what a page says about the colors of the heatmap with the same ends.

    `groups` holds one name per column.
    """
    colors = mpl.colormaps[cmap].resampled(RAMP)
    return Legend(
        low=low,
        high=high,
        scale=describe_scale(similarity, low, high, cmap),
        ramp=tuple(mpl.colors.to_hex(colors(k)) for k in range(RAMP)),
        groups=tuple(dict.fromkeys(zip(groups, group_colors(groups), strict=True))) if groups else (),
        numbered=any(len(axis) <= LABELED_UP_TO and numbered(list(axis)) for axis in similarity.axes),
    )


def describe_heatmap(
    similarity: pd.DataFrame, low: float, high: float, groups: Sequence[str] | None, cmap: str
) -> str:
    """Describe the heatmap: its size, its colors, its groups, its closest and its farthest pair."""
    pairs, labels = Pairs(similarity.to_numpy()), list(similarity.index)

    def describe(pair: Pair) -> str:
        return (
            f"{quoted(labels[pair.first])} and {quoted(labels[pair.second])} at {number(pair.similarity, 2)}"
        )

    scale = describe_scale(similarity, low, high, cmap)
    grouped = f", in the groups {group_names(groups)}" if groups else ""
    closest, farthest = describe(pairs.closest(1)[0]), describe(pairs.farthest(1)[0])
    ends = f"The closest pair is {closest}; the farthest is {farthest}."
    return f"Heatmap of the cosine similarity of {len(labels)} sentences, {scale}{grouped}. " + (
        ends if len(pairs) > 1 else f"The one pair is {closest}."
    )


def describe_search(
    similarity: pd.DataFrame, low: float, high: float, groups: Sequence[str] | None, cmap: str
) -> str:
    """Describe the heatmap of a search: its size, its colors, its groups and the best match."""
    rows, columns = similarity.shape
    query, sentence, value = best_match(similarity.to_numpy())
    grouped = f", in the groups {group_names(groups)}" if groups else ""
    return (
        f"Heatmap of the cosine similarity of {rows} {'query' if rows == 1 else 'queries'} (rows) and {columns} "
        f"sentences (columns{grouped}), {describe_scale(similarity, low, high, cmap)}. The best match is "
        f"{quoted(similarity.index[query])} with {quoted(similarity.columns[sentence])} at {value:.2f}."
    )


def describe_scale(similarity: pd.DataFrame, low: float, high: float, cmap: str) -> str:
    """The color scale in words: from which similarity to which, and which end is light."""
    ramp = mpl.colormaps[cmap](np.linspace(0, 1, RAMP))[:, :3] @ [0.299, 0.587, 0.114]  # luma, after BT.601
    steps, ends = np.diff(ramp), ("", "")
    if np.all(steps <= 0.01):
        ends = (" (lightest)", " (darkest)")
    elif np.all(steps >= -0.01):
        ends = (" (darkest)", " (lightest)")
    below = " or less" if similarity.to_numpy().min() < low else ""
    return f"from {number(low, 2)}{below}{ends[0]} to {number(high, 2)}{ends[1]}"
