"""Embeddings of many texts: in batches, reporting progress to the run."""

from collections.abc import Callable, Sequence

import numpy as np
from IPython.display import display
from numpy.typing import NDArray

from sentence_reports.report import PROGRESS

BATCH = 32
SILENT_UP_TO = 200  # texts; more take long enough for a reader to wonder


def encode_in_batches(
    encode: Callable[..., NDArray[np.float32]], texts: Sequence[str], *, normalize: bool = True
) -> NDArray[np.float32]:
    """Return the embeddings of `texts`, `(n, d)`, in their order.

    `encode` is an encoder's method: `encode`, `encode_query` or `encode_document`. Texts of similar length are encoded
    together, the longest first, which halves the time of one by one. Line breaks are read as spaces. Above
    `SILENT_UP_TO` texts, each batch sends a progress message, which shows no output.
    """
    order = np.argsort([-len(text) for text in texts], kind="stable")
    batches = []
    for start in range(0, len(texts), BATCH):
        lines = [texts[k].replace("\r", " ").replace("\n", " ") for k in order[start : start + BATCH]]
        batches.append(encode(lines, normalize_embeddings=normalize, show_progress_bar=False))
        if len(texts) > SILENT_UP_TO:
            progress = {PROGRESS: {"done": start + len(lines), "total": len(texts)}}
            display(progress, raw=True, display_id="progress", update=True)  # type: ignore[no-untyped-call]
    embeddings = np.concatenate(batches)
    return embeddings[np.argsort(order)]
