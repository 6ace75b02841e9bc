"""Files that are never half-written."""

import os
import tempfile
from pathlib import Path


def atomic_write(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file in the folder of `path`, which must exist, and move it to `path`.

    A reader sees the old file or the new one, never a part of it. Raises OSError if that fails; nothing is left then.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        beside.chmod(0o644)  # mkstemp makes it private
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
