"""From what was built to the page that lists it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentence_reports.claim_records import tally
from sentence_reports.report import Report
from sentence_reports.texts import (
    capitalized,
    count_in_words,
    cut_at_word,
    digits_apart,
    escape_controls,
    exact,
    number,
    size_in_words,
)

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATE = Path(__file__).parent / "template"
DEVICES = {"cpu": "the CPU", "cuda": "the GPU (CUDA)", "mps": "the GPU (MPS)"}
FILTERS = {
    "capitalized": capitalized,
    "device": lambda name: DEVICES.get(name, name),
    "digits_apart": digits_apart,
    "escape_controls": escape_controls,
    "megabytes": size_in_words,
    "millions": count_in_words,
    "number": number,
    "tally": tally,
    "words_within": cut_at_word,
}


def style_sheets(*names: str) -> str:
    """Return the style sheets of these names as one text, in this order."""
    return "\n".join((TEMPLATE / name).read_text(encoding="utf-8") for name in names)


@cache
def environment() -> Environment:
    """Return what reads our templates and fills them in; a template is compiled once, and again if it changes."""
    from jinja2 import Environment, FileSystemLoader  # not needed if nothing changed

    made = Environment(
        loader=FileSystemLoader(TEMPLATE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= FILTERS
    return made


def fill_in(template: str, **contents: Any) -> str:
    """Return the page that one of our templates makes of its `contents`, by the names under which it looks for them."""
    return exact(environment().get_template(template).render(contents))


def render_index(reports: Sequence[Report]) -> str:
    """Return the index page as HTML: failed sets first, then a card for each report, sorted by title."""
    by_title = sorted(reports, key=lambda report: (report.title.casefold(), report.stem))
    return fill_in(
        "index.html.j2",
        reports=[report for report in by_title if report.date],
        failed=[report for report in by_title if report.failure],
        css=style_sheets("style.css", "paper.css"),
    )
