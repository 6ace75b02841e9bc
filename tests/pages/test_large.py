"""The page, the CSV and the thumbnail of a set that is too large for a heatmap of all its sentences."""

import csv
import io
from typing import Any

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from numpy.typing import NDArray
from support import executed, small_summary

from sentence_reports.facts import Legend
from sentence_reports.overview import Blocks, Neighbors, Overview
from sentence_reports.pages import tables
from sentence_reports.pages.render import render
from sentence_reports.summary import WalkthroughSummary

N = 70
LEGEND = Legend(
    low=0.2,
    high=1,
    scale="",
    ramp=("#ffffff", "#808080", "#000000"),
    groups=(("a", "#111111"), ("b", "#222222")),
)
GROUPED = Blocks(names=("a", "b"), sizes=(40, 30), central=(3, 50), means=((0.5, 0.2), (0.2, None)))


def similarities() -> NDArray[np.float32]:
    """Sentence k is the closer to another the nearer their numbers, 2 and 3 are the closest, the last one is alone."""
    line = np.arange(N, dtype="f4")
    line[2] += 0.4
    line[-1] += 60
    return np.clip(1 - np.abs(line[:, None] - line) / 100, 0, None).astype("f4")


def large(**changes: Any) -> WalkthroughSummary:
    """The summary of `N` sentences without their matrix."""
    texts = tuple(f"sentence <{k + 1}>" for k in range(N))
    parts = Blocks(names=None, sizes=(35, 35), central=(4, 44), means=((0.5, 0.2), (0.2, 0.6)))
    plain = {
        "sentences": texts,
        "labels": texts,
        "legend": LEGEND,
        "matrix": None,
        "overview": Overview(Neighbors.of(similarities()), parts),
    }
    return small_summary(**plain | changes)


def page(**changes: Any) -> BeautifulSoup:
    return BeautifulSoup(render(executed(summary=large(**changes))), "html.parser")


def grouped(*verdict: str, **changes: Any) -> WalkthroughSummary:
    groups = tuple("a" * 40 + "b" * 30)
    return large(groups=groups, overview=Overview(Neighbors.of(similarities()), GROUPED, verdict), **changes)


def test_the_page_leads_with_the_closest_pairs_and_the_most_isolated_sentences() -> None:
    soup = page()
    closest = [bdi.text for bdi in soup.select("#closest li:first-child bdi")][:2]
    assert closest == ["sentence <3>", "sentence <4>"]
    assert soup.select("#closest li")[0].b.text == "0.99"
    assert len(soup.select("#closest li")) == len(soup.select("#alone li")) == 10
    alone = soup.select("#alone li")[0]
    assert [bdi.text for bdi in alone.select("bdi")] == [f"sentence <{N}>", f"sentence <{N - 1}>"]
    assert "not above chance (closer than 38.9% of unrelated pairs)" in alone.text


def test_the_page_says_how_many_sentences_have_no_neighbor_above_chance() -> None:
    told = page().select_one("#alone > p").text
    assert told.startswith("68 of 70 sentences have no neighbor above chance")
    assert "about 50% of unrelated sentences would have one too" in told


def test_each_sentence_is_listed_with_links_to_its_neighbors() -> None:
    soup = page()
    entries = soup.select("#neighbors > ol > li")
    assert len(entries) == N
    links = [link["href"] for link in entries[0].select("a")]
    assert links == ["#s2", "#s3", "#s4", "#s5", "#s6"]
    assert all(soup.select_one(href) for href in links)


def test_parts_are_shown_by_their_most_typical_sentence() -> None:
    rows = page().select("#glance tbody tr")
    assert [row.th.text.split() for row in rows] == [
        ["1", "sentence", "<5>", "35"],
        ["2", "sentence", "<45>", "35"],
    ]
    assert [cell.text for cell in rows[0].select("td")] == [
        "0.00",
        "−0.60",
    ]  # 0.5 is the median of unrelated pairs


def test_groups_come_first_with_their_verdict_unless_it_is_the_headline() -> None:
    soup = BeautifulSoup(render(executed(summary=grouped("A holds.", "B does not."))), "html.parser")
    ids = [section["id"] for section in soup.select("section#glance, section#closest")]
    assert ids == ["glance", "closest"]
    assert [bdi.text for bdi in soup.select("#glance > p bdi")] == ["A holds.", "B does not."]
    assert [cell.text for cell in soup.select("#glance tbody tr")[1].select("td")] == ["−0.60", ""]
    told = BeautifulSoup(render(executed(summary=grouped("A holds.", finding=("A holds.",)))), "html.parser")
    assert not told.select("#glance > p bdi")


def test_the_page_comes_from_the_notebook_alone() -> None:
    notebook = executed(
        summary=grouped("A holds.", settings={"description": "", "normalize": True, "title": "T"})
    )
    again = nbformat.reads(nbformat.writes(notebook), as_version=4)
    assert render(again) == render(notebook)


def test_the_csv_has_the_ten_nearest_neighbors_of_each_sentence() -> None:
    rows = list(csv.DictReader(io.StringIO(tables.table_csv(large()))))
    assert len(rows) == 10 * N
    assert rows[0] == {
        "number": "1",
        "text": "sentence <1>",
        "rank": "1",
        "neighbor": "2",
        "neighbor text": "sentence <2>",
        "similarity": "0.99",
        "percentile": "98.9",
    }
    assert [row["rank"] for row in rows[:11]] == [*map(str, range(1, 11)), "1"]


def test_the_whole_matrix_is_not_there() -> None:
    with pytest.raises(ValueError, match="the similarities of 70 sentences are not kept"):
        _ = large().similarity


def test_the_thumbnail_shows_the_blocks_in_colors_that_end_at_the_largest_mean() -> None:
    assert tables.thumbnail(grouped()) == (("#000000", "#ffffff"), ("#ffffff", "#ffffff"))


def test_small_differences_between_blocks_do_not_look_large() -> None:
    flat = Blocks(names=None, sizes=(2, 2), central=(0, 2), means=((0.21, 0.2), (0.2, 0.21)))
    assert tables.block_legend(LEGEND, flat).high == pytest.approx(0.3)


def test_long_sentences_are_cut_where_they_are_repeated() -> None:
    texts = (f"{'word ' * 40}end", "x" * 300, *(str(k) for k in range(N - 2)))
    shown = tables.large_set(large(sentences=texts, labels=texts))
    assert shown is not None
    assert shown["short"][0].endswith("word …")
    assert len(shown["short"][0]) <= 80
    assert shown["short"][1] == "x" * 80 + "…"
