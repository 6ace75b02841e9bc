"""From a run's summary to the tables of its page: the matrix in colour, the extreme pairs, the neighbours."""

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentence_reports.pairs import Pairs
from sentence_reports.summary import Legend, Pair, Summary

TABLE_UP_TO = 30  # sentences; more, and the extreme pairs say more than the table
NEIGHBOURS_UP_TO = 300  # sentences; more, and the lists outweigh the page
NEIGHBOURS = 5
EXTREMES = 10
THUMBNAIL = 12  # cells to a side


@dataclass(frozen=True)
class Sentence:
    """A sentence with its number, counted from 1, its short label and the colour of its group, if it has one."""

    number: int
    text: str
    label: str
    color: str | None


@dataclass(frozen=True)
class Cell:
    """A similarity with the colour behind it and the one of the two inks that can be read on it."""

    similarity: float
    background: str
    ink: str


@dataclass(frozen=True)
class Likeness:
    """A pair of sentences, or a sentence and a neighbour, with their similarity."""

    first: Sentence
    second: Sentence
    similarity: float


class Colors:
    """The heatmap's colours, as `figures.legend` describes them: from a similarity to a colour."""

    def __init__(self, legend: Legend) -> None:
        self._low, self._high, self._ramp = legend.low, legend.high, legend.ramp

    def of(self, similarity: float) -> str:
        """The colour of a similarity, as ``#rrggbb``."""
        place = (similarity - self._low) / (self._high - self._low) * (len(self._ramp) - 1)
        return str(self._ramp[min(len(self._ramp) - 1, max(0, round(place)))])

    def cell(self, similarity: float) -> Cell:
        """The similarity with its colour and an ink that stands out from it by 4.5 to 1 at least."""
        background = self.of(similarity)
        # Where black and white are equally far, either has a contrast of 4.58.
        return Cell(similarity, background, "#000" if _luminance(background) > 0.179 else "#fff")


def _luminance(color: str) -> float:
    """The relative luminance of a colour, 0 to 1, as WCAG 2.1 defines it."""
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def sentences(summary: Summary) -> list[Sentence]:
    """The sentences of a summary, in their order."""
    colors = dict(summary.legend.groups)
    groups = summary.groups or [None] * len(summary.sentences)
    rows = zip(summary.sentences, summary.labels, groups, strict=True)
    return [
        Sentence(k, text, label, colors.get(group or ""))
        for k, (text, label, group) in enumerate(rows, start=1)
    ]


def matrix_rows(
    matrix: NDArray[np.float32], known: list[Sentence], colors: Colors
) -> list[tuple[Sentence, list[Cell]]]:
    """A row for each sentence of an `(n, n)` matrix; none where `n` is too large for a table."""
    if len(known) > TABLE_UP_TO:
        return []
    return [
        (sentence, [colors.cell(float(x)) for x in row]) for sentence, row in zip(known, matrix, strict=True)
    ]


def extremes(matrix: NDArray[np.float32], known: list[Sentence]) -> tuple[list[Likeness], list[Likeness]]:
    """The closest pairs, closest first, and the farthest, farthest first; no pair is in both."""
    pairs = Pairs(matrix)
    few = min(EXTREMES, len(pairs) // 2)

    def named(pair: Pair) -> Likeness:
        return Likeness(known[pair.first], known[pair.second], pair.similarity)

    near = pairs.closest(few)
    far = [pair for pair in pairs.farthest(2 * few) if pair not in near][:few]
    return [named(pair) for pair in near], [named(pair) for pair in far]


def neighbours(matrix: NDArray[np.float32], known: list[Sentence]) -> list[tuple[Sentence, list[Likeness]]]:
    """For each sentence its nearest others, nearest first; nothing where there are too many sentences."""
    if len(known) > NEIGHBOURS_UP_TO:
        return []
    found = []
    for k, sentence in enumerate(known):
        order = [int(j) for j in np.argsort(-matrix[k], kind="stable") if j != k][:NEIGHBOURS]
        found.append((sentence, [Likeness(sentence, known[j], float(matrix[k, j])) for j in order]))
    return found


def thumbnail(summary: Summary) -> tuple[tuple[str, ...], ...]:
    """Return the heatmap as a small square of colors; a large matrix is sampled evenly."""
    matrix, colors = summary.similarity, Colors(summary.legend)
    places = np.unique(np.linspace(0, len(matrix) - 1, min(len(matrix), THUMBNAIL)).round().astype(int))
    return tuple(tuple(colors.of(float(matrix[i, j])) for j in places) for i in places)


def matrix_csv(summary: Summary) -> str:
    """Return the similarity matrix as CSV (RFC 4180), with the full sentences as header and first column."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)  # quotes where needed, CRLF
    writer.writerow(["", *summary.sentences])
    for text, row in zip(summary.sentences, summary.similarity, strict=True):
        writer.writerow([text, *row.astype(str)])  # the shortest digits that give the same float32 again
    return buffer.getvalue()
