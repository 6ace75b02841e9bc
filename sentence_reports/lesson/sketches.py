"""The lesson's smaller pictures: vectors as strips, two of them with their angle, the model's own scale, a map.

From arrays and labels to `figures.Picture`; knows no files and no models. Each picture is bounded, however many
sentences there are, and says in its text what it leaves out.
"""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc
from numpy.typing import ArrayLike, NDArray

from sentence_reports.lesson.figures import STYLE, Picture, group_colors, numbered
from sentence_reports.texts import shorten

STRIPS = 12  # sentences drawn as strips
LINES_UP_TO = 60  # pairs that are a line each beside the unrelated ones
LISTED_UP_TO = 20  # sentences whose texts stand below the map
NUMBERED_UP_TO = 60  # sentences; more, and the map is a cloud of dots
SVG_UP_TO = 400  # dots; more, and the PNG is smaller
MAP = (6.0, 4.0)  # inches
LINES = 40  # below the map
LABEL = 36  # characters of a text below a picture
BLUE, RED, GRAY = "#2166ac", "#b2182b", "#8a8f98"


def strips(embeddings: NDArray[np.floating], labels: Sequence[str]) -> Picture:
    """The first rows of an `(n, d)` table of embeddings as coloured strips, one number a line, on one scale.

    The numbers stand in the order of the first sentence's, largest first, the same for all strips: a strip that
    resembles the first runs from red to blue like it.
    """
    n, d = min(len(embeddings), STRIPS), embeddings.shape[1]
    order = np.argsort(-embeddings[0], kind="stable")
    limit = float(np.quantile(np.abs(embeddings[:n]), 0.98))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 0.38 * n))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(
            embeddings[:n, order], cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="none"
        )
        axes.hlines(np.arange(1, n) - 0.5, -0.5, d - 0.5, color="white", linewidth=4)
        axes.set_yticks(range(n), _names(labels[:n]), size=9)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        alt = (
            f"{n} strips under each other, one a sentence, of {d} coloured lines each: red for a number above 0, "
            f"blue for one below, full colour at {limit:.2g}. All are in the order of the first sentence’s numbers, "
            "so the first runs evenly from red to blue."
        )
        more = f" Only the first {n} of {len(embeddings)} sentences are drawn." if n < len(embeddings) else ""
        return Picture(figure, alt + more, vector=True)


def angle(u: NDArray[np.floating], v: NDArray[np.floating], labels: Sequence[str]) -> Picture:
    """Two vectors of shape `(d,)` in the plane that they span, drawn at length one, with the angle between them.

    `labels` names both. The foot of the dotted line is the cosine: how far the second reaches along the first.
    """
    cosine = float(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1))
    degrees = float(np.degrees(np.arccos(cosine)))
    x, y = cosine, float(np.sin(np.radians(degrees)))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6, 3.6 * (y + 0.25) / (1.45 - min(x, 0))))
        axes = figure.add_axes((0, 0, 1, 1))
        for tip, color in (((1, 0), BLUE), ((x, y), RED)):
            axes.annotate(
                "",
                tip,
                (0, 0),
                arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2, "shrinkA": 0, "shrinkB": 0},
            )
        axes.plot([x, x], [y, 0], ":", color=GRAY)
        axes.add_patch(Arc((0, 0), 0.7, 0.7, theta1=0, theta2=degrees, color=GRAY))
        middle, narrow = np.radians(degrees / 2), degrees < 55  # a wide angle has room for its number inside
        place = (-0.02, 0.06) if narrow else (0.2 * np.cos(middle), 0.2 * np.sin(middle))
        axes.text(
            place[0], place[1], f"{degrees:.1f}°", size=11, ha="right" if narrow else "center", va="center"
        )
        axes.text(1.02, 0, "1", size=11, color=BLUE, va="center")
        axes.text(x + 0.02, y + 0.02, "2", size=11, color=RED, va="bottom")
        axes.text(x, -0.04, f"{round(cosine, 2) + 0.0:.2f}", size=10, color=GRAY, ha="center", va="top")
        axes.set(xlim=(min(x, 0) - 0.25, 1.2), ylim=(-0.14, y + 0.11))
        axes.set_axis_off()
        alt = (
            f"Two arrows from one point, both of length 1: “{labels[0]}” and “{labels[1]}”. The angle between them is "
            f"{degrees:.1f} degrees; the second reaches {cosine:.2f} along the first, which is their cosine similarity."
        )
        return Picture(figure, alt, vector=True)


def histogram(unrelated: Sequence[float], values: NDArray[np.floating], pairs: int) -> Picture:
    """How often each similarity occurs among unrelated pairs, and below it among the pairs of a set.

    `unrelated` holds evenly spaced quantiles of the similarities of `pairs` unrelated pairs, `values` the
    similarities of the set's pairs, in any order. A few pairs are a line each, many a histogram of their own.
    """
    lowest, highest = float(values.min()), float(values.max())
    left = min(unrelated[0], lowest)
    bins = np.linspace(left, 1, 60)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 2.4))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.stairs(_heights(unrelated, bins), bins, fill=True, color=GRAY)
        if len(values) <= LINES_UP_TO:
            axes.plot(
                np.repeat(values, 3), np.tile([-0.12, -0.42, np.nan], len(values)), color=BLUE, linewidth=1.3
            )
        else:
            axes.stairs(-0.12 - 0.5 * _heights(values, bins), bins, baseline=-0.12, fill=True, color=BLUE)
        axes.axhline(0, color="#333333", linewidth=0.8)
        axes.set(xlim=(left - 0.03, 1.03), ylim=(-0.66, 1.05), xlabel="cosine similarity")
        axes.set_yticks([0.5, -0.3], [f"{pairs:,}\nunrelated pairs", "the pairs\nof this set"])
        axes.tick_params(axis="y", length=0)
        axes.spines[["left", "top", "right"]].set_visible(False)
        alt = (
            f"Histogram of the cosine similarity of {pairs:,} pairs of unrelated sentences: they lie from "
            f"{unrelated[0]:.2f} to {unrelated[-1]:.2f}, half of them at {np.median(unrelated):.2f} or below. "
        )
        if len(values) == 1:
            return Picture(figure, f"{alt}Below, the one pair of this set, at {lowest:.2f}.", vector=True)
        alt += f"Below, the {len(values):,} pairs of this set, from {lowest:.2f} to {highest:.2f}."
        return Picture(figure, alt, vector=True)


def sentence_map(
    places: NDArray[np.floating], kept: float, labels: Sequence[str], groups: Sequence[str] | None = None
) -> Picture:
    """A map of `n` sentences from their `(n, 2)` places, which keep the share `kept`, 0 to 1, of the variance.

    Points carry the sentences' numbers as long as these can be told apart, and their group's colour.
    """
    n = len(places)
    places = places.round(4) + 0.0  # less is rounding, and differs with the number of threads
    colors = group_colors(groups) if groups else [BLUE] * n
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=MAP)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.scatter(places[:, 0], places[:, 1], c=colors, s=30 if n <= NUMBERED_UP_TO else 8)
        unit = _fit(axes, places)
        spots = _free_spots(72 * places / unit) if n <= NUMBERED_UP_TO else []
        style: dict[str, Any] = {"textcoords": "offset points", "size": 8, "ha": "center", "va": "center"}
        for k, spot in enumerate(spots):
            if spot is not None:
                axes.annotate(str(k + 1), places[k], spot, color=colors[k], **style)
        _write_below(axes, _lines(labels, groups, colors))
        alt = _map_words(places, kept, labels, groups, spots.count(None))
        return Picture(figure, alt, vector=n <= SVG_UP_TO)


def _fit(axes: Axes, places: NDArray[np.floating]) -> float:
    """Lay the axes round all places with room for their numbers, equal both ways; give the length of an inch."""
    inch = max(*np.ptp(places, axis=0) / np.subtract(MAP, 0.8), 0.02)
    center = (places.max(axis=0) + places.min(axis=0)) / 2
    half = np.array(MAP) / 2 * inch
    (left, low), (right, high) = center - half, center + half
    axes.set(xlim=(left, right), ylim=(low, high), xticks=[], yticks=[])
    return float(inch)


def _write_below(axes: Axes, lines: Sequence[tuple[str, str]]) -> None:
    """Write lines of words, each in its colour, in two columns below the axes."""
    for k, (words, color) in enumerate(lines):
        column, row = divmod(k, math.ceil(len(lines) / 2))
        place, offset = (column / 2, 0), (0, -10 - 15 * row)
        axes.annotate(words, place, offset, "axes fraction", "offset points", color=color, va="top", size=9)


def _heights(values: ArrayLike, bins: NDArray[np.floating]) -> NDArray[np.floating]:
    """How many values fall into each bin, as shares of the fullest one; what is beyond the ends counts there."""
    counts, _ = np.histogram(np.clip(values, bins[0], bins[-1]), bins)
    return np.asarray(counts / counts.max())


def _lines(
    labels: Sequence[str], groups: Sequence[str] | None, colors: Sequence[str]
) -> list[tuple[str, str]]:
    """What stands below the map, with its colour: each group's name, and the texts where they are few.

    Nothing where the pictures' font cannot draw it all.
    """
    if numbered([*labels, *groups]) if groups else numbered(labels):
        return []
    lines: list[tuple[str, str]] = []
    for k, (name, color) in enumerate(zip(_names(labels), colors, strict=True)):
        if groups and (k == 0 or groups[k] != groups[k - 1]):
            lines.append((shorten(groups[k], LABEL) + ":", color))
        if len(labels) <= LISTED_UP_TO:
            lines.append((name, color))
    return lines[:LINES]


def _names(labels: Sequence[str]) -> list[str]:
    """A number for each label, and the label behind it where the pictures' font can draw them all."""
    numbers = [str(k) for k in range(1, len(labels) + 1)]
    if numbered(labels):
        return numbers
    return [f"{k} · {shorten(label, LABEL)}" for k, label in zip(numbers, labels, strict=True)]


def _free_spots(points: NDArray[np.floating]) -> list[tuple[float, float] | None]:
    """Where each point's number goes: an offset at which it meets no dot and no other number; None where all is full.

    Places and offsets are in typographic points. The nearest ring of eight directions is tried first.
    """
    turns = np.radians(np.arange(0, 360, 45))
    ring = np.column_stack([np.cos(turns), np.sin(turns)])
    taken = [np.concatenate([point - 3, point + 3]) for point in points]  # boxes: left, low, right, high
    spots: list[tuple[float, float] | None] = []
    for k, point in enumerate(points, start=1):
        half = np.array([2.8 * len(str(k)) + 1, 5.0])
        spots.append(None)
        for offset in np.concatenate([ring * 10, ring * 17, ring * 24]):
            box = np.concatenate([point + offset - half, point + offset + half])
            others = np.array(taken)
            if not np.any((box[:2] < others[:, 2:]).all(axis=1) & (box[2:] > others[:, :2]).all(axis=1)):
                taken.append(box)
                spots[-1] = (float(offset[0]), float(offset[1]))
                break
    return spots


def _map_words(
    places: NDArray[np.floating],
    kept: float,
    labels: Sequence[str],
    groups: Sequence[str] | None,
    left_out: int,
) -> str:
    n = len(places)
    words = f"Map of {n} sentences, which keeps {100 * kept:.0f} % of the variance"
    words += f", coloured by the groups {', '.join(dict.fromkeys(groups))}. " if groups else ". "
    gaps = np.linalg.norm(places[:, None] - places[None], axis=2) if n <= NUMBERED_UP_TO else np.zeros((0, 0))
    if n > 2 and gaps.size:
        first, second = divmod(int(np.argmin(gaps + np.diag(np.full(n, np.inf)))), n)
        words += f"The two that lie closest are “{labels[first]}” and “{labels[second]}”. "
    words += "" if gaps.size else "Their numbers are left out. "
    return words + (f"For lack of room {left_out} numbers are left out." if left_out else "")
