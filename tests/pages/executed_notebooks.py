"""Executed notebooks of a comparison and of a collection, each with the picture that its page shows."""

import nbformat
from nbformat import NotebookNode
from support import executed

from sentence_reports.collected_summary import CollectionSummary
from sentence_reports.summary import ComparisonSummary

SLOPES = '<svg xmlns="http://www.w3.org/2000/svg" width="30pt" height="20pt"></svg>'
MAP = '<svg xmlns="http://www.w3.org/2000/svg" width="570pt" height="390pt"></svg>'
# The parts of a collection's page, in the order in which a reader wants them.
COLLECTION_PARTS = ["map", "topics", "duplicates", "loners", "representatives", "groups", "found", "expected"]
COLLECTION_PARTS += ["files", "method"]


def executed_comparison(summary: ComparisonSummary) -> NotebookNode:
    """An executed notebook with a slope chart and this summary."""
    picture = nbformat.v4.new_output(
        "display_data", {"image/svg+xml": SLOPES}, metadata={"image/svg+xml": {"alt": "Six lines."}}
    )
    made = executed(picture, summary=summary)
    made.cells[2].metadata["tags"] = ["slopes"]
    return made


def executed_collection(summary: CollectionSummary, **data: str) -> NotebookNode:
    """An executed notebook with this summary and a map, whose picture is `data`, by its type, or a small SVG."""
    found = data or {"image/svg+xml": MAP}
    picture = nbformat.v4.new_output(
        "display_data", found, metadata={kind: {"alt": "Dots."} for kind in found}
    )
    made = executed(picture, summary=summary, stem="complaints")
    made.cells[2].metadata["tags"] = ["map"]
    return made
