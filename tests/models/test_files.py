"""What a model's folder must hold, must not hold, and how its files are named and hashed."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import cut_short, edit, not_root, only_pickle

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import find_model


def shard(model: Path) -> list[str]:
    """Replace the weights by two shards and their index."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(model / "model.safetensors")
    shards = {"model-00001-of-00002.safetensors": {}, "model-00002-of-00002.safetensors": {}}
    for number, (name, tensor) in enumerate(tensors.items()):
        shards[sorted(shards)[number % 2]][name] = tensor
    for name, part in shards.items():
        save_file(part, model / name, metadata={"format": "pt"})
    places = {name: shard for shard, part in shards.items() for name in part}
    (model / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    (model / "model.safetensors").unlink()
    return sorted(shards)


def test_sharded_weights_have_the_hash_of_their_sha256sum_listing(model: Path) -> None:
    names = shard(model)
    found = find_model(str(model))
    listing = subprocess.run(["sha256sum", *names], cwd=model, capture_output=True, check=True).stdout
    assert found.sha256 == hashlib.sha256(listing).hexdigest()
    assert models.load(found).get_embedding_dimension() == 32


def test_weights_that_are_not_loaded_do_not_count(model: Path) -> None:
    plain, files = find_model(str(model)), models.files(find_model(str(model)))
    (model / "onnx").mkdir()
    (model / ".git").mkdir()
    for extra in (
        "pytorch_model.bin",
        "onnx/model.safetensors",
        "onnx/pytorch_model.bin",
        "model_fp16.safetensors",
    ):
        (model / extra).write_bytes(b"not even weights")
    (model / ".git" / "config.json").write_text("{}")
    assert find_model(str(model)) == plain
    assert models.files(plain) == files


def test_the_files_are_those_of_the_model(model: Path) -> None:
    (model / ".hidden").write_text("x")
    (model / "README.md").write_text("x")
    files = models.files(find_model(str(model)))
    assert files == sorted(files)
    assert dict(files)["1_Pooling/config.json"] == (model / "1_Pooling" / "config.json").stat().st_size
    assert {name for name, _ in files} == {
        "1_Pooling/config.json",
        "2_Normalize/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def modules_say(model: Path, **changes: Any) -> None:
    modules = json.loads((model / "modules.json").read_text())
    (model / "modules.json").write_text(json.dumps([*modules[:-1], {**modules[-1], **changes}]))


def dense(model: Path, weights: str, **config: Any) -> None:
    modules_say(model, type="sentence_transformers.models.Dense", path="3_Dense")
    (model / "3_Dense").mkdir()
    (model / "3_Dense" / "config.json").write_text(json.dumps(config))
    shutil.copy(model / "model.safetensors", model / "3_Dense" / weights)


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "no modules.json": (lambda m: (m / "modules.json").unlink(), ["no modules.json", "another pooling"]),
    "no JSON": (lambda m: (m / "modules.json").write_text("["), ["modules.json", "cannot be read as JSON"]),
    "deep JSON": (lambda m: (m / "config.json").write_text("[" * 200_000), ["config.json", "read as JSON"]),
    "no modules": (lambda m: (m / "modules.json").write_text("{}"), ["is not a list of modules"]),
    "no weights": (lambda m: (m / "model.safetensors").unlink(), ["missing: model.safetensors"]),
    "pickled": (only_pickle, ["only as a pickle (pytorch_model.bin)", "run any code"]),
    "pickled layer": (lambda m: dense(m, "pytorch_model.bin"), ["pickle (3_Dense/pytorch_model.bin)"]),
    "cut short": (cut_short, ["model.safetensors", "are damaged (", "not fully covered"]),
    "empty": (lambda m: (m / "model.safetensors").write_bytes(b""), ["are damaged (", "header too small"]),
    "git pointer": (lambda m: (m / "model.safetensors").write_text("version https://git-lfs"), ["damaged"]),
    "shard lost": (lambda m: (m / shard(m)[0]).unlink(), ["missing: model-00001-of-00002.safetensors"]),
    "bad index": (
        lambda m: (
            only_pickle(m) or (m / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../b"}}')
        ),
        ["does not say which files hold the weights"],
    ),
    "no pooling": (lambda m: shutil.rmtree(m / "1_Pooling"), ["missing: 1_Pooling/config.json"]),
    "no tokenizer": (lambda m: (m / "tokenizer.json").unlink(), ["missing: tokenizer.json"]),
    "own code": (
        lambda m: edit(m / "config.json", auto_map={"AutoModel": "x.Y"}),
        ["code", "auto_map in config"],
    ),
    "own module": (lambda m: modules_say(m, type="custom.Module"), ["code", "the module custom.Module"]),
    "own activation": (
        lambda m: dense(m, "model.safetensors", activation_function="os.system"),
        ["code", "the activation function os.system"],
    ),
    "points outside": (lambda m: modules_say(m, path="../other"), ["points out of the model's folder"]),
    "adapter": (lambda m: (m / "adapter_config.json").write_text("{}"), ["only an adapter"]),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_a_folder_that_may_not_or_cannot_be_used_is_refused(case: str, model: Path) -> None:
    damage, expected = BAD_FOLDERS[case]
    damage(model)
    with pytest.raises(ModelError) as caught:
        find_model(str(model))
    for words in expected:
        assert words in str(caught.value)


def test_a_file_that_may_not_be_read_is_named_so(model: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # pytest's own folders are not for everybody
        folder = Path(shutil.copytree(model, Path(place) / "model"))
        (folder / "model.safetensors").chmod(0)
        with not_root(), pytest.raises(ModelError, match=r"cannot be read: Permission denied"):
            find_model(str(folder))


def test_a_folder_that_is_no_model_is_not_searched(tmp_path: Path) -> None:
    empty = models.folder_stamp(str(tmp_path))
    (tmp_path / "one").write_text("")
    assert models.folder_stamp(str(tmp_path)) == empty
    (tmp_path / "modules.json").write_text("")
    assert '"one"' in models.folder_stamp(str(tmp_path))
