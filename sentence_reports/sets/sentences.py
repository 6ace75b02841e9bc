"""The texts of a set: its sentences, in groups or not, and its queries"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from sentence_reports.sets.mapping import Mismatch, NotBlank
from sentence_reports.sets.naming import folded, name_of
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
            "sentences", len(items), "sentence sentences", "a set needs", MIN_SENTENCES, MAX_SENTENCES
        )
    yield from repeated(items, " A file of texts may repeat them; name it with `texts`.")


def wrong_number(key: str, n: int, nouns: str, needs: str, least: int, most: int) -> Iterator[Mismatch]:
    """Yield that a key has too few or too many items; `nouns` is what one is called and what several are."""
    if not least <= n <= most:
        one, several = nouns.split()
        yield Mismatch((key,), f"has {n:,} {one if n == 1 else several}; {needs} {least} to {most:,}.")


def repeated(items: Sequence[tuple[Trail, Any]], otherwise: str = "") -> Iterator[Mismatch]:
    """Yield texts that are equal to an earlier one after Unicode's NFC and with white space folded.

    `otherwise` is a sentence about what else an author can do.
    """
    first: dict[str, tuple[Trail, str]] = {}
    for trail, text in items:
        if not isinstance(text, str) or not folded(text):
            continue
        twin, twin_text = first.setdefault(folded(text), (trail, text))
        if twin != trail:
            apart = "" if text == twin_text else ", except for spaces or how accents are stored"
            message = f"is the same as {name_of(twin)}{apart}: {show(text)}. Change or remove one.{otherwise}"
            yield Mismatch(trail, message, twin)
