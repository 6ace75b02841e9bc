"""What the lesson is taught with: the sets that make a point, and the baseline sentences.

A point is checked on the matrix of the set's own report, which the embedded model computed.
"""

import re
import unicodedata
from collections.abc import Callable
from importlib.resources import files
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from support import ROOT, Ran

from sentence_reports import models
from sentence_reports.sets import SentenceSet, read_set

TEACHING = (
    "languages",
    "length",
    "negation",
    "numbers",
    "paraphrase",
    "style-or-topic",
    "two-meanings",
    "word-order",
)
# A point must be seen in the heatmap's two decimals, and survive another version of the libraries.
MARGIN = 0.05

Frame = NDArray[np.float64]
Frames = Callable[[str], list[list[Frame]]]


def shipped_set(stem: str) -> SentenceSet:
    return read_set(ROOT / "params" / f"{stem}.yaml").set


def groups(stem: str) -> dict[str, list[str]]:
    sentences = shipped_set(stem).sentences
    assert isinstance(sentences, dict)
    return sentences


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w']+", text.lower()))


def off_diagonal(frame: Frame) -> NDArray[np.float64]:
    return frame[~np.eye(len(frame), dtype=bool)]


@pytest.fixture(scope="module")
def frames(shipped: Ran) -> Frames:
    """Give the similarities of a set's report, cut up by its groups: `frames(stem)[a][b]`."""

    def cut(stem: str) -> list[list[Frame]]:
        table = pd.read_csv(shipped.out / f"{stem}.csv", index_col=0)
        assert tuple(table.index) == shipped_set(stem).texts
        ends = np.cumsum([len(texts) for texts in groups(stem).values()])[:-1]
        return [np.split(rows, ends, axis=1) for rows in np.split(table.to_numpy(), ends)]

    return cut


# --- the sets ----------------------------------------------------------------------------------------------


def test_there_are_two_sets_with_figures_the_four_topics_and_those_that_teach() -> None:
    stems = [path.stem for path in (ROOT / "params").glob("*.yaml")]
    assert sorted(stems) == sorted(["blog", "sbert-movies", "four-topics", "faq", *TEACHING])


@pytest.mark.parametrize("stem", TEACHING)
def test_a_teaching_set_is_short_and_asks(stem: str) -> None:
    found = shipped_set(stem)
    assert 4 <= len(found.texts) <= 12
    assert found.model == models.EMBEDDED
    assert found.fallback_model is None
    assert found.description.endswith("?")
    assert not re.search(r"\d", found.description), "a figure belongs to a run, not to a description"


@pytest.mark.parametrize(
    ("stem", "one", "nearer", "farther"),
    [
        ("negation", 1, 0, 2),  # what it denies, what it means
        ("word-order", 0, 1, 2),  # the same words, the same meaning
        ("numbers", 0, 1, 2),  # nearly the same words, the same amount
        ("paraphrase", 0, 2, 1),  # the same meaning, the same words
    ],
)
def test_which_of_two_is_nearer(frames: Frames, stem: str, one: int, nearer: int, farther: int) -> None:
    cut = frames(stem)
    for k, name in enumerate(groups(stem)):
        assert cut[k][k].shape == (3, 3)
        assert cut[k][k][one, nearer] > cut[k][k][one, farther] + MARGIN, name


def test_a_negated_sentence_has_one_word_more_but_for_grammar() -> None:
    for positive, negated, _ in groups("negation").values():
        changed = words(positive) ^ words(negated)
        assert "not" in changed
        assert changed <= {"not", "did", "does", "passed", "pass", "likes", "like"}


def test_swapped_sentences_have_the_same_words() -> None:
    for first, second, third in groups("word-order").values():
        assert first != second
        assert words(first) == words(second) != words(third)


def test_an_equal_amount_shares_fewer_words_than_another_one() -> None:
    for first, other, equal in groups("numbers").values():
        assert len(words(first) & words(other)) > len(words(first) & words(equal))


def test_a_paraphrase_shares_no_word_and_its_rival_several() -> None:
    for first, rival, paraphrase in groups("paraphrase").values():
        assert not words(first) & words(paraphrase)
        assert len(words(first) & words(rival)) >= 3


def test_a_word_is_read_by_its_meaning_and_leaves_a_trace(frames: Frames) -> None:
    jam, pupil = (0, 1), (2, 3)  # the groups, two meanings each
    for meanings, word in ((jam, "jam"), (pupil, "pupil")):
        texts = [text for k in meanings for text in list(groups("two-meanings").values())[k]]
        assert all(word in re.findall(r"\w+", text.lower()) for text in texts)
    cut = frames("two-meanings")
    within = min(off_diagonal(cut[k][k]).min() for k in range(4))
    across = max(cut[a][b].max() for a, b in combinations(range(4), 2))
    assert within > across + MARGIN
    same_word = min(cut[a][b].min() for a, b in (jam, pupil))
    no_word = max(cut[a][b].max() for a in jam for b in pupil)
    assert same_word > no_word + MARGIN


def test_topic_counts_for_more_than_style_which_stands_out_all_the_same(frames: Frames) -> None:
    cut = frames("style-or-topic")
    across = [cut[a][b] for a, b in combinations(range(3), 2)]
    assert min(off_diagonal(cut[k][k]).min() for k in range(3)) > max(map(np.max, across)) + MARGIN
    same_style = np.mean([np.diagonal(frame) for frame in across])
    assert same_style > np.mean([off_diagonal(frame) for frame in across]) + MARGIN


def test_other_languages_are_sorted_by_language_but_for_a_word_that_is_english(frames: Frames) -> None:
    names, cut = list(groups("languages")), frames("languages")
    found = {
        (names[a], names[b], meaning)
        for a, b in permutations(range(4), 2)
        for meaning in range(3)
        if names[a] != "English"
        and cut[a][b][meaning, meaning] > np.delete(cut[a][a][meaning], meaning).min() - MARGIN
    }
    assert found == {("Spanish", "English", 2)}
    translations = zip(*groups("languages").values(), strict=True)
    pairs = [pair for texts in translations for pair in combinations(map(words, texts), 2)]
    assert set.union(*(one & other for one, other in pairs)) == {"hospital"}


def test_a_text_keeps_to_its_subject_and_single_words_look_alike(frames: Frames) -> None:
    cut = frames("length")
    for a, b in permutations(range(3), 2):
        own = np.diagonal(cut[a][b])
        others = cut[a][b] - 3 * np.eye(4)
        assert (own > others.max(axis=1) + MARGIN).all(), (a, b)
    longer = max(off_diagonal(cut[k][k]).max() for k in (1, 2))
    assert off_diagonal(cut[0][0]).min() > longer + MARGIN


def test_the_four_topics_can_be_seen(frames: Frames) -> None:
    cut = frames("four-topics")
    for a, b in permutations(range(4), 2):
        assert off_diagonal(cut[a][a]).mean() > cut[a][b].mean() + MARGIN, (a, b)


def test_the_docs_name_each_teaching_set_with_its_question() -> None:
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    questions = text[text.index("## Eight questions") : text.index("## In ten minutes")]
    assert sorted(re.findall(r"^\| `([\w-]+)` \| [^|]+\? \| ", questions, re.MULTILINE)) == sorted(TEACHING)


# --- the baseline ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def baseline() -> list[str]:
    text = (files("sentence_reports.models") / "baseline.txt").read_text(encoding="utf-8")
    assert text.endswith("\n")
    return text[:-1].split("\n")


def test_the_baseline_is_200_plain_sentences(baseline: list[str]) -> None:
    assert len(baseline) == len({line.casefold() for line in baseline}) == 200
    for line in baseline:
        assert line == " ".join(line.split())
        assert not [letter for letter in line if unicodedata.category(letter).startswith("C")]
        assert 5 <= len(line.split()) <= 14, line
        assert line[0].isupper()
    assert 10 <= sum(line.endswith("?") for line in baseline) <= 40


def test_no_set_has_a_sentence_of_the_baseline(baseline: list[str]) -> None:
    plain = {" ".join(sorted(words(line))) for line in baseline}
    for path in (ROOT / "params").glob("*.yaml"):
        assert not [text for text in read_set(path).set.texts if " ".join(sorted(words(text))) in plain], path


@pytest.mark.slow
def test_the_baseline_is_read_whole_and_no_two_sentences_are_related(baseline: list[str]) -> None:
    encoder = models.load(models.find_model(models.EMBEDDED))
    for line, facts in zip(baseline, models.token_report(encoder, baseline), strict=True):
        assert (facts.unknown, facts.readable) == (0, True), line
        assert facts.limit is not None
        assert facts.count <= facts.limit
    unit = encoder.encode(baseline, normalize_embeddings=True)
    similarity = unit @ unit.T - 3 * np.eye(len(unit))
    one, other = np.unravel_index(similarity.argmax(), similarity.shape)
    assert similarity.max() < 0.45, (baseline[one], baseline[other])
