"""Embeddings of the texts of a set: in batches, reporting progress to the run; many texts through the cache."""

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from IPython.display import display
from numpy.typing import NDArray

from sentence_reports.models.batches import Encoding, Method
from sentence_reports.models.embed import Encoded, embed
from sentence_reports.models.usage import Usage
from sentence_reports.report import PROGRESS, FoundModel, Step

BATCH = 32
KEPT_ABOVE = 100  # texts; fewer are encoded in a second
SILENT_UP_TO = 200  # texts; more take long enough for a reader to wonder


def encode_in_batches(
    encode: Callable[..., NDArray[np.float32]],
    texts: Sequence[str],
    *,
    normalize: bool = True,
    found: FoundModel | None = None,
) -> NDArray[np.float32]:
    """Return the embeddings of `texts`, `(n, d)`, in their order.

    `encode` is an encoder's method: `encode`, `encode_query` or `encode_document`. Texts of similar length are encoded
    together, the longest first, which halves the time of one by one. Line breaks are read as spaces. Above
    `SILENT_UP_TO` texts, each batch sends a progress message, which shows no output. If `found` says which model the
    encoder is, the embeddings of more than `KEPT_ABOVE` texts are kept in the user's cache and taken from there.
    """
    return encode_texts(encode, texts, normalize=normalize, found=found).embeddings


def encode_texts(
    encode: Callable[..., NDArray[np.float32]],
    texts: Sequence[str],
    *,
    normalize: bool,
    found: FoundModel | None,
) -> Encoded:
    """Return what `encode_in_batches` returns, with how many texts were encoded and how long that took."""
    progress = send_progress if len(texts) > SILENT_UP_TO else None
    if found is not None and len(texts) > KEPT_ABOVE:
        encoder, method = cast(Any, encode).__self__, cast(Method, encode.__name__)
        encoding = Encoding(found, Usage.of(encoder), method, normalize, encoder.device.type)
        return embed(lambda: encoder, encoding, texts, progress=progress)
    began = time.perf_counter()
    order = np.argsort([-len(text) for text in texts], kind="stable")
    batches = []
    for start in range(0, len(texts), BATCH):
        lines = [texts[k].replace("\r", " ").replace("\n", " ") for k in order[start : start + BATCH]]
        batches.append(encode(lines, normalize_embeddings=normalize, show_progress_bar=False))
        if progress:
            progress(start + len(lines), len(texts))
    embeddings = np.concatenate(batches)[np.argsort(order)]
    return Encoded(embeddings, len(texts), time.perf_counter() - began)


def send_progress(done: int, total: int, step: Step = "encoding") -> None:
    """Send a progress message to the run; it shows no output."""
    progress = {PROGRESS: {"done": done, "total": total, "step": step}}
    display(progress, raw=True, display_id="progress", update=True)  # type: ignore[no-untyped-call]
