"""The page of a comparison of models: what it says, in which order, and how large it gets."""

from dataclasses import replace
from typing import Any

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag
from executed_notebooks import executed_comparison
from support import many_compared, small_comparison

from sentence_reports.claim_records import Agreement, RatedPair
from sentence_reports.pages.comparison import (
    CLAIMS_UP_TO,
    MOVED_PAIRS,
    NEIGHBORS_UNFOLDED,
    NEIGHBORS_UP_TO,
    fits,
)
from sentence_reports.pages.render import render
from sentence_reports.summary import Column, ComparisonSummary, Shared

SPRING = "The spring in the mattress is broken"


def page(summary: ComparisonSummary | None = None) -> BeautifulSoup:
    return BeautifulSoup(render(executed_comparison(summary or small_comparison())), "html.parser")


def words(tag: Tag | None) -> str:
    assert tag is not None
    return " ".join(tag.get_text(" ").split())


def cells(soup: Tag, selector: str) -> list[list[str]]:
    """Return the text of each row of a table, without the models' names that only a phone shows."""
    for name in soup.select(".of"):
        name.extract()
    return [[words(cell) for cell in row.select("th, td")] for row in soup.select(f"{selector} tr")]


def with_columns(summary: ComparisonSummary, *changes: dict[str, Any]) -> ComparisonSummary:
    columns: list[Column] = [
        replace(column, **change) for column, change in zip(summary.columns, changes, strict=True)
    ]
    return replace(summary, columns=tuple(columns))


def test_the_head_says_what_came_out_and_what_was_compared() -> None:
    missing = "Big <b> is missing: no such folder"  # the lesson says so
    soup = page(small_comparison(missing=(("Big <b>", "no such folder"),), notices=("Mind this.", missing)))
    assert words(soup.h1) == "all-MiniLM-L6-v2 meets 3 of 4 claims, WordLlama none."
    assert words(soup.select_one(".kicker")) == "In context, or word by word?"
    assert (
        words(soup.select_one(".facts"))
        == "12 sentences in 4 groups, 66 pairs · all-MiniLM-L6-v2 · WordLlama"
    )
    assert [words(notice) for notice in soup.select(".notice")] == ["Mind this.", missing]


def test_the_parts_are_in_the_order_in_which_a_reader_wants_them() -> None:
    parts = [section["id"] for section in page().select(".top section")]
    assert parts == ["expected", "glance", "agreement", "moved", "nearest", "models"]
    soup = page()
    assert [link["href"] for link in soup.select(".toc a")] == [
        *(f"#{part}" for part in parts),
        "#step-1",
        "#provenance",
    ]
    assert not [tag["id"] for tag in soup.select("[id]") if len(soup.select(f'[id="{tag["id"]}"]')) > 1]


# --- the scoreboard -------------------------------------------------------------------------------------------


def test_the_scoreboard_says_in_words_what_holds_for_which_model_with_both_values() -> None:
    found = cells(page(small_comparison(rated=0.8203)), "#expected")
    assert found[0] == ["", "all-MiniLM-L6-v2 3 of 4 claims hold", "WordLlama 0 of 4 claims hold"]
    assert found[1] == [
        f"“{SPRING}” is closer to “A metal coil snapped” than to “In spring the meadow is in bloom”",
        "✓ holds 0.41 against 0.16",
        "✗ does not hold 0.04 against 0.36",
    ]
    assert found[-1][1:] == [
        *("0.8203 95% interval from 0.77 to 0.86", "0.7203 95% interval from 0.67 to 0.76"),
    ]


def test_claims_about_which_the_models_differ_come_first_and_those_that_all_meet_last() -> None:
    summary = small_comparison(claimed=((7, 6, 8), (9, 10, 11), (4, 3, 0), (0, 1, 2), (3, 4, 0), (6, 7, 0)))
    soup = page(summary)
    shown = [row[1:] for row in cells(soup, "#expected > table")[1:]]
    outcomes = [["holds" in cell for cell in row] for row in shown]
    assert outcomes == [[True, False], [False, False], [True, True], [True, True]]
    folded = soup.select_one("#expected details")
    assert folded is not None
    assert words(folded.summary) == "2 more that hold for every model"
    assert len(folded.select("tbody tr")) == 2


def test_many_claims_that_do_not_hold_are_folded_too() -> None:
    summary = small_comparison(claimed=((9, 10, 11),) * 30)
    soup = page(summary)
    assert len(soup.select("#expected > table tbody tr")) == CLAIMS_UP_TO
    assert words(soup.select_one("#expected details summary")) == "10 more"


def test_without_claims_and_ratings_there_is_no_scoreboard_and_no_word_of_it() -> None:
    soup = page(small_comparison(claimed=()))
    assert not soup.select("#expected")
    assert "expected" not in words(soup.select_one(".toc"))
    rated = page(small_comparison(claimed=(), rated=0.5))
    assert words(rated.select_one("#expected h2")) == "What people say"
    assert len(rated.select("#expected tbody tr")) == 1


def test_ratings_that_tell_nothing_say_so() -> None:
    summary = with_columns(
        small_comparison(claimed=()),
        {"agreement": Agreement(1, None, None, ())},
        {"agreement": Agreement(1, 1.0, None, ())},
    )
    (row,) = cells(page(summary), "#expected tbody")
    assert row[1:] == ["none: all pairs are equal", "1.0000 too few for an interval"]
    assert "1 rated pair;" in row[0]


def test_numbers_that_look_equal_have_more_decimals() -> None:
    summary = small_comparison(claimed=((0, 1, 2),))
    column = summary.columns[0]
    claim = replace(
        column.claims[0],
        met=False,
        first=replace(column.claims[0].first, value=0.2361),
        second=replace(column.claims[0].second, value=0.2439),
    )
    (likeness,) = summary.likenesses
    likeness = replace(likeness, spearman=0.2832, chance=0.2841, shared=(Shared(1, 0.5249, 0.5151),))
    soup = page(replace(with_columns(summary, {"claims": (claim,)}, {}), likenesses=(likeness,)))
    assert cells(soup, "#expected tbody")[0][1] == "✗ does not hold 0.236 against 0.244"
    assert cells(soup, "#agreement tbody")[0][1:] == [
        *("0.283 no more than chance (0.284)", "52.5% more than chance (51.5%)", "–", "–")
    ]


def test_ratings_come_with_the_pairs_on_which_people_and_each_model_disagree() -> None:
    pairs = tuple(RatedPair(0, k, 4.5, -0.04, 90.0, 10.0 * k) for k in range(1, 6))
    summary = with_columns(
        small_comparison(claimed=()),
        {"agreement": Agreement(12, 0.5, (0.1, 0.9), pairs)},
        {"agreement": Agreement(12, 1.0, None, ())},
    )
    section = page(summary).select_one("#expected")
    assert section is not None
    assert [words(head) for head in section.select("h4")] == ["all-MiniLM-L6-v2"]
    shown = [words(each) for each in section.select(".rated > li")]
    assert len(shown) == 3
    texts = summary.sentences
    assert shown[0] == f"{texts[0]} ↔ {texts[1]} People: 4.5 , rank 90. Model: −0.04 , rank 10."
    assert "disagree most" not in str(page(small_comparison(rated=0.8)).select_one("#expected"))


# --- the heatmaps ---------------------------------------------------------------------------------------------


def test_each_model_has_a_heatmap_with_the_same_rows_in_the_order_of_the_set() -> None:
    order = (*range(3, 12), 0, 1, 2)
    soup = page(small_comparison(order=order))
    maps = soup.select(".heats .matrix")
    assert [found["aria-label"] for found in maps] == [
        *("Similarities, all-MiniLM-L6-v2", "Similarities, WordLlama")
    ]
    for found in maps:
        assert [int(words(tag)) - 1 for tag in found.select("tbody .label i")] == list(order)
    first = [words(found.select("td[style]")[0]) for found in maps]
    assert first == ["0.59", "0.48"]
    assert "beside" in soup.select_one(".heats")["class"]  # type: ignore[index]
    assert len(soup.select("#glance .scale")) == 1


def test_more_heatmaps_than_fit_get_tabs_of_which_one_is_chosen() -> None:
    soup = page(many_compared(12, 6))
    assert "beside" not in soup.select_one(".heats")["class"]  # type: ignore[index]
    inputs = soup.select(".heats h3 input")
    assert [tag.get("checked") is not None for tag in inputs] == [True, *[False] * 5]
    assert {(tag["type"], tag["name"]) for tag in inputs} == {("radio", "heatmap")}
    assert [words(label) for label in soup.select(".heats h3 label")] == [f"model {k}" for k in range(1, 7)]


def test_heatmaps_are_beside_each_other_while_their_numbers_fit() -> None:
    assert fits(12, 2, grouped=True)
    assert not fits(13, 2, grouped=True)
    assert fits(5, 4, grouped=False)
    assert not fits(5, 5, grouped=True)
    assert not fits(25, 1, grouped=False)


def test_more_than_sixty_sentences_have_no_heatmap_but_their_numbers_are_found() -> None:
    assert len(page(many_compared(60, 2)).select(".matrix")) == 2
    soup = page(many_compared(61, 2))
    assert not soup.select(".matrix, #glance")
    assert words(soup.select_one("#models a[download]")) == "Download the numbers (CSV)"


# --- agreement, movement, neighbors ---------------------------------------------------------------------------


def test_agreement_is_told_with_what_chance_reaches_and_the_closest_models_first() -> None:
    found = cells(page(), "#agreement tbody")
    assert found == [
        [
            "all-MiniLM-L6-v2 and WordLlama",
            "0.27 more than chance (0.19)",
            "75% more than chance (25%)",
            "53% more than chance (42%)",
            "52% no more than chance (55%)",
        ]
    ]
    summary = many_compared(12, 4)
    values = [row[1].split()[0].replace("−", "-") for row in cells(page(summary), "#agreement tbody")]
    assert len(values) == 6
    assert values == sorted(values, key=float, reverse=True)


def test_a_model_to_which_all_pairs_are_equal_agrees_with_none() -> None:
    summary = many_compared(12, 3)
    first, *others = summary.likenesses
    none = replace(first, spearman=None, chance=None)
    found = cells(page(replace(summary, likenesses=(none, *others))), "#agreement tbody")
    assert found[-1][1] == "none: one model gives all pairs the same similarity"


def test_two_sentences_are_one_pair_and_the_page_says_what_that_means() -> None:
    soup = page(many_compared(2, 2))
    assert "One pair has no order" in words(soup.select_one("#agreement"))
    assert not soup.select("#agreement table, #moved, #nearest")
    assert words(soup.select_one(".facts")).startswith("2 sentences, 1 pair ·")


def test_the_pairs_that_moved_most_are_a_picture_and_a_table() -> None:
    soup = page()
    picture = soup.select_one("#moved img")
    assert picture is not None
    assert (picture["alt"], picture["width"]) == ("Six lines.", "40")
    found = cells(soup, "#moved tbody")
    assert len(found) == MOVED_PAIRS
    assert found[0] == [
        f"{SPRING} ↔ It is raining cats and dogs",
        "rank 63 −0.08 corrected −0.02 raw",
        "rank 8 0.10 corrected 0.12 raw",
    ]


def test_without_a_slope_chart_there_is_still_the_table() -> None:
    made = executed_comparison(small_comparison())
    made.cells[2].outputs = []
    soup = BeautifulSoup(render(made), "html.parser")
    assert not soup.select("#moved img")
    assert len(soup.select("#moved tbody tr")) == MOVED_PAIRS


def test_ranks_of_many_pairs_have_separators() -> None:
    found = cells(page(many_compared(100, 2)), "#moved tbody")
    assert any("," in cell.split()[1] for row in found for cell in row[1:])


def test_sentences_whose_neighbors_differ_come_first_and_the_others_are_folded() -> None:
    soup = page()
    assert words(soup.select_one("#nearest p")).startswith(
        "3 of 12 sentences have different nearest neighbors in different models; these come first."
    )
    found = cells(soup, "#nearest > table tbody")
    assert found == [
        [f"1 {SPRING}", "0.41 A metal coil snapped", "0.36 In spring the meadow is in bloom"],
        ["4 How do I get my money back?", "0.59 Request a refund", "0.64 How do I get my hair back?"],
        ["7 My laptop will not start", "0.70 The computer does not boot", "0.41 My new job will start on Monday"],
    ]  # fmt: skip
    folded = soup.select_one("#nearest details")
    assert folded is not None
    assert words(folded.summary) == "9 more"
    assert len(folded.select("tbody tr")) == 9


def test_models_that_agree_about_all_neighbors_have_them_folded() -> None:
    summary = small_comparison(claimed=())
    same = replace(summary, columns=(summary.columns[0], replace(summary.columns[0], label="again")))
    soup = page(same)
    assert words(soup.select_one("#nearest p")).startswith("None of 12 sentences have different")
    assert not soup.select("#nearest > table, #moved")
    assert words(soup.select_one("#nearest summary")) == "12 sentences"


def test_of_many_sentences_some_neighbors_are_shown_more_are_folded_and_the_rest_is_in_the_csv() -> None:
    summary = many_compared(600, 2)
    soup = page(summary)
    assert len(soup.select("#nearest > table tbody tr")) == NEIGHBORS_UNFOLDED
    assert len(soup.select("#nearest details tbody tr")) == NEIGHBORS_UP_TO - NEIGHBORS_UNFOLDED
    assert "The other 300 sentences are only in the file set.csv" in words(soup.select_one("#nearest"))


# --- the models -----------------------------------------------------------------------------------------------


def test_the_models_are_next_to_each_other() -> None:
    summary = with_columns(small_comparison(), {"cut": 2}, {"unreadable": 1})
    found = {row[0]: row[1:] for row in cells(page(summary), "#models")}
    assert found["Model"] == [
        "sentence-transformers/all-MiniLM-L6-v2 , 22.7 million parameters, 91.6 MB",
        "dleemiller/word-llama-l2-supercat , 8.2 million parameters, 18.2 MB",
    ]
    assert found["Languages"] == ["English", "not stated"]
    assert found["Revision"] == ["8b3219a92973c328a8e22fadcfa821b5dc75636a", "none given"]
    assert found["Maximum input"] == ["256 tokens", "no limit"]
    assert found["Sentences cut"] == ["2", "0"]
    assert found["Sentences that it cannot read"] == ["0", "1"]
    assert [found[f"Unrelated pairs: {name}"] for name in summary.columns[0].baseline.scale] == [
        ["−0.19", "−0.22"], ["−0.06", "−0.09"], ["0.06", "0.02"], ["0.29", "0.22"], ["0.41", "0.44"],
    ]  # fmt: skip
    assert "Prompt" not in found


def test_variants_and_vectors_from_a_file_say_what_they_are() -> None:
    model = small_comparison().columns[0].model
    summary = with_columns(
        small_comparison(),
        {"model": replace(model, prompt="query: ", dimension=64, full_dimension=384)},
        {"model": replace(model, name="ada.npy", source="file", parameters=0, size_bytes=9, pooling=None)},
    )
    found = {row[0]: row[1:] for row in cells(page(summary), "#models")}
    assert found["Prompt"] == ["query: before each sentence", "none"]
    assert found["An embedding"][0] == "the first 64 of 384 numbers, mean pooling, scaled to length 1"
    assert found["Model"][1] == "ada.npy , 9 bytes"
    assert found["Found in"][1] == "files of vectors that were computed elsewhere"
    assert found["Weights"][1].startswith("vectors, SHA-256 53aa51172d")
    assert found["Maximum input"][1] == "not known"


def test_what_a_clock_measured_is_in_a_block_of_its_own_that_can_be_missing() -> None:
    soup = page()
    assert words(soup.select_one("#models .timing")) == (
        "Time to encode a sentence on this machine: all-MiniLM-L6-v2 9.4 ms, WordLlama 4.7 ms. "
        "It differs from run to run."
    )
    timeless = with_columns(small_comparison(), {"milliseconds": None}, {"milliseconds": None})
    without = page(timeless)
    assert not without.select(".timing")
    soup.select_one(".timing").extract()  # type: ignore[union-attr]
    assert words(soup.main) == words(without.main)


def test_the_provenance_has_what_all_models_share() -> None:
    rows = cells(page(small_comparison(rated=0.8)), "#provenance")
    assert rows[:2] == [
        ["Unrelated pairs", "19,900 pairs of everyday sentences"],
        ["The set", "12 sentences in 4 groups, 4 claims, 40 rated pairs"],
    ]


# --- the whole page -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "shown"),
    [({"claimed": ()}, "none"), ({}, "claims"), ({"claimed": (), "rated": 0.5}, "ratings")],
)
def test_cells_about_claims_and_ratings_are_there_if_the_set_has_any(
    changes: dict[str, Any], shown: str
) -> None:
    made = executed_comparison(small_comparison(**changes))
    for kind in ("claims", "ratings"):
        cell = nbformat.v4.new_markdown_cell(f"About {kind}.", metadata={"tags": [f"if-{kind}"]})
        made.cells.append(cell)
    text = words(BeautifulSoup(render(made), "html.parser").select_one(".lesson"))
    assert [kind for kind in ("claims", "ratings") if f"About {kind}." in text] == (
        [] if shown == "none" else [shown]
    )


def test_the_same_summary_gives_the_same_page() -> None:
    assert render(executed_comparison(small_comparison())) == render(executed_comparison(small_comparison()))


def test_a_page_of_thousands_of_sentences_stays_below_two_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentence_reports.comparison.FEWEST_TRIALS", 1)
    n = 2552
    generator = np.random.default_rng(0)
    sentences = tuple(f"{k}: " + "a sentence as long as most in STS-B " * 2 for k in range(n))
    claimed = [tuple(generator.choice(n, 3, replace=False).tolist()) for _ in range(690)]
    html = render(executed_comparison(many_compared(n, 2, sentences=sentences, claimed=claimed, rated=0.82)))
    assert len(html.encode()) < 2_000_000
    assert "data:text/csv" not in html
