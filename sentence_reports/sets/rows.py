"""A row of a table, of whatever kind its file is, and the columns that are asked for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sentence_reports.sets.naming import nearest
from sentence_reports.sets.opening import refusal
from sentence_reports.sets.quoting import show

SHOWN_COLUMNS = 20

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
