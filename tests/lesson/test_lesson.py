"""Folded answers, texts in pieces, words and groups: what the lesson shows beside its pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from support import MODEL

from sentence_reports import models
from sentence_reports.facts import STEPS, Baseline
from sentence_reports.lesson import (
    compare_groups,
    corrected_means,
    folded,
    leave_out,
    make_quiz,
    model_facts,
    show_sentences,
    show_tokens,
    words,
    words_or_meaning,
)
from sentence_reports.lesson.groups import group_means
from sentence_reports.lesson.html import HtmlOutput
from sentence_reports.lesson.left_out import MAX_WORDS
from sentence_reports.lesson.tokens import MAX_SENTENCES, MAX_TOKENS, _row
from sentence_reports.models import Piece, find_model
from sentence_reports.texts import count_in_words, size_in_words

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


# Half of unrelated pairs have 0.2 or less, 99% of them 0.295 or less.
BASELINE = Baseline("k", "m", 1000, tuple(round(0.1 + 0.2 * k / STEPS, 3) for k in range(STEPS + 1)))


def test_a_group_of_one_has_no_mean_within() -> None:
    groups = ["a", "a", "a", "b"]
    means = group_means(MATRIX, groups)
    assert np.isnan(means.loc["b", "b"])
    assert means.loc["a", "a"] == pytest.approx((0.8 + 0.2 + 0.1) / 3)
    assert corrected_means(MATRIX, groups, BASELINE).to_numpy().tolist() == [["0.21", "0.29"], ["0.29", "–"]]
    assert compare_groups(MATRIX, groups, BASELINE).endswith(" (–: one sentence, so no pair.)")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (
            ["z", "z", "a", "a"],
            "Sentences in the same group average 0.62, sentences in different groups 0.06.",
        ),
        (["a"] * 4, "Sentences in the same group average 0.25. There is only one group."),
        (["a", "b", "c", "d"], "Each group has one sentence, so there is no pair within a group."),
        (None, "This set has no groups."),
    ],
)
def test_groups_are_compared_on_the_chance_corrected_scale(groups: list[str] | None, expected: str) -> None:
    assert compare_groups(MATRIX, groups, BASELINE) == expected


# --- words or meaning? -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "similarity", "expected"),
    [
        (
            "the old tree",
            "a tree fell",
            0.15,
            "Content words in common (“tree”), but a similarity of only 0.15",
        ),
        ("the old tree", "a tree fell", 0.5, "No pair here"),
        ("the old oak", "a tree fell", 0.5, "No content word in common, but a similarity of 0.50"),
        ("the old oak", "a tree fell", 0.15, "No pair here"),
        ("the old oak", "the tree fell", 0.5, "No content word in common"),  # "the" is a stop word
        ("the old oak", "the new tree", 0.1, "No pair here"),
        ("今天很好", "你好", 0.5, "No pair here"),  # one word each, to the index
    ],
)
def test_a_pair_is_an_example_only_if_words_and_meaning_part(
    one: str, other: str, similarity: float, expected: str
) -> None:
    matrix = np.array([[1, similarity], [similarity, 1]])
    assert words_or_meaning([one, other], [0], [1], matrix, BASELINE).startswith(expected)


# --- why are these two similar? ----------------------------------------------------------------------------------


def by_letters(texts: list[str]) -> np.ndarray:
    """One dimension per letter: what an encoder could be."""
    return np.array([[text.count(letter) for letter in "abcxyz"] for text in texts], dtype=float)


def test_each_word_is_left_out_once_and_the_one_that_counts_most_is_marked() -> None:
    page = soup(leave_out(("aaa x", "aaa y z"), by_letters))
    intro, first, second = (item.text for item in page.select("p"))
    assert intro == "With all their words, the similarity of the two is 0.86. Without one word:"
    assert first == "aaa\xa0−0.86 · x\xa0+0.05Without “aaa”, it falls to 0.00; without “x”, it rises to 0.90."
    assert second.startswith("aaa\xa0−0.86 · y\xa0+0.04 · z\xa0+0.04")
    assert [mark.bdi.text for mark in page.select("mark") if mark.bdi] == ["aaa", "aaa"]


def test_nothing_is_left_out_of_one_word_or_of_very_many() -> None:
    one, many = "今天天气很好a", "a " * (MAX_WORDS + 1)
    page = soup(leave_out((one, many), by_letters))
    assert [item.text.partition("” ")[2] for item in page.select("p")[1:]] == [
        "is written as one word, so none is left out.",
        "has too many words, so none is left out.",
    ]


def test_what_leaves_nothing_to_read_is_a_dash() -> None:
    page = soup(leave_out(("a !", HOSTILE), by_letters))
    assert "a\xa0– · !\xa00.00" in page.select("p")[1].text
    assert not page.select("script")


# --- the sentences, the model, the quiz --------------------------------------------------------------------------


def test_sentences_are_listed_with_their_numbers_under_their_groups() -> None:
    page = soup(show_sentences(["a", HOSTILE, "c"], ["x", "x", "y"]))
    assert [item.text for item in page.select("p")] == ["3 sentences in 2 groups:", "x", "y"]
    assert [(ol["start"], [li.text for li in ol.select("li")]) for ol in page.select("ol")] == [
        ("1", ["a", HOSTILE]),
        ("3", ["c"]),
    ]
    many = show_sentences([f"t{k}" for k in range(40)])
    assert many.text.splitlines()[0] == "40 sentences; the first 30:"
    assert len(soup(many).select("li")) == 30


def test_facts_of_a_model_are_written_as_a_person_writes_them() -> None:
    facts = replace(MODEL, parameters=22_713_216, size_bytes=91_607_178, revision=None, max_tokens=None)
    table = model_facts(facts)["m"]
    assert table[["parameters", "size of all files", "revision", "maximum input"]].tolist() == [
        "22.7 million",
        "91.6 MB",
        "none given",
        "no limit",
    ]
    assert not [row for row in table.index if "_" in row]
    assert "None" not in table.to_string()
    spoken = ("en", "de", "pt-BR", "no", "multilingual")
    languages = model_facts(replace(MODEL, languages=spoken))["m"]["languages"]
    assert languages == "English, German, Brazilian Portuguese, Norwegian, multilingual"
    assert "languages" not in table
    assert [count_in_words(n) for n in (999, 8192, 7_000_000_000)] == ["999", "8,192", "7.0 billion"]
    assert [size_in_words(n) for n in (190, 39_293)] == ["190 bytes", "39.3 kB"]


def test_a_quiz_asks_three_questions_and_folds_the_answers() -> None:
    page = soup(make_quiz(["one a", "two a", "three", HOSTILE], MATRIX, BASELINE))
    asked = page.select("div.quiz li > details.question")
    assert [item.summary.b.text for item in asked] == [  # type: ignore[union-attr]
        f"Which is closest to “{HOSTILE}”: “one a”, “two a” or “three”?",
        "Which pair is closer: “one a” and “two a”, or “one a” and “three”?",
        "Two other sentences have a similarity of 0.25 with this model. Are they related?",
    ]
    assert "“three”. The similarities: “three” 0.60, “one a” 0.40, “two a” 0.30." in asked[0].text
    assert not page.select("script")


@pytest.mark.parametrize("matrix", [np.array([[1, 0.5], [0.5, 1]]), np.ones((3, 3))])
def test_a_quiz_about_nothing_to_choose_from_asks_what_holds_for_any_set(matrix: np.ndarray) -> None:
    text = make_quiz([f"t{k}" for k in range(len(matrix))], matrix, BASELINE).text
    assert text.startswith("1. If two sentences changed places in the set")
    assert "2. What is the similarity of a sentence and itself?" in text
