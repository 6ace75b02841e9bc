"""Kernels for one run of the notebook each: of this environment, shut off from the user's own Jupyter set-up."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

# A socket's path holds about 100 characters at most; in a longer folder the kernel talks over TCP.
LONGEST_IPC_FOLDER = 70


class OwnKernelSpecs(KernelSpecManager):
    """Knows one kernel: IPython in the very Python that runs this, whatever the user's folders hold."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The spec of this environment's kernel, under any name."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


@contextmanager
def private_kernel(env: Mapping[str, str]) -> Iterator[tuple[AsyncKernelManager, dict[str, Any]]]:
    """The manager of a kernel that is still to be started, and the options to start it with.

    The kernel gets `env` on top of this process's environment and a private folder, gone when the block ends:
    its connection file and sockets lie there, so that no two kernels can meet, and it works there, so that no
    file of the current folder is imported by mistake.
    """
    with tempfile.TemporaryDirectory(prefix="sr-", ignore_cleanup_errors=True) as folder:
        manager = AsyncKernelManager(
            kernel_spec_manager=OwnKernelSpecs(),
            transport="ipc" if os.name == "posix" and len(folder) <= LONGEST_IPC_FOLDER else "tcp",
            connection_file=str(Path(folder) / "kernel.json"),
        )
        yield manager, {"cwd": folder, "env": _environment(env, Path(folder))}


def _environment(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    own = {
        "IPYTHONDIR": str(folder / "ipython"),  # no start-up files and no history of the user's
        "MPLBACKEND": "agg",
        "PYTHONUNBUFFERED": "1",
    }
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONSTARTUP"}
    return inherited | own | dict(env)
