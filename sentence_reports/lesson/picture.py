"""A finished picture with its text alternative, and what all pictures share: style, fonts, labels and colors."""

import io
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager, ft2font
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from sentence_reports.schemes import GROUND, HUES, INK, QUIET, with_variables
from sentence_reports.texts import isolated, shorten

PX = 0.75  # a CSS pixel in typographic points
DOTS_UP_TO = 400  # of a picture; more of them are pixels inside the SVG
TEXT = 13.0  # CSS pixels: the size of labels
SMALL = 12.0
MIME = "image/svg+xml"
STACKED_MARKS = 4  # accents on one letter; more would cover the lines above and below

STYLE: Any = {  # matplotlib types the names of its settings one by one
    "svg.hashsalt": "sentence-reports",  # same input, same bytes: no random ids
    "svg.fonttype": "none",  # letters stay letters: a fifth of the size, and drawn by the reader's own fonts
    "text.parse_math": False,  # two dollar signs in a sentence are not a formula
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": TEXT * PX,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": GROUND,
    "axes.facecolor": "none",
    "figure.dpi": 192,  # of what is drawn as pixels inside the SVG: twice a page's
}
styled = mpl.rc_context(STYLE)
"""Decorates a function that draws: these settings hold while it runs, whatever the user's own are."""


class Picture:
    """A figure as SVG with its text alternative; any Jupyter front end shows it.

    `alt` describes the picture. The image's metadata holds it, and its width in CSS pixels. Ink, ground and hues are
    CSS variables (`schemes`): dark on white unless a page gives them other values.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        self.alt = alt
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self._width = round(figure.get_figwidth() * 72 / PX)
        FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)  # type: ignore[no-untyped-call]
        self._data = with_variables(buffer.getvalue())

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return {MIME: self._data, "text/plain": self.alt}, {MIME: {"alt": self.alt, "width": self._width}}


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of so many CSS pixels, and axes without marks whose unit is the pixel, from the bottom left."""
    figure = Figure(figsize=(width * PX / 72, height * PX / 72))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return figure, axes


@cache
def text_width(text: str, size: float = TEXT) -> float:
    """Return the width of a line in the pictures' font, in CSS pixels, at a size in CSS pixels."""
    font = _font()
    font.set_size(size, 72)
    font.set_text(text, flags=ft2font.LoadFlags.NO_HINTING)
    return font.get_width_height()[0] / 64


def fit(text: str, width: float, size: float = TEXT) -> str:
    """Return the text, cut so that it is not wider than so many CSS pixels."""
    if text_width(text, size) <= width:
        return text
    kept = text.removesuffix("...")
    while kept and text_width(kept.rstrip() + "...", size) > width:
        kept = kept[:-1]
    return kept.rstrip() + "..."


def wrap(text: str, width: float, size: float = TEXT, lines: int = 2) -> str:
    """Return the text in at most so many lines, none wider than so many CSS pixels; the last one may be cut."""
    done: list[str] = []
    words = text.split(" ")
    while words and len(done) < lines - 1:
        taken = 1
        while taken < len(words) and text_width(" ".join(words[: taken + 1]), size) <= width:
            taken += 1
        done.append(fit(" ".join(words[:taken]), width, size))
        words = words[taken:]
    return "\n".join([*done, fit(" ".join(words), width, size)] if words else done)


def make_labels(texts: Sequence[str], size: int = 30) -> list[str]:
    """Return one label per text: the text cut to `size` characters.

    Labels that are equal after the cut begin with the text's number, counted from 1, so that all differ.
    """
    short = [shorten(text, size) for text in texts]
    times = Counter(short)
    return [f"[{k}] {label}" if times[label] > 1 else label for k, label in enumerate(short, start=1)]


def group_names(groups: Sequence[str]) -> str:
    """Return the names of the groups, each once, ready to be put into a sentence."""
    return ", ".join(isolated(name) for name in dict.fromkeys(groups))


def group_colors(groups: Sequence[str]) -> list[str]:
    """Return a color for each sentence's marks, equal within a group, as ``#rrggbb``.

    More groups than there are hues cannot be told apart: all are gray, and pictures write their names.
    """
    names = list(dict.fromkeys(groups))
    hues = dict(zip(names, HUES, strict=False)) if len(names) <= len(HUES) else {}
    return [hues.get(name, QUIET) for name in groups]


def _font() -> ft2font.FT2Font:
    """Return the pictures' font, never one opened before a fork: processes would share the position in its file."""
    return font_manager.get_font(font_manager.findfont("DejaVu Sans"))


def can_draw(text: str) -> bool:
    """Whether the pictures' font can draw `text`: it has every character, and no letter carries a tower of marks."""
    if not all(_font().get_char_index(ord(character)) for character in set(text)):
        return False
    marks = "".join(unicodedata.category(character)[0] for character in text)
    return "M" * (STACKED_MARKS + 1) not in marks


def numbered(labels: Sequence[str]) -> bool:
    """Whether pictures show the sentences' numbers because their font cannot draw all labels."""
    return not all(map(can_draw, labels))


def numbered_labels(labels: Sequence[str]) -> list[str]:
    """Return "number · label" for each label, or only the numbers if the font cannot draw all labels."""
    numbers = [str(k) for k in range(1, len(labels) + 1)]
    return numbers if numbered(labels) else list(map(" · ".join, zip(numbers, labels, strict=True)))
