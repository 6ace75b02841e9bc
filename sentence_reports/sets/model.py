"""What a sentence set is: its keys, their types and defaults, and what must hold between them.

A new key is a field of `SentenceSet` (of a nested mapping: a class like `Reference`). What has to hold between keys
goes into `cross_check`.
"""

import difflib
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from sentence_reports.sets.colormaps import COLORMAPS
from sentence_reports.sets.quoting import SHOWN_LENGTH, show
from sentence_reports.sets.yaml_nodes import Trail

MIN_SENTENCES, MAX_SENTENCES = 2, 3000
UNIONS = {"sentences"}
"""Fields that pydantic's errors name together with the branch of their union: ("sentences", "list", 3)."""

NotBlank = Annotated[str, Field(pattern=r"\S")]
Similarity = Annotated[float, Field(ge=-1.01, le=1.01, allow_inf_nan=False)]
SentenceList = Annotated[
    list[NotBlank], Field(json_schema_extra={"minItems": MIN_SENTENCES, "maxItems": MAX_SENTENCES})
]
SentenceGroups = Annotated[
    dict[NotBlank, Annotated[list[NotBlank], Field(min_length=1)]],
    Field(json_schema_extra={"minProperties": 1, "additionalProperties": False}),
]


def _branch(sentences: object) -> str | None:
    return "list" if isinstance(sentences, list) else "groups" if isinstance(sentences, dict) else None


# Told apart beforehand: a plain union would report what is wrong with a sentence for both of its branches.
Sentences = Annotated[
    Annotated[SentenceList, Tag("list")] | Annotated[SentenceGroups, Tag("groups")],
    Discriminator(
        _branch,
        custom_error_type="sentences_type",
        custom_error_message="must be a list of texts. Write one per line, each after a dash.",
    ),
]


class Mapping(BaseModel):
    """A mapping of a set file: frozen and strict. Its errors come all at once, and an unknown key gets a suggestion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def cross_check(cls, data: dict[str, Any]) -> Iterator[tuple[Trail, str, Trail | None]]:
        """Yield what is wrong between values: path, message and, if it is about a second value, that one's path.

        `data` is plain data that may be wrong in other ways, so that all problems of a file come out at once.
        """
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        errors = [
            _error("cross_check", trail, message, {"other": other})
            for trail, message, other in (cls.cross_check(data) if isinstance(data, dict) else ())
        ]
        made = None
        try:
            made = handler(data)
        except ValidationError as error:
            for found in error.errors(include_url=False, include_input=False):
                trail, message = found["loc"], found["msg"]
                if trail and trail[0] in UNIONS:
                    trail = trail[:1] + trail[2:]
                if found["type"] == "extra_forbidden" and len(trail) == 1:
                    message = f"is an unknown key{did_you_mean(str(trail[0]), tuple(cls.model_fields))}"
                errors.append(_error(found["type"], trail, message, found.get("ctx", {})))
        if errors or made is None:
            raise ValidationError.from_exception_data(cls.model_config.get("title") or cls.__name__, errors)
        return made


class Reference(Mapping):
    """Published figures that the report checks its own against."""

    source: NotBlank = Field(description="Where the figures were published: author, title, date.")
    model: NotBlank = Field(
        description="The model they were computed with. With another, nothing is compared."
    )
    tolerance: float = Field(
        1e-4,
        gt=0,
        allow_inf_nan=False,
        description="The largest difference that counts as equal, such as 1.0e-4.",
    )
    similarity: list[list[Similarity | None]] = Field(
        description="One row per sentence with one figure per sentence; null if the source gives none."
    )


class SentenceSet(Mapping):
    """The sentences of one report, and how to make it."""

    model_config = ConfigDict(title="Sentence set")

    title: NotBlank | None = Field(
        None, description="The page's title and heading. Without it, the file name made readable."
    )
    description: str = Field("", description="One paragraph under the title; plain text.")
    sentences: Sentences = Field(
        description="The sentences to compare, 2 to 3000: a list of texts, or a mapping of group names to "
        "lists of texts. Groups order and color the heatmap."
    )
    model: NotBlank = Field(
        "BAAI/bge-base-en",
        description="The embedding model: its id on the Hugging Face hub, or a local folder.",
    )
    revision: NotBlank | None = Field(
        None,
        description="The model's commit on the hub. Without it, the pinned one if the model has one.",
    )
    fallback_model: NotBlank | None = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="Used, with a notice, if the hub cannot be reached and the model is not on this "
        "machine. With null that is an error.",
    )
    normalize: bool = Field(True, description="Whether embeddings are scaled to length 1.")
    label_size: int = Field(
        30,
        ge=5,
        le=200,
        description="How many characters of a sentence the heatmap shows before it writes ...",
    )
    cmap: str = Field(
        "YlGnBu",
        title="Colormap",
        description="The heatmap's colors: a matplotlib colormap.",
        json_schema_extra={"enum": list(COLORMAPS)},
    )
    reference: Reference | None = Field(
        None, description="Published figures to check the report's own against."
    )

    @field_validator("cmap")
    @classmethod
    def _is_a_colormap(cls, name: str) -> str:
        if name not in COLORMAPS:
            message = f"is {show(name)}, which is not a matplotlib colormap{did_you_mean(name, COLORMAPS)}"
            raise PydanticCustomError("colormap", "{message}", {"message": message})
        return name

    @classmethod
    def cross_check(cls, data: dict[str, Any]) -> Iterator[tuple[Trail, str, Trail | None]]:
        """Yield what is wrong with the number of sentences, with equal ones, and with the reference's shape."""
        sentences, reference = data.get("sentences"), data.get("reference")
        items = list(_items(sentences))
        if _branch(sentences) and not MIN_SENTENCES <= len(items) <= MAX_SENTENCES:
            needed = f"a set needs {MIN_SENTENCES} to {MAX_SENTENCES:,}"
            yield ("sentences",), f"has {len(items):,} sentence{'s' * (len(items) != 1)}; {needed}.", None
        yield from _repeated(items)
        similarity = reference.get("similarity") if isinstance(reference, dict) else None
        if isinstance(reference, dict) and isinstance(similarity, list):
            yield from _not_square(similarity, len(items))
            yield from _contradictions(similarity, reference.get("tolerance"))

    @property
    def texts(self) -> tuple[str, ...]:
        """All sentences in the file's order, group by group."""
        return tuple(text for _, text in _items(self.sentences))

    @property
    def groups(self) -> tuple[str, ...] | None:
        """The group's name for each of `texts`; None if the set has no groups."""
        if isinstance(self.sentences, list):
            return None
        return tuple(name for name, texts in self.sentences.items() for _ in texts)

    def parameters(self) -> dict[str, Any]:
        """Return what papermill injects: the keys that the author wrote, and only these, as plain data."""
        return self.model_dump(mode="json", exclude_unset=True)


def schema() -> dict[str, Any]:
    """Return the JSON schema of a set file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **SentenceSet.model_json_schema()}


def name_of(trail: Trail) -> str:
    """Return what an author would call a value: sentence 2 of group "Food"."""
    match trail:
        case ("sentences", int(item)):
            return f"sentence {item + 1}"
        case ("sentences", str(group)):
            return f"group {show(group)}"
        case ("sentences", str(group), int(item)):
            return f"sentence {item + 1} of group {show(group)}"
        case ("reference", "similarity", int(row)):
            return f"row {row + 1} of `reference.similarity`"
        case ("reference", "similarity", int(row), int(column)):
            return f"figure {column + 1} in row {row + 1} of `reference.similarity`"
    name = ".".join(map(str, trail))
    return f"`{name}`" if name.isprintable() and 0 < len(name) <= SHOWN_LENGTH else show(name)


def folded(text: str) -> str:
    """Return the form in which two texts count as equal: Unicode's NFC, with white space folded."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def did_you_mean(word: str, names: tuple[str, ...]) -> str:
    """Return the end of a sentence that suggests the name nearest to a wrong one, or lists the few there are."""
    spelled = {name.lower(): name for name in names}
    if nearest := difflib.get_close_matches(word[:SHOWN_LENGTH].lower(), spelled, n=1):
        return f"; did you mean `{spelled[nearest[0]]}`?"
    return f". Known keys are {', '.join(names)}." if len(names) < 30 else "."


def _error(kind: str, trail: Trail, message: str, context: dict[str, Any]) -> InitErrorDetails:
    error = PydanticCustomError(kind, "{message}", {**context, "message": message})  # type: ignore[arg-type]
    return {"type": error, "loc": trail, "input": None}


def _items(sentences: object) -> Iterator[tuple[Trail, Any]]:
    """Yield each sentence with its path, in the file's order."""
    lists: dict[Trail, Any] = {("sentences",): sentences}
    if isinstance(sentences, dict):
        lists = {("sentences", name): texts for name, texts in sentences.items()}
    for trail, texts in lists.items():
        if isinstance(texts, list):
            yield from (((*trail, item), text) for item, text in enumerate(texts))


def _repeated(items: list[tuple[Trail, Any]]) -> Iterator[tuple[Trail, str, Trail | None]]:
    first: dict[str, tuple[Trail, str]] = {}
    for trail, text in items:
        if not isinstance(text, str) or not folded(text):
            continue
        twin, twin_text = first.setdefault(folded(text), (trail, text))
        if twin != trail:
            apart = "" if text == twin_text else ", except for spaces or how accents are stored"
            message = f"is the same as {name_of(twin)}{apart}: {show(text)}. Change or remove one."
            yield trail, message, twin


def _not_square(similarity: list[Any], n: int) -> Iterator[tuple[Trail, str, Trail | None]]:
    trail: Trail = ("reference", "similarity")
    if len(similarity) != n:
        yield trail, f"has {len(similarity)} rows, but the set has {n} sentences.", None
    for number, row in enumerate(similarity):
        if isinstance(row, list) and len(row) != n:
            yield (*trail, number), f"has {len(row)} figures, but the set has {n} sentences.", None
    rows = [row[:i] + row[i + 1 :] for i, row in enumerate(similarity) if isinstance(row, list)]
    if len(rows) == len(similarity) and all(figure is None for row in rows for figure in row):
        message = (
            "contains no figures (the diagonal does not count). Add at least one, or remove the reference."
        )
        yield trail, message, None


def _contradictions(similarity: list[Any], tolerance: Any) -> Iterator[tuple[Trail, str, Trail | None]]:
    allowed = tolerance if isinstance(tolerance, int | float) else 1e-4
    figures = {
        (i, j): figure
        for i, row in enumerate(similarity)
        if isinstance(row, list)
        for j, figure in enumerate(row)
        if isinstance(figure, int | float)
    }
    for (i, j), figure in figures.items():
        twin = figures.get((j, i), figure)
        if i > j and figure != twin and abs(figure - twin) > allowed:
            other: Trail = ("reference", "similarity", j, i)
            message = f"is {figure}, but {name_of(other)} is {twin}. Both are the similarity of the same two sentences."
            yield ("reference", "similarity", i, j), message, other
