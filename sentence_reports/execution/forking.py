"""The run's side of the fork server: it starts the server, asks it for kernels and watches them.

`sentence_reports.execution.forkserver` is the server's side. What travels between them:

* the server's standard input: a pipe that carries nothing. It closes when the run ends, however it ends, and Linux
  then ends the server; the kernels end with the server.
* the control socket: one byte and one end of a new socket, the kernel's channel, for each kernel wanted.
* a channel: the order (JSON, to the end of the stream) goes to the kernel, and its process id comes back.

Multiprocessing's own fork server does not fit: kernels hold its "alive" pipe open, so both keep running after the
run was killed, and its lifetime, environment and streams cannot be chosen for each run.
"""

import ast
import contextlib
import json
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import psutil

from sentence_reports.execution.environment import THREADS, kernel_environment

if TYPE_CHECKING:
    from nbformat import NotebookNode

PROCESS_ID = struct.Struct("i")
ENDED = -9  # the exit code reported for every kernel: only its parent, the server, could know it


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
                cwd="/",  # -m imports from it: not a folder in which anyone can write
                # One thread: a pool of threads that exists at the fork would be dead in every kernel.
                env=kernel_environment() | dict.fromkeys(THREADS, "1"),
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the run, which then stops the server
            )
        self.pid = self._process.pid

    def fork(self) -> "ForkedKernel":
        """Ask for a kernel. Raises ConnectionError if the server is gone."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                if self._stopped:
                    raise ConnectionResetError("the fork server was stopped")
                socket.send_fds(self._control, [b"k"], [theirs.fileno()])
        except ConnectionError:
            ours.close()
            raise
        return ForkedKernel(ours)

    def is_gone(self) -> bool:
        """Whether the server has ended; it closes its end of the control socket before its kernels end."""
        with self._lock:
            return self._stopped or bool(select.select([self._control], [], [], 0)[0])

    def stop(self) -> int:
        """End the server and the kernels that are left. Return its exit status: negative if a signal ended it."""
        with self._lock:
            self._stopped = True
            self._control.close()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.kill()
            return self._process.wait()


class ForkedKernel:
    """A kernel of the server's, with the part of `subprocess.Popen` that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, channel: socket.socket) -> None:
        self.returncode: int | None = None
        self._channel = channel
        self._process: psutil.Process | None = None

    def start(self, arguments: Sequence[str], env: Mapping[str, str], cwd: str) -> int:
        """Start ipykernel with `arguments` and return its process id. Raises ConnectionError if it does not start."""
        order = {"arguments": arguments, "env": dict(env), "cwd": cwd}
        try:
            with self._channel:
                self._channel.sendall(json.dumps(order).encode())
                self._channel.shutdown(socket.SHUT_WR)
                (pid,) = PROCESS_ID.unpack(self._channel.recv(PROCESS_ID.size, socket.MSG_WAITALL))
            self._process = psutil.Process(pid)
        except (OSError, struct.error, psutil.NoSuchProcess) as error:
            self.returncode = ENDED
            message = "the fork server is gone, or the kernel was killed before it started"
            raise ConnectionResetError(message) from error
        return int(pid)

    def poll(self) -> int | None:
        """Return `ENDED`, or None while the kernel runs."""
        if self._process is not None:
            try:
                ended = self._process.status() == psutil.STATUS_ZOMBIE  # of a server that is gone
            except psutil.NoSuchProcess:
                ended = True
            self.returncode = ENDED if ended else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end, at most `timeout` seconds, and return what `poll` returns then."""
        if self._process is not None and self.poll() is None:
            with contextlib.suppress(psutil.TimeoutExpired):
                self._process.wait(timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel if it runs; any signal keeps one that has not started from starting."""
        if self._process is None:
            with contextlib.suppress(OSError):
                self._channel.shutdown(socket.SHUT_RDWR)
        else:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._process.send_signal(number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)
