"""The models of a comparison: what a set may say about each, and what it calls them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Discriminator, Field, Tag, ValidationError

from sentence_reports.report import LEXICAL, ModelChoice, Request, Vectors
from sentence_reports.sets.mapping import Mapping, Mismatch, NotBlank
from sentence_reports.sets.naming import as_seen
from sentence_reports.sets.quoting import quote, show
from sentence_reports.texts import legible, printable, shorten

MIN_MODELS, MAX_MODELS = 2, 6
MAX_LABEL, SHOWN_PROMPT = 60, 20  # characters
USES = ("revision", "prompt", "truncate_dim")
ELSEWHERE = {
    "model": "which names all models. Move it into that list, or remove it.",
    "fallback_model": "because no model stands in for another in a comparison. Remove it.",
    "queries": "because a comparison is about pairs of sentences. Put them into a set with `model`.",
    "reference": "because published figures belong to one model. Put them into a set with `model`.",
} | dict.fromkeys(
    USES, "because it belongs to one of them. Write it in that list, below the model it is for."
)
"""The keys that do not go with `models`, and why."""


def _one_kind(schema: dict[str, Any]) -> None:
    """Tell editors that a model is a name or files of vectors, and that a key is left out rather than null."""
    for entry in schema["properties"].values():
        if "anyOf" in entry:
            entry.update(entry.pop("anyOf")[0])
        del entry["default"]
    bare = {"properties": dict.fromkeys(USES, False)}
    schema["oneOf"] = [{"required": ["model"]}, {"required": ["vectors"], **bare}]
    schema["if"] = {"required": ["model"], "properties": {"model": {"const": LEXICAL}}}
    schema["then"] = bare


class VectorFiles(Mapping):
    """Vectors that were computed elsewhere, as .npy files of numpy."""

    file: NotBlank = Field(
        description="The vectors of the sentences, one row per sentence in the set's order; relative to the set file."
    )
    baseline: NotBlank = Field(
        description="The vectors of the sentences that `sentence-reports baseline` prints, in their order."
    )


class ChosenModel(Mapping):
    """One model of a comparison: its name, or files of its vectors."""

    model_config = ConfigDict(json_schema_extra=_one_kind)

    model: NotBlank | None = Field(
        None,
        description="Its id on the Hugging Face hub, a local folder, or tf-idf, which compares words and is fitted on "
        "the sentences.",
    )
    vectors: VectorFiles | None = Field(
        None, description="Files of vectors, for a model that cannot run on this machine."
    )
    revision: NotBlank | None = Field(None, description="Its commit on the hub.")
    prompt: str | None = Field(
        None,
        description='What is put before each sentence, or the name of one of its prompts; "" for nothing.',
    )
    truncate_dim: Annotated[int, Field(ge=2)] | None = Field(
        None, description="How many of its dimensions are used, from the first."
    )
    label: NotBlank | None = Field(
        None,
        description="What the page calls it. Without it, the last part of its name.",
        json_schema_extra={"maxLength": MAX_LABEL},
    )

    @classmethod
    def cross_check(cls, data: dict[str, Any]) -> Iterator[Mismatch]:
        """Yield what is wrong with the keys of a model: it has a name or vectors, with what belongs to that."""
        if "model" in data and "vectors" in data:
            yield Mismatch((), "has `model` and `vectors`. Write them as separate models, each after a dash.")
        elif not {"model", "vectors"} & set(data) and set(data) <= set(cls.model_fields):
            yield Mismatch((), "needs `model`, a name, or `vectors`, the files of its vectors.")
        without = "`vectors`, which are used as they are" if "vectors" in data else ""
        if data.get("model") == LEXICAL:
            without = f"{LEXICAL}, which only counts words"
        for key in USES:
            if without and key in data:
                yield Mismatch((key,), f"does not go with {without}. Remove it.")
        for key in cls.model_fields:
            if key in data and data[key] is None:
                yield Mismatch((key,), "is empty. Write a value, or remove it.")
        if isinstance(label := data.get("label"), str):
            if stray := next((c for c in label if unicodedata.category(c) in ("Cc", "Zl", "Zp")), None):
                yield Mismatch(("label",), f"contains the control character U+{ord(stray):04X}. Remove it.")
            elif label.strip() and not as_seen(label):
                yield Mismatch(
                    ("label",), f"is {show(label)}, in which nothing can be seen. Write some text."
                )
            if len(label) > MAX_LABEL:
                yield Mismatch(
                    ("label",), f"has {len(label):,} characters. Write a label of at most {MAX_LABEL}."
                )


def branch(model: object) -> str | None:
    """Return which of the two ways to write a model of a comparison this is, None if neither."""
    return "name" if isinstance(model, str) else "keys" if isinstance(model, dict | Mapping) else None


Choice = Annotated[
    Annotated[NotBlank, Tag("name")] | Annotated[ChosenModel, Tag("keys")],
    Discriminator(
        branch,
        custom_error_type="choice_type",
        custom_error_message="must be the name of a model, or a mapping with `model` or `vectors`",
    ),
]


def model_mismatches(models: list[Any]) -> Iterator[Mismatch]:
    """Yield what is wrong with the models of a comparison: their number, models and labels that are not different."""
    if not MIN_MODELS <= (n := len(models)) <= MAX_MODELS:
        single = " For a single model, write `model` instead." if n == 1 else ""
        number = f"{n:,} model" if n == 1 else f"{n:,} models"
        yield Mismatch(("models",), f"has {number}; a comparison needs {MIN_MODELS} to {MAX_MODELS}.{single}")
    if n > MAX_MODELS:
        return
    valid = {index: keys for index, item in enumerate(models) if (keys := keys_of(item)) is not None}
    named: dict[str, int] = {}
    used: dict[Any, int] = {}
    for (index, keys), label in zip(valid.items(), labels(list(valid.values())), strict=True):
        trail, name = ("models", index), (Path(keys.model).as_posix() if keys.model else keys.vectors)
        use = (name, keys.revision, keys.prompt, keys.truncate_dim)
        if (twin := used.setdefault(use, index)) != index:
            message = f"is the same as model {twin + 1}, whatever they are called. Change or remove one."
            yield Mismatch(trail, message, ("models", twin))
        elif (twin := named.setdefault(as_seen(label), index)) != index:
            where = (*trail, "label") if keys.label else trail
            verb = "is" if keys.label else "would be called"
            message = f"{verb} {show(label)}, like model {twin + 1}. Write a different `label`."
            yield Mismatch(where, message, ("models", twin))


def keys_of(item: Any) -> ChosenModel | None:
    """Return a model of a comparison with the keys that say the same; None if it is not valid."""
    try:
        return ChosenModel.model_validate({"model": item} if isinstance(item, str) else item)
    except ValidationError:
        return None


def labels(models: Sequence[ChosenModel]) -> list[str]:
    """Return what each model of a comparison is called.

    That is its own label, else the last part of its name with what tells it apart from others of the same name.
    """
    return [shorten(one.label, MAX_LABEL) if one.label else _label(one, models) for one in models]


def _label(one: ChosenModel, models: Sequence[ChosenModel]) -> str:
    if one.vectors is not None or one.model is None:
        return _plain(Path(one.vectors.file).stem if one.vectors else "")
    name, same = Path(one.model).name, [other for other in models if other.model == one.model]
    if any(
        other.model != one.model and as_seen(Path(other.model or "").name) == as_seen(name)
        for other in models
    ):
        name = one.model
    apart = _plain(name)
    if one.truncate_dim is not None and any(other.truncate_dim != one.truncate_dim for other in same):
        apart += f", {one.truncate_dim} dimensions"
    if one.prompt is not None and any(other.prompt != one.prompt for other in same):
        shown = one.prompt if len(one.prompt) <= SHOWN_PROMPT else one.prompt[:SHOWN_PROMPT] + "..."
        apart += f", prompt {quote(shown)}" if one.prompt else ", no prompt"
    if one.revision is not None and any(other.revision != one.revision for other in same):
        is_commit = re.fullmatch("[0-9a-f]{40}", one.revision)
        apart += f", revision {one.revision[:7] if is_commit else _plain(one.revision)}"
    return apart


def _plain(name: str) -> str:
    return shorten(printable(legible(name)), MAX_LABEL)


def choices_of(models: Sequence[str | ChosenModel]) -> tuple[ModelChoice, ...]:
    """Return the models of a valid comparison, in the set's order."""
    valid = [keys for item in models if (keys := keys_of(item)) is not None]
    return tuple(
        ModelChoice(label, _request(keys), keys.prompt, keys.truncate_dim)
        for label, keys in zip(labels(valid), valid, strict=True)
    )


def _request(keys: ChosenModel) -> Request:
    if keys.vectors is None:
        return Request(keys.model or "", keys.revision)
    return Request(keys.vectors.file, vectors=Vectors(keys.vectors.file, keys.vectors.baseline))


def wrong_models(data: dict[str, Any]) -> Iterator[Mismatch]:
    """Yield what is wrong with the models of a comparison, and with what does not go with it."""
    for key in ("model", "fallback_model"):
        if data.get(key) == LEXICAL and "models" not in data:
            message = f"is {LEXICAL}, which only runs in a comparison. Write it in `models`, next to a model."
            yield Mismatch((key,), message)
    if "models" not in data:
        return
    if data["models"] is None:
        yield Mismatch(("models",), "is empty. Write two to six models below it, each after a dash.")
    if isinstance(data["models"], list):
        yield from model_mismatches(data["models"])
    for key, reason in ELSEWHERE.items():
        if key in data:
            yield Mismatch((key,), f"does not go with `models`, {reason}")
