"""A set's texts in a file: CSV, TSV, JSONL, Parquet or plain text, read as a stream."""

import csv
import json
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from sentence_reports.collected import Collected
from sentence_reports.sets.csv_jsonl import csv_rows, json_rows, records
from sentence_reports.sets.mapping import Mapping, Mismatch, NotBlank
from sentence_reports.sets.naming import folded
from sentence_reports.sets.opening import refusal
from sentence_reports.sets.parquet import parquet_rows
from sentence_reports.sets.quoting import show
from sentence_reports.sets.rows import TEXT_COLUMNS, Row, check_columns, separator, text_column
from sentence_reports.sets.text_stream import MAX_LINE, NOT_TEXT, TextStream, streamed
from sentence_reports.texts import count

MIN_TEXTS, MAX_ROWS = 2, 1_000_000
MAX_LENGTH = 20_000  # characters of a text; about ten pages, of which a model reads the first
SHOWN_ROWS = 5
KINDS = {
    **dict.fromkeys((".csv",), "csv"), **dict.fromkeys((".tsv", ".tab"), "tsv"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"), **dict.fromkeys((".txt",), "text"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}  # fmt: skip
"""The kind of a file by how its name ends, in front of an optional ``.gz``."""


class TextsFile(Mapping):
    """A file of texts: a table with a text in each row, or plain text with one per line."""

    file: NotBlank = Field(
        description="The file, relative to the set file; it ends in .csv, .tsv, .jsonl, .txt or .parquet, or in one of "
        "the first four and .gz."
    )
    column: NotBlank | None = Field(
        None,
        description="The column with the texts. Without it, the only column, or the one that is called text, sentence, "
        "content or similar.",
    )
    group: NotBlank | None = Field(
        None, description="The column with each text's group, such as a category or a language."
    )
    limit: Annotated[int, Field(ge=2, le=MAX_ROWS)] | None = Field(
        None, description="Only the first so many rows are read."
    )

    @classmethod
    def cross_check(cls, data: dict[str, Any]) -> Iterator[Mismatch]:
        """Yield columns that do not go together, or not with the file."""
        file, column, group = map(data.get, ("file", "column", "group"))
        if isinstance(column, str) and column == group:
            yield Mismatch(("group",), f"is {show(column)}, the same column as `column`.")
        if not isinstance(file, str) or not file.strip():
            return
        suffixes = _suffixes(file)
        if suffixes == (".parquet", ".gz"):
            yield Mismatch(("file",), "is compressed Parquet. Decompress it; Parquet is compressed already.")
        elif (kind := KINDS.get(suffixes[0])) is None:
            yield Mismatch(
                ("file",), f"is {show(file)}, but its name must end in {', '.join(KINDS)}, or that and .gz."
            )
        elif kind == "text":
            for key in ("column", "group"):
                if data.get(key) is not None:
                    yield Mismatch(
                        (key,), "does not go with plain text, which has no columns: a line is a text."
                    )


class Survey(NamedTuple):
    """What is in a file of texts, counted without comparing them; for the meaning of the numbers see `Collected`."""

    total: int
    empty: int
    too_long: tuple[int, ...]
    sha256: str
    warning: str


def survey_texts(source: TextsFile, folder: Path) -> Survey:
    """Read a file of texts relative to `folder` and count its rows, without keeping any text.

    `warning` says what the author should know although it is allowed; it is empty for nothing. Raises SetError as
    `read_texts` does.
    """
    reading = _Reading(source, folder)
    distinct: set[str] = set()
    for _, text, _ in reading:
        if len(distinct) < MIN_TEXTS:
            distinct.add(folded(text))
    reading.check_number(len(distinct))
    return Survey(reading.total, reading.empty, tuple(reading.too_long), reading.sha256, reading.warning)


NOT_OF_A_FILE = {
    "models": "because a comparison of models is about pairs of sentences",
    "ratings": "because people rate pairs of sentences",
    "reference": "because published figures are about pairs of sentences",
    "order": "because the texts of a file have no heatmap",
}
"""The keys that do not go with `texts`, and why."""


def _check_mapping(data: Any) -> Any:
    if not isinstance(data, dict | Mapping):
        raise PydanticCustomError("texts_type", "must be a mapping such as {file: texts.csv, column: text}")
    return data


MUST_BE_A_MAPPING = BeforeValidator(_check_mapping)


def texts_mismatches(data: dict[str, Any]) -> Iterator[Mismatch]:
    """Yield that a set has neither sentences nor a file of texts, or both, and what does not go with a file."""
    if "texts" not in data:
        if "sentences" not in data:
            yield Mismatch(
                ("sentences",), "is missing. Write the sentences below it, or name a file with `texts`."
            )
        elif data["sentences"] is None:
            yield Mismatch(
                ("sentences",), "must be a list of texts, not nothing. Write one per line, each after a dash."
            )
        return
    if data["texts"] is None:
        yield Mismatch(("texts",), "is empty. Write `file:` below it, with the name of a file of texts.")
    if "sentences" in data:
        yield Mismatch(("texts",), "does not go with `sentences`. Remove one of the two.", ("sentences",))
    for key, reason in NOT_OF_A_FILE.items():
        if data.get(key) is not None:
            yield Mismatch((key,), f"does not go with `texts`, {reason}. Put it into a set with `sentences`.")


def read_texts(source: TextsFile, folder: Path) -> Collected:
    """Read the texts of a file relative to `folder`.

    Rows without a text and rows whose text is longer than `MAX_LENGTH` characters are counted and left out, and a text
    that was there before, after NFC and with white space folded, is counted as a copy. Memory grows with the texts
    that are kept, not with the file. Raises SetError with the file, the line and the remedy if the file cannot be
    read to its end, is not text in UTF-8 or UTF-16, changes meanwhile, lacks a column, has more than `MAX_ROWS` rows
    (without a limit), or has fewer than two distinct texts.
    """
    reading = _Reading(source, folder)
    texts: list[str] = []
    rows: list[int] = []
    groups: list[str] = []
    copies: list[tuple[int, int]] = []
    positions: dict[str, int] = {}
    names: dict[str, str] = {}  # so that a group's name is in memory once
    for number, text, group in reading:
        key = folded(text)
        position = positions.setdefault(text if text == key else key, len(texts))
        if position < len(texts):
            copies.append((number, position))
            continue
        texts.append(text)
        rows.append(number)
        groups.append(names.setdefault(group, group))
    reading.check_number(len(texts))
    return Collected(
        texts=tuple(texts),
        rows=tuple(rows),
        groups=None if source.group is None else tuple(groups),
        copies=tuple(copies),
        empty=reading.empty,
        too_long=tuple(reading.too_long),
        total=reading.total,
        sha256=reading.sha256,
    )


class _Reading:
    """One pass over a file. It yields row, text and group of each text that can be kept, and counts the others."""

    def __init__(self, source: TextsFile, folder: Path) -> None:
        self.source, self.path = source, folder / source.file
        self.total = self.empty = 0
        self.too_long: list[int] = []
        self.sha256 = self._doubt = ""

    def __iter__(self) -> Iterator[tuple[int, str, str]]:
        with streamed(self.path) as stream:
            for number, line, cells in islice(self._rows(stream), self.source.limit):
                if number > MAX_ROWS:
                    message = f"there are more than {MAX_ROWS:,} rows. Read only the first ones with `limit`."
                    raise refusal(self.path, None, message)
                self.total = number
                text = _text(self.path, number, line, cells[0])
                if len(text) > MAX_LENGTH:
                    self.too_long.append(number)
                elif not text or text.isspace():
                    self.empty += 1
                else:
                    yield number, text, "" if len(cells) < 2 else _group(self.path, number, line, cells[1])
            self.sha256 = stream.sha256()

    def check_number(self, distinct: int) -> None:
        """Raise SetError if there are too few distinct texts."""
        if distinct < MIN_TEXTS:
            counts = f"{distinct} in {count(self.total, 'row')}{self._left_out}"
            raise refusal(
                self.path, None, f"a set needs at least {MIN_TEXTS} different texts; found {counts}."
            )

    @property
    def warning(self) -> str:
        """What the author should know about a file that can be used."""
        left_out = f"has rows that are left out{self._left_out}." if self._left_out else ""
        return " ".join(filter(None, (self._doubt, left_out)))

    @property
    def _left_out(self) -> str:
        parts = [f"{self.empty:,} without text"] if self.empty else []
        if self.too_long:
            shown = ", ".join(f"{row:,}" for row in self.too_long[:SHOWN_ROWS])
            more = "" if len(self.too_long) <= SHOWN_ROWS else ", …"
            rows = "row" if len(self.too_long) == 1 else "rows"
            parts.append(
                f"{len(self.too_long):,} longer than {MAX_LENGTH:,} characters ({rows} {shown}{more})"
            )
        return f": {' and '.join(parts)}" if parts else ""

    def _rows(self, stream: TextStream) -> Iterator[Row]:
        kind = KINDS[_suffixes(self.source.file)[0]]
        if kind == "parquet":
            return parquet_rows(self.path, self._columns)
        if kind == "text":
            numbered = enumerate(stream.lines(newline=None), start=1)
            return (Row(number, number, (line.removesuffix("\n"),)) for number, line in numbered)
        lines = stream.lines()
        if kind == "jsonl":
            return json_rows(self.path, lines, self._columns, gaps=True)
        csv.field_size_limit(MAX_LINE)
        begin = []  # up to the header
        for line in lines:
            begin.append(line)
            if line.strip():
                break
        named = [name for name in (self.source.column, self.source.group) if name is not None]
        mark = "\t" if kind == "tsv" or not begin else separator(self.path, begin[-1], named)
        return csv_rows(self.path, records(self.path, chain(begin, lines), mark), self._columns)

    def _columns(self, header: list[str]) -> list[str]:
        """Return the columns of the texts and, if the set names one, of the groups."""
        column, group = text_column(self.path, header, self.source.column), self.source.group
        if column == group:
            raise refusal(
                self.path, None, f"the texts are in {show(column)}, which is also `group`. Name `column`."
            )
        if group is not None:
            check_columns(self.path, [group], header)
        if self.source.column is None and column.lower() not in TEXT_COLUMNS:
            self._doubt = (
                f"has {show(column)} as its only column; if that is a text and not a name, put a line with"
            )
            self._doubt += " the column's name above it."
        return [column] if group is None else [column, group]


def _suffixes(file: str) -> tuple[str, str]:
    """Return how a file's name ends: what its content is, and ".gz" if it is compressed, else ""."""
    path = Path(file.lower())
    return (Path(path.stem).suffix, ".gz") if path.suffix == ".gz" else (path.suffix, "")


def _text(path: Path, number: int, line: int, cell: Any) -> str:
    """Return the text of a row; "" if it has none. Raises SetError if it is something else, or not valid Unicode."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise refusal(path, line, f"row {number:,} holds {show(str(cell))}, which is not a text.")
    if (not cell.isascii() or "\0" in cell) and (stray := NOT_TEXT.search(cell)):
        reason = "NUL" if stray[0] == "\0" else "half of a surrogate pair"
        raise refusal(path, line, f"row {number:,} contains {reason}, which a text cannot. Remove it.")
    return cell


def _group(path: Path, number: int, line: int, cell: Any) -> str:
    """Return the group of a row, which may be a number."""
    if isinstance(cell, int | float):
        cell = json.dumps(cell)
    return folded(_text(path, number, line, cell))
