"""From a labelled similarity matrix to the pictures the notebook shows. Knows no files and no models.

A picture is drawn as SVG while that stays small, as PNG at twice the screen's resolution beyond, and always
carries a text that says in words what it shows, made from the same numbers.
"""

import base64
import io
import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import font_manager, ft2font
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from sentence_reports.lesson.pairs import Pair, Pairs
from sentence_reports.texts import shorten

ANNOTATED_UP_TO = 20  # sentences; more, and a cell is too small for its number
SVG_UP_TO = 40  # sentences, 1,600 cells; more, and the PNG is smaller than the SVG
LABELLED_UP_TO = 150  # sentences; more, and no label can be read at any zoom
RAMP = 64  # steps of colour; an eye sees no more in a table
PNG_DPI = 192  # twice the 96 of a page's pixels

STYLE: Any = {  # matplotlib types the names of its settings one by one
    "svg.hashsalt": "sentence-reports",  # same input, same bytes: no random ids
    "svg.fonttype": "none",  # letters stay letters: a fifth of the size, and drawn by the reader's own fonts
    "text.parse_math": False,  # sentences are text, also with two dollar signs in them
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
}


class Picture:
    """A finished picture with its text alternative, shown by any Jupyter front end.

    `alt` says in words what the picture shows. The image's MIME type is `image/svg+xml` or `image/png`; the
    alternative travels as the image's `alt` metadata and as `text/plain`.
    """

    def __init__(self, figure: Figure, alt: str, *, vector: bool) -> None:
        self.alt = alt
        self.mime = "image/svg+xml" if vector else "image/png"
        self._data, self._metadata = _svg(figure) if vector else _png(figure)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return {self.mime: self._data, "text/plain": self.alt}, {
            self.mime: self._metadata | {"alt": self.alt}
        }


def _saved(figure: Figure, **options: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, bbox_inches="tight", pad_inches=0.08, facecolor="white", **options)
    return buffer.getvalue()


def _svg(figure: Figure) -> tuple[str, dict[str, Any]]:
    return _saved(figure, format="svg", metadata={"Date": None, "Creator": None}).decode("utf-8"), {}


def _png(figure: Figure) -> tuple[str, dict[str, Any]]:
    image = Image.open(io.BytesIO(_saved(figure, format="png", dpi=PNG_DPI))).convert("RGB")
    small = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(
        small, format="png", optimize=True
    )  # a third of the bytes
    return base64.b64encode(small.getvalue()).decode("ascii"), {"width": image.width * 96 // PNG_DPI}


def make_labels(texts: Sequence[str], size: int = 30) -> list[str]:
    """A short label for each text, `n` texts to `n` labels, no two alike.

    Labels that are equal after the cut get the sentence's number, counted from 1, behind them.
    """
    short = [shorten(text, size) for text in texts]
    times = Counter(short)
    return [f"{label} [{k}]" if times[label] > 1 else label for k, label in enumerate(short, start=1)]


def color_floor(median: float) -> float:
    """The similarity at the low end of the colours: the median of unrelated pairs, rounded down to a tenth.

    It follows the model and never the set: near-equal sentences must not look like day and night, and what is no
    more alike than unrelated sentences looks like nothing. It stays between -1 and 0.9; the high end is always 1,
    a sentence with itself.
    """
    return min(max(math.floor(round(median * 10, 6)) / 10, -1.0), 0.9)


def heatmap(
    similarity: pd.DataFrame,
    *,
    low: float = 0.0,
    groups: Sequence[str] | None = None,
    cmap: str = "YlGnBu",
) -> Picture:
    """The heatmap of an `(n, n)` similarity matrix.

    `similarity` holds the same labels, in the same order, as index and columns; `low` is the similarity at the low
    end of the colours (`color_floor`), which stands for all below it as well. `groups` gives one name per
    sentence; neighbours with the same name are framed together and share a colour. Labels with characters
    that the picture's font lacks are replaced by the sentences' numbers. Raises ValueError where the matrix
    is not square or the labels do not fit.
    """
    n, labels = len(similarity), list(similarity.index)
    if similarity.shape != (n, n) or labels != list(similarity.columns):
        raise ValueError(
            f"a square matrix with equal labels on both axes is needed, found {similarity.shape}"
        )
    with mpl.rc_context(STYLE):
        figure, axes, scale = _canvas(_side(n))
        sns.heatmap(
            similarity,
            ax=axes,
            cbar_ax=scale,
            vmin=low,
            vmax=1.0,
            cmap=cmap,
            annot=similarity.round(2) + 0.0 if n <= ANNOTATED_UP_TO else False,  # + 0.0: never "-0.00"
            fmt=".2f",
            annot_kws={"size": 10 if n <= 10 else 8},
            xticklabels=False,
            yticklabels=False,
            cbar_kws={
                "label": "cosine similarity",
                "extend": "min" if _some_below(similarity, low) else "neither",
            },
            rasterized=n > ANNOTATED_UP_TO,
        )
        axes.set(xlabel=None, ylabel=None)
        scale.tick_params(labelsize=max(9.0, 1.5 * _side(n)))  # read at any size of the whole
        scale.yaxis.label.set_fontsize(max(9.0, 1.5 * _side(n)))
        _label_axes(axes, labels, groups)
        if groups is not None:
            _frame_groups(axes, groups)
        return Picture(figure, describe_heatmap(similarity, low, groups, cmap), vector=n <= SVG_UP_TO)


def _side(n: int) -> float:
    """The heatmap's side in inches: room for a number in each cell, then for a label at each row, then neither."""
    if n <= ANNOTATED_UP_TO:
        return max(5.0, 0.36 * n)
    return max(6.0, 0.15 * n) if n <= SVG_UP_TO else max(6.0, min(0.105 * n, 16.0))


def _canvas(side: float) -> tuple[Figure, Axes, Axes]:
    """A figure with a square for the heatmap and a narrow strip for the scale, an inch wider than high."""
    figure = Figure(figsize=(side + 1, side))
    axes = figure.add_axes((0, 0, side / (side + 1), 1))
    scale = figure.add_axes(((side + 0.25) / (side + 1), 0.1, 0.2 / (side + 1), 0.8))
    return figure, axes, scale


def _label_axes(axes: Axes, labels: list[str], groups: Sequence[str] | None) -> None:
    n = len(labels)
    if n > LABELLED_UP_TO:
        axes.set_xlabel(f"sentences 1 to {n}, in the order of the set")
        return
    shown = [str(k) for k in range(1, n + 1)] if numbered(labels) else labels
    places = np.arange(n) + 0.5
    size = 10 if n <= 10 else 9 if n <= ANNOTATED_UP_TO else 7 if n <= SVG_UP_TO else 6
    axes.xaxis.tick_top()
    axes.set_xticks(places, shown, rotation=90, size=size)
    axes.set_yticks(places, shown, rotation=0, size=size)
    axes.tick_params(length=0)
    if groups is not None:
        ticks = [*axes.get_xticklabels(), *axes.get_yticklabels()]
        for tick, color in zip(ticks, 2 * group_colors(groups), strict=True):
            tick.set_color(color)


def numbered(labels: Sequence[str]) -> bool:
    """Whether the heatmap shows the sentences' numbers because its font lacks characters of their labels."""
    return not can_draw("".join(labels))


def legend(
    similarity: pd.DataFrame, *, low: float, groups: Sequence[str] | None, cmap: str
) -> dict[str, Any]:
    """What a page has to say beside the heatmap with the same low end, ready for JSON.

    `low` and `high` are the similarities at the ends of the colours, `scale` the same in words, `ramp` the
    colours between them in equal steps, `groups` the groups' names with the colour of their labels;
    `numbered` says whether the axes show numbers in place of labels.
    """
    colors = mpl.colormaps[cmap].resampled(RAMP)
    return {
        "low": low,
        "high": 1.0,
        "scale": _scale_words(similarity, low, cmap),
        "ramp": [mpl.colors.to_hex(colors(k)) for k in range(RAMP)],
        "groups": list(dict.fromkeys(zip(groups, group_colors(groups), strict=True))) if groups else [],
        "numbered": len(similarity) <= LABELLED_UP_TO and numbered(list(similarity.index)),
    }


def group_colors(groups: Sequence[str]) -> list[str]:
    """A colour for each sentence, the same for all of one group, dark enough to be read on white."""
    names = list(dict.fromkeys(groups))
    palette = sns.husl_palette(len(names), s=0.9, l=0.42).as_hex()
    return [palette[names.index(name)] for name in groups]


def _frame_groups(axes: Axes, groups: Sequence[str]) -> None:
    start = 0
    for _, members in groupby(groups):
        size = len(list(members))
        axes.add_patch(
            mpl.patches.Rectangle((start, start), size, size, fill=False, edgecolor="#333333", linewidth=1.4)
        )
        start += size


@cache
def _font() -> ft2font.FT2Font:
    return font_manager.get_font(font_manager.findfont("DejaVu Sans"))


def can_draw(text: str) -> bool:
    """Whether the pictures' font has a glyph for every character of `text`."""
    return all(_font().get_char_index(ord(character)) for character in set(text))


def shades(cmap: str) -> tuple[str, str]:
    """What the low and the high end of a colour map look like; empty words where it is no way from light to dark."""
    ramp = mpl.colormaps[cmap](np.linspace(0, 1, RAMP))[:, :3] @ [0.299, 0.587, 0.114]  # luma, after BT.601
    steps = np.diff(ramp)
    if np.all(steps <= 0.01):
        return "lightest", "darkest"
    return ("darkest", "lightest") if np.all(steps >= -0.01) else ("", "")


def _some_below(similarity: pd.DataFrame, low: float) -> bool:
    return bool(similarity.to_numpy().min() < low)


def _scale_words(similarity: pd.DataFrame, low: float, cmap: str) -> str:
    """The colour scale in words: from which similarity to which, and which end is light."""
    light, dark = (f" ({word})" if word else "" for word in shades(cmap))
    return f"from {low:g}{' or less' if _some_below(similarity, low) else ''}{light} to 1{dark}"


def describe_heatmap(similarity: pd.DataFrame, low: float, groups: Sequence[str] | None, cmap: str) -> str:
    """The heatmap in words: its size, its colours, its groups, its closest and its farthest pair."""
    n, pairs, labels = len(similarity), Pairs(similarity.to_numpy()), list(similarity.index)
    scale = _scale_words(similarity, low, cmap)

    def words(pair: Pair) -> str:
        return f"“{labels[pair.first]}” and “{labels[pair.second]}” at {pair.similarity:.2f}"

    what = f"Heatmap of the cosine similarity of {n} sentences, {scale}"
    what += f", in the groups {', '.join(dict.fromkeys(groups))}. " if groups else ". "
    if len(pairs) == 1:
        return what + f"The one pair is {words(pairs.closest(1)[0])}."
    return (
        what
        + f"The closest pair is {words(pairs.closest(1)[0])}; the farthest is {words(pairs.farthest(1)[0])}."
    )
