"""What a model's folder must hold to be used: known files, whole weights, no code; knows no hub and no names."""

from __future__ import annotations

import hashlib
import json
import re
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from sentence_reports.errors import ModelError

# What is downloaded of a repository, and what `files` counts: no pickles, no exports for other runtimes.
WANTED = ("*.safetensors", "*.json", "*.txt", "*.model")
UNWANTED = ("onnx/*", "openvino/*", "coreml/*", ".*", "*/.*")

# Files that change what a model answers when they are absent. A cached snapshot without one that the
# repository has is no hit, even though it would load: without sentence_bert_config.json, for one, another
# token limit would apply.
DECISIVE = (
    "modules.json",
    "config.json",
    "*/config.json",
    "sentence_*_config.json",
    "config_sentence_transformers.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)


def cut(text: str, length: int = 100) -> str:
    """The text in quotes, with escapes, and cut where it is longer."""
    return repr(text if len(text) <= length else text[:length] + "...")


def _modules(folder: Path, model: str) -> list[tuple[str, str]]:
    """Give the (class, sub-folder) pairs of modules.json."""
    listed = _json(folder / "modules.json", model)
    try:
        modules = [(str(module["type"]), str(module["path"])) for module in listed]
    except (TypeError, KeyError):
        modules = []
    if not modules:
        raise ModelError(f"modules.json of {model} is not a list of modules, each with a type and a path.")
    for _, path in modules:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
            raise ModelError(f"modules.json of {model} points out of the model's folder: {cut(path)}.")
    return modules


def missing_files(folder: Path, model: str) -> list[str]:
    """Names of files without which the model does not load, or loads as another one."""
    if not (folder / "modules.json").is_file():
        return ["modules.json"]
    needed = set(weight_files(folder, model)) or {"model.safetensors"}
    for kind, path in _modules(folder, model):
        kind = kind.rpartition(".")[2]
        if kind in ("Transformer", "Pooling", "Dense"):
            needed.add(str(PurePosixPath(path, "config.json")))
        if kind == "Dense":
            needed.add(str(PurePosixPath(path, "model.safetensors")))
        if kind == "Transformer" and not any((folder / path / name).is_file() for name in TOKENIZERS):
            needed.add(str(PurePosixPath(path, "tokenizer.json")))
    return sorted(name for name in needed if not (folder / name).is_file())


def weight_files(folder: Path, model: str) -> list[str]:
    """Relative paths of the weights that are loaded, sorted: in each sub-folder model.safetensors, else the
    shards that model.safetensors.index.json names (whether or not they are there).
    """
    names = []
    present = set(all_files(folder))
    for name in present:
        path = PurePosixPath(name)
        single = str(path.with_name("model.safetensors"))
        if name == single:
            names.append(name)
        elif path.name == "model.safetensors.index.json" and single not in present:
            names += [str(path.with_name(shard)) for shard in _shards(folder / name, model)]
    return sorted(names)


def _shards(index: Path, model: str) -> set[str]:
    content = _json(index, model)
    shards = content.get("weight_map") if isinstance(content, dict) else None
    names = set(shards.values()) if isinstance(shards, dict) else set()
    if not names or not all(isinstance(name, str) and re.fullmatch(r"[\w.-]+", name) for name in names):
        raise ModelError(f"{index.name} of {model} does not say which files hold the weights.")
    return names


def all_files(folder: Path) -> list[str]:
    """Relative posix paths of all files but hidden ones and exports for other runtimes, sorted."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if not any(fnmatch(name, pattern) for pattern in UNWANTED))


def check_weights(folder: Path, model: str) -> None:
    """Raise ModelError where the folder holds no weights of its own but an adapter's or pickled ones."""
    names = all_files(folder)
    with_weights = {PurePosixPath(name).parent for name in weight_files(folder, model)}
    for name in names:
        path = PurePosixPath(name)
        if path.name == "adapter_config.json":
            raise ModelError(
                f"{model} holds only an adapter ({name}), not a whole model. Merge it into its base model "
                "and save that."
            )
        if re.fullmatch(r"pytorch_model.*\.bin", path.name) and path.parent not in with_weights:
            raise only_pickled(model, name)


def only_pickled(model: str, name: str) -> ModelError:
    """The error that says so; `name` is the pickle's."""
    return ModelError(
        f"{model} has its weights only as a pickle ({name}), and loading a pickle can run any code. Expected "
        "model.safetensors. Choose a model or revision with safetensors, or convert it with "
        "SentenceTransformer.save on a machine where you trust it."
    )


def check_code(folder: Path, model: str) -> None:
    """Refuse a model that needs code of its own: it would run with the author's rights."""
    needs = [f"the module {kind}" for kind, _ in _modules(folder, model) if not _is_library_class(kind)]
    for name in all_files(folder):
        if PurePosixPath(name).name in ("config.json", "tokenizer_config.json"):
            settings = _json(folder / name, model)
            if not isinstance(settings, dict):
                raise ModelError(f"{name} of {model} is not a JSON object.")
            if settings.get("auto_map"):
                needs.append(f"auto_map in {name}")
            # sentence-transformers would silently take another activation than the model's own.
            activation = settings.get("activation_function", "torch.")
            if isinstance(activation, str) and "." in activation and not activation.startswith("torch."):
                needs.append(f"the activation function {activation}")
    if needs:
        raise ModelError(
            f"{model} needs code that comes with the model ({', '.join(needs)}), which is never run here. "
            "Choose a model made of sentence-transformers' own modules."
        )


def _is_library_class(kind: str) -> bool:
    return kind.startswith("sentence_transformers.")


def check_header(folder: Path, name: str, model: str) -> None:
    """Compare the file's size with the one its safetensors header implies: 8 bytes length, JSON, tensors."""
    path = folder / name
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(length)) if 8 + length <= size else {}
            spans = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
            expected = 8 + length + max(spans)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            expected = None
    if expected != size:
        what = "its header is unreadable" if expected is None else f"expected {expected:,} bytes"
        raise ModelError(
            f"The weights {name} of {model} are damaged: {what}, found {size:,} bytes. "
            "Delete the file and get it again."
        )


def sha256(folder: Path, names: list[str]) -> str:
    """The hash of one file; of several, that of what ``sha256sum`` prints for them."""
    hashes = []
    for name in names:
        with (folder / name).open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    if len(hashes) == 1:
        return hashes[0]
    listing = "".join(f"{digest}  {name}\n" for digest, name in zip(hashes, names, strict=True))
    return hashlib.sha256(listing.encode()).hexdigest()


def _json(path: Path, model: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} of {model} cannot be read as JSON. Get the model again.") from error
