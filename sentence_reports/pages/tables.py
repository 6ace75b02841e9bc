"""From a run's similarities to its tables: colors, extreme pairs, nearest neighbors, the thumbnail and the CSV."""

import csv
import io

import numpy as np
from numpy.typing import NDArray

from sentence_reports.pairs import Pairs
from sentence_reports.summary import Legend, Pair, Summary

NEIGHBORS = 5
EXTREMES = 10
THUMBNAIL = 12  # cells per side


class Colors:
    """The heatmap's colors, from a similarity to a color as ``#rrggbb``."""

    def __init__(self, legend: Legend) -> None:
        self._low, self._high, self._ramp = legend.low, legend.high, legend.ramp

    def of(self, similarity: float) -> str:
        """Return the color of a similarity."""
        step = round((similarity - self._low) / (self._high - self._low) * (len(self._ramp) - 1))
        return self._ramp[min(len(self._ramp) - 1, max(0, step))]

    def style(self, similarity: float) -> str:
        """Return the style of a box in the color of a similarity, with ink that can be read on it."""
        return f"background:{self.of(similarity)};color:{self.ink(similarity)}"

    def ink(self, similarity: float) -> str:
        """Return black or white: what stands out from the color of a similarity by 4.5 to 1 at least."""
        color = self.of(similarity)
        channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue  # as WCAG 2.1 defines it
        return "#000" if luminance > 0.179 else "#fff"  # there, both have a contrast of 4.58


def extremes(matrix: NDArray[np.float32]) -> tuple[list[Pair], list[Pair]]:
    """Return the closest pairs, closest first, and the farthest, farthest first; no pair is in both."""
    pairs = Pairs(matrix)
    count = min(EXTREMES, len(pairs) // 2)
    near = pairs.closest(count)
    return near, [pair for pair in pairs.farthest(2 * count) if pair not in near][:count]


def nearest_neighbors(matrix: NDArray[np.float32]) -> list[list[int]]:
    """Return for each sentence the positions of the `NEIGHBORS` most similar others, nearest first."""
    others = matrix.copy()
    np.fill_diagonal(others, -np.inf)
    count = min(NEIGHBORS, len(matrix) - 1)
    positions: list[list[int]] = np.argsort(-others, axis=1, kind="stable")[:, :count].tolist()
    return positions


def thumbnail(summary: Summary) -> tuple[tuple[str, ...], ...]:
    """Return the heatmap as a few rows of colors; a large matrix is sampled evenly."""
    matrix, colors = summary.similarity, Colors(summary.legend)
    rows, columns = (np.linspace(0, n - 1, min(n, THUMBNAIL)).round().astype(int) for n in matrix.shape)
    return tuple(tuple(map(colors.of, row)) for row in matrix[np.ix_(rows, columns)].tolist())


def matrix_csv(summary: Summary) -> str:
    """Return the similarity matrix as CSV (RFC 4180), with the full sentences as header and first column."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)  # quotes where needed, CRLF
    writer.writerow(["", *summary.sentences])
    for text, row in zip(summary.sentences, summary.similarity, strict=True):
        writer.writerow([text, *row.astype(str)])  # the shortest digits that give the same float32 again
    return buffer.getvalue()
