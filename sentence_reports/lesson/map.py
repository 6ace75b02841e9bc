"""A map of the sentences: points with numbers, colors of groups and a list of labels below."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from sentence_reports.lesson.picture import (
    BLUE,
    LABEL,
    STYLE,
    Picture,
    group_colors,
    group_names,
    numbered,
    numbered_labels,
)
from sentence_reports.texts import quoted, shorten

LISTED_UP_TO = 20  # sentences whose labels are listed below the map
NUMBERED_UP_TO = 60  # sentences; with more, the points have no numbers
VECTOR_UP_TO = 400  # points; with more, the PNG is smaller than the SVG
SIZE = (6.0, 4.0)  # inches
MAX_LINES = 40  # below the map


def sentence_map(
    points: NDArray[np.floating], kept: float, labels: Sequence[str], groups: Sequence[str] | None = None
) -> Picture:
    """Return a map of `n` sentences at `(n, 2)` points, which keep the share `kept`, 0 to 1, of the variance.

    Points have the color of their group and the sentence's number, as long as these can be told apart.
    """
    n = len(points)
    points = points.round(4) + 0.0  # what is smaller is rounding, and differs with the number of threads
    colors = group_colors(groups) if groups else [BLUE] * n
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=SIZE)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.scatter(points[:, 0], points[:, 1], c=colors, s=30 if n <= NUMBERED_UP_TO else 8)
        # Room for all points and their numbers, at the same scale both ways.
        inch = max(*np.ptp(points, axis=0) / np.subtract(SIZE, 0.8), 0.02)
        center, half = (points.max(axis=0) + points.min(axis=0)) / 2, np.array(SIZE) / 2 * inch
        (left, low), (right, high) = center - half, center + half
        axes.set(xlim=(left, right), ylim=(low, high), xticks=[], yticks=[])
        offsets = _free_offsets(72 * points / inch) if n <= NUMBERED_UP_TO else []
        style: dict[str, Any] = {"textcoords": "offset points", "size": 8, "ha": "center", "va": "center"}
        for k, offset in enumerate(offsets):
            if offset is not None:
                axes.annotate(str(k + 1), points[k], offset, color=colors[k], **style)
        lines = _lines(labels, groups, colors)
        for k, (line, color) in enumerate(lines):  # in two columns
            column, row = divmod(k, math.ceil(len(lines) / 2))
            at, offset = (column / 2, 0), (0, -10 - 15 * row)
            axes.annotate(line, at, offset, "axes fraction", "offset points", color=color, va="top", size=9)
        alt = _describe(points, kept, labels, groups, offsets.count(None))
        return Picture(figure, alt, vector=n <= VECTOR_UP_TO)


def _free_offsets(points: NDArray[np.floating]) -> list[tuple[float, float] | None]:
    """For each point, an offset at which its number covers no point and no other number; None if there is none.

    Points and offsets are in typographic points. The nearest ring of eight directions is tried first.
    """
    turns = np.radians(np.arange(0, 360, 45))
    ring = np.column_stack([np.cos(turns), np.sin(turns)])
    candidates = np.concatenate([ring * 10, ring * 17, ring * 24]).tolist()
    taken = [Bbox.from_bounds(x - 3, y - 3, 6, 6) for x, y in points]
    offsets: list[tuple[float, float] | None] = []
    for k, (x, y) in enumerate(points, start=1):
        width = 5.6 * len(str(k)) + 2
        boxes = {
            (dx, dy): Bbox.from_bounds(x + dx - width / 2, y + dy - 5, width, 10) for dx, dy in candidates
        }
        offsets.append(next((offset for offset, box in boxes.items() if not box.count_overlaps(taken)), None))
        taken += [boxes[offset] for offset in offsets[-1:] if offset]
    return offsets


def _lines(
    labels: Sequence[str], groups: Sequence[str] | None, colors: Sequence[str]
) -> list[tuple[str, str]]:
    """The lines below the map with their colors: each group's name, and the labels if they are few.

    None if the pictures' font cannot draw all of them.
    """
    if numbered([*labels, *(groups or ())]):
        return []
    lines: list[tuple[str, str]] = []
    for k, (label, color) in enumerate(zip(numbered_labels(labels), colors, strict=True)):
        if groups and (k == 0 or groups[k] != groups[k - 1]):
            lines.append((shorten(groups[k], LABEL) + ":", color))
        if len(labels) <= LISTED_UP_TO:
            lines.append((label, color))
    return lines[:MAX_LINES]


def _describe(
    points: NDArray[np.floating],
    kept: float,
    labels: Sequence[str],
    groups: Sequence[str] | None,
    left_out: int,
) -> str:
    n = len(points)
    alt = f"Map of {n} sentences, which keeps {100 * kept:.0f}% of the variance"
    alt += f", colored by the groups {group_names(groups)}." if groups else "."
    if n > NUMBERED_UP_TO:
        return f"{alt} Their numbers are left out."
    if n > 2:
        distances = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(np.full(n, np.inf))
        first, second = divmod(int(np.argmin(distances)), n)
        alt += f" The two closest points are {quoted(labels[first])} and {quoted(labels[second])}."
    return alt + (f" For lack of room, {left_out} numbers are left out." if left_out else "")
