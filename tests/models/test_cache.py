"""The vectors that are kept: found again, by several processes, whatever happens to the file."""

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
from filelock import FileLock
from support import eventually, not_root

from sentence_reports.models import cache_file as room
from sentence_reports.models.cache import Cache
from sentence_reports.models.cache_file import FILE, TAG, cache_folder

KEYS = [k.to_bytes(16, "big") for k in range(1000)]


def vectors(keys: list[bytes], d: int = 8) -> np.ndarray:
    """A vector for each key, from which the key can be told."""
    return np.array([np.random.default_rng(int.from_bytes(key, "big")).random(d) for key in keys], "f4")


def holds(cache: Cache, keys: list[bytes], d: int = 8) -> list[bytes]:
    """The keys under which the cache has the right vector; it must have no wrong one."""
    found = cache.get(keys)
    for key, vector in found.items():
        assert np.array_equal(vector, vectors([key], d)[0])
        assert vector.dtype == np.float32
    return [key for key in keys if key in found]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with a cache of ten shards with ten vectors each."""
    folder = tmp_path / "embeddings"
    with Cache(folder) as cache:
        for start in range(0, 100, 10):
            cache.put("a model", KEYS[start : start + 10], vectors(KEYS[start : start + 10]))
    return folder


# --- what is kept --------------------------------------------------------------------------------------------


def test_what_was_put_is_found_by_its_key_only(filled: Path) -> None:
    with Cache(filled) as cache:
        assert holds(cache, KEYS) == KEYS[:100]
        assert cache.get([]) == {}
        (kept,) = cache.kept()
    assert kept[:3] == ("a model", 100, 100 * 8 * 4)
    assert time.time() - 600 < kept.used <= time.time()


def test_what_is_put_twice_is_kept_and_counted_once(filled: Path) -> None:
    with Cache(filled) as cache:
        cache.put("another", KEYS[95:105], vectors(KEYS[95:105]))
        assert [kept[:2] for kept in cache.kept()] == [("a model", 100), ("another", 5)]
        assert holds(cache, KEYS) == KEYS[:105]


def test_it_is_in_the_users_cache_folder_for_this_user_alone(private_folders: Path) -> None:
    with Cache() as cache:
        cache.put("m", KEYS[:3], vectors(KEYS[:3]))
    folder = Path(os.environ["XDG_CACHE_HOME"]) / "sentence-reports" / "embeddings"
    assert cache.folder == cache_folder() == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / TAG).read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")


def test_clearing_empties_it_and_frees_the_disk(filled: Path) -> None:
    with Cache(filled) as cache:
        cache.put("big", KEYS[100:400], vectors(KEYS[100:400], 4000))
    before = (filled / FILE).stat().st_size
    with Cache(filled) as cache:
        assert cache.clear() == 400
        assert cache.kept() == []
        assert cache.clear() == 0
        cache.put("m", KEYS[:3], vectors(KEYS[:3]))
        assert holds(cache, KEYS) == KEYS[:3]
    assert (filled / FILE).stat().st_size < before / 20


# --- the limit -----------------------------------------------------------------------------------------------


def test_above_the_limit_the_shards_not_used_for_longest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, d = [1_000_000], 25_000  # a vector has 100 kB, a shard a megabyte
    monkeypatch.setattr(time, "time", lambda: now[0])
    for k in range(12):
        now[0] += 10_000
        with Cache(tmp_path / "e", limit=10_000_000) as cache:
            cache.put(f"model {k:02}", KEYS[10 * k : 10 * k + 10], vectors(KEYS[10 * k : 10 * k + 10], d))
            assert holds(cache, KEYS[3:4], d) == KEYS[3:4]  # one of the first shard is used all the time
    with Cache(tmp_path / "e") as cache:
        assert holds(cache, KEYS, d) == [*KEYS[:10], *KEYS[40:120]]
        assert [kept.model[-2:] for kept in cache.kept()] == ["00", *(f"{k:02}" for k in range(4, 12))]
    assert (tmp_path / "e" / FILE).stat().st_size < 11_500_000


def test_one_shard_above_the_limit_is_not_kept(tmp_path: Path) -> None:
    with Cache(tmp_path / "e", limit=200_000) as cache:
        cache.put("m", KEYS[:10], vectors(KEYS[:10], 25_000))
        assert holds(cache, KEYS) == []
        cache.put("m", KEYS[:10], vectors(KEYS[:10]))
        assert holds(cache, KEYS) == KEYS[:10]


@pytest.mark.parametrize(("said", "limit"), [("", 2_000_000_000), ("7", 7_000_000), ("all", 2_000_000_000)])
def test_the_environment_sets_the_limit(said: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTENCE_REPORTS_CACHE_LIMIT", said)
    assert Cache().limit == limit


def test_a_limit_of_0_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTENCE_REPORTS_CACHE_LIMIT", "0")
    with Cache() as cache:
        cache.put("m", KEYS[:3], vectors(KEYS[:3]))
        assert cache.get(KEYS) == {}
        assert cache.trouble == "SENTENCE_REPORTS_CACHE_LIMIT is 0"
    assert not cache_folder().exists()


# --- a file that is damaged ----------------------------------------------------------------------------------


def is_usable(folder: Path) -> None:
    """Check that vectors can be kept and found, now and later."""
    with Cache(folder) as cache:
        cache.put("m", KEYS[500:520], vectors(KEYS[500:520]))
        assert holds(cache, KEYS[500:520]) == KEYS[500:520]
    with Cache(folder) as cache:
        assert cache.trouble is None
        assert set(holds(cache, KEYS)) >= set(KEYS[500:520])


@pytest.mark.parametrize("size", [0, 1, 50, 100, 1000, 16383, 16384, 16385, 30_000, 50_000, 60_000])
def test_a_file_cut_short_is_made_again(filled: Path, size: int) -> None:
    assert (filled / FILE).stat().st_size > size
    os.truncate(filled / FILE, size)
    with Cache(filled) as cache:
        holds(cache, KEYS)
        assert cache.trouble is None
    is_usable(filled)


@pytest.mark.parametrize("size", [200, 4])  # SQLite notices most of the larger ones itself
@pytest.mark.parametrize("seed", range(12))
def test_a_file_with_other_bytes_never_gives_a_wrong_vector(filled: Path, seed: int, size: int) -> None:
    data, chance = bytearray((filled / FILE).read_bytes()), random.Random(seed)
    for start in (chance.randrange(len(data)) for _ in range(40 if seed % 2 else 1)):
        data[start : start + size] = chance.randbytes(len(data[start : start + size]))
    (filled / FILE).write_bytes(data)
    with Cache(filled) as cache:
        holds(cache, KEYS)
    is_usable(filled)


def test_a_flipped_bit_in_a_vector_is_noticed(filled: Path) -> None:
    data, wanted = bytearray((filled / FILE).read_bytes()), vectors(KEYS[:1])[0].tobytes()
    data[data.index(wanted) + 5] ^= 1
    (filled / FILE).write_bytes(data)
    with Cache(filled) as cache:
        assert holds(cache, KEYS) == []
    is_usable(filled)


def test_a_key_that_became_text_is_noticed(filled: Path) -> None:
    blob, text = 44, 45  # how SQLite writes that a value is 16 bytes, or 16 characters
    data, key = bytearray((filled / FILE).read_bytes()), KEYS[7]
    starts = [start for start in range(len(data)) if data.startswith(key, start)]
    marks = [k for start in starts for k in range(start - 8, start) if data[k] == blob]
    assert marks
    for mark in marks:
        data[mark] = text
    (filled / FILE).write_bytes(data)
    with Cache(filled) as cache:
        assert key not in holds(cache, KEYS)
    is_usable(filled)


def test_any_other_file_in_its_place_is_replaced(filled: Path) -> None:
    (filled / FILE).write_bytes(b"not a database\n" * 5000)
    is_usable(filled)


def test_a_file_that_another_process_made_again_is_left_alone(filled: Path) -> None:
    with Cache(filled) as one, Cache(filled) as other:
        os.truncate(filled / FILE, 20_000)
        assert holds(one, KEYS) == []
        one.put("m", KEYS[:5], vectors(KEYS[:5]))
        holds(other, KEYS)  # notices the damage, or reads its copy
        other.put("m", KEYS[5:10], vectors(KEYS[5:10]))
    with Cache(filled) as cache:
        assert set(holds(cache, KEYS)) >= set(KEYS[:5])


# --- nothing that is not ours --------------------------------------------------------------------------------


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("mine")
    with Cache(tmp_path) as cache:
        cache.put("m", KEYS[:3], vectors(KEYS[:3]))
        assert cache.get(KEYS) == {}
        assert cache.clear() == 0
        assert cache.trouble == f"{tmp_path} was not made by Sentence Reports"
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_text() == "mine"


def test_a_database_of_another_program_is_left_alone(filled: Path) -> None:
    (filled / FILE).unlink()
    with sqlite3.connect(filled / FILE) as db:
        db.execute("CREATE TABLE mine (x)")
    before = (filled / FILE).read_bytes()
    with Cache(filled) as cache:
        assert cache.get(KEYS) == {}
        assert cache.clear() == 0
        assert "not made by Sentence Reports" in (cache.trouble or "")
    assert (filled / FILE).read_bytes() == before


# --- no place ------------------------------------------------------------------------------------------------


def test_without_a_folder_that_can_be_written_there_is_no_cache(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with not_root(), Cache(tmp_path / "e") as cache:
        cache.put("m", KEYS[:3], vectors(KEYS[:3]))
        assert cache.get(KEYS) == {}
        assert cache.kept() == []
        assert cache.trouble == "Permission denied"
    (tmp_path / "file").write_text("mine")
    with Cache(tmp_path / "file" / "e") as cache:
        assert cache.get(KEYS) == {}
        assert cache.trouble == "Not a directory"


def test_a_full_disk_loses_nothing_but_what_comes_after(small_disk: Path) -> None:
    with Cache(small_disk / "e") as cache:
        for start in range(0, 1000, 10):
            cache.put("m", KEYS[start : start + 10], vectors(KEYS[start : start + 10], 1000))
        assert cache.trouble == "database or disk is full"
    with Cache(small_disk / "e") as cache:
        kept = holds(cache, KEYS, 1000)
        assert kept == KEYS[: len(kept)]
        assert 10 <= len(kept) < 1000
        assert len(kept) % 10 == 0


def test_a_file_that_another_process_holds_is_not_waited_for_long(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "WAIT", 0.1)
    with sqlite3.connect(filled / FILE, isolation_level=None) as db, Cache(filled) as cache:
        db.execute("BEGIN IMMEDIATE")
        cache.put("m", KEYS[100:103], vectors(KEYS[100:103]))
        assert cache.trouble == "database is locked"
        db.execute("ROLLBACK")
    with Cache(filled) as cache:
        assert holds(cache, KEYS) == KEYS[:100]


def test_a_file_that_another_process_makes_is_not_opened_meanwhile(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "WAIT", 0.1)
    with FileLock(filled / "lock"), Cache(filled) as cache:
        assert cache.get(KEYS) == {}
        assert cache.trouble
    with Cache(filled) as cache:
        assert holds(cache, KEYS) == KEYS[:100]


# --- several processes, and the end of one -------------------------------------------------------------------

WRITER = """
import sys, numpy as np
from pathlib import Path
from sentence_reports.models.cache import Cache
KEYS = [k.to_bytes(16, "big") for k in range(1000)]
folder, first, last, step = Path(sys.argv[1]), *map(int, sys.argv[2:])
for start in range(first, last, step):
    with Cache(folder) as cache:
        keys = KEYS[start : start + step]
        rows = [np.random.default_rng(int.from_bytes(key, "big")).random(8) for key in keys]
        cache.put("m", keys, np.array(rows, "f4"))
        assert cache.trouble is None, cache.trouble
    print(start + step, flush=True)
"""


def writer(folder: Path, first: int, last: int, step: int) -> "subprocess.Popen[str]":
    """A process that writes the vectors of some keys and prints how far it is."""
    words = [str(folder), str(first), str(last), str(step)]
    return subprocess.Popen([sys.executable, "-c", WRITER, *words], stdout=subprocess.PIPE, text=True)


def test_processes_write_at_once(tmp_path: Path) -> None:
    begun = [writer(tmp_path / "e", first, last, 5) for first, last in [(0, 600), (400, 1000), (0, 1000)]]
    for process in begun:
        process.communicate(timeout=300)
        assert process.returncode == 0
    with Cache(tmp_path / "e") as cache:
        assert holds(cache, KEYS) == KEYS
        assert [kept.vectors for kept in cache.kept()] == [1000]


KILLED = """
import os, signal, sys, numpy as np
from pathlib import Path
from sentence_reports.models.cache import Cache
with Cache(Path(sys.argv[1])) as cache:
    cache._db.set_trace_callback(lambda sql: "page_count" in sql and os.kill(os.getpid(), signal.SIGKILL))
    cache.put("m", [k.to_bytes(16, "big") for k in range(900, 910)], np.ones((10, 8), "f4"))
"""


def test_a_process_that_is_killed_before_it_has_made_room_keeps_nothing(filled: Path) -> None:
    process = subprocess.run([sys.executable, "-c", KILLED, str(filled)], check=False)
    assert process.returncode == -signal.SIGKILL
    with Cache(filled) as cache:
        assert holds(cache, KEYS) == KEYS[:100]
        assert [kept[:2] for kept in cache.kept()] == [("a model", 100)]
    is_usable(filled)


@pytest.fixture(params=[3, pytest.param(20, marks=pytest.mark.slow)])
def seeds(request: pytest.FixtureRequest) -> Iterator[range]:
    """How often a process is killed: a few times, or many times."""
    return iter(range(request.param))  # type: ignore[return-value]


def test_a_killed_process_loses_only_what_it_had_not_written(tmp_path: Path, seeds: Iterator[int]) -> None:
    for seed in seeds:
        folder, wait = tmp_path / f"e{seed}", random.Random(seed).random() / 20
        with writer(folder, 0, 1000, 2) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "2\n"
            time.sleep(wait)
            process.kill()
            said = [2, *map(int, process.stdout.read().split())][-1]
        assert eventually(lambda process=process: process.poll() is not None)
        with Cache(folder) as cache:
            kept = holds(cache, KEYS)
            assert kept == KEYS[: len(kept)]
            assert len(kept) in (said, said + 2)
            assert said < 1000
        is_usable(folder)
