"""What the notebook of a collection publishes: the first of everything, of a size that a page can show."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sentence_reports.claim_records import ClaimCheck
from sentence_reports.collected import Collected
from sentence_reports.collected_summary import (
    CollectionSummary,
    DuplicateGroup,
    GroupSummary,
    GroupTable,
    LonelyText,
    MapFacts,
    QueryMatches,
    Repeated,
    RepresentativeText,
    StrayText,
    Text,
    TextMatch,
    TopicSummary,
)
from sentence_reports.collection.duplicates import NearDuplicates
from sentence_reports.collection.groups import GroupFacts
from sentence_reports.collection.loners import Loners
from sentence_reports.collection.projection import Projection
from sentence_reports.collection.representatives import Representatives
from sentence_reports.collection.topics import Topics
from sentence_reports.facts import EQUAL, Baseline, ModelFacts
from sentence_reports.lesson.collection import BestTexts, shown
from sentence_reports.lesson.collection_words import Reading, collection_finding, collection_notices

TOPICS, DUPLICATES, LONERS, REPEATED, NUMBERED, GROUPS, STRAYS, QUERIES = 100, 50, 50, 20, 20, 50, 50, 100
IN_GROUP = 5  # of a group of near-duplicates, or of texts that differ in numbers only


def summarize_collection(
    *,
    settings: dict[str, Any],
    collected: Collected,
    model: ModelFacts,
    baseline: Baseline,
    read: Reading,
    topics: Topics,
    duplicates: NearDuplicates,
    numbered: Sequence[tuple[int, ...]],
    loners: Loners,
    representatives: Representatives,
    projection: Projection,
    grouped: GroupFacts | None = None,
    queries: Sequence[str] = (),
    found: Sequence[BestTexts] = (),
    claims: Sequence[ClaimCheck] = (),
    versions: dict[str, str],
) -> CollectionSummary:
    """Return the summary of a collection, as an output of the notebook's last cell.

    `settings` holds the set's keys, with the mapping `texts`; `read` is what `reading` returns, `found` what
    `best_texts` returns for each of the `queries`, `claims` what `check_collection_claims` returns. All others are
    what the room `collection` returns for the texts of `collected`.
    """

    def text(position: int) -> Text:
        return Text(collected.rows[position], shown(collected.texts[position]))

    def group_of(positions: Sequence[int]) -> DuplicateGroup:
        return DuplicateGroup(len(positions), tuple(map(text, positions[:IN_GROUP])))

    source, n = settings["texts"], len(collected.texts)
    times = Counter(position for _, position in collected.copies)
    repeated = sorted(times, key=lambda k: (-times[k], k))
    blank = CollectionSummary(
        settings={key: value for key, value in settings.items() if key != "texts"},
        finding=(),
        notices=(),
        versions=versions,
        file=source["file"],
        sha256=collected.sha256,
        column=source.get("column"),
        limit=source.get("limit"),
        total=collected.total,
        distinct=n,
        copies=len(collected.copies),
        empty=collected.empty,
        too_long=len(collected.too_long),
        repeated=tuple(Repeated(text(k), times[k] + 1) for k in repeated[:REPEATED]),
        repeated_count=len(repeated),
        model=model,
        baseline=baseline,
        cut=len(read.cut),
        unreadable=len(read.unreadable),
        topics=tuple(
            TopicSummary(
                number,
                topic.name,
                topic.words,
                topic.size,
                topic.share,
                topic.spread,
                tuple(map(text, topic.central)),
            )
            for number, topic in enumerate(topics.topics[:TOPICS], start=1)
        ),
        topic_count=len(topics.topics),
        resolution=topics.resolution,
        aim=topics.aim,
        least=topics.least,
        unassigned=topics.unassigned,
        stop_words=topics.stop_words,
        duplicates=tuple(map(group_of, duplicates.groups[:DUPLICATES])),
        duplicate_groups=len(duplicates.groups),
        duplicate_texts=duplicates.extra,
        numbered=tuple(map(group_of, numbered[:NUMBERED])),
        numbered_groups=len(numbered),
        numbered_texts=sum(map(len, numbered)),
        loners=tuple(
            LonelyText(text(one.position), one.similarity, one.percentile) for one in loners.lowest[:LONERS]
        ),
        loner_count=loners.count,
        representatives=tuple(
            RepresentativeText(text(one.position), one.covers, one.adds) for one in representatives.chosen
        ),
        covered=round(representatives.covered / n, EQUAL),
        covered_by_chance=representatives.by_chance,
        group_table=None if grouped is None else group_summary(grouped, collected),
        claims=tuple(claims),
        queries=tuple(
            QueryMatches(
                shown(query),
                tuple(
                    TextMatch(text(k), value, baseline.percentile(value))
                    for k, value in zip(some.positions.tolist(), some.similarities.tolist(), strict=True)
                ),
            )
            for query, some in list(zip(queries, found, strict=True))[:QUERIES]
        ),
        query_count=len(queries),
        map=MapFacts(projection.method, projection.kept, projection.frame.outside),
    )
    return replace(
        blank, finding=collection_finding(blank), notices=collection_notices(blank, collected, read)
    )


def group_summary(facts: GroupFacts, collected: Collected) -> GroupTable:
    """Return the largest groups, and the first texts in a topic that another group owns."""
    order = sorted(range(len(facts.groups)), key=lambda k: (-facts.groups[k].size, k))
    names = [shown(group.name) for group in facts.groups]
    groups = []
    for k in order[:GROUPS]:
        group, counts = facts.groups[k], facts.table[k]
        nearest = None if group.nearest is None else names[group.nearest]
        measured = (group.within, nearest, group.between, group.lead, group.holds)
        in_topics = counts[:-1][:TOPICS]
        groups.append(GroupSummary(names[k], group.size, *measured, in_topics, sum(counts) - sum(in_topics)))
    outcomes = [group.holds for group in facts.groups if group.holds is not None]
    strays = tuple(
        StrayText(
            Text(collected.rows[stray.position], shown(collected.texts[stray.position])),
            shown((collected.groups or ())[stray.position]),
            stray.topic + 1,
            names[stray.group],
        )
        for stray in facts.strays[:STRAYS]
    )
    return GroupTable(
        tuple(groups), len(facts.groups), sum(outcomes), len(outcomes), strays, facts.stray_count
    )
