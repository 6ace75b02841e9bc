"""What people say about pairs of sentences: written in the set, or in a table next to it."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Discriminator, Field, Tag

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.csv_jsonl import read_rows
from sentence_reports.sets.mapping import Mapping, Mismatch, NotBlank
from sentence_reports.sets.named_texts import Name, Numbered, find_pair, row_of
from sentence_reports.sets.opening import refusal
from sentence_reports.sets.quoting import show
from sentence_reports.sets.rows import Row
from sentence_reports.sets.sentences import wrong_number

MIN_RATINGS, MAX_RATINGS = 2, 10_000

Score = Annotated[float, Field(allow_inf_nan=False)]
Rating = Annotated[tuple[Name, Name, Score], row_of(3, "two sentences and a score, such as [1, 2, 3.5]")]
RatedPairs = tuple[tuple[int, int, float], ...]


class RatingsFile(Mapping):
    """A table of ratings: a CSV, TSV or JSONL file with a rated pair in each row."""

    file: NotBlank = Field(description="The file, relative to the set file; it ends in .csv, .tsv or .jsonl.")
    first: NotBlank = Field(description="The column with the first sentence of each pair, as its exact text.")
    second: NotBlank = Field(description="The column with the second sentence of each pair.")
    score: NotBlank = Field(description="The column with the score, a number on any scale.")

    @classmethod
    def cross_check(cls, data: dict[str, Any]) -> Iterator[Mismatch]:
        """Yield columns that are asked for twice."""
        seen: dict[Any, str] = {}
        for key in ("first", "second", "score"):
            if isinstance(column := data.get(key), str) and (twin := seen.setdefault(column, key)) != key:
                yield Mismatch((key,), f"is {show(column)}, the same column as `{twin}`.")


def branch(ratings: object) -> str | None:
    """Return which of the two ways to give ratings this is, None if neither."""
    return "list" if isinstance(ratings, list) else "file" if isinstance(ratings, dict | Mapping) else None


Ratings = Annotated[
    Annotated[
        list[Rating], Field(json_schema_extra={"minItems": MIN_RATINGS, "maxItems": MAX_RATINGS}), Tag("list")
    ]
    | Annotated[RatingsFile, Tag("file")],
    Discriminator(
        branch,
        custom_error_type="ratings_type",
        custom_error_message="must be a list of ratings such as [1, 2, 3.5], or a mapping (file, first, second, score)",
    ),
]


def rating_mismatches(ratings: list[Any], sentences: Numbered) -> Iterator[Mismatch]:
    """Yield what is wrong with the ratings in a set, beyond their types."""
    yield from wrong_number(
        "ratings", len(ratings), "rating ratings", "a correlation needs", MIN_RATINGS, MAX_RATINGS
    )
    if len(ratings) > MAX_RATINGS:
        return
    mismatches: list[Mismatch] = []
    first: dict[frozenset[int], int] = {}
    for index, row in enumerate(ratings):
        if isinstance(row, list | tuple) and len(row) == 3:
            pair = find_pair(row[:2], (sentences, sentences), ("ratings", index), mismatches)
            if pair and (twin := first.setdefault(frozenset(pair), index)) != index:
                message = f"rates the same pair as row {twin + 1}. Keep only one."
                mismatches.append(Mismatch(("ratings", index), message, ("ratings", twin)))
    yield from mismatches


def find_ratings(ratings: Sequence[tuple[int | str, int | str, float]], texts: Sequence[str]) -> RatedPairs:
    """Return the ratings in a valid set, by position."""
    sentences = Numbered("sentence", "sentences", texts)
    pairs = [
        (find_pair((one, other), (sentences, sentences), (), []), score) for one, other, score in ratings
    ]
    return tuple((*pair, score) for pair, score in pairs if pair)


class RatingsRead(NamedTuple):
    """The rated pairs of a file, and what its author should know although it is allowed; empty for nothing."""

    pairs: RatedPairs
    warning: str


def read_ratings(source: RatingsFile, texts: Sequence[str], folder: Path) -> RatingsRead:
    """Read ratings from a file relative to `folder`. A pair that several rows rate gets the mean of their scores.

    Raises SetError with everything that is wrong with the rows, or with what keeps the file from being read.
    """
    path, sentences = folder / source.file, Numbered("sentence", "sentences", texts)
    columns = source.first, source.second, source.score
    rated: dict[frozenset[int], list[_Rated]] = {}
    problems: list[Problem] = []
    try:
        for row in read_rows(path, columns):
            if row.number > MAX_RATINGS:
                raise refusal(path, None, f"there are more than {MAX_RATINGS:,} rows, the limit for ratings.")
            mismatches: list[Mismatch] = []
            if rating := _rated(row, sentences, mismatches):
                rated.setdefault(frozenset(rating.pair), []).append(rating)
            for trail, message, _ in mismatches:
                cell = "".join(f"{show(columns[int(index)])} in " for index in trail)
                problems.append(Problem(str(path), row.line, None, f"{cell}row {row.number} {message}"))
    except SetError as error:
        problems += error.problems
    if problems:
        raise SetError(tuple(problems))
    if len(rated) < MIN_RATINGS:
        few = "only one pair is rated" if rated else "no pair is rated"
        raise refusal(path, None, f"{few}; a correlation needs at least {MIN_RATINGS}.")
    pairs = tuple(
        (*rows[0].pair, math.fsum(row.score / len(rows) for row in rows)) for rows in rated.values()
    )
    return RatingsRead(pairs, _repeated([rows for rows in rated.values() if len(rows) > 1]))


class _Rated(NamedTuple):
    row: int
    pair: tuple[int, int]
    score: float


def _rated(row: Row, sentences: Numbered, mismatches: list[Mismatch]) -> _Rated | None:
    """Return what a row says; None after adding what is wrong with it, by the position of its cell."""
    *cells, raw = row.cells
    texts = [cell if isinstance(cell, str) else None for cell in cells]
    mismatches += [Mismatch((k,), "must be a text.") for k, text in enumerate(texts) if text is None]
    pair = find_pair(texts, (sentences, sentences), (), mismatches)
    score = _number(raw)
    if score is None:
        shown = show(raw if isinstance(raw, str) else repr(raw))
        with_comma = isinstance(raw, str) and _number(raw.replace(",", ".")) is not None
        hint = " Write numbers with a decimal point and without commas." if with_comma and "," in raw else ""
        mismatches.append(Mismatch((2,), f"must be a finite number, not {shown}.{hint}"))
    return None if pair is None or score is None else _Rated(row.number, pair, score)


def _number(cell: object) -> float | None:
    """Return a score as a number; None if it is not a finite one."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    try:
        number = float(cell)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _repeated(pairs: list[list[_Rated]]) -> str:
    """Return the warning about pairs that several rows rate."""
    if not pairs:
        return ""
    count = "a pair" if len(pairs) == 1 else f"{len(pairs):,} pairs"
    rows = f"{'' if len(pairs) == 1 else 'such as '}rows {pairs[0][0].row} and {pairs[0][1].row}"
    return f"rates {count} more than once ({rows}). Each pair counts once, with the mean of its scores."
