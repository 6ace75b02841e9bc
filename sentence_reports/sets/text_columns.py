"""Which column of a table holds the texts, and what separates the columns of a CSV file."""

import csv
from collections.abc import Sequence
from pathlib import Path

from sentence_reports.sets.opening import refusal
from sentence_reports.sets.quoting import show
from sentence_reports.sets.rows import check_columns, listed_columns

TEXT_COLUMNS = (
    "text",
    "texts",
    "sentence",
    "sentences",
    "content",
    "body",
    "message",
    "comment",
    "review",
    "document",
)
"""Names of columns that are taken for the texts, whatever their case, if the set names no column."""
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}


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
    found = "several columns may hold" if candidates else "it is not clear which column holds"
    message = f"{found} the texts. Name one with `column`; the columns are {listed_columns(header)}."
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
