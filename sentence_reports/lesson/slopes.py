"""A slope chart: how the ranks of a few pairs of sentences differ from model to model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from sentence_reports.lesson.picture import (
    PX,
    SMALL,
    Picture,
    can_draw,
    canvas,
    fit,
    numbered,
    styled,
    text_width,
)
from sentence_reports.schemes import INK, QUIET
from sentence_reports.texts import isolated, quoted

WIDTH = 840  # CSS pixels
HEIGHT = 300  # CSS pixels from the first rank to the last
HEAD, FOOT = 44, 16  # CSS pixels above and below
LABEL = 190  # CSS pixels of a sentence
LINE = 16  # CSS pixels of a line of text
LEADER = 16  # CSS pixels between a line's end and what is written there
PAIR_DASH = "–"  # between the numbers of two sentences


def most_moved(ranks: pd.DataFrame, count: int = 6) -> pd.DataFrame:
    """Return the rows of up to `count` pairs whose ranks differ most between any two models, the largest first.

    `ranks` has a row for each pair and a column for each model. Pairs of which all models say the same are left out.
    """
    spread = pd.Series(np.ptp(ranks.to_numpy(), axis=1), ranks.index)
    return ranks.loc[spread[spread > 0].nlargest(count).index]


@styled
def slopes(ranks: pd.DataFrame, labels: Sequence[str], total: int) -> Picture:
    """Return a slope chart of one or more pairs: the models from left to right, the closest rank on top.

    `ranks` has a row for each pair, whose index is the positions of its two sentences, and a column for each model;
    `labels` holds the label of each sentence of the set, `total` is the number of all its pairs. A solid line rises, a
    dashed one falls. The pairs are named by their sentences' numbers, on the left also by their labels if the font can
    draw them.
    """
    pairs = [tuple(map(int, pair)) for pair in ranks.index]
    written = not numbered([labels[k] for pair in pairs for k in pair])
    left = [
        "\n".join(f"{k + 1} · {fit(labels[k], LABEL)}" if written else str(k + 1) for k in pair)
        for pair in pairs
    ]
    right = [f"{first + 1} {PAIR_DASH} {second + 1}" for first, second in pairs]
    sides = [
        _Side([in_digits(rank) for rank in ranks.iloc[:, column]], names, side)
        for column, names, side in ((0, left, -1), (-1, right, 1))
    ]
    across = np.linspace(sides[0].room, WIDTH - sides[1].room, len(ranks.columns))
    upwards = FOOT + HEIGHT * (1 - (ranks.to_numpy(dtype=float) - 1) / max(total - 1, 1))
    figure, axes = canvas(WIDTH, HEAD + HEIGHT + FOOT)
    for points in upwards:
        for k in range(len(across) - 1):
            ends = points[k : k + 2]
            dashes = (0, (5, 4)) if ends[1] < ends[0] else "solid"
            axes.plot(across[k : k + 2], ends, color=INK, alpha=0.6, lw=1.5, ls=dashes)
        axes.scatter(across, points, s=14, c=INK, linewidths=0, zorder=3)
    _name_models(axes, across, list(ranks.columns))
    for side, column in zip(sides, (0, -1), strict=True):
        side.write(axes, across[column], upwards[:, column])
    return Picture(figure, _describe(ranks, labels, total))


class _Side:
    """What is written at one end of the lines: for each pair its rank, and its sentences farther out.

    `side` is -1 on the left and 1 on the right; `room` is the width in CSS pixels that it takes.
    """

    def __init__(self, ranks: list[str], names: list[str], side: int) -> None:
        self._ranks, self._names, self._side = ranks, names, side
        self._lines = names[0].count("\n") + 1
        self._inner = LEADER + max(text_width(rank, SMALL) for rank in ranks) + 12
        widest = max(text_width(line, SMALL) for name in names for line in name.split("\n"))
        self.room = self._inner + widest + 4

    def write(self, axes: Axes, x: float, ends: NDArray[np.floating]) -> None:
        """Write everything at the lines' ends, at `x`, as near as possible to their `ends`."""
        side, half = self._side, (self._lines - 1) * LINE / 2
        style: Any = {"ha": "left" if side > 0 else "right", "va": "center", "size": SMALL * PX}
        heights = apart(ends, self._lines * LINE + 5, FOOT + half, FOOT + HEIGHT - half)
        for end, y, rank, name in zip(ends, heights, self._ranks, self._names, strict=True):
            axes.plot([x + side * 4, x + side * (LEADER - 3)], [end, y], color=QUIET, lw=0.75)
            axes.text(x + side * LEADER, y, rank, weight="bold", **style)
            for k, line in enumerate(name.split("\n")):
                axes.text(x + side * self._inner, y + half - k * LINE, line, **style)


def in_digits(rank: float) -> str:
    """Return a rank as text: whole, or with a half if two pairs share it."""
    return f"{rank:,.1f}".removesuffix(".0")


def apart(heights: NDArray[np.floating], size: float, low: float, high: float) -> NDArray[np.floating]:
    """Return `(k,)` heights moved so that any two are at least `size` apart, in their order, between `low` and `high`.

    Each moves as little as it can; if there is no room for all, they are at equal distances.
    """
    count = len(heights)
    step = min(size, (high - low) / max(count - 1, 1))
    order, steps = np.argsort(heights, kind="stable"), step * np.arange(count)
    # the nondecreasing values that are nearest to these
    level = isotonic_regression(heights[order] - steps).x
    result = np.empty(count)
    result[order] = np.clip(level, low, high - step * (count - 1)) + steps
    return result


def _name_models(axes: Axes, across: NDArray[np.floating], labels: list[str]) -> None:
    """Write the models' names on top, each above its line of ranks."""
    width = min(across[1] - across[0] - 12, 240)
    for k, (x, label) in enumerate(zip(across, labels, strict=True)):
        name = fit(label, width / 1.15) if can_draw(label) else f"model {k + 1}"
        x = min(x, WIDTH - 1.15 * text_width(name) / 2)
        axes.text(x, FOOT + HEIGHT + 28, name, weight="bold", ha="center", va="center")
        axes.plot([across[k]] * 2, [FOOT, FOOT + HEIGHT], color=QUIET, lw=0.5)


def _describe(ranks: pd.DataFrame, labels: Sequence[str], total: int) -> str:
    models = [isolated(label) for label in ranks.columns]
    count = f"{len(ranks)} pairs" if len(ranks) > 1 else "one pair"
    alt = f"Slope chart of the ranks of {count} among {total:,}; 1 is the closest. "
    alt += f"From left to right: {', '.join(models)}."
    for (first, second), row in zip(ranks.index, ranks.to_numpy(dtype=float).tolist(), strict=True):
        alt += f" {quoted(labels[first])} and {quoted(labels[second])}: {', '.join(map(in_digits, row))}."
    return alt
