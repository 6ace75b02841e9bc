"""From what was built to the page that lists it. Knows no notebooks and writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sentence_reports.texts import escape_controls, exact

TEMPLATE = Path(__file__).parent / "template"


@dataclass(frozen=True)
class Report:
    """What is known of one set's report: the line of the table, the card of the index, the entry of the state.

    `digest` is that of what the report was made from, None where it must be made again. `date` is the day of
    the last good report, None where there is none; `title`, `model` and `n` then come from the set alone.
    `thumbnail` is the heatmap as a small square of colours, `notices` what a reader should know before believing
    its numbers. `failure` says why the last run failed;
    `set_file` is the set's path from the output folder, with ``/``; `gone` says that it is no longer there.
    """

    stem: str
    title: str
    set_file: str
    model: str
    n: int
    digest: str | None = None
    date: str | None = None
    stands_in_for: str | None = None
    closest: tuple[str, str, float] | None = None
    seconds: float | None = None
    thumbnail: list[list[str]] | None = None
    notices: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    failure: str | None = None
    gone: bool = False


def render_index(reports: Sequence[Report]) -> str:
    """The index page, as HTML: failed sets first, then a card for each report, by title."""
    from jinja2 import Environment, FileSystemLoader  # not needed where nothing changed

    environment = Environment(
        loader=FileSystemLoader(TEMPLATE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["escape_controls"] = escape_controls
    by_title = sorted(reports, key=lambda report: (report.title.casefold(), report.stem))
    html = environment.get_template("reports.html.j2").render(
        reports=[report for report in by_title if report.date],
        failed=[report for report in by_title if report.failure],
        css=(TEMPLATE / "style.css").read_text(encoding="utf-8"),
    )
    return exact(html)
