"""From a set's parameters and the notebook to the executed notebook, by papermill."""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from threading import Timer
from typing import Any

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from sentence_reports.errors import ExecutionError
from sentence_reports.execution.forkserver import ForkServer
from sentence_reports.execution.kernels import private_kernel
from sentence_reports.process import temporary_folder

MANY_SENTENCES = (
    200  # from here on a kernel takes all cores; below, a second thread costs more than it brings
)
STOPPED = "KernelStopped"  # the name of the error at a cell whose kernel died or was ended
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class SetEngine(NBClientEngine):
    """A papermill engine that gives every notebook a private kernel, which a `Watch` can stop.

    A kernel that dies or is stopped leaves an ordinary error at the cell that ran, so that papermill saves
    and reports it like any other error.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        env: dict[str, str],
        watch: "Watch",
        server: ForkServer | None,
        died: str,
        **_: Any,
    ) -> None:
        """Run all cells in a kernel with `env`, under `watch`; `died` says of one that died what it had to do."""
        with private_kernel(env, server) as (kernel, start), watch.over(kernel):
            client = PapermillNotebookClient(
                nb_man,
                km=kernel,
                kernel_name=kernel_name,
                record_timing=False,
                shutdown_kernel="immediate",
                timeout=None,  # the watch limits the whole set
                on_cell_start=watch.check,
            )
            try:
                client.execute(cleanup_kc=True, **start)
            # nbclient's words for: died in a cell; died before its first answer. Or stopped before it began.
            except (DeadKernelError, RuntimeError):
                _mark_stopped(nb_man, watch.reason or died)


papermill_engines.register("sentence-reports", SetEngine)


class Watch:
    """Ends a kernel when its time is up or when the run is stopped; `reason` then says which, else it is None."""

    def __init__(self, seconds: float) -> None:
        self.reason: str | None = None
        self._seconds = seconds
        self._kernel: AsyncKernelManager | None = None

    @contextmanager
    def over(self, kernel: AsyncKernelManager) -> Iterator[None]:
        """Watch `kernel` while the block runs."""
        late = f"the set's time limit of {self._seconds:g} s has passed; --timeout SECONDS allows more"
        timer = Timer(self._seconds, self.end, [late])
        timer.daemon = True
        self._kernel = kernel
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._kernel = None

    def check(self, **_: Any) -> None:
        """Raise RuntimeError if the end was called for before there was a kernel to kill."""
        if self.reason is not None:
            raise RuntimeError(self.reason)

    def end(self, reason: str) -> None:
        """Kill the watched kernel, if it is there yet; `check` stops one that is not. From any thread."""
        self.reason, kernel = reason, self._kernel
        if kernel is not None and kernel.provisioner is not None:
            asyncio.run(kernel.provisioner.kill())


def _mark_stopped(nb_man: NotebookExecutionManager, words: str) -> None:
    code = [cell for cell in nb_man.nb.cells if cell.cell_type == "code"]
    started = [cell for cell in code if cell.metadata.papermill["status"] != nb_man.PENDING]
    cell = started[-1] if started else code[0]
    cell.outputs.append(nbformat.v4.new_output("error", ename=STOPPED, evalue=words, traceback=[words]))
    nb_man.cell_exception(cell)


def execute(
    notebook: NotebookNode,
    parameters: dict[str, Any],
    *,
    n: int,
    model: str,
    models: str,
    watch: Watch,
    server: ForkServer | None = None,
) -> NotebookNode:
    """Run `notebook` with `parameters` in a kernel of its own and give the executed notebook.

    `n` is the number of sentences, `model` the name of what runs, `models` the models already found
    (`models.handover`); with a `server`
    the kernel starts warm, and one that died because the server did is replaced by an ordinary one. Raises
    ExecutionError where a cell fails, the kernel dies or `watch` ends it; the error's `notebook` is what there
    is by then, with the error at its cell.
    """
    with temporary_folder() as folder:
        saved = folder / "executed.ipynb"
        try:
            executed = papermill.execute_notebook(
                notebook,
                saved,
                parameters,
                engine_name="sentence-reports",
                kernel_name="python3",
                language="python",
                progress_bar=False,
                request_save_on_cell_execute=False,
                env=_environment(n, models),
                watch=watch,
                server=server,
                died=f"the kernel died, probably out of memory: {n} sentences, model {model}",
            )
        except papermill.PapermillExecutionError as error:
            if error.ename == STOPPED and watch.reason is None and server is not None and server.died:
                return execute(
                    notebook, parameters, n=n, model=model, models=models, watch=watch
                )  # it died with its server
            raise ExecutionError(_words(error), _scrub(nbformat.read(saved, as_version=4))) from error
        finally:
            ensure_event_loop().close()  # jupyter_client opens one for each thread and leaves it open
    return _scrub(executed)


def _environment(n: int, models: str) -> dict[str, str]:
    # Decided by the set and the machine alone, never by what else runs: the last bits depend on it.
    threads = str(1 if n < MANY_SENTENCES else os.cpu_count() or 1)
    return {
        "SENTENCE_REPORTS_MODELS": models,
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
    }


def _words(error: papermill.PapermillExecutionError) -> str:
    reason = ANSI.sub("", f"{error.evalue}".strip())
    if reason and error.ename in (STOPPED, "ModelError", "SetError"):
        return reason
    return f"cell {error.exec_count} of the notebook failed: {error.ename}" + (reason and f": {reason}")


def _scrub(notebook: NotebookNode) -> NotebookNode:
    """Take out what differs from run to run and from machine to machine: times, paths, a random cell id, and
    into how many pieces chance divided what a cell printed.
    """
    notebook.metadata.papermill = {"parameters": notebook.metadata.papermill.get("parameters", {})}
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return notebook


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs of a cell, each stream whole up to the next output that is none.

    nbclient's `coalesce_streams` would also carry out the carriage returns and backspaces in a text.
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
