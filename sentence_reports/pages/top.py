"""What the page shows above its lesson: the heatmap as a table, the pairs, the matches of a search, the CSV."""

import base64
from itertools import groupby
from typing import Any

from nbformat import NotebookNode

from sentence_reports.pages import tables
from sentence_reports.rankings import found_by_chance, never_found, rankings, without_match
from sentence_reports.schemes import with_variables
from sentence_reports.summary import (
    AnySentenceSummary,
    PageFacts,
    SearchSummary,
    SentenceSummary,
    WalkthroughSummary,
)
from sentence_reports.texts import count

TABLE_UP_TO = 60  # rows or columns; with more, no heatmap can be read
NUMBERS_UP_TO = 24  # columns; with more, the number of a cell shows when it is pointed at
NUMBERED_UP_TO = 45  # columns; with more, every fifth has its number above it
BESIDE_UP_TO = 15  # columns; with more, the heatmap takes the page's whole width
FEW = 8  # sentences; with no more, rows and columns are wide
TITLED_UP_TO = 8  # sentences in the head of a search's heatmap; with more, their numbers
NEIGHBORS_UP_TO = 300  # sentences; with more, the lists outweigh the page
MATCHES = 10  # of a query; all but three are folded
UNFOLDED_UP_TO = 100  # queries; with more, only three matches of each are on the page
INSIDE_UP_TO = 1_000_000  # bytes of a CSV; a larger one is only next to the page


def top(summary: WalkthroughSummary | SearchSummary, facts: PageFacts) -> dict[str, Any]:
    """Return what the templates show above the lesson, by the names under which they look for it."""
    search = isinstance(summary, SearchSummary)
    large = None if isinstance(summary, SearchSummary) else tables.large_set(summary)
    shown = not large and max(summary.similarity.shape) <= TABLE_UP_TO
    heat = heat_table(summary, search=search) if shown else None
    told = not (search or large) or bool(summary.checks)
    contents = {
        "expected": "What was expected" if summary.claims else "Published figures" if summary.checks else "",
        "glance": "The heatmap" if heat or large else "",
        "ratings": "What people say" if getattr(summary, "agreement", None) else "",
        "found": "What each query finds" if search else "",
    }
    return {
        **of_all_kinds(summary, facts),
        "matrix": None if large else summary.similarity,
        "large": large,
        "heat": heat,
        "told": told,
        "full": not told or not heat or len(heat["order"]) > BESIDE_UP_TO,
        "contents": {id: name for id, name in contents.items() if name},
        **(_results(summary) if isinstance(summary, SearchSummary) else _pairs(summary)),
    }


def of_all_kinds(summary: AnySentenceSummary, facts: PageFacts) -> dict[str, Any]:
    """Return what the page of every kind of report shows, by the names under which the templates look for it."""
    return {
        "summary": summary,
        "colors": tables.Colors(summary.legend),
        "group_colors": _group_colors(summary),
        "size": _size(summary),
        "csv": _csv(summary, facts.stem),
    }


def tagged_picture(notebook: NotebookNode, tag: str) -> dict[str, Any] | None:
    """Return type (`mime`), `data` and `metadata` of the picture of the cell with this tag; None if there is none."""
    for cell in notebook.cells:
        if tag in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                for mime in ("image/svg+xml", "image/png"):
                    if data := output.get("data", {}).get(mime):
                        return {"mime": mime, "data": data, "metadata": output.metadata.get(mime, {})}
    return None


def _size(summary: SentenceSummary) -> str:
    """Return how much the set holds, in words."""
    n = count(len(summary.sentences), "sentence")
    grouped = f" in {count(len(set(summary.groups)), 'group')}" if summary.groups else ""
    if not isinstance(summary, SearchSummary):
        return n + grouped
    return f"{len(summary.queries):,} {'query' if len(summary.queries) == 1 else 'queries'}, {n}{grouped}"


def heat_table(summary: SentenceSummary, *, search: bool = False) -> dict[str, Any]:
    """Return the rows and columns of a heatmap.

    `blocks` holds each run of sentences of a group: its name and color (empty if there are no groups), and for each of
    its sentences the position in the set and in the `order` of the rows.
    """
    order = list(getattr(summary, "order", None) or range(len(summary.sentences)))
    groups, hues = summary.groups, _group_colors(summary)
    runs = groupby(enumerate(order), lambda row: groups[row[1]] if groups else "")
    blocks = [(name, hues.get(name, ""), [(k, index) for index, k in rows]) for name, rows in runs]
    dense, few = len(order) > NUMBERS_UP_TO, len(order) <= FEW and not search
    row = 18 if dense else 30  # pixels; a letter takes about seven
    return {
        "search": search,
        "order": order,
        "grouped": groups is not None,
        "blocks": blocks,
        "dense": dense,
        "titled": search and len(order) <= TITLED_UP_TO,
        "sideways": all(7 * len(name) <= row * len(rows) for name, _, rows in blocks),
        "few": few,
        "roomy": len(order) <= NUMBERED_UP_TO,
        "label": 100 if few else 72 if len(order) <= BESIDE_UP_TO else 40,
    }


def _group_colors(summary: SentenceSummary) -> dict[str, str]:
    """Return the color of each group, which follows the reader's scheme."""
    return {name: with_variables(color) for name, color in summary.legend.groups}


def _pairs(summary: WalkthroughSummary) -> dict[str, Any]:
    """Return what the page of a walkthrough tells of its pairs of sentences."""
    if summary.overview:
        return {}
    matrix, n = summary.similarity, len(summary.sentences)
    return {
        "extremes": tables.extremes(matrix),
        "neighbors": tables.nearest_neighbors(matrix) if 2 < n <= NEIGHBORS_UP_TO else [],
    }


def _results(summary: SearchSummary) -> dict[str, Any]:
    """Return what the page of a search tells of its queries."""
    matrix, n = summary.similarity, len(summary.sentences)
    shown = rankings(matrix, summary.baseline, MATCHES if len(matrix) <= UNFOLDED_UP_TO else 3)
    return {
        "results": {
            "rankings": shown,
            "nothing": without_match(shown),
            "unfound": never_found(shown, n),
            "by_chance": f"Of unrelated queries, about {found_by_chance(n):.0%} would find one too.",
            "whole": matrix.size <= tables.MAX_ROWS,
        }
    }


def _csv(summary: AnySentenceSummary, stem: str) -> dict[str, Any]:
    """Return the name of the CSV and, if it is small, a link that holds all of it: a report is mailed as one file."""
    data = tables.table_csv(summary).encode()
    inside = len(data) <= INSIDE_UP_TO
    href = f"data:text/csv;charset=utf-8;base64,{base64.b64encode(data).decode()}" if inside else None
    return {"name": f"{stem}.csv", "href": href}
