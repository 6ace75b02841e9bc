"""A YAML file -> a validated, frozen set of sentences, or all that is wrong with it.

What the YAML says is `yaml_nodes`' part; what a set is, `SentenceSet`'s. What is left here is to say what
pydantic found wrong as its author would: with the place, what stands there, and the line to write instead.
"""

import difflib
import math
import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.yaml_nodes import SHOWN_LENGTH, Document, Node, Trail, quote, read_document, show

MAX_BYTES = 5_000_000
MIN_SENTENCES, MAX_SENTENCES = 2, 3000

# Written down, because asking matplotlib would cost every command a quarter of a second; a test compares.
_COLOUR_MAPS = """
    Accent Blues BrBG BuGn BuPu CMRmap Dark2 GnBu Grays Greens Greys OrRd Oranges PRGn Paired Pastel1 Pastel2
    PiYG PuBu PuBuGn PuOr PuRd Purples RdBu RdGy RdPu RdYlBu RdYlGn Reds Set1 Set2 Set3 Spectral Wistia YlGn
    YlGnBu YlOrBr YlOrRd afmhot autumn berlin binary bone brg bwr cividis cool coolwarm copper cubehelix flag
    gist_earth gist_gray gist_grey gist_heat gist_ncar gist_rainbow gist_stern gist_yarg gist_yerg gnuplot
    gnuplot2 gray grey hot hsv inferno jet magma managua nipy_spectral ocean okabe_ito pink plasma prism
    rainbow seismic spring summer tab10 tab20 tab20b tab20c terrain turbo twilight twilight_shifted vanimo
    viridis winter
""".split()  # noqa: SIM905
COLOUR_MAPS = tuple(name + ending for ending in ("", "_r") for name in _COLOUR_MAPS)
"""The names of matplotlib's colour maps; `_r` is the same map the other way round."""

NotBlank = Annotated[str, Field(pattern=r"\S")]
Similarity = Annotated[float, Field(ge=-1.01, le=1.01, allow_inf_nan=False)]


def _shape(sentences: object) -> str | None:
    return "list" if isinstance(sentences, list) else "groups" if isinstance(sentences, dict) else None


SentenceList = Annotated[
    list[NotBlank], Field(json_schema_extra={"minItems": MIN_SENTENCES, "maxItems": MAX_SENTENCES})
]
SentenceGroups = Annotated[
    dict[NotBlank, Annotated[list[NotBlank], Field(min_length=1)]],
    Field(json_schema_extra={"minProperties": 1, "additionalProperties": False}),
]
# Told apart beforehand: a plain union would report what is wrong with a sentence for both of its branches.
Sentences = Annotated[
    Annotated[SentenceList, Tag("list")] | Annotated[SentenceGroups, Tag("groups")],
    Discriminator(
        _shape, custom_error_type="sentences_type", custom_error_message="needs a list or a mapping"
    ),
]


class Reference(BaseModel):
    """Published figures that the report checks its own against."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

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
        description="One row per sentence with one figure per sentence; null where the source prints none."
    )


class SentenceSet(BaseModel):
    """The sentences of one report, and how to make it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, title="Sentence set")

    title: NotBlank | None = Field(
        None, description="The page's title and heading. Without it, the file name made readable."
    )
    description: str = Field("", description="One paragraph under the title; plain text.")
    sentences: Sentences = Field(
        description="The sentences to compare, 2 to 3000: a list of texts, or a mapping of group names to "
        "lists of texts. Groups order and colour the heatmap."
    )
    model: NotBlank = Field(
        "BAAI/bge-base-en",
        description="The embedding model: its id on the Hugging Face hub, or a local folder.",
    )
    revision: NotBlank | None = Field(
        None,
        description="The model's commit on the hub. Without it, the pinned one where the model is known.",
    )
    fallback_model: NotBlank | None = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="Used, with a notice, when the hub cannot be reached and the model is not on this "
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
        title="Colour map",
        description="The heatmap's colours: a matplotlib colour map.",
        json_schema_extra={"enum": list(COLOUR_MAPS)},
    )
    reference: Reference | None = Field(
        None, description="Published figures to check the report's own against."
    )

    @field_validator("cmap")
    @classmethod
    def _is_a_colour_map(cls, name: str) -> str:
        if name not in COLOUR_MAPS:
            message = (
                f"holds {show(name)}, which is no matplotlib colour map{_did_you_mean(name, COLOUR_MAPS)}"
            )
            raise PydanticCustomError("colour_map", "{message}", {"message": message})
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> "SentenceSet":
        findings = _cross_check(self.sentences, self.reference and self.reference.similarity)
        if messages := "; ".join(f"{_name(found.trail)} {found.message}" for found in findings):
            raise PydanticCustomError(_CROSS_CHECK, "{messages}", {"messages": messages})
        return self

    @property
    def texts(self) -> tuple[str, ...]:
        """All sentences in the file's order, group by group."""
        return tuple(text for _, text in _items(self.sentences))

    @property
    def groups(self) -> tuple[str, ...] | None:
        """The group's name for each of `texts`; None where the set has no groups."""
        if isinstance(self.sentences, list):
            return None
        return tuple(name for name, texts in self.sentences.items() for _ in texts)

    def parameters(self) -> dict[str, Any]:
        """Give what papermill injects: the keys that the author wrote, and only these, as plain data."""
        return self.model_dump(mode="json", exclude_unset=True)


@dataclass(frozen=True)
class SetFile:
    """A set with the file it came from, and what its author should look at though it is legal."""

    path: Path
    set: SentenceSet
    warnings: tuple[Problem, ...]

    @property
    def stem(self) -> str:
        """The file's name without its ending: the name of the report."""
        return self.path.stem


def read_set(path: Path) -> SetFile:
    """Read and check the set in a YAML file. Raises SetError with all that is wrong with it."""
    document = read_document(_content(path), example="sentences")
    sentence_set, findings = _validated(document)
    problems = [Problem(str(path), *fault) for fault in document.faults]
    problems += [_problem(path, document, found) for found in findings]
    if problems or sentence_set is None:
        raise SetError(tuple(sorted(problems, key=lambda it: (it.line or math.inf, it.column or 0))))
    warnings = tuple(_problem(path, document, found) for found in _doubtful_texts(document))
    return SetFile(path, sentence_set, warnings)


def schema() -> dict[str, Any]:
    """Give the JSON schema of a set file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **SentenceSet.model_json_schema()}


class _Finding(NamedTuple):
    """Something to say about the value at `trail`; `twin` is another sentence it speaks of."""

    trail: Trail
    message: str
    twin: Trail | None = None


def _content(path: Path) -> bytes:
    """Read a regular file of a reasonable size; anything else, a pipe for one, is not even opened."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "folder" if stat.S_ISDIR(mode) else "device or pipe"
            raise SetError((Problem(str(path), None, None, f"this is a {kind}. A set is a YAML file."),))
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise SetError((Problem(str(path), None, None, _unreadable(path, error)),)) from error
    if len(content) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES // 1_000_000} MB, the most a set may have. Split it."
        raise SetError((Problem(str(path), None, None, message),))
    return content


def _unreadable(path: Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if path.is_symlink():
            return f"this is a link to {show(str(path.readlink()))}, which does not exist."
        return "there is no such file."
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"the file cannot be read ({reason})."


def _validated(document: Document) -> tuple[SentenceSet | None, list[_Finding]]:
    """Give the set, or None and what is wrong with the document's data."""
    if document.data is None:
        return None, []
    if not document.data and not document.faults:
        return None, [
            _Finding((), "the file is empty. It needs at least `sentences:` with a list of texts below.")
        ]
    findings = [*_bare_group_names(document), *_cross_check_data(document.data)]
    try:
        return SentenceSet.model_validate(document.data), findings
    except ValidationError as error:
        details = [detail for detail in error.errors() if detail["type"] != _CROSS_CHECK]
        return None, findings + [_finding(document, detail) for detail in details]


def _problem(path: Path, document: Document, found: _Finding) -> Problem:
    node = _nearest(document, found.trail)
    line, column = (node.line, node.column) if node else (None, None)
    message = found.message if not found.trail else f"{_name(found.trail)} {found.message}"
    if found.twin:
        message += f" The other is on line {document.nodes[found.twin].line}."
    return Problem(str(path), line, column, message)


def _nearest(document: Document, trail: Trail) -> Node | None:
    """Give the key or item at the trail, or where nothing stands there, the nearest above it but the top."""
    while trail:
        if node := document.keys.get(trail) or document.nodes.get(trail):
            return node
        trail = trail[:-1]
    return None


def _name(trail: Trail) -> str:
    """Call a value as its author would: sentence 2 of group "Food"."""
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


# What holds between values. On plain data, right or wrong, so that a file's problems come out all at once.

_CROSS_CHECK = "cross_check"


def _cross_check(sentences: object, similarity: object) -> Iterator[_Finding]:
    items = list(_items(sentences))
    yield from _miscounted(sentences, len(items))
    yield from _repeated(items)
    yield from _not_square(similarity, len(items))


def _cross_check_data(data: dict[str, Any]) -> Iterator[_Finding]:
    reference = data.get("reference")
    return _cross_check(
        data.get("sentences"), reference.get("similarity") if isinstance(reference, dict) else None
    )


def _items(sentences: object) -> Iterator[tuple[Trail, Any]]:
    """Give each sentence with its trail, in the file's order."""
    lists: dict[Trail, Any] = {("sentences",): sentences}
    if isinstance(sentences, dict):
        lists = {("sentences", name): texts for name, texts in sentences.items()}
    for trail, texts in lists.items():
        if isinstance(texts, list):
            yield from (((*trail, item), text) for item, text in enumerate(texts))


def _miscounted(sentences: object, count: int) -> Iterator[_Finding]:
    if isinstance(sentences, list | dict) and not MIN_SENTENCES <= count <= MAX_SENTENCES:
        message = f"holds {count}, and a set needs {MIN_SENTENCES} to {MAX_SENTENCES} sentences."
        yield _Finding(("sentences",), message)


def _repeated(items: list[tuple[Trail, Any]]) -> Iterator[_Finding]:
    first: dict[str, tuple[Trail, str]] = {}
    for trail, text in items:
        folded = _folded(text) if isinstance(text, str) else ""
        if not folded:
            continue
        twin, twin_text = first.setdefault(folded, (trail, text))
        if twin != trail:
            apart = "" if text == twin_text else " but for spaces or the way accents are stored"
            message = f"is the same as {_name(twin)}{apart}, {show(text)}. Change or remove one."
            yield _Finding(trail, message, twin)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _not_square(similarity: object, n: int) -> Iterator[_Finding]:
    if not isinstance(similarity, list):
        return
    trail = ("reference", "similarity")
    if len(similarity) != n:
        yield _Finding(trail, f"has {len(similarity)} rows, and the set has {n} sentences.")
    for number, row in enumerate(similarity):
        if isinstance(row, list) and len(row) != n:
            yield _Finding((*trail, number), f"has {len(row)} figures, and the set has {n} sentences.")
    if all(isinstance(row, list) and all(figure is None for figure in row) for row in similarity):
        yield _Finding(trail, "states no figure. Give at least one, or remove the reference.")


def _bare_group_names(document: Document) -> Iterator[_Finding]:
    for trail, key in document.keys.items():
        if trail[:-1] == ("sentences",) and key.kind != "str" and key.words:
            yield _Finding(trail, f"{_misread(key)} Put the name in quotes: {quote(key.words)}:")


# What pydantic found, in the author's words.

_NEEDS = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "model_type": "a mapping",
}


def _finding(document: Document, detail: ErrorDetails) -> _Finding:
    """Say one of pydantic's errors with what the author wrote."""
    # pydantic puts the union's branch behind "sentences", and "[key]" behind a key that is wrong.
    loc = detail["loc"]
    trail = loc[:1] + loc[2:] if loc[0] == "sentences" else loc
    if trail[-1] == "[key]":
        return _Finding(trail[:-1], "has a blank name. Write one before the colon.")
    if detail["type"] == "extra_forbidden":
        return _Finding(trail, _unknown_key(trail, document.keys[trail]))
    if detail["type"] == "missing":
        return _Finding(trail, "is missing.")
    return _Finding(trail, _judgement(detail, document.nodes[trail]))


def _judgement(detail: ErrorDetails, node: Node) -> str:
    kind, said = detail["type"], detail["msg"]
    if kind == "string_type":
        return _not_text(node)
    if kind == "string_pattern_mismatch":
        return "is blank. Write something there, or remove it."
    if kind == "too_short":
        return "is empty. Write a sentence below it, or remove it."
    if kind == "sentences_type":
        return f"needs a list of texts, and this is {node.found}. Write one text a line, each behind a dash."
    if kind in _NEEDS:
        return f"needs {_NEEDS[kind]}, and this is {node.found}.{_number_hint(kind, node)}"
    if kind == "colour_map":
        return said
    return f"is {node.found}. {said.replace('Input', 'It')}."


def _not_text(node: Node) -> str:
    if not node.words:
        return "is empty. Write a text there, or remove it."
    return f"{_misread(node)} {node.advice}"


def _misread(node: Node) -> str:
    """Say what YAML made of a text that has no quotes."""
    if node.kind == "map" and not node.words.startswith(("{", "?")):
        return "looks like `key: value`, which is a mapping in YAML."
    if node.kind in ("map", "seq"):
        return f'is {node.found}, because of the "{node.words[0]}" it begins with.'
    if not node.source:
        return "is empty, because # begins a comment."
    return f"is {node.found} (YAML reads a bare {show(node.source)} so)."


def _number_hint(kind: str, node: Node) -> str:
    if kind not in ("int_type", "float_type") or node.kind != "str":
        return ""
    if node.plain and re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", node.source):
        return " With an exponent YAML wants a point and a sign, as in 1.0e-4."
    return " Write it without quotes." if node.source[:1] in ('"', "'") else ""


def _unknown_key(trail: Trail, key: Node) -> str:
    if key.kind == "merge":
        return "is a merge key, and a set has none. Write the keys out."
    known = tuple((SentenceSet if len(trail) == 1 else Reference).model_fields)
    return f"is an unknown key{_did_you_mean(str(trail[-1]), known)}"


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """End a sentence with the nearest of the known words, if any is near."""
    spelled = {name.lower(): name for name in known}
    nearest = difflib.get_close_matches(word[:SHOWN_LENGTH].lower(), spelled, n=1)
    if nearest:
        return f"; did you mean `{spelled[nearest[0]]}`?"
    return f". Known keys are {', '.join(known)}." if len(known) < 20 else "."


# What is legal, and still looks like a mistake.


def _doubtful_texts(document: Document) -> Iterator[_Finding]:
    for trail, node in document.nodes.items():
        if node.kind != "str" or not node.plain or trail[0] not in ("title", "description", "sentences"):
            continue
        if node.lost:
            lost = show(node.lost.strip())
            message = (
                f"ends before {lost}, which YAML takes for a comment. Is it part of the text? {node.advice}"
            )
            yield _Finding(trail, message)
        if any(line.lstrip().startswith("- ") for line in node.source.splitlines()[1:]):
            message = (
                'holds a line that begins with "- ". Is that a text of its own? Indent it like this one.'
            )
            yield _Finding(trail, message)
