"""From an executed notebook to one HTML page, by nbconvert and the template next to this file."""

import copy
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from threading import Lock
from typing import Any

import nh3
from latex2mathml.converter import convert as to_mathml
from nbconvert.exporters import TemplateExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from sentence_reports.errors import RenderError
from sentence_reports.pages.collection import collection_top
from sentence_reports.pages.comparison import comparison_top
from sentence_reports.pages.index import FILTERS, TEMPLATE, style_sheets
from sentence_reports.pages.top import top
from sentence_reports.schemes import following_scheme
from sentence_reports.summary import CollectionSummary, ComparisonSummary, PageFacts, Summary, read_summary
from sentence_reports.texts import exact

HIDDEN_TAGS = {"parameters", "injected-parameters", "remove-cell"}
# The first one is shown.
PREFERRED = ["text/html", "text/markdown", "image/svg+xml", "image/png", "text/plain"]
HEADING = re.compile(r"^## (?:\d+ · )?(.+)$", re.MULTILINE)
SVG_SIZE = re.compile(r'<svg [^>]*?\b(width|height)="([\d.]+)pt"[^>]*?\b(width|height)="([\d.]+)pt"')
TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
EMPTY_HEADER = re.compile(r"<th[^>]*></th>")
FIRST_CELL = re.compile(r"(<tr[^>]*>\s*)<td[^>]*>(.*?)</td>", re.DOTALL)
UNCOLORED = re.compile(r'<span class="(?!(?:k|kn|kc|ow|s1|s2|sd|sa|si|se|mi|mf|c1)")\w+">([^<]*)</span>')
OURS = {"question", "hint", "answer", "exercise", "quiz", "lines"}  # classes of the notebooks' own HTML
TAG = re.compile(r"<[^>]*>")
BETWEEN_TAGS = re.compile(r">\n\s*<")
NO_TURN = re.compile(r' transform="rotate\(-?0 [^)]*\)"')
RECTANGLE = re.compile(r'"M (\S+) (\S+) \nL (\S+) \2 \nL \3 (\S+) \nL \1 \4 \nL \1 \2 \n"')
STYLED = re.compile(r' style="([^"]*)"')
CLASSES = dict.fromkeys(("details", "div", "summary", "p", "ul", "li", "table", "td", "th"), OURS)
CELLS = 500  # whose HTML is kept: most of a notebook's are the same in every report
# Threads that fill in one template at once switch its escaping on and off for each other: Jinja's imported macros share
# a single state.
RENDERING = Lock()


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
        yield "sanitized", _sanitized
        yield "headed", _headed
        yield "sized", _sized
        yield "following_scheme", following_scheme
        yield "slim", _slim
        yield "markdown2html", _markdown
        yield "highlight_code", _colored


@lru_cache(CELLS)
def _markdown(source: str) -> str:
    """Nbconvert's filter markdown2html, with formulas as MathML. Raises RenderError for one it cannot read."""
    renderer = _MathMLRenderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)


@lru_cache(CELLS)
def _colored(source: str) -> str:
    """Nbconvert's filter highlight_code, without elements for what has no color: they are half of a page's."""
    html = Highlight2HTML()(source)  # type: ignore[no-untyped-call]
    return UNCOLORED.sub(r"\1", html)


def render(notebook: NotebookNode) -> str:
    """Return the page of an executed notebook as HTML.

    The notebook's metadata holds the rest of what the page shows (`PageFacts`). Raises RenderError if the notebook
    did not run to completion (it has an error in it, or no summary) or has a formula that cannot be read.
    """
    summary = read_summary(notebook)
    if any(o.output_type == "error" for cell in notebook.cells for o in cell.get("outputs", [])):
        raise RenderError("cannot render a notebook that did not run to completion: it holds an error")
    visible, facts = copy.copy(notebook), PageFacts.read_from(notebook.metadata)
    visible.cells, steps = _numbered(cell for cell in notebook.cells if _concerns(cell, summary))
    if isinstance(summary, CollectionSummary):
        parts, style = collection_top(summary, facts, notebook), ["large.css", "collected.css"]
    elif isinstance(summary, ComparisonSummary):
        parts, style = comparison_top(summary, facts, notebook), ["compared.css"]
    else:
        parts = top(summary, facts)
        style = ["large.css"] if parts["large"] else []
    report = {"facts": facts, "steps": steps, **parts}
    css = style_sheets("style.css", *style, "guess.css", "paper.css", "slides.css")
    with RENDERING:
        html, _ = _exporter().from_notebook_node(visible, resources={"report": report, "css": css})
    return exact(str(html))


_exporter = cache(ReportExporter)
"""One for all reports of this process: to compile the template takes as long as to fill it in."""


def _concerns(cell: NotebookNode, summary: Summary) -> bool:
    """Whether a cell is on the page: neither hidden, nor about something that the set does not have."""
    models: Any = getattr(summary, "columns", (summary,))
    missing = {
        "if-groups": not (getattr(summary, "groups", None) or getattr(summary, "group_table", None)),
        "if-claims": not any(model.claims for model in models),
        "if-ratings": not any(getattr(model, "agreement", None) for model in models),
        "if-reference": getattr(summary, "reference", None) is None,
        "if-queries": not getattr(summary, "queries", ()),
    }
    tags = set(cell.metadata.get("tags", []))
    return not (tags & HIDDEN_TAGS or any(missing.get(tag) for tag in tags))


def _numbered(cells: Iterable[NotebookNode]) -> tuple[list[NotebookNode], dict[str, str]]:
    """Return the cells with their headings numbered from 1, and each heading by the id of its cell."""
    numbered: list[NotebookNode] = []
    steps: dict[str, str] = {}
    for cell in cells:
        shown = cell
        if cell.cell_type == "markdown" and (match := HEADING.search(cell.source)):
            steps[cell.id] = f"{len(steps) + 1} · {match[1]}"
            source = cell.source.replace(match[0], f"## {steps[cell.id]}", 1)
            shown = NotebookNode(cell | {"source": source})
        numbered.append(shown)
    return numbered, steps


def _sanitized(html: str) -> str:
    """Return the HTML of an output without anything active, with the classes that the style sheets know."""
    return nh3.clean(html, allowed_classes=CLASSES)


def _headed(html: str) -> str:
    """Return HTML whose tables have headers as a checker expects them.

    An empty header cell, as pandas and Markdown put it in the corner, becomes a plain one; below an empty corner, the
    first cell of each row is its header.
    """

    def fixed(table: re.Match[str]) -> str:
        head, body, rows = table[0].partition("<tbody>")
        if (cornered := EMPTY_HEADER.sub("<td></td>", head)) != head:
            rows = FIRST_CELL.sub(r'\1<th scope="row">\2</th>', rows)
        return cornered + body + rows

    return TABLE.sub(fixed, html)


def _slim(svg: str) -> str:
    """Return an SVG of Matplotlib that draws the same in half the size: styles that are used twice become classes."""
    tags = TAG.findall(svg)
    repeated = [style for style, times in Counter(STYLED.findall("".join(tags))).items() if times > 1]
    names = {style: f"s{k}" for k, style in enumerate(repeated)}

    def shorter(tag: re.Match[str]) -> str:
        text = RECTANGLE.sub(r'"M\1 \2H\3V\4H\1z"', NO_TURN.sub("", tag[0]))
        return STYLED.sub(lambda m: f' class="{names[m[1]]}"' if m[1] in names else m[0], text)

    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())
    return BETWEEN_TAGS.sub("><", TAG.sub(shorter, svg)).replace("</style>", f"{rules}</style>", 1)


def _sized(metadata: Mapping[str, Any], svg: str) -> dict[str, Any]:
    """Return a picture's metadata with its size in pixels, so that nothing moves when it is drawn."""
    if not (match := SVG_SIZE.match(svg[svg.find("<svg ") :])):
        return dict(metadata)
    pixels = {name: round(float(points) * 96 / 72) for name, points in (match.group(1, 2), match.group(3, 4))}
    return {**metadata, **pixels}
