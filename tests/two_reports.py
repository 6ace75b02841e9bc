"""Summaries of four sentences, for tests of what changed between two reports."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support import BASELINE, LEGEND, MODEL, small_summary

from sentence_reports.claim_records import ClaimCheck, Side
from sentence_reports.comparison import upper
from sentence_reports.difference import ColumnDifference, Difference, Edition
from sentence_reports.matching import Change, ClaimChange
from sentence_reports.movement import Moved, Movement
from sentence_reports.overview import Blocks, Neighbors, Overview, pack
from sentence_reports.summary import Column, ComparisonSummary, Likeness, WalkthroughSummary

A, B, C, D = "a cat", "a dog", "a car", "a bus"
VALUES = (0.6, 0.2, 0.1, 0.3, 0.15, 0.5)


def square(*values: float) -> NDArray[np.floating]:
    """A matrix of similarities from those of its pairs, row by row."""
    n = round((1 + (1 + 8 * len(values)) ** 0.5) / 2)
    matrix = np.eye(n, dtype="f4")
    matrix[np.triu_indices(n, 1)] = values
    return np.maximum(matrix, matrix.T)


def walkthrough(texts: Sequence[str], *values: float, **changes: Any) -> WalkthroughSummary:
    """The summary of these sentences, whose pairs have these similarities, row by row."""
    return small_summary(sentences=tuple(texts), labels=tuple(texts), matrix=pack(square(*values)), **changes)


OLD = walkthrough([A, B, C, D], *VALUES)


def large(texts: Sequence[str], matrix: NDArray[np.floating], count: int) -> WalkthroughSummary:
    """A summary that keeps only `count` neighbors of each sentence."""
    blocks = Blocks(None, (len(texts),), (0,), ((0.5,),))
    overview = Overview(Neighbors.of(matrix.astype("f4"), count), blocks)
    return replace(small_summary(), sentences=tuple(texts), matrix=None, overview=overview)


def comparison(**columns: Sequence[float]) -> ComparisonSummary:
    """A comparison of models that are called so, with the similarities of the pairs of `OLD`'s sentences."""
    return ComparisonSummary(
        settings={"title": "T"},
        sentences=(A, B, C, D),
        labels=(A, B, C, D),
        groups=None,
        finding=(),
        notices=(),
        legend=LEGEND,
        versions={},
        order=(0, 1, 2, 3),
        columns=tuple(
            Column(
                label,
                replace(MODEL, name=label),
                BASELINE,
                pack(upper(square(*values))),
                pack(np.arange(6)),
            )
            for label, values in columns.items()
        ),
        likenesses=(Likeness(0, 1, None, None, ()),),
    )


def hostile_difference(texts: Sequence[str]) -> Difference:
    """What changed between two reports, with each of these texts in every place that a text can be."""
    one, other = texts[0], texts[1]
    change = [Change(text, text, text) for text in texts]
    claim = ClaimCheck(
        "closer", True, Side("pair", (one, other), 0.5), Side("pair", (one, texts[2]), 0.1), 0.05, one
    )
    pairs = tuple(
        Moved(text, text[::-1], 0.1, 0.9 / k, 0.1, 0.9 / k, k, 2 * k) for k, text in enumerate(texts, 1)
    )
    columns = tuple(
        ColumnDifference(
            label=text,
            movement=Movement(same, 400, 300, len(pairs), pairs, 0.5),
            claims=(ClaimChange(claim, replace(claim, met=False)), ClaimChange(None, claim)),
            ratings=change[0],
            scale=change[1],
            model=tuple(change),
        )
        for text, same in zip(texts, (True, False), strict=False)
    )
    edition = Edition(one, other, 9, tuple(texts))
    return Difference(
        old=edition,
        new=replace(edition, title=texts[-1], finding=tuple(reversed(texts))),
        common=3,
        edited=tuple(change),
        added=tuple(texts),
        removed=tuple(texts),
        reordered=True,
        renamed=tuple(change),
        regrouped=tuple(change),
        published=change[2],
        labels=tuple(change),
        columns=columns,
        settings=tuple(change),
        versions=tuple(change),
    )
