"""Vectors from files: checked before they are used, each fault named with the file and what to do."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import choose_usage, find_model, run_model
from sentence_reports.models.baseline import announce, baseline_key, sentences
from sentence_reports.report import FoundModel, ModelChoice, Request, Vectors

REQUEST = Request("ada.npy", vectors=Vectors("ada.npy", "data/ada-baseline.npy"))
TEXTS = ["one", "two", "three"]


def numbers(rows: int, columns: int = 8) -> Any:
    """Numbers that are the same each time, no row of length 1."""
    return np.random.default_rng(rows).normal(size=(rows, columns)) * 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the vectors of three sentences and of the baseline's."""
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "ada.npy", numbers(3).astype(np.float32))
    np.save(tmp_path / "data" / "ada-baseline.npy", numbers(200))
    return tmp_path


def run(folder: Path, **options: Any) -> models.ModelRun:
    """Find and run the vectors of the folder."""
    return run_model(find_model(*REQUEST, folder=folder), ModelChoice("Ada", REQUEST), TEXTS, **options)


def test_they_are_found_next_to_the_set_and_hashed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted(REQUEST.vectors or ())
    ]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    found = find_model(*REQUEST, folder=folder)
    assert found == FoundModel("ada.npy", None, "file", str(folder), digest)
    with pytest.raises(ModelError, match="no such file"):
        find_model(*REQUEST)
    monkeypatch.chdir(folder)
    assert find_model(*REQUEST) == found


def test_what_they_say(folder: Path) -> None:
    ran = run(folder)
    rows, unrelated = numbers(3).astype(np.float32), numbers(200)
    assert np.allclose(ran.embeddings, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-6)
    assert (ran.label, ran.embeddings.dtype, ran.tokens, ran.milliseconds) == ("Ada", np.float32, (), None)
    facts = ran.facts
    assert (facts.name, facts.source, facts.dimension, facts.dtype) == ("ada.npy", "file", 8, "float32")
    assert (facts.parameters, facts.normalizes, facts.max_tokens) == (0, False, None)
    assert facts.size_bytes == sum((folder / name).stat().st_size for name in REQUEST.vectors or ())
    assert facts.sha256 == find_model(*REQUEST, folder=folder).sha256
    unit = unrelated / np.linalg.norm(unrelated, axis=1, keepdims=True)
    values = (unit @ unit.T)[np.triu_indices(200, k=1)]
    assert ran.baseline.median == pytest.approx(np.median(values), abs=0.001)
    assert (ran.baseline.pairs, ran.baseline.model) == (19900, "ada.npy")
    assert np.allclose(run(folder, normalize=False).embeddings, rows)


@pytest.mark.parametrize("kind", ["float16", "float64", "int8", "uint8", ">f4"])
def test_numbers_of_any_kind_and_size_are_scaled(folder: Path, kind: str) -> None:
    rows = (np.abs(numbers(3)) * 20).astype(kind)
    np.save(folder / "ada.npy", rows)
    expected = rows.astype(float) / np.linalg.norm(rows.astype(float), axis=1, keepdims=True)
    assert np.allclose(run(folder).embeddings, expected, atol=1e-6)
    np.save(folder / "ada.npy", rows.astype(float) * 1e300)
    assert np.allclose(run(folder).embeddings, expected, atol=1e-6)


def test_whether_they_had_length_1_is_said(folder: Path) -> None:
    rows = numbers(3)
    np.save(folder / "ada.npy", (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16))
    assert run(folder).facts.normalizes is True


def test_rows_without_an_embedding_are_not_compared_as_they_are(folder: Path) -> None:
    np.save(folder / "ada.npy", numbers(3) * 1e300)  # too large for float32
    with pytest.raises(ModelError, match=r"embedding of sentence 1 by ada.npy .* not finite"):
        run(folder, normalize=False)


def with_value(value: float, row: int, column: int | slice) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        rows = numbers(3)
        rows[row, column] = value
        np.save(folder / "ada.npy", rows)

    return change


def save(name: str, array: Any) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / name, array)


def write(content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / "ada.npy").write_bytes(content)


def damage(folder: Path) -> None:
    content = (folder / "ada.npy").read_bytes()
    (folder / "ada.npy").write_bytes(content[:-1])


def zipped(folder: Path) -> None:
    with (folder / "ada.npy").open("wb") as file:
        np.savez(file, a=numbers(3))


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "absent": (
        lambda folder: (folder / "ada.npy").unlink(),
        r"`file` 'ada.npy': there is no such file .*numpy.save",
    ),
    "a folder": (
        lambda folder: ((folder / "ada.npy").unlink(), (folder / "ada.npy").mkdir()),
        r"`file` 'ada.npy': there is no such file",
    ),
    "no baseline": (
        lambda folder: (folder / "data" / "ada-baseline.npy").unlink(),
        r"`baseline` 'data/ada-baseline.npy': there is no such file .*`sentence-reports baseline` prints",
    ),
    "text": (write(b"0.1, 0.2\n"), r"cannot be read as a NumPy file \(.npy\): .*\. Write it with numpy.save"),
    "empty": (write(b""), r"cannot be read as a NumPy file"),
    "cut": (damage, r"cannot be read as a NumPy file"),
    "a zip": (zipped, r"cannot be read as a NumPy file"),
    "a pickle": (save("ada.npy", np.array([[{}]], dtype=object)), r"objects in dtype\. Write it"),
    "a long head": (
        write(b"\x93NUMPY\x02\x00" + (50_000).to_bytes(4, "little") + b"(" * 50_000),
        r"\(50000\) is large and may not be safe to load securely\. Write it",
    ),
    "one dimension": (save("ada.npy", numbers(3).ravel()), r"shape \(24,\), expected two dimensions"),
    "no columns": (save("ada.npy", numbers(3, 0)), r"'ada.npy'"),
    "letters": (save("ada.npy", np.full((3, 8), "a")), r"values of the type <U1, expected numbers"),
    "truth": (save("ada.npy", numbers(3) > 0), r"values of the type bool, expected numbers"),
    "imaginary": (save("ada.npy", numbers(3) * 1j), r"values of the type complex128, expected numbers"),
    "rows": (
        save("ada.npy", numbers(4)),
        r"'ada.npy' has 4 rows, expected 3. .*each sentence of the set, in their",
    ),
    "rows of the baseline": (
        save("data/ada-baseline.npy", numbers(199)),
        r"'data/ada-baseline.npy' has 199 rows, expected 200. .*`sentence-reports baseline` prints",
    ),
    "columns": (
        save("ada.npy", numbers(3, 9)),
        r"has 9 columns and 'data/ada-baseline.npy' has 8.*the same model",
    ),
    "not a number": (
        with_value(np.nan, 1, 2),
        r"'ada.npy', row 2, column 3 is nan, expected a finite number",
    ),
    "infinite": (with_value(-np.inf, 0, 7), r"'ada.npy', row 1, column 8 is -inf, expected a finite number"),
    "a row of zeros": (with_value(0, 2, slice(None)), r"'ada.npy', row 3 holds nothing but zeros"),
    "the same file": (
        lambda folder: (
            (folder / "data" / "ada-baseline.npy").unlink(),
            os.link(folder / "ada.npy", folder / "data" / "ada-baseline.npy"),
        ),
        r"`file` and `baseline` are the same file, 'ada.npy'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_cannot_be_used_are_refused_with_the_reason(fault: str, folder: Path) -> None:
    spoil, reason = FAULTS[fault]
    spoil(folder)
    with pytest.raises(ModelError, match=reason) as caught:
        run(folder)
    assert str(folder) not in str(caught.value)


def test_no_pickle_is_run(folder: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(folder / "it was run"),))

    np.save(folder / "ada.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    with pytest.raises(ModelError, match="cannot be read"):
        run(folder)
    assert not (folder / "it was run").exists()


def test_they_have_no_revision_prompt_or_dimensions_to_choose(folder: Path) -> None:
    with pytest.raises(ModelError, match="Remove the revision"):
        find_model("ada.npy", "main", None, REQUEST.vectors, folder=folder)
    found = find_model(*REQUEST, folder=folder)
    for options in ({"prompt": "query: "}, {"truncate_dim": 4}):
        with pytest.raises(ModelError, match=f"`{next(iter(options))}` is given for ada.npy"):
            choose_usage(found, **options)
    with pytest.raises(ModelError, match="only a comparison, with `models`, can use it"):
        models.load(found)


def test_their_baseline_is_not_announced(folder: Path) -> None:
    said: list[str] = []
    found = find_model(*REQUEST, folder=folder)
    announce({baseline_key(found, choose_usage(found)): found.name}, said.append)
    assert said == []


def test_the_sentences_to_embed() -> None:
    assert len(sentences()) == len(set(sentences())) == 200
    assert all(text == text.strip() and text.isprintable() for text in sentences())
