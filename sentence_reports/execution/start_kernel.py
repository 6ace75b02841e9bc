"""How a kernel is started: in this environment, isolated from the user's Jupyter settings, by its provisioner."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
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
from nbclient.exceptions import DeadKernelError
from traitlets import Instance

from sentence_reports.execution.environment import kernel_environment
from sentence_reports.execution.kernels import STOPPED, Kernels
from sentence_reports.process import temporary_folder

# A socket's path holds about 100 characters at most; in a longer folder the kernel talks over TCP.
LONGEST_IPC_FOLDER = 85

# A kernel's sockets exist a few hundredths of a second after its process.
RECONNECT_MILLISECONDS = 5
LAUNCHER = [sys.executable, "-m", "ipykernel_launcher"]


class KernelsProvisioner(LocalProvisioner):
    """A LocalProvisioner whose process comes from `kernels`: forked if they are warm, else an ordinary one."""

    kernels = Instance(Kernels)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel. Raises RuntimeError if the run was stopped."""
        if (server := self.kernels.server) is not None:
            with suppress(ConnectionError):
                kernel = server.fork()
                self.process = cast(Any, kernel)  # has all of Popen that is used
                self.pid = self.pgid = kernel.start(cmd[len(LAUNCHER) :], kwargs["env"], kwargs["cwd"])
                self.cwd = kwargs["cwd"]
                return self.connection_info
            self.process = None
            self.kernels.check_server()
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
    """A client that takes the kernel's first answers as final; jupyter_client's waits a fifth of a second more."""

    def _context_default(self) -> Any:
        return cast(Any, self.parent).context

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels, however long. Raises DeadKernelError if it dies."""
        self.kernel_info()
        for get, kind in (
            (self.get_iopub_msg, "iopub_welcome"),
            (self.get_shell_msg, "kernel_info_reply"),
        ):
            answered = False
            while not answered:
                try:
                    answered = (await get(timeout=0.5))["msg_type"] == kind
                except Empty:
                    if not await self.is_alive():
                        raise DeadKernelError("the kernel died before it answered") from None


class OwnKernelSpecs(KernelSpecManager):
    """A spec manager with one kernel, IPython in this Python, regardless of the user's folders."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the spec of this environment's kernel, for any name."""
        return KernelSpec(
            argv=[*LAUNCHER, "-f", "{connection_file}"], display_name=kernel_name, language="python"
        )


@contextmanager
def private_kernel(
    env: Mapping[str, str], kernels: Kernels
) -> Iterator[tuple[AsyncKernelManager, dict[str, Any]]]:
    """Yield the manager of a kernel that has not been started, and the options to start it with.

    The kernel comes from `kernels`. It gets `env` on top of `kernel_environment` and a private folder, removed when
    the block ends: it works there, so that no file of the current folder is imported by mistake, and its connection
    file and sockets are there, so that kernels cannot get in each other's way.
    """
    with temporary_folder() as folder:
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MILLISECONDS)
        specs = OwnKernelSpecs()
        manager = AsyncKernelManager(
            kernel_spec_manager=specs,
            client_factory=QuickClient,
            context=context,
            transport="ipc" if os.name == "posix" and len(str(folder)) <= LONGEST_IPC_FOLDER else "tcp",
            connection_file=str(folder / "kernel.json"),
        )
        spec = specs.get_kernel_spec("python3")
        manager.provisioner = KernelsProvisioner(
            kernel_id=folder.name, kernel_spec=spec, parent=manager, kernels=kernels
        )
        # IPython's folder is private too, without the user's start-up files and history.
        own = {"IPYTHONDIR": str(folder / "ipython")}
        try:
            yield manager, {"cwd": str(folder), "env": kernel_environment() | own | dict(env)}
        finally:
            context.destroy(linger=0)
