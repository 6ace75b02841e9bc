"""The search notebook as a file, and what it imports: heatmap, table, words and summary."""

import ast
import re
from dataclasses import replace
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat import NotebookNode
from support import BASELINE, LEGEND, MODEL, ROOT

from sentence_reports.claim_records import ClaimCheck, Side
from sentence_reports.lesson.finding import search_finding
from sentence_reports.lesson.heatmap import search_heatmap
from sentence_reports.lesson.matches import best_matches
from sentence_reports.lesson.picture import MIME
from sentence_reports.lesson.summary import summarize_search
from sentence_reports.models import TokenFacts
from sentence_reports.sets import SentenceSet, read_set
from sentence_reports.summary import SearchSummary

QUERIES, TEXTS = ["who?", "what?", "why?"], ["one", "two", "three"]
FOUND = np.array([[0.1, 0.995, 0.25], [0.3, 0.2, 0.4], [0.999, 0.2, 0.25]], dtype=np.float32)


# --- the notebook ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(ROOT / "notebooks" / "search.ipynb", as_version=4)


def code_cells(notebook: NotebookNode) -> dict[str, str]:
    return {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}


def test_it_is_valid_and_holds_no_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_its_parameters_are_the_keys_of_a_search_with_their_defaults(notebook: NotebookNode) -> None:
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(cell.source).body}
    others = {"order", "ratings", "reference", "models", "texts", "topics", "map"}
    assert set(values) == set(SentenceSet.model_fields) - others
    for name in set(values) - {"title", "sentences", "queries"}:
        assert values[name] == SentenceSet.model_fields[name].default, name
    faq = read_set(ROOT / "params" / "faq.yaml").set
    assert (tuple(values["sentences"]), values["queries"]) == (faq.all_sentences, faq.queries)


def test_it_keeps_the_rules_of_the_lesson(notebook: NotebookNode) -> None:
    kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in notebook.cells)
    assert "ccc" not in kinds
    code = {
        name: source.splitlines() for name, source in code_cells(notebook).items() if name != "parameters"
    }
    assert np.median([len(lines) for lines in code.values()]) <= 5
    assert {name for name, lines in code.items() if len(lines) > 12} == set()
    assert {name for name, lines in code.items() if max(map(len, lines)) > 90} == set()
    steps = [cell.source.split("\n")[0] for cell in notebook.cells if cell.source.startswith("## ")]
    assert len(steps) > 8
    assert not [step for step in steps if re.search(r"\d", step)]  # the page numbers what it shows
    assert not [cell.id for cell in notebook.cells if re.search(r"\b[Ss]teps? \d", cell.source)]
    prose = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "markdown"}
    counts = {name: len(re.sub(r"^## .*$", "", text, flags=re.M).split()) for name, text in prose.items()}
    assert {name: count for name, count in counts.items() if not 20 <= count <= 60} == {}


def test_its_two_functions_do_what_they_say(notebook: NotebookNode) -> None:
    code = code_cells(notebook)
    space: dict[str, Any] = {"np": np, "matrix": FOUND}
    for name in ("cosine-similarity", "claims", "matrix"):
        body = [node for node in ast.parse(code[name]).body if isinstance(node, ast.FunctionDef)]
        exec(compile(ast.Module(body, []), name, "exec"), space)
    assert space["cosine_similarity"](np.array([3.0, 4.0]), np.array([4.0, 3.0])) == pytest.approx(0.96)
    assert np.linalg.norm(space["unit"](FOUND), axis=1) == pytest.approx(1)
    assert space["finds"](0, 1)
    assert not space["finds"](0, 2)


def test_the_shipped_queries_share_few_words_with_what_they_find() -> None:
    from sentence_reports.lesson import words

    faq = read_set(ROOT / "params" / "faq.yaml").set
    assert (len(faq.all_sentences), len(faq.queries or ())) == (8, 12)
    pairs = [claim.pair for claim in faq.claims if claim.kind == "finds" and claim.pair]
    assert sorted(query for query, _ in pairs) == list(range(11))  # the twelfth finds nothing
    assert {text for _, text in pairs} == set(range(8))
    for query, text in pairs:
        shared = words((faq.queries or [])[query]) & words(faq.all_sentences[text])
        assert shared <= {"i", "my", "and", "to"}, shared


# --- the heatmap -------------------------------------------------------------------------------------------


def frame(queries: list[str], texts: list[str], matrix: Any = None) -> pd.DataFrame:
    values = np.zeros((len(queries), len(texts))) if matrix is None else matrix
    return pd.DataFrame(values, index=queries, columns=texts)


def drawn(similarity: pd.DataFrame, **options: Any) -> tuple[str, str]:
    data, _ = search_heatmap(similarity, **options)._repr_mimebundle_()
    return data.get("image/svg+xml", ""), data["text/plain"]


def test_the_heatmap_has_a_row_per_query_and_a_column_per_sentence() -> None:
    svg, alt = drawn(frame(QUERIES[:2], TEXTS, np.array([[-0.2, 0.7, 0], [0, 0, 0.1]])))
    assert all(f">{label}<" in svg for label in [*QUERIES[:2], *TEXTS])
    assert svg.count(">−0.20<") == 1
    assert ">-0.20<" not in svg
    assert alt == (
        "Heatmap of the cosine similarity of 2 queries (rows) and 3 sentences (columns), from 0.00 or less (lightest) "
        "to 1.00 (darkest). The best match is “who?” with “two” at 0.70."
    )


def test_groups_have_brackets_below_the_sentences() -> None:
    svg, alt = drawn(frame(QUERIES, TEXTS, FOUND), groups=["Odd", "Even", "Even"])
    assert "3 sentences (columns, in the groups Odd, Even)" in alt
    assert svg.count("stroke: var(--hue1,") == svg.count("stroke: var(--hue2,") == 1
    assert ">Even<" in svg


def test_what_the_font_cannot_draw_is_numbered_on_its_axis_only() -> None:
    svg, _ = drawn(frame(["中文", "why?"], TEXTS))
    assert "中文" not in svg
    assert all(f">{label}<" in svg for label in ["1", "2", *TEXTS])


@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (1, 60), (200, 3), (1000, 3000)])
def test_it_is_bounded_however_many_texts_there_are(rows: int, columns: int) -> None:
    queries, texts = [f"q{k}" for k in range(rows)], [f"t{k}" for k in range(columns)]
    picture = search_heatmap(frame(queries, texts))
    data, metadata = picture._repr_mimebundle_()
    assert len(data[MIME]) < 600_000
    assert metadata[MIME].get("width", 0) < 2200
    assert f"{rows} {'query' if rows == 1 else 'queries'} (rows) and {columns} sentences" in picture.alt


# --- tables and words --------------------------------------------------------------------------------------


def test_the_best_match_of_each_query() -> None:
    table = best_matches(QUERIES, TEXTS, FOUND, BASELINE)
    assert list(table.index) == QUERIES
    assert list(table["finds"]) == ["two", "three", "one"]
    assert list(table["similarity"]) == pytest.approx([0.995, 0.4, 0.999], abs=1e-4)
    assert list(table["margin to the next"]) == pytest.approx([0.745, 0.1, 0.749], abs=1e-4)
    assert list(table["percentile"]) == [BASELINE.percentile(value) for value in (0.995, 0.4, 0.999)]


MET = ClaimCheck("finds", True, Side("search", ("who?", "two"), 0.995), Side("search", ("who?", "one"), 0.1))
UNMET = ClaimCheck(
    "finds", False, Side("search", ("what?", "one"), 0.3), Side("search", ("what?", "three"), 0.4)
)


@pytest.mark.parametrize(
    ("rows", "options", "finding"),
    [
        ([0, 1, 2], {}, ("Two of three queries find a sentence above chance; “what?” finds none.",)),
        (
            [1, 1, 0],
            {},
            ("One of three queries finds a sentence above chance; “what?” and “what?” find none.",),
        ),
        (
            [0, 2],
            {},
            ("Both queries find a sentence above chance.", "“three” is not the best match of any query."),
        ),
        ([0], {}, ("The query finds “two” above chance.",)),
        ([1], {}, ("The query finds nothing above chance.",)),
        ([1, 1], {}, ("None of the two queries finds a sentence above chance.",)),
        (
            [0, 1, 2],
            {"claims": [MET], "claim": "Each finds its own."},
            ("Each finds its own: the claim holds.", "“what?” finds nothing above chance."),
        ),
        ([0, 2], {"claims": [MET], "claim": "Each finds its own"}, ("Each finds its own: the claim holds.",)),
    ],
)
def test_what_came_out_in_words(rows: list[int], options: dict[str, Any], finding: tuple[str, ...]) -> None:
    queries = [QUERIES[k] for k in rows]
    assert search_finding(queries, TEXTS, FOUND[rows], BASELINE, **options) == finding


def test_among_many_sentences_the_words_say_how_many_queries_would_find_one_by_chance() -> None:
    many = [f"text {k}" for k in range(400)]
    found = np.zeros((2, 400), dtype=np.float32)
    found[:, 7] = 0.995, 0.2
    assert search_finding(QUERIES[:2], many, found, BASELINE) == (
        "One of two queries finds a sentence above chance; “what?” finds none.",
        "Of unrelated queries, about 98% would find one of 400 sentences.",
    )
    assert search_finding(QUERIES[:1] * 2, many, found[[0, 0]], BASELINE) == (
        "Both queries find a sentence above chance.",
        "Of unrelated queries, about 98% would find one of 400 sentences.",
    )


def test_unmet_claims_come_first() -> None:
    (words, *_) = search_finding(
        QUERIES, TEXTS, FOUND, BASELINE, claims=[MET, UNMET], claim="Each finds its own"
    )
    assert words.startswith("1 of 2 claims does not hold")


# --- the summary -------------------------------------------------------------------------------------------


def summary(**changes: Any) -> SearchSummary:
    read = TokenFacts(count=3, limit=8, unknown=0, readable=True)
    given: dict[str, Any] = {
        "settings": {"title": "T"},
        "queries": QUERIES,
        "texts": TEXTS,
        "labels": TEXTS,
        "groups": None,
        "model": MODEL,
        "query_tokens": [read] * 3,
        "tokens": [read] * 3,
        "matrix": FOUND,
        "baseline": BASELINE,
        "legend": LEGEND,
        "versions": {},
    }
    return summarize_search(**given | changes)


def test_the_summary_of_a_search_survives_the_notebook() -> None:
    from support import executed

    from sentence_reports.summary import read_summary

    made = summary(claims=[MET, UNMET])
    back = read_summary(executed(summary=made))
    assert back == made
    assert isinstance(back, SearchSummary)
    assert np.array_equal(back.similarity, FOUND)
    assert back.similarity.shape == (3, 3)
    assert back.closest_texts == ("why?", "one")
    assert [check.met for check in back.checks] == [True, False]
    assert back.finding[0].startswith("1 of 2 claims does not hold")


def test_queries_that_the_model_cannot_read_are_notices() -> None:
    cut = TokenFacts(count=20, limit=8, unknown=0, readable=True)
    blind = TokenFacts(count=2, limit=8, unknown=2, readable=False)
    made = summary(query_tokens=[cut, blind, cut], model=replace(MODEL, stands_in_for="other", reason="away"))
    assert made.notices == (
        "These numbers come from m. You asked for other, which could not be downloaded.",
        "Query 1 was cut at 8 of 20 tokens: the model did not see the rest.",
        "Query 3 was cut at 8 of 20 tokens: the model did not see the rest.",
        "The model cannot read anything in query 2 (2 unknown tokens), so its similarities are meaningless.",
    )
    assert summary(query_tokens=[cut] * 9).notices[-1] == "4 more queries were cut."
