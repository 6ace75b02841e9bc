"""The page of an executed notebook: what is on it, and what can never be."""

import re
import tempfile
from dataclasses import replace
from typing import Any

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from support import LEGEND, MODEL, ROOT, Ran, executed

from sentence_reports.claims import Agreement, ClaimCheck, RatedPair, ReferenceCheck, Side
from sentence_reports.errors import RenderError
from sentence_reports.lesson import folded
from sentence_reports.pages.render import render
from sentence_reports.summary import Pair, encode_matrix

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{ 7 * 7 }}{% raw %}&amp; $5 to $10 \x1b[31m`"
)


CHECK = ReferenceCheck("a book", "m", 0.01, compared=True, met=1, total=3, largest=0.25)


def encoded(matrix: list[list[float]]) -> str:
    return encode_matrix(np.array(matrix, dtype="f4"))


def page(*outputs: NotebookNode, **changes: Any) -> BeautifulSoup:
    return BeautifulSoup(render(executed(*outputs, **changes)), "html.parser")


def test_the_title_is_the_one_h1_and_the_windows_name() -> None:
    soup = page(settings={"title": "My title"})
    assert [h.text for h in soup.select("h1")] == ["My title"]
    assert soup.title is not None
    assert soup.title.text == "My title"


def test_code_is_folded_and_hidden_cells_are_not_there() -> None:
    soup = page()
    assert [d.has_attr("open") for d in soup.select("details.code")] == [False]
    assert "secret" not in soup.text
    assert "publish" not in soup.text
    assert "the summary" not in soup.text


def test_steps_are_sections_that_the_contents_link_to() -> None:
    soup = page()
    assert [s["id"] for s in soup.select("section.step")] == ["step-1"]
    targets = [a["href"] for a in soup.select(".toc a")]
    assert targets == ["#glance", "#step-1", "#provenance"]
    assert all(soup.select_one(str(target)) for target in targets)


def test_what_ran_and_the_extremes_stand_on_top() -> None:
    glance = page().select_one("#glance")
    assert glance is not None
    words = glance.get_text(" ", strip=True)
    assert "Closest pair 0.5000 one two high" in words
    assert "Farthest pair 0.1000 one three low" in words


def test_the_matrix_is_a_table_with_headers_for_rows_and_columns() -> None:
    (table,) = page().select("#glance table")
    assert [next(th.strings) for th in table.select('th[scope="col"]')] == ["1", "2", "3"]
    assert [th.select_one(".label").text for th in table.select('th[scope="row"]')] == [
        "one",
        "two",
        "thr...",
    ]  # type: ignore[union-attr]
    assert [th.select_one(".full").text for th in table.select("th")] == 2 * [
        "1 · one",
        "2 · two",
        "3 · three",
    ]  # type: ignore[union-attr]
    assert all(th["tabindex"] == "0" for th in table.select("th"))
    cells = [td.text for td in table.select("tbody td")]
    assert cells == ["1.0000", "0.5000", "0.1000", "0.5000", "1.0000", "0.2000", "0.1000", "0.2000", "1.0000"]
    assert table.select("tbody td")[2]["style"] == "background:#ffffff;color:#000"


def test_a_negative_number_has_a_real_minus_sign_and_zero_has_none() -> None:
    below = encoded([[1, -0.5, -0.00001], [-0.5, 1, -0.2], [-0.00001, -0.2, 1]])
    glance = page(matrix=below, farthest=Pair(0, 1, -0.5)).select_one("#glance")
    assert glance is not None
    assert re.findall("[−-]0.0000", glance.text) == []
    assert "-0" not in glance.text
    assert (
        glance.text.count("−0.5000") == 5
    )  # the farthest pair, twice in the table, twice among the neighbors


def test_above_thirty_sentences_pairs_and_the_csv_take_the_tables_place() -> None:
    texts = tuple(f"s{k}" for k in range(31))
    glance = page(sentences=texts, labels=texts, matrix=encoded(np.eye(31).tolist())).select_one("#glance")
    assert glance is not None
    assert not glance.select("table")
    assert [len(ol.select("li")) for ol in glance.select(".pairs ol")] == [10, 10]
    assert [a["href"] for a in glance.select("a")] == ["set.csv"]


def test_every_sentence_has_its_neighbours_nearest_first() -> None:
    first = page().select_one(".neighbors ol > li")
    assert first is not None
    assert first.get_text(" ", strip=True) == "one 0.5000 two 0.1000 three"


def test_provenance_names_model_parameters_and_the_command() -> None:
    foot = page(settings={"title": "T", "description": "", "normalize": True, "cmap": "Reds"}).select_one(
        "#provenance"
    )
    assert foot is not None
    rows = {row.th.text: row.td.text for row in foot.select("tr")}  # type: ignore[union-attr]
    assert rows["Model"] == "m"
    assert rows["Found in"] == "folder"
    assert rows["Revision"] == "r"
    assert rows["Maximum input"] == "8 tokens"
    assert rows["Weights, SHA-256"] == "0" * 64
    assert rows["An embedding"] == "2 numbers, mean pooling, scaled to length 1"
    assert rows["Made"] == "2026-01-02; to make it again: make report SET=set"
    assert rows["normalize"] == "true"
    assert rows["cmap"] == "Reds"


def provenance(**changes: Any) -> dict[str, str]:
    rows = page(**changes).select("#provenance tr")
    return {row.th.text: row.td.text for row in rows if row.th and row.td}


def test_provenance_says_which_prompts_the_model_knows_and_which_ran() -> None:
    model = replace(MODEL, prompt="query: ", declared_prompts={"query": "query: ", "passage": "passage: "})
    rows = provenance(model=model)
    assert rows["Prompt"] == "query:  before each sentence"
    assert rows["The model’s prompts"] == "query: query: passage: passage: "
    assert "Query prompt" not in rows
    assert not [name for name in provenance() if "rompt" in name]
    assert provenance(model=replace(MODEL, query_prompt="q: "))["Query prompt"] == "q:  before each query"


def test_provenance_says_how_many_of_the_dimensions_are_used() -> None:
    cut = replace(MODEL, dimension=128, full_dimension=384)
    assert provenance(model=cut)["An embedding"].startswith("the first 128 of 384 numbers, mean pooling")
    assert "128 numbers per sentence, the first of 384" in page(model=cut).text


def test_long_parameters_are_counted_and_not_listed() -> None:
    settings = {"title": "T", "expect": [{"related": [1, 2]}], "ratings": [[1, 2, 5.0]] * 9, "cmap": "Reds"}
    rows = provenance(
        settings=settings,
        claims=(ClaimCheck("together", True, *sides("a")),),
        agreement=Agreement(9, 0.5, (0, 1), ()),
    )
    assert list(rows)[-5:] == ["sentences", "expect", "ratings", "title", "cmap"]
    assert [rows[name] for name in ("sentences", "expect", "ratings")] == [
        *("3, listed above", "1, listed above", "9 pairs")
    ]


def test_warnings_and_progress_bars_stay_out() -> None:
    stderr = nbformat.v4.new_output("stream", name="stderr", text="UserWarning: 100%|####|")
    assert "UserWarning" not in page(stderr).text


def test_a_picture_keeps_its_words() -> None:
    svg = {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain": "words"}
    picture = nbformat.v4.new_output("display_data", svg, metadata={"image/svg+xml": {"alt": 'A "map"'}})
    (image,) = page(picture).select("section.step img")
    assert image["alt"] == 'A "map"'
    assert str(image["src"]).startswith("data:image/svg+xml;base64,")


def test_formulas_are_mathml() -> None:
    soup = page(markdown="## 1 · A step\n\nthe formula $u$ and\n\n$$\\frac{u \\cdot v}{2}$$")
    assert len(soup.select("math")) == 2
    assert soup.select_one('math[display="block"] mfrac') is not None
    assert "\\frac" not in soup.text


def test_a_table_of_an_output_keeps_its_cells_and_loses_what_is_live() -> None:
    html = "<style>x{}</style><table><thead><tr><th>h</th></tr></thead><tr><td onclick='a()'>$5</td></tr></table>"
    soup = page(nbformat.v4.new_output("execute_result", {"text/html": html + "<script>1</script>"}))
    assert [cell.text for cell in soup.select(".output th, .output td")] == ["h", "$5"]
    assert not soup.select("script, .output style, [onclick]")


def test_a_folded_answer_and_a_text_in_pieces_come_through() -> None:
    html = folded("why <b>?", "because <i>").html + "<p><code>a</code> <mark>b</mark> <del>c</del></p>"
    soup = page(nbformat.v4.new_output("execute_result", {"text/html": html}))
    (answer,) = soup.select(".output details")
    assert not answer.has_attr("open")
    assert "why <b>?" in answer.summary.text  # type: ignore[union-attr]
    assert answer.p.text == "because <i>"  # type: ignore[union-attr]
    assert [tag.name for tag in soup.select(".output .scroll > p > *")] == ["code", "mark", "del"]


def sides(text: str) -> tuple[Side, Side]:
    return Side("within", (text,), 0.5), Side("between", (text, text), 0.25)


def everywhere(text: str) -> BeautifulSoup:
    stdout = nbformat.v4.new_output("stream", name="stdout", text=text)
    plain = nbformat.v4.new_output("execute_result", {"text/plain": text})
    svg = {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>"}
    picture = nbformat.v4.new_output("display_data", svg, metadata={"image/svg+xml": {"alt": text}})
    return page(
        *(stdout, plain, picture),
        warnings=(text,),
        settings={"title": text, "description": text, "normalize": True, "cmap": text},
        sentences=(text,) * 3,
        labels=(text,) * 3,
        groups=(text,) * 3,
        notices=(text,),
        finding=(text, text),
        claims=tuple(ClaimCheck("together", k != 1, *sides(text), because=text) for k in range(13)),
        places=(text, text),
        reference=replace(CHECK, source=text, model=text, compared=False),
        versions={text: text},
        model=replace(
            MODEL,
            name=text,
            revision=text,
            pooling=text,
            stands_in_for=text,
            prompt=text,
            query_prompt=text,
            declared_prompts={text: text},
        ),
        agreement=Agreement(3, 0.5, (0.4, 0.6), (RatedPair(0, 1, 2, 0.5, 50, 0),)),
        legend=replace(LEGEND, groups=((text, "#123456"),)),
    )


def test_text_is_data_wherever_it_is_shown() -> None:
    soup, harmless = everywhere(HOSTILE), everywhere("harmless")
    assert [tag.name for tag in soup.find_all(True)] == [tag.name for tag in harmless.find_all(True)]
    assert [sorted(tag.attrs) for tag in soup.find_all(True)] == [
        sorted(tag.attrs) for tag in harmless.find_all(True)
    ]
    assert soup.text.count(HOSTILE) == harmless.text.count("harmless")
    assert soup.select_one("img[alt]")["alt"] == HOSTILE  # type: ignore[index]


def test_files_beside_the_page_are_linked_whatever_the_set_is_called() -> None:
    links = [a["href"] for a in page(stem="a b#c?.d").select("#provenance a")]
    assert links == ["a%20b%23c%3F.d.csv", "a%20b%23c%3F.d.ipynb"]


def test_a_notebook_that_failed_is_never_a_report() -> None:
    error = nbformat.v4.new_output("error", ename="E", evalue="v", traceback=[])
    with pytest.raises(RenderError, match="did not run to completion: it holds an error"):
        render(executed(error))
    without = executed()
    del without.cells[-1]
    with pytest.raises(RenderError, match="did not run to completion: it holds no summary"):
        render(without)
    without = executed()
    del without.metadata["sentence_reports"]
    with pytest.raises(RenderError, match="metadata"):
        render(without)


def test_rendering_twice_gives_the_same_bytes_and_changes_nothing() -> None:
    made = executed()
    before = nbformat.writes(made)
    assert render(made) == render(made)
    assert nbformat.writes(made) == before


def test_warnings_about_the_set_file_are_among_the_notices() -> None:
    soup = page(warnings=("mine.yaml, line 3: text after # is lost",), notices=("another",))
    assert [notice.text for notice in soup.select("main > .notice")] == [
        "mine.yaml, line 3: text after # is lost",
        "another",
    ]


def test_a_formula_inside_a_paragraph_is_no_block_in_it() -> None:
    html = render(executed(markdown="## 1 · A step\n\nIn a paragraph\n$$u$$\nit goes on.\n\n$$v$$"))
    assert html.count('class="formula"') == 2
    assert not BeautifulSoup(html, "html.parser").select("p div, p p, div.prose > div")


# --- the shipped reports -----------------------------------------------------------------------------------


def test_the_shipped_reports_are_light_need_nothing_from_outside_and_name_their_pictures(
    shipped: Ran,
) -> None:
    for path in shipped.out.glob("*.html"):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        assert not soup.select("script, link, iframe, object"), path.name
        assert all(str(tag["src"]).startswith("data:") for tag in soup.select("[src]")), path.name
        styles = "".join(style.text for style in soup.select("style"))
        assert not re.search(r"@import|url\(", styles), path.name
        assert all(len(str(image["alt"])) > 40 for image in soup.select("img")), path.name
    assert (shipped.out / "blog.html").stat().st_size < 250_000


def test_no_time_and_no_path_of_this_machine_is_in_any_file(shipped: Ran) -> None:
    files = [path for path in shipped.out.iterdir() if path.suffix in (".html", ".ipynb", ".csv")]
    assert len(files) > 12
    places = [str(place) for place in (shipped.out, shipped.home, ROOT, tempfile.gettempdir())]
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert [place for place in [*places, "site-packages"] if place in text] == [], path.name
        assert not re.search(r"\d\d:\d\d:\d\d", text), path.name
        if path.suffix == ".html" and path.stem != "index":
            assert text.count("2023-11-14") == 1, path.name
