"""Files that a set names, opened, and the error of one that cannot be read."""

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sentence_reports.errors import Problem, SetError, instead_of
from sentence_reports.sets.quoting import show

_ADDRESS = re.compile(r"(.*/)?(https?|ftp|s3):/")


@contextmanager
def opened(path: Path, expected: str) -> Iterator[IO[bytes]]:
    """Open a regular file; anything else, such as a pipe, is not even opened.

    `expected` says what the file should be, if it is a folder or device. Raises SetError if it cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            with path.open("rb") as file:
                yield file
            return
        message = f"this is a {'folder' if stat.S_ISDIR(mode) else 'device or pipe'}; {expected}."
    except (FileNotFoundError, NotADirectoryError):
        message = f"no such file. {instead_of(path.name, path.parent, 'its folder')}"
        if _ADDRESS.match(path.as_posix()):
            message = "this is an address, but only files on this machine can be read. Download it first."
        elif path.is_symlink():
            message = f"this is a link to {show(str(path.readlink()))}, which does not exist."
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        message = f"the file cannot be read ({getattr(error, 'strerror', None) or error})."
    raise refusal(path, None, message)


def refusal(path: Path, line: int | None, message: str) -> SetError:
    """Return the error of a file that cannot be read on from this line, or at all."""
    return SetError((Problem(str(path), line, None, message),))
