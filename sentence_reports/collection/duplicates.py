"""Near-duplicates: texts that say nearly the same in nearly the same words; and texts that are equal but for numbers.

A similarity of 0.9 alone does not make one: 11,937 pairs among 100,000 sentences of manuals have it to a static model,
and in most of them one word differs, the one that matters ("Get the policy", "Set the policy"). So their words are
compared, too (see `wording`), which keeps 571 of these pairs. Of 50 of them, read by hand, 48 say the same. Without the
rule against a word in place of another one, 1,082 are kept, and of 50 of these 39 say the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentence_reports.collection.exact import similarities
from sentence_reports.collection.neighbors import Nearest
from sentence_reports.collection.wording import but_for_numbers, nearly_same, word_list

SIMILAR = 0.9


@dataclass(frozen=True)
class NearDuplicates:
    """Groups of near-duplicates among `n` texts.

    Each group holds positions, the original first: the earliest text, of which each other one is a near-duplicate. The
    largest groups come first, those of equal size in the order of their originals. `pairs` is the number of pairs of
    neighbors that were similar enough for their words to be compared, `same` that of those with nearly the same words.
    """

    groups: tuple[tuple[int, ...], ...]
    pairs: int
    same: int

    @property
    def extra(self) -> int:
        """How many texts are near-duplicates of an earlier one."""
        return sum(len(group) - 1 for group in self.groups)

    def originals(self, n: int) -> NDArray[np.int64]:
        """Return the position of the text that each of the `n` texts is a near-duplicate of, -1 for none, `(n,)`."""
        result = np.full(n, -1, dtype=np.int64)
        for original, *others in self.groups:
            result[others] = original
        return result

    def weights(self, n: int) -> NDArray[np.float64]:
        """Return a weight for each of the `n` texts, `(n,)`, so that each group counts as one text."""
        result = np.ones(n)
        for group in self.groups:
            result[list(group)] = 1 / len(group)
        return result


def near_duplicates(nearest: Nearest, vectors: NDArray[np.float32], texts: Sequence[str]) -> NearDuplicates:
    """Return the groups of texts that are similar to `SIMILAR` or more, and have nearly the same words.

    The texts, `n` of them, are taken in their order: each joins the original of one of its neighbors, if it is a
    near-duplicate of that original itself, else it is an original. So a chain of small changes is not a group.
    """
    pairs = close_pairs(nearest)
    original = list(range(len(texts)))
    neighbors: dict[int, list[int]] = {}
    same = 0
    for first, second in pairs.tolist():
        if nearly_same(texts[first], texts[second]):
            neighbors.setdefault(second, []).append(first)
            same += 1
    for text in sorted(neighbors):
        for candidate in sorted({original[neighbor] for neighbor in neighbors[text]}):
            if candidate in neighbors[text] or _duplicates(vectors, texts, candidate, text):
                original[text] = candidate
                break
    groups: dict[int, list[int]] = {}
    for text in sorted(neighbors):
        if original[text] != text:
            groups.setdefault(original[text], [original[text]]).append(text)
    ordered = sorted(groups.values(), key=lambda group: (-len(group), group[0]))
    return NearDuplicates(tuple(map(tuple, ordered)), len(pairs), same)


def close_pairs(nearest: Nearest) -> NDArray[np.int64]:
    """Return the pairs of neighbors with a similarity of `SIMILAR` or more, the earlier text first, `(m, 2)`."""
    rows, ranks = np.nonzero(nearest.similarities >= np.float32(SIMILAR))
    pairs = np.column_stack([rows, nearest.positions[rows, ranks]]).astype(np.int64)
    return np.unique(np.sort(pairs, axis=1), axis=0)


def _duplicates(vectors: NDArray[np.float32], texts: Sequence[str], one: int, other: int) -> bool:
    similarity = similarities(vectors, np.array([one]), np.array([other]))[0]
    return bool(similarity >= np.float32(SIMILAR)) and nearly_same(texts[one], texts[other])


def numbered_texts(texts: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Return the groups of texts that have the same words but other numbers ("error on line 12", "… on line 57").

    Each group holds positions in their order, those with equal numbers as well; the largest groups come first.
    """
    groups: dict[tuple[str, ...], list[int]] = {}
    for position, text in enumerate(texts):
        if words := but_for_numbers(text):
            groups.setdefault(words, []).append(position)
    several = (
        tuple(group)
        for group in groups.values()
        if len({word_list(texts[position]) for position in group}) > 1
    )
    return tuple(sorted(several, key=lambda group: (-len(group), group[0])))
