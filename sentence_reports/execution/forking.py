"""The run's side of the fork server: it starts the server, asks it for kernels and follows their lives.

`sentence_reports.execution.forkserver` is the server's side. What travels between them:

* the server's standard input: a pipe that carries nothing. It closes when the run ends, however it ends, and Linux
  then ends the server; the kernels end with the server.
* the control socket: one byte and one end of a new socket, the kernel's channel, for each kernel wanted.
* a channel: the order (JSON, to the end of the stream) goes to the kernel; back come its process id from the kernel
  itself and, after its end, its exit code from the server. If no exit code comes, the server died.

Multiprocessing's own fork server does not fit: kernels hold its "alive" pipe open, so both keep running after the
run was killed, and its lifetime, environment and streams cannot be chosen for each run.
"""

import ast
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from sentence_reports.execution.environment import THREADS, kernel_environment

if TYPE_CHECKING:
    from nbformat import NotebookNode

NEWS = struct.Struct("ci")  # STARTED and the process id, or ENDED and the exit code
STARTED, ENDED = b"s", b"e"
KILLED = -9  # the exit code reported for a kernel whose server is gone: they ended together


def imports_of(notebooks: "Iterable[NotebookNode]") -> list[str]:
    """Return the import statements at the top level of the notebooks' code cells, each once, in order."""
    statements: dict[str, None] = {}
    for cell in (cell for notebook in notebooks for cell in notebook.cells if cell.cell_type == "code"):
        with contextlib.suppress(SyntaxError):  # the kernel will report it, or it is IPython's own syntax
            nodes = ast.parse(cell.source).body
            statements |= {ast.unparse(n): None for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)}
    return list(statements)


class ForkServer:
    """A process that imports and then forks kernels; it starts at once. Safe to use from several threads.

    `imports` are import statements, `rehearse` names a function ("package.module:function") to call after them.
    Raises OSError if the process cannot be started.
    """

    def __init__(self, imports: Sequence[str], rehearse: str | None) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._control, theirs = socket.socketpair()
        order = json.dumps({"imports": list(imports), "rehearse": rehearse})
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sentence_reports.execution.forkserver", str(theirs.fileno()), order],
                stdin=subprocess.PIPE,
                cwd=tempfile.gettempdir(),
                # One thread: a pool of threads that exists at the fork would be dead in every kernel.
                env=kernel_environment() | dict.fromkeys(THREADS, "1"),
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the run, which then stops the server
            )
        self.pid = self._process.pid

    def fork(self, lost: Callable[[], None]) -> "ForkedKernel":
        """Ask for a kernel. `lost` is called if the server turns out to be gone. Raises ConnectionError if it is."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                if self._stopped:
                    raise ConnectionResetError("the fork server was stopped")
                socket.send_fds(self._control, [b"k"], [theirs.fileno()])
        except ConnectionError:
            ours.close()
            lost()
            raise
        return ForkedKernel(ours, lost)

    def stop(self) -> None:
        """End the server and the kernels that are left."""
        with self._lock:
            self._stopped = True
            self._control.close()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.kill()
            self._process.wait()


class ForkedKernel:
    """A kernel of the server's, with the part of `subprocess.Popen` that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, channel: socket.socket, lost: Callable[[], None]) -> None:
        self.pid: int | None = None
        self.returncode: int | None = None
        self._channel = channel
        self._lost = lost
        self._unwanted = False
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], env: Mapping[str, str], cwd: str) -> int:
        """Start ipykernel with `arguments` and return its process id. Raises ConnectionError if it does not start."""
        order = {"arguments": arguments, "env": dict(env), "cwd": cwd}
        try:
            self._channel.sendall(json.dumps(order).encode())
            self._channel.shutdown(socket.SHUT_WR)
            news, number = self._news()
            self.pid = number if news == STARTED else None
        finally:
            if self.pid is None:
                self.returncode = KILLED
                self._channel.close()
        if self.pid is None:
            raise ConnectionResetError("the fork server is gone, or the kernel was killed before it started")
        return self.pid

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while the kernel runs."""
        with self._lock:
            if self.returncode is None and self.pid is not None and self._readable(0):
                _, self.returncode = self._news()
                self._channel.close()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end, at most `timeout` seconds, and return what `poll` returns then."""
        if self.returncode is None:
            self._readable(timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel if it runs; any signal keeps one that has not started from starting."""
        if self.pid is None:
            self._unwanted = True
            with contextlib.suppress(OSError):
                self._channel.shutdown(socket.SHUT_RDWR)
        elif self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _readable(self, timeout: float | None) -> bool:
        try:
            return bool(select.select([self._channel], [], [], timeout)[0])
        except ValueError:  # another thread read the end and closed the channel
            return False

    def _news(self) -> tuple[bytes, int]:
        try:
            data = self._channel.recv(NEWS.size, socket.MSG_WAITALL)
        except OSError:
            data = b""
        if len(data) == NEWS.size:
            return cast(tuple[bytes, int], NEWS.unpack(data))
        if not self._unwanted:
            self._lost()
        return ENDED, KILLED
