"""How a model is used: the prompts that its files declare or a set chooses, and how many dimensions are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentence_reports.errors import ModelError
from sentence_reports.models.files import quoted, read_json
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
    like a name, one word without a colon, that the model does not declare.
    """
    declared = declared_prompts(found)
    # The library's encode_document always finds "document", which it adds itself if a model has only "passage".
    document = next((declared[name] for name in DOCUMENT if name in declared), "")
    query = declared.get("query", "")
    if found.stands_in_for or prompt is None:
        default = _settings(found).get("default_prompt_name")
        dimensions = None if found.stands_in_for else truncate_dim
        return Usage(declared.get(default or "", ""), query, document, dimensions)
    if prompt not in declared and re.fullmatch(r"[^\s:]+", prompt):
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


def _settings(found: FoundModel) -> dict[str, Any]:
    path = Path(found.folder) / "config_sentence_transformers.json"
    settings = read_json(path, found.name) if path.is_file() else {}
    return settings if isinstance(settings, dict) else {}
