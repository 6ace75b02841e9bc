"""Private folders for temporary files: each is gone when its user ends, or, if that was killed, with the next run."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

PREFIX = "sentence-reports-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder among the machine's temporary ones, for this user alone and removed when the block ends.

    It is locked as long as this process lives, so that `remove_abandoned` can tell it from one that a killed
    process left behind.
    """
    if os.name != "posix":  # a folder cannot be locked there, and none is taken for abandoned
        with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    lock = None
    while lock is None:  # until it is locked, another run can take it for an abandoned one
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = _lock(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_abandoned() -> None:
    """Remove the folders of processes that were killed: this user's own that nobody has locked."""
    if os.name != "posix":
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """Lock a folder until the descriptor given is closed or this process ends; None where it is not to be had."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone, another user's, or no folder
        return None
    if (
        os.fstat(descriptor).st_uid == os.getuid()
        and lock_descriptor(descriptor, blocking=False)
        and folder.exists()  # else another run has just removed it
    ):
        return descriptor
    os.close(descriptor)
    return None
