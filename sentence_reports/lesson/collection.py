"""What the notebook of a collection shows and checks: tables with the first of what there is, queries, claims."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sentence_reports.claim_records import Claim, ClaimCheck, Side
from sentence_reports.collected import Collected
from sentence_reports.collection.duplicates import NearDuplicates
from sentence_reports.collection.exact import dot_products
from sentence_reports.collection.groups import GroupFacts
from sentence_reports.collection.loners import Loners
from sentence_reports.collection.representatives import Representatives
from sentence_reports.collection.topics import Topics
from sentence_reports.errors import ModelError
from sentence_reports.facts import EQUAL, Baseline
from sentence_reports.lesson.claims import check_each
from sentence_reports.texts import cut_at_word, number

if TYPE_CHECKING:
    from sentence_reports.report import FoundModel

TEXT_LENGTH = 100  # characters of a text in a table
KEPT = 400  # characters of a text in the summary
SHOWN_ROWS = 15  # rows of a table
MATCHES = 10
TOPICS_OF_GROUP = 3
NOTHING = "–"


class BestTexts(NamedTuple):
    """What a query finds: the positions of its best texts, `(10,)` or fewer, the best first, and their similarities."""

    positions: NDArray[np.intp]
    similarities: NDArray[np.float32]


def check_finite(found: "FoundModel", vectors: NDArray[np.float32], rows: Sequence[int]) -> None:
    """Raise ModelError if one of the `(n, d)` vectors is not finite; `rows` holds the rows of their texts."""
    broken = np.flatnonzero(~np.isfinite(vectors.sum(axis=1, dtype=np.float64)))
    if len(broken):
        raise ModelError(
            f"The embedding of the text in row {rows[broken[0]]:,} by {found.name} holds values that are not finite "
            f"numbers ({len(broken):,} such texts in all). Leave the text out, or choose another model."
        )


# --- tables -----------------------------------------------------------------------------------------------------


def file_table(collected: Collected) -> pd.DataFrame:
    """Return what is in the file, in numbers."""
    numbers = {
        "rows": collected.total,
        "distinct texts": len(collected.texts),
        "rows that repeat a text": len(collected.copies),
        "rows without text": collected.empty,
        "texts that are too long": len(collected.too_long),
    }
    if collected.groups:
        numbers["groups"] = len(set(collected.groups))
    return pd.Series({name: f"{value:,}" for name, value in numbers.items()}, name="number").to_frame()


def text_table(collected: Collected, positions: Sequence[int] | NDArray[np.integer]) -> pd.DataFrame:
    """Return the texts at some positions, with the numbers of their rows."""
    return pd.DataFrame(
        {"text": [short(collected.texts[k]) for k in positions]}, index=[collected.rows[k] for k in positions]
    )


def topic_table(topics: Topics, collected: Collected) -> pd.DataFrame | None:
    """Return the largest topics with their names, sizes and most central texts; None if there are none."""
    rows = [
        {
            "name": topic.name or NOTHING,
            "texts": f"{topic.size:,}",
            "share": f"{topic.share:.1%}",
            "spread": number(topic.spread, 2),
            "most central text": short(collected.texts[topic.central[0]]),
        }
        for topic in topics.topics[:SHOWN_ROWS]
    ]
    return pd.DataFrame(rows, index=range(1, len(rows) + 1)) if rows else None


def duplicate_table(duplicates: NearDuplicates, collected: Collected) -> pd.DataFrame | None:
    """Return the largest groups of near-duplicates: how many they are, and the first two; None if there are none."""
    groups = duplicates.groups[:SHOWN_ROWS]
    table = {
        "texts": [len(group) for group in groups],
        "the first": [short(collected.texts[group[0]]) for group in groups],
        "the next": [short(collected.texts[group[1]]) for group in groups],
    }
    return pd.DataFrame(table, index=[collected.rows[group[0]] for group in groups]) if groups else None


def loner_table(loners: Loners, collected: Collected) -> pd.DataFrame:
    """Return the loneliest texts with their similarity to their neighbors."""
    lowest = loners.lowest[:SHOWN_ROWS]
    table = text_table(collected, [loner.position for loner in lowest])
    table["similarity"] = [loner.similarity for loner in lowest]
    table["percentile"] = [f"{loner.percentile:.4g}%" for loner in lowest]
    return table


def representative_table(representatives: Representatives, collected: Collected) -> pd.DataFrame:
    """Return the first representatives: how many texts each covers, and how many no earlier one does."""
    chosen = representatives.chosen[:SHOWN_ROWS]
    table = text_table(collected, [one.position for one in chosen])
    table["covers"] = [f"{one.covers:,}" for one in chosen]
    table["adds"] = [f"{one.adds:,}" for one in chosen]
    return table


def group_table(facts: GroupFacts, topics: Topics) -> pd.DataFrame:
    """Return the largest groups: whether they hold together, and which topics hold most of their texts."""
    order = sorted(range(len(facts.groups)), key=lambda k: -facts.groups[k].size)[:SHOWN_ROWS]
    names = [topic.name or f"topic {k}" for k, topic in enumerate(topics.topics, start=1)]
    rows = {}
    for k in order:
        group, counts = facts.groups[k], facts.table[k][:-1]
        outcome = {None: NOTHING, True: "holds", False: "does not hold"}[group.holds]
        most = sorted(filter(counts.__getitem__, range(len(counts))), key=lambda topic: -counts[topic])
        largest = "; ".join(f"{names[topic]}: {counts[topic]:,}" for topic in most[:TOPICS_OF_GROUP])
        cells = {"texts": group.size, "together": outcome, "largest topics": largest or NOTHING}
        rows[short(group.name) or NOTHING] = cells
    return pd.DataFrame(rows).T


def match_table(best: BestTexts, collected: Collected, baseline: Baseline) -> pd.DataFrame:
    """Return the best texts of a query, with their similarities and percentiles."""
    table = text_table(collected, best.positions)
    table["similarity"] = best.similarities
    table["percentile"] = [f"{baseline.percentile(float(value)):.4g}%" for value in best.similarities]
    return table


def short(text: str) -> str:
    """Return a text as it fits into a table."""
    return cut_at_word(text, TEXT_LENGTH)


def shown(text: str) -> str:
    """Return a text as a summary holds it: on one line, with … if it is very long."""
    return cut_at_word(text, KEPT)


# --- queries and claims -----------------------------------------------------------------------------------------


def best_texts(query: NDArray[np.float32], vectors: NDArray[np.float32], count: int = MATCHES) -> BestTexts:
    """Return the `count` of `n` texts, `(n, d)`, that are most similar to a query, `(d,)`; ties in their order.

    Both are of unit length. The product only proposes; what it says is computed again in a fixed order.
    """
    values = vectors @ query
    count = min(count, len(values))
    spare = min(3 * count, len(values))
    likely = np.sort(np.argpartition(-values, spare - 1)[:spare])
    exact = dot_products(vectors[likely], query)
    order = np.argsort(-exact, kind="stable")[:count]
    return BestTexts(likely[order], exact[order])


def check_collection_claims(
    claims: Sequence[Claim],
    collected: Collected,
    vectors: NDArray[np.float32],
    baseline: Baseline,
    *,
    grouped: GroupFacts | None = None,
    queries: Sequence[str] = (),
    asked: NDArray[np.float32] | None = None,
) -> tuple[ClaimCheck, ...]:
    """Return what came out of each claim, in the order of the set.

    `vectors` holds those of the `n` texts, `(n, d)`, `asked` those of the `queries`, `(q, d)`, both of unit length;
    `grouped` says how the groups go together. Only what claims are about is computed. A tie meets no claim but
    `unrelated`.
    """

    def pair(i: int, j: int) -> Side:
        (value,) = dot_products(vectors[[i]], vectors[j])
        return Side(
            "pair", (shown(collected.texts[i]), shown(collected.texts[j])), round(float(value), EQUAL)
        )

    def best(query: int, wanted: int) -> tuple[Side, Side]:
        assert asked is not None
        first_two = best_texts(asked[query], vectors, 2)
        other = next(k for k in first_two.positions.tolist() if k != wanted)
        values = dot_products(vectors[[wanted, other]], asked[query]).tolist()
        one, rival = (
            Side("search", (queries[query], shown(collected.texts[k])), round(value, EQUAL))
            for k, value in zip((wanted, other), values, strict=True)
        )
        return one, rival

    def group(name: str) -> tuple[Side, Side]:
        assert grouped is not None
        one = next(group for group in grouped.groups if group.name == name)
        assert one.within is not None  # the set was checked: the group has two texts, and is not the only one
        assert one.nearest is not None
        assert one.between is not None
        rival = grouped.groups[one.nearest].name
        return Side("within", (name,), one.within), Side("between", (name, rival), one.between)

    return check_each(claims, baseline, pair, best, group)
