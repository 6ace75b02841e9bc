"""The command `diff`: two executed notebooks become a table on stdout, an exit code and, if asked for, a page."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentence_reports.errors import OutputError, UsageError, explained
from sentence_reports.files import atomic_write
from sentence_reports.ownership import check_file, is_difference
from sentence_reports.saved_notebook import Saved, read_saved
from sentence_reports.terminal import say, short
from sentence_reports.texts import count, isolated, legible, on_terminal, shorten

if TYPE_CHECKING:
    from sentence_reports.difference import ColumnDifference, Difference

EXIT_MOVED = 3
"""The exit code if something moved."""
SHOWN_PAIRS = 20  # pairs on a terminal


class ChangeRow(NamedTuple):
    """A row of the table.

    `what` is the kind of change, `model` the label of a model of a comparison. `first` and `second` say what it is
    about: two sentences, or one text. The ranks are those of a pair, if models differ.
    """

    what: str
    model: str = ""
    first: str = ""
    second: str = ""
    old: str = ""
    new: str = ""
    old_rank: str = ""
    new_rank: str = ""


def diff(old: Path, new: Path, out: Path | None) -> int:
    """Print what changed between two executed notebooks, write the page to `out`, and return the exit code.

    Raises UsageError if they cannot be compared or `out` is not for this page, OutputError if it cannot be written.
    """
    if out is not None:
        check_page(out, (old, new))
    saved = read_saved(old), read_saved(new)
    from sentence_reports.difference import difference as difference_of  # numpy takes a moment

    try:
        difference = difference_of(saved[0].summary, saved[1].summary)
    except ValueError as error:
        files = f"{legible(str(old))} or {legible(str(new))}"
        raise UsageError(f"{files} is damaged: {error}. Make the report again") from error
    show(difference)
    for sentence in (*difference.finding, *notes(difference)):
        say(sentence, "yellow" if difference.counts else "")
    if old.samefile(new):
        say("OLD and NEW are the same file.", "yellow")
    if out is not None:
        write_page(out, difference, saved)
    return EXIT_MOVED if difference.counts else 0


def check_page(out: Path, inputs: Sequence[Path]) -> None:
    """Raise UsageError if the page cannot be written to this file, or if it would replace anything but such a page."""
    name = legible(str(out))
    for path in inputs:
        if out.exists() and path.exists() and out.samefile(path):
            raise UsageError(f"--out names {name}, which is to be read. Choose another file")
    if out.suffix != ".html":
        raise UsageError(f"--out names {name}. Expected a name that ends in .html")
    check_file(out, is_difference, "is not a page that diff made. Move it away, or choose another file")


def write_page(out: Path, difference: "Difference", saved: Sequence[Saved]) -> None:
    """Write the page. Raises OutputError if that fails."""
    from sentence_reports.pages.difference import render_difference

    names = [f"{each.facts.stem}, {each.facts.date}" if each.facts else "" for each in saved]
    with explained(OutputError, f"cannot write {legible(str(out))}"):
        atomic_write({out: render_difference(difference, *names).encode()})
    say(f"Look at {short(out)}")


# --- the table --------------------------------------------------------------------------------------------------


def notes(difference: "Difference") -> Iterator[str]:
    """Yield what a reader of the table should know: what could not be compared, what is not shown."""
    for column in difference.columns:
        moved = column.movement
        label = f"{column.label}: " if column.label else ""
        if moved.compared < moved.total:
            yield (
                f"{label}Only {moved.compared:,} of {count(moved.total, 'pair')} could be compared: of a large set, "
                "a notebook keeps the nearest neighbors of each sentence."
            )
    if difference.reordered:
        yield "The sentences are in another order; they are matched by their text."


def rows(difference: "Difference") -> Iterator[ChangeRow]:
    """Yield what changed: the outcomes first, then the texts, then what may explain them."""
    for column in difference.columns:
        yield from _outcomes(column)
    if difference.published:
        yield ChangeRow("published", old=difference.published.old, new=difference.published.new)
    yield from (ChangeRow("column", old=each.old, new=each.new) for each in difference.labels)
    yield from (
        ChangeRow("changed", first=each.what, old=each.old, new=each.new) for each in difference.edited
    )
    yield from (ChangeRow("removed", first=text) for text in difference.removed)
    yield from (ChangeRow("added", first=text) for text in difference.added)
    for change in (*difference.renamed, *difference.regrouped):
        yield ChangeRow("group", first=change.what, old=change.old, new=change.new)
    for column in difference.columns:
        yield from (
            ChangeRow("model", column.label, each.what, "", each.old, each.new) for each in column.model
        )
    yield from (ChangeRow("setting", "", each.what, "", each.old, each.new) for each in difference.settings)
    yield from (ChangeRow("version", "", each.what, "", each.old, each.new) for each in difference.versions)


def _outcomes(column: "ColumnDifference") -> Iterator[ChangeRow]:
    label, same = column.label, column.movement.same
    for claim in column.claims:
        held = [("holds" if each.met else "does not hold") if each else "" for each in (claim.old, claim.new)]
        was = claim.old.expected if claim.old else claim.claim.expected
        yield ChangeRow(
            "claim", label, claim.claim.expected, was if was != claim.claim.expected else "", *held
        )
    for pair in column.movement.pairs:
        values = (pair.old, pair.new) if same else (pair.old_corrected, pair.new_corrected)
        ranks = ("" if rank is None else f"{rank:g}" for rank in (pair.old_rank, pair.new_rank))
        yield ChangeRow("pair", label, pair.first, pair.second, *(f"{value:.4f}" for value in values), *ranks)
    for change in (column.ratings, column.scale):
        if change:
            yield ChangeRow(change.what.lower(), label, "", "", change.old, change.new)


def show(difference: "Difference") -> None:
    """Print the table to stdout: for people on a terminal, tab-separated elsewhere."""
    is_terminal = sys.stdout.isatty()
    if not is_terminal:
        for row in rows(difference):
            print(*(on_terminal(field, is_terminal=False).replace("\n", "\\n") for field in row), sep="\t")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False)
    for name in ("what", "about", "old", "new"):
        shown.add_column(name, overflow="fold", ratio=2 if name == "about" else None)
    table = list(rows(difference))
    pairs = [row for row in table if row.what == "pair"]
    for row in table:
        if row in pairs[SHOWN_PAIRS:]:
            continue
        what, model, first, second, old, new, *ranks = row
        about = " | ".join(isolated(shorten(text, 60)) for text in (model, first, second) if text)
        values = [
            f"{value} (rank {rank})" if rank else isolated(shorten(value, 60))
            for value, rank in zip((old, new), ranks, strict=True)
        ]
        shown.add_row(*(Text(on_terminal(field, is_terminal=True)) for field in (what, about, *values)))
    if more := len(pairs[SHOWN_PAIRS:]):
        shown.add_row("pair", f"{more} more; --out FILE writes a page with them", "", "")
    Console(highlight=False).print(shown)
