"""What the notebooks import: pictures, tables of words and tokens, comparisons, and the summary."""

from sentence_reports.lesson.claims import check_claims, tally_claims
from sentence_reports.lesson.exercises import Exercises
from sentence_reports.lesson.facts import compared_models, four_decimals, model_facts, versions
from sentence_reports.lesson.groups import compare_groups, corrected_means
from sentence_reports.lesson.html import folded, show_sentences
from sentence_reports.lesson.left_out import leave_out
from sentence_reports.lesson.map import sentence_map
from sentence_reports.lesson.order import row_order
from sentence_reports.lesson.picture import make_labels
from sentence_reports.lesson.quiz import make_quiz
from sentence_reports.lesson.reference import published_figures, reference_check, verdict
from sentence_reports.lesson.summary import summarize
from sentence_reports.lesson.tokens import show_tokens
from sentence_reports.lesson.words import content_words, words, words_or_meaning
from sentence_reports.models.device import kernel_device
from sentence_reports.models.encoding import encode_in_batches
from sentence_reports.texts import number, quoted, size_in_words

__all__ = [
    "Exercises",
    "check_claims",
    "compare_groups",
    "compared_models",
    "content_words",
    "corrected_means",
    "encode_in_batches",
    "folded",
    "four_decimals",
    "kernel_device",
    "leave_out",
    "make_labels",
    "make_quiz",
    "model_facts",
    "number",
    "published_figures",
    "quoted",
    "reference_check",
    "row_order",
    "sentence_map",
    "show_sentences",
    "show_tokens",
    "size_in_words",
    "summarize",
    "tally_claims",
    "verdict",
    "versions",
    "words",
    "words_or_meaning",
]
