"""Rows of CSV, TSV and JSONL files, read one by one; every error names the file, the line and the row."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from sentence_reports.sets.opening import refusal
from sentence_reports.sets.quoting import show
from sentence_reports.sets.rows import Choose, Row, check_columns
from sentence_reports.sets.text_stream import streamed

SEPARATORS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (*SEPARATORS, ".jsonl")
MAX_LINE = 1_000_000  # characters
MAX_LINES = 1_000_000  # blank ones included, which no limit on rows counts


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield each row of a table, with the cells of these columns. Blank lines do not count.

    Raises SetError if the file cannot be read, lacks a column, or has a row that does not fit the others.
    """
    with streamed(path) as stream:
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            listed = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
            raise refusal(path, None, f"the name of a table must end in {listed}.")
        lines = _bounded(path, stream.lines())

        def asked_for(header: list[str]) -> Sequence[str]:
            check_columns(path, columns, header)
            return columns

        if suffix == ".jsonl":
            yield from json_rows(path, lines, asked_for)
        else:
            yield from csv_rows(path, records(path, lines, SEPARATORS[suffix]), asked_for)


def _bounded(path: Path, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            raise refusal(path, number, f"the line has more than {MAX_LINE:,} characters.")
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
    positions = [header.index(column) for column in choose(header)]
    for number, (line, cells) in enumerate(records, start=1):
        if len(cells) != len(header):
            cell = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            message = f"row {number} has {cell}, but the header has {len(header)}."
            raise refusal(path, line, f"{message} A text that contains the separator must be in quotes.")
        yield Row(number, line, tuple(cells[position] for position in positions))


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
