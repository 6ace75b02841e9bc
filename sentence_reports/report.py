"""The records that the rooms share, about what is asked for and what was made of it.

They are plain data: each can be pickled and sent to another process. Nothing here knows how a report is made.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from sentence_reports.claim_records import Check
from sentence_reports.facts import Source

if TYPE_CHECKING:
    from sentence_reports.printing import Browser
    from sentence_reports.project import Project
    from sentence_reports.summary import Summary

PROGRESS = "application/vnd.sentence-reports.progress+json"
"""The type of the message in which a notebook reports how far it is, as `done`, `total` and `step`."""
Step = Literal["encoding", "comparing"]
"""What takes long for a large set: texts are encoded, or compared with each other (counted in percent)."""
FOLDER = "SENTENCE_REPORTS_FOLDER"
"""The environment variable in which a kernel finds the folder of the set, for a file of texts."""
DEVICE = "SENTENCE_REPORTS_DEVICE"
"""The environment variable in which a kernel finds the device that the model runs on; without it, "cpu"."""
EMBEDDINGS = "SENTENCE_REPORTS_EMBEDDINGS"
"""The environment variable that asks the notebook of a collection for its embeddings as well, if it is not empty."""
TEXTS_HASH = "SENTENCE_REPORTS_TEXTS_SHA256"
"""The environment variable in which a kernel finds the SHA-256 that the run saw of the file of texts."""
EPOCH = "SOURCE_DATE_EPOCH"
"""The environment variable that asks for the same bytes each time, see `prepare.today`."""
LEXICAL = "tf-idf"
"""The name under which a comparison asks for its lexical yardstick, which is fitted on the sentences of the set."""
WRITTEN = {
    ".csv": "collection.csv",
    ".neighbours.csv": "collection.neighbours.csv",
    ".npy": "collection.npy",
}
"""The files of tables that the notebook of a collection writes, by the suffix of what they become next to the page."""
SET_SUFFIXES = (".yaml", ".yml")
"""How the name of a set file ends."""

# --- what is asked for ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    """How to run.

    Notebooks are looked up in `project`; `out` is the output folder, `jobs` the number of sets to run in
    parallel (None: as many as cores and memory allow), `timeout` the limit for one set in seconds (None: a quarter of
    an hour, and more for a large file of texts). `strict` makes
    a fallback model an error, `force` makes every report again, `cold` starts each kernel from nothing. `model` is
    the one to run instead of each set's own: a hub id, or the absolute path of a folder. `browser` prints each page
    as PDF; None prints nothing. `device` is where models run, except those of a walkthrough: "cpu", "cuda" or "mps".
    `embeddings` asks for a file of the embeddings of each collection. `scheduler` is the address of the Dask scheduler
    whose workers make the reports; None makes them on this machine.
    """

    project: Project
    out: Path
    jobs: int | None = None
    force: bool = False
    strict: bool = False
    timeout: float | None = None
    cold: bool = False
    model: str | None = None
    browser: Browser | None = None
    device: str = "cpu"
    embeddings: bool = False
    scheduler: str | None = None


class Listener(Protocol):
    """Receives the events of a run; the command line turns them into messages and a progress bar."""

    def warn(self, message: str) -> None:
        """Report something that the author should know."""

    def begin(self, total: int) -> None:
        """Report that `total` sets are about to be run."""

    def progress(self, stem: str, done: int, total: int, step: Step) -> None:
        """Report that a step of a large set is done to this part of the `total`. Called from any thread."""

    def workers(self, total: int, busy: int) -> None:
        """Report how many workers a cluster has, and how many of them have work."""

    def done(self, report: Report) -> None:
        """Report the end of a set, good or bad."""

    def printed(self, stem: str, failure: str | None) -> None:
        """Report that the page of a set was printed, or in `failure` why its PDF could not be made."""


class Vectors(NamedTuple):
    """Files of vectors that were computed elsewhere: of a set's sentences, and of the sentences of the baseline."""

    file: str
    baseline: str


class Request(NamedTuple):
    """The model that a set asks for, exactly as the set writes it; with `vectors`, what to call them."""

    model: str
    revision: str | None = None
    fallback_model: str | None = None
    vectors: Vectors | None = None


@dataclass(frozen=True)
class ModelChoice:
    """One model of a comparison: what the set calls it, what it asks for, and how it is used."""

    label: str
    request: Request
    prompt: str | None = None
    truncate_dim: int | None = None


@dataclass(frozen=True)
class FoundModel:
    """The model that runs.

    `name` is its hub id, or its folder as the author wrote it; `folder` is the absolute path of its files on this
    machine and never belongs on a page. `sha256` is that of the weights file; if there are several, that of the
    text ``sha256sum`` prints for them (a line ``<hash>  <relative path>`` each, sorted by path). `stands_in_for`
    is the model asked for if this one is the fallback; `reason` says why, in one clause.
    """

    name: str
    revision: str | None
    source: Source
    folder: str
    sha256: str
    stands_in_for: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Job:
    """One report to make: plain data, enough for another process or machine to make it.

    `notebook` is the notebook as JSON text, `parameters` is what papermill injects into it, `n` is the number of
    sentences. `models` holds each model that the set asks for as it was found, or the reason why it was not. `date`,
    `command` (what makes the report again) and `warnings` are shown on the page. `timeout` is in seconds. `folder` is
    the absolute folder of a set that has its texts in a file, else empty; it never belongs on a page. `sha256` is that
    of the file: a job does not carry its texts, so the kernel reads it again and fails if it changed. `device` is where
    the model runs, `tables` holds the suffixes of the tables to make, of those in `WRITTEN`. `epoch` is what the
    variable `EPOCH` was where the job was prepared.
    """

    stem: str
    notebook: str
    parameters: Mapping[str, Any]
    n: int
    models: tuple[tuple[Request, FoundModel | str], ...]
    date: str
    command: str
    warnings: tuple[str, ...] = ()
    timeout: float = 900.0
    folder: str = ""
    sha256: str = ""
    device: str = "cpu"
    tables: tuple[str, ...] = (".csv",)
    epoch: str = ""


# --- what came out ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A report that was made: the bytes of every file, by suffix (".html", ".ipynb", ".csv", maybe more of `WRITTEN`).

    In a notebook it displays itself. `thumbnail` is the heatmap as a small square of colors; `seconds` is how long
    the report took.
    """

    stem: str
    files: Mapping[str, bytes] = field(repr=False)
    summary: Summary = field(repr=False)
    thumbnail: tuple[tuple[str, ...], ...] = field(repr=False)
    seconds: float

    def _repr_html_(self) -> str:
        page = html.escape(self.files[".html"].decode("utf-8"))
        title = html.escape(str(self.summary.settings["title"]))
        return (
            f'<iframe title="{title}" srcdoc="{page}" style="width: 100%; height: 80vh; border: 0"></iframe>'
        )


@dataclass(frozen=True)
class Failed:
    """A report that could not be made.

    `notebook` holds the bytes of the notebook as far as it ran, None if it did not run. `traceback` is that of an
    error nobody expected, which is a bug in this program; None for every other reason.
    """

    stem: str
    reason: str
    notebook: bytes | None = field(default=None, repr=False)
    traceback: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Report:
    """What is known of one set's report: a row of the final table, a card of the index, an entry of the state.

    `digest` is that of what the report was made from, None if it must be made again. `date` is the day of the last
    good report, None if there is none; then `title`, `model` and `n` come from the set alone. `model` is a name; for
    several models, which have no one `closest` pair, it lists their `labels` in plain text. `missing` holds the labels
    of those that were not found.
    `finding` says what came out, `checks` what the set expects and whether that is met, `failure` why the last run
    failed. `tables` holds the SHA-256 of the files of `WRITTEN` that were written, or may have been: they have no room
    for a marker. `beside` holds the suffixes of those of the last good report.
    `pdf` holds the SHA-256 of the page that was printed last, and of its PDF; `printed` says that this PDF is there and
    shows the page as it is. `set_file` is the set's path from the output folder, with ``/``; `gone` says that it is no
    longer there.
    `traceback` is kept for the listener only, never in the state.
    """

    stem: str
    title: str
    set_file: str
    model: str
    n: int
    digest: str | None = None
    date: str | None = None
    stands_in_for: str | None = None
    closest: tuple[str, str, float] | None = None
    seconds: float | None = None
    thumbnail: tuple[tuple[str, ...], ...] | None = None
    tables: tuple[str, ...] = ()
    beside: tuple[str, ...] = (".csv",)
    notices: tuple[str, ...] = ()
    finding: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    failure: str | None = None
    gone: bool = False
    pdf: tuple[str, str] | None = None
    printed: bool = False
    traceback: str | None = field(default=None, compare=False)

    @property
    def unmet(self) -> tuple[Check, ...]:
        """What the set expects and the last good report does not meet."""
        return tuple(check for check in self.checks if not check.met)

    @property
    def model_field(self) -> str:
        """The model's name; for several models, their labels as a JSON list, because a label can hold any separator."""
        return json.dumps(self.labels, ensure_ascii=False) if self.labels else self.model
