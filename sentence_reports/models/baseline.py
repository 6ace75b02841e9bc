"""A model's baseline is what unrelated sentences score: the scale for reading its similarities.

A `Baseline` holds the similarities of all pairs of the 200 everyday English sentences in ``baseline.txt``. Those of
the models that come as packages are shipped (``baseline.json``, which this module writes if run as a program); that of
another model is computed once and kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path
from pydantic import TypeAdapter

from sentence_reports.errors import ModelError
from sentence_reports.facts import DIGITS, STEPS, Baseline
from sentence_reports.files import atomic_write
from sentence_reports.models.files import files, modules
from sentence_reports.models.usage import Usage
from sentence_reports.report import FoundModel

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

SENTENCES = Path(__file__).with_name("baseline.txt")
SHIPPED = Path(__file__).with_name("baseline.json")
ONE, SEVERAL = TypeAdapter(Baseline), TypeAdapter(tuple[Baseline, ...])


def find_baseline(found: FoundModel, encoder: SentenceTransformer, *, queries: bool = False) -> Baseline:
    """Return the baseline of a model: shipped, kept in the user's cache folder, or computed now.

    It is that of the prompt and the dimensions that the encoder uses. With `queries`, each unrelated sentence is
    compared as a query with each later one as a document. A damaged file is computed again. If the cache folder cannot
    be written to, what is computed is not kept. Raises ModelError if the model gives embeddings that are not finite
    numbers.
    """
    key = baseline_key(found, Usage.of(encoder), queries=queries)
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
            baseline = compute(found, encoder, queries=queries)
            with suppress(OSError):
                atomic_write({path: ONE.dump_json(baseline)})
    return baseline


def announce(models: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Warn about baselines that have not been computed yet, since a first report takes longer.

    `models` holds the model's name for each `baseline_key`.
    """
    for key, name in models.items():
        if key and _read(key) is None:
            say(f"{name}: computing this model's baseline of unrelated sentences (once; a few seconds)")


def compute(found: FoundModel, encoder: SentenceTransformer, *, queries: bool = False) -> Baseline:
    """Return the baseline of a model after comparing each pair of the sentences, which takes some seconds.

    Raises ModelError if the model gives embeddings that are not finite numbers.
    """
    texts = sentences()
    options: Any = {"normalize_embeddings": True, "show_progress_bar": False}
    if queries:
        first, second = encoder.encode_query(texts, **options), encoder.encode_document(texts, **options)
    else:
        first = second = encoder.encode(texts, **options)
    return of_vectors(found.name, baseline_key(found, Usage.of(encoder), queries=queries), first, second)


def of_vectors(
    model: str, key: str, first: NDArray[np.floating], second: NDArray[np.floating] | None = None
) -> Baseline:
    """Return the baseline that the vectors of the sentences give, `(200, d)` and of length 1 or 0.

    Each is compared with each later one of `second`, by default of `first`. Vectors of length 0 have the similarity 0.
    `key` is the baseline's. Raises ModelError if a vector is not finite.
    """
    second = first if second is None else second
    similarity = first.astype(np.float64) @ second.astype(np.float64).T
    values = similarity[np.triu_indices(len(first), k=1)]
    if not np.isfinite(values).all():
        raise ModelError(
            f"The model {model} gives embeddings that are not finite numbers for everyday English sentences. "
            "Choose another model."
        )
    quantiles = np.quantile(values, np.linspace(0, 1, STEPS + 1), method="inverted_cdf").round(DIGITS) + 0.0
    return Baseline(key, model, len(values), tuple(quantiles.tolist()))


def sentences() -> list[str]:
    """Return the 200 unrelated sentences, in the order in which vectors from a file must have them."""
    return SENTENCES.read_text(encoding="utf-8").splitlines()


def shipped(model: str) -> Baseline:
    """Return the shipped baseline of a model that comes as a package. Raises KeyError if none is shipped."""
    return {baseline.model: baseline for baseline in SEVERAL.validate_json(SHIPPED.read_bytes())}[model]


def baseline_key(found: FoundModel, usage: Usage, *, queries: bool = False) -> str:
    """Return a hash of all that a baseline depends on: the sentences, the weights, and how they are put together.

    It is empty for word counts and vectors from a file, whose baselines are computed with each report.
    Raises OSError if a file of the model cannot be read.
    """
    if found.source in ("this set", "file"):
        return ""
    digest = hashlib.sha256(SENTENCES.read_bytes() + found.sha256.encode())
    for name, _ in files(found):
        if not name.endswith(".safetensors"):  # pooling, normalization, prompts, vocabulary
            digest.update(name.encode() + b"\0" + (Path(found.folder) / name).read_bytes())
    prompts = (usage.query, usage.document) if queries else (usage.text, usage.text)
    routed = queries and any(kind.endswith(".Router") for kind, _ in modules(Path(found.folder), found.name))
    if any(prompts) or usage.truncate_dim is not None or routed:
        digest.update(json.dumps([*prompts, usage.truncate_dim, routed]).encode())
    return digest.hexdigest()[:32]


def _path(key: str) -> Path:
    return user_cache_path("sentence-reports", appauthor=False) / f"baseline-{key}.json"


def _read(key: str) -> Baseline | None:
    """Return the shipped or the kept baseline with this key; None if there is none that is undamaged."""
    candidates: list[Baseline] = []
    with suppress(OSError, ValueError):
        candidates += SEVERAL.validate_json(SHIPPED.read_bytes())
    with suppress(OSError, ValueError):
        candidates.append(ONE.validate_json(_path(key).read_bytes()))
    for baseline in candidates:
        quantiles = list(baseline.quantiles)
        ordered = len(quantiles) == STEPS + 1 and quantiles == sorted(quantiles)
        if baseline.key == key and ordered and -1 <= quantiles[0] <= quantiles[-1] <= 1:
            return baseline
    return None
