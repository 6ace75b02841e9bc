"""The tables of neighbors that are kept: found again, within their part of the file, whatever happens to it."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sentence_reports.models.cache import Cache
from sentence_reports.models.cache_file import FILE
from sentence_reports.models.neighbor_cache import TABLES, NeighborCache, Table

KIND = "a kind"
KEYS = [k.to_bytes(16, "little") for k in range(2000)]
LIMIT = 40_000_000  # a twentieth holds all that is kept here


def table(first: int, n: int = 50, k: int = 3) -> Table:
    """A table of `n` texts from `KEYS`, from which the texts can be told."""
    generator = np.random.default_rng(first * 10_000 + n)
    positions = generator.integers(0, n, (n, k)).astype(np.uint32)
    return Table(KEYS[first : first + n], positions, generator.random((n, k)).astype(np.float32))


def holds(cache: NeighborCache, first: int, n: int = 50, kind: str = KIND) -> bool:
    """Whether the cache has a table; it must not have another one in its place."""
    expected = table(first, n)
    found = cache.get(kind, expected.keys)
    if found is not None:
        assert found.keys == expected.keys
        for one, other in zip(found[1:], expected[1:], strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
            assert one.flags.writeable  # like a new one
    return found is not None


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with five tables and ten vectors."""
    folder = tmp_path / "embeddings"
    with NeighborCache(folder, LIMIT) as cache:
        for first in range(0, 500, 100):
            cache.put(KIND, table(first))
    with Cache(folder) as vectors:
        vectors.put("a model", KEYS[:10], np.ones((10, 8), "f4"))
    return folder


# --- what is kept --------------------------------------------------------------------------------------------


def test_a_table_is_found_for_the_same_texts_in_the_same_order_only(filled: Path) -> None:
    with NeighborCache(filled) as cache:
        assert [first for first in range(0, 600, 50) if holds(cache, first)] == [0, 100, 200, 300, 400]
        assert cache.get(KIND, table(0).keys[::-1]) is None
        assert cache.get(KIND, table(0).keys[1:]) is None
        assert not holds(cache, 0, kind="another")
        assert cache.kept() == (5, 5 * 50 * (16 + 3 * 8))


def test_the_closest_table_has_most_texts_in_common(filled: Path) -> None:
    with NeighborCache(filled, LIMIT) as cache:
        cache.put(KIND, table(130, 15))
        found = cache.closest(KIND, KEYS[149:120:-1] + KEYS[200:210])
        assert found is not None
        assert found.keys == table(100).keys
        assert cache.closest("another", KEYS[100:150]) is None
        assert cache.closest(KIND, KEYS[1000:1100]) is None


def test_the_same_table_is_kept_once(filled: Path) -> None:
    with NeighborCache(filled, LIMIT) as cache:
        cache.put(KIND, table(0))
        assert cache.kept()[0] == 5
        assert holds(cache, 0)


def test_clearing_removes_tables_and_vectors(filled: Path) -> None:
    with Cache(filled) as vectors:
        assert vectors.clear() == 10
    with NeighborCache(filled) as cache:
        assert cache.kept() == (0, 0)
        assert not holds(cache, 0)


def test_a_file_of_an_older_version_keeps_its_vectors(filled: Path) -> None:
    with sqlite3.connect(filled / FILE) as db:
        db.execute("DROP TABLE neighbors")
    with NeighborCache(filled, LIMIT) as cache:
        cache.put(KIND, table(0))
        assert holds(cache, 0)
    with Cache(filled) as vectors:
        assert len(vectors.get(KEYS)) == 10


# --- the limit -----------------------------------------------------------------------------------------------


def test_there_are_only_so_many_and_the_ones_not_used_for_longest_go(tmp_path: Path) -> None:
    with NeighborCache(tmp_path / "e", LIMIT) as cache:
        for first in range(TABLES + 3):
            cache.put(KIND, table(first))
            assert holds(cache, 1) == (first > 0)  # this one is used all the time
        assert [first for first in range(TABLES + 3) if holds(cache, first)] == [1, *range(4, TABLES + 3)]


def test_all_together_have_a_twentieth_of_the_file(tmp_path: Path) -> None:
    with NeighborCache(tmp_path / "e", 20 * 4500) as cache:  # a table has 2,000 bytes
        for first in range(4):
            cache.put(KIND, table(first))
        assert [first for first in range(4) if holds(cache, first)] == [2, 3]
        cache.put(KIND, table(0, 113))  # above the limit, so it is not kept, and the others are
        assert [holds(cache, 0, 113), holds(cache, 2), holds(cache, 3)] == [False, True, True]
        cache.put(KIND, table(0, 112))
        assert [holds(cache, 0, 112), holds(cache, 2), holds(cache, 3)] == [True, False, False]


def test_neither_tables_nor_vectors_take_the_others_room(tmp_path: Path) -> None:
    limit, kept, d = 4_000_000, [], 12_500  # a shard has 500 kB, a table nearly 200 kB
    for tables in (False, True):
        folder = tmp_path / str(tables)
        for shard in range(12):
            if tables:
                with NeighborCache(folder, limit) as cache:
                    cache.put(KIND, table(shard, 1900, 10))
            with Cache(folder, limit) as vectors:
                vectors.put("m", KEYS[10 * shard : 10 * shard + 10], np.ones((10, d), "f4"))
        with Cache(folder, limit) as vectors:
            kept.append(sorted(vectors.get(KEYS)))
        with NeighborCache(folder, limit) as cache:
            assert cache.kept()[0] == tables
        assert (folder / FILE).stat().st_size < limit + 500_000
    assert kept[0] == kept[1]
    assert len(kept[0]) == 70


# --- trouble -------------------------------------------------------------------------------------------------


def is_usable(folder: Path) -> None:
    """Check that a table can be kept and found, now and later."""
    with NeighborCache(folder, LIMIT) as cache:
        cache.put(KIND, table(1000))
        assert holds(cache, 1000)
    with NeighborCache(folder, LIMIT) as cache:
        assert cache.trouble is None
        assert holds(cache, 1000)


@pytest.mark.parametrize("seed", range(12))
def test_a_file_with_other_bytes_never_gives_a_wrong_table(filled: Path, seed: int) -> None:
    data, chance = bytearray((filled / FILE).read_bytes()), random.Random(seed)
    for start in (chance.randrange(len(data)) for _ in range(40 if seed % 2 else 1)):
        data[start : start + 200] = chance.randbytes(len(data[start : start + 200]))
    (filled / FILE).write_bytes(data)
    with NeighborCache(filled, LIMIT) as cache:
        for first in range(0, 500, 100):
            near = cache.closest(KIND, table(first).keys)
            assert near is None or holds(cache, int.from_bytes(near.keys[0], "little"))
            holds(cache, first)
    is_usable(filled)


@pytest.mark.parametrize("part", ["texts", "content"])
def test_a_flipped_bit_is_noticed(filled: Path, part: str) -> None:
    wanted = table(100).similarities.tobytes() if part == "content" else b"".join(table(100).keys)
    data = bytearray((filled / FILE).read_bytes())
    data[data.index(wanted) + 20] ^= 1
    (filled / FILE).write_bytes(data)
    with NeighborCache(filled, LIMIT) as cache:
        assert cache.closest(KIND, table(100).keys) is None
    is_usable(filled)


def test_a_table_of_another_kind_than_written_is_noticed(filled: Path) -> None:
    with sqlite3.connect(filled / FILE) as db:
        db.execute("UPDATE neighbors SET kind = 'another' WHERE id = 2")
    with NeighborCache(filled, LIMIT) as cache:
        assert cache.closest("another", table(100).keys) is None
    is_usable(filled)


def test_a_table_under_the_key_of_another_is_noticed(filled: Path) -> None:
    with sqlite3.connect(filled / FILE) as db:
        keys = [key for (key,) in db.execute("SELECT key FROM neighbors ORDER BY id")]
        db.execute("UPDATE neighbors SET key = x'00' WHERE id = 1")
        db.execute("UPDATE neighbors SET key = ? WHERE id = 2", keys[:1])
    with NeighborCache(filled, LIMIT) as cache:
        assert not holds(cache, 0)
    is_usable(filled)


@pytest.mark.parametrize("part", ["texts", "content"])
def test_keys_or_numbers_that_became_text_are_noticed(filled: Path, part: str) -> None:
    with sqlite3.connect(filled / FILE) as db:
        db.execute(f"UPDATE neighbors SET {part} = 'text'")
    with NeighborCache(filled, LIMIT) as cache:
        assert not holds(cache, 0)
    is_usable(filled)


@pytest.mark.parametrize("size", [0, 100, 16384, 30_000])
def test_a_file_cut_short_is_made_again(filled: Path, size: int) -> None:
    os.truncate(filled / FILE, size)
    with NeighborCache(filled, LIMIT) as cache:
        holds(cache, 0)
        assert cache.trouble is None
    is_usable(filled)


def test_a_limit_of_0_keeps_nothing(tmp_path: Path) -> None:
    with NeighborCache(tmp_path / "e", 0) as cache:
        cache.put(KIND, table(0))
        assert not holds(cache, 0)
        assert cache.closest(KIND, KEYS) is None
        assert cache.kept() == (0, 0)
    assert not (tmp_path / "e").exists()


def test_a_full_disk_loses_nothing_but_what_comes_after(small_disk: Path) -> None:
    with NeighborCache(small_disk / "e", LIMIT) as cache:
        for first in range(4):
            cache.put(KIND, table(first, 1000, 20))  # 176 kB
        assert cache.trouble == "database or disk is full"
    with NeighborCache(small_disk / "e", LIMIT) as cache:
        count, _ = cache.kept()
        assert 1 <= count < 4
        found = [cache.get(KIND, table(first, 1000, 20).keys) for first in range(4)]
        assert [each is not None for each in found] == [first < count for first in range(4)]


# --- several processes, and the end of one -------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_neighbor_cache import KIND, LIMIT, NeighborCache, holds, table
for first in range(int(sys.argv[3]), int(sys.argv[4])):
    with NeighborCache(Path(sys.argv[2]), LIMIT) as cache:
        cache.put(KIND, table(first))
        holds(cache, first)
        assert cache.trouble is None, cache.trouble
    print(first, flush=True)
"""


def writer(folder: Path, first: int, last: int) -> "subprocess.Popen[str]":
    """A process that keeps some tables and prints how far it is."""
    words = [str(Path(__file__).parent), str(folder), str(first), str(last)]
    return subprocess.Popen([sys.executable, "-c", WRITER, *words], stdout=subprocess.PIPE, text=True)


def test_processes_write_at_once(tmp_path: Path) -> None:
    for process in [writer(tmp_path / "e", 0, 20), writer(tmp_path / "e", 0, 40)]:
        process.communicate(timeout=300)
        assert process.returncode == 0
    with NeighborCache(tmp_path / "e", LIMIT) as cache:
        assert cache.kept()[0] == TABLES
        assert holds(cache, 39) or holds(cache, 19)  # whichever process ended last


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_neighbor_cache import KIND, LIMIT, NeighborCache, table
with NeighborCache(Path(sys.argv[2]), LIMIT) as cache:
    cache._db.set_trace_callback(lambda sql: "DELETE" in sql and os.kill(os.getpid(), signal.SIGKILL))
    cache.put(KIND, table(1000))
"""


def test_a_process_that_is_killed_before_it_has_made_room_keeps_nothing(filled: Path) -> None:
    words = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(filled)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    with NeighborCache(filled, LIMIT) as cache:
        assert not holds(cache, 1000)
        assert cache.kept()[0] == 5
    is_usable(filled)


@pytest.fixture(params=[3, pytest.param(20, marks=pytest.mark.slow)])
def seeds(request: pytest.FixtureRequest) -> Iterator[range]:
    """How often a process is killed: a few times, or many times."""
    return iter(range(request.param))  # type: ignore[return-value]


def test_a_killed_process_loses_only_what_it_had_not_written(tmp_path: Path, seeds: Iterator[int]) -> None:
    for seed in seeds:
        folder, wait = tmp_path / f"e{seed}", random.Random(seed).random() / 20
        with writer(folder, 0, 1000) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "0\n"
            time.sleep(wait)
            process.kill()
            said = [0, *map(int, process.stdout.read().split())][-1]
        with NeighborCache(folder, LIMIT) as cache:
            found = [first for first in range(said + 3) if holds(cache, first)]
            assert found[-1] in (said, said + 1)
            assert found == list(range(max(0, found[-1] + 1 - TABLES), found[-1] + 1))
            assert said < 999
        is_usable(folder)
