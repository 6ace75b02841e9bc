"""Executed notebooks on disk, read for what their summaries say: quickly, without the libraries of notebooks."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from sentence_reports.errors import RenderError, UsageError
from sentence_reports.facts import STEPS
from sentence_reports.summary import (
    MIME,
    CollectionSummary,
    ComparisonSummary,
    PageFacts,
    SearchSummary,
    WalkthroughSummary,
    summary_of,
)
from sentence_reports.texts import legible

KINDS = ("walkthrough", "comparison")
ADDED_LATER: dict[str, Any] = {"kind": "walkthrough", "finding": [], "claims": [], "notices": []}
"""What the summaries of earlier versions lack, although it is known."""
AGAIN = "Make the report again with  sentence-reports run"


class Saved(NamedTuple):
    """An executed notebook: its summary, and stem and date of its report, None if a run of this project did not say."""

    summary: WalkthroughSummary | ComparisonSummary
    facts: PageFacts | None


def read_saved(path: Path) -> Saved:
    """Return what an executed notebook of this project says.

    Raises UsageError if it cannot be read, is not an executed notebook of this project, or is about a search.
    """
    notebook = _read_json(path)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise UsageError(f"{_shown(path)} is not a notebook: expected a JSON object with a list of cells")
    outputs = [output for cell in cells for output in _dicts(cell, "outputs")]
    if any(output.get("output_type") == "error" for output in outputs):
        raise UsageError(f"{_shown(path)} did not run to completion: it holds an error. {AGAIN}")
    bundles = [output["data"] for output in outputs if isinstance(output.get("data"), dict)]
    data = next((bundle[MIME] for bundle in bundles if isinstance(bundle.get(MIME), dict)), None)
    if data is None:
        problem = "has no summary of Sentence Reports in its outputs" if outputs else "was not executed"
        raise UsageError(
            f"{_shown(path)} {problem}. Expected the notebook that  sentence-reports run  writes next to a page, such "
            "as reports/mine.ipynb"
        )
    return Saved(_summary(path, data), _facts(notebook))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())  # nbformat takes longer to import than all the rest
    except OSError as error:
        raise UsageError(f"cannot read {_shown(path)}: {error.strerror or error}") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UsageError(
            f"{_shown(path)}, {place}: not valid JSON: {error.msg}. Expected a notebook"
        ) from error
    except (ValueError, RecursionError) as error:  # not UTF-8, or nested too deeply
        raise UsageError(f"{_shown(path)} is not valid JSON: {error}. Expected a notebook") from error


def _dicts(holder: Any, name: str) -> list[dict[str, Any]]:
    """The dictionaries in a list of an object of JSON; none if there is no such list."""
    held = holder.get(name) if isinstance(holder, dict) else None
    return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []


def _summary(path: Path, data: dict[str, Any]) -> WalkthroughSummary | ComparisonSummary:
    sentences = data.get("sentences")
    order = list(range(len(sentences))) if isinstance(sentences, list) else []
    data = ADDED_LATER | {"order": order} | data
    if data["kind"] not in KINDS:
        raise UsageError(
            f"{_shown(path)} is a report of another kind ({data['kind']}). diff compares two walkthroughs, or two "
            "comparisons of models"
        )
    try:
        summary = summary_of(data)
    except RenderError as error:
        raise UsageError(f"{_shown(path)}: {_reason(error)}. {AGAIN}") from error
    assert not isinstance(summary, SearchSummary | CollectionSummary)
    baselines = (
        [column.baseline for column in summary.columns]
        if isinstance(summary, ComparisonSummary)
        else [summary.baseline]
    )
    if any(len(baseline.quantiles) != STEPS + 1 for baseline in baselines):
        raise UsageError(f"{_shown(path)}: its summary is damaged: not {STEPS + 1:,} quantiles. {AGAIN}")
    return summary


def _reason(error: RenderError) -> str:
    """Why a summary cannot be read, in words."""
    from pydantic import ValidationError

    if not isinstance(error.__cause__, ValidationError):
        return str(error)
    problems = error.__cause__.errors(include_url=False)
    lacking = [".".join(map(str, each["loc"])) for each in problems if each["type"] == "missing"]
    if lacking:
        return (
            f"it was made by another version of Sentence Reports; its summary lacks {', '.join(lacking[:5])}"
        )
    key = ".".join(map(str, problems[0]["loc"]))
    return f"its summary is damaged, or from another version: {key}: {problems[0]['msg']}"


def _facts(notebook: dict[str, Any]) -> PageFacts | None:
    try:
        return PageFacts.read_from(notebook.get("metadata", {}))
    except (RenderError, AttributeError):  # the page can do without
        return None


def _shown(path: Path) -> str:
    return legible(str(path))
