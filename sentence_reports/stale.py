"""What a report was made from, as a digest. If it changes, the report is stale."""

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sentence_reports.errors import UsageError, explained
from sentence_reports.models import folder_stamp
from sentence_reports.report import Report, Request
from sentence_reports.sets import SetFile

PACKAGE = Path(__file__).parent
# The libraries on which a report's numbers, pictures and page depend.
LIBRARIES = (
    "ipykernel", "jinja2", "latex2mathml", "matplotlib", "mistune", "nbconvert", "nh3", "numpy", "pandas", "papermill",
    "pillow", "pygments", "safetensors", "scikit-learn", "scipy", "seaborn", "sentence-transformers", "tokenizers",
    "torch", "transformers", "wordllama",
)  # fmt: skip


def code_digest() -> str:
    """Return a digest of the program and its template. Raises UsageError if a file cannot be read.

    Python code counts as it was when this process first read it, because that is the code that runs.
    """
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    # Skip dotfiles: editors create them while a file is open.
    sources = {path for path in files if path.suffix != ".py" and not path.name.startswith(".")}
    return _program_digest() + _files_digest(sources)


def set_digest(code: str, set_file: SetFile, notebook: Path, device: str = "cpu") -> str:
    """Return a digest of what a report depends on: the code, the notebook, the set, and the files that it names.

    `device` is the one that its model runs on.

    Raises UsageError if the notebook or a file of vectors cannot be read.
    """
    folder, choices = set_file.path.parent, set_file.set.choices
    vectors = [folder / file for choice in choices for file in choice.request.vectors or ()]
    parts = [
        code,
        _files_digest({notebook}),
        set_file.stem,
        json.dumps(set_file.set.parameters()),  # unsorted: the order of the groups is that of the heatmap
        *map(str, set_file.warnings),
        *(_model_stamp(choice.request, folder) for choice in choices),
        *(_files_digest({path}) for path in vectors),
        set_file.sha256,
        device,
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def is_stale(report: Report | None, digest: str, *, strict: bool) -> bool:
    """Return whether a set needs a new report; with `strict`, also if its last one had to do without a model."""
    if report is None or report.digest != digest:
        return True
    return strict and (report.stands_in_for is not None or bool(report.missing))


def _model_stamp(request: Request, folder: Path) -> str:
    if request.vectors is not None:
        return ""
    return folder_stamp(request.model, folder) + folder_stamp(request.fallback_model or "", folder)


@cache
def _program_digest() -> str:
    versions = hashlib.sha256(repr([_version(name) for name in LIBRARIES]).encode()).hexdigest()
    return versions + _files_digest(set(PACKAGE.rglob("[!.]*.py")))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _files_digest(paths: set[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        with explained(UsageError, f"cannot read {path}"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
