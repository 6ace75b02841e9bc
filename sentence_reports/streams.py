"""Standard streams that never stop a command. What a closed, full or broken stream cannot take is dropped."""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


class TolerantFile(io.FileIO):
    """A file to write to that accepts everything; `error` is why something was dropped, if anything was."""

    error: OSError | None = None

    def write(self, data: "Buffer", /) -> int:
        """Write or drop `data`; return its number of bytes."""
        try:
            return super().write(data)
        except OSError as error:
            self.error = error
            return memoryview(data).nbytes


def secure() -> None:
    """Open the null device for standard streams that are closed, and make stdout and stderr tolerant.

    Call it before any file is opened: a new file would become standard error if that is closed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number, this one
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = _tolerant(1, sys.stdout)
    sys.stderr = _tolerant(2, sys.stderr)


def _tolerant(number: int, stream: TextIO | None) -> TextIO:
    if os.name == "nt" and isinstance(stream, io.TextIOWrapper) and stream.isatty():
        stream.reconfigure(errors="backslashreplace")  # a console of Windows takes text, not bytes (PEP 528)
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(TolerantFile(number, "w", closefd=False)),
        encoding=stream.encoding if stream else "utf-8",
        errors="backslashreplace",  # a terminal may know fewer characters than a set has
        line_buffering=number == 2 or os.isatty(number),
    )


def output_error() -> OSError | None:
    """Return why standard output could not take everything; None if it did, or if its reader stopped reading."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    error = raw.error if isinstance(raw, TolerantFile) else None
    return None if error is not None and error.errno == errno.EPIPE else error
