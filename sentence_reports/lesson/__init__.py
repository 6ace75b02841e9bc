"""What the notebooks import: pictures, tables of words and tokens, comparisons, and the summary."""

from sentence_reports.lesson.encoding import encode_in_batches
from sentence_reports.lesson.groups import compare_groups, group_means
from sentence_reports.lesson.html import folded
from sentence_reports.lesson.map import sentence_map
from sentence_reports.lesson.order import row_order
from sentence_reports.lesson.picture import make_labels
from sentence_reports.lesson.reference import reference_check, verdict
from sentence_reports.lesson.summary import summarize
from sentence_reports.lesson.tokens import show_tokens
from sentence_reports.lesson.words import words
from sentence_reports.texts import quoted

__all__ = [
    "compare_groups",
    "encode_in_batches",
    "folded",
    "group_means",
    "make_labels",
    "quoted",
    "reference_check",
    "row_order",
    "sentence_map",
    "show_tokens",
    "summarize",
    "verdict",
    "words",
]
