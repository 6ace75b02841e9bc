"""What a run has to say in a nutshell: published by the notebook as one output, read back from it by the rest.

The page's header, the index, the CSV and the final table all come from here, so that a report can be
rendered again from its executed notebook alone.
"""

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sentence_reports.pairs import Pairs

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from sentence_reports.models import TokenFacts

MIME = "application/vnd.sentence-reports.summary+json"
NEAR_DUPLICATE = 0.99995  # from here on a report shows 1.0000
NOTICES_OF_A_KIND = 5


class Summary:
    """One run's summary as a Jupyter output: `data` under its own MIME type, and a line of text beside it."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        n = len(self.data["sentences"])
        return {MIME: self.data, "text/plain": f"The summary of {n} sentences, for the head of the report."}


def summarize(
    *,
    settings: dict[str, Any],
    texts: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[str] | None,
    model: dict[str, Any],
    tokens: Sequence["TokenFacts"],
    matrix: NDArray[np.float32],
    place: Callable[[float], str],
    legend: dict[str, Any],
    reference: str | None,
    versions: dict[str, str],
) -> Summary:
    """Gather what a report says of `n` sentences.

    `settings` holds the set's other keys (title, description, normalize ...), `model` what `models.describe`
    gives, `tokens` one `TokenFacts` a sentence, `matrix` the `(n, n)` similarities, `place` says where a
    similarity stands on the model's own scale (`Background.place`), `legend` what
    `figures.legend` gives, `reference` the verdict of the comparison with published figures, None where there was none.
    """
    pairs = Pairs(matrix)
    closest, farthest = pairs.closest(1)[0], pairs.farthest(1)[0]
    return Summary(
        {
            "settings": settings,
            "sentences": list(texts),
            "labels": list(labels),
            "groups": None if groups is None else list(groups),
            "model": model,
            "closest": list(closest),
            "farthest": list(farthest),
            "places": [place(closest.similarity), place(farthest.similarity)],
            "notices": [*_model_notices(model), *_token_notices(tokens), *_pair_notices(pairs)],
            "legend": legend,
            "reference": reference,
            "versions": versions,
            "matrix": base64.b64encode(np.asarray(matrix, dtype="<f4").tobytes()).decode("ascii"),
        }
    )


def _model_notices(model: dict[str, Any]) -> list[str]:
    if model["stands_in_for"] is None:
        return []
    return [
        f"{model['name']} stood in for {model['stands_in_for']}: {model['reason']}. "
        f"All numbers here are those of {model['name']}."
    ]


def _token_notices(tokens: Sequence["TokenFacts"]) -> list[str]:
    cut = [
        f"Sentence {k} was cut at {facts.limit} of {facts.count} tokens: the model did not see the rest."
        for k, facts in enumerate(tokens, start=1)
        if facts.cut
    ]
    unreadable = [
        f"Sentence {k} holds nothing that the model can read ({_unknown(facts)}): its numbers mean nothing."
        for k, facts in enumerate(tokens, start=1)
        if not facts.readable
    ]
    return _few(cut, len(cut), "sentences were cut") + _few(
        unreadable, len(unreadable), "sentences hold nothing that the model can read"
    )


def _unknown(facts: "TokenFacts") -> str:
    return (
        f"{facts.unknown} unknown {'token' if facts.unknown == 1 else 'tokens'}"
        if facts.unknown
        else "no token"
    )


def _pair_notices(pairs: Pairs) -> list[str]:
    first, count = pairs.above(NEAR_DUPLICATE, NOTICES_OF_A_KIND + 1)
    alike = [
        f"To the model, sentences {pair.first + 1} and {pair.second + 1} are the same." for pair in first
    ]
    return _few(alike, count, "pairs are the same to the model")


def _few(notices: list[str], count: int, what: str) -> list[str]:
    """The first notices of a kind, and how many more of the `count` there are; `notices` may lack the last ones."""
    more = count - NOTICES_OF_A_KIND
    return notices if more <= 1 else [*notices[:NOTICES_OF_A_KIND], f"{more} more {what}."]


def read_summary(notebook: "NotebookNode") -> dict[str, Any] | None:
    """The summary that an executed notebook holds; None where it holds none."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if MIME in output.get("data", {}):
                return dict(output["data"][MIME])
    return None


def similarity_matrix(summary: dict[str, Any]) -> NDArray[np.float32]:
    """The `(n, n)` float32 similarities that a summary carries, bit for bit as the notebook had them."""
    n = len(summary["sentences"])
    return np.frombuffer(base64.b64decode(summary["matrix"]), dtype="<f4").reshape(n, n)
