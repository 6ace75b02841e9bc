"""Kernels for one run of the notebook each: of this environment, shut off from the user's own Jupyter set-up."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

# A socket's path holds about 100 characters at most; in a longer folder the kernel talks over TCP.
LONGEST_IPC_FOLDER = 70


class OwnKernelSpecs(KernelSpecManager):
    """Knows one kernel: IPython in the very Python that runs this, whatever the user's folders hold."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The spec of this environment's kernel, under any name."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


@contextmanager
def fresh_kernel(env: Mapping[str, str]) -> Iterator[AsyncKernelManager]:
    """A running kernel with `env` on top of this process's environment, gone when the block ends.

    Each kernel has a private folder for its connection file and sockets, so that no two can meet, and
    works in it, so that no file of the current folder is imported by mistake.
    """
    folder = Path(tempfile.mkdtemp(prefix="sr-"))
    try:
        manager = AsyncKernelManager(
            kernel_spec_manager=OwnKernelSpecs(),
            transport="ipc" if os.name == "posix" and len(str(folder)) <= LONGEST_IPC_FOLDER else "tcp",
            connection_file=str(folder / "kernel.json"),
        )
        try:
            run_sync(manager.start_kernel)(cwd=str(folder), env=_environment(env, folder))
            yield manager
        finally:
            run_sync(manager.shutdown_kernel)(now=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    own = {
        "IPYTHONDIR": str(folder / "ipython"),  # no start-up files and no history of the user's
        "MPLBACKEND": "agg",
        "PYTHONUNBUFFERED": "1",
    }
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP"}
    return inherited | own | dict(env)
