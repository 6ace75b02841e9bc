"""The command line: words in, words and an exit code out.

Exit codes: 0 all good; 1 at least one set failed, the others are done; 2 nothing could be started.
Progress, warnings and errors go to stderr, the table of reports to stdout.
"""

import argparse
import io
import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sentence_reports.errors import OutputError, UsageError
from sentence_reports.pipeline import PROJECT, Options, find_sets, read_sets, run, title_of
from sentence_reports.process import Terminated
from sentence_reports.texts import printable, shorten

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from sentence_reports.pages.index import Report

PARAMS, REPORTS = PROJECT / "params", PROJECT / "reports"

NEW_SET = """\
# yaml-language-server: $schema=schema.json
# Write your sentences, then: make report SET={name}
title: {title}
description: ""
sentences:
  - "The first sentence, in quotes"
  - "The second one; two are needed, 3,000 at most"
# All further keys, with their meaning: README.md, "Write a set", or sentence-reports schema
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    arguments = _parser().parse_args(argv)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # else its library asks the network for itself
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may know fewer characters than a set has
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _need_current_folder()
        code = int(arguments.command(arguments))
        sys.stdout.flush()
        return code
    except UsageError as error:
        _say(f"sentence-reports: {error}")
        return 2
    except OutputError as error:
        _say(f"sentence-reports: {error}")
        return 1
    except BrokenPipeError:
        _point_at_nothing(sys.stdout)
        return 0
    except KeyboardInterrupt as stop:
        _say("sentence-reports: stopped; finished reports are kept")
        return 143 if isinstance(stop, Terminated) else 130


def _point_at_nothing(stream: TextIO) -> None:
    """Whoever read it has enough: what is left of our words must not be an error at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _need_current_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError("the current folder is gone; change to another one") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sentence-reports",
        description="From YAML files of sentences to pages that show how an embedding model relates them.",
        epilog="Exit code: 0 all good; 1 at least one set failed, the others are done; 2 nothing was started.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("run", help="make the reports of all sets that changed, and the index")
    command.set_defaults(command=_run)
    _add_files(command)
    command.add_argument(
        "--out", type=Path, default=REPORTS, metavar="DIR", help="where to (the project's reports/)"
    )
    command.add_argument(
        "--jobs", type=_positive, metavar="N", help="sets at once (what cores and memory allow)"
    )
    command.add_argument("--force", action="store_true", help="make every report again")
    command.add_argument("--strict", action="store_true", help="fail rather than let another model stand in")
    command.add_argument(
        "--timeout", type=_seconds, default=900.0, metavar="SECONDS", help="limit for one set (900)"
    )
    command.add_argument(
        "--cold", action="store_true", help="start each set's kernel from nothing; slower, same reports"
    )

    command = commands.add_parser("check", help="look for mistakes in sets, run nothing")
    command.set_defaults(command=_check)
    _add_files(command)

    command = commands.add_parser("new", help="start a set: writes params/NAME.yaml, never over another")
    command.set_defaults(command=_new)
    command.add_argument("name", metavar="NAME")

    command = commands.add_parser(
        "preview", help="show the reports in a browser, kept up to date as you write"
    )
    command.set_defaults(command=_preview)
    _add_files(command)

    command = commands.add_parser("schema", help="print the JSON schema of set files, for editors")
    command.set_defaults(command=_schema)
    return parser


def _add_files(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="set files (all of the project's params/)"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 is needed, found {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"a number of seconds above 0 is needed, found {text!r}")
    return seconds


def _say(words: str) -> None:
    try:
        print(printable(words), file=sys.stderr)
    except BrokenPipeError:
        _point_at_nothing(sys.stderr)


def _sets(arguments: argparse.Namespace) -> list[Path]:
    files = arguments.files or find_sets(PARAMS)
    if not files:
        raise UsageError(f"no set in {PARAMS}: start one with  sentence-reports new NAME")
    return list(dict.fromkeys(files))


# --- run ---------------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    options = Options(
        arguments.out, arguments.jobs, arguments.force, arguments.strict, arguments.timeout, arguments.cold
    )
    paths = _sets(arguments)
    with Teller(sys.stderr.isatty()) as teller:
        reports = run(paths, options, teller)
    try:
        _show(reports, options.out)
    except BrokenPipeError:
        _point_at_nothing(sys.stdout)
    failed = [report for report in reports if report.failure]
    made = teller.total - sum(1 for report in failed if report.stem in teller.seen)
    _say(_closing_words(len(reports), made, len(failed)))
    _say(f"Look at {_short(options.out / 'index.html')}")
    return 1 if failed else 0


def _closing_words(total: int, made: int, failed: int) -> str:
    if not made and not failed:
        return f"Nothing to do: {total} {'report is' if total == 1 else 'reports are'} up to date."
    words = f"{made} made, {total - made - failed} up to date"
    return f"{words}, {failed} failed." if failed else f"{words}."


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


class Teller:
    """Says how a run goes: a progress bar on a terminal, a line per set elsewhere."""

    def __init__(self, terminal: bool) -> None:
        self.total = 0
        self.seen: set[str] = set()
        self._terminal = terminal
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> "Teller":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def warn(self, words: str) -> None:
        """Say it, as a line of its own."""
        _say(words)

    def begin(self, total: int) -> None:
        """Show the bar, or say how many sets there are."""
        self.total = total
        if self._terminal:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task("reports", total=total)
        else:
            _say(f"{total} {'set' if total == 1 else 'sets'} to run")

    def done(self, report: "Report") -> None:
        """Say how it went, and move the bar on."""
        self.seen.add(report.stem)
        if report.failure:
            _say(f"{report.stem}: failed: {report.failure}")
        else:
            for notice in report.notices:
                _say(f"{report.stem}: {notice}")
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, description=printable(report.stem))
        elif not report.failure:
            _say(f"{report.stem}: done in {report.seconds:g} s")


COLUMNS = ("set", "model", "sentences", "closest pair", "seconds", "file")


def _row(report: "Report", out: Path) -> tuple[str, ...]:
    """The report's line in the table, a field for each of COLUMNS, all of them on one line."""
    return tuple(printable(field).replace("\n", "\\n") for field in _fields(report, out))


def _fields(report: "Report", out: Path) -> tuple[str, ...]:
    file = _short(out / f"{report.stem}.html")
    if report.failure:
        reason = f"failed: {' '.join(report.failure.split())}"
        return report.stem, report.model, "", reason, "", file if report.date else ""
    first, second, similarity = report.closest or ("", "", 0.0)
    pair = f"{similarity:.4f}  {shorten(first, 30)} | {shorten(second, 30)}"
    return report.stem, report.model, str(report.n), pair, f"{report.seconds:g}", file


def _show(reports: Sequence["Report"], out: Path) -> None:
    rows = [_row(report, out) for report in reports]
    if not sys.stdout.isatty():
        for row in rows:
            print(*row, sep="\t")
        sys.stdout.flush()
        return
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table(*(Column(name, overflow="fold") for name in COLUMNS))
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


# --- the other commands ------------------------------------------------------------------------------------


def _check(arguments: argparse.Namespace) -> int:
    good, bad = read_sets(_sets(arguments))
    for problem in (problem for each in good for problem in each.warnings):
        _say(f"{problem} (warning)")
    for error in bad.values():
        _say(str(error))
    _say(
        f"{len(good)} {'set is' if len(good) == 1 else 'sets are'} fine"
        + (f", {len(bad)} not" if bad else "")
    )
    return 1 if bad else 0


def _new(arguments: argparse.Namespace) -> int:
    name = arguments.name.removesuffix(".yaml")
    plain = name.replace("-", "").replace("_", "").isalnum() and len(name.encode()) <= 200
    if not plain or name.casefold() == "index":
        raise UsageError(
            f"{arguments.name!r} cannot name a set: letters, digits, - and _ make a name, in 200 bytes; index is taken"
        )
    taken = [path for path in find_sets(PARAMS) if path.stem.casefold() == name.casefold()]
    if taken:
        raise UsageError(f"{_short(taken[0])} exists already; nothing was written")
    path = PARAMS / f"{name}.yaml"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(NEW_SET.format(name=name, title=json.dumps(title_of(name), ensure_ascii=False)))
    except OSError as error:
        raise UsageError(f"cannot write {_short(path)}: {error.strerror or error}") from error
    print(_short(path))
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    from sentence_reports.preview import preview

    _sets(arguments)  # raises where there is none
    try:
        with Teller(terminal=False) as teller:
            preview(arguments.files, PARAMS, Options(REPORTS), teller, _invite)
    except OSError as error:
        raise UsageError(f"cannot start the preview: {error}") from error
    _say("Preview ended.")
    return 0


def _invite(address: str) -> None:
    _say("Ctrl-C ends the preview. Look at")
    print(address, flush=True)


def _schema(_: argparse.Namespace) -> int:
    from sentence_reports.sets import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0
