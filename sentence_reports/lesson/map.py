"""A map of the sentences: dots with their sentences or numbers beside them, and the names of groups at their clouds."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from sentence_reports.lesson.picture import (
    DOTS_UP_TO,
    PX,
    SMALL,
    TEXT,
    Picture,
    can_draw,
    canvas,
    fit,
    group_colors,
    group_names,
    numbered,
    styled,
    text_width,
    wrap,
)
from sentence_reports.pairs import Pairs
from sentence_reports.schemes import HUES, QUIET
from sentence_reports.texts import quoted

WRITTEN_UP_TO = 15  # sentences that are beside their dots; more have numbers
NUMBERED_UP_TO = 60  # sentences; with more, the dots have no numbers
MAX_DOTS = 1000  # that names keep clear of
MAX_NAMES = 30  # of groups
WIDTH, HEIGHTS = 600, (240, 400)  # CSS pixels
GAPS = (9, 12, 16, 22, 30, 42, 58, 80, 110, 150, 200)  # from a dot to what is beside it
LEADER = 24  # from this gap on, a line leads to the dot
ATTEMPTS = 4  # to find room: what finds none goes first in the next
LINE = 1.25  # the height of a line in relation to its type

Box = tuple[float, float, float, float]  # left, bottom, right, top


@styled
def sentence_map(
    points: NDArray[np.floating], kept: float, labels: Sequence[str], groups: Sequence[str] | None = None
) -> Picture:
    """Return a map of `n` sentences at `(n, 2)` points, which keep the share `kept`, 0 to 1, of the variance.

    Up to `WRITTEN_UP_TO` sentences are beside their dots, up to `NUMBERED_UP_TO` are there by number. The names of
    groups are at their dots, which have the color of their group. What finds no room is left out, and the text
    alternative says so.
    """
    n = len(points)
    points = points.round(4) + 0.0  # what is smaller is rounding, and differs with the number of threads
    span = np.maximum(np.ptp(points, axis=0), 1e-3)
    margin = np.array((90, 44))
    height = float(np.clip((WIDTH - 180) * span[1] / span[0] + 88, *HEIGHTS))
    size = np.array((WIDTH, height))
    unit = min((size - 2 * margin) / span)
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    dots = (points - middle) * unit + size / 2
    figure, axes = canvas(WIDTH, height)
    colors = np.array(group_colors(groups) if groups else [HUES[0]] * n)
    for color in dict.fromkeys(colors.tolist()):
        across, upwards = dots[colors == color].T
        area = 44 if n <= NUMBERED_UP_TO else 14
        axes.scatter(across, upwards, s=area, c=color, linewidths=0, rasterized=n > DOTS_UP_TO)
    free = _Free(dots[:MAX_DOTS], (0, 0, WIDTH, height))
    unlabeled = _label(axes, free, dots, labels) if n <= NUMBERED_UP_TO else 0
    unnamed = _name_groups(axes, free, dots, groups) if groups else 0
    alt = _describe(points, kept, labels, groups)
    for count, what in ((unnamed, "names of groups"), (unlabeled, "numbers")):
        alt += f" For lack of room, {count} {what} are left out." if count else ""
    return Picture(figure, alt)


class _Free:
    """Where something can be written: over no dot and over nothing that is written already (`taken`)."""

    def __init__(self, dots: NDArray[np.floating], bounds: Box) -> None:
        self.taken = np.concatenate([dots - 5, dots + 5], axis=1)
        self._bounds = bounds

    def beside(self, dot: NDArray[np.floating], width: float, height: float) -> tuple[Box, float] | None:
        """Take the nearest free box of this size beside a dot; return it with its distance, or None."""
        for gap in GAPS:
            for box in _around(dot, width, height, gap):
                if self._is_free(box) and (gap < LEADER or self._is_clear(dot, box)):
                    self.taken = np.vstack([self.taken, box])
                    return box, gap
        return None

    def _is_free(self, box: Box) -> bool:
        left, bottom, right, top = box
        low_x, low_y, high_x, high_y = self._bounds
        if left < low_x or bottom < low_y or right > high_x or top > high_y:
            return False
        taken = self.taken
        meets = (taken[:, 0] < right) & (taken[:, 2] > left) & (taken[:, 1] < top) & (taken[:, 3] > bottom)
        return not meets.any()

    def _is_clear(self, dot: NDArray[np.floating], box: Box) -> bool:
        """Whether a straight line from a dot to a box crosses nothing but the dot."""
        steps = np.linspace(0, 1, 24)[:, None]
        line = (dot + steps * (np.clip(dot, box[:2], box[2:]) - dot))[:, None]
        inside = ((line > self.taken[:, :2]) & (line < self.taken[:, 2:])).all(axis=2)
        return not inside[:, ~inside[0]].any()


def _around(dot: NDArray[np.floating], width: float, height: float, gap: float) -> Iterator[Box]:
    """Yield boxes of a size at a distance from a dot: right, left, above, below, then at the four corners."""
    for across, up in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
        near = 0.7 * gap if across and up else gap
        left = float(dot[0]) + across * (near + width / 2) - width / 2
        bottom = float(dot[1]) + up * (near + height / 2) - height / 2
        yield left, bottom, left + width, bottom + height


def _name_groups(axes: Axes, free: _Free, dots: NDArray[np.floating], groups: Sequence[str]) -> int:
    """Write the name of each group beside its dots; return how many found no room or cannot be drawn."""
    names = list(dict.fromkeys(groups))
    left_out = 0
    for k, name in enumerate(names):
        members = dots[[group == name for group in groups]]
        center = members.mean(axis=0)
        middle = members[np.linalg.norm(members - center, axis=1).argmin()]
        text, free_box = "", None
        if k < MAX_NAMES and can_draw(name):
            text = fit(name, 160)
            free_box = free.beside(middle, text_width(text) * 1.12 + 4, TEXT * LINE)
        if free_box is None:
            left_out += 1
            continue
        _write(axes, middle, *free_box, text, weight="bold")
    return left_out


def _label(axes: Axes, free: _Free, dots: NDArray[np.floating], labels: Sequence[str]) -> int:
    """Write each sentence beside its dot if they are few, else its number; return how many found no room."""
    in_full = len(labels) <= WRITTEN_UP_TO and not numbered(labels)
    texts = [
        wrap(label, 130, SMALL, lines=3) if in_full else str(k) for k, label in enumerate(labels, start=1)
    ]
    order = list(range(len(texts)))
    for _ in range(ATTEMPTS):
        attempt = copy(free)
        free_boxes = {k: attempt.beside(dots[k], *_size(texts[k])) for k in order}
        without = [k for k in order if free_boxes[k] is None]
        if not without:
            break
        order = without + [k for k in order if k not in without]
    for k in without if in_full else ():
        texts[k] = str(k + 1)
        free_boxes[k] = attempt.beside(dots[k], *_size(texts[k]))
    for k, free_box in free_boxes.items():
        if free_box:
            _write(axes, dots[k], *free_box, texts[k], size=SMALL * PX)
    free.taken = attempt.taken
    return list(free_boxes.values()).count(None)


def _size(text: str) -> tuple[float, float]:
    """Return the width and the height of a small text."""
    lines = text.split("\n")
    return max(text_width(line, SMALL) for line in lines) + 2, SMALL * LINE * len(lines)


def _write(axes: Axes, dot: NDArray[np.floating], box: Box, gap: float, text: str, **style: Any) -> None:
    """Write a text into its box beside a dot, and draw a line to the dot if the two are far apart."""
    left, bottom, _, top = box
    lines = text.split("\n")
    for k, line in enumerate(lines):
        axes.text(left, top - (top - bottom) * (k + 0.5) / len(lines), line, va="center", **style)
    if gap >= LEADER:
        near = np.clip(dot, box[:2], box[2:])
        axes.plot([dot[0], near[0]], [dot[1], near[1]], color=QUIET, lw=0.75)


def _describe(
    points: NDArray[np.floating], kept: float, labels: Sequence[str], groups: Sequence[str] | None
) -> str:
    n = len(points)
    shown = "colored by" if len(set(groups or ())) <= len(HUES) else "with the names of"
    alt = f"Map of {n} sentences, which keeps {100 * kept:.0f}% of the variance"
    alt += f", {shown} the groups {group_names(groups)}." if groups else "."
    if n > NUMBERED_UP_TO:
        return f"{alt} Their numbers are left out."
    if n > WRITTEN_UP_TO or numbered(labels):
        alt += " The numbers are those of the sentences in the set."
    if n > 2:
        first, second, _ = Pairs(squareform(pdist(points))).farthest(1)[0]  # of distances, the smallest
        alt += f" The two closest points are {quoted(labels[first])} and {quoted(labels[second])}."
    return alt
