"""Pictures of vectors and of numbers: embeddings as strips, two of them with their angle, the model's own scale.

Each picture is bounded however many sentences there are, and its text alternative says what it leaves out.
"""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Arc
from numpy.typing import ArrayLike, NDArray

from sentence_reports.lesson.picture import BLUE, GRAY, RED, STYLE, Picture, numbered_labels
from sentence_reports.texts import number, quoted

MAX_STRIPS = 12
LINES_UP_TO = 60  # pairs of the set drawn as a line each; more are a histogram


def strips(embeddings: NDArray[np.floating], labels: Sequence[str]) -> Picture:
    """Return the first rows of an `(n, d)` array of embeddings as colored strips, one thin line per number.

    All strips are in the order of the first sentence's numbers, largest first: one that resembles the first runs
    from red to blue as well.
    """
    n, d = min(len(embeddings), MAX_STRIPS), embeddings.shape[1]
    order = np.argsort(-embeddings[0], kind="stable")
    limit = float(np.quantile(np.abs(embeddings[:n]), 0.98))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 0.38 * n))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.imshow(
            embeddings[:n, order], cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="none"
        )
        axes.hlines(np.arange(1, n) - 0.5, -0.5, d - 0.5, color="white", linewidth=4)
        axes.set_yticks(range(n), numbered_labels(labels[:n]), size=9)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        alt = (
            f"{n} strips, one per sentence, of {d} colored lines each: red for a number above 0, blue for one below, "
            f"full color at {limit:.2g}. All are in the order of the first sentence’s numbers, so the first runs "
            "evenly from red to blue."
        )
        more = f" Only the first {n} of {len(embeddings)} sentences are drawn." if n < len(embeddings) else ""
        return Picture(figure, alt + more, vector=True)


def angle(u: NDArray[np.floating], v: NDArray[np.floating], labels: Sequence[str]) -> Picture:
    """Return two vectors of shape `(d,)` in the plane that holds both, drawn at length one, with their angle.

    `labels` names both. The foot of the dotted line is the cosine: how far the second reaches along the first.
    """
    cosine = float(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1))
    degrees = float(np.degrees(np.arccos(cosine)))
    x, y = cosine, float(np.sin(np.radians(degrees)))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.6, 3.6 * (y + 0.25) / (1.45 - min(x, 0))))
        axes = figure.add_axes((0, 0, 1, 1))
        for tip, color in (((1, 0), BLUE), ((x, y), RED)):
            arrow = {"arrowstyle": "-|>", "color": color, "lw": 2, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", tip, (0, 0), arrowprops=arrow)
        axes.plot([x, x], [y, 0], ":", color=GRAY)
        axes.add_patch(Arc((0, 0), 0.7, 0.7, theta1=0, theta2=degrees, color=GRAY))
        middle, narrow = np.radians(degrees / 2), degrees < 55  # a wide angle has room for its number inside
        at = (-0.02, 0.06) if narrow else (0.2 * np.cos(middle), 0.2 * np.sin(middle))
        axes.text(at[0], at[1], f"{degrees:.1f}°", size=11, ha="right" if narrow else "center", va="center")
        axes.text(1.02, 0, "1", size=11, color=BLUE, va="center")
        axes.text(x + 0.02, y + 0.02, "2", size=11, color=RED, va="bottom")
        axes.text(x, -0.04, number(cosine, 2), size=10, color=GRAY, ha="center", va="top")
        axes.set(xlim=(min(x, 0) - 0.25, 1.2), ylim=(-0.14, y + 0.11))
        axes.set_axis_off()
        alt = (
            f"Two arrows from one point, both of length 1: {quoted(labels[0])} and {quoted(labels[1])}. The angle "
            f"between them is {degrees:.1f} degrees; the second reaches {number(cosine, 2)} along the first, which is "
            "their cosine similarity."
        )
        return Picture(figure, alt, vector=True)


def histogram(unrelated: Sequence[float], values: NDArray[np.floating], pairs: int) -> Picture:
    """Return a histogram of the similarities of unrelated pairs with the pairs of a set below it.

    `unrelated` holds evenly spaced quantiles of the similarities of `pairs` unrelated pairs, `values` the
    similarities of the set's pairs, in any order. Few pairs are drawn as a line each, many as a histogram.
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
        own = f"{len(values):,} pairs of this set, from {number(lowest, 2)} to {number(highest, 2)}"
        alt = (
            f"Histogram of the cosine similarity of {pairs:,} pairs of unrelated sentences, from "
            f"{number(unrelated[0], 2)} to {number(unrelated[-1], 2)}, half of them at "
            f"{number(float(np.median(unrelated)), 2)} or below. Below it, the "
            f"{own if len(values) > 1 else f'one pair of this set, at {number(lowest, 2)}'}."
        )
        return Picture(figure, alt, vector=True)


def _heights(values: ArrayLike, bins: NDArray[np.floating]) -> NDArray[np.floating]:
    """How many values fall into each bin, relative to the fullest; values beyond the ends count there."""
    counts, _ = np.histogram(np.clip(values, bins[0], bins[-1]), bins)
    return np.asarray(counts / counts.max())
