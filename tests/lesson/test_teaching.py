"""What the lesson is taught with: the sets that make a point, and the baseline sentences.

What a set shows is in its own claims, which the embedded model has to meet.
"""

import ast
import re
import unicodedata
from collections.abc import Callable, Sequence
from importlib.resources import files
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import ROOT

from sentence_reports import models
from sentence_reports.lesson import encode_in_batches
from sentence_reports.lesson.claims import check_claims
from sentence_reports.lesson.exercises import Exercises
from sentence_reports.models import EMBEDDED
from sentence_reports.models.baseline import shipped
from sentence_reports.sets import SentenceSet, read_set
from sentence_reports.sets.text_files import read_texts

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


def shipped_set(stem: str) -> SentenceSet:
    return read_set(ROOT / "params" / f"{stem}.yaml").set


def groups(stem: str) -> dict[str, list[str]]:
    sentences = shipped_set(stem).sentences
    assert isinstance(sentences, dict)
    return sentences


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w']+", text.lower()))


# --- the sets ----------------------------------------------------------------------------------------------


def test_there_are_sets_with_figures_of_other_kinds_and_those_that_teach() -> None:
    stems = [path.stem for path in (ROOT / "params").glob("*.yaml")]
    assert sorted(stems) == sorted(
        ["blog", "sbert-movies", "four-topics", "faq", "in-context", "town-inbox", *TEACHING]
    )


@pytest.fixture(scope="module")
def encode() -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """Encode texts with the embedded model, each text once for all tests."""
    encoder, known = models.load(models.find_model(models.EMBEDDED)), {}

    def encode_new(texts: Sequence[str]) -> NDArray[np.float32]:
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            known.update(zip(new, encode_in_batches(encoder.encode, new), strict=True))
        return np.stack([known[text] for text in texts])

    return encode_new


@pytest.mark.parametrize("stem", ["four-topics", *TEACHING])
def test_the_claims_of_a_set_hold(stem: str, encode: Any) -> None:
    chosen = shipped_set(stem)
    unit = encode(chosen.all_sentences)
    checks = check_claims(
        chosen.claims, chosen.all_sentences, unit @ unit.T, shipped(EMBEDDED), groups=chosen.groups
    )
    assert len(checks) >= 4
    for check in checks:
        assert check.met, check.statement
        assert check.margin >= MARGIN, check.statement


@pytest.mark.parametrize("stem", ["blog", "sbert-movies", "four-topics", *TEACHING])
def test_each_exercise_has_a_solution_that_holds(stem: str, encode: Any) -> None:
    """All eight, on each shipped set; what holds only just could fail with another version of the libraries."""
    chosen = shipped_set(stem)
    unit, baseline = encode(chosen.all_sentences), shipped(EMBEDDED)
    matrix = unit @ unit.T
    checks = check_claims(chosen.claims, chosen.all_sentences, matrix, baseline, groups=chosen.groups)

    exercises = Exercises(
        chosen.all_sentences, unit, matrix, baseline, encode, groups=chosen.groups, checks=checks
    )
    for name in (
        "cosine",
        "angle",
        "above_chance",
        "outsider",
        "order",
        "paraphrase",
        "neighbor",
        "overturn",
    ):
        task, _, solution = getattr(exercises, name)().text.splitlines()
        found = re.search(r"guess = (.+?): [^\"]+$", solution)
        assert found, f"{task}: {solution}"
        *_, verdict = getattr(exercises, name)(ast.literal_eval(found[1])).text.splitlines()
        assert verdict.startswith("Right: "), f"{task}: {found[1]}: {verdict}"


@pytest.mark.parametrize("stem", TEACHING)
def test_an_exercise_asks_about_the_set_in_its_own_words(stem: str, encode: Any) -> None:
    chosen = shipped_set(stem)
    unit, baseline = encode(chosen.all_sentences), shipped(EMBEDDED)
    checks = check_claims(chosen.claims, chosen.all_sentences, unit @ unit.T, baseline, groups=chosen.groups)
    exercises = Exercises(
        chosen.all_sentences,
        unit,
        unit @ unit.T,
        baseline,
        encode,
        groups=chosen.groups,
        checks=checks,
    )
    assert chosen.groups is not None
    assert f"“{chosen.groups[0]}”" in exercises.neighbor().text
    assert "This set claims that “" in exercises.overturn().text


@pytest.mark.parametrize("stem", ["four-topics", *TEACHING])
def test_the_claims_of_a_set_are_summed_up_in_one_sentence(stem: str) -> None:
    claim = shipped_set(stem).claim
    assert claim
    assert claim[0].isupper()
    assert claim[-1].isalpha()
    assert len(claim) < 120
    assert not re.search(r"\d", claim), "a figure belongs to a run, not to a claim"


@pytest.mark.parametrize("stem", TEACHING)
def test_a_teaching_set_is_short_and_asks(stem: str) -> None:
    found = shipped_set(stem)
    assert 4 <= len(found.all_sentences) <= 12
    assert found.model == models.EMBEDDED
    assert found.fallback_model is None
    assert found.description.endswith("?")
    assert not re.search(r"\d", found.description), "a figure belongs to a run, not to a description"


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


def test_each_sentence_has_its_word_of_two_meanings() -> None:
    for name, texts in groups("two-meanings").items():
        word = name.split()[0].lower()
        assert all(word in re.findall(r"\w+", text.lower()) for text in texts)


def test_translations_share_one_word() -> None:
    translations = zip(*groups("languages").values(), strict=True)
    pairs = [pair for texts in translations for pair in combinations(map(words, texts), 2)]
    assert set.union(*(one & other for one, other in pairs)) == {"hospital"}


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
        chosen = read_set(path).set
        texts = read_texts(chosen.texts, path.parent).texts if chosen.texts else chosen.all_sentences
        assert texts
        assert not [text for text in texts if " ".join(sorted(words(text))) in plain], path


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
