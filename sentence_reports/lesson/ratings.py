"""What people say about pairs of sentences, against what the model says: in numbers, as a picture and in words."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from sentence_reports.claim_records import Agreement, RatedPair
from sentence_reports.facts import EQUAL
from sentence_reports.lesson.picture import DOTS_UP_TO, PX, Picture, styled
from sentence_reports.schemes import HUES
from sentence_reports.texts import number, quoted

RESAMPLES = 999
FEWEST = 5  # pairs; fewer say nothing about others
MAX_DISAGREEMENTS = 10  # or half of the pairs

Rating = tuple[int, int, float]


def agreement(rated: Sequence[Rating], matrix: NDArray[np.floating]) -> Agreement:
    """Return how well the similarities in an `(n, n)` matrix agree with the scores of the `rated` pairs.

    A rated pair is two positions counted from 0 and a score on any scale. The interval holds the middle 95% of
    Spearman's correlation over `RESAMPLES` samples of the pairs with replacement (Efron's percentile bootstrap), the
    same in every run. There is no interval for fewer than `FEWEST` pairs, or if all samples give the same value.
    """
    pairs = rank_pairs(rated, matrix)
    farthest = sorted(pairs, key=lambda pair: -abs(pair.score_rank - pair.similarity_rank))
    most = farthest[: min(MAX_DISAGREEMENTS, len(pairs) // 2)]
    disagreements = [pair for pair in most if pair.score_rank != pair.similarity_rank]
    ranks = np.array([(pair.score_rank, pair.similarity_rank) for pair in pairs]).reshape(-1, 2).T
    if len(pairs) < 2 or not np.ptp(ranks, axis=1).all():
        return Agreement(len(pairs), None, None, tuple(disagreements))
    sampled = stats.bootstrap(
        tuple(ranks),
        _spearman,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=max(1, 200_000 // len(pairs)),  # a few megabytes at a time
        rng=np.random.default_rng(0),
    ).confidence_interval
    low, high = round(float(sampled.low), EQUAL), round(float(sampled.high), EQUAL)
    correlation = round(float(stats.spearmanr(*ranks).statistic), EQUAL)
    interval = (low, high) if low < high and len(pairs) >= FEWEST else None
    return Agreement(len(pairs), correlation, interval, tuple(disagreements))


def rank_pairs(rated: Sequence[Rating], matrix: NDArray[np.floating]) -> list[RatedPair]:
    """Return the rated pairs with their similarities and the ranks of both, in the order of the set."""
    similarities = [float(matrix[first, second]) for first, second, _ in rated]
    ranks = [
        (stats.rankdata(values) - 1) / max(len(rated) - 1, 1) * 100
        for values in ([score for *_, score in rated], np.round(similarities, EQUAL))
    ]
    return [
        RatedPair(first, second, score, similarity, float(score_rank), float(similarity_rank))
        for (first, second, score), similarity, score_rank, similarity_rank in zip(
            rated, similarities, *ranks, strict=True
        )
    ]


def _spearman(one: NDArray[np.floating], other: NDArray[np.floating], axis: int) -> NDArray[np.floating]:
    """Return Spearman's correlation along an axis: Pearson's of the ranks, 0 if one side is all the same."""
    ranks = [stats.rankdata(values, axis=axis) for values in (one, other)]
    x, y = (each - each.mean(axis=axis, keepdims=True) for each in ranks)
    lengths = np.sqrt((x * x).sum(axis=axis) * (y * y).sum(axis=axis))
    return np.asarray((x * y).sum(axis=axis) / np.where(lengths > 0, lengths, 1.0))


@styled
def scatter(
    rated: Sequence[Rating], matrix: NDArray[np.floating], texts: Sequence[str], agreed: Agreement
) -> Picture:
    """Return a picture of one or more rated pairs: the score across, the rank of the similarity upwards.

    `agreed` is what `agreement` returns for them: the pairs that disagree most have a mark of another shape and color.
    """
    pairs = rank_pairs(rated, matrix)
    marked = set(agreed.disagreements)
    figure = Figure(figsize=(480 * PX / 72, 400 * PX / 72))
    axes = figure.add_axes((0.13, 0.13, 0.85, 0.85))
    for color, marker, size, shown in (
        (HUES[0], "o", 18, [pair for pair in pairs if pair not in marked]),
        (HUES[1], "D", 30, agreed.disagreements),
    ):
        across, upwards = [pair.score for pair in shown], [pair.similarity_rank for pair in shown]
        axes.scatter(
            across,
            upwards,
            s=size,
            c=color,
            marker=marker,
            alpha=0.6,
            linewidths=0,
            rasterized=len(pairs) > DOTS_UP_TO,
        )
    axes.set(xlabel="what people say (score)", ylabel="rank of the model's similarity (0 to 100)")
    axes.spines[["top", "right"]].set_visible(False)
    return Picture(figure, _describe(pairs, agreed, texts))


def _describe(pairs: Sequence[RatedPair], agreed: Agreement, texts: Sequence[str]) -> str:
    scores = [pair.score for pair in pairs]
    count = f"{len(pairs):,} rated pairs" if len(pairs) > 1 else "1 rated pair"
    alt = (
        f"Scatter plot of {count}: across, the score that people gave, from {min(scores):g} to {max(scores):g}; "
        f"upwards, the rank of the model's similarity, from 0 to 100. {correlation_in_words(agreed)}"
    )
    if agreed.disagreements:
        worst = agreed.disagreements[0]
        alt += (
            f" Diamonds mark the pairs on which people and the model disagree most, above all "
            f"{quoted(texts[worst.first])} and {quoted(texts[worst.second])}: score {worst.score:g}, "
            f"similarity {number(worst.similarity, 2)}."
        )
    return alt


def correlation_in_words(agreed: Agreement) -> str:
    """Return Spearman's correlation with its interval in a sentence, and what the interval means for few pairs."""
    if agreed.spearman is None:
        return "There is no rank correlation: all scores or all similarities are the same."
    ranks = f"Spearman's rank correlation is {number(agreed.spearman, 4)}"
    if agreed.interval is None:
        return f"{ranks}; these {agreed.count:,} pairs cannot show how certain that is."
    low, high = (number(end, 2) for end in agreed.interval)
    return f"{ranks}. For other pairs of the same kind, it could plausibly be anything from {low} to {high}."
