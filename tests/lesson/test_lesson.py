"""Folded answers, texts in pieces, words and groups: what the lesson shows beside its pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from sentence_reports import models
from sentence_reports.lesson import compare_groups, folded, group_means, show_tokens, words
from sentence_reports.lesson.html import HtmlOutput
from sentence_reports.lesson.tokens import MAX_SENTENCES, MAX_TOKENS, _row
from sentence_reports.models import Piece, find_model

HOSTILE = '<script>alert(1)</script> & "quotes" {{ 7 * 7 }}'


def soup(shown: HtmlOutput) -> BeautifulSoup:
    data = shown._repr_mimebundle_()
    assert set(data) == {"text/html", "text/plain"}
    return BeautifulSoup(data["text/html"], "html.parser")


# --- folded ------------------------------------------------------------------------------------------------


def test_an_answer_is_behind_a_fold_and_all_is_text() -> None:
    (fold,) = soup(folded(HOSTILE, HOSTILE)).select("details")
    assert not fold.has_attr("open")
    assert fold.summary.text.startswith(HOSTILE)  # type: ignore[union-attr]
    assert fold.p.text == HOSTILE  # type: ignore[union-attr]
    assert folded("Why?", "So.")._repr_mimebundle_()["text/plain"] == "Why?\nSo."


# --- in_pieces ---------------------------------------------------------------------------------------------


def pieces(tiny: Path, texts: list[str]) -> BeautifulSoup:
    encoder = models.load(find_model(str(tiny)))
    return soup(show_tokens(encoder, texts, models.token_report(encoder, texts)))


def test_each_text_stands_above_its_pieces_and_their_number(tiny: Path) -> None:
    page = pieces(tiny, ["the cat sat.", "on the mat"])
    first, second, said = page.select("p")
    assert first.text.startswith("1 · the cat sat. (6 tokens; limit 16)")
    assert second.text.startswith("2 · on the mat")
    assert [code.text for code in first.select("code")] == ["[CLS]", "the", "cat", "sat", ".", "[SEP]"]
    assert said.text == "No sentence is longer than the limit, and every token is in the vocabulary."
    assert not page.select("mark, del")


def test_what_is_unknown_or_cut_is_marked_and_counted(tiny: Path) -> None:
    page = pieces(tiny, ["the 🙂 sat", "the cat " * 8, HOSTILE])
    assert [mark.text for mark in page.select("p")[0].select("mark")] == ["[UNK]"]
    assert [cut.text for cut in page.select("del")][:2] == ["the", "cat"]
    assert "more" not in page.select("p")[1].text
    assert not page.select("script")
    assert "Sentences that are cut: 2" in page.select("p")[-1].text
    assert "unknown tokens: 2 (marked)." in page.select("p")[-1].text


def test_a_piece_is_text_and_nothing_else() -> None:
    chip = BeautifulSoup(_row([Piece("<script>", unknown=True, cut=True)]), "html.parser")
    assert [tag.name for tag in chip.find_all(True)] == ["del", "mark", "code", "bdi"]
    assert chip.text == "<script>"


def test_a_text_that_writes_backwards_does_not_reorder_its_number_or_its_count(tiny: Path) -> None:
    first = pieces(tiny, ["the \u202ecat"]).p
    assert first is not None
    assert first.bdi is not None
    assert first.bdi.text == "\u2068the \u202ecat\u2069"
    assert first.small is not None
    assert first.small.parent is first
    assert all(code.bdi for code in first.select("code"))


def test_html_is_marked_as_no_formula_the_way_pandas_does(tiny: Path) -> None:
    with pd.option_context("display.html.use_mathjax", False):
        table = BeautifulSoup(pd.DataFrame([1]).to_html(notebook=True), "html.parser").table
    assert table is not None
    for shown in (soup(folded("$1", "$2")), pieces(tiny, ["costs $5 to $10"])):
        (whole,) = shown.find_all(True, recursive=False)
        assert set(whole["class"]) == set(table["class"]) - {"dataframe"}


def test_a_long_text_is_shown_around_its_limit(model: Path) -> None:
    config = model / "sentence_bert_config.json"
    config.write_text('{"max_seq_length": 60, "do_lower_case": false}')
    item, _ = pieces(model, ["the cat sat on the mat " * 20]).select("p")
    shown = item.select("code")
    assert len(shown) == MAX_TOKENS + 5 + 10
    assert len(item.select("del")) == 10
    assert [note.text for note in item.select("i")] == ["… 14 more …", "… 53 more"]
    assert 14 + 53 + len(shown) == 122


def test_of_many_texts_the_first_are_shown_and_those_that_lose_something(tiny: Path) -> None:
    texts = ["the cat"] * 50
    texts[40] = "the 🙂"
    page = pieces(tiny, texts)
    *shown, said = (item.text for item in page.select("p"))
    assert [text.split()[0] for text in shown] == [*map(str, range(1, MAX_SENTENCES + 1)), "41"]
    assert said.startswith("13 of 50 sentences are shown.")
    assert len(pieces(tiny, ["the 🙂"] * 500).select("p")) == 2 * MAX_SENTENCES + 1


# --- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The dog, the DOG!", {"the", "dog"}),
        ("It’s Mary's 5", {"its", "marys", "5"}),
        ("नमस्ते दुनिया", {"नमस्ते", "दुनिया"}),  # vowel signs belong to their word
        ("今天很好。我喝茶", {"今天很好", "我喝茶"}),
        ("مرحبا بالعالم، صديق", {"مرحبا", "بالعالم", "صديق"}),
        ("STRASSE straße", {"strasse"}),
        ("🙂 … !", set()),
        ("", set()),
    ],
)
def test_words_are_what_spaces_and_punctuation_part(text: str, expected: set[str]) -> None:
    assert words(text) == expected


# --- groups ------------------------------------------------------------------------------------------------

MATRIX = np.array([[1, 0.8, 0.2, 0.4], [0.8, 1, 0.1, 0.3], [0.2, 0.1, 1, 0.6], [0.4, 0.3, 0.6, 1]])


def test_group_means_leave_out_each_sentence_with_itself() -> None:
    means = group_means(MATRIX, ["z", "z", "a", "a"])
    assert list(means.index) == list(means.columns) == ["z", "a"]
    assert means.to_numpy() == pytest.approx(np.array([[0.8, 0.25], [0.25, 0.6]]))


def test_a_group_of_one_has_no_mean_within() -> None:
    means = group_means(MATRIX, ["a", "a", "a", "b"])
    assert np.isnan(means.loc["b", "b"])
    assert means.loc["a", "a"] == pytest.approx((0.8 + 0.2 + 0.1) / 3)
    assert compare_groups(MATRIX, ["a", "a", "a", "b"]).endswith(
        "(NaN: a group of one sentence has no pair.)"
    )


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (
            ["z", "z", "a", "a"],
            "Sentences in the same group average 0.700; sentences in different groups 0.250. "
            "The difference is 0.450.",
        ),
        (["a"] * 4, "Sentences in the same group average 0.400. There is only one group."),
        (["a", "b", "c", "d"], "Each group has one sentence, so there is no pair within a group."),
    ],
)
def test_groups_are_compared_in_one_sentence(groups: list[str], expected: str) -> None:
    assert compare_groups(MATRIX, groups) == expected
