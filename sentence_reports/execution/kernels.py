"""Kernels for one run of the notebook each: of this environment, shut off from the user's own Jupyter set-up.

They start warm, forked by a `ForkServer`, where there is one, and otherwise cold, as Jupyter starts any kernel.
"""

import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty
from typing import Any, cast

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Instance

from sentence_reports.execution.environment import kernel_environment
from sentence_reports.execution.forkserver import ForkServer
from sentence_reports.process import temporary_folder

# A socket's path holds about 100 characters at most; in a longer folder the kernel talks over TCP.
LONGEST_IPC_FOLDER = 85

# The sockets of a kernel are there some hundredths of a second after its process.
RECONNECT_MILLISECONDS = 5
LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]


class ForkProvisioner(LocalProvisioner):
    """Jupyter's provisioner of local processes, but that the fork server makes the process.

    Where the server died, an ordinary process takes its place.
    """

    server = Instance(ForkServer)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel. Raises RuntimeError where the server was stopped."""
        try:
            kernel = self.server.fork()
            self.process = cast(Any, kernel)  # has all of Popen that is asked for
            self.pid = self.pgid = kernel.start(cmd[len(LAUNCHER) :], kwargs["env"], kwargs["cwd"])
        except ConnectionError as error:
            if self.server.stopped:
                raise RuntimeError("the run was stopped") from error
            return await super().launch_kernel(cmd, **kwargs)
        self.cwd = kwargs["cwd"]
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and see it go, which takes a hundredth of a second: jupyter_client looks again in a tenth."""
        process = self.process
        await super().kill(restart=restart)
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)


class QuickClient(AsyncKernelClient):
    """Knows that a kernel is ready when the kernel says so: jupyter_client's own waits a fifth of a second more."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and is heard. Raises RuntimeError where it dies or `timeout` passes."""
        limit = time.monotonic() + (float("inf") if timeout is None else timeout)
        await self._first(self.get_iopub_msg, "iopub_welcome", limit)
        self.kernel_info()
        await self._first(self.get_shell_msg, "kernel_info_reply", limit)

    async def _first(self, get: Callable[..., Awaitable[dict[str, Any]]], kind: str, limit: float) -> None:
        while True:
            try:
                message = await get(timeout=0.5)
            except Empty:
                if not await self.is_alive():
                    raise RuntimeError("the kernel died before it answered") from None
                if time.monotonic() > limit:
                    raise RuntimeError("the kernel did not answer in time") from None
            else:
                if message["msg_type"] == kind:
                    return


class QuickManager(AsyncKernelManager):
    """Jupyter's manager of one kernel, with its client on the same ZeroMQ context."""

    def client(self, **kwargs: Any) -> Any:
        """A client for the kernel."""
        return super().client(**{"context": self.context} | kwargs)


class OwnKernelSpecs(KernelSpecManager):
    """Knows one kernel: IPython in the very Python that runs this, whatever the user's folders hold."""

    def __init__(self, server: ForkServer | None) -> None:
        super().__init__()
        self._server = server

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The spec of this environment's kernel, under any name."""
        warm = {"provisioner_name": "sentence-reports", "config": {"server": self._server}}
        return KernelSpec(
            argv=[*LAUNCHER, "-f", "{connection_file}"],
            display_name=kernel_name,
            language="python",
            metadata={"kernel_provisioner": warm} if self._server else {},
        )


@contextmanager
def private_kernel(
    env: Mapping[str, str], server: ForkServer | None
) -> Iterator[tuple[QuickManager, dict[str, Any]]]:
    """The manager of a kernel that is still to be started, and the options to start it with.

    The kernel is forked by `server` where there is one. It gets `env` on top of `kernel_environment` and
    a private folder, gone when the block ends: its connection file and sockets lie there, so that no two
    kernels can meet, and it works there, so that no file of the current folder is imported by mistake.
    """
    with temporary_folder() as folder:
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MILLISECONDS)
        manager = QuickManager(
            kernel_spec_manager=OwnKernelSpecs(server),
            client_factory=QuickClient,
            context=context,
            transport="ipc" if os.name == "posix" and len(str(folder)) <= LONGEST_IPC_FOLDER else "tcp",
            connection_file=str(folder / "kernel.json"),
        )
        try:
            yield (
                manager,
                {
                    "cwd": str(folder),
                    # In the private folder: no start-up files and no history of the user's.
                    "env": kernel_environment() | {"IPYTHONDIR": str(folder / "ipython")} | dict(env),
                },
            )
        finally:
            context.destroy(linger=0)
