"""Neighbors in the notebook of a collection: the same bits whether they were kept, updated or computed."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from numpy.typing import NDArray
from support import ROOT

from sentence_reports.collection.neighbors import Nearest, nearest
from sentence_reports.lesson import collection_neighbors as room
from sentence_reports.lesson.collection_neighbors import are_known, keep_neighbors, nearest_neighbors
from sentence_reports.models.cache_file import FILE, cache_folder
from sentence_reports.models.neighbor_cache import NeighborCache
from sentence_reports.report import PROGRESS

Vectors = NDArray[np.float32]


def unit(n: int, seed: int = 0) -> Vectors:
    """Random vectors of unit length, `(n, 16)`."""
    rows = np.random.default_rng(seed).standard_normal((n, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def assert_same(one: Nearest, other: Nearest) -> None:
    np.testing.assert_array_equal(one.positions, other.positions)
    np.testing.assert_array_equal(one.similarities, other.similarities)
    assert one.positions.dtype == np.uint32
    assert one.similarities.dtype == np.float32


def kept() -> int:
    with NeighborCache() as cache:
        return cache.kept()[0]


@pytest.fixture(autouse=True)
def all_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the neighbors of few texts as well."""
    monkeypatch.setattr(room, "KEPT_ABOVE", 2)


def fail_in_a_whole_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(room, "nearest", None)
    patch.setattr("sentence_reports.collection.neighbors.nearest", None)


# --- the same bits -------------------------------------------------------------------------------------------


def test_the_same_vectors_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(300)
    first = nearest_neighbors(vectors)
    assert_same(first, nearest(vectors))
    fail_in_a_whole_pass(monkeypatch)
    monkeypatch.setattr(room, "updated", None)
    assert_same(nearest_neighbors(vectors.copy()), first)


def test_a_changed_text_is_compared_and_no_whole_pass_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, changed = unit(300), unit(300)
    changed[150] = unit(1, seed=7)
    nearest_neighbors(vectors)
    expected = nearest(changed)
    fail_in_a_whole_pass(monkeypatch)
    assert_same(nearest_neighbors(changed), expected)
    assert kept() == 2
    monkeypatch.setattr(room, "updated", None)
    assert_same(nearest_neighbors(changed), expected)


def test_neighbors_are_known_if_three_quarters_of_the_vectors_are() -> None:
    vectors, others = unit(40), unit(40, seed=1)
    assert not are_known(vectors)
    keep_neighbors(vectors, nearest(vectors))
    assert are_known(vectors)
    assert are_known(np.concatenate([vectors[:30], others[:10]]))
    assert not are_known(np.concatenate([vectors[:29], others[:11]]))


def test_of_several_tables_the_closest_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(300)
    for some in (vectors, unit(300, seed=1), vectors[:200]):
        nearest_neighbors(some)
    expected = nearest(vectors[:298])
    fail_in_a_whole_pass(monkeypatch)
    assert_same(nearest_neighbors(vectors[:298]), expected)


def edited(vectors: Vectors, chance: random.Random) -> Vectors:
    """The vectors after one to three changes; some are copies of others, and some are nearly that."""
    rows = list(vectors)
    for _ in range(chance.randint(1, 3)):
        place, other = chance.randrange(len(rows)), chance.randrange(len(rows))
        new = unit(1, seed=chance.randrange(1000))[0]
        match chance.choice(["insert", "delete", "replace", "swap", "copy", "nearly", "revert"]):
            case "insert":
                rows.insert(place, new)
            case "delete" if len(rows) > 20:
                del rows[place]
            case "replace":
                rows[place] = new
            case "swap":
                rows[place], rows[other] = rows[other], rows[place]
            case "copy":
                rows.insert(place, rows[other])
            case "nearly":
                rows.insert(place, np.nextafter(rows[other], np.float32(1)))
            case "revert":
                rows = rows[::-1] if chance.random() < 0.2 else rows
    return np.array(rows, np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_after_any_history_of_edits_the_bits_are_the_same(seed: int) -> None:
    chance = random.Random(seed)
    vectors = unit(60, seed)
    for _ in range(25):
        assert_same(nearest_neighbors(vectors), nearest(vectors))
        vectors = edited(vectors, chance)


def test_another_number_of_neighbors_or_algorithm_is_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(50)
    for k in (10, 3, 12):
        assert_same(nearest_neighbors(vectors, k), nearest(vectors, k))
    assert kept() == 3
    monkeypatch.setattr(room, "VERSION", 0)
    nearest_neighbors(vectors)
    assert kept() == 4


def test_few_texts_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "KEPT_ABOVE", 50)
    assert_same(nearest_neighbors(unit(50)), nearest(unit(50)))
    assert not cache_folder().exists()
    nearest_neighbors(unit(51))
    assert kept() == 1


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        nearest_neighbors(np.full((3, 2), np.nan, np.float32))


# --- trouble -------------------------------------------------------------------------------------------------


def test_damage_changes_nothing() -> None:
    vectors = unit(400)
    expected = nearest_neighbors(vectors)
    for seed in range(6):
        data = bytearray((cache_folder() / FILE).read_bytes())
        start = random.Random(seed).randrange(len(data) - 500)
        data[start : start + 500] = random.Random(seed).randbytes(500)
        (cache_folder() / FILE).write_bytes(data)
        assert_same(nearest_neighbors(vectors), expected)
        assert_same(nearest_neighbors(vectors), expected)


def test_without_a_cache_all_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTENCE_REPORTS_CACHE_LIMIT", "0")
    assert_same(nearest_neighbors(unit(50)), nearest(unit(50)))
    assert not cache_folder().exists()


def test_a_folder_that_cannot_be_used_changes_nothing() -> None:
    cache_folder().mkdir(parents=True)
    (cache_folder() / "mine").write_text("mine")
    assert_same(nearest_neighbors(unit(50)), nearest(unit(50)))
    assert [path.name for path in cache_folder().iterdir()] == ["mine"]


KILLED = """
import os, random, signal, sys, time
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from test_collection_neighbors import edited, nearest_neighbors, room, unit
room.KEPT_ABOVE = 2
for seed in range(int(sys.argv[4])):  # a child starts at once, with everything imported
    os.environ["XDG_CACHE_HOME"] = str(Path(sys.argv[3]) / str(seed))
    reader, writer = os.pipe()
    if not (child := os.fork()):
        chance, vectors = random.Random(0), unit(400)
        for _ in range(500):
            nearest_neighbors(vectors)
            os.write(writer, b".")
            vectors = edited(vectors, chance)
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    time.sleep(random.Random(seed).random() / 2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(1 + len(os.read(reader, 1000)))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs fork")
def test_a_kill_leaves_only_tables_that_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = 20
    folders = [str(Path(__file__).parent), str(ROOT / "tests"), str(tmp_path)]
    command = [sys.executable, "-c", KILLED, *folders, str(times)]
    done = subprocess.run(command, check=True, timeout=600, capture_output=True, text=True)
    for seed, said in enumerate(map(int, done.stdout.split())):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / str(seed)))
        chance, vectors = random.Random(0), unit(400)
        for _ in range(said - 1):
            vectors = edited(vectors, chance)
        assert kept() >= min(said, 8)
        expected = nearest(vectors)
        with monkeypatch.context() as patch:  # what was said to be done is there
            fail_in_a_whole_pass(patch)
            patch.setattr(room, "updated", None)
            assert_same(nearest_neighbors(vectors), expected)
        vectors = edited(vectors, chance)
        assert_same(nearest_neighbors(vectors), nearest(vectors))


# --- progress ------------------------------------------------------------------------------------------------


@pytest.fixture
def publisher() -> Iterator[CapturingDisplayPublisher]:
    """What a front end is sent."""
    shell = InteractiveShell.instance(display_pub_class=CapturingDisplayPublisher)
    yield shell.display_pub
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("n", [100, 101])
def test_only_a_large_set_tells_how_far_it_is(
    publisher: CapturingDisplayPublisher, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SILENT_UP_TO", 100)
    monkeypatch.setattr(
        room, "nearest", lambda vectors, k, progress: nearest(vectors, k, tile=5, progress=progress)
    )
    nearest_neighbors(unit(n))
    told = [output["data"][PROGRESS] for output in publisher.outputs]
    percent = range(101) if n > 100 else []  # there are 231 tiles, and a message for each percent
    assert told == [{"done": done, "total": 100, "step": "comparing"} for done in percent]
    assert all(output["update"] for output in publisher.outputs)  # of nothing: it leaves no output
