"""What a comparison of models leaves next to its page and on the index: the CSV, the small picture, the card."""

import csv
import io

import numpy as np
from bs4 import BeautifulSoup
from support import MEASURED, YLGNBU, many_compared, measured, small_comparison

from sentence_reports.comparison import Compared
from sentence_reports.pages.index import render_index
from sentence_reports.pages.tables import Colors, table_csv, thumbnail
from sentence_reports.report import Report
from sentence_reports.summary import ComparisonSummary


def rows(summary: ComparisonSummary) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table_csv(summary), newline="")))


def test_the_csv_has_one_row_per_pair_with_what_each_model_says() -> None:
    summary = small_comparison()
    found = rows(summary)
    assert len(found) == 66
    assert list(found[0])[:8] == [
        *("first", "second", "first text", "second text"),
        *(f"all-MiniLM-L6-v2 {name}" for name in ("similarity", "corrected", "percentile", "rank")),
    ]
    assert found[0] == {
        "first": "1",
        "second": "2",
        "first text": "The spring in the mattress is broken",
        "second text": "A metal coil snapped",
        "all-MiniLM-L6-v2 similarity": "0.446",
        "all-MiniLM-L6-v2 corrected": "0.411265",
        "all-MiniLM-L6-v2 percentile": "100.0",
        "all-MiniLM-L6-v2 rank": "4",
        "WordLlama similarity": "0.066",
        "WordLlama corrected": "0.043033",
        "WordLlama percentile": "71.6",
        "WordLlama rank": "16.5",
    }


def test_the_csv_gives_the_same_float32_again() -> None:
    summary = small_comparison()
    for label in MEASURED:
        again = np.array([row[f"{label} similarity"] for row in rows(summary)], dtype=np.float32)
        assert (again == measured(label)[0][np.triu_indices(12, k=1)]).all()


def test_the_csv_of_a_large_comparison_has_the_pairs_that_are_kept() -> None:
    summary = many_compared(501, 2, claimed=((0, 500, 1),))
    found = rows(summary)
    assert len(found) == len(Compared(summary).pairs) < 501 * 500 / 2
    assert ("1", "501") in {(row["first"], row["second"]) for row in found}


def test_the_small_picture_has_a_model_on_each_side_of_the_diagonal() -> None:
    order = (11, *range(11))
    shown = thumbnail(small_comparison(order=order))
    colors = Colors(small_comparison().legend)
    assert [len(row) for row in shown] == [12] * 12
    assert {shown[k][k] for k in range(12)} == {YLGNBU[-1]}
    assert shown[2][1] == colors.of(0.4113)  # the first two sentences, the first model
    assert shown[1][2] == colors.of(0.0430)  # the same, the second model
    assert shown[2][1] != shown[1][2]


def test_the_small_picture_of_a_large_comparison_shows_which_models_agree() -> None:
    summary = many_compared(501, 3)
    first = summary.likenesses[0]
    assert (first.first, first.second) == (0, 1)
    shown = thumbnail(summary)
    assert [len(row) for row in shown] == [3] * 3
    assert shown[0][0] == shown[2][2] == YLGNBU[-1]
    assert 0.8 < (first.spearman or 0) < 0.9
    assert shown[0][1] == shown[1][0] == Colors(summary.legend).of(first.spearman or 0)


def test_a_card_of_a_comparison_names_no_closest_pair() -> None:
    report = Report(
        "mine", "Mine", "mine.yaml", "one, other", 12, date="2026-01-02", finding=("one agrees.",)
    )
    (card,) = BeautifulSoup(render_index([report]), "html.parser").select(".card")
    assert not card.select("q, .value")
    assert "mine · one, other · 12 sentences" in card.get_text()
    assert "one agrees." in card.get_text()
