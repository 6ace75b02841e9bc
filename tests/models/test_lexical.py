"""The lexical yardstick: texts are compared by the words that they share."""

import math

import numpy as np
import pytest

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import FoundModel, choose_usage, find_model, run_model
from sentence_reports.report import LEXICAL, ModelChoice, Request

CHOICE = ModelChoice("words", Request(LEXICAL))
TEXTS = ["A cat", "a dog", "Birds sing", "birds\nSING!"]


def run(*texts: str, normalize: bool = True) -> models.ModelRun:
    """Run it on some texts."""
    return run_model(find_model(LEXICAL), CHOICE, texts, normalize=normalize)


def test_it_is_found_without_a_search() -> None:
    assert find_model(LEXICAL) == FoundModel(LEXICAL, None, "this set", "", "")
    with pytest.raises(ModelError, match="Remove the revision"):
        find_model(LEXICAL, "main")


def test_shared_words_count_by_how_rare_they_are() -> None:
    embeddings = run(*TEXTS).embeddings
    assert (embeddings.dtype, embeddings.shape) == (np.float32, (4, 5))  # a, birds, cat, dog, sing
    often, rare = math.log(5 / 3) + 1, math.log(5 / 2) + 1
    similarity = embeddings @ embeddings.T
    assert similarity[0, 1] == pytest.approx(often**2 / (often**2 + rare**2), abs=1e-6)
    assert similarity[2, 3] == pytest.approx(1, abs=1e-6)  # case and punctuation do not count
    assert similarity[0, 2] == 0
    assert np.linalg.norm(run(*TEXTS, normalize=False).embeddings[0]) == pytest.approx(
        math.hypot(often, rare)
    )


def test_what_is_said_of_it() -> None:
    ran = run(*TEXTS)
    assert (ran.label, ran.tokens) == ("words", ())
    assert ran.milliseconds is not None
    facts = ran.facts
    assert (facts.name, facts.source, facts.revision, facts.sha256) == (LEXICAL, "this set", None, "")
    assert (facts.dimension, facts.parameters, facts.size_bytes, facts.normalizes) == (5, 5, 0, True)


def test_unrelated_sentences_keep_the_words_that_the_set_does_not_have() -> None:
    baseline = run("The", "passport", "kettle").baseline
    assert (baseline.pairs, baseline.quantiles[0]) == (19900, 0)
    # Many share "the" and nothing else. If it were all that is known of them, they would be the same text.
    assert 0 < baseline.rare < 0.5
    assert baseline.median < 0.1
    assert baseline.quantiles[-1] < 0.9


def test_a_sentence_without_words_is_named() -> None:
    with pytest.raises(ModelError) as caught:
        run("a cat", "!!", "a dog")
    assert str(caught.value) == (
        "tf-idf compares words, and sentence 2, “!!”, has none: no letter and no digit. "
        "Leave out this sentence, or tf-idf."
    )
    with pytest.raises(ModelError) as caught:
        run("🙂", "a cat", *"!?….,;")
    assert str(caught.value) == (
        "tf-idf compares words, and sentences 1, 3, 4, 5, 6 and 2 more have none, such as “🙂”: no letter and no "
        "digit. Leave out these sentences, or tf-idf."
    )
    with pytest.raises(ModelError, match="sentences 1 and 2 have none"):
        run("🙂", "!")


def test_it_cannot_be_loaded_or_prompted() -> None:
    with pytest.raises(ModelError, match="only a comparison, with `models`, can use it"):
        models.load(find_model(LEXICAL))
    with pytest.raises(ModelError, match="`truncate_dim` is given for tf-idf"):
        choose_usage(find_model(LEXICAL), None, 2)
