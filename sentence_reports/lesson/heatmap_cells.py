"""The drawing of a heatmap: cells with their numbers, labels of rows and columns, groups, and the scale of colors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from sentence_reports.lesson.picture import PX, SMALL, can_draw, canvas, fit, group_colors, text_width
from sentence_reports.schemes import QUIET
from sentence_reports.texts import number

ANNOTATED_UP_TO = 20  # rows or columns; with more, a cell is too small for its number
LABELED_UP_TO = 60  # rows or columns; with more, a label would be too small to be read
WIDTH = 840  # CSS pixels of the whole at most
LABEL_ROOM = (90, 235)  # CSS pixels of the rows' labels
NARROWEST = 210  # CSS pixels of the scale
TALLEST = 1000  # CSS pixels of the cells
BOLD = 1.15  # the width of bold letters in relation to others
FRAME = "#333333"  # on cells, whose colors are the same in every scheme
NAME: Any = {"ha": "center", "va": "center", "size": SMALL * PX, "weight": "bold"}  # of a group
BRACKET = 28  # CSS pixels of the groups' names and brackets


@dataclass(frozen=True)
class Axis:
    """The rows or the columns of a heatmap: their labels and their groups.

    `kind` says what they are in words if there are too many for labels. `upright` turns the labels of columns.
    """

    labels: Sequence[str]
    groups: Sequence[str] | None = None
    kind: str = "sentences"
    upright: bool = False

    @property
    def labeled(self) -> bool:
        """Whether there is room for labels."""
        return len(self.labels) <= LABELED_UP_TO

    @property
    def in_words(self) -> str:
        """What the rows or columns are, if there is no room for labels."""
        return f"{self.kind} 1 to {len(self.labels)}, in the order of the set"

    @property
    def runs(self) -> Iterator[tuple[str, str, int, int]]:
        """Yield each group with its color, its first position and the one after its last."""
        start = 0
        colors = group_colors(self.groups or ())
        for name, members in groupby(self.groups or ()):
            end = start + len(list(members))
            yield name, colors[start], start, end
            start = end


def draw_cells(
    values: NDArray[np.floating], ends: tuple[float, float], cmap: str, rows: Axis, columns: Axis
) -> Figure:
    """Return a figure of an `(r, c)` array of similarities as colored cells, with their numbers if they are few.

    What is NaN is blank. `ends` are the similarities at the ends of the colors. If `rows` and `columns` have the same
    groups, a frame is around the cells of each.
    """
    layout = _Layout(rows, columns)
    figure, axes = canvas(layout.width, layout.height)
    grid = figure.add_axes(layout.share(layout.left, layout.foot, layout.grid_width, layout.grid_height))
    bar = figure.add_axes(layout.share(layout.left, 34, max(min(layout.grid_width, 320), NARROWEST), 10))
    sns.heatmap(
        values,
        ax=grid,
        cbar_ax=bar,
        vmin=ends[0],
        vmax=ends[1],
        cmap=cmap,
        mask=np.isnan(values),
        annot=_numbers(values) if layout.few else False,
        fmt="",
        annot_kws={"size": (SMALL if layout.cell >= 38 else 11) * PX},
        xticklabels=False,
        yticklabels=False,
        cbar_kws={"orientation": "horizontal", "extend": "min" if np.nanmin(values) < ends[0] else "neither"},
        rasterized=not layout.few,
    )
    ticks = [ends[0], sum(ends) / 2, ends[1]]
    bar.set_xticks(ticks, [number(tick, 2) for tick in ticks], size=SMALL * PX)
    bar.tick_params(length=3)
    axes.text(layout.left, 6, "cosine similarity", color=QUIET, size=SMALL * PX, va="center")
    _label_rows(axes, layout, rows)
    _label_columns(axes, layout, columns)
    if rows.groups == columns.groups:
        for _, _, start, end in rows.runs:
            side = end - start
            grid.add_patch(Rectangle((start, start), side, side, fill=False, edgecolor=FRAME, linewidth=1.2))
    return figure


def _numbers(values: NDArray[np.floating]) -> NDArray[np.object_]:
    """Return values as text with two decimals."""
    return np.array([[number(value, 2) for value in row] for row in values.tolist()], dtype=object)


class _Layout:
    """Where the parts of a heatmap are, in CSS pixels from the bottom left."""

    def __init__(self, rows: Axis, columns: Axis) -> None:
        height, width = len(rows.labels), len(columns.labels)
        self.few = max(height, width) <= ANNOTATED_UP_TO
        self.bracket = BRACKET if rows.groups and rows.labeled else 0
        needed = max(map(text_width, rows.labels)) + 12 if rows.labeled else 24
        least = 34 if self.few else 12 if columns.labeled else 0
        spare = WIDTH - 20 - self.bracket - least * width
        self.room = min(needed, max(LABEL_ROOM[0], min(LABEL_ROOM[1], spare)))
        self.left = self.bracket + self.room
        self.cell = min(46 if self.few else 22, (WIDTH - 20 - self.left) / width)
        self.row = min(self.cell, 32) if self.few else min(22, max(self.cell, 14 if rows.labeled else 0))
        self.row = min(self.row, TALLEST / height)
        self.turned = columns.upright and columns.labeled
        self.foot = 52 + (22 if self.turned and columns.groups else 0)
        self.grid_width, self.grid_height = self.cell * width, self.row * height
        over = max(text_width(label, SMALL) for label in columns.labels) + 12 if self.turned else 22
        self.width = self.left + max(self.grid_width, NARROWEST) + 20
        self.top = self.foot + self.grid_height
        self.height = self.top + over

    def share(
        self, left: float, bottom: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        """Return a box as matplotlib wants it, in shares of the figure."""
        return left / self.width, bottom / self.height, width / self.width, height / self.height


def _label_rows(axes: Axes, layout: _Layout, rows: Axis) -> None:
    """Write the labels of the rows, and the names of their groups with a bracket for each."""
    if not rows.labeled:
        middle = (layout.foot + layout.top) / 2
        axes.text(12, middle, rows.in_words, rotation=90, ha="center", va="center")
        return
    for k, label in enumerate(rows.labels):
        y = layout.top - layout.row * (k + 0.5)
        axes.text(layout.bracket, y, fit(label, layout.room - 6), va="center")
    for name, color, start, end in rows.runs:
        top, bottom = layout.top - layout.row * start - 2, layout.top - layout.row * end + 2
        axes.plot([BRACKET - 8] * 2, [bottom, top], color=color, lw=3, solid_capstyle="butt")
        axes.text(BRACKET - 20, (top + bottom) / 2, _fit_name(name, top - bottom), rotation=90, **NAME)


def _label_columns(axes: Axes, layout: _Layout, columns: Axis) -> None:
    """Write the labels of the columns on top, and the names of their groups below if the labels are upright."""
    if not columns.labeled:
        axes.text(layout.left, layout.top + 5, columns.in_words, va="bottom")
        return
    step = 1 if layout.cell >= 18 or layout.turned else 5
    style: Any = {"ha": "center", "va": "bottom", "size": SMALL * PX, "rotation": 90 if layout.turned else 0}
    for k, label in list(enumerate(columns.labels))[::step]:
        axes.text(layout.left + layout.cell * (k + 0.5), layout.top + 5, label, **style)
    for name, color, start, end in columns.runs if layout.turned else ():
        left, right = layout.left + layout.cell * start + 2, layout.left + layout.cell * end - 2
        axes.plot([left, right], [layout.foot - 6] * 2, color=color, lw=3, solid_capstyle="butt")
        axes.text((left + right) / 2, layout.foot - 17, _fit_name(name, right - left), **NAME)


def _fit_name(name: str, width: float) -> str:
    """Return a group's name, cut to a width; empty if too little of it would be left or the font cannot draw it."""
    text = fit(name, width / BOLD, SMALL) if can_draw(name) else ""
    return text if text == name or len(text) > 5 else ""
