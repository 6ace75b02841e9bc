"""The function that makes a report from a job."""

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
from sentence_reports.pages.tables import table_csv, thumbnail
from sentence_reports.report import FOLDER, Failed, FoundModel, Job, Made
from sentence_reports.summary import CollectionSummary, PageFacts, read_summary


def make_report(
    job: Job, kernels: Kernels | None = None, progress: Callable[[int, int], None] | None = None
) -> Made | Failed:
    """Return a report's page, executed notebook and table as bytes, or the reason why it could not be made.

    Apart from the kernel that it runs, it has no side effects: it does not touch the output folder, so it can run in
    a thread, in a process and on another machine. Without `kernels` the notebook gets an ordinary kernel. `progress`
    is called with the number of sentences encoded and of all sentences.
    """
    began = time.monotonic()
    names = " or ".join(model.name for _, model in job.models if isinstance(model, FoundModel))
    facts = PageFacts(job.stem, job.date, job.command, job.warnings)
    try:
        try:
            executed = execute(
                nbformat.reads(job.notebook, as_version=4),
                dict(job.parameters),
                env={HANDOVER: handover(job.models)} | ({FOLDER: job.folder} if job.folder else {}),
                timeout=job.timeout,
                kernels=kernels,
                died=f"the kernel died, probably out of memory: {job.n} sentences, model {names}",
                progress=progress,
            )
        except ExecutionError as error:
            facts.write_to(error.notebook)
            return Failed(job.stem, str(error), notebook=_bytes(error.notebook))
        facts.write_to(executed)
        summary = read_summary(executed)
        page = render(executed)
        assert not isinstance(summary, CollectionSummary)  # it has no page yet
        files = {
            ".html": page.encode(),
            ".ipynb": _bytes(executed),
            ".csv": table_csv(summary).encode(),
        }
        return Made(job.stem, files, summary, thumbnail(summary), round(time.monotonic() - began, 1))
    except SentenceReportsError as error:
        return Failed(job.stem, str(error))
    except Exception as error:
        return Failed(job.stem, f"{type(error).__name__}: {error}", traceback=traceback.format_exc())


def _bytes(notebook: NotebookNode) -> bytes:
    return f"{nbformat.writes(notebook)}\n".encode()
