"""Sentence Reports: from a YAML file of sentences to a page that shows how an embedding model relates them."""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_reports.errors import ModelError, SentenceReportsError, SetError
    from sentence_reports.make import make_report
    from sentence_reports.prepare import prepare_job
    from sentence_reports.project import Project, find_project
    from sentence_reports.report import Failed, Job, Made
    from sentence_reports.sets import SetFile, read_set
    from sentence_reports.summary import (
        CollectionSummary,
        ComparisonSummary,
        SearchSummary,
        Summary,
        WalkthroughSummary,
        read_summary,
    )

__all__ = [
    "CollectionSummary",
    "ComparisonSummary",
    "Failed",
    "Job",
    "Made",
    "ModelError",
    "Project",
    "SearchSummary",
    "SentenceReportsError",
    "SetError",
    "SetFile",
    "Summary",
    "WalkthroughSummary",
    "find_project",
    "make_report",
    "prepare_job",
    "read_set",
    "read_summary",
]

# In a notebook, tqdm prints a red warning about widgets that nothing here uses.
warnings.filterwarnings("ignore", message="IProgress not found")

MODULE_OF = {
    **dict.fromkeys(("ModelError", "SentenceReportsError", "SetError"), "errors"),
    "make_report": "make",
    "prepare_job": "prepare",
    **dict.fromkeys(("Project", "find_project"), "project"),
    **dict.fromkeys(("Failed", "Job", "Made"), "report"),
    **dict.fromkeys(("SetFile", "read_set"), "sets"),
    **dict.fromkeys(
        (
            "CollectionSummary",
            "ComparisonSummary",
            "SearchSummary",
            "Summary",
            "WalkthroughSummary",
            "read_summary",
        ),
        "summary",
    ),
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: `import sentence_reports` alone loads nothing."""
    if name not in MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
