"""The heatmap of a similarity matrix, the meaning of its colors, and its description."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd

from sentence_reports.facts import Baseline, Legend
from sentence_reports.lesson.heatmap_cells import LABELED_UP_TO, Axis, draw_cells
from sentence_reports.lesson.order import blocks
from sentence_reports.lesson.picture import (
    Picture,
    group_colors,
    group_names,
    numbered,
    numbered_labels,
    styled,
)
from sentence_reports.overview import Blocks
from sentence_reports.pairs import Pairs
from sentence_reports.rankings import best_match
from sentence_reports.texts import number, quoted

HIGHEST_LOW = 0.9  # of the colors; leaves them a tenth
RAMP = 64  # steps of color; an eye sees no more in a table


def color_range(similarity: pd.DataFrame, baseline: Baseline) -> tuple[float, float]:
    """Return the similarities at the ends of the colors: the median of unrelated pairs and the largest of the set.

    A pair that is no more similar than chance gets the first color. A sentence's similarity to itself does not count;
    in an `(q, n)` matrix of a search, all do. The high end is at least halfway from the low one to 1: small
    differences must not look like day and night.
    """
    values = similarity.to_numpy(copy=True)
    if list(similarity.index) == list(similarity.columns):
        np.fill_diagonal(values, -1)
    low = min(baseline.median, HIGHEST_LOW)
    return low, min(max(float(values.max()), (low + 1) / 2), 1.0)


@styled
def heatmap(
    similarity: pd.DataFrame,
    *,
    order: Sequence[int] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    groups: Sequence[str] | None = None,
    cmap: str = "YlGnBu",
) -> Picture:
    """Return the heatmap of an `(n, n)` similarity matrix.

    `similarity` has the same labels, in the same order, as index and columns. `order` holds the positions of the
    sentences in the order in which they are shown (`row_order`; None: as they are). `low` and `high` are the
    similarities at the ends of the colors (`color_range`); what is beyond gets the color of the end. The diagonal is
    blank. `groups` holds one name per sentence: adjacent sentences of a group are framed together and share a color.
    If the font cannot draw a label, the axes show the sentences' numbers. More than `LABELED_UP_TO` sentences are
    drawn as the means of blocks: their groups, or sentences that are next to each other. Raises ValueError if the
    matrix is not square or the labels differ.
    """
    n, labels = len(similarity), list(similarity.index)
    if similarity.shape != (n, n) or labels != list(similarity.columns):
        raise ValueError(
            f"expected a square matrix with equal labels on both axes, found shape {similarity.shape}"
        )
    positions = list(range(n) if order is None else order)
    if n > LABELED_UP_TO:
        return _block_heatmap(similarity, blocks(similarity.to_numpy(), positions, groups), low, cmap)
    names = [groups[k] for k in positions] if groups else None
    values = similarity.to_numpy(dtype=float, copy=True)[np.ix_(positions, positions)]
    np.fill_diagonal(values, np.nan)
    numbers, written = [str(k + 1) for k in positions], numbered_labels(labels)
    alt = (
        f"Heatmap of the cosine similarity of {n} sentences, {describe_scale(similarity, low, high, cmap)}"
        f"{_grouped(groups)}. {ends_in_words(similarity)}"
    )
    figure = draw_cells(
        values, (low, high), cmap, Axis([written[k] for k in positions], names), Axis(numbers, names)
    )
    return Picture(figure, alt)


def _block_heatmap(similarity: pd.DataFrame, means: Blocks, low: float, cmap: str) -> Picture:
    """Return the heatmap of the mean similarities of blocks of sentences."""
    values = np.array(means.means, dtype=float)
    high = means.high_end(low)
    central = [str(similarity.index[k]) for k in means.central]
    sizes = zip(means.names or (), means.sizes, strict=False)
    names = [f"{name} ({size})" for name, size in sizes] or central
    numbers = [str(k) for k in range(1, len(names) + 1)]
    what = "groups" if means.names else "blocks of similar sentences, each named after its most central one"
    alt = (
        f"Heatmap of the mean cosine similarity in and between {len(names)} {what}, {in_words(low, high, cmap)}: "
        f"{len(similarity)} sentences in all. {ends_in_words(similarity)}"
    )
    return Picture(draw_cells(values, (low, high), cmap, Axis(numbered_labels(names)), Axis(numbers)), alt)


@styled
def search_heatmap(
    similarity: pd.DataFrame,
    *,
    low: float = 0.0,
    high: float = 1.0,
    groups: Sequence[str] | None = None,
    cmap: str = "YlGnBu",
) -> Picture:
    """Return the heatmap of a `(q, n)` similarity matrix, one row per query and one column per sentence.

    `low` and `high` are the similarities at the ends of the colors (`color_range`); what is beyond gets the color of
    the end. `groups` holds one name per sentence; the label of a sentence has the color of its group. If the font
    cannot draw a label, its axis shows numbers.
    """
    texts = [list(axis) for axis in similarity.axes]
    labels = [[str(k) for k in range(1, len(axis) + 1)] if numbered(axis) else axis for axis in texts]
    rows, columns = Axis(labels[0], kind="queries"), Axis(labels[1], groups, upright=labels[1] is texts[1])
    query, sentence, value = best_match(similarity.to_numpy())
    alt = (
        f"Heatmap of the cosine similarity of {len(texts[0])} {'query' if len(texts[0]) == 1 else 'queries'} (rows) "
        f"and {len(texts[1])} sentences (columns{_grouped(groups)}), {describe_scale(similarity, low, high, cmap)}. "
        f"The best match is {quoted(texts[0][query])} with {quoted(texts[1][sentence])} at {number(value, 2)}."
    )
    return Picture(draw_cells(similarity.to_numpy(dtype=float), (low, high), cmap, rows, columns), alt)


def legend(
    similarity: pd.DataFrame, *, low: float, high: float, groups: Sequence[str] | None, cmap: str
) -> Legend:
    """Return what a page says about the colors of the heatmap with the same ends.

    `groups` holds one name per column.
    """
    colors = mpl.colormaps[cmap].resampled(RAMP)
    return Legend(
        low=low,
        high=high,
        scale=describe_scale(similarity, low, high, cmap),
        ramp=tuple(mpl.colors.to_hex(colors(k)) for k in range(RAMP)),
        groups=tuple(dict.fromkeys(zip(groups, group_colors(groups), strict=True))) if groups else (),
    )


def _grouped(groups: Sequence[str] | None) -> str:
    return f", in the groups {group_names(groups)}" if groups else ""


def ends_in_words(similarity: pd.DataFrame) -> str:
    """Name the closest and the farthest pair of an `(n, n)` similarity matrix."""
    pairs, labels = Pairs(similarity.to_numpy()), list(similarity.index)
    closest, farthest = (
        f"{quoted(labels[pair.first])} and {quoted(labels[pair.second])} at {number(pair.similarity, 2)}"
        for pair in (pairs.closest(1)[0], pairs.farthest(1)[0])
    )
    if len(pairs) == 1:
        return f"The one pair is {closest}."
    return f"The closest pair is {closest}; the farthest is {farthest}."


def describe_scale(similarity: pd.DataFrame, low: float, high: float, cmap: str) -> str:
    """The color scale in words: from which similarity to which, and which end is light."""
    return in_words(low, high, cmap, below=bool(similarity.to_numpy().min() < low))


def in_words(low: float, high: float, cmap: str, *, below: bool = False) -> str:
    """Return the ends of a color scale in words; `below` says that the low end is also that of smaller values."""
    ramp = mpl.colormaps[cmap](np.linspace(0, 1, RAMP))[:, :3] @ [0.299, 0.587, 0.114]  # luma, after BT.601
    steps, ends = np.diff(ramp), ("", "")
    if np.all(steps <= 0.01):
        ends = (" (lightest)", " (darkest)")
    elif np.all(steps >= -0.01):
        ends = (" (darkest)", " (lightest)")
    return f"from {number(low, 2)}{' or less' if below else ''}{ends[0]} to {number(high, 2)}{ends[1]}"
