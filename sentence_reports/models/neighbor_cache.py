"""Tables of nearest neighbors that were computed once, kept in the file of the user's cache next to the vectors.

A table is kept under a hash of the vectors, in their order. They have a twentieth of the file, and there are at most
`TABLES` of them; the ones that were not used for the longest time are removed.
"""

import sqlite3
import time
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.models.cache_file import CacheFile, Damaged, for_tables

TABLES = 8
KEY = 16  # bytes of the key of a text
LARGEST = 900_000_000  # bytes of a table; SQLite takes no more in a row
DAMAGED = "a table of neighbors is not what was written"
PUT = "INSERT OR REPLACE INTO neighbors (key, kind, used, checksum, texts, content) VALUES (?, ?, ?, ?, ?, ?)"
MAKE_ROOM = """
DELETE FROM neighbors WHERE id NOT IN (
    SELECT id FROM (
        SELECT id, row_number() OVER newest AS position, sum(length(texts) + length(content)) OVER newest AS total
        FROM neighbors WINDOW newest AS (ORDER BY used DESC, id DESC ROWS UNBOUNDED PRECEDING)
    ) WHERE position <= ? AND total <= ?
)
"""


class Table(NamedTuple):
    """The `positions` and `similarities` of the `k` nearest neighbors of `n` texts, `(n, k)` uint32 and float32.

    `keys` has a different one of `KEY` bytes for each text.
    """

    keys: list[bytes]
    positions: NDArray[np.uint32]
    similarities: NDArray[np.float32]


class NeighborCache(CacheFile):
    """The tables of neighbors in the file of a folder, see `CacheFile`.

    `kind` says how a table was computed: tables of another kind are not found.
    """

    def get(self, kind: str, keys: Sequence[bytes]) -> Table | None:
        """Return the table of texts with these keys in this order."""
        key = _key(kind, b"".join(keys))

        def read(db: sqlite3.Connection) -> Table | None:
            row = db.execute("SELECT id FROM neighbors WHERE key = ?", (key,)).fetchone()
            table = _read(db, row[0]) if row else None
            if table is not None and table.keys != list(keys):
                raise Damaged(DAMAGED)
            return table

        table = self.do(read, None)
        if table is not None:
            use = "UPDATE neighbors SET used = ? WHERE key = ?"
            self.do(lambda db: db.execute(use, (time.time_ns(), key)).rowcount, 0)
        return table

    def closest(self, kind: str, keys: Sequence[bytes]) -> Table | None:
        """Return the table that has most of these keys, however they are ordered; None if each has none of them."""
        wanted = _numbers(b"".join(keys))

        def read(db: sqlite3.Connection) -> Table | None:
            query = "SELECT id, texts FROM neighbors WHERE kind = ? ORDER BY used DESC"
            best, most = None, 0
            for number, texts in db.execute(query, (kind,)):
                common = len(np.intersect1d(wanted, _numbers(texts)))
                if common > most:
                    best, most = number, common
            return None if best is None else _read(db, best)

        return self.do(read, None)

    def put(self, kind: str, table: Table) -> None:
        """Keep a table, unless it is too large."""
        texts = b"".join(table.keys)
        content = table.positions.astype("<u4").tobytes() + table.similarities.astype("<f4").tobytes()
        row = (_key(kind, texts), kind, time.time_ns(), _checksum(kind, texts, content), texts, content)
        room = for_tables(self.limit)

        def write(db: sqlite3.Connection) -> None:
            db.execute("BEGIN IMMEDIATE")
            db.execute(PUT, row)
            db.execute(MAKE_ROOM, (TABLES, room))
            db.execute("COMMIT")

        if len(texts) + len(content) <= min(room, LARGEST):
            self.do(write, None)

    def kept(self) -> tuple[int, int]:
        """Return how many tables there are, and their size in bytes."""
        query = "SELECT count(*), coalesce(sum(length(texts) + length(content)), 0) FROM neighbors"
        return self.do(lambda db: tuple(db.execute(query).fetchone()), (0, 0))


def _read(db: sqlite3.Connection, number: int) -> Table:
    """Return the table in a row. Raises Damaged if it is not what was written."""
    query = "SELECT kind, checksum, texts, content FROM neighbors WHERE id = ?"
    kind, checksum, texts, content = db.execute(query, (number,)).fetchone() or [None] * 4
    if type(texts) is not bytes or type(content) is not bytes or _checksum(kind, texts, content) != checksum:
        raise Damaged(DAMAGED)
    keys = [texts[start : start + KEY] for start in range(0, len(texts), KEY)]
    half, shape = len(content) // 2, (len(keys), -1)
    positions = np.frombuffer(content[:half], "<u4").astype(np.uint32).reshape(shape)
    return Table(keys, positions, np.frombuffer(content[half:], "<f4").astype(np.float32).reshape(shape))


def _key(kind: str, texts: bytes) -> bytes:
    return blake2b(kind.encode() + b"\n" + texts, digest_size=KEY).digest()


def _checksum(kind: object, texts: bytes, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(texts, zlib.crc32(str(kind).encode())))


def _numbers(texts: object) -> NDArray[np.uint64]:
    """Return the first half of each key as a number, which tells texts apart well enough to compare tables.

    Raises Damaged if they are not keys.
    """
    if not isinstance(texts, bytes) or len(texts) % KEY:
        raise Damaged(DAMAGED)
    return np.frombuffer(texts, "<u8")[::2]
