"""What the notebook imports: pictures, tables of words and tokens, comparisons of groups, and the summary."""

from sentence_reports.lesson.encoding import encode_in_batches
from sentence_reports.lesson.groups import compare_groups, group_means
from sentence_reports.lesson.heatmap import color_floor, heatmap, legend
from sentence_reports.lesson.html import folded
from sentence_reports.lesson.map import sentence_map
from sentence_reports.lesson.picture import make_labels
from sentence_reports.lesson.reference import reference_check, verdict
from sentence_reports.lesson.summary import summarize
from sentence_reports.lesson.tokens import show_tokens
from sentence_reports.lesson.vectors import angle, histogram, strips
from sentence_reports.lesson.words import words
from sentence_reports.texts import quoted

__all__ = [
    "angle",
    "color_floor",
    "compare_groups",
    "encode_in_batches",
    "folded",
    "group_means",
    "heatmap",
    "histogram",
    "legend",
    "make_labels",
    "quoted",
    "reference_check",
    "sentence_map",
    "show_tokens",
    "strips",
    "summarize",
    "verdict",
    "words",
]
