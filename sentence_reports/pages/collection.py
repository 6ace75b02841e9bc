"""What the page of a collection shows above its lesson: map, topics, near-duplicates, loners, groups, method."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

from nbformat import NotebookNode

from sentence_reports.collected_summary import CollectionSummary, GroupSummary, GroupTable, Text, TopicSummary
from sentence_reports.facts import Legend
from sentence_reports.pages.tables import TINTS, Colors
from sentence_reports.pages.top import tagged_picture
from sentence_reports.schemes import TOPIC_HUES
from sentence_reports.summary import PageFacts
from sentence_reports.texts import count

LENGTHS = (400, 200, 100)  # characters of a text on the page: as many as fit
BUDGET = 900_000  # bytes of all texts on the page
TOPICS_OF_GROUP, MORE_TOPICS = 4, 8  # the largest topics of a group, and how many more are folded


class GroupRow(NamedTuple):
    """A group, the topics that hold most of its texts with their numbers, and how many are in others or in none."""

    group: GroupSummary
    topics: tuple[tuple[TopicSummary, int], ...]
    elsewhere: int


def collection_top(summary: CollectionSummary, facts: PageFacts, notebook: NotebookNode) -> dict[str, Any]:
    """Return what the templates show above the lesson of a collection, by the names under which they look for it."""
    # The colors go from what half of the unrelated pairs do not exceed to the same text.
    legend = Legend(low=min(summary.baseline.median, 0.99), high=1, scale="", ramp=TINTS)
    table = summary.group_table
    picture = tagged_picture(notebook, "map")
    contents = {
        "map": "The map" if picture else "",
        "topics": "The topics",
        "duplicates": "Near-duplicates",
        "loners": "Loners",
        "representatives": "Representatives" if summary.representatives else "",
        "groups": "Groups and topics" if table else "",
        "found": "What each query finds" if summary.queries else "",
        "expected": "What was expected" if summary.claims else "",
        "files": "The files next to this page",
        "method": "How it was done",
    }
    return {
        "summary": summary,
        "colors": Colors(legend),
        "size": size(summary),
        "csv": {"name": f"{facts.stem}.csv", "href": None},
        "map": picture,
        "widest": max((topic.share for topic in summary.topics), default=1),
        "longest": longest(summary),
        "hues": TOPIC_HUES,
        "group_rows": group_rows(table, summary.topics) if table else [],
        "topics_of_group": TOPICS_OF_GROUP,
        "contents": {id: name for id, name in contents.items() if name},
    }


def texts_of(summary: CollectionSummary) -> Iterator[Text]:
    """Yield every text that the page shows, as often as it does."""
    for topic in summary.topics:
        yield from topic.examples
    for group in (*summary.duplicates, *summary.numbered):
        yield from group.texts
    for query in summary.queries:
        yield from (match.text for match in query.matches)
    strays = summary.group_table.strays if summary.group_table else ()
    for some in (summary.repeated, summary.loners, summary.representatives, strays):
        yield from (each.text for each in some)


def longest(summary: CollectionSummary) -> int:
    """Return how many characters of a text the page shows, so that all of them are no more than `BUDGET` bytes."""
    texts = [each.text for each in texts_of(summary)]
    for length in LENGTHS:
        if sum(len(escape(text[:length]).encode()) for text in texts) <= BUDGET:
            break
    return length


def size(summary: CollectionSummary) -> str:
    """Return how much the collection holds, in words."""
    table = summary.group_table
    return count(summary.distinct, "text") + (f" in {count(table.group_count, 'group')}" if table else "")


def group_rows(table: GroupTable, topics: Sequence[TopicSummary]) -> list[GroupRow]:
    """Return the rows of the table of groups and topics, each with its largest topics, the largest first."""
    rows = []
    for group in table.groups:
        held = sorted(zip(topics, group.topics, strict=False), key=lambda each: (-each[1], each[0].number))
        largest = tuple(each for each in held if each[1])[: TOPICS_OF_GROUP + MORE_TOPICS]
        rows.append(GroupRow(group, largest, group.count - sum(count for _, count in largest)))
    return rows
