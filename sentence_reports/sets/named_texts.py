"""Sentences and queries as other keys name them: by number, or by exact text."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from sentence_reports.collected import Collected
from sentence_reports.errors import SHOWN_PROBLEMS
from sentence_reports.sets.mapping import Mismatch
from sentence_reports.sets.naming import folded, nearest
from sentence_reports.sets.quoting import show
from sentence_reports.sets.yaml_nodes import Trail

MAX_COMPARED = 3000  # texts among which the one that was meant is looked for, which takes a while


class Numbered:
    """The sentences or queries of a set. An author names one by its number, from 1, or by its exact text."""

    def __init__(self, noun: str, plural: str, texts: Sequence[str]) -> None:
        self.noun, self.plural, self.texts = noun, plural, texts
        self._positions = {folded(text): position for position, text in reversed(list(enumerate(texts)))}
        self._suggestions = SHOWN_PROBLEMS  # further ones are not shown, and each takes a while to find

    def position(self, name: int | str) -> int | None:
        """Return the position, from 0, of what a number or text names; None if it names nothing."""
        if isinstance(name, str):
            return self._positions.get(folded(name))
        return name - 1 if 1 <= name <= len(self.texts) else None

    def problem(self, name: int | str) -> str:
        """Return what is wrong with a name that names nothing, and what was probably meant."""
        if not isinstance(name, str):
            return f"is {name}, but the set has {self.plural} 1 to {len(self.texts)}."
        message = f"is {show(name)}, which is not a {self.noun} of the set"
        self._suggestions -= 1
        suggests = self._suggestions >= 0 and len(self.texts) <= MAX_COMPARED
        meant = nearest(folded(name), self.texts) if suggests else None
        if meant is None:
            return f"{message}. Write the exact text."
        return f"{message}; did you mean {self.noun} {self.number(self.texts.index(meant)):,}, {show(meant)}?"

    def number(self, position: int) -> int:
        """Return the number of what is at this position."""
        return position + 1


class NumberedRows(Numbered):
    """The texts of a file. An author names one by the number of any of its rows, or by its exact text."""

    def __init__(self, collected: Collected) -> None:
        super().__init__("text", "texts", collected.texts)
        self._collected = collected
        self._position_of = {row: position for position, row in enumerate(collected.rows)} | dict(
            collected.copies
        )

    def position(self, name: int | str) -> int | None:
        """Return the position, from 0, of what a row's number or a text names; None if it names nothing."""
        return super().position(name) if isinstance(name, str) else self._position_of.get(name)

    def problem(self, name: int | str) -> str:
        """Return what is wrong with a name that names nothing."""
        if isinstance(name, str):
            return super().problem(name)
        if not 1 <= name <= self._collected.total:
            return f"is {name}, but the file has rows 1 to {self._collected.total:,}."
        reason = "its text is too long" if name in self._collected.too_long else "it has no text"
        return f"is {name}, a row that is left out because {reason}."

    def number(self, position: int) -> int:
        """Return the row of the text at this position."""
        return self._collected.rows[position]


def is_name(name: object) -> bool:
    """Return whether this can name a sentence: by its number, or by its text."""
    return isinstance(name, int | str) and not isinstance(name, bool)


def _check_name(name: object) -> object:
    if not is_name(name):
        raise PydanticCustomError("name_type", "must be a number or a text")
    return name


def row_of(size: int, what: str) -> BeforeValidator:
    """Return the check that a value is a list of `size`, which `what` describes."""

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
    for index, (name, numbered) in enumerate(zip(names, texts, strict=True)):
        if is_name(name) and numbered.texts:
            if (position := numbered.position(name)) is not None:
                positions.append(position)
            else:
                mismatches.append(Mismatch((*trail, index), numbered.problem(name)))
    if len(positions) < 2:
        return None
    first, second = positions
    if texts[0] is texts[1] and first == second:
        one = f"{texts[0].noun} {texts[0].number(first)}"
        message = f"compares {one} with itself. Name two different {texts[0].plural}."
        mismatches.append(Mismatch(trail, message))
        return None
    return first, second
