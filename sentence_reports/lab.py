"""For ``make lab``: a copy of the notebook, with a set's values in it, opened in JupyterLab."""

import os
import sys
from itertools import chain, count, takewhile
from pathlib import Path

import papermill

from sentence_reports.errors import SetError
from sentence_reports.pipeline import NOTEBOOK, PROJECT, title_of
from sentence_reports.sets import read_set

COPIES = PROJECT / "notebooks" / ".lab"  # git ignores it: the notebook itself is never touched


def prepare(stem: str | None) -> Path:
    """Give a copy for the set `stem`, or with the notebook's own five sentences: the last one, or a new one.

    A copy is never written over, since somebody may have worked in it; where the set or the notebook is newer, a
    new one is made beside it. Raises SetError where the set is missing or invalid.
    """
    sources = [NOTEBOOK] if stem is None else [NOTEBOOK, _path_of(stem)]
    parameters = {} if stem is None else {"title": title_of(stem)} | read_set(_path_of(stem)).set.parameters()
    name = stem or "walkthrough"
    COPIES.mkdir(exist_ok=True)
    places = (COPIES / f"{name}{suffix}.ipynb" for suffix in chain([""], (f"-{k}" for k in count(2))))
    known = list(takewhile(Path.exists, places))
    if known and all(known[-1].stat().st_mtime >= source.stat().st_mtime for source in sources):
        return known[-1]
    copy = COPIES / f"{name}{f'-{len(known) + 1}' if known else ''}.ipynb"
    papermill.execute_notebook(
        NOTEBOOK,
        copy,
        parameters,
        prepare_only=True,
        kernel_name="python3",
        language="python",
        progress_bar=False,
    )
    return copy


def _path_of(stem: str) -> Path:
    yml = PROJECT / "params" / f"{stem}.yml"
    return yml if yml.exists() else yml.with_suffix(".yaml")


def main() -> None:
    """Prepare the copy and become JupyterLab."""
    try:
        copy = prepare(sys.argv[1] if len(sys.argv) > 1 else None)
    except SetError as error:
        sys.exit(str(error))
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", str(copy)])


if __name__ == "__main__":
    main()
