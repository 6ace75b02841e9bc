"""Published figures that a report checks its own against."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from sentence_reports.sets.mapping import Mapping, Mismatch, NotBlank
from sentence_reports.sets.naming import name_of
from sentence_reports.sets.yaml_nodes import Trail

Similarity = Annotated[float, Field(ge=-1.01, le=1.01, allow_inf_nan=False)]


class Reference(Mapping):
    """Published figures that the report checks its own against."""

    source: NotBlank = Field(description="Where the figures were published: author, title, date.")
    model: NotBlank = Field(
        description="The model they were computed with. With another, nothing is compared."
    )
    tolerance: float = Field(
        1e-4,
        gt=0,
        allow_inf_nan=False,
        description="The largest difference that counts as equal, such as 1.0e-4.",
    )
    similarity: list[list[Similarity | None]] = Field(
        description="One row per sentence with one figure per sentence; null if the source gives none."
    )


def reference_mismatches(reference: object, n: int) -> Iterator[Mismatch]:
    """Yield what is wrong with the shape of a reference for `n` sentences, and figures that contradict each other."""
    similarity = reference.get("similarity") if isinstance(reference, dict) else None
    if isinstance(reference, dict) and isinstance(similarity, list):
        yield from _not_square(similarity, n)
        yield from _contradictions(similarity, reference.get("tolerance"))


def _not_square(similarity: list[Any], n: int) -> Iterator[Mismatch]:
    trail: Trail = ("reference", "similarity")
    if len(similarity) != n:
        yield Mismatch(trail, f"has {len(similarity)} rows, but the set has {n} sentences.")
    for number, row in enumerate(similarity):
        if isinstance(row, list) and len(row) != n:
            yield Mismatch((*trail, number), f"has {len(row)} figures, but the set has {n} sentences.")
    rows = [row[:i] + row[i + 1 :] for i, row in enumerate(similarity) if isinstance(row, list)]
    if len(rows) == len(similarity) and all(figure is None for row in rows for figure in row):
        message = (
            "contains no figures (the diagonal does not count). Add at least one, or remove the reference."
        )
        yield Mismatch(trail, message)


def _contradictions(similarity: list[Any], tolerance: Any) -> Iterator[Mismatch]:
    allowed = tolerance if isinstance(tolerance, int | float) else 1e-4
    figures = {
        (i, j): figure
        for i, row in enumerate(similarity)
        if isinstance(row, list)
        for j, figure in enumerate(row)
        if isinstance(figure, int | float)
    }
    for (i, j), figure in figures.items():
        twin = figures.get((j, i), figure)
        if i > j and figure != twin and abs(figure - twin) > allowed:
            other: Trail = ("reference", "similarity", j, i)
            message = f"is {figure}, but {name_of(other)} is {twin}. Both are the similarity of the same two sentences."
            yield Mismatch(("reference", "similarity", i, j), message, other)
