"""Projects, which are folders with `params/`: how to find and start one, and what it holds."""

import importlib.metadata
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from sentence_reports.errors import UsageError, explained

PACKAGE = Path(__file__).parent
NOTEBOOKS = ("walkthrough", "search", "comparison", "collection")
"""The notebooks that come with the program, one per kind of report."""
WORKFLOW = ".github/workflows/reports.yaml"
STARTER_SETS = ("paraphrase.yaml", "negation.yaml", "four-topics.yaml")

NEW_SET = """\
# yaml-language-server: $schema=schema.json
title: {title}
description: ""
model: sentence-transformers/all-MiniLM-L6-v2
# Instead of one model, two to six to compare:
# models: [sentence-transformers/all-MiniLM-L6-v2, dleemiller/word-llama-l2-supercat]
# Some models expect a text before each sentence (this one does not):
# prompt: "query: "
sentences:
  - "The first sentence, in quotes"
  - "The second sentence; a set has 2 to 3,000"
  - "The third sentence"
# Instead of sentences, a file of up to a million texts:
# texts: {{file: texts.csv, column: text}}
# What must hold, checked by every run:
# expect:
#   - closer: [1, 2]  # the first sentence is closer to the second
#     than: [1, 3]    # than to the third
#     because: "it says the same in other words"
"""


@dataclass(frozen=True)
class Project:
    """A folder that holds `params/`, and may hold its own `notebooks/`."""

    folder: Path

    @property
    def params(self) -> Path:
        """The folder of set files."""
        return self.folder / "params"

    @property
    def reports(self) -> Path:
        """The default output folder."""
        return self.folder / "reports"

    def notebook(self, name: str = "walkthrough") -> Path:
        """Return the project's own notebook of this name if there is one, else the packaged one."""
        own = self.folder / "notebooks" / f"{name}.ipynb"
        return own if own.is_file() else packaged("notebooks") / own.name


def find_project(start: Path) -> Project:
    """Return the project that `start` is in: the nearest folder upwards that holds `params/`.

    Raises UsageError if there is none.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / "params").is_dir():
            return Project(folder)
    raise UsageError(
        f"no project here: neither {start} nor a folder above it has a params/ folder."
        " Create one with  sentence-reports init,  or name one with --project DIR"
    )


def packaged(name: str) -> Path:
    """Return the folder `name` ("notebooks" or "params") that comes with the program.

    A wheel carries it inside the package; in a clone it is next to the package.
    """
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def version() -> str:
    """Return the version that is installed."""
    return importlib.metadata.version("sentence-reports")


def init(folder: Path, *, ci: bool = False) -> list[Path]:
    """Write a project into `folder`, which is created if necessary; return the files written.

    The files are three sets, their schema, a README and a .gitignore; with `ci` also a GitHub workflow.
    Files that exist are left alone, and a `params/` that holds sets gets no further ones.
    Raises UsageError if a file cannot be written.
    """
    params = folder / "params"
    sets = () if params.is_dir() and any(params.glob("[!.]*.y*ml")) else STARTER_SETS
    sources = {f"params/{name}": packaged("params") / name for name in (*sets, "schema.json")}
    sources |= {
        "README.md": PACKAGE / "starter" / "README.md",
        ".gitignore": PACKAGE / "starter" / "gitignore",
    }
    if ci:
        sources[WORKFLOW] = PACKAGE / "starter" / "workflow.yaml"
    return [path for name, source in sources.items() if _write_new(path := folder / name, source)]


def new(project: Project, stem: str, title: str) -> Path:
    """Write a set with three placeholder sentences to `params/STEM.yaml` and return its path.

    Raises UsageError if there is such a set, or if the file cannot be written.
    """
    path = project.params / f"{stem}.yaml"
    with explained(UsageError, f"cannot write {path}"):
        for taken in project.params.glob("*.y*ml"):
            if taken.stem.casefold() == stem.casefold():
                raise UsageError(f"{taken} already exists; nothing was written")
        with path.open("x", encoding="utf-8") as file:
            file.write(NEW_SET.format(title=json.dumps(title, ensure_ascii=False)))
        _write_new(project.params / "schema.json", packaged("params") / "schema.json")
    return path


def stem_of(name: str) -> str:
    """Return the name of a set without the suffix of its file. Raises UsageError if it is not a valid name."""
    stem = name.removesuffix(".yaml").removesuffix(".yml")
    valid = stem.replace("-", "").replace("_", "").isalnum() and len(stem.encode()) <= 200
    if not valid or stem.casefold() == "index":
        raise UsageError(
            f"{name!r} is not a valid set name: use letters, digits, - and _ (at most 200 bytes);"
            ' "index" is reserved'
        )
    return stem


def _write_new(path: Path, source: Path) -> bool:
    """Copy `source` to `path` unless something is there; return whether it was copied."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as reading, path.open("xb") as writing:
            shutil.copyfileobj(reading, writing)
    except FileExistsError:
        if not path.parent.is_dir():
            raise UsageError(f"cannot write {path}: {path.parent} is not a folder") from None
        return False
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    return True
