"""From an executed notebook to one HTML page, by nbconvert and the template next to this file."""

import copy
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import nh3
from latex2mathml.converter import convert as to_mathml
from nbconvert.exporters import TemplateExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from sentence_reports.errors import RenderError
from sentence_reports.pages import tables
from sentence_reports.pages.index import FILTERS, TEMPLATE, style_sheets
from sentence_reports.rankings import found_by_chance, never_found, rankings, without_match
from sentence_reports.summary import PageFacts, SearchSummary, WalkthroughSummary, read_summary
from sentence_reports.texts import exact

HIDDEN_TAGS = {"parameters", "injected-parameters", "remove-cell"}
PICTURES = {"image/svg+xml", "image/png"}
PREFERRED = [
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "text/plain",
]  # the first one is shown
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
TABLE_UP_TO = 30  # sentences; with more, the extreme pairs say more than the table
MATCHES = 10  # of a query; all but three are folded
UNFOLDED_UP_TO = 100  # queries; with more, only three matches of each are on the page
NEIGHBORS_UP_TO = 300  # sentences; with more, the lists outweigh the page


class _MathMLRenderer(IPythonRenderer):
    """nbconvert's Markdown, with formulas as MathML, which needs no script to be shown."""

    def block_math(self, body: str) -> str:
        # a span, since it may be in a paragraph
        return f'<span class="formula" tabindex="0">{_mathml(body, "block")}</span>'

    def inline_math(self, body: str) -> str:
        return _mathml(body, "inline")


def _mathml(formula: str, display: str) -> str:
    try:
        return to_mathml(formula, display=display)
    except Exception as error:  # what it raises has no class in common
        raise RenderError(
            f"cannot read the formula ${formula}$ of the notebook: {type(error).__name__}"
        ) from error


class ReportExporter(TemplateExporter):
    """nbconvert's exporter of templates, with this package's template, colors for code and MathML.

    Its HTMLExporter parses the finished page again with BeautifulSoup, for text alternatives and focus that this
    template has already: that would cost as much as everything else.
    """

    output_mimetype = "text/html"

    def __init__(self) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            config=Config({"NbConvertBase": {"display_data_priority": PREFERRED}}),
            template_name=TEMPLATE.name,
            template_file="report.html.j2",
            extra_template_basedirs=[str(TEMPLATE.parent)],
            file_extension=".html",
            default_preprocessors=[],  # the notebook needs none
        )

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """Nbconvert's filters, the index's, and one that removes everything active from an output's HTML."""
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        yield from FILTERS.items()
        yield "sanitized", nh3.clean
        yield "markdown2html", self.markdown2html
        yield "highlight_code", Highlight2HTML(parent=self)  # type: ignore[no-untyped-call]

    def markdown2html(self, source: str) -> str:
        """Nbconvert's filter of this name, with formulas as MathML. Raises RenderError for one it cannot read."""
        renderer = _MathMLRenderer(escape=False, exclude_anchor_links=True)
        return MarkdownWithMath(renderer=renderer).render(source)


def render(notebook: NotebookNode) -> str:
    """Return the page of an executed notebook as HTML.

    The notebook's metadata holds the rest of what the page shows (`PageFacts`). Raises RenderError if the notebook
    did not run to completion (it has an error in it, or no summary) or has a formula that cannot be read.
    """
    summary = read_summary(notebook)
    if any(o.output_type == "error" for cell in notebook.cells for o in cell.get("outputs", [])):
        raise RenderError("cannot render a notebook that did not run to completion: it holds an error")
    visible = copy.copy(notebook)
    visible.cells = [cell for cell in notebook.cells if not HIDDEN_TAGS & set(cell.metadata.get("tags", []))]
    report = {
        "facts": PageFacts.read_from(notebook),
        "summary": summary,
        "colors": tables.Colors(summary.legend),
        "group_colors": dict(summary.legend.groups),
        **(_pairs(summary) if isinstance(summary, WalkthroughSummary) else _found(summary)),
        "steps": {cell.id: match[1] for cell in visible.cells if (match := _heading(cell))},
        "heatmap": _heatmap(notebook),
    }
    css = style_sheets(
        "style.css", *(["large.css"] if "large" in report else []), "guess.css", "paper.css", "slides.css"
    )
    html, _ = _exporter().from_notebook_node(visible, resources={"report": report, "css": css})
    return exact(str(html))


def _pairs(summary: WalkthroughSummary) -> dict[str, Any]:
    """Return what the page of a walkthrough tells of its pairs of sentences."""
    if summary.overview:
        return {"large": tables.large_set(summary)}
    matrix, n = summary.similarity, len(summary.sentences)
    return {
        "matrix": matrix,
        "as_table": n <= TABLE_UP_TO,
        "extremes": tables.extremes(matrix),
        "neighbors": tables.nearest_neighbors(matrix) if n <= NEIGHBORS_UP_TO else [],
    }


def _found(summary: SearchSummary) -> dict[str, Any]:
    """Return what the page of a search tells of its queries."""
    matrix, n = summary.similarity, len(summary.sentences)
    shown = rankings(matrix, summary.baseline, MATCHES if len(matrix) <= UNFOLDED_UP_TO else 3)
    return {
        "matrix": matrix,
        "found": {
            "rankings": shown,
            "nothing": without_match(shown),
            "unfound": never_found(shown, n),
            "by_chance": f"Of unrelated queries, about {found_by_chance(n):.0%} would find one too.",
            "whole": matrix.size <= tables.MAX_ROWS,
        },
    }


@cache
def _exporter() -> ReportExporter:
    """One for all reports of this process: to compile the template takes as long as to fill it in."""
    return ReportExporter()


def _heading(cell: NotebookNode) -> re.Match[str] | None:
    return HEADING.search(cell.source) if cell.cell_type == "markdown" else None


def _heatmap(notebook: NotebookNode) -> dict[str, Any] | None:
    """Return the picture of the cell with this tag: its MIME type, data, text alternative and width."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []) if "heatmap" in cell.metadata.get("tags", []) else []:
            for mime in PICTURES & set(output.get("data", {})):
                return {"mime": mime, "data": output.data[mime], **output.metadata.get(mime, {})}
    return None
