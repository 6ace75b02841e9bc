"""How a model is used: the prompts that its files declare or a set chooses, and how many dimensions are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentence_reports.errors import ModelError
from sentence_reports.models.files import modules, quoted, read_json
from sentence_reports.models.wordllama import WEIGHTS, is_wordllama
from sentence_reports.report import FoundModel

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DOCUMENT = ("document", "passage", "corpus")
"""The names under which models declare what is put before a text that queries look for."""


class Usage(NamedTuple):
    """How a model is used.

    `text`, `query` and `document` are put before each text by `encode`, `encode_query` and `encode_document`; "" is
    nothing. Embeddings have the first `truncate_dim` dimensions, or all if it is None.
    """

    text: str
    query: str
    document: str
    truncate_dim: int | None

    @classmethod
    def of(cls, encoder: SentenceTransformer) -> Usage:
        """Return how a loaded encoder is used."""
        text, query, document = (
            encoder.prompts.get(name or "") or ""
            for name in (encoder.default_prompt_name, "query", "document")
        )
        return cls(text, query, document, encoder.truncate_dim)


def choose_usage(found: FoundModel, prompt: str | None = None, truncate_dim: int | None = None) -> Usage:
    """Return how a model is used by a set with this `prompt` and `truncate_dim`.

    `prompt` is a name that the model declares or the text itself; None asks for the model's own defaults. Both were
    written for the model that the set asks for, so a fallback model ignores them. Raises ModelError if `prompt` looks
    like a name, one word of ASCII letters, that the model does not declare, if its files say that the model has fewer
    dimensions than `truncate_dim`, or if either is given for word counts or for vectors from a file.
    """
    if found.source in ("this set", "file"):
        for key, value in (("prompt", prompt), ("truncate_dim", truncate_dim)):
            if value is not None:
                raise ModelError(f"`{key}` is given for {found.name}, which cannot use it. Remove it.")
        return Usage("", "", "", None)
    dimension = None if found.stands_in_for or truncate_dim is None else _dimension(found)
    if dimension is not None and truncate_dim is not None and truncate_dim > dimension:
        raise ModelError(too_many(found, truncate_dim, dimension))
    declared = declared_prompts(found)
    # The library's encode_document always finds "document", which it adds itself if a model has only "passage".
    document = next((declared[name] for name in DOCUMENT if name in declared), "")
    query = declared.get("query", "")
    if found.stands_in_for or prompt is None:
        default = _settings(found).get("default_prompt_name")
        dimensions = None if found.stands_in_for else truncate_dim
        return Usage(declared.get(default or "", ""), query, document, dimensions)
    if prompt not in declared and re.fullmatch(r"[\w.-]+", prompt, re.ASCII):
        names = ", ".join(f"{name} ({quoted(text)})" for name, text in declared.items())
        raise ModelError(
            f"The model {found.name} declares no prompt with the name {quoted(prompt)}. "
            f"It declares {names or 'none'}. To put one word before each sentence, add a space after it."
        )
    text = declared.get(prompt, prompt)
    return Usage(text, query, text, truncate_dim)


def declared_prompts(found: FoundModel) -> dict[str, str]:
    """Return the prompts that a model's files declare, by name, without empty ones, which do nothing.

    Raises ModelError if the file cannot be read.
    """
    prompts = _settings(found).get("prompts")
    texts = prompts.items() if isinstance(prompts, dict) else ()
    return {name: text for name, text in texts if isinstance(text, str) and text}


def too_many(found: FoundModel, truncate_dim: int, dimension: int) -> str:
    """Return the message about more dimensions than the model has."""
    return (
        f"`truncate_dim` is {truncate_dim}, but the embeddings of {found.name} have {dimension} dimensions. "
        f"Choose {dimension} or fewer."
    )


def _dimension(found: FoundModel) -> int | None:
    """Return how many dimensions a model's files state; None if only loading the model can tell."""
    dimension: Any = None
    for kind, path in modules(Path(found.folder), found.name):
        if kind.endswith(".StaticEmbedding"):
            weights = WEIGHTS if is_wordllama(found) else f"{path}/model.safetensors"
            dimension = _columns(Path(found.folder, weights.lstrip("/")))
        config = Path(found.folder, path, "config.json")
        settings = read_json(config, found.name) if path and config.is_file() else {}
        if not isinstance(settings, dict):
            return None
        pooled = settings.get("word_embedding_dimension") or settings.get("embedding_dimension")
        modes = [key for key, value in settings.items() if key.startswith("pooling_mode_") and value is True]
        joined = len(modes) > 1 or isinstance(settings.get("pooling_mode"), list)
        dimension = settings.get("out_features") or (None if joined else pooled or dimension)
    return dimension if isinstance(dimension, int) else None


def _columns(weights: Path) -> int | None:
    """Return the length of the vectors in the file of a static model, of which only the header is read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="np") as file:
            return int(file.get_slice("embedding.weight").get_shape()[1])
    except (OSError, SafetensorError):  # loading the model will say what is wrong
        return None


def _settings(found: FoundModel) -> dict[str, Any]:
    path = Path(found.folder) / "config_sentence_transformers.json"
    settings = read_json(path, found.name) if path.is_file() else {}
    return settings if isinstance(settings, dict) else {}
