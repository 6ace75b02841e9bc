"""A model's baseline: what unrelated sentences score, the scale on which its similarities are to be read.

A `Baseline` holds the similarities of all pairs of the 200 everyday English sentences in ``baseline.txt``. That of
the embedded model is shipped (``baseline.json``, which this module writes if run as a program); that of another
model is computed once and kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path
from pydantic import TypeAdapter

from sentence_reports.errors import ModelError
from sentence_reports.files import atomic_write
from sentence_reports.models.encoder import load
from sentence_reports.models.files import files
from sentence_reports.models.find import EMBEDDED, find_model
from sentence_reports.report import FoundModel
from sentence_reports.summary import DIGITS, STEPS, Baseline

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SENTENCES = Path(__file__).with_name("baseline.txt")
SHIPPED = Path(__file__).with_name("baseline.json")


def find_baseline(found: FoundModel, encoder: SentenceTransformer) -> Baseline:
    """Return the baseline of a model: shipped, kept in the user's cache folder, or computed now.

    A damaged file is computed again. If the cache folder cannot be written to, what is computed is not kept. Raises
    ModelError if the model gives embeddings that are not finite numbers.
    """
    key = _key(found)
    baseline = _read(key)
    if baseline is not None:
        return baseline
    path = _path(key)
    with ExitStack() as stack:
        with suppress(OSError):  # if there can be no lock, several kernels compute the same
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(path.with_suffix(".lock")))
        baseline = _read(key)  # another kernel may have computed it meanwhile
        if baseline is None:
            baseline = compute(found, encoder)
            with suppress(OSError):
                atomic_write({path: TypeAdapter(Baseline).dump_json(baseline)})
    return baseline


def announce(models: Iterable[FoundModel], say: Callable[[str], None]) -> None:
    """Warn about models whose baseline has not been computed yet: their first report takes longer."""
    for found in {found.folder: found for found in models}.values():
        with suppress(OSError):
            if _read(_key(found)) is None:
                say(
                    f"{found.name}: computing this model's baseline of unrelated sentences (once; a few seconds)"
                )


def compute(found: FoundModel, encoder: SentenceTransformer) -> Baseline:
    """Return the baseline of a model after comparing each pair of the sentences, which takes some seconds.

    Raises ModelError if the model gives embeddings that are not finite numbers.
    """
    texts = SENTENCES.read_text(encoding="utf-8").splitlines()
    unit = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False).astype(np.float64)
    values = (unit @ unit.T)[np.triu_indices(len(texts), k=1)]
    if not np.isfinite(values).all():
        raise ModelError(
            f"The model {found.name} gives embeddings that are not finite numbers for everyday English sentences. "
            "Choose another model."
        )
    quantiles = np.quantile(values, np.linspace(0, 1, STEPS + 1), method="inverted_cdf").round(DIGITS) + 0.0
    return Baseline(_key(found), found.name, len(values), tuple(quantiles.tolist()))


def shipped() -> Baseline:
    """Return the baseline of the embedded model, for comparison with that of another."""
    return TypeAdapter(Baseline).validate_json(SHIPPED.read_bytes())


def _key(found: FoundModel) -> str:
    """Return a hash of all that the numbers depend on: the sentences, the weights, and how they are put together."""
    digest = hashlib.sha256(SENTENCES.read_bytes() + found.sha256.encode())
    for name, _ in files(found):
        if not name.endswith(".safetensors"):  # pooling, normalization, prompts, vocabulary
            digest.update(name.encode() + b"\0" + (Path(found.folder) / name).read_bytes())
    return digest.hexdigest()[:32]


def _path(key: str) -> Path:
    return user_cache_path("sentence-reports", appauthor=False) / f"baseline-{key}.json"


def _read(key: str) -> Baseline | None:
    """Return the shipped or the kept baseline with this key; None if there is none that is undamaged."""
    for path in (SHIPPED, _path(key)):
        with suppress(OSError, ValueError):
            baseline = TypeAdapter(Baseline).validate_json(path.read_bytes())
            quantiles = list(baseline.quantiles)
            ordered = len(quantiles) == STEPS + 1 and quantiles == sorted(quantiles)
            if baseline.key == key and ordered and -1 <= quantiles[0] <= quantiles[-1] <= 1:
                return baseline
    return None


if __name__ == "__main__":
    embedded = find_model(EMBEDDED)
    atomic_write({SHIPPED: TypeAdapter(Baseline).dump_json(compute(embedded, load(embedded)))})
