"""Run a notebook with papermill, in a kernel that can be ended at any time."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from threading import Timer
from typing import Any, cast

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from traitlets import Any as AnyTrait

from sentence_reports.errors import ExecutionError
from sentence_reports.execution.environment import ENOUGH_FILES, raise_file_limit
from sentence_reports.execution.kernels import Kernels
from sentence_reports.execution.start_kernel import private_kernel
from sentence_reports.process import temporary_folder
from sentence_reports.report import PROGRESS, Step

LEAST_FILES = 128  # with fewer open files a kernel cannot start, or dies without a message
KERNEL_ENDED = "KernelEnded"  # the name of the error at a cell whose kernel died or was killed

Progress = Callable[[int, int, Step], None]
Collect = Callable[[Path], None]


class Execution:
    """One execution of a notebook, which ends when its time is up or `end` is called."""

    def __init__(self, timeout: float) -> None:
        self.reason: str | None = None
        self._timeout = timeout
        self._kernel: AsyncKernelManager | None = None

    @contextmanager
    def using(self, kernel: AsyncKernelManager) -> Iterator[None]:
        """Let `end` kill `kernel` while the block runs, and call it when the time is up."""
        late = f"timed out after {self._timeout:g} s; raise the limit with --timeout"
        timer = Timer(self._timeout, self.end, [late])
        timer.daemon = True
        self._kernel = kernel
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._kernel = None

    def check(self, **_: Any) -> None:
        """Raise RuntimeError if `end` was called when there was no kernel yet to kill."""
        if self.reason is not None:
            raise RuntimeError(self.reason)

    def end(self, reason: str) -> None:
        """Kill the kernel, or have `check` keep it from running a cell. From any thread."""
        self.reason, kernel = reason, self._kernel
        if kernel is not None and kernel.provisioner is not None:
            asyncio.run(kernel.provisioner.kill())


class Client(PapermillNotebookClient):
    """Papermill's client, which also receives the progress of a cell.

    A notebook reports it by updating a display that was never shown, whose data has the type `PROGRESS` and the
    integers `done` and `total`, and a `step`. Stock papermill and JupyterLab ignore such a message; here it is not kept
    either.
    """

    progress = AnyTrait()

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Handle one message of the kernel."""
        if msg["msg_type"] == "update_display_data" and PROGRESS in msg["content"]["data"]:
            if self.progress is not None:
                news = msg["content"]["data"][PROGRESS]
                self.progress(news["done"], news["total"], news["step"])
            return None
        return cast("NotebookNode | None", super().process_message(msg, cell, cell_index))


class Engine(NBClientEngine):
    """A papermill engine that gives every notebook a private kernel.

    A kernel that dies or is killed leaves an ordinary error at the cell that ran, so that papermill saves and
    reports it like any other error.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        env: Mapping[str, str],
        execution: Execution,
        kernels: Kernels,
        died: str,
        progress: Progress | None,
        collect: Collect | None,
        **_: Any,
    ) -> None:
        """Run all cells, then collect the files that they wrote."""
        with private_kernel(env, kernels) as (kernel, start), execution.using(kernel):
            client = Client(
                nb_man,
                progress=progress,
                km=kernel,
                kernel_name=kernel_name,
                record_timing=False,
                shutdown_kernel="immediate",
                timeout=None,  # the time limit is that of the whole notebook
                on_cell_start=execution.check,
            )
            try:
                client.execute(cleanup_kc=True, **start)
            except RuntimeError as error:  # the kernel died, or the execution was ended
                code = [cell for cell in nb_man.nb.cells if cell.cell_type == "code"]
                started = [cell for cell in code if cell.metadata.papermill["status"] != nb_man.PENDING]
                cell = (started or code[:1])[-1]
                reason = execution.reason or (died if isinstance(error, DeadKernelError) else str(error))
                output = nbformat.v4.new_output(
                    "error", ename=KERNEL_ENDED, evalue=reason, traceback=[reason]
                )
                cell.outputs.append(output)
                nb_man.cell_exception(cell)
            else:
                if collect is not None:
                    collect(Path(start["cwd"]))


papermill_engines.register("sentence-reports", Engine)


def execute(
    notebook: NotebookNode,
    parameters: Mapping[str, Any],
    *,
    env: Mapping[str, str],
    timeout: float,
    kernels: Kernels | None = None,
    died: str,
    progress: Progress | None = None,
    collect: Collect | None = None,
) -> NotebookNode:
    """Run `notebook` with `parameters` in a new kernel and return the executed notebook.

    The kernel comes from `kernels`, whose `stop` ends it, or is an ordinary process; it gets the variables `env`, and
    `timeout` seconds for the whole notebook. If it dies because the fork server did, the notebook is run again in an
    ordinary process. `progress(done, total, step)` is called, in another thread, each time the notebook reports it,
    `collect(folder)` when all cells have run, with the folder in which the kernel worked and which is then removed.

    Raises ExecutionError if a cell fails, the kernel dies (`died` is then the message), is stopped or times out, or
    too few files can be open; the error's `notebook` is as far as it ran, with the error in the output of its cell.
    """
    if (limit := raise_file_limit()) < LEAST_FILES:
        raise ExecutionError(
            f"only {limit} files can be open at once, and running a notebook takes at least {LEAST_FILES}. "
            f"Raise the limit: ulimit -n {ENOUGH_FILES}",
            notebook,
        )
    kernels = kernels or Kernels(warm=False)
    while True:
        execution, server = Execution(timeout), kernels.server
        with temporary_folder() as folder, kernels.running(execution):
            saved = folder / "executed.ipynb"
            try:
                executed = _run_papermill(
                    execution,
                    notebook,
                    saved,
                    dict(parameters),
                    engine_name="sentence-reports",
                    kernel_name="python3",
                    language="python",
                    progress_bar=False,
                    request_save_on_cell_execute=False,
                    env=env,
                    kernels=kernels,
                    died=died,
                    progress=progress,
                    collect=collect,
                )
                return _scrub(executed)
            except papermill.PapermillExecutionError as error:
                kernels.check_server()
                died_with_server = error.ename == KERNEL_ENDED and server is not kernels.server
                if execution.reason is not None or not died_with_server:
                    raise ExecutionError(
                        _message(error), _scrub(nbformat.read(saved, as_version=4))
                    ) from error


def _run_papermill(execution: Execution, *arguments: Any, **options: Any) -> NotebookNode:
    """Run papermill in another thread: jupyter_client's event loop cannot run inside one that runs here."""

    def run() -> NotebookNode:
        try:
            executed = papermill.execute_notebook(*arguments, execution=execution, **options)
            return cast("NotebookNode", executed)
        finally:
            ensure_event_loop().close()  # jupyter_client opens one for each thread and leaves it open

    with ThreadPoolExecutor(2) as pool:
        try:
            return pool.submit(run).result()
        except KeyboardInterrupt:
            pool.submit(execution.end, "interrupted")
            raise


def _message(error: papermill.PapermillExecutionError) -> str:
    """Return an expected error's own message, or else the cell and the exception."""
    reason = f"{error.evalue}".strip()
    if reason and error.ename in (KERNEL_ENDED, "ModelError", "SetError"):
        return reason
    return f"cell {error.exec_count} of the notebook failed: {error.ename}" + (reason and f": {reason}")


def _scrub(notebook: NotebookNode) -> NotebookNode:
    """Remove what differs from run to run and from machine to machine.

    These are times, paths, a random cell id, and how the text that a cell printed happened to be split.
    """
    notebook.metadata.papermill = {"parameters": notebook.metadata.papermill.get("parameters", {})}
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
            cell.metadata["slideshow"] = {"slide_type": "skip"}  # else it would be the first slide
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return notebook


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return the outputs of a cell with each stream in one piece up to the next output that is not a stream.

    nbclient's `coalesce_streams` would also apply the carriage returns and backspaces in a text.
    """
    joined: list[NotebookNode] = []
    for output in outputs:
        streams = takewhile(lambda earlier: earlier.output_type == "stream", reversed(joined))
        same = [earlier for earlier in streams if earlier.name == output.get("name")]
        if same:
            same[0].text += output.text
        else:
            joined.append(output)
    return joined
