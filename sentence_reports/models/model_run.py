"""What one model of a comparison says about the texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentence_reports.facts import Baseline, ModelFacts
from sentence_reports.models.tokens import TokenFacts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ModelRun:
    """What one model of a comparison says about the texts.

    `embeddings` is float32, `(n, d)`, in the order of the texts. `tokens` holds the facts of each text, or nothing if
    the model has no tokens (word counts, vectors from a file). `milliseconds` is how long one text took to encode on
    this machine; None if SOURCE_DATE_EPOCH asks for the same bytes each time, or if the embeddings came from the cache.
    """

    label: str
    embeddings: NDArray[np.float32]
    facts: ModelFacts
    baseline: Baseline
    tokens: tuple[TokenFacts, ...] = ()
    milliseconds: float | None = None
