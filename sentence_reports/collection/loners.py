"""Loners: texts that even their nearest neighbors have little in common with."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.collection.neighbors import Nearest
from sentence_reports.facts import DIGITS, EQUAL, Baseline

SHOWN_LONERS = 50


class Loner(NamedTuple):
    """A text by its position, its mean similarity to its nearest neighbors, and the percentile of that, 0 to 100.

    The percentile is that among unrelated pairs: `Baseline.percentile`.
    """

    position: int
    similarity: float
    percentile: float


@dataclass(frozen=True)
class Loners:
    """The texts with the lowest mean similarity to their nearest neighbors.

    `count` of all texts are not closer to their neighbors than 99% of unrelated pairs are to each other. `lowest` holds
    up to `SHOWN_LONERS` texts, the loneliest first, whether they are among those or not. The more texts there are, the
    nearer is the nearest one by chance, so large collections have few.
    """

    count: int
    lowest: tuple[Loner, ...]


def similarity_to_neighbors(nearest: Nearest) -> NDArray[np.float64]:
    """Return the mean similarity of each text to its nearest neighbors, `(n,)`; nan if a text is alone."""
    n, k = nearest.similarities.shape
    if not k:
        return np.full(n, np.nan)
    return np.asarray(nearest.similarities.mean(axis=1, dtype=np.float64).round(EQUAL))


def find_loners(nearest: Nearest, baseline: Baseline) -> Loners:
    """Return the loners among the texts; equal ones are in their order."""
    means = similarity_to_neighbors(nearest)
    if not nearest.similarities.size:
        return Loners(0, ())
    order = np.argsort(means, kind="stable")[:SHOWN_LONERS].tolist()
    lowest = tuple(Loner(k, float(means[k]), baseline.percentile(means[k])) for k in order)
    return Loners(int((means.round(DIGITS) <= baseline.rare).sum()), lowest)
