"""For ``make lab``: a copy of the notebook, with a set's values in it, opened in JupyterLab.

JupyterLab is shut off from the user's own Jupyter set-up, as the kernels of a run are: in front of a class there
is the right kernel, no question and nobody's private tabs.
"""

import json
import os
import sys
from collections.abc import Mapping
from itertools import chain, count, takewhile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import papermill

from sentence_reports.errors import SetError
from sentence_reports.pipeline import NOTEBOOK, PROJECT, title_of
from sentence_reports.sets import read_set

COPIES = PROJECT / "notebooks" / ".lab"  # git ignores it: the notebook itself is never touched

# Defaults of the front end: nothing is asked at the first start, nor by the button that runs all cells.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
    "@jupyterlab/apputils-extension:sessionDialogs": {"skipKernelRestartDialog": True},
    "@jupyterlab/notebook-extension:tracker": {"autoStartDefaultKernel": True},
}


def prepare(stem: str | None) -> Path:
    """Give a copy for the set `stem`, or with the notebook's own five sentences: the last one, or a new one.

    A copy is never written over, since somebody may have worked in it; where the set or the notebook is newer, a
    new one is made beside it. Raises SetError where the set is missing or invalid.
    """
    sources = [NOTEBOOK] if stem is None else [NOTEBOOK, _path_of(stem)]
    parameters = {} if stem is None else {"title": title_of(stem)} | _parameters(_path_of(stem))
    name = stem or "walkthrough"
    COPIES.mkdir(exist_ok=True)
    places = (COPIES / f"{name}{suffix}.ipynb" for suffix in chain([""], (f"-{k}" for k in count(2))))
    known = list(takewhile(Path.exists, places))
    if known and all(known[-1].stat().st_mtime >= source.stat().st_mtime for source in sources):
        return known[-1]
    copy = COPIES / f"{name}{f'-{len(known) + 1}' if known else ''}.ipynb"
    notebook = papermill.execute_notebook(
        NOTEBOOK,
        copy,
        parameters,
        prepare_only=True,
        kernel_name="python3",
        language="python",
        progress_bar=False,
    )
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.tags:
            cell.source = _assignments(parameters)
    nbformat.write(notebook, copy)
    return copy


def command(copy: Path) -> list[str]:
    """Give the command that opens `copy` in JupyterLab and ends, without a question, at the first Ctrl-C.

    Every address that it prints is the copy's own: where no browser opens by itself, one of them is followed.
    Each copy has a workspace of its own, so that no other one is opened beside it.
    """
    name = quote(copy.stem)
    return [
        *(sys.executable, "-m", "jupyterlab", "--allow-root", "--ServerApp.answer_yes=True"),
        "--ServerApp.log_level=ERROR",
        f"--ServerApp.root_dir={copy.parent}",
        f"--LabApp.default_url=/lab/workspaces/{name}/tree/{name}.ipynb",
    ]


def environment(inherited: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Give the environment for JupyterLab and its kernels, whose settings are kept in `folder`, made if need be."""
    defaults = folder / "labconfig" / "default_setting_overrides.json"
    defaults.parent.mkdir(parents=True, exist_ok=True)
    defaults.write_text(json.dumps(SETTINGS), encoding="utf-8")
    users = ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTER_RUNTIME_DIR", "PYTHONSTARTUP")
    own = {name: str(folder) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    kept = {name: value for name, value in inherited.items() if name not in users}
    return kept | own | {"JUPYTER_PREFER_ENV_PATH": "1"}


def _assignments(parameters: dict[str, Any]) -> str:
    """Give the parameters as code to change by hand: papermill writes all sentences on one line."""
    values = {name: repr(value) for name, value in parameters.items()}
    values["sentences"] = json.dumps(parameters["sentences"], indent=4, ensure_ascii=False)
    return "\n".join(f"{name} = {value}" for name, value in values.items())


def _path_of(stem: str) -> Path:
    yml = PROJECT / "params" / f"{stem}.yml"
    return yml if yml.exists() else yml.with_suffix(".yaml")


def _parameters(path: Path) -> dict[str, Any]:
    """Give a set's values, a model's folder as it is seen from here: the kernel works beside the copy."""
    parameters = read_set(path).set.parameters()
    folders = {
        key: str(Path(parameters[key]).absolute())
        for key in ("model", "fallback_model")
        if parameters.get(key) and Path(parameters[key]).is_dir()
    }
    return parameters | folders


def main() -> None:
    """Prepare the copy and become JupyterLab."""
    try:
        copy = prepare(sys.argv[1] if len(sys.argv) > 1 else None)
    except SetError as error:
        sys.exit(str(error))
    os.execve(sys.executable, command(copy), environment(os.environ, COPIES / ".jupyter"))


if __name__ == "__main__":
    main()
