"""Embeddings of many texts: each is encoded once, and its bits do not depend on what else is encoded."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support import edit

from sentence_reports.errors import ModelError
from sentence_reports.models import EMBEDDED, batches, find_model, load
from sentence_reports.models import embed as room
from sentence_reports.models.batches import Encoding, Method, equal_length, even_encoder
from sentence_reports.models.cache import Cache
from sentence_reports.models.embed import Encoded, keep, vector_keys
from sentence_reports.models.usage import Usage, choose_usage
from sentence_reports.models.wordllama import WORDLLAMA
from sentence_reports.process import cores
from sentence_reports.report import FoundModel


def texts(n: int) -> list[str]:
    """Different texts of different lengths, the longest neither first nor last."""
    words = ["the", "cat", "sat", "on", "mat"]
    return [f"{k} " + " ".join(words[(k * j + j) % 5] for j in range(1, 2 + 7 * k % 11)) for k in range(n)]


def embed(found: FoundModel, lines: list[str], truncate_dim: int | None = None, **options: Any) -> Encoded:
    """The embeddings of lines by a model that is loaded if it is needed."""
    encoding = Encoding(found, choose_usage(found, truncate_dim=truncate_dim))
    return room.embed(lambda: load(found, truncate_dim=truncate_dim), encoding, lines, **options)


def kept() -> int:
    """How many vectors are in the cache of this test."""
    with Cache() as cache:
        return sum(model.vectors for model in cache.kept())


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when it is called, loading a model is an error."""

    def loading(*_: Any, **__: Any) -> None:
        raise AssertionError("a model was loaded")

    return lambda: monkeypatch.setitem(globals(), "load", loading)


# --- the same bits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [EMBEDDED, WORDLLAMA])
def test_the_bits_do_not_depend_on_company_or_threads(name: str) -> None:
    if name == WORDLLAMA and sys.version_info >= (3, 14):
        pytest.skip("wordllama has no wheels for this Python")
    found = find_model(name)
    encoder, lines = load(found), texts(50)
    encoding = Encoding(found, Usage.of(encoder))

    def encoded(chosen: list[str], threads: int) -> np.ndarray:
        with even_encoder(encoder, encoding, threads=threads) as encode:
            return encode(chosen, lambda done: None)

    together = encoded(lines, 1)
    assert np.allclose(together, encoder.encode(lines, normalize_embeddings=True), atol=1e-6)
    assert np.array_equal(encoded(lines, 3), together)
    assert np.array_equal(encoded(lines[::-1], 2), together[::-1])
    assert np.array_equal(encoded(lines[::7], 2), together[::7])
    assert np.array_equal(np.concatenate([encoded([line], 2) for line in lines[::9]]), together[::9])


@pytest.mark.parametrize(("device", "asked", "used"), [("cpu", 3, 3), ("cpu", 0, cores()), ("cuda", 3, 1)])
def test_one_thread_serves_a_graphics_card(
    device: str, asked: int, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    def pool(count: int) -> ThreadPoolExecutor:
        started.append(count)
        return ThreadPoolExecutor(count)

    monkeypatch.setattr(batches, "ThreadPoolExecutor", pool)
    encoder: Any = SimpleNamespace(device=SimpleNamespace(type=device))
    with even_encoder(encoder, Encoding(find_model(EMBEDDED), Usage("", "", "", None)), threads=asked):
        assert started == [used]


def test_a_batch_has_texts_of_one_number_of_tokens(e5: Path) -> None:
    encoder = load(find_model(str(e5)))
    lines = ["the", "cat", "the cat", "the " * 40, "the " * 50, "mat"]
    assert equal_length(encoder, lines, "") == [[3, 4], [2], [0, 1, 5]]  # the model reads 16 tokens
    assert equal_length(encoder, lines, "query : " * 10) == [[0, 1, 2, 3, 4, 5]]
    assert len(equal_length(encoder, ["the"] * 65, "")) == 3


def test_the_number_of_threads_is_as_before(tiny: Path) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        embed(find_model(str(tiny)), texts(3))
        assert torch.get_num_threads() == 3
        with pytest.raises(ZeroDivisionError):
            embed(find_model(str(tiny)), texts(5), progress=lambda done, total: 1 // 0)  # type: ignore[arg-type,return-value]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


# --- each text once ------------------------------------------------------------------------------------------


def test_a_second_time_nothing_is_encoded_and_the_bits_are_the_same(
    tiny: Path, no_model: Callable[[], None]
) -> None:
    found, lines = find_model(str(tiny)), texts(50)
    cold = embed(found, lines)
    expected = load(found).encode(lines, normalize_embeddings=True)
    assert np.allclose(cold.embeddings, expected, atol=1e-6)
    assert (cold.embeddings.shape, cold.embeddings.dtype, cold.fresh) == ((50, 32), np.float32, 50)
    no_model()
    warm = embed(found, lines)
    assert np.array_equal(warm.embeddings, cold.embeddings)
    assert warm.fresh == 0
    assert np.array_equal(embed(found, lines[::-1]).embeddings, cold.embeddings[::-1])


def test_one_changed_text_is_one_text_to_encode(tiny: Path) -> None:
    found, lines = find_model(str(tiny)), texts(50)
    before = embed(found, lines).embeddings
    changed = [*lines[:20], "the mat on the mat", *lines[21:]]
    after = embed(found, changed)
    assert after.fresh == 1
    assert np.array_equal(np.delete(after.embeddings, 20, axis=0), np.delete(before, 20, axis=0))
    assert not np.allclose(after.embeddings[20], before[20])
    os.environ["SENTENCE_REPORTS_CACHE_LIMIT"] = "0"
    try:
        assert np.array_equal(embed(found, changed).embeddings, after.embeddings)  # as with no cache
    finally:
        del os.environ["SENTENCE_REPORTS_CACHE_LIMIT"]


def test_what_was_encoded_elsewhere_is_kept_unless_it_is_there(
    tiny: Path, no_model: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, lines = find_model(str(tiny)), [*texts(9), "the\ncat", "the cat"]
    there = embed(found, lines).embeddings
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    embed(found, lines[:4])
    put: list[int] = []
    plain = Cache.put

    def counted(self: Cache, model: str, keys: list[bytes], vectors: np.ndarray) -> None:
        put.append(len(keys))
        plain(self, model, keys, vectors)

    monkeypatch.setattr(Cache, "put", counted)
    no_model()
    for _ in range(2):
        keep(Encoding(found, choose_usage(found)), lines, there)
    assert put == [6]
    assert np.array_equal(embed(found, lines).embeddings, there)


def test_copies_and_line_breaks_are_encoded_once(tiny: Path) -> None:
    encoded = embed(find_model(str(tiny)), ["the\ncat", "mat", "the cat", "mat", "the\rcat"])
    assert encoded.fresh == kept() == 2
    assert [k for k in range(5) if np.array_equal(encoded.embeddings[k], encoded.embeddings[0])] == [0, 2, 4]
    assert np.array_equal(encoded.embeddings[1], encoded.embeddings[3])


def test_progress_counts_what_the_cache_had(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SHARD", 20)
    found, told = find_model(str(tiny)), []
    embed(found, texts(50)[:10])
    embed(found, texts(50), progress=lambda done, total: told.append((done, total)))
    assert [total for _, total in told] == [50] * len(told)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert {30, 50} < {done for done, _ in told}
    assert told[0][0] > 10


def test_what_was_encoded_before_an_interruption_is_kept(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SHARD", 20)
    found, lines = find_model(str(tiny)), texts(90)

    def interrupt(done: int, total: int) -> None:
        if done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(found, lines, progress=interrupt)
    before = kept()
    assert before in (20, 40)
    assert embed(found, lines).fresh == 90 - before


def test_without_a_cache_the_numbers_are_the_same(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_model(str(tiny))
    usual = embed(found, texts(20)).embeddings
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))  # a folder that cannot be
    for _ in range(2):
        again = embed(found, texts(20))
        assert again.fresh == 20
        assert np.array_equal(again.embeddings, usual)


def test_a_model_that_does_not_fit_is_an_error(tiny: Path) -> None:
    with pytest.raises(ModelError, match="`truncate_dim` is 99"):
        embed(find_model(str(tiny)), ["the cat"], truncate_dim=99)


# --- the key -------------------------------------------------------------------------------------------------


def encoding_of(folder: Path, prompt: str | None = None, truncate_dim: int | None = None) -> Encoding:
    """How the model in a folder is used."""
    found = find_model(str(folder))
    return Encoding(found, choose_usage(found, prompt, truncate_dim))


def key_of(folder: Path, text: str = "the cat", prompt: str | None = None, **changes: Any) -> bytes:
    """The key of one vector of the model in a folder."""
    encoding = encoding_of(folder, prompt, changes.pop("truncate_dim", None))
    (key,) = vector_keys(encoding._replace(**changes), [text])
    return key


CHANGES: dict[str, Callable[[Path, pytest.MonkeyPatch], bytes]] = {
    "text": lambda model, patch: key_of(model, text="the cat "),
    "prompt": lambda model, patch: key_of(model, prompt="the "),
    "prompt and text parted elsewhere": lambda model, patch: key_of(model, "cat", prompt="the "),
    "truncate_dim": lambda model, patch: key_of(model, truncate_dim=16),
    "normalize": lambda model, patch: key_of(model, normalize=False),
    "device": lambda model, patch: key_of(model, device="cuda"),
    "method": lambda model, patch: key_of(model, method="encode_query"),
    "weights": lambda model, patch: key_of(model, found=replace(find_model(str(model)), sha256="0" * 64)),
    "pooling": lambda model, patch: (
        edit(model / "1_Pooling" / "config.json", pooling_mode="mean") or key_of(model)
    ),
    "vocabulary": lambda model, patch: (
        edit(model / "tokenizer_config.json", model_max_length=8) or key_of(model)
    ),
    "processor": lambda model, patch: patch.setattr(room, "processor", lambda: "another") or key_of(model),
    "libraries": lambda model, patch: patch.setattr(room, "version", lambda name: "9") or key_of(model),
    "scheme": lambda model, patch: patch.setattr(room, "SCHEME", 99) or key_of(model),
}


@pytest.mark.parametrize("ingredient", CHANGES)
def test_a_key_depends_on_everything_that_the_bits_depend_on(
    model: Path, ingredient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = key_of(model)
    assert len(usual) == 16
    assert CHANGES[ingredient](model, monkeypatch) != usual


def test_a_key_depends_on_nothing_else(model: Path, tmp_path: Path) -> None:
    usual = key_of(model)
    copied = Path(shutil.copytree(model, tmp_path / "moved"))
    assert key_of(copied) == usual
    assert vector_keys(encoding_of(model), ["mat", "the cat"])[1] == usual


def test_a_key_depends_on_the_prompt_of_its_method(model: Path) -> None:
    usage = Usage("", "query: ", "", None)
    keys = {
        vector_keys(Encoding(find_model(str(model)), each, method), ["the cat"])[0]
        for method in ("encode_query", "encode_document")
        for each in (usage, usage._replace(query="question: "))
    }
    assert len(keys) == 3  # another prompt of queries does not concern documents


def test_queries_and_documents_are_kept_apart(e5: Path) -> None:
    found = find_model(str(e5))
    encoder = load(found)
    methods: tuple[Method, ...] = ("encode", "encode_query", "encode_document")
    for method in methods:
        got = room.embed(lambda: encoder, Encoding(found, Usage.of(encoder), method), ["the cat", "mat"])
        assert got.fresh == 2
        expected = getattr(encoder, method)(["the cat", "mat"], normalize_embeddings=True)
        assert np.allclose(got.embeddings, expected, atol=1e-6)


# --- how long it took ----------------------------------------------------------------------------------------


def test_the_time_of_a_text_is_known_if_enough_were_encoded(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_model(str(tiny))
    first = embed(found, texts(40))
    assert first.milliseconds == pytest.approx(1000 * first.seconds / 40)
    assert embed(found, texts(3)).milliseconds is None  # nothing was encoded
    assert embed(found, [*texts(40), "mat"]).milliseconds is None  # one was
    assert embed(found, ["cat"]).milliseconds is not None  # all were
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert embed(found, texts(90)).milliseconds is None


# --- a kill --------------------------------------------------------------------------------------------------

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
import sentence_transformers
from sentence_reports.models import choose_usage, embed as room, find_model, load
from sentence_reports.models.batches import Encoding
room.SHARD = 20
found, folder = find_model(sys.argv[1]), Path(sys.argv[2])
encoding = Encoding(found, choose_usage(found))
texts = Path(sys.argv[3]).read_text().splitlines()
for seed in range(int(sys.argv[4])):  # a child starts at once, with everything imported
    os.environ["XDG_CACHE_HOME"] = str(folder / str(seed))
    reader, writer = os.pipe()
    if not (child := os.fork()):
        room.embed(lambda: load(found), encoding, texts, progress=lambda done, total: os.write(writer, b"."))
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    time.sleep(random.Random(seed).random() / 2)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_after_a_kill_only_what_was_not_committed_is_encoded(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 20
    lines, file = texts(800), tmp_path / "texts"
    file.write_text("\n".join(lines))
    command = [sys.executable, "-c", KILLED, str(tiny), str(tmp_path), str(file), str(times)]
    subprocess.run(command, check=True, timeout=600, capture_output=True)
    found = find_model(str(tiny))
    expected, counts = embed(found, lines).embeddings, []
    for seed in range(times):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / str(seed)))
        counts.append(kept())
        assert counts[-1] % 20 == 0
        again = embed(found, lines)
        assert again.fresh == 800 - counts[-1]
        assert np.array_equal(again.embeddings, expected)
        assert kept() == 800
    assert any(0 < count < 800 for count in counts), counts
