"""Kernels as Jupyter sees them: of this environment, isolated from the user's own Jupyter settings."""

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
from sentence_reports.execution.kernels import STOPPED, Kernels
from sentence_reports.process import temporary_folder

# A socket's path holds about 100 characters at most; in a longer folder the kernel talks over TCP.
LONGEST_IPC_FOLDER = 85

# A kernel's sockets exist a few hundredths of a second after its process.
RECONNECT_MILLISECONDS = 5
DIED_EARLY = "the kernel died before it answered"
LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]


class KernelsProvisioner(LocalProvisioner):
    """A LocalProvisioner whose process comes from `kernels`: forked if they are warm, else an ordinary one."""

    kernels = Instance(Kernels)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel. Raises RuntimeError if the run was stopped."""
        server = self.kernels.server
        try:
            if server is not None:
                kernel = server.fork(lambda: self.kernels.lost(server))
                self.process = cast(Any, kernel)  # has all of Popen that is used
                self.pid = self.pgid = kernel.start(cmd[len(LAUNCHER) :], kwargs["env"], kwargs["cwd"])
                self.cwd = kwargs["cwd"]
                return self.connection_info
        except ConnectionError:
            self.process = None
        if self.kernels.stopped:
            raise RuntimeError(STOPPED)
        return await super().launch_kernel(cmd, **kwargs)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and wait until it is gone, polling often; jupyter_client polls ten times less often."""
        process = self.process
        await super().kill(restart=restart)
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)


class QuickClient(AsyncKernelClient):
    """A client that takes the kernel's ready message as final; jupyter_client's waits a fifth of a second more."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels. Raises RuntimeError if it dies or `timeout` passes."""
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
                    raise RuntimeError(DIED_EARLY) from None
                if time.monotonic() > limit:
                    raise RuntimeError("the kernel did not answer in time") from None
            else:
                if message["msg_type"] == kind:
                    return


class QuickManager(AsyncKernelManager):
    """A manager of one kernel whose client shares its ZeroMQ context."""

    def client(self, **kwargs: Any) -> Any:
        """Return a client for the kernel."""
        return super().client(**{"context": self.context} | kwargs)


class OwnKernelSpecs(KernelSpecManager):
    """A spec manager with one kernel, IPython in the Python that runs this, whatever the user's folders hold."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the spec of this environment's kernel, for any name."""
        return KernelSpec(
            argv=[*LAUNCHER, "-f", "{connection_file}"], display_name=kernel_name, language="python"
        )


@contextmanager
def private_kernel(
    env: Mapping[str, str], kernels: Kernels | None
) -> Iterator[tuple[AsyncKernelManager, dict[str, Any]]]:
    """The manager of a kernel that is still to be started, and the options to start it with.

    The kernel comes from `kernels`, or is an ordinary process. It gets `env` on top of `kernel_environment` and a
    private folder, removed when the block ends: it works there, so that no file of the current folder is imported
    by mistake, and its connection file and sockets are there, so that kernels cannot get in each other's way.
    """
    with temporary_folder() as folder:
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MILLISECONDS)
        specs = OwnKernelSpecs()
        manager = QuickManager(
            kernel_spec_manager=specs,
            client_factory=QuickClient,
            context=context,
            transport="ipc" if os.name == "posix" and len(str(folder)) <= LONGEST_IPC_FOLDER else "tcp",
            connection_file=str(folder / "kernel.json"),
        )
        if kernels is not None:
            spec = specs.get_kernel_spec("python3")
            manager.provisioner = KernelsProvisioner(
                kernel_id=folder.name, kernel_spec=spec, parent=manager, kernels=kernels
            )
        # IPython's folder is private too: no start-up files and no history of the user's.
        own = {"IPYTHONDIR": str(folder / "ipython")}
        try:
            yield manager, {"cwd": str(folder), "env": kernel_environment() | own | dict(env)}
        finally:
            context.destroy(linger=0)
