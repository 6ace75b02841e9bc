"""From what changed between two reports to one HTML page."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from sentence_reports.difference import OTHERS, TURNED, ColumnDifference, Difference
from sentence_reports.matching import ClaimChange
from sentence_reports.movement import CORRECTED_ROUNDING, LISTED, ROUNDING, Moved, Movement
from sentence_reports.pages.index import fill_in, style_sheets
from sentence_reports.texts import digits_apart, number

DRAWN = 8  # pairs in the slope chart; more lines cannot be followed
UNFOLDED = 10  # pairs, texts
TOP, BOTTOM = 34, 286  # pixels, of the slope chart's lines
APART = 17  # pixels between two labels


class Slope(NamedTuple):
    """A line of the slope chart: heights of its two ends and of the labels there, and the labels' values."""

    old: float
    new: float
    old_label: float
    new_label: float
    old_value: str
    new_value: str
    rises: bool


def render_difference(difference: Difference, old_name: str = "", new_name: str = "") -> str:
    """Return the page about a difference as HTML; the names say which reports it is about, such as stem and date."""
    return fill_in(
        "diff.html.j2",
        difference=difference,
        claims=claims_once(difference.columns),
        names=(old_name, new_name),
        charts=[slopes(column.movement) for column in difference.columns],
        rounding=ROUNDING,
        corrected_rounding=CORRECTED_ROUNDING,
        listed=LISTED,
        unfolded=UNFOLDED,
        decimals=digits,
        css=style_sheets("style.css", "diff.css", "paper.css"),
    )


def claims_once(columns: Sequence[ColumnDifference]) -> list[list[tuple[str, ClaimChange]]]:
    """Return the claims that changed, each once, with the labels of the models for which it changed and how.

    Those that no longer hold for a model come first, then those that now hold, then the others.
    """
    told: dict[str, list[tuple[str, ClaimChange]]] = {}
    for column in columns:
        for change in column.claims:
            told.setdefault(change.claim.expected, []).append((column.label, change))
    order = (*TURNED, *OTHERS)
    return sorted(
        told.values(), key=lambda changed: min(order.index(change.outcome) for _, change in changed)
    )


def digits(one: float, other: float) -> int:
    """Return with how many decimals two similarities are shown: two, or more for a small difference."""
    return max(digits_apart(one, other), digits_apart(one - other, 0))


def slopes(movement: Movement) -> list[Slope]:
    """Return the lines of the pairs that moved most, from their old similarity to the new one.

    If the models differ, they are chance-corrected, or ranks if these are known. There is no line for a single pair, or
    if no rank changed.
    """
    pairs = movement.pairs[:DRAWN]
    ends = [_values(pair, movement.same) for pair in pairs]
    if len(pairs) < 2 or all(old == new for old, new in ends):
        return []
    ranked = not movement.same and pairs[0].old_rank is not None
    low, high = min(map(min, ends)), max(map(max, ends))
    bottom, top = (high, low) if ranked else (low, high)
    olds, news = ([_height(pair[side], bottom, top) for pair in ends] for side in (0, 1))
    values = [[f"{value:g}" if ranked else number(value, digits(*pair)) for value in pair] for pair in ends]
    return [
        Slope(old, new, old_label, new_label, shown[0], shown[1], rises=new <= old)
        for old, new, old_label, new_label, shown in zip(
            olds, news, spread(olds), spread(news), values, strict=True
        )
    ]


def _values(pair: Moved, same: bool) -> tuple[float, float]:
    if same:
        return pair.old, pair.new
    if pair.old_rank is not None and pair.new_rank is not None:
        return pair.old_rank, pair.new_rank
    return pair.old_corrected, pair.new_corrected


def _height(value: float, bottom: float, top: float) -> float:
    return round(BOTTOM - (value - bottom) / ((top - bottom) or 1) * (BOTTOM - TOP), 1)


def spread(heights: Sequence[float]) -> list[float]:
    """Return heights of labels near the ends of their lines, in the same order, `APART` from each other at least."""
    order = sorted(range(len(heights)), key=lambda k: heights[k])
    placed = list(heights)
    for before, k in pairwise(order):
        placed[k] = max(placed[k], placed[before] + APART)
    below = float(BOTTOM + APART)
    for k in reversed(order):  # those that were pushed out come back
        placed[k] = below = min(placed[k], below - APART)
    return [round(height, 1) for height in placed]
