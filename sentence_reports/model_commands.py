"""The commands about models: the sentences of the baseline, and what is kept between runs."""

import argparse
import sys
import time

from sentence_reports.errors import UsageError
from sentence_reports.terminal import say
from sentence_reports.texts import count, printable, size_in_words


def baseline(_: argparse.Namespace) -> int:
    """Print the sentences of the baseline, whose vectors a comparison with vectors from a file needs."""
    from sentence_reports.models.baseline import sentences

    print(*sentences(), sep="\n")
    return 0


def cache(arguments: argparse.Namespace) -> int:
    """Print how many vectors are kept of each model and how many tables of neighbors, or remove them all.

    Raises UsageError if the cache cannot be used.
    """
    from sentence_reports.models.cache import Cache
    from sentence_reports.models.neighbor_cache import NeighborCache

    with NeighborCache() as neighbors:
        tables, table_bytes = neighbors.kept()
    with Cache() as kept:
        removed, models = kept.clear() if arguments.clear else 0, kept.kept()
        if kept.trouble is not None:
            raise UsageError(f"the cache of vectors cannot be used: {kept.trouble}")
        if arguments.clear:
            also = f" and {count(tables, 'table')} of neighbors" if tables else ""
            say(f"Removed {count(removed, 'vector')}{also} from {kept.folder}")
            return 0
        rows = [(m.model, f"{m.vectors:,}", size_in_words(m.bytes), day(m.used)) for m in models]
        if sys.stdout.isatty():
            show(rows)
        else:
            for model, row in zip(models, rows, strict=True):
                print(printable(row[0]), model.vectors, model.bytes, row[3], sep="\t")
        sys.stdout.flush()
        total, limit = count(sum(m.vectors for m in models), "vector"), size_in_words(kept.limit)
        if tables:
            total += f" and {count(tables, 'table')} of neighbors ({size_in_words(table_bytes)})"
        say(f"{total}, {size_in_words(kept.size)} of at most {limit}, in {kept.folder}")
    return 0


def day(moment: float) -> str:
    """Return the day of a moment, such as "2026-01-31"."""
    return time.strftime("%Y-%m-%d", time.localtime(moment))


def show(rows: list[tuple[str, str, str, str]]) -> None:
    """Print the table of models for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("model", overflow="fold")
    for name in ("vectors", "size", "last used"):
        table.add_column(name, justify="right")
    for model, *others in rows:
        table.add_row(Text(printable(model)), *others)
    Console(highlight=False).print(table)
