"""The function that makes a report from a job."""

import time
import traceback
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from sentence_reports.errors import ExecutionError, RenderError, SentenceReportsError
from sentence_reports.execution.engine import Progress, execute
from sentence_reports.execution.kernels import Kernels
from sentence_reports.models import HANDOVER, handover
from sentence_reports.pages.render import render
from sentence_reports.pages.tables import table_csv, thumbnail
from sentence_reports.report import (
    DEVICE,
    EMBEDDINGS,
    EPOCH,
    FOLDER,
    TEXTS_HASH,
    WRITTEN,
    Failed,
    FoundModel,
    Job,
    Made,
)
from sentence_reports.summary import CollectionSummary, PageFacts, read_summary


def make_report(job: Job, kernels: Kernels | None = None, progress: Progress | None = None) -> Made | Failed:
    """Return a report's page, executed notebook and table as bytes, or the reason why it could not be made.

    Apart from the kernel that it runs, it has no side effects: it does not touch the output folder, so it can run in
    a thread, in a process and on another machine. Without `kernels` the notebook gets an ordinary kernel. `progress`
    is called each time the notebook reports how far it is, see `Listener`.
    """
    began = time.monotonic()
    written: dict[str, bytes] = {}
    names = " or ".join(model.name for _, model in job.models if isinstance(model, FoundModel))
    noun = "texts" if job.folder else "sentences"
    facts = PageFacts(job.stem, job.date, job.command, job.warnings)
    try:
        try:
            executed = execute(
                nbformat.reads(job.notebook, as_version=4),
                dict(job.parameters),
                env=_environment(job),
                timeout=job.timeout,
                kernels=kernels,
                died=f"the kernel died, probably out of memory: {job.n} {noun}, model {names}",
                progress=progress,
                collect=lambda folder: written.update(_read_written(folder)),
            )
        except ExecutionError as error:
            facts.write_to(error.notebook)
            return Failed(job.stem, str(error), notebook=_bytes(error.notebook))
        facts.write_to(executed)
        summary = read_summary(executed)
        page = {".html": render(executed).encode(), ".ipynb": _bytes(executed)}
        if isinstance(summary, CollectionSummary):
            tables = _tables(written, job)
        else:
            tables = {".csv": table_csv(summary).encode()}
        return Made(job.stem, page | tables, summary, thumbnail(summary), round(time.monotonic() - began, 1))
    except SentenceReportsError as error:
        return Failed(job.stem, str(error))
    except Exception as error:
        return Failed(job.stem, f"{type(error).__name__}: {error}", traceback=traceback.format_exc())


def _environment(job: Job) -> dict[str, str]:
    """Return what a kernel has to know of the job beyond its notebook and parameters."""
    env = {HANDOVER: handover(job.models), DEVICE: job.device}
    if job.epoch:
        env[EPOCH] = job.epoch
    if ".npy" in job.tables:
        env[EMBEDDINGS] = "yes"
    if job.folder:
        env |= {FOLDER: job.folder, TEXTS_HASH: job.sha256}
    return env


def _read_written(folder: Path) -> dict[str, bytes]:
    """Return the files that the notebook of a collection wrote, by suffix."""
    return {
        suffix: (folder / name).read_bytes() for suffix, name in WRITTEN.items() if (folder / name).is_file()
    }


def _tables(written: Mapping[str, bytes], job: Job) -> dict[str, bytes]:
    """Return the tables of a collection. Raises RenderError if the notebook did not write one of them."""
    if missing := [WRITTEN[suffix] for suffix in job.tables if suffix not in written]:
        raise RenderError(f"the notebook of a collection must write {' and '.join(missing)}")
    return {suffix: written[suffix] for suffix in job.tables}


def _bytes(notebook: NotebookNode) -> bytes:
    return f"{nbformat.writes(notebook)}\n".encode()
