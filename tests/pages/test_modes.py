"""The views of a page: guess first, slides, a handout and its answers, and paper."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from support import Ran, eventually, executed, small_search, small_summary

from sentence_reports.claim_records import ClaimCheck, Side
from sentence_reports.lesson import folded
from sentence_reports.pages.render import render
from sentence_reports.summary import Summary

if TYPE_CHECKING:
    from playwright.sync_api import Page

PIXELS = 96 / 25.4  # per millimeter
PAPER = round((210 - 2 * 15) * PIXELS), round((297 - 14 - 16) * PIXELS)  # A4 within its margins
CLAIM = ClaimCheck("closer", True, Side("pair", ("one", "two"), 0.5), Side("pair", ("one", "three"), 0.1))
FINDING = ("What came out.", "And more.")
RESULTS: dict[str, Any] = {
    "settings": {"title": "T", "description": "Does it?", "normalize": True},
    "finding": FINDING,
    "claims": (CLAIM,),
}


def write_page(path: Path, summary: Summary) -> None:
    """A page whose step has a picture for the handout, an answer, a question and a table that is too wide."""
    question = folded("Which two?", "These two.")._repr_mimebundle_()
    columns = "".join(f"<th>column {k}</th>" for k in range(40))
    cells = {
        "sentences": ("handout", {"text/plain": "the sentences"}),
        "numbers": ("results", {"text/plain": "the numbers"}),
        "question": ("question", question),
        "wide": ("wide", {"text/html": f"<table><thead><tr>{columns}</tr></thead></table>"}),
    }
    notebook = executed(summary=summary, markdown="## A step\n\nIts words.")
    for k in range(2, 6):
        heading = nbformat.v4.new_markdown_cell(f"## Step {k}\n\nIts words.", id=f"step-{k}")
        heading.metadata["slideshow"] = {"slide_type": "skip" if k == 5 else "slide"}
        notebook.cells.insert(-1, heading)
        for name, (tag, data) in cells.items() if k == 2 else ():
            output = nbformat.v4.new_output("display_data", data)
            cell = nbformat.v4.new_code_cell("code", id=name, outputs=[output], metadata={"tags": [tag]})
            notebook.cells.insert(-1, cell)
    path.write_text(render(notebook), encoding="utf-8")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page of either kind."""
    folder = tmp_path_factory.mktemp("modes")
    write_page(folder / "walkthrough.html", small_summary(**RESULTS))
    write_page(folder / "search.html", small_search(**RESULTS))
    return folder


@pytest.fixture(params=["walkthrough", "search"])
def visit(tab: "Page", pages: Path, request: pytest.FixtureRequest) -> Callable[..., "Page"]:
    return lambda mode="": (tab.goto(f"{(pages / request.param).as_uri()}.html#{mode}"), tab)[1]


def seen(page: "Page") -> str:
    return page.locator("body").inner_text()


OUTCOMES = [*FINDING, "✓ holds", "0.5", "the numbers", "These two."]


def test_a_guess_comes_before_everything_that_came_out(visit: Callable[..., "Page"]) -> None:
    page = visit("guess")
    assert not [outcome for outcome in OUTCOMES if outcome in seen(page)]
    assert all(text in seen(page) for text in ("the sentences", "Which two?", "Its words."))
    assert page.locator("#glance, #expected, .toc ol").locator("visible=true").count() == 0


def test_each_label_shows_its_part_and_hides_it_again_by_mouse_and_by_key(
    visit: Callable[..., "Page"],
) -> None:
    page = visit("guess")
    labels = page.locator(".reveal").locator("visible=true")
    shown = [label.strip().removeprefix("Show ") for label in labels.all_inner_texts()]
    assert [label for label in shown if "pair" not in label and "query" not in label] == [
        *(
            "what came out",
            "what was expected, and whether it holds",
            "the heatmap",
            "the result",
            "the result",
        )
    ]
    for k in range(labels.count()):
        part = labels.nth(k).locator("+ *")
        assert not part.is_visible()
        labels.nth(k).click()
        assert part.is_visible()
        page.keyboard.press("Space")  # on the box that was clicked
        assert not part.is_visible()
        page.keyboard.press("Space")
    page.get_by_text("Which two?").click()
    assert not [outcome for outcome in OUTCOMES if outcome not in seen(page)]


def test_no_link_ends_the_guessing_but_those_to_the_other_views(visit: Callable[..., "Page"]) -> None:
    page = visit("guess")
    links = page.locator("a[href^='#']").locator("visible=true")
    assert links.all_inner_texts() == ["Report", "Guess first", "Slides", "Handout", "Answers"]
    links.first.click()
    assert all(text in seen(page) for text in FINDING)
    assert page.locator(".reveal").locator("visible=true").count() == 0
    assert page.locator(".toc ol").is_visible()


def test_a_handout_asks_and_its_key_answers(visit: Callable[..., "Page"]) -> None:
    page = visit()
    page.get_by_text("Which two?").click()  # an answer that was opened before
    page = visit("handout")
    assert " ".join(seen(page).split()) == (
        "Report Guess first Slides Handout Answers T Does it? 2 · Step 2 the sentences Which two?"
    )
    question = page.locator(".output details")
    lines = "element => getComputedStyle(element, '::after').borderBottomWidth"
    assert question.evaluate(lines) == "1px"
    assert page.locator(".page-head .lines").is_visible()
    blank = question.bounding_box()
    page = visit("answers")
    assert all(text in seen(page) for text in (*FINDING, "These two."))
    assert not [outcome for outcome in ("✓ holds", "0.5", "the numbers") if outcome in seen(page)]
    filled = question.bounding_box()
    assert blank is not None
    assert filled is not None
    assert blank["height"] > 100 > filled["height"]


def test_slides_show_one_step_at_a_time(visit: Callable[..., "Page"]) -> None:
    page = visit("slides")
    assert "Does it?" in seen(page)
    assert not [outcome for outcome in FINDING if outcome in seen(page)]
    for number in range(1, 4):
        page.keyboard.press("Space" if number == 1 else "PageDown")
        assert eventually(lambda top=720 * number: page.evaluate("scrollY") == top, seconds=10)
    heights = page.locator(".step").evaluate_all("steps => steps.map(step => step.offsetHeight)")
    assert heights == [720] * 4 + [0]  # the last one is to be skipped


def pdf_pages(pdf: bytes) -> list[bytes]:
    """The sizes of a PDF's pages, in points."""
    assert len(re.findall(rb"/Type /Page\b(?!s)", pdf)) == pdf.count(b"/MediaBox")
    return re.findall(rb"/MediaBox \[0 0 ([\d. ]+)\]", pdf)


def test_slides_are_printed_as_a_deck_in_landscape(visit: Callable[..., "Page"]) -> None:
    sizes = pdf_pages(visit("slides").pdf(prefer_css_page_size=True))
    assert len(sizes) == 5
    for size in sizes:
        width, height = map(float, size.split())
        assert width > 1.5 * height


def test_nothing_is_wider_than_the_paper(visit: Callable[..., "Page"]) -> None:
    page = visit()
    page.set_viewport_size({"width": PAPER[0], "height": PAPER[1]})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == PAPER[0]
    assert page.locator("th", has_text="column 39").is_hidden()
    assert page.get_by_text("Which two?").is_visible()
    assert not page.get_by_text("These two.").is_visible()


def test_a_report_of_five_sentences_is_at_most_nine_pages_and_its_heatmap_on_the_first(
    tab: "Page", shipped: Ran
) -> None:
    page = tab
    page.set_viewport_size({"width": PAPER[0], "height": PAPER[1]})
    page.goto((shipped.out / "blog.html").as_uri())
    sizes = pdf_pages(page.pdf(prefer_css_page_size=True))
    assert len(sizes) <= 9
    assert {tuple(round(float(side)) for side in size.split()) for size in sizes} == {(595, 842)}
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == PAPER[0]
    heatmap = page.locator("#glance :is(img, table)").first.bounding_box()
    assert heatmap is not None
    assert heatmap["y"] + heatmap["height"] < PAPER[1]
