"""Errors caused by a user's input or environment: one root class, one class per situation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

from sentence_reports.texts import capitalized, legible

if TYPE_CHECKING:
    from nbformat import NotebookNode


SHOWN_PROBLEMS = 10
MAX_COMPARED = 1000  # names in a folder among which the one that was meant is looked for


class SentenceReportsError(Exception):
    """Root of all expected errors. The text tells the user what failed, where, and what to do."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong, or worth a warning, in a set file.

    `line` and `column` count from 1; None if it concerns the whole file. `message` says what was found,
    what was expected and how to fix it. As text: ``params/mine.yaml, line 7, column 5: ...``.
    """

    file: str
    line: int | None
    column: int | None
    message: str

    def __str__(self) -> str:
        place = legible(self.file)
        if self.line is not None:
            place += f", line {self.line}"
            if self.column is not None:
                place += f", column {self.column}"
        return f"{place}: {self.message}"


class SetError(SentenceReportsError):
    """Raised if a set file is missing, unreadable or invalid; `problems` holds everything that is wrong with it.

    Its text shows the first ten problems of each file and how many more there are: a bad file can have thousands.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)  # the constructor's own arguments, so that it survives pickling
        self.problems = problems

    def __str__(self) -> str:
        lines: list[str] = []
        for file, group in groupby(self.problems, key=lambda problem: problem.file):
            problems = list(group)
            lines += map(str, problems[:SHOWN_PROBLEMS])
            if more := len(problems[SHOWN_PROBLEMS:]):
                lines.append(f"{legible(file)}: {more:,} more problem{'s' if more > 1 else ''}")
        return "\n".join(lines)

    @property
    def first(self) -> str:
        """The first problem and how many more there are, on one line."""
        more = len(self.problems) - 1
        return str(self.problems[0]) + (f" (and {more} more)" if more else "")


class ModelError(SentenceReportsError):
    """Raised when a model cannot be found, is not what it should be, or may not be used."""


class ExecutionError(SentenceReportsError):
    """Raised when the notebook of a set fails, dies or takes too long; `notebook` holds what there is of it."""

    def __init__(self, message: str, notebook: "NotebookNode") -> None:
        super().__init__(message, notebook)
        self.notebook = notebook

    def __str__(self) -> str:
        return str(self.args[0])


class RenderError(SentenceReportsError):
    """Raised when an executed notebook cannot become a report: an error in it, no summary, a broken formula."""


class OutputError(SentenceReportsError):
    """Raised when the reports are made, but the index over them cannot be written."""


class UsageError(SentenceReportsError):
    """Raised when nothing can be started: the command line, its files or its output folder cannot be used."""


@contextmanager
def explained(kind: type[SentenceReportsError], what: str, remedy: str = "") -> Iterator[None]:
    """Turn an OSError of the block into an error of this kind: what could not be done, why, and what to do."""
    try:
        yield
    except OSError as error:
        raise kind(f"{what}: {error.strerror or error}{remedy}") from error


def instead_of(written: str, base: Path, here: str, *, folder: bool = False) -> str:
    """Return, in a sentence, what an author can do about a file or `folder` that does not exist.

    `written` is its path, relative to `base`; `here` says in words what folder `base` is.
    """
    shown, kind = Path(written), "folder" if folder else "file"
    where = here if shown.parent == Path() else f'"{legible(shown.parent.as_posix())}"'
    try:
        beside = islice((base / shown.expanduser()).parent.iterdir(), MAX_COMPARED)
        names = sorted(other.name for other in beside if other.is_dir() == folder)
    except (OSError, ValueError, RuntimeError):  # RuntimeError: "~nobody"
        return capitalized(f"{where} does not exist either, or cannot be read. Correct the path.")
    stems = get_close_matches(shown.stem, {Path(name).stem for name in names}, cutoff=0.7)
    similar = [name for name in names if Path(name).stem in stems]  # all names of a kind end in the same
    for name in get_close_matches(shown.name, similar, n=1, cutoff=0):
        return f"Did you mean {written.rstrip('/').removesuffix(shown.name)}{legible(name)}?"
    return f"Nothing in {where} has a similar name. Correct the path, or put the {kind} there."
