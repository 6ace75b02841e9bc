"""The SQLite file in the user's cache folder that holds what was computed once.

A cache can only save time, so trouble with it is never an error: a damaged file is made again, and if the folder cannot
be used, the disk is full or another process holds the file for too long, nothing more is kept or found.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from filelock import FileLock
from platformdirs import user_cache_path

from sentence_reports.files import atomic_write

FILE = "vectors-1.sqlite"
TAG = "CACHEDIR.TAG"
"""This file, with this content, proves that the folder is ours. Programs that make backups know its first line."""
TAG_CONTENT = b"Signature: 8a477f597d28d172789f06886806bc55\n# Made by Sentence Reports; safe to delete.\n"
LIMIT = 2000  # megabytes
APPLICATION = 0x53526570  # in the file's header
WAIT = 30.0  # seconds for another process that writes
FRESH = 3600  # seconds after which a use is recorded again

TABLES = """
CREATE TABLE IF NOT EXISTS shards (id INTEGER PRIMARY KEY, model TEXT, vectors INTEGER, bytes INTEGER, used INTEGER);
CREATE TABLE IF NOT EXISTS vectors
    (id INTEGER PRIMARY KEY, key BLOB UNIQUE, shard INTEGER, checksum INTEGER, vector BLOB);
CREATE INDEX IF NOT EXISTS vectors_of_shard ON vectors (shard);
CREATE TABLE IF NOT EXISTS neighbors
    (id INTEGER PRIMARY KEY, key BLOB UNIQUE, kind TEXT, used INTEGER, checksum INTEGER, texts BLOB, content BLOB);
"""

Answer = TypeVar("Answer")


class Damaged(sqlite3.DatabaseError):
    """Raised if something in the file is not what was written."""


# SQLite's message may quote the damaged part of a file, and Python cannot decode every such message.
ERRORS = (sqlite3.Error, UnicodeDecodeError)


class CacheFile:
    """The file in a folder, by default the user's; a context manager for one thread and any number of processes.

    `limit` is the size in bytes that the file may have. By default it is `LIMIT`, or what the environment variable
    SENTENCE_REPORTS_CACHE_LIMIT says in megabytes; 0 keeps nothing and finds nothing. `trouble` says why the cache is
    not used, and is None as long as it is.
    """

    def __init__(self, folder: Path | None = None, limit: int | None = None) -> None:
        self.folder = folder or cache_folder()
        self.limit = limit_from_environment() if limit is None else limit
        self.trouble: str | None = None
        self._db: sqlite3.Connection | None = None
        self._inode = 0
        if self.limit == 0:
            self.trouble = "SENTENCE_REPORTS_CACHE_LIMIT is 0"
        else:
            self._open(remake=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The file; there may be two more whose names begin like it."""
        return self.folder / FILE

    @property
    def size(self) -> int:
        """How many bytes the file has on the disk, with what was written last and is still next to it."""
        parts = (self.path, self.path.with_name(f"{FILE}-wal"))
        return sum(path.stat().st_size for path in parts if path.exists())

    def close(self) -> None:
        """Close the file."""
        self._shut()

    def _shut(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def do(self, work: Callable[[sqlite3.Connection], Answer], otherwise: Answer) -> Answer:
        """Return what `work` does with the file; once more if the file had to be made again; else `otherwise`."""
        for _ in range(2):
            if self._db is None:
                break
            try:
                return work(self._db)
            except ERRORS as error:
                with suppress(*ERRORS):
                    self._db.execute("ROLLBACK")
                self.give_up(error)
                if _is_damage(error):
                    self._open(remake=True)
        return otherwise

    def give_up(self, error: Exception) -> None:
        """Use the cache no more, because of this error."""
        self.trouble = str(getattr(error, "strerror", None) or error)
        self._shut()

    def _open(self, *, remake: bool) -> None:
        """Open the file, or make it; with `remake`, remove it first, unless another process has done so."""
        try:
            _take(self.folder)
            with FileLock(self.folder / "lock", timeout=WAIT):
                if remake and _inode(self.path) == self._inode:
                    _remove(self.path)
                try:
                    self._db = _connect(self.path)
                except ERRORS as error:
                    if not _is_damage(error):
                        raise
                    _remove(self.path)
                    self._db = _connect(self.path)
                self._inode = _inode(self.path)
            self.trouble = None
        except (OSError, NotImplementedError, *ERRORS) as error:  # of the folder, its lock, the file
            self.give_up(error)


def cache_folder() -> Path:
    """Return the user's folder for vectors."""
    return user_cache_path("sentence-reports", appauthor=False) / "embeddings"


def limit_from_environment() -> int:
    """Return the limit of the file's size in bytes; what is not a number of megabytes does not count."""
    megabytes = os.environ.get("SENTENCE_REPORTS_CACHE_LIMIT", "")
    return 1_000_000 * (int(megabytes) if megabytes.isdecimal() else LIMIT)


def for_tables(limit: int) -> int:
    """Return how many bytes of the limit are for tables of neighbors; the rest is for vectors."""
    return limit // 20


def _take(folder: Path) -> None:
    """Make the folder ours, if it is new or empty. Raises OSError if it cannot be written to or is not ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    tag = folder / TAG
    if not any(folder.iterdir()):
        atomic_write({tag: TAG_CONTENT}, by_way_of=folder.parent)
    if folder.is_symlink() or not tag.is_file() or tag.read_bytes() != TAG_CONTENT:
        raise FileExistsError(f"{folder} was not made by Sentence Reports")


def _connect(path: Path) -> sqlite3.Connection:
    """Return a connection to the file, which is made if necessary. Raises one of `ERRORS`."""
    db = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
    try:
        new = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if new:
            db.execute("PRAGMA page_size = 16384")  # holds several vectors, so less of each page is wasted
            db.execute(f"PRAGMA application_id = {APPLICATION}")
        elif db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise sqlite3.OperationalError(f"{path} was not made by Sentence Reports")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'neighbors'").fetchone()[0]:
            # A file of an older version has the others.
            db.executescript(f"BEGIN IMMEDIATE; {TABLES} COMMIT;")
    except ERRORS:
        db.close()
        raise
    return db


def _remove(path: Path) -> None:
    """Remove a damaged file and what SQLite wrote next to it, in a folder that is proven to be ours.

    What belongs to the old file goes first: SQLite would take it for a part of the new one.
    """
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _inode(path: Path) -> int:
    """Return the number of the file on its disk, 0 if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _is_damage(error: Exception) -> bool:
    """Return whether an error means that the file is damaged, rather than that it cannot be used now."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, Damaged | UnicodeDecodeError) or code in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )
