"""Published figures: the outcome of the notebook's comparison, as a record and in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from sentence_reports.claim_records import ReferenceCheck
from sentence_reports.texts import isolated, number

if TYPE_CHECKING:
    from sentence_reports.sets import Reference


def reference_check(
    reference: "Reference | None", result: tuple[int, int, float] | None
) -> ReferenceCheck | None:
    """Return the record of a comparison, None for a set without published figures.

    `result` is the number of pairs that match, the number of pairs with a figure, and the largest absolute difference;
    None if the figures belong to another model than the one that ran.
    """
    if reference is None:
        return None
    met, total, largest = result or (0, 0, 0.0)
    return ReferenceCheck(
        source=reference.source,
        model=reference.model,
        tolerance=reference.tolerance,
        compared=result is not None,
        met=int(met),
        total=int(total),
        largest=float(largest) if total else None,
    )


def published_figures(reference: "Reference", labels: Sequence[str]) -> pd.DataFrame:
    """Return the published figures as texts of four decimals; a dash if the source prints none."""
    rows = [["–" if figure is None else number(figure, 4) for figure in row] for row in reference.similarity]
    return pd.DataFrame(rows, list(labels), list(labels))


def verdict(check: ReferenceCheck | None, model: str) -> str:
    """Return the outcome in words; `model` is the name of the model that ran."""
    if check is None:
        return "This set carries no published figures."
    source = f"Source: {isolated(check.source)}"
    if not check.compared:
        return f"Not compared: the figures are for {check.model}; this report used {model}.\n{source}"
    largest = (
        ""
        if check.largest is None
        else f"; largest difference {check.largest:.6f}, allowed {check.tolerance:g}"
    )
    return f"{check.met} of {check.total} published values matched{largest}.\n{source}"
