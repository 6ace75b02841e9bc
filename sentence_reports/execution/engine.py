"""From a set's parameters and the notebook to the executed notebook, by papermill."""

import asyncio
import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
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

from sentence_reports.errors import ExecutionError
from sentence_reports.execution.forkserver import ForkServer
from sentence_reports.execution.kernels import private_kernel
from sentence_reports.process import temporary_folder

# Below this a kernel cannot start, or dies without saying why; if allowed, the limit is raised to the second number.
LEAST_FILES, ENOUGH_FILES = 128, 1024
PROGRESS = "application/vnd.sentence-reports.progress+json"
STOPPED = "KernelStopped"  # the name of the error at a cell whose kernel died or was ended
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Client(PapermillNotebookClient):
    """Papermill's client, which also hears how far a cell has come.

    A notebook says so by updating a display that was never shown, whose data has the type `PROGRESS` and the
    integers `done` and `total`. Stock papermill and JupyterLab ignore such a message; here it is not kept either.
    """

    def __init__(self, *args: Any, progress: Callable[[int, int], None] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._progress = progress

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Handle one message of the kernel."""
        if msg["msg_type"] == "update_display_data" and PROGRESS in msg["content"]["data"]:
            if self._progress is not None:
                news = msg["content"]["data"][PROGRESS]
                self._progress(news["done"], news["total"])
            return None
        return cast("NotebookNode | None", super().process_message(msg, cell, cell_index))


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
        progress: Callable[[int, int], None] | None,
        **_: Any,
    ) -> None:
        """Run all cells in a kernel with `env`, under `watch`; `died` says of one that died what it had to do."""
        with private_kernel(env, server) as (kernel, start), watch.over(kernel):
            client = Client(
                nb_man,
                progress=progress,
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
    progress: Callable[[int, int], None] | None = None,
) -> NotebookNode:
    """Run `notebook` with `parameters` in a kernel of its own and return the executed notebook.

    `n` is the number of sentences, `model` the name of what runs, `models` the models already found
    (`models.handover`); with a `server`
    the kernel starts warm, and one that died because the server did is replaced by an ordinary one. `progress` is
    called with the numbers of texts done and in all whenever the notebook tells them, in the calling thread. Raises
    ExecutionError if a cell fails, the kernel dies or `watch` ends it, or too few files may be open; the error's
    `notebook` is what there is by then, with the error at its cell.
    """
    if (limit := _raise_file_limit()) < LEAST_FILES:
        raise ExecutionError(
            f"only {limit} files can be open at once, and running a notebook takes at least {LEAST_FILES}. "
            f"Raise the limit: ulimit -n {ENOUGH_FILES}",
            notebook,
        )
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
                env={"SENTENCE_REPORTS_MODELS": models},
                watch=watch,
                server=server,
                progress=progress,
                died=f"the kernel died, probably out of memory: {n} sentences, model {model}",
            )
        except papermill.PapermillExecutionError as error:
            if error.ename == STOPPED and watch.reason is None and server is not None and server.died:
                return execute(  # it died with its server
                    notebook, parameters, n=n, model=model, models=models, watch=watch, progress=progress
                )
            raise ExecutionError(_words(error), _scrub(nbformat.read(saved, as_version=4))) from error
        finally:
            ensure_event_loop().close()  # jupyter_client opens one for each thread and leaves it open
    return _scrub(executed)


def _raise_file_limit() -> float:
    """Let this process and its kernels open `ENOUGH_FILES`, if the system allows it; return how many they can open."""
    if os.name != "posix":
        return math.inf
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return math.inf if soft == resource.RLIM_INFINITY else soft


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
