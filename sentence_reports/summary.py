"""The key results of a report, typed: published by the notebook as one output, read back by everything else."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sentence_reports.errors import RenderError

if TYPE_CHECKING:
    import numpy as np
    from nbformat import NotebookNode
    from numpy.typing import NDArray
    from pydantic import TypeAdapter

MIME = "application/vnd.sentence-reports.summary+json"
METADATA = "sentence_reports"
"""The key of a notebook's metadata that says what its page needs beyond its cells; see `PageFacts`."""

Source = Literal["hub cache", "folder", "installed package"]


class Pair(NamedTuple):
    """Two sentences by their position in the set, counted from 0, `first` before `second`, and their similarity."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class ModelFacts:
    """What a page says about the model that ran; no machine path is among it.

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
    stands_in_for: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Legend:
    """The colors of a heatmap.

    `low` and `high` are the similarities at the ends of the colors, `scale` says the same in words, `ramp` holds the
    colors between them in equal steps (``#rrggbb``), `groups` the groups' names with the color of their labels;
    `numbered` says whether the axes show numbers in place of labels.
    """

    low: float
    high: float
    scale: str
    ramp: tuple[str, ...]
    groups: tuple[tuple[str, str], ...] = ()
    numbered: bool = False


@dataclass(frozen=True)
class ReferenceCheck:
    """Published figures against this run's: each pair of sentences counts once, the diagonal never.

    `compared` is False if the figures belong to another `model` than the one that ran; then `met` and `total` are 0
    and `largest`, the largest absolute difference, is None, as it is if the source prints no figure for a pair.
    """

    source: str
    model: str
    tolerance: float
    compared: bool
    met: int = 0
    total: int = 0
    largest: float | None = None

    @property
    def unmet(self) -> str | None:
        """One sentence about the figures that do not match; None if all do, or nothing was compared."""
        if self.met == self.total or self.largest is None:
            return None
        unmet = self.total - self.met
        do = "does" if unmet == 1 else "do"
        return (
            f"{unmet} of {self.total} published values {do} not match: the largest difference is "
            f"{self.largest:.6f}, the tolerance {self.tolerance:g} ({self.source})."
        )


@dataclass(frozen=True)
class Summary:
    """The key results of a report: published by the notebook as one output, read back by everything else.

    `settings` holds the set's keys other than its sentences. `places` says where the closest and the farthest pair
    are among unrelated pairs, in words. `notices` is what a reader should know before believing the numbers.
    `matrix` is the similarity matrix as `encode_matrix` writes it.
    """

    settings: dict[str, Any]
    sentences: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[str, ...] | None
    model: ModelFacts
    closest: Pair
    farthest: Pair
    places: tuple[str, str]
    notices: tuple[str, ...]
    legend: Legend
    reference: ReferenceCheck | None
    versions: dict[str, str]
    matrix: str

    @property
    def similarity(self) -> NDArray[np.float32]:
        """The `(n, n)` float32 similarities, bit for bit as the notebook had them."""
        import numpy as np

        n = len(self.sentences)
        return np.frombuffer(base64.b64decode(self.matrix), dtype="<f4").reshape(n, n)

    @property
    def unmet(self) -> tuple[str, ...]:
        """A sentence for each check that is not met."""
        sentences = (self.reference.unmet if self.reference else None,)
        return tuple(sentence for sentence in sentences if sentence)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        text = f"The summary of {len(self.sentences)} sentences, for the head of the report."
        return {MIME: _adapter(Summary).dump_python(self, mode="json"), "text/plain": text}


def encode_matrix(matrix: NDArray[np.float32]) -> str:
    """Return an `(n, n)` float32 matrix as base64 of its little-endian bytes."""
    return base64.b64encode(matrix.astype("<f4").tobytes()).decode("ascii")


def read_summary(notebook: NotebookNode) -> Summary:
    """Return the summary that an executed notebook holds. Raises RenderError if it holds none that can be read."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if MIME in output.get("data", {}):
                try:
                    summary: Summary = _adapter(Summary).validate_python(output["data"][MIME])
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
