"""A finished picture with its text alternative, and what all pictures share: style, fonts, labels and colors."""

import base64
import io
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import seaborn as sns
from matplotlib import font_manager, ft2font
from matplotlib.figure import Figure
from PIL import Image

from sentence_reports.texts import isolated, shorten

PNG_DPI = 192  # twice the 96 of a page's pixels
LABEL = 36  # characters of a label below or beside a picture
BLUE, RED, GRAY = "#2166ac", "#b2182b", "#8a8f98"
STACKED_MARKS = 4  # accents on one letter; more would cover the lines above and below

STYLE: Any = {  # matplotlib types the names of its settings one by one
    "svg.hashsalt": "sentence-reports",  # same input, same bytes: no random ids
    "svg.fonttype": "none",  # letters stay letters: a fifth of the size, and drawn by the reader's own fonts
    "text.parse_math": False,  # two dollar signs in a sentence are not a formula
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
}


class Picture:
    """A figure drawn as SVG or PNG, with its text alternative; any Jupyter front end shows it.

    `alt` describes the picture. The image's MIME type is `image/svg+xml` if `vector`, else `image/png` at twice the
    screen's resolution; the alternative is the image's `alt` metadata and its `text/plain`.
    """

    def __init__(self, figure: Figure, alt: str, *, vector: bool) -> None:
        self.alt = alt
        self.mime = "image/svg+xml" if vector else "image/png"
        self._metadata: dict[str, Any] = {"alt": alt}
        buffer = io.BytesIO()
        options: Any = {"metadata": {"Date": None, "Creator": None}} if vector else {"dpi": PNG_DPI}
        kind = "svg" if vector else "png"
        figure.savefig(
            buffer, format=kind, bbox_inches="tight", pad_inches=0.08, facecolor="white", **options
        )
        if vector:
            self._data = buffer.getvalue().decode("utf-8")
            return
        image, small = Image.open(buffer).convert("RGB"), io.BytesIO()
        indexed = image.quantize(256, dither=Image.Dither.NONE)  # a third of the bytes
        indexed.save(small, format="png", optimize=True)
        self._data = base64.b64encode(small.getvalue()).decode("ascii")
        self._metadata["width"] = image.width * 96 // PNG_DPI

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        return {self.mime: self._data, "text/plain": self.alt}, {self.mime: self._metadata}


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
    """Return a color for each sentence, equal within a group and dark enough to be read on white."""
    names = list(dict.fromkeys(groups))
    palette = sns.husl_palette(len(names), s=0.9, l=0.42).as_hex()
    return [palette[names.index(name)] for name in groups]


@cache
def _font() -> ft2font.FT2Font:
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
    if numbered(labels):
        return numbers
    return [f"{number} · {shorten(label, LABEL)}" for number, label in zip(numbers, labels, strict=True)]
