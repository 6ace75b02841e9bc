"""Ctrl-C and SIGTERM end a command only between its steps, when it checks for them.

Python would raise them wherever they happen to arrive, and there they can get lost: an import may turn them into a
RuntimeError, and a destructor prints and forgets them. A thread that has just begun to wait for
another is not woken by them either. So every wait is done in short pieces.
"""

import ctypes
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

PIECE = 0.1  # seconds that a wait may last between two checks

_arrived: int | None = None
_raised = False


class Terminated(KeyboardInterrupt):
    """Raised for SIGTERM: it stops a command as Ctrl-C does."""


def defer() -> None:
    """From now on, until the process ends, SIGINT and SIGTERM wait for `check`.

    Signals that were already ignored stay ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _note)


def check() -> None:
    """Raise KeyboardInterrupt or Terminated if a signal has arrived.

    It does so only once, so that a second signal cannot interrupt the clean-up.
    """
    global _raised
    if _arrived is not None and not _raised:
        _raised = True
        raise Terminated if _arrived == signal.SIGTERM else KeyboardInterrupt


def _note(number: int, _: FrameType | None) -> None:
    global _arrived
    _arrived = number


def end_with(parent: int) -> None:
    """Have Linux kill this process when its parent ends; do nothing on other systems."""
    if sys.platform != "linux":
        return
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent ended before prctl took effect
        os._exit(1)


def cores() -> int:
    """Return how many cores this process may use, or how many the machine has if that is not known."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new folder for this user alone (mode 0700), which is removed when the block ends.

    A process that is killed leaves its folder for the system to clean up: no run ever removes the folders of another,
    because a name proves nothing.
    """
    with tempfile.TemporaryDirectory(prefix="sentence-reports-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def with_absolute_folders(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without relative user folders: caches would end up in the current folder.

    HOME becomes the home of the account, or the temporary folder if the account has none.
    """
    folders = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    kept = {k: v for k, v in environment.items() if k not in folders or Path(v).is_absolute()}
    if os.name == "posix" and "HOME" not in kept:
        import pwd

        try:
            kept["HOME"] = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            kept["HOME"] = tempfile.gettempdir()
    return kept
