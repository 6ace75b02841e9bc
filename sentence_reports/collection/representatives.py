"""Representatives: a few texts that many others are related to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.collection.exact import above
from sentence_reports.facts import Baseline

CANDIDATES = 1000
CHOSEN = 20


class Representative(NamedTuple):
    """A text by its position; how many texts it covers, itself included, and how many of them no earlier one does."""

    position: int
    covers: int
    adds: int


@dataclass(frozen=True)
class Representatives:
    """Texts that were chosen one after the other, each for the number of texts that it covers and no earlier one does.

    A text covers those that are closer to it than 99% of unrelated pairs are to each other. All of `chosen` together
    cover `covered` texts; `by_chance` is the share, 0 to 1, that as many unrelated texts would cover. They were chosen
    from `candidates` texts, so there may be a better choice.
    """

    chosen: tuple[Representative, ...]
    covered: int
    by_chance: float
    candidates: int


def find_representatives(
    vectors: NDArray[np.float32], candidates: Sequence[int], baseline: Baseline, *, count: int = CHOSEN
) -> Representatives:
    """Return up to `count` texts that cover most of the `n` texts, among the first `CANDIDATES` of the `candidates`.

    Candidates are positions, the most promising first (`Topics.candidates`). Memory is a bit for each candidate and
    text. It ends early if no candidate adds two texts or more.
    """
    rows = np.array(list(dict.fromkeys(candidates))[:CANDIDATES], dtype=np.intp)
    if not len(rows):
        return Representatives((), 0, 0.0, 0)
    bits = above(vectors, rows, baseline.rare)
    covers = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    left = np.full(bits.shape[1], 255, dtype=np.uint8)
    chosen: list[Representative] = []
    while len(chosen) < count:
        adds = np.bitwise_count(bits & left).sum(axis=1, dtype=np.int64)
        best = int(adds.argmax())
        if adds[best] < (2 if chosen else 1):
            break
        chosen.append(Representative(int(rows[best]), int(covers[best]), int(adds[best])))
        left &= ~bits[best]
    covered = sum(one.adds for one in chosen)
    return Representatives(tuple(chosen), covered, round(1 - 0.99 ** len(chosen), 4), len(rows))
