"""From an executed notebook to one HTML page, by nbconvert and the template beside this file. Writes nothing."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nh3
from jinja2 import pass_context
from jinja2.runtime import Context
from latex2mathml.converter import convert as to_mathml
from markupsafe import Markup
from nbconvert.exporters import TemplateExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from sentence_reports.errors import RenderError
from sentence_reports.pages import tables
from sentence_reports.summary import PageFacts, Pair, Summary, read_summary
from sentence_reports.texts import exact

PACKAGE = Path(__file__).parent
TEMPLATE = PACKAGE / "template"
HIDDEN_TAGS = {"parameters", "injected-parameters", "remove-cell"}
PICTURES = {"image/svg+xml", "image/png"}
# The first of these that an output has is shown.
SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "text/plain"]
STEP = re.compile(r"^## (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A section of the lesson: the id of its first cell and its heading."""

    id: str
    title: str


class _MathMLRenderer(IPythonRenderer):
    """nbconvert's Markdown, with formulas as MathML, which needs no script to be shown."""

    def block_math(self, body: str) -> str:
        return f'<div class="formula" tabindex="0">{_mathml(body, "block")}</div>'

    def inline_math(self, body: str) -> str:
        return _mathml(body, "inline")


def _mathml(formula: str, display: str) -> str:
    try:
        return to_mathml(formula, display=display)
    except Exception as error:  # what it raises has no class in common
        raise RenderError(
            f"the formula ${formula}$ of the notebook is none: {type(error).__name__}"
        ) from error


class ReportExporter(TemplateExporter):
    """nbconvert's exporter of templates, with this package's template, colours for code and MathML.

    Its HTMLExporter goes through the finished page once more with BeautifulSoup, for text alternatives and focus
    that this template has: that would cost as much as all the rest.
    """

    output_mimetype = "text/html"

    def __init__(self) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            config=Config({"NbConvertBase": {"display_data_priority": SHOWN}}),
            template_name=TEMPLATE.name,
            extra_template_basedirs=[str(PACKAGE)],
            file_extension=".html",
            default_preprocessors=[],  # the notebook is as it should be
        )

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """Nbconvert's filters, and one that leaves of an output's HTML what only shows something."""
        yield from super().default_filters()  # type: ignore[no-untyped-call]
        yield "sanitized", nh3.clean
        yield "markdown2html", self.markdown2html
        yield "highlight_code", Highlight2HTML(parent=self)  # type: ignore[no-untyped-call]

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        """Nbconvert's filter of this name, with formulas as MathML. Raises RenderError for one that is none."""
        renderer = _MathMLRenderer(escape=False, exclude_anchor_links=True)
        return MarkdownWithMath(renderer=renderer).render(source)


def render(notebook: NotebookNode) -> str:
    """Return the page of an executed notebook as HTML.

    All that it needs is in the notebook: the cells, the summary, and the facts of its page in the metadata. Raises
    RenderError for a notebook that did not run to its end, or with a formula that is none.
    """
    if _has_error(notebook):
        raise RenderError("cannot render a notebook that did not run to completion: a cell failed")
    summary, facts = read_summary(notebook), PageFacts.read_from(notebook)
    shown = _visible(notebook)
    steps = _steps(shown)
    report = _numbers(summary) | {
        "summary": summary,
        "notices": [*summary.notices, *summary.unmet, *facts.warnings],
        "stem": facts.stem,
        "date": facts.date,
        "command": facts.command,
        "steps": steps,
        "starts": {step.id for step in steps},
        "heatmap": _heatmap(notebook),
    }
    resources = {"report": report, "include_text": _include_text}
    html, _ = _exporter().from_notebook_node(shown, resources=resources)
    return exact(str(html))


@cache
def _exporter() -> ReportExporter:
    """One for all reports of this process: to compile the template takes as long as to fill it in."""
    return ReportExporter()


def _steps(notebook: NotebookNode) -> list[Step]:
    found = [(cell.id, STEP.search(cell.source)) for cell in notebook.cells if cell.cell_type == "markdown"]
    return [Step(name, heading[1]) for name, heading in found if heading]


def _heatmap(notebook: NotebookNode) -> dict[str, Any] | None:
    """The picture of the cell that is tagged so: its MIME type, data, text alternative and width."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []) if "heatmap" in cell.metadata.get("tags", []) else []:
            for mime in PICTURES & set(output.get("data", {})):
                return {"mime": mime, "data": output.data[mime], **output.metadata.get(mime, {})}
    return None


def _has_error(notebook: NotebookNode) -> bool:
    return any(o.output_type == "error" for cell in notebook.cells for o in cell.get("outputs", []))


def _visible(notebook: NotebookNode) -> NotebookNode:
    shown = copy.copy(notebook)
    shown.cells = [cell for cell in notebook.cells if not HIDDEN_TAGS & set(cell.metadata.get("tags", []))]
    return shown


def _include_text(name: str) -> Markup:
    return Markup((TEMPLATE / name).read_text(encoding="utf-8"))


def _numbers(summary: Summary) -> dict[str, Any]:
    matrix, known = summary.similarity, tables.sentences(summary)
    near, far = tables.extremes(matrix, known)

    def pair(found: Pair) -> tables.Likeness:
        return tables.Likeness(known[found.first], known[found.second], found.similarity)

    extremes = [pair(summary.closest), pair(summary.farthest)]
    names = ["Closest pair", "Farthest pair"] if len(known) > 2 else ["The one pair"]
    return {
        "sentences": known,
        "extremes": list(zip(names, extremes, summary.places, strict=False)),
        "rows": tables.matrix_rows(matrix, known, tables.Colors(summary.legend)),
        "near": near,
        "far": far,
        "neighbours": tables.neighbours(matrix, known),
    }
