"""The source of a run's kernels, and the one way to end them all."""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from sentence_reports.execution.engine import Execution
    from sentence_reports.execution.forking import ForkServer

STOPPED = "the run was stopped"


class Kernels:
    """The source of kernels for one or more runs; safe to use from several threads.

    On Linux kernels start warm: a process imports what `notebooks` import, calls the function `rehearse`
    ("package.module:function") and forks a kernel in a tenth of a second. Everywhere else, with `warm` False, or
    after that process died, each kernel is an ordinary process, which takes some seconds to import the same.
    As a context manager it starts that process and stops everything.
    """

    def __init__(
        self, notebooks: "Iterable[NotebookNode]" = (), rehearse: str | None = None, *, warm: bool = True
    ) -> None:
        self.stopped = False
        self.server: ForkServer | None = None
        self._notebooks, self._rehearse, self._warm = tuple(notebooks), rehearse, warm
        self._running: set[Execution] = set()
        self._warning: str | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the imports, unless they have started; return at once. Kernels wait until they are done."""
        if self.server is not None or not self._warm:
            return
        if sys.platform != "linux":
            self._warm = False
            self._warning = "warm kernels need Linux; each report will take a few seconds longer"
            return
        from sentence_reports.execution.environment import raise_file_limit
        from sentence_reports.execution.forking import ForkServer, imports_of

        raise_file_limit()  # the server and its kernels inherit it
        try:
            self.server = ForkServer(imports_of(self._notebooks), self._rehearse)
        except OSError as error:
            reason = error.strerror or error
            self._warning = f"no warm kernels ({reason}); each report will take a few seconds longer"

    def take_warning(self) -> str | None:
        """Return why kernels start cold, once for each reason; None if that is not new. Call it after each report."""
        warning, self._warning = self._warning, None
        return warning

    def stop(self) -> None:
        """End all running executions and refuse new ones. From any thread, more than once."""
        with self._lock:
            self.stopped = True
            running = list(self._running)
        self.rest()
        for execution in running:
            execution.end(STOPPED)

    def rest(self) -> None:
        """End the process that starts kernels, and the kernels that are left; `start` starts it again."""
        with self._lock:
            server, self.server = self.server, None
        if server is not None:
            server.stop()

    def check_server(self) -> None:
        """Note if the process that starts kernels has died: the next kernels start cold."""
        with self._lock:
            server = self.server
            if server is None or not server.is_gone():
                return
            self.server = None
        reason = "has died, probably out of memory" if server.stop() < 0 else "cannot be forked"
        self._warning = (
            f"the process that starts kernels {reason}; each remaining report will take a few seconds longer"
        )

    @contextmanager
    def running(self, execution: "Execution") -> "Iterator[None]":
        """Let `stop` end the execution while the block runs; if it was called before, end it at once."""
        with self._lock:
            self._running.add(execution)
            stopped = self.stopped
        if stopped:
            execution.end(STOPPED)
        try:
            yield
        finally:
            self._running.discard(execution)
