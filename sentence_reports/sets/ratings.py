"""What people say about pairs of sentences: written in the set, or in a table next to it."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Discriminator, Field, Tag

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.mapping import Mapping, Mismatch, NotBlank
from sentence_reports.sets.naming import Numbered
from sentence_reports.sets.quoting import show
from sentence_reports.sets.sentences import Name, find_pair, row_of, wrong_number
from sentence_reports.sets.tables import Row, read_rows, refusal

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
    return (
        "list" if isinstance(ratings, list) else "file" if isinstance(ratings, dict | RatingsFile) else None
    )


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
    wrong = list(
        wrong_number("ratings", len(ratings), "rating", "a correlation needs", MIN_RATINGS, MAX_RATINGS)
    )
    yield from wrong
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
    """The rated pairs of a file, and what its author should look at although it is allowed."""

    pairs: RatedPairs
    warnings: tuple[Problem, ...]


def read_ratings(source: RatingsFile, texts: Sequence[str], folder: Path) -> RatingsRead:
    """Read ratings from a file relative to `folder`. A pair that several rows rate gets the mean of their scores.

    Raises SetError with everything that is wrong with the rows, or with what keeps the file from being read.
    """
    path, sentences = folder / source.file, Numbered("sentence", "sentences", texts)
    scores: dict[frozenset[int], list[tuple[Row, tuple[int, int], float]]] = {}
    problems: list[Problem] = []
    number = 0
    for row in read_rows(path, (source.first, source.second, source.score)):
        number = row.number
        if number > MAX_RATINGS:
            raise refusal(path, None, f"more than {MAX_RATINGS:,} ratings, the limit.")
        pair, score, wrong = _rated(row, source, sentences)
        problems += [Problem(str(path), row.line, None, message) for message in wrong]
        if pair is not None and score is not None:
            scores.setdefault(frozenset(pair), []).append((row, pair, score))
    if problems:
        raise SetError(tuple(problems))
    if len(scores) < MIN_RATINGS:
        raise refusal(path, None, f"{len(scores)} rated pairs; a correlation needs at least {MIN_RATINGS}.")
    warnings = [
        Problem(str(path), rated[1][0].line, None, _merged([row.number for row, _, _ in rated]))
        for rated in scores.values()
        if len(rated) > 1
    ]
    pairs = tuple((*rated[0][1], math.fsum(s for _, _, s in rated) / len(rated)) for rated in scores.values())
    return RatingsRead(pairs, tuple(warnings))


def _merged(rows: list[int]) -> str:
    listed = f"{', '.join(map(str, rows[:-1]))} and {rows[-1]}"
    return f"rows {listed} rate the same pair. It counts once, with the mean of its scores."


def _rated(
    row: Row, source: RatingsFile, sentences: Numbered
) -> tuple[tuple[int, int] | None, float | None, list[str]]:
    """Return the pair and the score of a row; None for what is wrong, with the messages."""
    *texts, raw = row.cells
    problems: list[str] = []
    positions: list[int] = []
    for column, text in zip((source.first, source.second), texts, strict=True):
        place = f"row {row.number}, column {show(column)}:"
        if not isinstance(text, str):
            problems.append(f"{place} must be the text of a sentence.")
        elif (position := sentences.position(text)) is None:
            problems.append(f"{place} {sentences.problem(text)}")
        else:
            positions.append(position)
    score = _number(raw)
    if score is None:
        shown = show(raw if isinstance(raw, str) else repr(raw))
        problems.append(
            f"row {row.number}, column {show(source.score)}: must be a finite number, not {shown}."
        )
    if len(positions) < 2:
        return None, score, problems
    first, second = positions
    if first == second:
        problems.append(f"row {row.number} rates sentence {first + 1} against itself.")
    return (first, second), score, problems


def _number(score: object) -> float | None:
    """Return a score as a number; None if it is not a finite one."""
    try:
        number = (
            float(score) if isinstance(score, str | int | float) and not isinstance(score, bool) else math.nan
        )
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
