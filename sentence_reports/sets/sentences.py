"""The texts of a set: its sentences, in groups or not, and its queries; and how other keys name them."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from sentence_reports.sets.mapping import Mismatch, NotBlank
from sentence_reports.sets.naming import Numbered, folded, name_of
from sentence_reports.sets.quoting import show
from sentence_reports.sets.yaml_nodes import Trail

MIN_SENTENCES, MAX_SENTENCES = 2, 3000

SentenceList = Annotated[
    list[NotBlank], Field(json_schema_extra={"minItems": MIN_SENTENCES, "maxItems": MAX_SENTENCES})
]
SentenceGroups = Annotated[
    dict[NotBlank, Annotated[list[NotBlank], Field(min_length=1)]],
    Field(json_schema_extra={"minProperties": 1, "additionalProperties": False}),
]


def branch(sentences: object) -> str | None:
    """Return which of the two ways to write sentences this is, None if neither."""
    return "list" if isinstance(sentences, list) else "groups" if isinstance(sentences, dict) else None


# Told apart beforehand: a plain union would report what is wrong with a sentence for both of its branches.
Sentences = Annotated[
    Annotated[SentenceList, Tag("list")] | Annotated[SentenceGroups, Tag("groups")],
    Discriminator(
        branch,
        custom_error_type="sentences_type",
        custom_error_message="must be a list of texts. Write one per line, each after a dash.",
    ),
]


def texts_of(key: str, texts: object) -> list[tuple[Trail, Any]]:
    """Return each sentence or query of a key with its path, in the file's order."""
    lists: dict[Trail, Any] = {(key,): texts}
    if isinstance(texts, dict):
        lists = {(key, name): group for name, group in texts.items()}
    return [
        ((*trail, item), text)
        for trail, group in lists.items()
        if isinstance(group, list)
        for item, text in enumerate(group)
    ]


def sentence_mismatches(sentences: object) -> Iterator[Mismatch]:
    """Yield what is wrong with the number of sentences, and sentences that are equal."""
    items = texts_of("sentences", sentences)
    if branch(sentences):
        yield from wrong_number(
            "sentences", len(items), "sentence", "a set needs", MIN_SENTENCES, MAX_SENTENCES
        )
    yield from repeated(items)


def wrong_number(key: str, n: int, noun: str, needs: str, least: int, most: int) -> Iterator[Mismatch]:
    """Yield that a key has too few or too many items."""
    if not least <= n <= most:
        yield Mismatch((key,), f"has {n:,} {noun}{'s' * (n != 1)}; {needs} {least} to {most:,}.")


def repeated(items: Sequence[tuple[Trail, Any]]) -> Iterator[Mismatch]:
    """Yield texts that are equal to an earlier one after Unicode's NFC and with white space folded."""
    first: dict[str, tuple[Trail, str]] = {}
    for trail, text in items:
        if not isinstance(text, str) or not folded(text):
            continue
        twin, twin_text = first.setdefault(folded(text), (trail, text))
        if twin != trail:
            apart = "" if text == twin_text else ", except for spaces or how accents are stored"
            message = f"is the same as {name_of(twin)}{apart}: {show(text)}. Change or remove one."
            yield Mismatch(trail, message, twin)


# --- pairs, by number or by text --------------------------------------------------------------------------------


def is_name(name: object) -> bool:
    """Return whether this can name a sentence: by its number, or by its text."""
    return isinstance(name, int | str) and not isinstance(name, bool)


def _check_name(name: object) -> object:
    if not is_name(name):
        raise PydanticCustomError("name_type", "must be a number or a text")
    return name


def row_of(size: int, what: str) -> BeforeValidator:
    """Return the check that a value is a list of `size`, described in words."""

    def check(row: object) -> object:
        if not isinstance(row, list | tuple) or len(row) != size:
            raise PydanticCustomError("row_type", "must be a list of {what}", {"what": what})
        return tuple(row)

    return BeforeValidator(check)


Name = Annotated[Annotated[int, Field(json_schema_extra={"minimum": 1})] | str, BeforeValidator(_check_name)]


def find_pair(
    names: Any, texts: tuple[Numbered, Numbered], trail: Trail, mismatches: list[Mismatch]
) -> tuple[int, int] | None:
    """Return the positions of a pair; None if it is not one, after adding what is wrong with its names."""
    if not isinstance(names, list | tuple) or len(names) != 2:
        return None
    positions = []
    for place, (name, numbered) in enumerate(zip(names, texts, strict=True)):
        if is_name(name) and numbered.texts:
            if (position := numbered.position(name)) is not None:
                positions.append(position)
            else:
                mismatches.append(Mismatch((*trail, place), numbered.problem(name)))
    if len(positions) < 2:
        return None
    first, second = positions
    if texts[0] is texts[1] and first == second:
        message = f"compares sentence {first + 1} with itself. Name two different sentences."
        mismatches.append(Mismatch(trail, message))
        return None
    return first, second
