"""The page of a search: what each query finds, what finds nothing, and the rankings as CSV."""

import csv
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup
from support import BASELINE, executed, small_search, small_summary

from sentence_reports.facts import Legend, Pair
from sentence_reports.overview import pack
from sentence_reports.pages.render import render
from sentence_reports.pages.tables import MAX_ROWS, RANKS, table_csv, thumbnail
from sentence_reports.summary import SearchSummary


def page(summary: SearchSummary | None = None, **changes: Any) -> BeautifulSoup:
    return BeautifulSoup(render(executed(summary=summary or small_search(**changes))), "html.parser")


def large(queries: int, sentences: int) -> SearchSummary:
    matrix = np.random.default_rng(0).uniform(-0.2, 1, (queries, sentences)).astype("f4")
    texts = tuple(f"sentence {k}" for k in range(sentences))
    return small_search(
        queries=tuple(f"query {k}" for k in range(queries)),
        sentences=texts,
        labels=texts,
        matrix=pack(matrix),
        closest=Pair(0, 0, float(matrix[0, 0])),
    )


def test_the_provenance_says_where_the_model_ran_if_not_on_the_cpu() -> None:
    def ran_on(device: str) -> list[str]:
        soup = page(model=replace(small_search().model, device=device))
        rows = soup.select("#provenance tr")
        return [row.td.text.strip() for row in rows if row.th and row.td and row.th.text == "Ran on"]

    assert ran_on("cuda") == ["the GPU (CUDA)"]
    assert ran_on("cpu") == []


def test_each_query_has_its_best_sentences_with_similarity_and_percentile() -> None:
    first, second = page().select("#found .queries > li")
    assert first.q is not None
    assert first.q.text == "first?"
    rows = [[part.text for part in row.find_all(recursive=False)] for row in first.select(".matches li")]
    assert rows == [
        ["1.00", "two", f"{BASELINE.percentile(0.995):.4g}%"],
        ["0.25", "three", "24.9%"],
        ["0.10", "one", "9.9%"],
    ]
    assert "The first is 0.75 ahead of the next." in first.text
    assert "Nothing above chance." not in first.text
    assert "Nothing above chance." in second.text
    assert "ahead of" not in second.text
    assert first.details is None


def test_what_finds_nothing_and_what_nothing_finds_are_listed() -> None:
    found = page().select_one("#found")
    assert found is not None
    lists = {heading.text: heading.find_next("ul") for heading in found.find_all("h3")}
    assert {name: [item.text for item in items("li")] for name, items in lists.items() if items} == {
        "Queries that find nothing above chance": ["second?"],
        "Sentences that are not the best match of any query": ["one", "three"],
    }
    matched = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype="f4")
    every = page(queries=("a?", "b?", "c?"), matrix=pack(matched)).select_one("#found")
    assert every is not None
    assert every.find("h3") is None


def test_the_page_says_how_many_find_something_and_how_many_would_by_chance() -> None:
    found = page().select_one("#found")
    assert found is not None
    assert "1 of 2 queries find a sentence that is closer than 99% of unrelated pairs." in found.text
    assert "Of unrelated queries, about 3% would find one too." in found.text
    links = [link["href"] for link in page().select(".toc a")]
    assert links[:2] == ["#glance", "#found"]


def test_the_heatmap_is_a_table_of_queries_by_sentences_with_the_best_marked() -> None:
    (table,) = page().select("#glance table")
    assert [th.text for th in table.select('th[scope="col"]')] == ["one", "two", "three"]
    rows = [[cell.text for cell in row.select(".label, td")] for row in table.select("tbody tr")]
    assert rows == [["1 first?", "0.10", "1.00", "0.25"], ["2 second?", "0.30", "0.20", "0.40"]]
    assert [cell.text for cell in table.select(".best")] == ["1.00", "0.40"]


def test_a_search_of_many_sentences_has_numbers_in_the_heatmaps_head_and_a_larger_one_no_heatmap() -> None:
    head = page(large(3, 9)).select('#glance th[scope="col"]')
    assert [next(th.strings) for th in head] == [str(k) for k in range(1, 10)]
    assert not page(large(3, 61)).select("#glance")
    assert not page(large(61, 3)).select("#glance")


@pytest.mark.parametrize(
    ("queries", "sentences", "shown", "folded"),
    [(100, 40, 3, 7), (101, 40, 3, 0), (3, 2, 2, 0), (1, 4, 3, 1)],
)
def test_three_matches_are_shown_and_up_to_ten_folded(
    queries: int, sentences: int, shown: int, folded: int
) -> None:
    items = page(large(queries, sentences)).select(".queries > li")
    assert len(items) == queries
    for item in items:
        assert len(item.select(":scope > .matches > li")) == shown
        assert len(item.select("details li")) == folded


def test_a_thousand_queries_in_three_thousand_sentences_stay_a_page() -> None:
    html = render(executed(summary=large(1000, 3000)))
    assert len(html.encode()) < 2_000_000
    assert "has the best hundred of each" in BeautifulSoup(html, "html.parser").text
    assert "has all of them" in page().text


def test_texts_are_escaped_and_isolated() -> None:
    evil = "<script>alert(1)</script>\u202e"
    soup = page(queries=(evil, "second?"), sentences=(evil, "two", evil + "x"))
    assert soup.find("script") is None
    for text in soup.find_all(string=lambda text: "alert(1)" in text):
        assert text.find_parent("bdi") is not None


def test_the_page_does_not_speak_of_a_matrix_of_sentences() -> None:
    text = page().text
    assert "the whole matrix" not in text
    assert "François Pacull" not in text
    assert "2 queries, 3 sentences" in text


# --- the table ---------------------------------------------------------------------------------------------


def test_the_table_ranks_the_sentences_of_each_query() -> None:
    text = table_csv(small_search(sentences=("one", 'two, "2"', "three\n3")))
    rows = list(csv.reader(text.splitlines(keepends=True)))
    assert rows == [
        ["query", "query text", "rank", "number", "text", "similarity", "percentile"],
        ["1", "first?", "1", "2", 'two, "2"', "0.995", str(BASELINE.percentile(0.995))],
        ["1", "first?", "2", "3", "three\n3", "0.25", "24.9"],
        ["1", "first?", "3", "1", "one", "0.1", "9.9"],
        ["2", "second?", "1", "3", "three\n3", "0.4", "39.9"],
        ["2", "second?", "2", "1", "one", "0.3", "29.9"],
        ["2", "second?", "3", "2", 'two, "2"', "0.2", "19.9"],
    ]
    assert text.count("\r\n") == 7


def test_the_similarities_of_the_table_are_exact() -> None:
    summary = large(5, 50)
    rows = list(csv.DictReader(table_csv(summary).splitlines()))
    assert len(rows) == 250
    for row in rows:
        exact = summary.similarity[int(row["query"]) - 1, int(row["number"]) - 1]
        assert np.float32(row["similarity"]) == exact


def test_a_large_table_has_the_best_hundred_of_each_query() -> None:
    assert MAX_ROWS < 101 * 1000
    rows = list(csv.DictReader(table_csv(large(101, 1000)).splitlines()))
    assert len(rows) == 101 * RANKS
    assert [int(row["rank"]) for row in rows[:RANKS]] == list(range(1, RANKS + 1))


def test_the_thumbnail_is_a_rectangle() -> None:
    ramp = ("#ffffff", "#808080", "#000000")
    small = thumbnail(small_search(legend=Legend(low=0, high=1, scale="", ramp=ramp)))
    assert small == (("#ffffff", "#000000", "#ffffff"), ("#808080", "#ffffff", "#808080"))


def test_a_step_about_queries_is_only_on_a_page_with_queries() -> None:
    for summary, shown in ((small_search(), True), (small_summary(), False)):
        notebook = executed(summary=summary)
        notebook.cells[1].metadata["tags"] = ["if-queries"]
        assert ("A step" in render(notebook)) == shown
