"""Rows of CSV, TSV and JSONL files, read one by one; every error names the file, the line and the row."""

import csv
import io
import json
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from sentence_reports.errors import Problem, SetError, instead_of
from sentence_reports.sets.naming import nearest
from sentence_reports.sets.quoting import show

SEPARATORS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (*SEPARATORS, ".jsonl")
MAX_LINE = 1_000_000  # characters
MAX_LINES = 1_000_000  # blank ones included, which no limit on rows counts
SHOWN_COLUMNS = 20
_ADDRESS = re.compile(r"(.*/)?(https?|ftp|s3):/")
_NOT_TEXT = re.compile(r"[\0\udc80-\udcff]")


Choose = Callable[[list[str]], Sequence[str]]
"""Returns the columns to read, from the names of all columns. Raises SetError if they are not there."""


class Row(NamedTuple):
    """A row of a table: its number, from 1 without the header, the line that it begins on, and the cells asked for.

    The cells are in the order asked for: texts, or what JSON made of them.
    """

    number: int
    line: int
    cells: tuple[Any, ...]


@contextmanager
def opened(path: Path, expected: str) -> Iterator[IO[bytes]]:
    """Open a regular file; anything else, such as a pipe, is not even opened.

    `expected` says what the file should be, if it is a folder or device. Raises SetError if it cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                yield file
            return
        message = f"this is a {'folder' if stat.S_ISDIR(mode) else 'device or pipe'}; {expected}."
    except (FileNotFoundError, NotADirectoryError):
        message = f"no such file. {instead_of(path.name, path.parent, 'its folder')}"
        if _ADDRESS.match(path.as_posix()):
            message = "this is an address, but only files on this machine can be read. Download it first."
        elif path.is_symlink():
            message = f"this is a link to {show(str(path.readlink()))}, which does not exist."
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        message = f"the file cannot be read ({getattr(error, 'strerror', None) or error})."
    raise refusal(path, None, message)


def refusal(path: Path, line: int | None, message: str) -> SetError:
    """Return the error of a file that cannot be read on from this line, or at all."""
    return SetError((Problem(str(path), line, None, message),))


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield each row of a table, with the cells of these columns. Blank lines do not count.

    Raises SetError if the file cannot be read, lacks a column, or has a row that does not fit the others.
    """
    with opened(path, "a table is a file") as binary:
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            listed = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
            raise refusal(path, None, f"the name of a table must end in {listed}.")
        file = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
        lines = _lines(path, file)

        def asked_for(header: list[str]) -> Sequence[str]:
            check_columns(path, columns, header)
            return columns

        if suffix == ".jsonl":
            yield from json_rows(path, lines, asked_for)
        else:
            yield from csv_rows(path, records(path, lines, SEPARATORS[suffix]), asked_for)


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), ""), start=1):
        if len(line) > MAX_LINE:
            raise refusal(path, number, f"the line has more than {MAX_LINE:,} characters.")
        if stray := _NOT_TEXT.search(line):
            byte = f"the byte 0x{ord(stray[0]) & 0xFF:02X} does not belong to a text in UTF-8"
            raise refusal(path, number, f"{byte}; the file may be in Latin-1 or UTF-16. Save it as UTF-8.")
        if number > MAX_LINES:
            raise refusal(path, number, f"the table has more than {MAX_LINES:,} lines.")
        yield line


def records(path: Path, lines: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each record of a CSV or TSV file (RFC 4180), and the line that it begins on.

    Raises SetError if the quotes of a record are wrong.
    """
    reader = csv.reader(lines, delimiter=separator, strict=True)
    begin = 1
    try:
        for cells in reader:
            if cells:
                yield begin, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        if str(error).startswith(("unexpected end", "field larger")):
            message = "a quotation mark in the row that begins here is never closed. Close it, or remove it"
            raise refusal(
                path, begin, f"{message}. Inside quotes, each quotation mark must be doubled."
            ) from error
        message = f"the row cannot be read ({error}). A text that contains a quotation mark must be in quotes"
        raise refusal(path, begin, f"{message}, with each quotation mark inside it doubled.") from error


def csv_rows(path: Path, records: Iterator[tuple[int, list[str]]], choose: Choose) -> Iterator[Row]:
    """Yield the rows of a table whose first record is the header.

    Raises SetError if there is no header, or if a row has another number of cells.
    """
    first = next(records, None)
    if first is None:
        raise refusal(path, None, "the file is empty. Its first line must name the columns.")
    header = [cell.strip() for cell in first[1]]
    places = [header.index(column) for column in choose(header)]
    for number, (line, cells) in enumerate(records, start=1):
        if len(cells) != len(header):
            cell = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            message = f"row {number} has {cell}, but the header has {len(header)}."
            raise refusal(path, line, f"{message} A text that contains the separator must be in quotes.")
        yield Row(number, line, tuple(cells[place] for place in places))


def json_rows(path: Path, lines: Iterator[str], choose: Choose, *, gaps: bool = False) -> Iterator[Row]:
    """Yield the rows of a JSONL file; the keys of its first row are its header.

    Raises SetError if a line is not a JSON object or, unless `gaps` are allowed, lacks a key; a gap is None.
    """
    number = 0
    columns: Sequence[str] = ()
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        number += 1
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "too large or too deep"
            raise refusal(path, line, f"row {number} is not valid JSON ({reason}).") from error
        if not isinstance(data, dict):
            raise refusal(path, line, f'row {number} must be a JSON object, such as {{"text": "..."}}.')
        if number == 1:
            columns = choose(list(data))
        if not gaps and (missing := [column for column in columns if column not in data]):
            raise refusal(path, line, f"row {number} has no {show(missing[0])}.")
        yield Row(number, line, tuple(data.get(column) for column in columns))
    if not number:
        raise refusal(path, None, "the file is empty. Each line must hold a JSON object.")


def check_columns(path: Path, columns: Sequence[str], header: Sequence[str]) -> None:
    """Raise SetError with the columns that are missing, ambiguous or separated by semicolons."""
    if len(header) == 1 and ";" in header[0] and header[0] not in columns:
        message = (
            "the columns are separated by semicolons. Use commas, and write numbers with a decimal point."
        )
        raise refusal(path, None, message)
    missing = []
    for column in columns:
        if (count := header.count(column)) > 1:
            raise refusal(path, None, f"{count} columns are called {show(column)}. Rename the others.")
        if not count:
            meant = nearest(column, header)
            missing.append(show(column) + (f" (did you mean {show(meant)}?)" if meant else ""))
    if missing:
        lacks = f"it has no column {', '.join(missing)}."
        raise refusal(path, None, f"{lacks} The columns are {listed_columns(header)}.")


def listed_columns(header: Sequence[str]) -> str:
    """Return the names of columns for a message; of many, the first ones."""
    more = len(header) - SHOWN_COLUMNS
    return ", ".join(map(show, header[:SHOWN_COLUMNS])) + (f" and {more:,} more" if more > 0 else "")
