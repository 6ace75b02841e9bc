"""A process that has done the heavy imports and forks kernels from itself: a kernel starts in 0.1 s, not in 5.

`ForkServer` is the run's side: it starts the server and asks it for kernels. `main` is the server's side, run as
``python -m sentence_reports.execution.forkserver``. What travels between them:

* the server's standard input: a pipe that carries nothing. It closes when the run ends, however it ends, and
  Linux then ends the server; the kernels end with the server.
* the control socket: one byte and one end of a new socket, the kernel's channel, for each kernel wanted;
* a channel: the order (JSON, to the end of the stream) towards the kernel; back come its process id from the
  kernel itself and, after its end, its exit code from the server. Where no exit code comes, the server died.

Multiprocessing's own fork server does not fit: kernels hold its "alive" pipe open and keep it and themselves
running after the run was killed, and its life, environment and streams cannot be chosen per run.

Importing this module is light. Only Linux is served: elsewhere a fork without exec is not safe or not there,
or a process cannot tie its life to another's.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sentence_reports.execution.environment import kernel_environment
from sentence_reports.process import end_with

POSSIBLE = sys.platform == "linux"
NEWS = struct.Struct("ci")  # which of the two, and the number
STARTED, ENDED = b"s", b"e"
KILLED = -9  # what is said of a kernel whose server is gone: it went with it

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class ForkServer:
    """A server of warm kernels for one run; safe to use from several threads.

    `stopped` tells a server that was stopped from one that `died`, which shows when a kernel is asked for or lost.
    """

    def __init__(self) -> None:
        self.stopped = self.died = False
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The server's process id; None before the start and after the stop."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start to import, and return at once. Raises OSError where no process can be started."""
        self._control, theirs = socket.socketpair()
        with theirs:
            # In a session of its own: Ctrl-C is for the run, which then stops the server.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sentence_reports.execution.forkserver", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                cwd=tempfile.gettempdir(),
                # One thread: a pool of threads that exists at the fork would be dead in every kernel.
                env=kernel_environment() | dict.fromkeys(THREADS, "1"),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def fork(self) -> "ForkedKernel":
        """Ask for a kernel. Raises ConnectionError where the server is gone."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                if self._process is None:
                    raise ConnectionResetError("the server is not running")
                socket.send_fds(self._control, [b"k"], [theirs.fileno()])
        except ConnectionError:
            ours.close()
            self.lost()
            raise
        return ForkedKernel(ours, self.lost)

    def lost(self) -> None:
        """Note that nobody answers any more: the server was stopped, or else it died."""
        self.died = not self.stopped

    def stop(self) -> None:
        """End the server and the kernels that are left."""
        self.stopped = True
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                assert process.stdin is not None
                self._control.close()
                process.stdin.close()
                process.kill()
                process.wait()


class ForkedKernel:
    """A kernel of the server's, with the part of `subprocess.Popen` that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, channel: socket.socket, server_lost: Callable[[], None]) -> None:
        self.pid: int | None = None
        self.returncode: int | None = None
        self._channel = channel
        self._server_lost = server_lost
        self._unwanted = False
        self._lock = threading.Lock()

    def start(self, arguments: Sequence[str], env: Mapping[str, str], cwd: str) -> int:
        """Start ipykernel with `arguments`; give the process id. Raises ConnectionError where that is not to be."""
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
            raise ConnectionResetError("the server went, or the kernel ended before it began")
        return self.pid

    def poll(self) -> int | None:
        """The exit code, below zero for a signal, or None while the kernel runs."""
        with self._lock:
            if self.returncode is None and self.pid is not None and self._readable(0):
                _, self.returncode = self._news()
                self._channel.close()
            return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end, at most `timeout` seconds; give what `poll` gives then."""
        if self.returncode is None:
            self._readable(timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal, if the kernel runs; one that has not begun to is stopped by any."""
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
        except ValueError:  # closed by another thread: the end was read there
            return False

    def _news(self) -> tuple[bytes, int]:
        try:
            data = self._channel.recv(NEWS.size, socket.MSG_WAITALL)
        except OSError:
            data = b""
        if len(data) == NEWS.size:
            return cast(tuple[bytes, int], NEWS.unpack(data))
        if not self._unwanted:
            self._server_lost()
        return ENDED, KILLED


# --- the server's side -------------------------------------------------------------------------------------

# What the notebook imports, and what that imports only at first use.
MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "ipykernel_launcher",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "sqlite3",
    "tornado.platform.asyncio",
    "sentence_transformers",
    "transformers.models.bert.modeling_bert",
    "transformers.models.bert.tokenization_bert",
    "sentence_transformers.models",
    "pandas.io.formats.html",
    "seaborn",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "sentence_reports.sets",
    "sentence_reports.models",
    "sentence_reports.models.background",
    "sentence_reports.lesson",
)


def main(control: int) -> None:
    """Serve kernels to the run at the other end of the socket `control`; comes back in each kernel, at its end."""
    _end_with_standard_input()
    if Path(sys.path[0]) == Path.cwd():  # -m put it there, unless PYTHONSAFEPATH forbade it
        del sys.path[0]
    streams = os.dup(1), os.dup(2)
    _point_at(os.open(os.devnull, os.O_RDWR), 1, 2)  # what a library says at import is for nobody
    before = dict(os.environ)
    _warm_up()
    added = {name: value for name, value in os.environ.items() if before.get(name) != value}
    channel = _serve(socket.socket(fileno=control))
    _run_kernel(channel, streams, added)


def _end_with_standard_input() -> None:
    """Have Linux end this process when the pipe at its standard input closes, even in the middle of an import."""
    import fcntl

    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:  # closed before that was said
        sys.exit()


def _point_at(target: int, *descriptors: int) -> None:
    for descriptor in descriptors:
        os.dup2(target, descriptor)
    os.close(target)


def _warm_up() -> None:
    gc.disable()  # collections in between only take time
    for name in MODULES:
        importlib.import_module(name)
    from sentence_reports.lesson.rehearsal import rehearse

    rehearse()
    gc.freeze()  # a later collection in a kernel leaves these pages shared
    gc.enable()


def _serve(control: socket.socket) -> socket.socket:
    """Fork a kernel for each request, and report the exit codes; returns in a new kernel only, with its channel."""
    server = os.getpid()
    channels: dict[int, socket.socket] = {}  # by the descriptor that becomes readable when the kernel ends
    pids: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in channels:
                    selector.unregister(key.fd)
                    status = os.waitpid(pids.pop(key.fd), 0)[1]
                    _tell_end(channels.pop(key.fd), os.waitstatus_to_exitcode(status))
                    os.close(key.fd)
                    continue
                _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
                if not descriptors:
                    sys.exit()
                channel = socket.socket(fileno=descriptors[0])
                try:
                    pid = os.fork()
                except OSError:  # no memory for another, or too many processes: the others go on
                    _tell_end(channel, KILLED)
                    continue
                if pid == 0:
                    end_with(server)
                    control.close()
                    for descriptor, other in channels.items():
                        other.close()
                        os.close(descriptor)
                    return channel
                descriptor = os.pidfd_open(pid)
                channels[descriptor], pids[descriptor] = channel, pid
                selector.register(descriptor, selectors.EVENT_READ)


def _tell_end(channel: socket.socket, code: int) -> None:
    with channel, contextlib.suppress(OSError):  # nobody may want to know
        channel.send(NEWS.pack(ENDED, code))


def _run_kernel(channel: socket.socket, streams: tuple[int, int], added: dict[str, str]) -> None:
    """Become what the order asks for: an ordinary IPython kernel, but for the imports that are done.

    `added` is what the imports put into the environment.
    """
    with channel, channel.makefile("rb") as stream:
        text = stream.read()
        if not text:
            os._exit(1)  # the run no longer wants it
        order: dict[str, Any] = json.loads(text)
        os.setsid()
        channel.send(NEWS.pack(STARTED, os.getpid()))
    os.environ.clear()
    os.environ.update(added | order["env"], JPY_PARENT_PID=str(os.getppid()))
    os.chdir(order["cwd"])
    _point_at(streams[0], 1)
    _point_at(streams[1], 2)
    _point_at(os.open(os.devnull, os.O_RDONLY), 0)
    _set_threads(int(os.environ.get(THREADS[0]) or os.cpu_count() or 1))
    _seed()

    from ipykernel.kernelapp import IPKernelApp

    sys.argv = [str(sys.modules["ipykernel_launcher"].__file__), *order["arguments"]]
    # ipykernel read JPY_PARENT_PID when it was imported.
    IPKernelApp.launch_instance(argv=[*order["arguments"], f"--IPKernelApp.parent_handle={os.getppid()}"])


def _set_threads(count: int) -> None:
    """Do what OMP_NUM_THREADS and its kin would have done at import."""
    import torch
    from threadpoolctl import threadpool_limits

    if count != 1:
        threadpool_limits(count)
        torch.set_num_threads(count)


def _seed() -> None:
    """Start the random numbers afresh; Python's own generator does that by itself after a fork."""
    import numpy
    import torch

    numpy.random.seed()
    torch.seed()


if __name__ == "__main__":
    main(int(sys.argv[1]))
