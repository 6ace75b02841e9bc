"""The commands about models: what they print and what they remove."""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import Ran, command_line, on_a_terminal

from sentence_reports.models.cache import Cache
from sentence_reports.models.neighbor_cache import NeighborCache, Table


def test_cache_shows_what_is_kept_of_each_model_and_empties_it(call: Callable[..., Ran]) -> None:
    folder = Path(os.environ["XDG_CACHE_HOME"]) / "sentence-reports" / "embeddings"
    with Cache(folder) as cache:
        cache.put("a/model", [b"1", b"2", b"3"], np.ones((3, 100), "f4"))
        cache.put("b\033[31m", [b"4"], np.ones((1, 100), "f4"))
    ran = call("cache")
    day = time.strftime("%Y-%m-%d")
    assert ran.code == 0
    assert ran.stdout == f"a/model\t3\t1200\t{day}\nb\\x1b[31m\t1\t400\t{day}\n"
    assert re.fullmatch(rf"4 vectors, \d+\.\d kB of at most 2.0 GB, in {folder}\n", ran.stderr)
    ran = call("cache", "--clear")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", f"Removed 4 vectors from {folder}\n")
    assert call("cache").stderr.startswith("0 vectors, ")


def test_cache_counts_tables_of_neighbors_and_removes_them(call: Callable[..., Ran]) -> None:
    folder = Path(os.environ["XDG_CACHE_HOME"]) / "sentence-reports" / "embeddings"
    table = Table([b"0" * 16, b"1" * 16], np.ones((2, 1), "u4"), np.ones((2, 1), "f4"))
    with NeighborCache(folder) as cache:
        cache.put("a kind", table)
    said = call("cache").stderr
    assert re.fullmatch(rf"0 vectors and 1 table of neighbors \(48 bytes\), [^\n]* in {folder}\n", said)
    said = call("cache", "--clear").stderr
    assert said == f"Removed 0 vectors and 1 table of neighbors from {folder}\n"
    assert call("cache").stderr.startswith("0 vectors, ")


@pytest.mark.parametrize("words", [("cache",), ("cache", "--clear")])
def test_a_cache_that_cannot_be_used_is_one_message(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = command_line(*words, home=tmp_path, SENTENCE_REPORTS_CACHE_LIMIT="0")
    message = "sentence-reports: the cache of vectors cannot be used: SENTENCE_REPORTS_CACHE_LIMIT is 0\n"
    assert (ran.code, ran.stdout, ran.stderr) == (2, "", message)


def test_on_a_terminal_it_is_a_table() -> None:
    with Cache() as cache:
        cache.put("a/model", [b"1", b"2", b"3"], np.ones((3, 100), "f4"))
        cache.put("b\033[31m", [k.to_bytes(4, "big") for k in range(2000)], np.ones((2000, 1), "f4"))
    code, seen = on_a_terminal("-m", "sentence_reports", "cache")
    rows = [line.split() for line in re.sub(r"\x1b\[[\d;]*m", "", seen).splitlines()]
    day = time.strftime("%Y-%m-%d")
    assert code == 0
    assert rows[0] == ["model", "vectors", "size", "last", "used"]
    assert rows[1:3] == [["a/model", "3", "1.2", "kB", day], ["b\\x1b[31m", "2,000", "8.0", "kB", day]]
    assert rows[3][:2] == ["2,003", "vectors,"]
