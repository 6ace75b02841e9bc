"""Rows of CSV, TSV and JSONL files, read one by one; every error names the file, the line and the row."""

import csv
import io
import json
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.naming import nearest
from sentence_reports.sets.quoting import show

SEPARATORS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (".csv", ".tsv", ".jsonl")
MAX_LINE = 1_000_000  # characters
SHOWN_COLUMNS = 20
_NOT_TEXT = re.compile(r"[\0\udc80-\udcff]")


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
        message = "no such file."
        if path.is_symlink():
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
    if path.suffix.lower() not in SUFFIXES:
        raise refusal(path, None, f"a table's name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.")
    with opened(path, "a table is a file") as binary:
        file = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
        lines = _lines(path, file)
        separator = SEPARATORS.get(path.suffix.lower())
        yield from (
            _objects(path, lines, columns) if separator is None else _cells(path, lines, columns, separator)
        )


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), ""), start=1):
        if len(line) > MAX_LINE:
            raise refusal(path, number, f"the line has more than {MAX_LINE:,} characters.")
        if stray := _NOT_TEXT.search(line):
            byte = f"the byte 0x{ord(stray[0]) & 0xFF:02X} is not text in UTF-8"
            raise refusal(path, number, f"{byte}; the file may be in Latin-1 or UTF-16. Save it as UTF-8.")
        yield line


def _cells(path: Path, lines: Iterator[str], columns: Sequence[str], separator: str) -> Iterator[Row]:
    """Yield the rows of a CSV or TSV file (RFC 4180), whose first row names the columns."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    header: list[str] | None = None
    number = begin = 0
    try:
        while True:
            begin = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                break
            if not cells:
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                _check_columns(path, columns, header)
                places = [header.index(column) for column in columns]
                continue
            number += 1
            if len(cells) != len(header):
                message = f"row {number} has {len(cells)} cells, but the header has {len(header)}."
                raise refusal(path, begin, f"{message} A text that contains the separator must be in quotes.")
            yield Row(number, begin, tuple(cells[place] for place in places))
    except csv.Error as error:
        message = f"row {number + 1} cannot be read ({error}). A text that contains a quotation mark must be in quotes"
        raise refusal(path, begin, f"{message}, with each quotation mark inside it doubled.") from error
    if header is None:
        raise refusal(path, None, "the file is empty. Its first line must name the columns.")


def _objects(path: Path, lines: Iterator[str], columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a JSONL file, an object on each line."""
    number = 0
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        number += 1
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise refusal(path, line, f"row {number} is not valid JSON ({error}).") from error
        if not isinstance(data, dict):
            raise refusal(path, line, f'row {number} must be a JSON object, such as {{"text": "..."}}.')
        if number == 1:
            _check_columns(path, columns, list(data))
        if missing := [column for column in columns if column not in data]:
            raise refusal(path, line, f"row {number} has no {show(missing[0])}.")
        yield Row(number, line, tuple(data[column] for column in columns))
    if not number:
        raise refusal(path, None, "the file is empty. Each line must hold a JSON object.")


def _check_columns(path: Path, columns: Sequence[str], header: list[str]) -> None:
    problems = []
    for column in columns:
        if (count := header.count(column)) == 1:
            continue
        if count:
            message = f"the column {show(column)} is there {count} times. Rename the others."
        else:
            meant = nearest(column, header)
            more = len(header) - SHOWN_COLUMNS
            listed = ", ".join(map(show, header[:SHOWN_COLUMNS])) + (
                f" and {more:,} more" if more > 0 else ""
            )
            message = f"no column is called {show(column)}"
            message += f"; did you mean {show(meant)}?" if meant else "."
            message += f" The columns are {listed}."
        problems.append(Problem(str(path), None, None, message))
    if problems:
        raise SetError(tuple(problems))
