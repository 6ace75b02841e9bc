"""Vectors that were computed elsewhere, in NumPy files: of a set's sentences, and of those of the baseline."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sentence_reports.errors import ModelError
from sentence_reports.facts import ModelFacts
from sentence_reports.models.files import quoted
from sentence_reports.models.model_run import ModelRun
from sentence_reports.report import FoundModel, ModelChoice, Request, Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAVE = "Write it with numpy.save, as a NumPy array of numbers."
OF_SET, OF_BASELINE = "sentence of the set", "sentence that `sentence-reports baseline` prints"
UNIT = 1e-3  # vectors that scaling changes by less had length 1, but for rounding


def find_vectors(request: Request, base: Path | None = None) -> FoundModel:
    """Return files of vectors as a model; relative ones are relative to `base`, by default the current folder.

    `folder` is what they are relative to, `sha256` the hash of both. Raises ModelError if they cannot be used.
    """
    assert request.vectors is not None
    if request.revision is not None:
        raise ModelError("A revision is given for vectors from a file, which have none. Remove the revision.")
    folder = Path(base or "").absolute()
    read_vectors(folder, request.vectors)
    digests = []
    for name in sorted(request.vectors):
        with (folder / Path(name).expanduser()).open("rb") as file:
            digests.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return FoundModel(request.model, None, "file", str(folder), digest)


def use_vectors(found: FoundModel, choice: ModelChoice, texts: Sequence[str], *, normalize: bool) -> ModelRun:
    """Return what vectors from a file say about the texts; row `k` of the file belongs to text `k`.

    They are scaled to length 1 if `normalize` is true; the facts' `normalizes` says whether they already were. Raises
    ModelError if the files cannot be used for so many texts.
    """
    import numpy as np

    from sentence_reports.models.baseline import of_vectors

    folder, vectors = Path(found.folder), choice.request.vectors
    assert vectors is not None
    given, unrelated = read_vectors(folder, vectors, len(texts))
    scaled = unit(given)
    facts = ModelFacts(
        name=found.name,
        revision=None,
        source=found.source,
        sha256=found.sha256,
        dimension=given.shape[1],
        max_tokens=None,
        pooling=None,
        normalizes=np.allclose(given, scaled, rtol=0, atol=UNIT),
        parameters=0,
        size_bytes=sum((folder / Path(name).expanduser()).stat().st_size for name in vectors),
        dtype=str(given.dtype),
    )
    with np.errstate(over="ignore"):  # what is infinite then is an error of its own
        embeddings = (scaled if normalize else given).astype(np.float32)
    baseline = of_vectors(found.name, found.sha256[:32], unit(unrelated))
    return ModelRun(choice.label, embeddings, facts, baseline)


def read_vectors(
    folder: Path, vectors: Vectors, n: int | None = None
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Return the vectors of the sentences, `(n, d)`, and of the baseline's, `(200, d)`, of whatever type they have.

    Raises ModelError if a file is missing or is not a NumPy file, if it does not have two dimensions or as many rows as
    there are sentences (`n`; None: any number), if a value is not a finite number, if a row is zero, or if the two
    files are the same or differ in `d`.
    """
    from sentence_reports.models.baseline import sentences

    paths = [folder / Path(name).expanduser() for name in vectors]
    if all(path.is_file() for path in paths) and paths[0].samefile(paths[1]):
        raise ModelError(
            f"vectors: `file` and `baseline` are the same file, {quoted(vectors.file)}. Expected one with a row for "
            f"each {OF_SET}, and one with a row for each {OF_BASELINE}."
        )
    given = read_array("file", vectors.file, paths[0], n, OF_SET)
    unrelated = read_array("baseline", vectors.baseline, paths[1], len(sentences()), OF_BASELINE)
    if given.shape[1] != unrelated.shape[1]:
        raise ModelError(
            f"vectors: {quoted(vectors.file)} has {given.shape[1]:,} columns and {quoted(vectors.baseline)} has "
            f"{unrelated.shape[1]:,}. Vectors of one model have equally many. Compute both with the same model."
        )
    return given, unrelated


def read_array(key: str, name: str, path: Path, rows: int | None, whose: str) -> NDArray[np.generic]:
    """Return the array in the NumPy file `name`, `(rows, d)`; `key` and `whose` rows they are is for messages.

    The file is mapped into memory, so that what its head promises is compared with its size, and no pickle is loaded.
    """
    import numpy as np

    named = f"vectors: `{key}` {quoted(name)}"
    expected = f"Expected a row for each {whose}, in their order."
    if not path.is_file():
        raise ModelError(f"{named}: there is no such file (relative to the set file). {expected} {SAVE}")
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a damaged file can raise anything
        reason = str(error).partition("\n")[0].rstrip(".")  # further lines advise to load pickles
        raise ModelError(f"{named} cannot be read as a NumPy file (.npy): {reason}. {SAVE}") from error
    if array.ndim != 2 or not array.shape[1]:
        raise ModelError(f"{named} has the shape {array.shape}, expected two dimensions. {expected}")
    if array.dtype.kind not in "fiu":
        raise ModelError(f"{named} holds values of the type {array.dtype}, expected numbers. {SAVE}")
    if rows is not None and len(array) != rows:
        raise ModelError(f"{named} has {len(array):,} rows, expected {rows:,}. {expected}")
    broken = np.argwhere(~np.isfinite(array))
    if len(broken):
        row, column = broken[0]
        raise ModelError(
            f"{named}, row {row + 1:,}, column {column + 1:,} is {array[row, column]}, expected a finite number. "
            "Compute this vector again."
        )
    zero = np.flatnonzero(~array.any(axis=1))
    if len(zero):
        raise ModelError(
            f"{named}, row {zero[0] + 1:,} holds nothing but zeros: such a vector has no direction, so it cannot be "
            "compared. Compute it again, or leave the sentence out."
        )
    return array


def unit(array: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the rows of an array, `(n, d)`, none of them zero, at length 1."""
    import numpy as np

    rows = array.astype(np.float64)
    rows /= np.abs(rows).max(axis=1, keepdims=True)  # so that no square is too large or too small for a float
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows
