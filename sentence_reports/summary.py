"""The key results of a report, typed: published by the notebook as one output, read back by everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sentence_reports.claim_records import Agreement, Check, ClaimCheck, ReferenceCheck
from sentence_reports.collected_summary import CollectionSummary as CollectionSummary
from sentence_reports.errors import RenderError
from sentence_reports.facts import Baseline, Legend, ModelFacts, Pair
from sentence_reports.overview import Overview, unpack
from sentence_reports.summary_base import MIME as MIME
from sentence_reports.summary_base import Summary as Summary
from sentence_reports.summary_base import adapter
from sentence_reports.texts import listed

if TYPE_CHECKING:
    import numpy as np
    from nbformat import NotebookNode
    from numpy.typing import NDArray

METADATA = "sentence_reports"
"""The key of a notebook's metadata that says what its page needs beyond its cells; see `PageFacts`."""


@dataclass(frozen=True, kw_only=True)
class SentenceSummary(Summary):
    """The summary of a report about the sentences of a set, with a label each and, if the set has groups, a group."""

    sentences: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...] | None
    legend: Legend

    @property
    def size(self) -> int:
        """How many sentences the report is about."""
        return len(self.sentences)


@dataclass(frozen=True, kw_only=True)
class OneModelSummary(SentenceSummary):
    """The summary of a report about the similarities of one model.

    `matrix` is the matrix of similarities as `overview.pack` writes it, None if it is too large to be kept.
    """

    model: ModelFacts
    baseline: Baseline
    closest: Pair
    claims: tuple[ClaimCheck, ...]
    matrix: str | None

    @property
    def model_name(self) -> str:
        """The name of the model."""
        return self.model.name

    @property
    def closest_pair(self) -> tuple[str, str, float] | None:
        """The texts of the closest pair and their similarity."""
        return (*self.closest_texts, self.closest.similarity)

    @property
    def similarity(self) -> NDArray[np.float32]:
        """The float32 similarities, bit for bit as the notebook had them, with one column per sentence.

        Raises ValueError if the set is so large that they are not kept.
        """
        if self.matrix is None:
            raise ValueError(
                f"the similarities of {len(self.sentences):,} sentences are not kept, only their overview"
            )
        return unpack(self.matrix).reshape(-1, len(self.sentences))

    @property
    def closest_texts(self) -> tuple[str, str]:
        """The texts of the closest pair."""
        return self.sentences[self.closest.first], self.sentences[self.closest.second]

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the set expects, each as a statement that is met or not."""
        return tuple(claim.check for claim in self.claims)


@dataclass(frozen=True, kw_only=True)
class WalkthroughSummary(OneModelSummary):
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
class SearchSummary(OneModelSummary):
    """The summary of a search: `similarity` is `(q, n)`, one row per query and one column per sentence.

    `closest` is the best match: the position of its query, that of its sentence, and their similarity.
    """

    kind: Literal["search"] = "search"
    queries: tuple[str, ...]

    @property
    def closest_texts(self) -> tuple[str, str]:
        """The query and the sentence of the best match."""
        return self.queries[self.closest.first], self.sentences[self.closest.second]


@dataclass(frozen=True)
class Column:
    """What one model of a comparison says about the sentences; `label` is what the set calls it.

    `similarities` are those of the pairs that the comparison keeps, in their order, and `ranks` their ranks among all
    pairs of the set (1: the closest; equal ones share their mean), both as base64 of little-endian float32. `claims`
    are checked on the chance-corrected scale. `cut` and `unreadable` count the sentences that the model did not see to
    the end, or not at all. `milliseconds` is how long a sentence took to encode on this machine, None if the run must
    not depend on a clock.
    """

    label: str
    model: ModelFacts
    baseline: Baseline
    similarities: str
    ranks: str
    claims: tuple[ClaimCheck, ...] = ()
    agreement: Agreement | None = None
    cut: int = 0
    unreadable: int = 0
    milliseconds: float | None = None


class Shared(NamedTuple):
    """How many of the `k` nearest neighbors of a sentence two models share on average, as a share from 0 to 1.

    `chance` is what 95% of trials with shuffled sentences do not exceed.
    """

    k: int
    share: float
    chance: float


@dataclass(frozen=True)
class Likeness:
    """How much two models of a comparison agree, given by their positions among its columns.

    `spearman` is the rank correlation of all pairs, None if there are too few or one model finds all equal; `chance` is
    what 95% of trials with shuffled sentences do not exceed. `shared` is about nearest neighbors, for some `k`.
    """

    first: int
    second: int
    spearman: float | None
    chance: float | None
    shared: tuple[Shared, ...]


@dataclass(frozen=True, kw_only=True)
class ComparisonSummary(SentenceSummary):
    """The summary of a comparison of models.

    `order` holds the positions of the sentences in the order in which heatmaps show them, `columns` the models that
    ran, in the order of the set, `missing` label and reason of those that could not, `likenesses` one for each pair of
    columns. `pairs` holds the pairs that are kept, `(m, 2)` positions as base64 of little-endian uint32; None if all
    are, row by row of the upper triangle. The colors of `legend` are for chance-corrected similarities.
    """

    kind: Literal["comparison"] = "comparison"
    order: tuple[int, ...]
    columns: tuple[Column, ...]
    missing: tuple[tuple[str, str], ...] = ()
    likenesses: tuple[Likeness, ...]
    pairs: str | None = None

    @property
    def model_name(self) -> str:
        """The labels of the models that ran, in plain text."""
        return listed(self.labels_of_models)

    @property
    def labels_of_models(self) -> tuple[str, ...]:
        """The labels of the models that ran."""
        return tuple(column.label for column in self.columns)


AnySentenceSummary = WalkthroughSummary | SearchSummary | ComparisonSummary
AnySummary = AnySentenceSummary | CollectionSummary
KINDS: dict[str, Any] = {
    "walkthrough": WalkthroughSummary,
    "search": SearchSummary,
    "comparison": ComparisonSummary,
    "collection": CollectionSummary,
}


def read_summary(notebook: NotebookNode) -> AnySummary:
    """Return the summary that an executed notebook holds. Raises RenderError if it holds none that can be read."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if MIME in output.get("data", {}):
                return summary_of(output["data"][MIME])
    raise RenderError("cannot render a notebook that did not run to completion: it holds no summary")


def summary_of(data: dict[str, Any]) -> AnySummary:
    """Return the summary in an output of the type `MIME`. Raises RenderError if it cannot be read."""
    try:
        summary: AnySummary = adapter(KINDS[data["kind"]]).validate_python(data)
        return summary
    except (ValueError, KeyError, TypeError) as error:  # pydantic's ValidationError is a ValueError
        raise RenderError(f"cannot read the notebook's summary: {error}") from error


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
    def read_from(cls, metadata: Mapping[str, Any]) -> PageFacts:
        """Return the facts in a notebook's metadata. Raises RenderError if there are none."""
        try:
            facts: PageFacts = adapter(PageFacts).validate_python(metadata.get(METADATA))
            return facts
        except ValueError as error:  # pydantic's ValidationError is one
            raise RenderError(
                f'the notebook\'s metadata "{METADATA}" is missing or damaged: {error}'
            ) from error
