"""Vectors that were computed once, kept in the file of the user's cache.

A vector is kept under a key, a hash of all that it depends on (see `sentence_reports.models.embed`). Vectors that were
written together are a shard. If they outgrow their part of the file, the shards that were not used for the longest time
are removed; using one vector of a shard counts as using all of it.
"""

import sqlite3
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.models.cache_file import FRESH, CacheFile, Damaged, for_tables

SHARD = 2000
"""How many vectors are written at once; a process that is killed loses at most those."""
ASKED_AT_ONCE = 500  # keys in one query


class Kept(NamedTuple):
    """What the cache holds of one model: how many vectors, their size in bytes, and when they were last used."""

    model: str
    vectors: int
    bytes: int
    used: float


class Cache(CacheFile):
    """The vectors in the file of a folder, see `CacheFile`."""

    def __init__(self, folder: Path | None = None, limit: int | None = None) -> None:
        self._used: set[int] = set()
        super().__init__(folder, limit)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the vectors, each `(d,)`, that are kept under these keys."""

        def read(db: sqlite3.Connection) -> dict[bytes, NDArray[np.float32]]:
            vectors = {}
            for start in range(0, len(keys), ASKED_AT_ONCE):
                asked = keys[start : start + ASKED_AT_ONCE]
                marks = ",".join("?" * len(asked))
                query = f"SELECT key, shard, checksum, vector FROM vectors WHERE key IN ({marks})"
                for key, shard, checksum, vector in db.execute(query, asked):
                    if (
                        type(key) is not bytes
                        or type(vector) is not bytes
                        or zlib.crc32(key + vector) != checksum
                    ):
                        raise Damaged("a vector is not what was written")
                    vectors[key] = np.frombuffer(vector, np.dtype("<f4"))
                    self._used.add(shard)
            return vectors

        return self.do(read, {})

    def put(self, model: str, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Keep a shard: the row of `vectors`, `(n, d)`, under the key at the same position. `model` is for people."""

        def write(db: sqlite3.Connection) -> None:
            rows = [(key, row.astype("<f4").tobytes()) for key, row in zip(keys, vectors, strict=True)]
            db.execute("BEGIN IMMEDIATE")
            new = "INSERT INTO shards (model, vectors, bytes, used) VALUES (?, 0, 0, ?)"
            shard = db.execute(new, (model, int(time.time()))).lastrowid
            written = db.executemany(
                "INSERT OR IGNORE INTO vectors (key, shard, checksum, vector) VALUES (?, ?, ?, ?)",
                ((key, shard, zlib.crc32(key + vector), vector) for key, vector in rows),
            ).rowcount
            size = written * vectors.shape[1] * 4
            db.execute("UPDATE shards SET vectors = ?, bytes = ? WHERE id = ?", (written, size, shard))
            _make_room(db, self.limit - for_tables(self.limit))
            db.execute("COMMIT")

        self.do(write, None)

    def kept(self) -> list[Kept]:
        """Return what is kept of each model, by name."""
        query = "SELECT model, sum(vectors), sum(bytes), max(used) FROM shards GROUP BY model ORDER BY model"
        return self.do(lambda db: [Kept(*row) for row in db.execute(query)], [])

    def clear(self) -> int:
        """Empty the file, give its space back to the disk, and return how many vectors there were."""

        def remove(db: sqlite3.Connection) -> int:
            db.execute("BEGIN IMMEDIATE")
            (count,) = db.execute("SELECT count(*) FROM vectors").fetchone()
            for table in ("vectors", "shards", "neighbors"):
                db.execute(f"DELETE FROM {table}")
            db.execute("COMMIT")
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return int(count)

        return self.do(remove, 0)

    def close(self) -> None:
        """Record which shards were used, and close the file."""
        self.do(self._record, None)
        super().close()

    def give_up(self, error: Exception) -> None:
        """Use the cache no more, because of this error; of a file that is made again, nothing was used yet."""
        self._used.clear()
        super().give_up(error)

    def _record(self, db: sqlite3.Connection) -> None:
        """Record that shards were used, unless that was recorded a short while ago."""
        now = int(time.time())
        rows = [(now, shard, now - FRESH) for shard in sorted(self._used)]
        if rows:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("UPDATE shards SET used = ? WHERE id = ? AND used < ?", rows)
            db.execute("COMMIT")


def _make_room(db: sqlite3.Connection, limit: int) -> None:
    """Remove shards, the one that was not used for the longest time first, until the rest is within the limit."""

    def pragma(name: str) -> int:
        return int(db.execute(f"PRAGMA {name}").fetchone()[0])

    (tables,) = db.execute(
        "SELECT coalesce(sum(length(texts) + length(content)), 0) FROM neighbors"
    ).fetchone()
    while (pragma("page_count") - pragma("freelist_count")) * pragma("page_size") - tables > limit:
        oldest = db.execute("SELECT id FROM shards ORDER BY used, id LIMIT 1").fetchone()
        if oldest is None:
            break
        db.execute("DELETE FROM vectors WHERE shard = ?", oldest)
        db.execute("DELETE FROM shards WHERE id = ?", oldest)
