"""A copy of the notebook with a set's values in it, opened in JupyterLab.

Like the kernels of a run, JupyterLab is isolated from the user's Jupyter settings. In front of a class, the right
kernel starts, nothing is asked and no private tabs are shown.
"""

import ast
import hashlib
import json
import os
import subprocess
import sys
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import nbformat

from sentence_reports.errors import UsageError, explained
from sentence_reports.execution.environment import kernel_environment
from sentence_reports.models.files import model_folder
from sentence_reports.prepare import read_notebook
from sentence_reports.project import Project
from sentence_reports.sets import read_set

ORIGIN = "sentence_reports_lab"
"""The key of the metadata that marks a copy and identifies what it was made from."""

# Defaults of the front end, so that neither the first start nor the button that runs all cells asks anything.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
    "@jupyterlab/apputils-extension:sessionDialogs": {"skipKernelRestartDialog": True},
    "@jupyterlab/notebook-extension:tracker": {"autoStartDefaultKernel": True},
}


def open_lab(project: Project, path: Path | None, copies: Path) -> NoReturn:
    """Open a copy of the project's notebook in JupyterLab; this process becomes JupyterLab.

    The copy is a file in the folder `copies` and has the values of the set at `path`, or the notebook's own if that
    is None. Raises SetError if the set is missing or invalid, UsageError if the folder or notebook cannot be used.
    """
    with explained(UsageError, f"cannot write to {copies}", ". Choose another folder with --out DIR"):
        copy = prepare(project, path, copies)
        env = environment(copies / ".jupyter")
    name = quote(copy.stem)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--allow-root", "--ServerApp.log_level=ERROR"),
        "--ServerApp.answer_yes=True",  # exits at the first Ctrl-C
        f"--ServerApp.root_dir={copy.absolute().parent}",
        # Every address that it prints is that of the copy, for when no browser opens. Each copy has its own workspace,
        # so that no other copy is opened next to it.
        f"--LabApp.default_url=/lab/workspaces/{name}/tree/{name}.ipynb",
    ]
    if os.name == "posix":
        os.execve(sys.executable, command, env)
    sys.exit(subprocess.call(command, env=env))


def prepare(project: Project, path: Path | None, copies: Path) -> Path:
    """Return a copy of the notebook with the values of the set at `path`, or with the notebook's own five sentences.

    A copy made from the same notebook and values is used again, and nothing is ever overwritten: other values, or a
    file that is not ours, get a new copy with a number. Raises OSError, SetError, or UsageError for a bad notebook.
    """
    set_file = None if path is None else read_set(path)
    values = {} if set_file is None else set_file.parameters()
    for key in ("model", "fallback_model"):
        # Absolute, because the kernel does not run in the set's folder.
        if path is not None and (folder := model_folder(values.get(key) or "", path.parent)):
            values[key] = str(folder)
    if path is not None and "models" in values:
        values["models"] = [_located(model, path.parent) for model in values["models"]]
    if path is not None and "texts" in values:
        values["texts"] = values["texts"] | {"file": str((path.parent / values["texts"]["file"]).absolute())}
    source = project.notebook() if set_file is None else project.notebook(set_file.set.notebook)
    notebook = nbformat.reads(read_notebook(source), as_version=4)
    notebook.metadata.kernelspec = {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    try:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.update(outputs=[], execution_count=None)
            if "parameters" in cell.metadata.get("tags", []):
                cell.source = with_values(cell.source, values)
    except SyntaxError as error:
        raise UsageError(
            f"the parameters cell of {source} must be plain Python, but its line {error.lineno} is not: {error.msg}"
        ) from error
    origin = hashlib.sha256(nbformat.writes(notebook).encode("utf-8", "surrogatepass")).hexdigest()
    notebook.metadata[ORIGIN] = origin
    copies.mkdir(parents=True, exist_ok=True)
    name = source.stem if path is None else path.stem
    names = chain([name], (f"{name}-{k}" for k in count(2)))
    while True:
        copy = copies / f"{next(names)}.ipynb"
        try:
            with copy.open("x", encoding="utf-8") as file:
                file.write(nbformat.writes(notebook) + "\n")
            return copy
        except FileExistsError:
            # A file that is not ours may hold anything.
            with suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
                if json.loads(copy.read_bytes())["metadata"][ORIGIN] == origin:
                    return copy


def _located(model: Any, folder: Path) -> Any:
    """Return a model of a comparison in a set in `folder`, with absolute paths."""
    if isinstance(model, str):
        return str(model_folder(model, folder) or model)
    if "vectors" in model:
        files = {key: str((folder / file).absolute()) for key, file in model["vectors"].items()}
        return model | {"vectors": files}
    return model | {"model": _located(model["model"], folder)}


def with_values(source: str, values: dict[str, Any]) -> str:
    """Return the code of a parameters cell with other values; comments stay, names that it lacks come last."""
    lines, values = source.encode("utf-8").split(b"\n"), dict(values)  # ast counts bytes
    for node in reversed(ast.parse(source).body):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target, old = node.targets[0] if isinstance(node, ast.Assign) else node.target, node.value
        if isinstance(target, ast.Name) and target.id in values:
            first, last = old.lineno - 1, (old.end_lineno or old.lineno) - 1
            before, after = lines[first][: old.col_offset], lines[last][old.end_col_offset :]
            lines[first : last + 1] = [before + as_code(values.pop(target.id)).encode("utf-8") + after]
    new = [f"{name} = {as_code(value)}" for name, value in values.items()]
    return "\n".join([b"\n".join(lines).decode("utf-8"), *new])


def as_code(value: Any, indent: str = "") -> str:
    """Return plain data as code that is easy to edit, with one text per line and invisible characters as escapes."""
    inner = indent + "    "
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value.isprintable() else repr(value)
    if isinstance(value, list) and any(isinstance(item, str | list) for item in value):
        return "[\n" + "".join(f"{inner}{as_code(item, inner)},\n" for item in value) + indent + "]"
    if isinstance(value, dict):
        items = ((as_code(key), as_code(item, inner)) for key, item in value.items())
        return "{\n" + "".join(f"{inner}{key}: {item},\n" for key, item in items) + indent + "}"
    return repr(value)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of JupyterLab and its kernels, which keep their settings in `folder`.

    Existing settings are left as they are. Raises OSError if the folder cannot be written.
    """
    defaults = folder.absolute() / "labconfig" / "default_setting_overrides.json"
    defaults.parent.mkdir(parents=True, exist_ok=True)
    if not defaults.exists():
        defaults.write_text(json.dumps(SETTINGS), encoding="utf-8")
    own = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"), str(folder.absolute()))
    # In JupyterLab, a kernel looks for its model.
    hub = {"HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "0")}
    return kernel_environment() | own | hub | {"JUPYTER_PREFER_ENV_PATH": "1"}
