"""The lock of an output folder: one run at a time works in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from sentence_reports import process
from sentence_reports.errors import UsageError, explained
from sentence_reports.files import make_usable

LOCK = ".sentence-reports.lock"


@contextmanager
def locked(out: Path, wait: Callable[[], None] | None) -> Iterator[None]:
    """Hold the lock of a folder; if another run holds it, call `wait` and wait, or raise UsageError if that is None.

    Raises UsageError if the folder cannot be written to.
    """
    lock = FileLock(out / LOCK)
    with explained(UsageError, f"cannot write to {out}", ". Choose another folder with --out DIR"):
        make_usable(out)
        with suppress(Timeout):
            lock.acquire(blocking=False)
        if not lock.is_locked:
            if wait is None:
                raise UsageError(f"another run is using {out}; wait for it to finish")
            wait()
        while not lock.is_locked:
            process.check()
            with suppress(Timeout):
                lock.acquire(timeout=process.PIECE)
    try:
        yield
    finally:
        lock.release()
