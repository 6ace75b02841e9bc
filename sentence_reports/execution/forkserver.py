"""The fork server: a process that has done the heavy imports and forks kernels, in 0.1 s instead of 5 s each.

`sentence_reports.execution.forking` is the run's side and describes what travels between the two. Run as
``python -m sentence_reports.execution.forkserver CONTROL ORDER``: the number of the control socket, and as JSON the
`imports` (statements) and the function to `rehearse`. For Linux only: elsewhere a fork without exec is unsafe or
impossible, or a process cannot tie its life to another's.
"""

import contextlib
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sentence_reports.execution.forking import PROCESS_ID
from sentence_reports.process import end_with

# What a kernel imports before its first cell.
IPYKERNEL = (
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
)


def main(control: int, imports: Iterable[str], rehearse: str | None) -> None:
    """Serve kernels to the run at the other end of the socket `control`. Returns in a kernel only, at its end."""
    end_with_standard_input()
    if Path(sys.path[0]) == Path.cwd():  # -m put it there
        del sys.path[0]
    streams = os.dup(1), os.dup(2)
    _point_at(os.open(os.devnull, os.O_RDWR), 1, 2)  # discard what libraries print during import
    before = dict(os.environ)
    warm_up(imports, rehearse)
    added = {name: value for name, value in os.environ.items() if before.get(name) != value}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a kernel that ends leaves no zombie
    channel = serve(socket.socket(fileno=control))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    run_kernel(channel, streams, added)


def end_with_standard_input() -> None:
    """Have Linux end this process when the pipe at its standard input closes, even in the middle of an import."""
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:  # closed before that was set
        sys.exit()


def _point_at(target: int, *descriptors: int) -> None:
    for descriptor in descriptors:
        os.dup2(target, descriptor)
    os.close(target)


def warm_up(imports: Iterable[str], rehearse: str | None) -> None:
    """Import what ipykernel and the notebooks import, and rehearse; what fails will be reported by a notebook."""
    gc.disable()  # collections in between only take time
    for name in IPYKERNEL:
        importlib.import_module(name)
    for statement in imports:
        with contextlib.suppress(Exception):
            exec(statement, {})
    if rehearse is not None:
        with contextlib.suppress(Exception):
            pkgutil.resolve_name(rehearse)()
    gc.freeze()  # later collections in a kernel leave these pages shared
    gc.enable()
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        sys.exit("a fork would lose threads")  # the kernels start cold instead


def serve(control: socket.socket) -> socket.socket:
    """Fork a kernel for each request. Returns in a new kernel only, with its channel."""
    server = os.getpid()
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            sys.exit()
        channel = socket.socket(fileno=descriptors[0])
        try:
            pid = os.fork()
        except OSError:  # out of memory, or too many processes: the other kernels go on
            pid = None
        if pid == 0:
            end_with(server)
            control.close()
            return channel
        channel.close()


def run_kernel(channel: socket.socket, streams: tuple[int, int], added: dict[str, str]) -> None:
    """Become the ordinary IPython kernel that the order asks for, with the imports done.

    `added` are the variables that the imports added to the environment.
    """
    with channel, channel.makefile("rb") as stream:
        text = stream.read()
        if not text:
            os._exit(1)  # the run no longer wants this kernel
        order: dict[str, Any] = json.loads(text)
        os.setsid()
        channel.send(PROCESS_ID.pack(os.getpid()))
    os.environ.clear()
    os.environ.update(added | order["env"], JPY_PARENT_PID=str(os.getppid()))
    os.chdir(order["cwd"])
    _point_at(streams[0], 1)
    _point_at(streams[1], 2)
    _point_at(os.open(os.devnull, os.O_RDONLY), 0)
    set_up_libraries(threads=int(os.environ["OMP_NUM_THREADS"]))

    from ipykernel.kernelapp import IPKernelApp

    sys.argv = [str(sys.modules["ipykernel_launcher"].__file__), *order["arguments"]]
    # ipykernel read JPY_PARENT_PID when it was imported.
    IPKernelApp.launch_instance(argv=[*order["arguments"], f"--IPKernelApp.parent_handle={os.getppid()}"])


def set_up_libraries(threads: int) -> None:
    """Do what libraries do when they are imported: read the number of threads and seed their random generators.

    Python's own generator is seeded after every fork.
    """
    if threads != 1:
        from threadpoolctl import threadpool_limits

        threadpool_limits(threads)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
        torch.seed()


if __name__ == "__main__":
    main(int(sys.argv[1]), **json.loads(sys.argv[2]))
