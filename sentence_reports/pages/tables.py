"""From a run's similarities to its tables: colors, extreme pairs, neighbors, thumbnail, CSV, a large set's overview."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentence_reports.comparison import Compared
from sentence_reports.facts import EQUAL, Legend, Pair
from sentence_reports.overview import Blocks, Neighbors
from sentence_reports.pairs import Pairs
from sentence_reports.rankings import RELATED, found_by_chance, rankings
from sentence_reports.schemes import TOPIC_GRAY, TOPIC_HUES
from sentence_reports.summary import (
    AnySentenceSummary,
    AnySummary,
    CollectionSummary,
    ComparisonSummary,
    OneModelSummary,
    SearchSummary,
    WalkthroughSummary,
)
from sentence_reports.texts import cut_at_word

NEIGHBORS = 5
FEW_NEIGHBORS = 3  # of each sentence, if there are many
MANY = 1000  # sentences
SHORT = 80  # characters of a sentence that is on the page in full, too
EXTREMES = 10
THUMBNAIL = 12  # cells per side
MAX_ROWS = 100_000  # of a search's CSV
RANKS = 100  # per query, if a search has more rows than that
TINTS = tuple(
    f"#{238 - 227 * k // 15:02x}{246 - 152 * k // 15:02x}{251 - 113 * k // 15:02x}" for k in range(16)
)
"""Colors from a light to a dark blue in equal steps, for reports whose set does not choose a colormap."""


class Colors:
    """The heatmap's colors, from a similarity to a color as ``#rrggbb``."""

    def __init__(self, legend: Legend) -> None:
        self._legend = legend

    def of(self, similarity: float) -> str:
        """Return the color of a similarity."""
        ramp = self._legend.ramp
        return ramp[round(self._legend.fraction(similarity) * (len(ramp) - 1))]

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
    positions: list[list[int]] = Neighbors.of(matrix, NEIGHBORS).positions.tolist()
    return positions


def large_set(summary: WalkthroughSummary) -> dict[str, Any] | None:
    """Return what the page shows of a set that is too large for a heatmap of all; None for a smaller one.

    `closest` holds the closest pairs, `alone` the sentences whose nearest neighbor is least similar, the farthest
    first: the positions of both, their similarity, and whether it is above chance. `without` counts the sentences whose
    nearest neighbor is not above chance, `by_chance` says how many unrelated sentences have such a neighbor.
    `neighbors` holds position and similarity of each sentence's nearest, `short` each sentence cut to `SHORT`
    characters. `legend` and `colors` are those of the mean similarities of the blocks; `given` says whether the rows
    are in the order of the set.
    """
    if summary.overview is None:
        return None
    near, blocks = summary.overview.neighbors, summary.overview.blocks
    positions, similarities = near.positions.tolist(), near.similarities.tolist()
    pairs = {
        Pair(min(k, other), max(k, other), value)
        for k, others in enumerate(zip(positions, similarities, strict=True))
        for other, value in zip(*others, strict=True)
    }
    lonely = np.argsort(near.similarities[:, 0], kind="stable").tolist()
    related = [summary.baseline.percentile(row[0]) >= RELATED for row in similarities]
    shown = NEIGHBORS if len(positions) <= MANY else FEW_NEIGHBORS
    legend = block_legend(summary.legend, blocks)
    return {
        "closest": sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))[:EXTREMES],
        "alone": [(k, positions[k][0], similarities[k][0], related[k]) for k in lonely[:EXTREMES]],
        "without": related.count(False),
        "by_chance": found_by_chance(len(positions) - 1),
        "neighbors": [
            list(zip(*(row[:shown] for row in rows), strict=True))
            for rows in zip(positions, similarities, strict=True)
        ],
        "blocks": blocks,
        "legend": legend,
        "colors": Colors(legend),
        "short": [cut_at_word(text, SHORT) for text in summary.sentences],
        "given": list(summary.order) == sorted(summary.order),
    }


def block_legend(legend: Legend, blocks: Blocks) -> Legend:
    """Return the colors of the mean similarities of blocks."""
    return replace(legend, high=blocks.high_end(legend.low))


def thumbnail(summary: AnySummary) -> tuple[tuple[str, ...], ...]:
    """Return the heatmap as a few rows of colors; what has more rows is sampled evenly.

    Of a large set it shows the blocks. Of a comparison it shows the first model below the diagonal and the second above
    it; of a large one, the rank correlation of each pair of models. Of a collection it shows how large its topics are.
    """
    if isinstance(summary, CollectionSummary):
        return _topic_bars(summary)
    legend = summary.legend
    if isinstance(summary, ComparisonSummary):
        matrix = _two_models(summary) if summary.pairs is None else _agreement(summary)
    elif isinstance(summary, WalkthroughSummary) and summary.overview:
        blocks = summary.overview.blocks
        legend = block_legend(legend, blocks)
        matrix = np.array([[legend.low if mean is None else mean for mean in row] for row in blocks.means])
    elif isinstance(summary, WalkthroughSummary):
        matrix = summary.similarity[np.ix_(summary.order, summary.order)]
    else:
        matrix = summary.similarity
    rows, columns = (np.linspace(0, n - 1, min(n, THUMBNAIL)).round().astype(int) for n in matrix.shape)
    return tuple(tuple(map(Colors(legend).of, row)) for row in matrix[np.ix_(rows, columns)].tolist())


def _topic_bars(summary: CollectionSummary) -> tuple[tuple[str, ...], ...]:
    """Return a bar for each of the largest topics, the largest as wide as the picture."""
    shares = [topic.share for topic in summary.topics[:THUMBNAIL]]
    lengths = [max(1, round(THUMBNAIL * share / shares[0])) for share in shares]
    lengths += [0] * (THUMBNAIL - len(shares))
    colors = (*TOPIC_HUES, *(TOPIC_GRAY,) * THUMBNAIL)
    rows = zip(colors, lengths, strict=False)
    return tuple((color,) * length + (TINTS[0],) * (THUMBNAIL - length) for color, length in rows)


def _two_models(summary: ComparisonSummary) -> NDArray[np.floating]:
    """Return one square, `(n, n)`, with the pairs of the first model below its diagonal and the second's above it."""
    compared, order = Compared(summary), np.ix_(summary.order, summary.order)
    return np.tril(compared.matrix(0)[order]) + np.triu(compared.matrix(1)[order], k=1)


def _agreement(summary: ComparisonSummary) -> NDArray[np.floating]:
    """Return the rank correlation of each pair of models, `(c, c)`, as far as there is one."""
    matrix = np.eye(len(summary.columns))
    for likeness in summary.likenesses:
        pair = likeness.first, likeness.second
        matrix[pair] = matrix[pair[::-1]] = likeness.spearman or 0.0
    return matrix


def table_csv(summary: AnySentenceSummary) -> str:
    """Return the similarities of a report as CSV (RFC 4180).

    They are the rankings of a search, the pairs of a comparison, the matrix of a walkthrough, and the nearest neighbors
    if the matrix is too large to be kept.
    """
    buffer = io.StringIO()
    if isinstance(summary, ComparisonSummary):
        rows = _pair_rows(summary)
    elif isinstance(summary, SearchSummary):
        rows = _ranking_rows(summary)
    elif isinstance(summary, WalkthroughSummary) and summary.matrix is None:
        rows = _neighbor_rows(summary)
    else:
        rows = _matrix_rows(summary)
    csv.writer(buffer).writerows(rows)  # quotes where needed, CRLF
    return buffer.getvalue()


def _matrix_rows(summary: OneModelSummary) -> Iterator[list[object]]:
    """Yield the matrix with the full sentences as header and first column."""
    yield ["", *summary.sentences]
    for text, row in zip(summary.sentences, summary.similarity, strict=True):
        yield [text, *row.astype(str)]  # the shortest digits that give the same float32 again


def _neighbor_rows(summary: WalkthroughSummary) -> Iterator[list[object]]:
    """Yield the nearest neighbors of each sentence, the nearest first."""
    assert summary.overview  # what has no matrix has one
    near, texts = summary.overview.neighbors, summary.sentences
    yield ["number", "text", "rank", "neighbor", "neighbor text", "similarity", "percentile"]
    for k, (positions, similarities) in enumerate(zip(near.positions, near.similarities, strict=True)):
        for rank, (other, value) in enumerate(zip(positions.tolist(), similarities, strict=True), start=1):
            percentile = summary.baseline.percentile(float(value))
            yield [k + 1, texts[k], rank, other + 1, texts[other], str(value), percentile]


def _pair_rows(summary: ComparisonSummary) -> Iterator[list[object]]:
    """Yield the pairs that are kept, in the order of the set, with what each model says about them."""
    compared, texts = Compared(summary), summary.sentences
    names = ("similarity", "corrected", "percentile", "rank")
    yield [
        *("first", "second", "first text", "second text"),
        *(f"{column.label} {name}" for column in summary.columns for name in names),
    ]
    columns: list[list[str]] = []
    for values in zip(
        compared.similarities, compared.corrected, compared.percentiles, compared.ranks, strict=True
    ):
        similarities, corrected, percentiles, ranks = values
        columns.append(similarities.astype(str).tolist())
        columns.append([f"{value:.{EQUAL}f}" for value in corrected.tolist()])
        columns.append([f"{value:.1f}" for value in percentiles.tolist()])
        columns.append([f"{value:.10g}" for value in ranks.tolist()])
    for (first, second), *said in zip(compared.pairs.tolist(), *columns, strict=True):
        yield [first + 1, second + 1, texts[first], texts[second], *said]


def _ranking_rows(summary: SearchSummary) -> Iterator[list[object]]:
    """Yield the sentences of each query, the best first: all, or `RANKS` of each in a large search."""
    matrix = summary.similarity
    count = None if matrix.size <= MAX_ROWS else RANKS
    yield ["query", "query text", "rank", "number", "text", "similarity", "percentile"]
    for query, matches in enumerate(rankings(matrix, summary.baseline, count)):
        for rank, match in enumerate(matches, start=1):
            cells = match.sentence + 1, summary.sentences[match.sentence], str(matrix[query, match.sentence])
            yield [query + 1, summary.queries[query], rank, *cells, match.percentile]
