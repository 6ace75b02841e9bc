"""Why two texts are similar to a model: what changes if one word is left out at a time."""

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from sentence_reports.facts import EQUAL
from sentence_reports.lesson.html import HtmlOutput, bdi
from sentence_reports.texts import capitalized, isolated, number, quoted, shorten

MAX_WORDS = 40  # of a text; each costs one more text to encode
UNDIVIDED_LENGTH = 300  # characters of a text that has no words to leave out


def leave_out(pair: tuple[str, str], encode: Callable[[Sequence[str]], NDArray[np.floating]]) -> HtmlOutput:
    """Show for each word of two texts how the similarity of the two changes without it.

    `encode` returns the `(n, d)` embeddings of `n` texts; all are encoded at once. A text of one word, such as a clause
    in a script without spaces, and one of more than `MAX_WORDS` words keep all their words.
    """
    words = [text.split() for text in pair]
    shorter = [
        [" ".join(some[:k] + some[k + 1 :]) for k in range(len(some)) if 1 < len(some) <= MAX_WORDS]
        for some in words
    ]
    vectors = encode([*pair, *shorter[0], *shorter[1]]).astype(float)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths > 0, lengths, np.nan)  # nan: nothing is left that the model can read
    whole = float(unit[0] @ unit[1])
    first, second = np.split(unit[2:], [len(shorter[0])])
    head = "With all their words, the similarity of the two is {}. Without one word:"
    html = [f"<p>{head.format(f'<b>{number(whole, 2)}</b>')}</p>"]
    plain = [head.format(number(whole, 2))]
    for text, pieces, values in zip(pair, words, (first @ unit[1], second @ unit[0]), strict=True):
        if len(values):
            changes, said = (values - whole).round(EQUAL), _in_words(pieces, values, whole)
            html.append(f"<p>{_chips(pieces, changes)}<br>{escape(said)}</p>")
            listed = zip(map(isolated, pieces), map(_signed, changes), strict=True)
            plain += ["  ".join(map(" ".join, listed)), said]
        else:
            reason = "has too many words" if len(pieces) > 1 else "is written as one word"
            said = f"{quoted(shorten(text, UNDIVIDED_LENGTH))} {reason}, so none is left out."
            html.append(f"<p>{escape(said)}</p>")
            plain.append(said)
    return HtmlOutput("".join(html), "\n".join(plain))


def _chips(pieces: list[str], changes: NDArray[np.floating]) -> str:
    """The words of a text, each with how the similarity changes without it; the largest fall is marked."""
    deepest = int(np.nanargmin(changes)) if np.isfinite(changes).any() else -1
    chips = []
    for k, (piece, change) in enumerate(zip(pieces, changes, strict=True)):
        chip = f"{bdi(piece)}&nbsp;<small>{_signed(change)}</small>"
        chips.append(f"<mark><b>{chip}</b></mark>" if k == deepest and change <= -0.005 else chip)
    return " · ".join(chips)


def _signed(change: float) -> str:
    """A change with its sign; a dash if nothing was left that the model can read."""
    if np.isnan(change):
        return "–"
    shown = number(change, 2)
    return f"+{shown}" if change >= 0.005 else shown


def _in_words(pieces: list[str], values: NDArray[np.floating], whole: float) -> str:
    """The word that counts most, in a sentence."""
    if not np.isfinite(values).any():
        return "Without any of its words, nothing is left that the model can read."
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    names = [piece.strip(".,;:!?()") or piece for piece in pieces]
    said = []
    if values[low] - whole <= -0.005:
        said.append(f"Without {quoted(names[low])}, it falls to {number(float(values[low]), 2)}")
    if values[high] - whole >= 0.005:
        said.append(f"without {quoted(names[high])}, it rises to {number(float(values[high]), 2)}")
    return f"{capitalized('; '.join(said) or 'no single word changes it')}."
