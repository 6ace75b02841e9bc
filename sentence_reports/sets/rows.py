"""The rows of a table, of whatever kind its file is, and its columns: which are asked for, and what separates them."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sentence_reports.sets.naming import nearest
from sentence_reports.sets.opening import refusal
from sentence_reports.sets.quoting import show

SHOWN_COLUMNS = 20
TEXT_COLUMNS = (
    "text", "texts", "sentence", "sentences", "content", "body", "message", "comment", "review", "document",
)  # fmt: skip
"""Names of columns that are taken for the texts, whatever their case, if the set names no column."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

Choose = Callable[[list[str]], Sequence[str]]
"""Returns the columns to read, from the names of all columns. Raises SetError if they are not there."""


class Row(NamedTuple):
    """A row of a table: its number, from 1 without the header, the line that it begins on, and the cells asked for.

    The cells are in the order asked for: texts, or what JSON made of them.
    """

    number: int
    line: int
    cells: tuple[Any, ...]


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


def text_column(path: Path, header: Sequence[str], column: str | None) -> str:
    """Return the column of the texts: the one named, else the only one, else the only one with a usual name.

    Raises SetError if it is not there, or if several could be meant.
    """
    if column is not None:
        check_columns(path, [column], header)
        return column
    candidates = header if len(header) == 1 else [name for name in header if name.lower() in TEXT_COLUMNS]
    if len(candidates) == 1:
        return candidates[0]
    problem = "several columns may hold" if candidates else "it is not clear which column holds"
    message = f"{problem} the texts. Name one with `column`; the columns are {listed_columns(header)}."
    raise refusal(path, None, message)


def separator(path: Path, line: str, wanted: Sequence[str]) -> str:
    r"""Return what separates the columns of a CSV file with this first line: ``,``, ``;`` or ``\t``.

    `wanted` are the columns that the set names. Raises SetError if the line can be read in several ways.
    """
    headers = {}
    for mark in SEPARATORS:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])]
        if len(cells) > 1 and not any('"' in cell for cell in cells):
            headers[mark] = cells
    if len(headers) > 1:
        fitting = {mark: cells for mark, cells in headers.items() if _fits(cells, wanted)}
        if len(fitting) != 1:
            ways = " or ".join(
                f"{SEPARATORS[mark]} ({len(cells)} columns)" for mark, cells in headers.items()
            )
            message = f"the first line, {show(line.strip())}, can be separated by {ways}. Put names that contain one"
            raise refusal(
                path, 1, f"{message} of these characters in quotes, or use tabs and call the file .tsv."
            )
        headers = fitting
    return next(iter(headers), ",")


def _fits(cells: Sequence[str], wanted: Sequence[str]) -> bool:
    if wanted:
        return set(wanted) <= set(cells)
    return any(cell.lower() in TEXT_COLUMNS for cell in cells)
