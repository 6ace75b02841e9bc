"""Proof that this program made a file or folder. A name proves nothing."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from sentence_reports import results
from sentence_reports.errors import UsageError, explained
from sentence_reports.files import make_usable
from sentence_reports.lock import LOCK
from sentence_reports.summary import METADATA
from sentence_reports.texts import legible

STATE = ".sentence-reports.json"
MARKER = "made-by-sentence-reports"
"""A file of this name in a folder for temporary files proves that the folder is this program's."""

DIFFERENCE = "Sentence Reports, difference"
"""The generator of a page that `diff` made."""

_GENERATOR = re.compile(rb'<meta name="generator" content="Sentence Reports[^"]*">')


def is_ours(path: Path) -> bool:
    """Return whether a file may be replaced, because it does not exist or this program made it."""
    if not os.path.lexists(path):
        return True
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            if path.suffix == ".html":
                return bool(_GENERATOR.search(file.read(4096)))
            if path.name == STATE:
                return file.read(12) in (b"", b'{\n "code": "')
            file.seek(max(0, path.stat().st_size - 4_000_000))  # the metadata is a notebook's last part
            return f'"{METADATA}": {{'.encode() in file.read()
    except OSError:
        return False


def is_difference(beginning: bytes) -> bool:
    """Whether a file is a page of `diff`, by its first 4,096 bytes."""
    return f'<meta name="generator" content="{DIFFERENCE}">'.encode() in beginning


def has_hash(path: Path, hashes: Collection[str]) -> bool:
    """Return whether a file may be replaced, because it does not exist or its SHA-256 is one of those recorded."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() in hashes
    except OSError:
        return not os.path.lexists(path)


def check_result_files(junit: Path | None, markdown: Path | None) -> None:
    """Raise UsageError if results cannot be written to one of these files, or if it holds anything else."""
    for path in filter(None, (junit, markdown)):
        check_file(path, results.is_ours, "was not made by Sentence Reports. Choose another file")
        if path.name in (LOCK, STATE):
            raise UsageError(f"{path} is a file that Sentence Reports needs for itself. Choose another file")
    if junit is not None and markdown is not None and os.path.realpath(junit) == os.path.realpath(markdown):
        raise UsageError(f"--junit and --markdown both name {junit}. Choose two files")


def check_file(path: Path, as_ours: Callable[[bytes], bool], whose: str) -> None:
    """Raise UsageError if a file cannot be written, or would replace one that is not ours by its first 4,096 bytes.

    `whose` says what is wrong with that one, and what to do. A folder is never ours.
    """
    name = legible(str(path))
    with explained(UsageError, f"cannot write {name}"):
        make_usable(path.parent)
        ours = not os.path.lexists(path)
        if path.is_file():
            with path.open("rb") as file:
                ours = as_ours(file.read(4096))
    if not ours:
        raise UsageError(f"{name} exists and {whose}")


def not_ours(path: Path) -> str:
    """Return the message about a file that may not be replaced."""
    return f"{path} exists and was not made by Sentence Reports. Move it away, or choose another folder with --out DIR"


def make_temporary(folder: Path) -> Path:
    """Return a new folder with our marker: `folder`, or another one if that name is taken."""
    try:
        folder.mkdir()
    except FileExistsError:
        if folder.is_symlink() or not folder.is_dir() or any(folder.iterdir()):
            folder = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    (folder / MARKER).touch()
    return folder


def remove_temporary(folder: Path) -> None:
    """Remove what a killed run left, if the marker proves that it is ours."""
    if (folder / MARKER).is_file() and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
