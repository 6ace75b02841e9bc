"""Files that are never half-written, and the folders that take them."""

import errno
import hashlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def make_usable(folder: Path) -> None:
    """Create a folder if necessary. Raises OSError if it cannot be created or written to."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def atomic_write(files: Mapping[Path, bytes], *, by_way_of: Path | None = None) -> None:
    """Write every file to a temporary one, then move them all to their places, so that none is ever half-written.

    The temporary files are in the folder `by_way_of`, on the same file system, or else next to their targets.
    Raises OSError if a file cannot be written or moved; no temporary file is left then, and no target is changed
    unless an earlier one was already moved.
    """
    temporary: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            beside = (by_way_of or path.parent) / f".{secrets.token_hex(8)}.tmp"
            with beside.open("xb") as file:
                temporary[path] = beside
                file.write(data)
        for path, beside in temporary.items():
            beside.replace(path)
    finally:
        for beside in temporary.values():
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def sha256(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
