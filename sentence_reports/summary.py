"""The key results of a report, typed: published by the notebook as one output, read back by everything else."""

from __future__ import annotations

import base64
from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sentence_reports.claims import Agreement, Check, ClaimCheck, ReferenceCheck
from sentence_reports.errors import RenderError
from sentence_reports.overview import Overview

if TYPE_CHECKING:
    import numpy as np
    from nbformat import NotebookNode
    from numpy.typing import NDArray
    from pydantic import TypeAdapter

MIME = "application/vnd.sentence-reports.summary+json"
METADATA = "sentence_reports"
"""The key of a notebook's metadata that says what its page needs beyond its cells; see `PageFacts`."""

STEPS = 1000  # a baseline's percentiles are known to a tenth
DIGITS = 3  # more would differ between machines and numbers of threads
EQUAL = 6  # decimals; float32 cannot tell apart what differs only in later ones

Source = Literal["hub cache", "folder", "installed package"]


class Pair(NamedTuple):
    """Two sentences by their position in the set, counted from 0, `first` before `second`, and their similarity."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class ModelFacts:
    """What a page says about the model that ran, without any path of this machine.

    `dimension` is that of the vectors as they are used; `full_dimension` the model's own if they are truncated.
    `prompt` is what is put before each sentence, `query_prompt` what is put before each query; empty for nothing.
    `declared_prompts` holds the prompts that the model's files declare, by name, without empty ones.
    `pooling` is "mean", "cls" and so on (several joined by "+"), None for a model that does not pool; `max_tokens`
    is None if there is no limit; `normalizes` says whether the model itself ends in unit length; `parameters` is
    their number, `size_bytes` that of all files, `dtype` the weights' type as they run.
    """

    name: str
    revision: str | None
    source: Source
    sha256: str
    dimension: int
    max_tokens: int | None
    pooling: str | None
    normalizes: bool
    parameters: int
    size_bytes: int
    dtype: str
    prompt: str = ""
    query_prompt: str = ""
    declared_prompts: dict[str, str] = field(default_factory=dict)
    full_dimension: int | None = None
    stands_in_for: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Legend:
    """The colors of a heatmap.

    `low` and `high` are the similarities at the ends of the colors, `scale` says the same in words, `ramp` holds the
    colors between them in equal steps (``#rrggbb``), `groups` the groups' names with the color of their labels.
    """

    low: float
    high: float
    scale: str
    ramp: tuple[str, ...]
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Baseline:
    """How similar unrelated sentences are to a model.

    `quantiles` holds ``STEPS + 1`` of the similarities of all `pairs`, each rounded to `DIGITS`, ascending: at least
    ``k / STEPS`` of the pairs have a similarity of `quantiles[k]` or less. `model` is the name of the model, `key`
    a hash of its files, its prompts and the sentences.
    """

    key: str
    model: str
    pairs: int
    quantiles: tuple[float, ...]

    @property
    def median(self) -> float:
        """The similarity that half of the unrelated pairs do not exceed."""
        return self.quantiles[STEPS // 2]

    @property
    def rare(self) -> float:
        """The similarity that 99% of the unrelated pairs do not exceed: above it, two texts count as related."""
        return self.quantiles[STEPS * 99 // 100]

    @property
    def scale(self) -> dict[str, float]:
        """The baseline in five numbers, by name."""
        shares = {"minimum": 0, "5th percentile": 0.05, "median": 0.5, "99th percentile": 0.99, "maximum": 1}
        return {name: self.quantiles[round(share * STEPS)] for name, share in shares.items()}

    def percentile(self, similarity: float) -> float:
        """Return the share of unrelated pairs below a similarity, 0 to 100: a lower bound in steps of 0.1.

        It is 100 only for a similarity above that of every unrelated pair.
        """
        # Rounded like the quantiles: rounding keeps the order, so what is above one of them here really is.
        passed = bisect_left(self.quantiles, round(float(similarity), DIGITS))
        return 100.0 if passed > STEPS else 100 * max(passed - 1, 0) / STEPS

    def corrected(self, similarity: float) -> float:
        """Return the chance-corrected similarity: 0 for the median unrelated pair, 1 for the same text.

        The form is that of Cohen's kappa: ``(s - m) / (1 - m)``, with the median as `m`. To a model whose median is 1
        all texts are the same, so that nothing is above chance.
        """
        return (similarity - self.median) / (1 - self.median) if self.median < 1 else 0.0

    def describe(self, similarity: float) -> str:
        """Return how a similarity compares with unrelated pairs, as in "closer than 99.1% of unrelated pairs"."""
        percentile = self.percentile(similarity)
        if percentile == 100:
            return f"closer than any of {self.pairs:,} unrelated pairs"
        if percentile > 0:
            return f"closer than {percentile:.1f}% of unrelated pairs"
        if round(float(similarity), DIGITS) > self.quantiles[0]:
            return f"closer than under {100 / STEPS:g}% of unrelated pairs"
        return f"closer than none of {self.pairs:,} unrelated pairs"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The key results of a report: published by the notebook as one output, read back by everything else.

    What every kind of report has. `settings` holds the set's keys other than its texts and what it expects. `finding`
    says in one or two sentences what came out; `notices` is what a reader should know before believing the numbers.
    `matrix` is the matrix of similarities as `encode_matrix` writes it, None if it is too large to be kept.
    """

    kind: str
    settings: dict[str, Any]
    sentences: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...] | None
    model: ModelFacts
    baseline: Baseline
    closest: Pair
    finding: tuple[str, ...]
    claims: tuple[ClaimCheck, ...]
    notices: tuple[str, ...]
    legend: Legend
    versions: dict[str, str]
    matrix: str | None

    @property
    def similarity(self) -> NDArray[np.float32]:
        """The float32 similarities, bit for bit as the notebook had them, with one column per sentence.

        Raises ValueError if the set is so large that they are not kept.
        """
        import numpy as np

        if self.matrix is None:
            raise ValueError(
                f"the similarities of {len(self.sentences):,} sentences are not kept, only their overview"
            )
        return np.frombuffer(base64.b64decode(self.matrix), dtype="<f4").reshape(-1, len(self.sentences))

    @property
    def closest_texts(self) -> tuple[str, str]:
        """The texts of the closest pair."""
        return self.sentences[self.closest.first], self.sentences[self.closest.second]

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the set expects, each as a statement that is met or not."""
        return tuple(claim.check for claim in self.claims)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        adapter = _adapter(type(self))  # type: ignore[arg-type]  # a class is hashable
        text = f"The summary of {len(self.sentences)} sentences, for the head of the report."
        return {MIME: adapter.dump_python(self, mode="json"), "text/plain": text}


@dataclass(frozen=True, kw_only=True)
class WalkthroughSummary(Summary):
    """The summary of a walkthrough: `similarity` is `(n, n)`, one row and one column per sentence.

    `order` holds the positions of the sentences in the order in which heatmaps show them; `places` says how the
    closest and the farthest pair compare with unrelated pairs, in words. From `OVERVIEW_FROM` sentences on, `overview`
    holds what can be read of the matrix, which is kept for up to `MATRIX_UP_TO`.
    """

    kind: Literal["walkthrough"] = "walkthrough"
    order: tuple[int, ...]
    farthest: Pair
    places: tuple[str, str]
    overview: Overview | None = None
    reference: ReferenceCheck | None = None
    agreement: Agreement | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """The claims, and the published figures if they were compared."""
        published = self.reference.check if self.reference else None
        return super().checks + ((published,) if published else ())


@dataclass(frozen=True, kw_only=True)
class SearchSummary(Summary):
    """The summary of a search: `similarity` is `(q, n)`, one row per query and one column per sentence.

    `closest` is the best match: the position of its query, that of its sentence, and their similarity.
    """

    kind: Literal["search"] = "search"
    queries: tuple[str, ...]

    @property
    def closest_texts(self) -> tuple[str, str]:
        """The query and the sentence of the best match."""
        return self.queries[self.closest.first], self.sentences[self.closest.second]


def encode_matrix(matrix: NDArray[np.float32]) -> str:
    """Return a float32 matrix as base64 of its little-endian bytes."""
    return base64.b64encode(matrix.astype("<f4").tobytes()).decode("ascii")


def read_summary(notebook: NotebookNode) -> WalkthroughSummary | SearchSummary:
    """Return the summary that an executed notebook holds. Raises RenderError if it holds none that can be read."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if MIME in output.get("data", {}):
                data = output["data"][MIME]
                kind = SearchSummary if data.get("kind") == "search" else WalkthroughSummary
                try:
                    summary: WalkthroughSummary | SearchSummary = _adapter(kind).validate_python(data)
                    return summary
                except ValueError as error:  # pydantic's ValidationError is one
                    raise RenderError(f"cannot read the notebook's summary: {error}") from error
    raise RenderError("cannot render a notebook that did not run to completion: it holds no summary")


@dataclass(frozen=True)
class PageFacts:
    """What a page says beyond its notebook's cells; kept in the notebook's metadata under `METADATA`.

    `stem` names the files next to the page; the page shows `date` as its day, `command` as what makes it again, and
    `warnings` among its notices.
    """

    stem: str
    date: str
    command: str
    warnings: tuple[str, ...] = ()

    def write_to(self, notebook: NotebookNode) -> None:
        """Put these facts into the notebook's metadata."""
        notebook.metadata[METADATA] = asdict(self) | {"warnings": list(self.warnings)}

    @classmethod
    def read_from(cls, notebook: NotebookNode) -> PageFacts:
        """Return the facts in the notebook's metadata. Raises RenderError if there are none."""
        try:
            facts: PageFacts = _adapter(PageFacts).validate_python(notebook.metadata.get(METADATA))
            return facts
        except ValueError as error:  # pydantic's ValidationError is one
            raise RenderError(
                f'the notebook\'s metadata "{METADATA}" is missing or damaged: {error}'
            ) from error


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # a tenth of a second, which `--help` does not need

    return TypeAdapter(kind)
