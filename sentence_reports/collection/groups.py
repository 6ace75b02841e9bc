"""Groups that the file names, next to the topics that the model finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.collection.exact import similarities
from sentence_reports.collection.topics import sum_of
from sentence_reports.facts import EQUAL, Baseline

OWNED_FROM = 0.5
CLEAR = 0.05
SHOWN_STRAYS = 200


@dataclass(frozen=True)
class Group:
    """A group and the mean similarity of its pairs (`within`; None for a group of one text).

    `nearest` is the position of the other group to whose texts its texts have the highest mean similarity, `between`
    (None for the only group). `lead` is by how much `within` is above that and above the median of unrelated pairs, on
    the chance-corrected scale. A group that `holds` together leads by `CLEAR` or more, as in a set of sentences.
    """

    name: str
    size: int
    within: float | None
    nearest: int | None
    between: float | None
    lead: float | None

    @property
    def holds(self) -> bool | None:
        """Whether the group holds together; None if there is nothing to compare."""
        return None if self.lead is None else self.lead >= CLEAR


class Stray(NamedTuple):
    """A text by its `position`, in a `topic` (counted from 0) that belongs to another `group`, by its position."""

    position: int
    topic: int
    group: int


@dataclass(frozen=True)
class GroupFacts:
    """How groups and topics go together.

    `groups` are in the order in which they first appear. `table` has a row for each group and a column for each topic,
    and a last column for the texts without a topic: numbers of texts. ``owners[t]`` is the position of the group that
    more than half of the texts of topic `t` are from, None if there is none. `strays` are up to `SHOWN_STRAYS` of the
    texts in a topic that another group owns, those first whose topic is the most purely the other group's;
    `stray_count` is the number of all of them.
    """

    groups: tuple[Group, ...]
    table: tuple[tuple[int, ...], ...]
    owners: tuple[int | None, ...]
    strays: tuple[Stray, ...]
    stray_count: int


def compare_groups(
    vectors: NDArray[np.float32], groups: Sequence[str], topic_of: NDArray[np.integer], baseline: Baseline
) -> GroupFacts:
    """Return how the groups of `n` texts, `(n,)` names, go together with their topics, `(n,)`, -1 for none."""
    ordered = list(dict.fromkeys(groups))
    number = {name: position for position, name in enumerate(ordered)}
    of = np.array([number[name] for name in groups], dtype=np.intp)
    topics = int(topic_of.max(initial=-1)) + 1
    cells = of * (topics + 1) + np.where(topic_of < 0, topics, topic_of)
    table = np.bincount(cells, minlength=len(ordered) * (topics + 1)).reshape(len(ordered), topics + 1)
    share = table[:, :topics] / np.maximum(table[:, :topics].sum(axis=0), 1)
    owners = [int(column.argmax()) if column.max() > OWNED_FROM else None for column in share.T]
    owner_of = np.array([-1 if owner is None else owner for owner in owners] + [-1])[topic_of]
    strays = np.flatnonzero((owner_of >= 0) & (owner_of != of))
    purity = share[owner_of[strays], topic_of[strays]]
    chosen = strays[np.lexsort((strays, -purity))][:SHOWN_STRAYS].tolist()
    return GroupFacts(
        _means(vectors, ordered, of, baseline),
        tuple(tuple(row) for row in table.tolist()),
        tuple(owners),
        tuple(Stray(k, int(topic_of[k]), int(owner_of[k])) for k in chosen),
        len(strays),
    )


def _means(
    vectors: NDArray[np.float32], names: Sequence[str], of: NDArray[np.integer], baseline: Baseline
) -> tuple[Group, ...]:
    """Return the groups with the means of their pairs, which follow from the sums of their vectors."""
    members = [np.flatnonzero(of == position) for position in range(len(names))]
    sums = np.stack([sum_of(vectors, rows) for rows in members])
    sizes = np.array([len(rows) for rows in members])
    result = []
    for position, (name, rows) in enumerate(zip(names, members, strict=True)):
        size = len(rows)
        products = (sums * sums[position]).sum(axis=1)
        itself = float(similarities(vectors, rows, rows).sum(dtype=np.float64))
        within = (
            round((float(products[position]) - itself) / (size * (size - 1)), EQUAL) if size > 1 else None
        )
        nearest = between = lead = None
        if len(names) > 1:
            means = (products / (sizes * size)).round(EQUAL)
            means[position] = -np.inf
            nearest = int(means.argmax())
            between = float(means[nearest])
            if within is not None:
                lead = round(baseline.corrected(within) - max(baseline.corrected(between), 0), EQUAL)
        result.append(Group(name, size, within, nearest, between, lead))
    return tuple(result)
