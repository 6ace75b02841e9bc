"""For ``make lab``: a copy of the notebook, with a set's values in it, opened in JupyterLab."""

import os
import sys
from pathlib import Path

import papermill

from sentence_reports.errors import SetError
from sentence_reports.pipeline import NOTEBOOK, PROJECT, title_of
from sentence_reports.sets import read_set

COPIES = PROJECT / "notebooks" / ".lab"  # git ignores it: the notebook itself is never touched


def prepare(stem: str | None) -> Path:
    """Write the copy for the set `stem`, or with the notebook's own five sentences, and give its path.

    Raises SetError where the set is missing or invalid.
    """
    parameters = {"title": title_of(stem)} | read_set(_path_of(stem)).set.parameters() if stem else {}
    copy = COPIES / f"{stem or 'walkthrough'}.ipynb"
    COPIES.mkdir(exist_ok=True)
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
