"""Run one model of a comparison: find out all that the comparison says about it, then free its memory."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sentence_reports.errors import ModelError
from sentence_reports.models.device import kernel_device
from sentence_reports.models.encoder import describe, load
from sentence_reports.models.lexical import fit_lexical
from sentence_reports.models.model_run import ModelRun
from sentence_reports.models.tokens import token_report
from sentence_reports.models.usage import choose_usage
from sentence_reports.models.vectors import use_vectors
from sentence_reports.report import FoundModel, ModelChoice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def run_model(
    found: FoundModel, choice: ModelChoice, texts: Sequence[str], *, normalize: bool = True
) -> ModelRun:
    """Return what a model says about the texts; it is loaded here, and freed before this function returns.

    Raises ModelError if the model does not load or does not fit the choice, or if a text has an embedding that is not
    finite or has length 0, and so no direction.
    """
    choose_usage(found, choice.prompt, choice.truncate_dim)
    run_one = {"this set": fit_lexical, "file": use_vectors}.get(found.source, encode)
    run = run_one(found, choice, texts, normalize=normalize)
    check_lengths(found, run.embeddings)
    gc.collect()  # the parts of an encoder refer to each other
    return run


def encode(found: FoundModel, choice: ModelChoice, texts: Sequence[str], *, normalize: bool) -> ModelRun:
    """Return what an encoder says about the texts. Raises ModelError if it does not load or does not fit the choice."""
    from sentence_reports.models.baseline import find_baseline
    from sentence_reports.models.encoding import encode_texts

    encoder = load(found, choice.prompt, choice.truncate_dim, device=kernel_device())
    encoded = encode_texts(encoder.encode, texts, normalize=normalize, found=found)
    return ModelRun(
        choice.label,
        encoded.embeddings,
        milliseconds=encoded.milliseconds,
        facts=describe(found, encoder),
        baseline=find_baseline(found, encoder),
        tokens=tuple(token_report(encoder, texts)),
    )


def check_lengths(found: FoundModel, embeddings: NDArray[np.float32]) -> None:
    """Raise ModelError if an embedding, a row of `(n, d)`, has no direction: it is not finite, or its length is 0."""
    import numpy as np

    lengths = np.linalg.norm(embeddings.astype(np.float64), axis=1)
    for number, length in enumerate(lengths, start=1):
        if not np.isfinite(length):
            raise ModelError(
                f"The embedding of sentence {number} by {found.name} holds values that are not finite numbers. "
                "Leave the sentence out, or choose another model."
            )
        if length == 0:
            raise ModelError(
                f"The embedding of sentence {number} by {found.name} has length 0, so it is similar to nothing: the "
                "model found nothing in it that it knows. Leave the sentence out, or choose another model."
            )
