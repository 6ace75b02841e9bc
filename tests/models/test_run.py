"""One model of a comparison: found, run and freed."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import find_model, run_model
from sentence_reports.models import run as room
from sentence_reports.models.baseline import find_baseline
from sentence_reports.models.embed import Encoded
from sentence_reports.report import ModelChoice, Request

TEXTS = ["the cat sat", "on\nthe mat", "the mat . the cat"]


def test_it_is_what_the_walkthrough_finds_out(e5: Path) -> None:
    found = find_model(str(e5))
    choice = ModelChoice("half", Request(str(e5)), "query", 16)
    run, encoder = run_model(found, choice, TEXTS), models.load(found, "query", 16)
    expected = encoder.encode([text.replace("\n", " ") for text in TEXTS], normalize_embeddings=True)
    assert np.allclose(run.embeddings, expected, atol=1e-6)
    assert (run.embeddings.dtype, run.embeddings.shape, run.label) == (np.float32, (3, 16), "half")
    assert run.facts == models.describe(found, encoder)
    assert (run.facts.prompt, run.facts.dimension, run.facts.full_dimension) == ("query: ", 16, 32)
    assert run.baseline == find_baseline(found, encoder)
    assert list(run.tokens) == models.token_report(encoder, TEXTS)
    assert run.milliseconds is not None
    assert run.milliseconds > 0
    plain = run_model(found, choice, TEXTS, normalize=False).embeddings
    assert not np.allclose(np.linalg.norm(plain, axis=1), 1)


def test_the_same_bytes_are_wanted_without_a_clock(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    run = run_model(find_model(str(tiny)), ModelChoice("tiny", Request(str(tiny))), TEXTS)
    assert run.milliseconds is None


def test_a_second_comparison_of_many_texts_encodes_nothing(tiny: Path) -> None:
    found, choice = find_model(str(tiny)), ModelChoice("tiny", Request(str(tiny)))
    many = [f"the cat {'sat ' * (k % 9)}on the mat {'. ' * (k // 9)}" for k in range(101)]
    cold, warm = run_model(found, choice, many), run_model(found, choice, many)
    assert np.array_equal(warm.embeddings, cold.embeddings)
    assert cold.milliseconds is not None
    assert warm.milliseconds is None


def test_the_model_is_freed(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[weakref.ref[Any]] = []

    def load(*given: Any, **options: Any) -> Any:
        encoder = models.load(*given, **options)
        encoder.itself = [encoder]  # as parts of a real one refer to each other
        loaded.append(weakref.ref(encoder))
        return encoder

    monkeypatch.setattr(room, "load", load)
    gc.disable()
    try:
        run_model(find_model(str(tiny)), ModelChoice("tiny", Request(str(tiny))), TEXTS)
        assert [reference() for reference in loaded] == [None]
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("value", "reason"),
    [(np.nan, "holds values that are not finite"), (np.inf, "holds values that"), (0, "has length 0")],
)
def test_an_embedding_without_a_direction_is_named(
    value: float, reason: str, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(*_: Any, **__: Any) -> Any:
        embeddings = np.ones((3, 32), dtype=np.float32)
        embeddings[1] = value
        return Encoded(embeddings, 3, 1.0)

    monkeypatch.setattr("sentence_reports.models.encoding.encode_texts", encode)
    found = replace(find_model(str(tiny)), name="mine")
    with pytest.raises(ModelError, match=f"^The embedding of sentence 2 by mine {reason}"):
        run_model(found, ModelChoice("tiny", Request("mine")), TEXTS)
