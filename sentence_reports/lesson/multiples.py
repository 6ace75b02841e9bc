"""Heatmaps of several models side by side: the same sentences in the same order, in the same colors."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from sentence_reports.comparison import upper
from sentence_reports.facts import Legend
from sentence_reports.lesson.heatmap import describe_scale, ends_in_words, legend
from sentence_reports.lesson.heatmap_cells import FRAME, LABELED_UP_TO, Axis
from sentence_reports.lesson.order import blocks
from sentence_reports.lesson.picture import (
    PX,
    SMALL,
    Picture,
    can_draw,
    canvas,
    fit,
    group_names,
    numbered_labels,
    styled,
    text_width,
)
from sentence_reports.schemes import QUIET
from sentence_reports.texts import isolated, number

WIDTH = 840  # CSS pixels
ROOM = 225  # CSS pixels of the labels of the rows
HEATMAP_GAP = 26  # CSS pixels between heatmaps
HEAD = 60  # CSS pixels above a heatmap: its model's name and the numbers of its columns
FOOT = 56  # CSS pixels of the scale
LARGEST = 30  # CSS pixels of a cell
WRITTEN_FROM = 15  # CSS pixels of a row; a label does not fit into less
RASTERIZED_FROM = 16  # rows; the cells of more are pixels inside the SVG
LEAST_HIGH = 0.5  # of the colors: small differences must not look like day and night


def corrected_range(tables: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Return the chance-corrected similarities at the ends of the colors: 0, and the largest of all pairs and models.

    `tables` holds an `(n, n)` table for each model. The high end is 0.5 at least and 1 at most.
    """
    largest = max(upper(table.to_numpy()).max() for table in tables.values())
    return 0.0, float(np.clip(largest, LEAST_HIGH, 1.0))


def corrected_legend(
    tables: Mapping[str, pd.DataFrame], *, groups: Sequence[str] | None, cmap: str
) -> Legend:
    """Return what a page says about the colors of the heatmaps of all models, between the ends of `corrected_range`."""
    low, high = corrected_range(tables)
    return legend(_lowest(tables), low=low, high=high, groups=groups, cmap=cmap)


@styled
def heatmaps(
    tables: Mapping[str, pd.DataFrame],
    *,
    order: Sequence[int] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    groups: Sequence[str] | None = None,
    cmap: str = "YlGnBu",
) -> Picture:
    """Return a small heatmap for each model, two in a row, with one scale for all.

    `tables` holds by the model's label its `(n, n)` chance-corrected similarities; all have the same labels of
    sentences as index and columns. The other arguments are those of `heatmap`. More than `LABELED_UP_TO` sentences are
    drawn as the means of blocks: their groups, or sentences that are next to each other.
    """
    texts = list(next(iter(tables.values())).index)
    positions = list(range(len(texts)) if order is None else order)
    what = f"chance-corrected similarity of {len(texts):,} sentences"
    if len(texts) > LABELED_UP_TO:
        means = {label: blocks(table.to_numpy(), positions, groups) for label, table in tables.items()}
        cells = {label: np.array(some.means, dtype=float) for label, some in means.items()}
        high = max(some.high_end(low) for some in means.values())
        some = next(iter(means.values()))
        names = list(some.names or (texts[k] for k in some.central))
        rows, numbers = Axis(numbered_labels(names)), list(range(1, len(names) + 1))
        what = f"mean {what} in {len(names)} {'groups' if some.names else 'blocks of similar ones'}"
    else:
        cells = {label: _ordered(table, positions) for label, table in tables.items()}
        written = numbered_labels(texts)
        runs = [groups[k] for k in positions] if groups else None
        rows, numbers = Axis([written[k] for k in positions], runs), [k + 1 for k in positions]
        what += f", in the groups {group_names(groups)}" if groups else ""
    alt = f"One heatmap for each of {len(tables)} models, of the {what}, "
    alt += f"{describe_scale(_lowest(tables), low, high, cmap)}."
    for label, table in tables.items():
        alt += f" {isolated(label)}: {ends_in_words(table)}"
    return Picture(_draw(cells, (low, high), cmap, rows, numbers), alt)


def _lowest(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the table with the lowest similarity of all."""
    return min(tables.values(), key=lambda table: table.to_numpy().min())


def _ordered(table: pd.DataFrame, positions: Sequence[int]) -> NDArray[np.floating]:
    """Return the rows and columns of a table in an order, with nothing on the diagonal."""
    cells = table.to_numpy(dtype=float)[np.ix_(positions, positions)]
    np.fill_diagonal(cells, np.nan)
    return cells


def _draw(
    cells: Mapping[str, NDArray[np.floating]],
    ends: tuple[float, float],
    cmap: str,
    rows: Axis,
    numbers: Sequence[int],
) -> Figure:
    """Return a figure of square arrays of equal size, named, with the labels of their `rows` on the left."""
    room = min(max(map(text_width, rows.labels)) + 10, ROOM)
    side = min((WIDTH - room - HEATMAP_GAP) / 2, LARGEST * len(numbers))
    room = room if side / len(numbers) >= WRITTEN_FROM else 30
    side = min((WIDTH - room - HEATMAP_GAP) / 2, LARGEST * len(numbers))
    lines = -(-len(cells) // 2)
    height = FOOT + lines * (side + HEAD)
    figure, axes = canvas(WIDTH, height)
    for k, (label, values) in enumerate(cells.items()):
        left, top = room + k % 2 * (side + HEATMAP_GAP), height - HEAD - k // 2 * (side + HEAD)
        box = (left / WIDTH, (top - side) / height, side / WIDTH, side / height)
        mesh = _draw_one(figure.add_axes(box), values, ends, cmap, rows)
        name = fit(label, side) if can_draw(label) else f"model {k + 1}"
        axes.text(left, top + 36, name, weight="bold", va="center")
        pitch = side / len(numbers)
        _label(axes, (left, top), pitch, numbers, rows.labels if room > 30 else None, first=k % 2 == 0)
    bar = figure.add_axes((room / WIDTH, 34 / height, 240 / WIDTH, 10 / height))
    below = any(np.nanmin(values) < ends[0] for values in cells.values())
    figure.colorbar(mesh, cax=bar, orientation="horizontal", extend="min" if below else "neither")
    ticks = [ends[0], sum(ends) / 2, ends[1]]
    bar.set_xticks(ticks, [number(tick, 2) for tick in ticks], size=SMALL * PX)
    bar.tick_params(length=3)
    axes.text(room, 6, "chance-corrected similarity", color=QUIET, size=SMALL * PX, va="center")
    return figure


def _draw_one(
    grid: Axes, values: NDArray[np.floating], ends: tuple[float, float], cmap: str, rows: Axis
) -> QuadMesh:
    """Draw the cells of one model, with a frame around those of each group."""
    many = len(values) > RASTERIZED_FROM
    mesh = grid.pcolormesh(values, vmin=ends[0], vmax=ends[1], cmap=cmap, rasterized=many)
    grid.set(xlim=(0, len(values)), ylim=(len(values), 0))
    grid.set_axis_off()
    for _, _, start, end in rows.runs:
        box = Rectangle((start, start), end - start, end - start, fill=False, edgecolor=FRAME, linewidth=1.2)
        grid.add_patch(box)
    return mesh


def _label(
    axes: Axes,
    corner: tuple[float, float],
    pitch: float,
    numbers: Sequence[int],
    texts: Sequence[str] | None,
    *,
    first: bool,
) -> None:
    """Write the numbers of the columns above cells, and to the left of the first of a line the labels of its rows."""
    left, top = corner
    step = 1 if pitch >= 18 else 5
    for k, shown in list(enumerate(numbers))[::step]:
        axes.text(left + pitch * (k + 0.5), top + 5, str(shown), ha="center", size=SMALL * PX, color=QUIET)
    for k, text in enumerate(texts or map(str, numbers)) if first else ():
        if texts or k % step == 0:
            y = top - pitch * (k + 0.5)
            axes.text(
                left - 6 if not texts else 0,
                y,
                fit(text, left - 8),
                va="center",
                ha="left" if texts else "right",
            )
