"""WordLlama: found in its package without running its code, checked, and put together as its authors do."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hub import Finder

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import FoundModel, find_model
from sentence_reports.models.baseline import STEPS, compute, find_baseline, shipped
from sentence_reports.models.tokens import Piece, TokenFacts
from sentence_reports.models.wordllama import FILES, TOKENIZER, WEIGHTS, WORDLLAMA

pytestmark = pytest.mark.skipif(find_spec("wordllama") is None, reason="this Python has no wordllama")
TEXTS = ["The dog bites the man.", "The man bites the dog.", "Ünïcode 中文 😀\u2028<s>", "  a  "]


@pytest.fixture(scope="module")
def found() -> FoundModel:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        return find_model(WORDLLAMA)


@pytest.fixture
def copy(found: FoundModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of that name with the same files, whose code must not run."""
    package = tmp_path / "wordllama"
    for name in FILES:
        (package / name).parent.mkdir(parents=True)
        shutil.copy(Path(found.folder, name), package / name)
    (package / "__init__.py").write_text("raise SystemExit('its code was run')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return package


def test_it_is_found_in_its_package_whose_code_is_not_run(copy: Path) -> None:
    finder = Finder([WORDLLAMA])
    assert finder.one() == FoundModel(WORDLLAMA, None, "installed package", str(copy), FILES[WEIGHTS])
    assert finder.network == []


@pytest.mark.parametrize("name", FILES)
def test_a_package_with_another_file_is_refused(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[-1] ^= 1
    (copy / name).write_bytes(content)
    assert (
        f"{name} in the package wordllama is not that of {WORDLLAMA}: expected" in Finder([WORDLLAMA]).error()
    )
    (copy / name).unlink()
    assert f"lacks {name}. Install the requirements again." in Finder([WORDLLAMA]).error()


def test_a_python_without_the_package_is_told_which_ones_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("sentence_reports.models.wordllama.find_spec", lambda name: None)
    running = f"this is Python {sys.version_info[0]}.{sys.version_info[1]}"
    with pytest.raises(ModelError, match=rf"not installed.* Python 3.11 to 3.13; {running}.* choose another"):
        find_model(WORDLLAMA)


def test_it_has_no_revisions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"revision 'main' is given .* Remove the revision"):
        find_model(WORDLLAMA, "main")


def test_an_embedding_is_the_mean_of_the_vectors_of_its_pieces(found: FoundModel) -> None:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(found.folder, TOKENIZER)))
    table = load_file(Path(found.folder, WEIGHTS))["embedding.weight"].astype(float)
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]
    means = np.array([table[row].mean(axis=0) for row in ids])
    embeddings = models.load(found).encode(TEXTS)
    assert embeddings.dtype == np.float32
    assert np.allclose(embeddings, means / np.linalg.norm(means, axis=1, keepdims=True), atol=1e-6)


def test_it_does_not_see_the_order_of_words(found: FoundModel) -> None:
    one, other, *_ = models.load(found).encode(TEXTS)
    assert one @ other == pytest.approx(1, abs=1e-6)


def test_what_is_said_of_it(found: FoundModel) -> None:
    encoder = models.load(found)
    facts = models.describe(found, encoder)
    assert (facts.name, facts.revision, facts.source) == (WORDLLAMA, None, "installed package")
    assert (facts.sha256, facts.parameters, facts.dtype) == (FILES[WEIGHTS], 32000 * 256, "float32")
    assert (facts.dimension, facts.max_tokens, facts.pooling, facts.normalizes) == (256, None, "mean", True)
    assert facts.size_bytes == sum(size for _, size in models.files(found)) > 18_000_000
    assert [name for name, _ in models.files(found)] == [TOKENIZER, WEIGHTS]
    assert models.token_report(encoder, ["the cat", "", "😀"]) == [
        TokenFacts(count=2, limit=None, unknown=0, readable=True),
        TokenFacts(count=0, limit=None, unknown=0, readable=False),
        TokenFacts(count=5, limit=None, unknown=0, readable=True),
    ]
    pieces = ["The", "cat", "sle", "eps", "▁", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>"]
    assert models.word_pieces(encoder, "The cat sleeps 😀") == [Piece(text, False, False) for text in pieces]


def test_a_prompt_and_fewer_dimensions_work_as_for_any_model(found: FoundModel) -> None:
    few, all_of_them = models.load(found, "about: ", 64), models.load(found, "about: ")
    assert models.describe(found, few).full_dimension == 256
    assert (few.encode(TEXTS) == all_of_them.encode(TEXTS)[:, :64]).all()
    assert (
        all_of_them.encode(TEXTS) == models.load(found).encode([f"about: {text}" for text in TEXTS])
    ).all()
    with pytest.raises(ModelError, match=r"is 257, but the embeddings .* have 256 dimensions"):
        models.load(found, None, 257)


def test_its_baseline_is_shipped(found: FoundModel, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = models.load(found)
    monkeypatch.setattr("sentence_reports.models.baseline.compute", lambda *_, **__: pytest.fail("computed"))
    baseline = find_baseline(found, encoder)
    assert baseline == shipped(WORDLLAMA), "python -m sentence_reports.models computes it again"
    assert find_baseline(found, encoder, queries=True) == baseline
    computed = compute(found, encoder)
    assert np.abs(np.subtract(computed.quantiles, baseline.quantiles)).max() <= 0.001 + 1e-9
    assert (computed.key, computed.model, len(computed.quantiles)) == (baseline.key, WORDLLAMA, STEPS + 1)


def test_the_package_is_not_written_to(found: FoundModel) -> None:
    before = sorted(Path(found.folder).rglob("*"))
    models.load(found).encode(["a"])
    assert sorted(Path(found.folder).rglob("*")) == before
    assert {name: (Path(found.folder) / name).stat().st_size for name in FILES} == dict(models.files(found))
