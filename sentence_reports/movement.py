"""Which pairs of sentences moved between two reports: those whose similarity differs beyond rounding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.comparison import Compared, rank_pairs, spearman
from sentence_reports.facts import Baseline
from sentence_reports.summary import Column, ComparisonSummary, WalkthroughSummary

ROUNDING = 0.0001
"""Similarities of one model that differ by no more did not move: it is the last decimal that tables show.

Other batch sizes, numbers of threads and libraries for matrices changed similarities by less than a millionth.
"""
CORRECTED_ROUNDING = 0.01
"""Chance-corrected similarities of two models that differ by no more did not move: pages show two decimals.

The median that corrects them is known to three decimals.
"""
FITTED = "this set"
"""The source of a model that is fitted on the sentences of the set."""
LISTED = 100
"""How many of the pairs that moved are listed."""


class Moved(NamedTuple):
    """A pair that moved: its two texts, then what the old and the new report say about it.

    `old_corrected` and `new_corrected` are the chance-corrected similarities. The ranks are among the pairs that both
    reports have, 1 for the closest; None unless models differ and all of these pairs are known, more than one.
    """

    first: str
    second: str
    old: float
    new: float
    old_corrected: float
    new_corrected: float
    old_rank: float | None
    new_rank: float | None


@dataclass(frozen=True)
class Movement:
    """What became of the pairs of sentences that two reports have in common.

    `total` counts these pairs, `compared` those whose similarity both reports keep, and `moved` those of them that
    moved: by more than `ROUNDING` if the model is the `same`, else by more than `CORRECTED_ROUNDING`, chance-corrected.
    `pairs` holds up to `LISTED` of them: those that moved most first, by similarity if the model is the same, else by
    rank. `spearman` is the rank correlation of old and new similarities, None if the model is the same or not all pairs
    are known. `fitted` says whether both models are fitted on their set.
    """

    same: bool
    total: int
    compared: int
    moved: int
    pairs: tuple[Moved, ...]
    spearman: float | None = None
    fitted: bool = False


@dataclass(frozen=True)
class ModelPairs:
    """The similarities of one model that a report keeps.

    `pairs` holds the positions of two of its `texts`, `(m, 2)`, each pair once, and `similarities` is `(m,)` float64.
    `said` is what the report says about the model.
    """

    texts: Sequence[str]
    pairs: NDArray[np.integer]
    similarities: NDArray[np.float64]
    said: Column | WalkthroughSummary


def pairs_by_model(summary: WalkthroughSummary | ComparisonSummary) -> dict[str, ModelPairs]:
    """Return the similarities that a report keeps of each of its models, by label; "" if there is only one model.

    Raises ValueError if the numbers in the summary do not fit its sentences.
    """
    n = len(summary.sentences)
    if isinstance(summary, ComparisonSummary):
        compared = Compared(summary)
        by_model = {
            column.label: ModelPairs(summary.sentences, compared.pairs, row, column)
            for column, row in zip(summary.columns, compared.similarities.astype(float), strict=True)
        }
    else:
        by_model = {"": ModelPairs(summary.sentences, *_of_walkthrough(summary), summary)}
    for each in by_model.values():
        if len(each.pairs) != len(each.similarities) or not np.isfinite(each.similarities).all():
            raise ValueError(f"{len(each.pairs)} pairs have {len(each.similarities)} finite similarities")
        if len(each.pairs) and not 0 <= each.pairs.min() <= each.pairs.max() < n:
            raise ValueError(f"a pair is not of the {n} sentences")
    return by_model


def _of_walkthrough(summary: WalkthroughSummary) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
    n = len(summary.sentences)
    if summary.matrix is not None:
        rows, columns = np.triu_indices(n, k=1)
        return np.column_stack([rows, columns]), summary.similarity.reshape(n, n)[rows, columns].astype(float)
    if summary.overview is None:
        raise ValueError("it keeps no similarities")
    near = summary.overview.neighbors
    firsts = np.repeat(np.arange(n), near.count)
    pairs = np.sort(np.column_stack([firsts, near.positions.ravel().astype(np.intp)]), axis=1)
    pairs, first = np.unique(pairs, axis=0, return_index=True)
    return pairs, near.similarities.ravel()[first].astype(float)


def same_model(old: ModelPairs, new: ModelPairs) -> bool:
    """Return whether the similarities are on one scale: of the same weights, used in the same way.

    A model that is fitted on the set itself is the same only if the sentences are.
    """
    models = old.said.model, new.said.model
    used = [(m.sha256, m.dimension, m.pooling, m.prompt, m.normalizes, m.source == FITTED) for m in models]
    return used[0] == used[1] and (models[0].source != FITTED or set(old.texts) == set(new.texts))


def movement(old: ModelPairs, new: ModelPairs) -> Movement:
    """Return which of the pairs that two reports have in common moved. Texts are matched, not their numbers."""
    both = set(new.texts)
    common = [text for text in dict.fromkeys(old.texts) if text in both]
    total = len(common) * (len(common) - 1) // 2
    index = {text: k for k, text in enumerate(common)}
    (codes, one), (others, other) = (_coded(each, index) for each in (old, new))
    codes, rows, columns = np.intersect1d(codes, others, assume_unique=True, return_indices=True)
    one, other = one[rows], other[columns]
    corrected = _corrected(one, old.said.baseline), _corrected(other, new.said.baseline)
    same = same_model(old, new)
    change = np.abs(other - one) if same else np.abs(corrected[1] - corrected[0])
    moved = np.flatnonzero(change > (ROUNDING if same else CORRECTED_ROUNDING))
    ranked = (rank_pairs(one), rank_pairs(other)) if not same and 1 < len(codes) == total else None
    most = np.abs(ranked[1] - ranked[0]) if ranked else change
    listed = moved[np.lexsort((-change[moved], -most[moved]))][:LISTED]
    pairs = tuple(
        Moved(
            common[codes[k] // len(common)],
            common[codes[k] % len(common)],
            *(float(column[k]) for column in (one, other, *corrected)),
            *((float(ranked[0][k]), float(ranked[1][k])) if ranked else (None, None)),
        )
        for k in listed
    )
    order = spearman(*ranked) if ranked else None
    fitted = old.said.model.source == new.said.model.source == FITTED
    return Movement(same, total, len(codes), len(moved), pairs, order, fitted)


def _corrected(similarities: Any, baseline: Baseline) -> NDArray[np.float64]:
    corrected: NDArray[np.float64] = baseline.corrected(similarities) + np.zeros(len(similarities))
    return corrected


def _coded(kept: ModelPairs, index: dict[str, int]) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
    """Return a number for each pair of texts in `index`, the same in both reports, and its similarity."""
    if not len(kept.pairs):
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    positions = np.array([index.get(text, -1) for text in kept.texts], dtype=np.intp)
    pairs = np.sort(positions[kept.pairs], axis=1)
    common = (pairs[:, 0] >= 0) & (pairs[:, 0] < pairs[:, 1])
    codes, first = np.unique(pairs[common] @ [len(index), 1], return_index=True)
    return codes, kept.similarities[common][first]
