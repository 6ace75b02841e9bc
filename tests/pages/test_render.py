"""The page of an executed notebook: what is on it, and what can never be."""

import base64
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from support import LEGEND, MODEL, ROOT, Ran, executed, small_search

from sentence_reports.claim_records import Agreement, ClaimCheck, RatedPair, ReferenceCheck, Side
from sentence_reports.errors import RenderError
from sentence_reports.facts import Pair
from sentence_reports.lesson import folded
from sentence_reports.overview import pack
from sentence_reports.pages.render import render
from sentence_reports.schemes import COLORS, HUES

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{ 7 * 7 }}{% raw %}&amp; $5 to $10 \x1b[31m`"
)


CHECK = ReferenceCheck("a book", "m", 0.01, compared=True, met=1, total=3, largest=0.25)


def encoded(matrix: list[list[float]]) -> str:
    return pack(np.array(matrix, dtype="f4"))


def sides(text: str) -> tuple[Side, Side]:
    return Side("within", (text,), 0.5), Side("between", (text, text), 0.25)


def page(*outputs: NotebookNode, **changes: Any) -> BeautifulSoup:
    return BeautifulSoup(render(executed(*outputs, **changes)), "html.parser")


def test_brackets_of_groups_follow_the_scheme_of_the_page() -> None:
    css = (ROOT / "sentence_reports/pages/template/style.css").read_text()
    assert all(
        f"{name}: light-dark({light}, {dark});" in css
        for name, (light, dark) in COLORS.items()
        if "hue" in name
    )
    legend = replace(LEGEND, groups=(("A", HUES[0]), ("B", HUES[1])))
    brackets = page(groups=("A", "A", "B"), legend=legend).select("th.group")
    assert [b["style"] for b in brackets] == [f"--hue:var(--hue{k}, {HUES[k - 1]})" for k in (1, 2)]


def test_pictures_say_a_repeated_style_once_and_what_is_written_in_them_stays() -> None:
    text = '<text style="fill: red" transform="rotate(-0 1 2)">a style="fill: red"</text>'
    cell = '<path d="M 1 2 \nL 3 2 \nL 3 4 \nL 1 4 \nL 1 2 \n" style="fill: blue"/>'
    svg = {"image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg">\n {text}\n {text}\n {cell}\n</svg>'}
    picture = nbformat.v4.new_output("display_data", svg, metadata={"image/svg+xml": {"alt": "x"}})
    image = page(picture).select_one(".figure img")
    assert image is not None
    drawn = base64.b64decode(str(image["src"]).partition(",")[2]).decode()
    assert ".s0{fill: red}</style>" in drawn
    assert drawn.count('<text class="s0">a style="fill: red"</text>') == 2
    assert drawn.endswith('<path d="M1 2H3V4H1z" style="fill: blue"/></svg>')


def test_code_has_elements_only_for_what_has_a_color() -> None:
    code = page().select_one("details.code pre")
    assert code is not None
    used = {name for span in code.select("span[class]") for name in span["class"]}
    css = (ROOT / "sentence_reports/pages/template/style.css").read_text()
    assert used <= set(re.findall(r"\.(\w+)", "".join(re.findall(r"\.highlight (.*) \{", css))))


def test_the_finding_is_the_headline_and_the_title_the_windows_name() -> None:
    soup = page(settings={"title": "My title"}, finding=("It came out.", "And more."))
    assert [h.text for h in soup.select("h1")] == ["It came out."]
    assert [p.text for p in soup.select(".kicker, .headline p")] == ["My title", "And more."]
    assert soup.title is not None
    assert soup.title.text == "My title"
    assert soup.select_one('meta[name="description"]')["content"] == "It came out. And more."  # type: ignore[index]


def test_without_a_finding_the_title_is_the_headline() -> None:
    soup = page(settings={"title": "My title"})
    assert [h.text for h in soup.select("h1")] == ["My title"]
    assert not soup.select(".kicker")


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


def words(soup: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(found.get_text(" ", strip=True).split()) for found in soup.select(selector)]


def test_the_facts_are_one_line_on_top() -> None:
    (facts,) = words(page(), ".facts")
    assert facts == (
        "3 sentences · m , 2 dimensions · half of unrelated pairs score 0.50 or less, 99% score 0.99 or less"
    )
    grouped = page(groups=("A", "A", "B"), model=replace(MODEL, name="org/m", full_dimension=4))
    assert words(grouped, ".facts")[0].startswith("3 sentences in 2 groups · m , 2 dimensions of 4")


def test_the_extreme_pairs_are_on_top() -> None:
    assert words(page(), "#ends > div") == [
        "The closest pair 0.50 one ↔ two High",
        "The farthest pair 0.10 one ↔ three Low",
    ]
    two = page(
        sentences=("one", "two"), labels=("one", "two"), matrix=encoded([[1, 0.5], [0.5, 1]]), order=(0, 1)
    )
    assert words(two, "#ends h2") == ["The pair 0.50"]


def test_the_heatmap_is_the_lower_triangle_as_a_table() -> None:
    (table,) = page().select("#glance table")
    assert [next(th.strings) for th in table.select('th[scope="col"]')] == ["1", "2", "3"]
    assert [label.text for label in table.select('th[scope="row"] .label bdi')] == ["one", "two", "three"]
    rows = [[td.text for td in row.select("td")] for row in table.select("tbody tr")]
    assert rows == [["", ""], ["0.50", "", ""], ["0.10", "0.20", ""]]
    assert [td.get("colspan") for td in table.select("tbody td:not([style], .self)")] == ["2", "1"]
    assert table.select("td[style]")[0]["style"] == "background:#ffffff;color:#000"


def test_the_rows_of_the_heatmap_are_in_the_order_of_the_summary() -> None:
    (table,) = page(order=(2, 0, 1)).select("#glance table")
    assert [label.text for label in table.select(".label")] == ["3 three", "1 one", "2 two"]
    assert [td.text for td in table.select("td[style]")] == ["0.10", "0.20", "0.50"]


def test_a_group_has_one_header_for_its_rows() -> None:
    legend = replace(LEGEND, groups=(("A", "#123456"), ("B", "#654321")))
    (table,) = page(groups=("A", "A", "B"), legend=legend).select("#glance table")
    assert [(th.text, th["rowspan"]) for th in table.select('th[scope="rowgroup"]')] == [
        ("A", "2"),
        ("B", "1"),
    ]
    assert [len(body.select("tr")) for body in table.select("tbody")] == [2, 1]
    assert table.select_one("th.group")["style"] == "--hue:#123456"  # type: ignore[index]


def test_a_long_sentence_is_cut_at_a_words_end_and_whole_in_a_box_of_its_own() -> None:
    long = "word " * 40 + "end"
    header = page(sentences=(long, "two", "x" * 200)).select('.matrix th[scope="row"]')
    assert header[0].select_one(".label bdi").text.endswith("word word …")  # type: ignore[union-attr]
    assert header[0].select_one(".full bdi").text == long  # type: ignore[union-attr]
    assert header[1].select_one(".full") is None
    assert len(header[2].select_one(".label bdi").text) == 101  # type: ignore[union-attr]


def test_a_negative_number_has_a_real_minus_sign_and_zero_has_none() -> None:
    below = encoded([[1, -0.5, -0.00001], [-0.5, 1, -0.2], [-0.00001, -0.2, 1]])
    top = page(matrix=below, farthest=Pair(0, 1, -0.5)).select_one(".top")
    assert top is not None
    assert re.findall("[−-]0.00", top.text) == []
    assert "-0" not in top.text
    assert top.text.count("−0.50") == 4  # the farthest pair, in the table, twice among the neighbors


def many(n: int) -> BeautifulSoup:
    texts = tuple(f"s{k}" for k in range(n))
    return page(sentences=texts, labels=texts, matrix=encoded(np.eye(n).tolist()), order=tuple(range(n)))


def test_many_columns_have_no_numbers_to_read_so_that_the_pairs_are_listed() -> None:
    assert not many(24).select(".dense, #pairs")
    soup = many(25)
    assert len(soup.select(".dense td[style] > span")) == 25 * 24 / 2
    assert [len(ol.select("li")) for ol in soup.select("#pairs ol")] == [10, 10]
    assert not many(61).select(".matrix")


def test_the_numbers_are_inside_up_to_a_megabyte() -> None:
    (link,) = page(stem="a b#c?.d").select("#glance a")
    assert link["download"] == "a b#c?.d.csv"
    head, data = str(link["href"]).split(",")
    assert head == "data:text/csv;charset=utf-8;base64"
    assert base64.b64decode(data).decode().splitlines()[0] == ",one,two,three"
    long = page(sentences=("x" * 600_000, "two", "three"))
    assert not long.select("a[download]")
    assert "The numbers are in set.csv , the file next to this page." in words(long, "#glance")[0]


def test_nothing_links_to_a_file_beside_the_page() -> None:
    links = [str(link["href"]) for link in page().select("a")]
    assert all(link.startswith(("#", "data:text/csv")) for link in links)


def test_every_sentence_has_its_neighbours_nearest_first() -> None:
    first = page().select_one(".neighbors ol > li")
    assert first is not None
    assert first.get_text(" ", strip=True) == "one 0.50 two 0.10 three"


def tagged(tag: str, **changes: Any) -> str:
    notebook = executed(**changes)
    for k, name in enumerate(("before", "about", "after")):
        cell = nbformat.v4.new_markdown_cell(f"## The step {name}", id=name)
        cell.metadata["tags"] = [tag] * (name == "about")
        notebook.cells.insert(2 + k, cell)
    return " ".join(words(BeautifulSoup(render(notebook), "html.parser"), ".step h2"))


@pytest.mark.parametrize(
    ("tag", "changes"),
    [
        ("if-groups", {"groups": ("A", "A", "B")}),
        ("if-claims", {"claims": (ClaimCheck("together", True, *sides("a")),)}),
        ("if-ratings", {"agreement": Agreement(9, 0.5, (0, 1), ())}),
        ("if-reference", {"reference": CHECK}),
    ],
)
def test_what_does_not_concern_the_set_is_left_out_and_steps_are_numbered_by_the_page(
    tag: str, changes: dict[str, Any]
) -> None:
    assert tagged(tag) == "1 · A step 2 · The step before 3 · The step after"
    assert tagged(tag, **changes) == "1 · A step 2 · The step before 3 · The step about 4 · The step after"
    assert tagged(tag, summary=small_search()) == "1 · A step 2 · The step before 3 · The step after"


def test_the_corner_of_a_table_is_no_header_and_its_rows_have_one() -> None:
    html = "<table><thead><tr><th></th><th>a</th></tr></thead><tbody><tr><th>0</th><td>1</td></tr></tbody></table>"
    output = nbformat.v4.new_output("execute_result", {"text/html": html})
    soup = page(
        output, markdown="## 1 · A step\n\n| | a |\n|---|---|\n| b | 1 |\n\n| c | d |\n|---|---|\n| 2 | 3 |"
    )
    tables = [
        [f"{cell.name} {cell.text}" for cell in table.select("th, td")]
        for table in soup.select(".step table")
    ]
    corner = "td "
    assert tables == [
        [corner, "th a", "th b", "td 1"],
        ["th c", "th d", "td 2", "td 3"],
        [corner, "th a", "th 0", "td 1"],
    ]


def test_a_picture_has_its_size_in_pixels() -> None:
    svg = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"/>'
    picture = nbformat.v4.new_output(
        "display_data", {"image/svg+xml": svg}, metadata={"image/svg+xml": {"alt": "x"}}
    )
    (image,) = page(picture).select("section.step img")
    assert (image["width"], image["height"]) == ("96", "48")


def test_the_classes_of_the_notebooks_own_html_come_through_and_no_others() -> None:
    html = '<details class="question other"><summary>s</summary></details><p class="top">p</p>'
    soup = page(nbformat.v4.new_output("execute_result", {"text/html": html}))
    assert [tag.get("class") for tag in soup.select(".output details, .output p")] == [["question"], []]


def test_provenance_names_model_parameters_and_the_command() -> None:
    settings = {
        "title": "T",
        "description": "",
        "normalize": True,
        "cmap": "Reds",
        "my_own_key": False,
        "x": None,
    }
    model = replace(MODEL, parameters=22_713_216, size_bytes=91_607_178)
    foot = page(settings=settings, model=model).select_one("#provenance")
    assert foot is not None
    rows = {row.th.text: row.td.text for row in foot.select("tr")}  # type: ignore[union-attr]
    assert rows["Model"] == "m, 22.7 million parameters, 91.6 MB"
    assert rows["Found in"] == "a folder"
    assert rows["Revision"] == "r"
    assert rows["Maximum input"] == "8 tokens"
    assert rows["Weights"] == "float32, SHA-256 " + "0" * 64
    assert rows["An embedding"] == "2 numbers, mean pooling, scaled to length 1"
    made, _, again = rows["Made"].partition(";")
    assert made == "2026-01-02"
    where = "in the project’s folder (without a project, in the set’s)"
    assert again == f" to make it again, {where}: make report SET=set"
    assert rows["Colormap"] == "Reds"
    assert rows["My own key"] == "no"
    assert not [name for name in rows if name in settings]


def provenance(**changes: Any) -> dict[str, str]:
    rows = page(**changes).select("#provenance tr")
    return {row.th.text: row.td.text for row in rows if row.th and row.td}


def test_provenance_says_which_prompts_the_model_knows_and_which_ran() -> None:
    model = replace(MODEL, prompt="query: ", declared_prompts={"query": "query: ", "passage": "passage: "})
    rows = provenance(model=model)
    assert rows["Prompt"] == "query:  before each sentence"
    assert rows["The model's prompts"] == "query: query: passage: passage: "
    assert "Query prompt" not in rows
    assert not [name for name in provenance() if "rompt" in name]
    assert provenance(model=replace(MODEL, query_prompt="q: "))["Query prompt"] == "q:  before each query"


def test_provenance_says_how_many_of_the_dimensions_are_used() -> None:
    cut = replace(MODEL, dimension=128, full_dimension=384)
    assert provenance(model=cut)["An embedding"].startswith("the first 128 of 384 numbers, mean pooling")
    assert "128 dimensions of 384" in page(model=cut).text


def test_what_the_set_holds_is_counted_and_not_listed() -> None:
    settings = {"title": "T", "expect": [{"related": [1, 2]}], "ratings": [[1, 2, 5.0]] * 9}
    claims = (ClaimCheck("together", True, *sides("a")),)
    rows = provenance(settings=settings, claims=claims, agreement=Agreement(9, 0.5, (0, 1), ()))
    assert rows["The set"] == "3 sentences, 1 claim, 9 rated pairs"


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
    plain = re.sub(r"[^\s/]", "X", HOSTILE)
    soup, harmless = everywhere(HOSTILE), everywhere(plain)
    assert [tag.name for tag in soup.find_all(True)] == [tag.name for tag in harmless.find_all(True)]
    assert [sorted(tag.attrs) for tag in soup.find_all(True)] == [
        sorted(tag.attrs) for tag in harmless.find_all(True)
    ]
    assert soup.text.count(HOSTILE) == harmless.text.count(plain)
    assert soup.select_one("img[alt]")["alt"] == HOSTILE  # type: ignore[index]


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
    assert [notice.text for notice in soup.select(".top > .notice")] == [
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


def test_threads_fill_in_the_template_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = [], []  # together, they would switch escaping on and off for each other

    class Exporter:
        def from_notebook_node(self, notebook: NotebookNode, resources: object) -> tuple[str, object]:
            inside.append(notebook)
            time.sleep(0.05)
            most.append(len(inside))
            inside.pop()
            return "page", resources

    monkeypatch.setattr("sentence_reports.pages.render._exporter", Exporter)
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(render, [executed()] * 3)) == ["page"] * 3
    assert most == [1, 1, 1]
