"""From a run's similarities to its tables: colors, extreme pairs, nearest neighbors, the thumbnail and the CSV."""

import csv
import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sentence_reports.pairs import Pairs
from sentence_reports.rankings import rankings
from sentence_reports.summary import Legend, Pair, SearchSummary, Summary

NEIGHBORS = 5
EXTREMES = 10
THUMBNAIL = 12  # cells per side
MAX_ROWS = 100_000  # of a search's CSV
RANKS = 100  # per query, if a search has more rows than that


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


def table_csv(summary: Summary) -> str:
    """Return the similarities of a report as CSV (RFC 4180): the rankings of a search, else the matrix."""
    buffer = io.StringIO()
    rows = _ranking_rows(summary) if isinstance(summary, SearchSummary) else _matrix_rows(summary)
    csv.writer(buffer).writerows(rows)  # quotes where needed, CRLF
    return buffer.getvalue()


def _matrix_rows(summary: Summary) -> Iterator[list[str]]:
    """Yield the matrix with the full sentences as header and first column."""
    yield ["", *summary.sentences]
    for text, row in zip(summary.sentences, summary.similarity, strict=True):
        yield [text, *row.astype(str)]  # the shortest digits that give the same float32 again


def _ranking_rows(summary: SearchSummary) -> Iterator[list[object]]:
    """Yield the sentences of each query, the best first: all, or `RANKS` of each in a large search."""
    matrix = summary.similarity
    count = None if matrix.size <= MAX_ROWS else RANKS
    yield ["query", "query text", "rank", "number", "text", "similarity", "percentile"]
    for query, matches in enumerate(rankings(matrix, summary.baseline, count)):
        for rank, match in enumerate(matches, start=1):
            found = match.sentence + 1, summary.sentences[match.sentence], str(matrix[query, match.sentence])
            yield [query + 1, summary.queries[query], rank, *found, match.percentile]
