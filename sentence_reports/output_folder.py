"""The output folder of a run, with its lock and its state. No other code writes to it or removes anything from it.

A file is replaced or removed only if it is proven to be this program's: a page by the generator named in its head,
a notebook by its metadata, a table or PDF by its hash in the state, the state by how it begins. A name proves nothing.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from sentence_reports.errors import OutputError, UsageError, explained
from sentence_reports.files import atomic_write, sha256
from sentence_reports.lock import LOCK, locked
from sentence_reports.ownership import STATE, has_hash, is_ours, make_temporary, not_ours, remove_temporary
from sentence_reports.report import SET_SUFFIXES, WRITTEN, Failed, Made, Report
from sentence_reports.summary_base import adapter

TEMPORARY = ".sentence-reports.tmp"


class OutputFolder:
    """The output folder, for one run that holds its lock. `reports` holds what is known of each set, by stem."""

    def __init__(self, out: Path, code: str) -> None:
        """Read what earlier runs left; `code` is the digest of the program, kept with the state."""
        self.out = out
        self.reports: dict[str, Report] = {report.stem: report for report in _read_state(out)}
        self._code = code
        self._temporary: Path | None = None

    @classmethod
    @contextmanager
    def opened(cls, out: Path, code: str, warn: Callable[[str], None]) -> Iterator["OutputFolder"]:
        """Hold the output folder while the block runs; wait, with a warning, while another run does.

        Raises UsageError if the folder cannot be used, or if it holds an index.html that is not ours.
        """
        with locked(out, lambda: warn(f"another run is using {out}; waiting for it to finish")):
            for name in ("index.html", STATE):
                if not is_ours(out / name):
                    raise UsageError(not_ours(out / name))
            remove_temporary(out / TEMPORARY)
            folder = cls(out, code)
            folder._forget_removed_variants()
            try:
                yield folder
            finally:
                if folder._temporary is not None:
                    shutil.rmtree(folder._temporary, ignore_errors=True)

    def refusal(self, report: Report, tables: Mapping[str, bytes | None]) -> str | None:
        """Return why the files of a report may not be written, None if they may.

        `tables` holds the tables to write by suffix; instead of None, an unknown table may turn out to be the same.
        """
        stem, earlier = report.stem, self.reports.get(report.stem)
        for suffix in (".html", ".ipynb"):
            if not is_ours(self.out / f"{stem}{suffix}"):
                return not_ours(self.out / f"{stem}{suffix}")
        page = self.out / f"{stem}.html"
        for suffix, data in tables.items():
            table = self.out / f"{stem}{suffix}"
            undecided = data is None and page.exists() and not (earlier and earlier.tables)
            if not undecided and not self._is_our_table(stem, suffix) and _read_bytes(table) != data:
                return not_ours(table)
        if (
            earlier
            and earlier.date
            and earlier.set_file != report.set_file
            and _is_set(self.out / earlier.set_file)
        ):
            return (
                f"{page} is the report of another set, {earlier.set_file} (seen from {self.out}). "
                "Rename one of the two, or choose another folder with --out DIR"
            )
        variant = Path(report.set_file).stem != stem
        if variant and earlier and earlier.date and earlier.model != report.model and page.exists():
            return (
                f"{page} is the report of another model, {earlier.model}. "
                "Remove it, or choose another folder with --out DIR"
            )
        return None

    def _forget_removed_variants(self) -> None:
        """Forget a report of `run --model` without a page, which only that command makes again; but not its tables."""
        for stem, report in self.reports.items():
            if Path(report.set_file).stem != stem and not (self.out / f"{stem}.html").exists():
                self.reports[stem] = replace(report, digest=None, date=None, failure=None)

    def is_whole(self, stem: str, tables: Iterable[str]) -> bool:
        """Return whether a report was made with these tables, given by their suffixes, and all its files exist."""
        beside = self.reports[stem].beside
        files = [self.out / f"{stem}{suffix}" for suffix in (".html", ".ipynb", *beside)]
        return set(tables) <= set(beside) and all(file.is_file() for file in files)

    def publish(self, made: Made, report: Report) -> Report:
        """Put the files of a report into place and record it; return the record, a failure if that is impossible.

        Tables that an earlier report of the set had, and this one lacks, are removed.
        """
        tables = {suffix: data for suffix, data in made.files.items() if suffix in WRITTEN}
        if (reason := self.refusal(report, tables)) is None:
            earlier, hashes = self.reports.get(made.stem), tuple(map(sha256, tables.values()))
            pdf = earlier.pdf if earlier else None
            report = replace(report, tables=hashes, beside=tuple(tables), pdf=pdf)
            try:
                # Before the files: if this process is killed between the two, all tables are known as ours.
                before = earlier or replace(report, digest=None, date=None)
                self.reports[made.stem] = replace(before, tables=(*before.tables, *hashes))
                self._write({STATE: self._state(indexed=False)})
                self._write({f"{made.stem}{suffix}": data for suffix, data in made.files.items()})
                for table in self.our_tables(made.stem, WRITTEN.keys() - tables.keys()):
                    table.unlink()
            except OSError as error:
                reason = f"the report could not be written: {error.strerror or error}"
        if reason is not None:
            return self.fail(Failed(made.stem, reason), report)
        broken = self.out / "failed" / f"{made.stem}.ipynb"
        if broken.is_file() and is_ours(broken):
            with suppress(OSError):
                broken.unlink()
        return self._note(report)

    def fail(self, failed: Failed, report: Report) -> Report:
        """Record a failure, with what is known of the last good report; keep the notebook as far as it ran.

        `report` describes the set, in case it never had a good report.
        """
        if failed.notebook is not None and is_ours(self.out / "failed" / f"{failed.stem}.ipynb"):
            with suppress(OSError):  # why the set failed matters more than that the disk is full as well
                (self.out / "failed").mkdir(exist_ok=True)
                self._write({f"failed/{failed.stem}.ipynb": failed.notebook})
        last = self.reports.get(failed.stem)
        record = last if last is not None and last.date else report
        return self._note(
            replace(
                record,
                set_file=report.set_file,
                digest=None,
                seconds=None,
                failure=failed.reason,
                traceback=failed.traceback,
            )
        )

    def page_to_print(self, stem: str, *, again: bool) -> bytes | None:
        """Return the page of a report, None if it cannot be read, or unless `again` if its PDF shows it already."""
        return None if self._is_printed(stem) and not again else _read_bytes(self.out / f"{stem}.html")

    def publish_pdf(self, stem: str, page: bytes, pdf: bytes) -> str | None:
        """Put the PDF of a page into place and record it; return why that is impossible, None if it was done."""
        path = self.out / f"{stem}.pdf"
        if not self._is_our_pdf(stem) and _read_bytes(path) != pdf:
            return not_ours(path)
        try:
            path.unlink(missing_ok=True)  # if this process is killed, no PDF is there whose hash is forgotten
            self._note(replace(self.reports[stem], pdf=(sha256(page), sha256(pdf))))
            self._write({path.name: pdf})
        except OSError as error:
            return f"the PDF could not be written: {error.strerror or error}"
        return None

    def close(self, render_index: Callable[[list[Report]], str]) -> None:
        """Forget reports whose set and page are both gone; write index and state unless they are up to date.

        Raises OutputError if that fails; the reports are published nevertheless.
        """
        reports = [
            replace(r, gone=not _is_set(self.out / r.set_file), printed=self._is_printed(r.stem))
            for r in self.reports.values()
        ]
        self.reports = {
            report.stem: report
            for report in reports
            if not report.gone or (report.date and (self.out / f"{report.stem}.html").exists())
        }
        state = self._state(indexed=True)
        if (self.out / "index.html").is_file() and _read_bytes(self.out / STATE) == state:
            return
        with explained(OutputError, f"the index of {self.out} could not be written"):
            self._write({"index.html": render_index(list(self.reports.values())).encode()})
            self._write({STATE: state})

    def _note(self, report: Report) -> Report:
        self.reports[report.stem] = report
        with suppress(OSError):  # on a full disk, the report is made again, and the index raises an error
            self._write({STATE: self._state(indexed=False)})
        return report

    def _state(self, *, indexed: bool) -> bytes:
        entries = [asdict(self.reports[stem]) for stem in sorted(self.reports)]
        for entry in entries:
            del entry["traceback"]
        state = {"code": self._code, "indexed": indexed, "reports": entries}
        return (json.dumps(state, ensure_ascii=False, indent=1) + "\n").encode()

    def our_tables(self, stem: str, suffixes: Iterable[str]) -> list[Path]:
        """Return the tables of a set that exist with one of these suffixes and are proven to be ours."""
        ours = [self.out / f"{stem}{suffix}" for suffix in suffixes if self._is_our_table(stem, suffix)]
        return [path for path in ours if path.is_file()]

    def _is_our_table(self, stem: str, suffix: str) -> bool:
        report = self.reports.get(stem)
        return has_hash(self.out / f"{stem}{suffix}", report.tables if report else ())

    def _is_our_pdf(self, stem: str) -> bool:
        report = self.reports.get(stem)
        return has_hash(self.out / f"{stem}.pdf", report.pdf[1:] if report and report.pdf else ())

    def _is_printed(self, stem: str) -> bool:
        """Return whether our PDF of this name is there and shows the page as it is."""
        page, pdf, hashes = self.out / f"{stem}.html", self.out / f"{stem}.pdf", self.reports[stem].pdf
        if hashes is None or not page.is_file() or not pdf.is_file():
            return False
        return has_hash(page, hashes[:1]) and has_hash(pdf, hashes[1:])

    @property
    def temporary(self) -> Path:
        """A folder for temporary files, inside the output folder; it is removed when the run ends."""
        if self._temporary is None:
            self._temporary = make_temporary(self.out / TEMPORARY)
        return self._temporary

    def _write(self, files: Mapping[str, bytes]) -> None:
        atomic_write({self.out / name: data for name, data in files.items()}, by_way_of=self.temporary)


def clean(out: Path) -> list[Path]:
    """Remove reports, index and state from a folder if they are proven to be ours; return what was removed.

    Raises UsageError if a run is using the folder, or if it cannot be written to.
    """
    if not out.is_dir():
        return []
    with locked(out, wait=None):
        folder = OutputFolder(out, "")
        files = [out / "index.html"]
        for stem in folder.reports:
            files += [out / f"{stem}.html", out / f"{stem}.ipynb", out / "failed" / f"{stem}.ipynb"]
        removed = [path for path in files if path.is_file() and is_ours(path)]
        removed += [table for stem in folder.reports for table in folder.our_tables(stem, WRITTEN)]
        printed = [out / f"{stem}.pdf" for stem in folder.reports if folder._is_our_pdf(stem)]
        removed += [path for path in printed if path.is_file()]
        removed = [path for path in removed if path.parent in (out, out / "failed")]
        for path in removed:
            path.unlink()
        with suppress(OSError):
            (out / "failed").rmdir()
        remove_temporary(out / TEMPORARY)
        if (out / STATE).is_file() and is_ours(out / STATE):
            (out / STATE).unlink()
        if (out / LOCK).is_file() and not (out / LOCK).stat().st_size:
            (out / LOCK).unlink()
    return removed


def _read_state(out: Path) -> Iterable[Report]:
    """Return what earlier runs recorded; nothing if it is lost or damaged, so that everything is made again."""
    try:
        state = json.loads((out / STATE).read_bytes())
        reports: list[Report] = adapter(list[Report]).validate_python(state["reports"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    whole = all(report.closest or report.finding for report in reports if report.date)
    whole = whole and all(report.date and report.seconds is not None for report in reports if report.digest)
    return reports if whole else []


def _is_set(path: Path) -> bool:
    return path.suffix in SET_SUFFIXES and os.path.lexists(path)


def _read_bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
