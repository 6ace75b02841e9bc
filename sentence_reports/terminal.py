"""The output of a run on the terminal (messages on stderr, the final table on stdout) and in the log."""

import logging
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from sentence_reports.claim_records import tally
from sentence_reports.project import version
from sentence_reports.texts import count, isolated, on_terminal, printable, shorten

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from sentence_reports.report import Report, Step
    from sentence_reports.sets import SetFile

log = logging.getLogger("sentence_reports")
SHOWN_CLAIMS = 20
LEAST = 0.5  # seconds of a step before its speed means something
LONG = 5.0  # seconds, at least, of a step of which lines tell how far it is
OTHERS = 30  # columns of a terminal that the table keeps for all but the names of the files
BUG = "This is a bug in Sentence Reports; run the command again with --debug to see where it happened."


def say(message: str, style: str = "") -> None:
    """Print a message to stderr, in a rich style if that is a terminal, and log it."""
    log.info("%s", message)
    shown = on_terminal(message, is_terminal=sys.stderr.isatty())
    if style and sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        Console(stderr=True, highlight=False).print(Text(shown, style=style), soft_wrap=True)
    else:
        print(shown, file=sys.stderr)


def write_log() -> Path:
    """Log everything, including messages of the libraries, to a new ``debug.log`` in the user's folder for logs.

    Return its path. Raises OSError if it cannot be written.
    """
    path = platformdirs.user_log_path("sentence-reports", appauthor=False, ensure_exists=True) / "debug.log"
    logging.basicConfig(
        filename=path,
        filemode="w",
        encoding="utf-8",
        errors="backslashreplace",
        level=logging.DEBUG,
        format="%(asctime)s %(threadName)s %(name)s: %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
    log.info("sentence-reports %s, Python %s, %s", version(), sys.version, platform.platform())
    log.info("%s in %s", sys.argv, Path.cwd())
    return path


def short(path: Path) -> Path:
    """Return `path` relative to the current folder if it is inside, else as it is."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class Teller:
    """Shows the progress of a run, with a bar on a terminal and with a line per set elsewhere."""

    def __init__(self, *, bar: bool, debug: bool = False) -> None:
        self.begun = 0
        self.done_stems: set[str] = set()
        self.printed_stems: set[str] = set()
        self.unprinted: set[str] = set()
        self._wants_bar, self._debug = bar, debug
        self._bar: Progress | None = None
        # For each large set: its step, when that began, how much was done then, and how much is done now.
        self._steps: dict[str, tuple[Step, float, int, int]] = {}
        self._bars: dict[str, TaskID] = {}
        self._workers: int | None = None

    def __enter__(self) -> "Teller":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def warn(self, message: str) -> None:
        """Print a message that the author should see."""
        say(message)

    def begin(self, total: int) -> None:
        """Show the bar, or print how many sets will be run."""
        self.begun = total
        self.done_stems.clear()  # a preview runs the same sets again and again
        if not self._wants_bar:
            say(f"{count(total, 'set')} to run")
            return
        from rich import progress
        from rich.console import Console

        columns = (
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(bar_width=20),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[rate]}", markup=False),
            progress.TimeRemainingColumn(elapsed_when_finished=True),
        )
        self._bar = progress.Progress(*columns, console=Console(stderr=True, highlight=False))
        self._bar.start()
        self._bar.add_task("reports", total=total, rate="")

    def progress(self, stem: str, done: int, total: int, step: "Step") -> None:
        """Show how far a step of a large set is, and the time left.

        On a terminal in a bar; elsewhere, if the step takes `LONG` seconds, on a line for each tenth that is encoded
        and each quarter that is compared. A step begins again if its worker was lost; what comes after the end of a set
        is late, and not shown.
        """
        if stem in self.done_stems:
            return
        if stem not in self._steps or self._steps[stem][0] != step or done < self._steps[stem][3]:
            self._steps[stem] = step, time.monotonic(), done, done
            self._remove_bar(stem)
        _, began, first, last = self._steps[stem]
        self._steps[stem] = step, began, first, done
        took = time.monotonic() - began
        rate = (done - first) / max(took, 0.001) if took >= LEAST else 0.0
        comparing = step == "comparing"
        if self._bar is not None:
            if stem not in self._bars:
                name = printable(f"{stem}, comparing" if comparing else stem)
                self._bars[stem] = self._bar.add_task(name, total=total, completed=first, rate="")
            unit = "%" if comparing else f"{rate:,.0f} texts/s" if rate else ""
            self._bar.update(self._bars[stem], completed=done, rate=unit)
        elif (
            rate
            and (total - first) / rate >= LONG
            and done * (parts := 4 if comparing else 10) // total > last * parts // total
        ):
            left = f"about {(total - done) / rate:,.0f} s left"
            if comparing:
                say(f"{stem}: comparing the texts with each other, {done}%, {left}")
            else:
                say(f"{stem}: {done:,} of {total:,} texts encoded, {rate:,.0f} per second, {left}")

    def workers(self, total: int, busy: int) -> None:
        """Show how many workers a cluster has: in the bar with how many are busy, elsewhere if that changes."""
        text = f"{count(total, 'worker')}, {busy} busy"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], rate=text)
        elif total != self._workers:
            say(count(total, "worker"))
        self._workers = total

    def done(self, report: "Report") -> None:
        """Print the result of a set, and advance the bar."""
        self.done_stems.add(report.stem)
        self._steps.pop(report.stem, None)
        self._remove_bar(report.stem)
        if report.failure:
            say(f"{report.stem}: failed: {report.failure}", "red")
            if report.traceback:
                log.info("%s", report.traceback)
                say(report.traceback.rstrip() if self._debug else BUG)
        else:
            for notice in report.notices:
                say(f"{report.stem}: {notice}", "yellow")
            tell_unmet(report)
        if self._bar is not None:
            task = self._bar.task_ids[0]
            self._bar.update(task, advance=1, description=printable(report.stem))
            if self._workers is not None and len(self.done_stems) == self.begun:
                self._bar.update(task, rate=count(self._workers, "worker"))
        elif not report.failure:
            say(f"{report.stem}: done in {report.seconds:g} s")

    def _remove_bar(self, stem: str) -> None:
        if self._bar is not None and (task := self._bars.pop(stem, None)) is not None:
            self._bar.remove_task(task)

    def printed(self, stem: str, failure: str | None) -> None:
        """Print that a page is printed, or why it is not."""
        (self.unprinted if failure else self.printed_stems).add(stem)
        say(f"{stem}: not printed: {failure}" if failure else f"{stem}: printed", "red" if failure else "")

    def close(self, reports: Sequence["Report"]) -> None:
        """Stop the bar; print the claims that do not hold and were not printed yet, and a summary."""
        self.__exit__()
        failed = [report for report in reports if report.failure]
        good = [report for report in reports if not report.failure]
        for report in good:
            if report.stem not in self.done_stems:
                tell_unmet(report)
        made = self.begun - sum(report.stem in self.done_stems for report in failed)
        if made or failed or self.printed_stems:
            counts = [f"{made} made", f"{len(good) - made} up to date"]
            counts += [f"{len(failed)} failed"] * bool(failed)
            counts += [f"{len(self.printed_stems)} printed"] * bool(self.printed_stems)
            say(f"{', '.join(counts)}.")
        else:
            verb = "is" if len(reports) == 1 else "are"
            say(f"Nothing to do: {count(len(reports), 'report')} {verb} up to date.")
        if checks := [check for report in good for check in report.checks]:
            say(f"{tally(checks)}.", "" if all(check.met for check in checks) else "yellow")


def tell_unmet(report: "Report") -> None:
    """Print the first `SHOWN_CLAIMS` claims of a set that do not hold."""
    for check in report.unmet[:SHOWN_CLAIMS]:
        say(f"{report.stem}: does not hold: {check.statement}", "yellow")
    if more := len(report.unmet[SHOWN_CLAIMS:]):
        say(f"{report.stem}: {more:,} more {'does' if more == 1 else 'do'} not hold; see the page", "yellow")


def show_checked(sets: "Iterable[SetFile]") -> None:
    """Print the warnings of valid sets, and how many rows their files of texts have."""
    for each in sets:
        for problem in each.warnings:
            say(f"{problem} (warning)", "yellow")
        if each.survey and each.set.texts:
            say(f"{each.path}: {count(each.n, 'row')} in {each.set.texts.file}")


def show(reports: Sequence["Report"], out: Path) -> None:
    """Print the table of reports to stdout: for people on a terminal, tab-separated elsewhere."""
    if not sys.stdout.isatty():
        for report in reports:
            print(*row(report, out), sep="\t")
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, table = Console(highlight=False), Table(box=None, pad_edge=False)
    rows = [row(report, out) for report in reports]
    longest = max(cell_len(file or stem) for stem, *_, file in rows)
    table.add_column("report", overflow="fold", min_width=min(longest, console.width - OTHERS))
    table.add_column("sentences", justify="right")
    pairs = all(report.closest or report.failure for report in reports)
    table.add_column("closest pair" if pairs else "closest pair, or finding", overflow="fold", ratio=1)
    for report, (stem, _, n, pair, _, file) in zip(reports, rows, strict=True):
        table.add_row(Text(file or stem), n, Text(pair, "red" if report.failure else ""))
    console.print(table)


def row(report: "Report", out: Path) -> Sequence[str]:
    """Return set, model, number of sentences, closest pair or else the finding, seconds and file, each on one line.

    Several models are a JSON list of their labels. On a terminal, the finding is its first sentence.
    """
    is_terminal = sys.stdout.isatty()
    file = str(short(out / f"{report.stem}.html"))
    if report.failure:
        reason = f"failed: {' '.join(report.failure.split())}"
        fields = (report.stem, report.model_field, "", reason, "", file if report.date else "")
    else:
        pair = " ".join(report.finding[:1] if is_terminal else report.finding)
        if report.closest:
            first, second, similarity = report.closest
            pair = f"{similarity:.4f}  {isolated(shorten(first, 30))} | {isolated(shorten(second, 30))}"
        fields = (report.stem, report.model_field, str(report.n), pair, f"{report.seconds:g}", file)
    return [on_terminal(field, is_terminal=is_terminal).replace("\n", "\\n") for field in fields]
