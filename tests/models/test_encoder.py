"""From a model's files to its encoder, and the facts about it."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from support import WORDS, change_weights, edit

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.facts import ModelFacts
from sentence_reports.models import EMBEDDED, find_model


def test_the_facts_of_the_tiny_model(tiny: Path) -> None:
    found = replace(find_model(str(tiny)), name="tiny", stands_in_for="asked/for", reason="a reason")
    encoder = models.load(found)
    facts = models.describe(found, encoder)
    assert str(tiny) not in json.dumps(asdict(facts))
    assert facts == ModelFacts(
        name="tiny",
        revision=None,
        source="folder",
        sha256=found.sha256,
        dimension=32,
        max_tokens=16,
        pooling="cls",
        normalizes=True,
        parameters=sum(weights.numel() for weights in encoder[0].model.state_dict().values()),
        size_bytes=sum(size for _, size in models.files(found)),
        dtype="float32",
        stands_in_for="asked/for",
        reason="a reason",
    )


def test_the_facts_of_the_embedded_default() -> None:
    found = find_model(EMBEDDED)
    facts = models.describe(found, models.load(found))
    assert (facts.dimension, facts.max_tokens, facts.pooling) == (384, 256, "mean")
    assert (facts.normalizes, facts.dtype) == (True, "float32")
    assert facts.parameters == 22_713_216  # the model card rounds to 22.7M


def test_loading_is_silent_and_leaves_the_libraries_as_they_were(
    tiny: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from transformers.utils import logging as library

    log = logging.getLogger("transformers")
    caplog.set_level(logging.ERROR, logger="transformers")
    before = (list(log.handlers), log.level, log.propagate, library.is_progress_bar_enabled())
    assert before[3]  # else there is nothing to silence
    encoder = models.load(find_model(str(tiny)))
    assert capfd.readouterr() == ("", "")
    assert (list(log.handlers), log.level, log.propagate, library.is_progress_bar_enabled()) == before
    assert str(encoder.device) == "cpu"


@pytest.mark.slow
def test_loading_is_silent_in_a_process_that_logs_as_python_does(tiny: Path) -> None:
    code = f"from sentence_reports import models as m; m.load(m.find_model({str(tiny)!r}), 'the cat: ')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_half_precision_is_loaded_as_float32(model: Path) -> None:
    edit(model / "config.json", dtype="float16")
    found = change_weights(model, lambda tensors: {name: tensor.half() for name, tensor in tensors.items()})
    assert models.describe(found, models.load(found)).dtype == "float32"


def test_missing_weights_are_an_error_but_for_the_unused_pooler(
    model: Path, tiny: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="transformers")  # one who wants no warnings must not get numbers
    found = change_weights(model, lambda tensors: {k: v for k, v in tensors.items() if "pooler" not in k})
    sentence = "the cat sat"
    assert (models.load(found).encode(sentence) == models.load(find_model(str(tiny))).encode(sentence)).all()
    lost = "encoder.layer.0.output.dense.weight"
    found = change_weights(model, lambda tensors: {k: v for k, v in tensors.items() if k != lost})
    with pytest.raises(ModelError, match=f"incomplete: {lost} missing"):
        models.load(found)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ),
        lambda name: f"bert.{name}",
    ],
)
def test_weights_that_the_library_renames_are_not_missing(
    rename: Callable[[str], str], model: Path, tiny: Path
) -> None:
    found = change_weights(model, lambda tensors: {rename(name): tensor for name, tensor in tensors.items()})
    sentence = "the cat sat"
    assert (models.load(found).encode(sentence) == models.load(find_model(str(tiny))).encode(sentence)).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_an_error(model: Path, value: float) -> None:
    name = "embeddings.word_embeddings.weight"

    def spoil(tensors: dict[str, Any]) -> dict[str, Any]:
        tensors[name][WORDS.index("mat"), 3] = value  # one word of one sentence in a hundred
        return tensors

    found = replace(change_weights(model, spoil), name="mine")
    with pytest.raises(
        ModelError, match=rf"The weights of mine are broken: \S*{re.escape(name)} holds"
    ) as caught:
        models.load(found)
    assert "(1 such in all)" in str(caught.value)


def test_embeddings_that_are_no_numbers_are_an_error(model: Path) -> None:
    name = "embeddings.LayerNorm.weight"
    found = change_weights(model, lambda tensors: tensors | {name: tensors[name] * 3e38})
    with pytest.raises(ModelError, match=r"are not finite numbers\. Choose another model"):
        models.load(replace(found, name="mine"))


def test_what_does_not_load_is_an_error_without_the_path(model: Path) -> None:
    found = replace(find_model(str(model)), name="mine")
    edit(model / "config.json", hidden_size=64)
    with pytest.raises(ModelError, match="The model mine does not load") as caught:
        models.load(found)
    assert "ignore_mismatched_sizes" in str(caught.value)  # the library's own words
    (model / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config file at 'mine/config\.json'") as caught:
        models.load(found)
    assert str(model) not in str(caught.value)
