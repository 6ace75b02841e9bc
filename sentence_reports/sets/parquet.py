"""Rows of Parquet files, read with pyarrow, which is an extra."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sentence_reports.sets.opening import refusal
from sentence_reports.sets.quoting import show
from sentence_reports.sets.rows import Choose, Row

BATCH = 10_000  # rows


def parquet_rows(path: Path, choose: Choose) -> Iterator[Row]:
    """Yield the rows of a Parquet file; the line of a row is its number, and an absent value is None.

    Raises SetError if pyarrow is not installed, the file cannot be read, or a column does not hold texts or numbers.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        message = "reading Parquet needs pyarrow. Install it (pip install pyarrow), or save the table as CSV or JSONL."
        raise refusal(path, None, message) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            columns = choose(list(schema.names))
            for column in columns:
                _check_type(path, column, schema.field(column).type)
            number = 0
            for batch in file.iter_batches(BATCH, columns=list(columns)):
                for cells in zip(*(batch.column(column).to_pylist() for column in columns), strict=True):
                    number += 1
                    yield Row(number, number, cells)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise refusal(path, None, f"the file cannot be read as Parquet ({reason[:200]}).") from error


def _check_type(path: Path, column: str, kind: Any) -> None:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_nested(kind):
        message = (
            f"the column {show(column)} is nested ({kind}), so its rows are not texts. Choose another column."
        )
        raise refusal(path, None, message)
