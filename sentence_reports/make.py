"""The one function that makes a report: from a job to the bytes of every file, or why there are none."""

import time
import traceback
from collections.abc import Callable

import nbformat
from nbformat import NotebookNode

from sentence_reports.errors import ExecutionError, SentenceReportsError
from sentence_reports.execution.engine import execute
from sentence_reports.execution.kernels import Kernels
from sentence_reports.models import HANDOVER, handover
from sentence_reports.pages.render import render
from sentence_reports.pages.tables import matrix_csv, thumbnail
from sentence_reports.report import Failed, Job, Made
from sentence_reports.summary import PageFacts, read_summary


def make_report(
    job: Job, kernels: Kernels | None = None, progress: Callable[[int, int], None] | None = None
) -> Made | Failed:
    """Make one report: the bytes of its page, its executed notebook and its table, or why there are none.

    Pure but for the kernel that it runs: it reads and writes no file of the output folder and tells nobody, so it
    runs in a thread, in a process and on another machine. Without `kernels` the notebook gets an ordinary kernel of
    its own. `progress` is called with how many of how many sentences are encoded.
    """
    began = time.monotonic()
    facts = PageFacts(job.stem, job.date, job.command, job.warnings)
    try:
        try:
            executed = execute(
                nbformat.reads(job.notebook, as_version=4),
                dict(job.parameters),
                env={HANDOVER: handover(job.request, job.model)},
                timeout=job.timeout,
                kernels=kernels,
                died=f"the kernel died, probably out of memory: {job.n} sentences, model {job.model.name}",
                progress=progress,
            )
        except ExecutionError as error:
            facts.write_to(error.notebook)
            return Failed(job.stem, str(error), notebook=_bytes(error.notebook))
        facts.write_to(executed)
        summary = read_summary(executed)
        files = {
            ".html": render(executed).encode(),
            ".ipynb": _bytes(executed),
            ".csv": matrix_csv(summary).encode(),
        }
        return Made(job.stem, files, summary, thumbnail(summary), round(time.monotonic() - began, 1))
    except SentenceReportsError as error:
        return Failed(job.stem, str(error))
    except Exception as error:
        return Failed(job.stem, f"{type(error).__name__}: {error}", traceback=traceback.format_exc())


def _bytes(notebook: NotebookNode) -> bytes:
    return f"{nbformat.writes(notebook)}\n".encode()
