"""Pictures of vectors and of numbers: embeddings as strips, two of them with their angle, the model's own scale.

Each picture is bounded however many sentences there are, and its text alternative says what it leaves out.
"""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from sentence_reports.facts import Baseline
from sentence_reports.lesson.picture import Picture, canvas, fit, numbered_labels, styled, text_width, wrap
from sentence_reports.schemes import FAINT, HUES, QUIET
from sentence_reports.texts import number, quoted

MAX_STRIPS = 12
BINS = 48  # of a strip
LINES_UP_TO = 100  # pairs of the set drawn as a line each; more are a histogram
WIDTH = 480  # CSS pixels; a phone shows three quarters of them
BLUE, RED = HUES[:2]
Side = tuple[float, float]


@styled
def strips(embeddings: NDArray[np.floating], labels: Sequence[str]) -> Picture:
    """Return the first rows of an `(n, d)` array of embeddings as colored strips, the most similar to the first on top.

    All strips are in the order of the first sentence's numbers, largest first, and averaged to at most `BINS` values:
    one that resembles the first runs from red to blue as well. At each row's end is its cosine similarity to the first.
    """
    n, d = min(len(embeddings), MAX_STRIPS), embeddings.shape[1]
    lengths = np.maximum(np.linalg.norm(embeddings[:n], axis=1), np.finfo(np.float32).tiny)
    cosines = (embeddings[:n] @ embeddings[0] / lengths / lengths[0]).round(6) + 0.0
    rows = np.concatenate([[0], 1 + np.argsort(-cosines[1:], kind="stable")])
    order, bins = np.argsort(-embeddings[0], kind="stable"), min(BINS, d)
    parts = np.array_split(embeddings[np.ix_(rows, order)], bins, axis=1)
    means = np.stack([part.mean(axis=1) for part in parts], axis=1)
    limit = float(np.quantile(np.abs(means[0]), 0.9)) or 1.0
    shown = mpl.colormaps["RdBu_r"](np.clip(means / limit, -1, 1) / 2 + 0.5)
    with_gaps = np.zeros((2 * n, bins, 4))
    with_gaps[1::2] = shown  # each below its label
    pitch, names = 21, numbered_labels(labels[:n])
    figure, axes = canvas(WIDTH, 2 * n * pitch + 4)
    axes.imshow(with_gaps, extent=(0, WIDTH - 50, 4, 2 * n * pitch + 4), aspect="auto", interpolation="none")
    for row, k in enumerate(rows):
        strip = (2 * (n - row) - 1.5) * pitch + 4
        axes.text(0, strip + pitch - 3, fit(names[k], WIDTH - 60), va="center")
        axes.text(WIDTH, strip, number(cosines[k], 2), va="center", ha="right", weight="bold")
    alt = (
        f"{n} strips, one per sentence, each with {bins} colored fields for {d} numbers: red for above 0, "
        "blue for below. All are in the order of the first sentence's numbers, so the first runs evenly from red "
        f"to blue; the others are sorted by their cosine similarity to it, which is at their ends: from "
        f"{number(cosines[rows[1]], 2)} for {quoted(labels[rows[1]])} to {number(cosines[rows[-1]], 2)} for "
        f"{quoted(labels[rows[-1]])}."
    )
    more = f" Only the first {n} of {len(embeddings)} sentences are drawn." if n < len(embeddings) else ""
    return Picture(figure, alt + more)


@styled
def angle(u: NDArray[np.floating], v: NDArray[np.floating], labels: Sequence[str]) -> Picture:
    """Return two vectors of shape `(d,)` in the plane that holds both, drawn at length one, with their angle.

    `labels` names both. The foot of the dotted line is the cosine: how far the second reaches along the first.
    """
    cosine = float(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1))
    degrees = float(np.degrees(np.arccos(cosine)))
    y = float(np.sin(np.radians(degrees)))
    one, other = numbered_labels(labels[:2])
    unit, bottom = 210 if cosine >= 0 else 150, 30
    left = 8 - unit * min(cosine, 0.0) + (24 if abs(cosine) < 0.1 else 0)
    figure, axes = canvas(WIDTH, bottom + unit * y + 52)

    def at(across: float, up: float) -> Side:
        return left + unit * across, bottom + unit * up

    for tip, color in ((at(1, 0), BLUE), (at(cosine, y), RED)):
        arrow = {"arrowstyle": "-|>", "color": color, "lw": 2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", tip, at(0, 0), arrowprops=arrow)
    axes.plot(*zip(at(cosine, y), at(cosine, 0), strict=True), ":", color=QUIET)
    axes.add_patch(Arc(at(0, 0), 0.44 * unit, 0.44 * unit, theta1=0, theta2=degrees, color=QUIET))
    narrow, half = degrees < 30, np.radians(degrees / 2)
    middle = (0.3 * cosine, 0.3 * y + 0.06) if narrow else (0.34 * np.cos(half), 0.34 * np.sin(half))
    if not narrow and abs(middle[0] - cosine) < 0.15:  # not across the dotted line
        middle = (cosine + 0.16, middle[1])
    axes.text(*at(*middle), f"{degrees:.1f}°", ha="right" if narrow else "center", va="center")
    room = WIDTH - at(1, 0)[0] - 8
    axes.text(at(1, 0)[0] + 8, bottom, wrap(one, room), va="top" if y < 0.15 else "center")
    room = WIDTH - at(cosine, y)[0]
    axes.text(at(cosine, y)[0] + 4, at(0, y)[1] + 4, wrap(other, room), va="bottom")
    side = "right" if cosine > 0.85 else "left" if cosine < -0.85 else "center"
    axes.text(at(cosine, 0)[0], bottom - 6, number(cosine, 2), color=QUIET, ha=side, va="top")
    alt = (
        f"Two arrows from one point, both of length 1: {quoted(labels[0])} and {quoted(labels[1])}. The angle "
        f"between them is {degrees:.1f} degrees; the second reaches {number(cosine, 2)} along the first, which is "
        "their cosine similarity."
    )
    return Picture(figure, alt)


@styled
def histogram(baseline: Baseline, values: NDArray[np.floating]) -> Picture:
    """Return a histogram of the similarities of unrelated pairs with the pairs of a set below it.

    `values` holds the similarities of the set's pairs, in any order. Few pairs are drawn as a line each, many as a
    histogram.
    """
    lowest, highest = float(values.min()), float(values.max())
    rare, count = baseline.rare, f"{len(values):,} pair{'s' if len(values) > 1 else ''} of this set"
    figure, axes = canvas(WIDTH, 264)
    scale = _Scale(axes, (*baseline.quantiles, lowest, highest), (6, WIDTH - 6))
    axes.text(0, 254, f"above: {baseline.pairs:,} unrelated pairs  ·  below: the {count}", va="center")
    scale.hill(baseline.quantiles, 128, 84)
    scale.mark(rare, (52, 238))
    if len(values) <= LINES_UP_TO:
        axes.plot(np.repeat(scale.at(values), 3), np.tile([96, 122, np.nan], len(values)), color=BLUE, lw=1.5)
    else:
        scale.hill(values, 122, -26, BLUE)
    names = ("farthest", "closest") if len(values) > 1 else ("",)
    taken = -1.0
    for name, value in zip(names, (lowest, highest), strict=False):
        label = f"{name} {number(value, 2)}".strip()
        width = text_width(label)
        start = float(np.clip(scale.at(value) - width / 2, 0, WIDTH - width))
        axes.text(start, 86 if start > taken else 68, label, va="center")
        taken = start + width + 8
    scale.axis(52)
    own = f"{count}, from {number(lowest, 2)} to {number(highest, 2)}"
    beyond = f"{int((values > rare).sum()):,} of them closer than 99% of unrelated pairs"
    alt = (
        f"Histogram of the cosine similarity of {_in_words(baseline)}. Below it, the "
        f"{f'{own}, {beyond}' if len(values) > 1 else f'one pair of this set, at {number(lowest, 2)}'}."
    )
    return Picture(figure, alt)


@styled
def dots(baseline: Baseline, values: Mapping[str, float]) -> Picture:
    """Return a few named similarities as dots, one below the other, under a histogram of unrelated pairs.

    The largest value is on top.
    """
    ranked = sorted(values.items(), key=lambda item: -item[1])
    left = min(max(text_width(name) for name in values) + 12, WIDTH / 3)
    height = 28 * len(ranked)
    figure, axes = canvas(WIDTH, height + 162)
    scale = _Scale(axes, (*baseline.quantiles, *values.values()), (left + 6, WIDTH - 50))
    axes.text(0, height + 84, "unrelated\npairs", va="center", color=QUIET)
    scale.hill(baseline.quantiles, height + 64, 64)
    scale.mark(baseline.rare, (46, height + 154))
    for row, (name, value) in enumerate(ranked):
        y, x = height + 48 - 28 * row, float(scale.at(value))
        axes.text(0, y, fit(name, left - 8), va="center")
        axes.plot([left + 6, x], [y, y], color=FAINT, lw=1)
        axes.plot([x], [y], "o", color=BLUE, markersize=8)
        axes.text(x + 10, y, number(value, 2), va="center", weight="bold")
    scale.axis(46)
    listed = ", ".join(f"{quoted(name)} {number(value, 2)}" for name, value in ranked)
    alt = (
        f"Dots for {len(ranked)} similarities, the largest on top: {listed}. Above them, as a gray hill, "
        f"{_in_words(baseline)}."
    )
    return Picture(figure, alt)


class _Scale:
    """A horizontal scale of similarities that just holds all of them, between two positions in pixels."""

    def __init__(self, axes: Axes, values: Sequence[float], ends: Side) -> None:
        low, high = min(values), max(values)
        middle, half = (low + high) / 2, max((high - low) / 2, 0.05)
        self.axes, self.ends, self.low, self.high = axes, ends, middle - half, middle + half

    def at(self, values: ArrayLike) -> NDArray[np.floating]:
        """Return where values are, in pixels."""
        left, right = self.ends
        share = (np.asarray(values, dtype=float) - self.low) / (self.high - self.low)
        return np.asarray(left + share * (right - left))

    def hill(self, values: ArrayLike, y: float, height: float, color: str = FAINT) -> None:
        """Draw a histogram of values upwards from `y`, or downwards if `height` is negative."""
        bins = np.linspace(self.low, self.high, 60)
        counts, _ = np.histogram(np.clip(values, self.low, self.high), bins)
        self.axes.stairs(
            y + height * counts / counts.max(), self.at(bins), baseline=y, fill=True, color=color
        )

    def mark(self, rare: float, heights: Side) -> None:
        """Draw a line at what 99% of unrelated pairs do not exceed, shade what is beyond, and say so on top."""
        x, (low, high) = float(self.at(rare)), heights
        if self.high > rare:
            right = float(self.at(self.high)) + 6
            self.axes.fill_between([x, right], low, high, color=FAINT, alpha=0.3, linewidth=0)
        self.axes.plot([x, x], [low, high], color=QUIET, lw=1, dashes=(4, 3))
        label = f"99% are below {number(rare, 2)}"
        beside = x + 6 if x + 6 + text_width(label) <= WIDTH else x - 6
        self.axes.text(beside, high - 8, label, va="center", ha="left" if beside > x else "right")

    def axis(self, y: float) -> None:
        """Draw the scale's line with a few values below it."""
        self.axes.plot(self.ends, [y, y], color=QUIET, lw=1)
        ticks = np.asarray(MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(self.low, self.high))
        digits = 1 if np.allclose(ticks * 10, (ticks * 10).round()) else 2
        for value in ticks:
            if self.low <= value <= self.high + 0.005:
                x = float(self.at(value))
                self.axes.plot([x, x], [y, y - 4], color=QUIET, lw=1)
                self.axes.text(x, y - 7, number(value, digits), ha="center", va="top")
        self.axes.text(self.ends[1], y - 24, "cosine similarity", ha="right", va="top", color=QUIET)


def _in_words(baseline: Baseline) -> str:
    low, high = baseline.quantiles[0], baseline.quantiles[-1]
    return (
        f"{baseline.pairs:,} pairs of unrelated sentences, from {number(low, 2)} to {number(high, 2)}, half of them at "
        f"{number(baseline.median, 2)} or below and 99% at {number(baseline.rare, 2)} or below"
    )
