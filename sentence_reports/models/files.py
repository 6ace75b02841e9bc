"""What a model's folder must hold to be used, which is known files, complete weights and no code."""

import hashlib
import json
import re
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from sentence_reports.errors import ModelError
from sentence_reports.models.wordllama import FILES, MODULES, WORDLLAMA, is_wordllama
from sentence_reports.report import FoundModel

# What is downloaded of a repository, and what `files` counts: no pickles, no exports for other runtimes.
WANTED = ("*.safetensors", "*.json", "*.txt", "*.model")
UNWANTED = ("onnx/*", "openvino/*", "coreml/*", ".*", "*/.*")

# Files without which a model gives other answers. A cached snapshot that lacks one that the repository has does
# not count, even if it would load: without sentence_bert_config.json, for one, another token limit would apply.
DECISIVE = (
    "modules.json", "config.json", "*/config.json", "sentence_*_config.json", "config_sentence_transformers.json",
    "tokenizer.json", "tokenizer_config.json",
)  # fmt: skip
TOKENIZERS = (
    *("tokenizer.json", "vocab.txt", "vocab.json"),
    *("tokenizer.model", "spiece.model", "sentencepiece.bpe.model"),
)


def quoted(text: str, size: int = 100) -> str:
    """Return the text in quotes with escapes, cut after `size` characters."""
    return repr(text if len(text) <= size else text[:size] + "...")


def model_folder(name: str, base: Path | None = None) -> Path | None:
    """Return the absolute path of the folder that a model's name means, relative to `base` or the current folder;
    None if there is no such folder.
    """
    try:
        path = Path(base or "", Path(name).expanduser()).absolute()
        return path if name.strip() and path.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # too long, with a NUL, or "~nobody"
        return None


def folder_stamp(model: str, folder: Path | None = None) -> str:
    """Return a text that changes whenever a file in a model's folder does; empty if `model` is not a folder.

    It holds names, sizes, and what the disk records at every change and no program can set (inode, time of change), so
    neither a time that a copy brought along nor a clock that was set back hides a change.
    """
    path = model_folder(model, folder)
    if path is None:
        return ""
    if not (path / "modules.json").is_file():  # not a model; the whole disk, perhaps
        return "no model"
    try:
        stats = [(name, (path / name).stat()) for name in _all_files(path)]
    except OSError as error:  # `find_model` raises an error about it
        return str(error.strerror)
    return json.dumps([(name, stat.st_size, stat.st_ino, stat.st_ctime_ns) for name, stat in stats])


def files(found: FoundModel) -> list[tuple[str, int]]:
    """Return the path (posix, relative) and the size in bytes of each of the model's files, sorted by path.

    Word counts have no files; of vectors from a file, only a `ModelFacts` knows the size.
    Only what a download takes counts: the same model gives the same list wherever it was found.
    """
    if found.source in ("this set", "file"):
        return []
    folder = Path(found.folder)
    if is_wordllama(found):
        return [(name, (folder / name).stat().st_size) for name in sorted(FILES)]
    weights = weight_files(folder, found.name)
    names = [name for name in _all_files(folder) if any(fnmatch(name, pattern) for pattern in WANTED)]
    names = [name for name in names if name in weights or not name.endswith(".safetensors")]
    return [(name, (folder / name).stat().st_size) for name in names]


def _all_files(folder: Path) -> list[str]:
    """Return the relative posix paths of all files, sorted, without hidden ones and exports for other runtimes."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if not any(fnmatch(name, pattern) for pattern in UNWANTED))


def modules(folder: Path, model: str) -> list[tuple[str, str]]:
    """Return the class and the subfolder of each module that modules.json lists."""
    if model == WORDLLAMA and not (folder / "modules.json").exists():
        return list(MODULES)
    listed = read_json(folder / "modules.json", model)
    try:
        pairs = [(str(module["type"]), str(module["path"])) for module in listed]
    except (TypeError, KeyError):
        pairs = []
    if not pairs:
        raise ModelError(f"modules.json of {model} is not a list of modules, each with a type and a path.")
    for _, path in pairs:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\\" in path:
            raise ModelError(f"modules.json of {model} points out of the model's folder: {quoted(path)}.")
    return pairs


def weight_files(folder: Path, model: str) -> list[str]:
    """Return the relative paths of the weights that are loaded, sorted: in each folder model.safetensors, else the
    shards that model.safetensors.index.json names, whether or not they are there.
    """
    names = []
    present = set(_all_files(folder))
    for name in present:
        path = PurePosixPath(name)
        single = str(path.with_name("model.safetensors"))
        if name == single:
            names.append(name)
        elif path.name == "model.safetensors.index.json" and single not in present:
            index = read_json(folder / name, model)
            shards = index.get("weight_map") if isinstance(index, dict) else None
            parts = set(shards.values()) if isinstance(shards, dict) else set()
            if not parts or not all(
                isinstance(part, str) and re.fullmatch(r"[\w.-]+", part) for part in parts
            ):
                raise ModelError(f"{path.name} of {model} does not say which files hold the weights.")
            names += [str(path.with_name(part)) for part in parts]
    return sorted(names)


def weights_hash(folder: Path, model: str) -> str:
    """Return the SHA-256 of the weights file; of several files, that of what ``sha256sum`` prints for them.

    Raises ModelError if one of them is damaged.
    """
    from safetensors import SafetensorError, safe_open

    hashes = {}
    for name in weight_files(folder, model):
        with (folder / name).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            with safe_open(folder / name, framework="np"):  # reads the header and compares it with the size
                pass
        except SafetensorError as error:
            raise ModelError(
                f"The weights {name} of {model} are damaged ({error}). Delete the file and get it again."
            ) from error
    if len(hashes) == 1:
        return hashes.popitem()[1]
    return hashlib.sha256("".join(f"{hashes[name]}  {name}\n" for name in hashes).encode()).hexdigest()


# --- what a folder must and must not hold -------------------------------------------------------------------


def missing_files(folder: Path, model: str) -> list[str]:
    """Return the names of files without which the model does not load, or loads as another one."""
    if not (folder / "modules.json").is_file():
        return ["modules.json"]
    needed = set(weight_files(folder, model)) or {"model.safetensors"}
    for kind, path in modules(folder, model):
        kind = kind.rpartition(".")[2]
        if kind in ("Transformer", "Pooling", "Dense"):
            needed.add(str(PurePosixPath(path, "config.json")))
        if kind == "Dense":
            needed.add(str(PurePosixPath(path, "model.safetensors")))
        if kind == "Transformer" and not any((folder / path / name).is_file() for name in TOKENIZERS):
            needed.add(str(PurePosixPath(path, "tokenizer.json")))
    return sorted(name for name in needed if not (folder / name).is_file())


def check_contents(folder: Path, model: str) -> None:
    """Raise ModelError if the folder holds an adapter or pickles in place of weights, or needs its own code, which
    would run with the author's rights.
    """
    with_weights = {PurePosixPath(name).parent for name in weight_files(folder, model)}
    kinds = [kind for kind, _ in modules(folder, model)]
    needs = [f"the module {kind}" for kind in kinds if not kind.startswith("sentence_transformers.")]
    for name in _all_files(folder):
        path = PurePosixPath(name)
        if path.name == "adapter_config.json":
            raise ModelError(
                f"{model} holds only an adapter ({name}), not a complete model. Merge it into its base model "
                "and save that."
            )
        if re.fullmatch(r"pytorch_model.*\.bin", path.name) and path.parent not in with_weights:
            raise only_pickled(model, name)
        if path.name in ("config.json", "tokenizer_config.json"):
            settings = read_json(folder / name, model)
            if not isinstance(settings, dict):
                raise ModelError(f"{name} of {model} is not a JSON object.")
            if settings.get("auto_map"):
                needs.append(f"auto_map in {name}")
            # sentence-transformers would silently use another activation than the model's own.
            activation = settings.get("activation_function")
            if isinstance(activation, str) and "." in activation and not activation.startswith("torch."):
                needs.append(f"the activation function {activation}")
    if needs:
        raise ModelError(
            f"{model} needs code that comes with the model ({', '.join(needs)}), which is never run here. "
            "Choose a model made of sentence-transformers' own modules."
        )


def only_pickled(model: str, name: str) -> ModelError:
    """Return the error for a model without safetensors; `name` is the pickle's."""
    return ModelError(
        f"{model} has its weights only as a pickle ({name}), and loading a pickle can run any code. Expected "
        "model.safetensors. Choose a model or revision with safetensors, or convert it with "
        "SentenceTransformer.save on a machine where you trust it."
    )


def read_json(path: Path, model: str) -> Any:
    """Return what a JSON file of a model holds. Raises ModelError if it cannot be read as JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} of {model} cannot be read as JSON. Get the model again.") from error
