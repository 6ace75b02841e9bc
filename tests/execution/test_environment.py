"""The environment of kernels: what the user has set for Python and for libraries changes no report."""

import os
from pathlib import Path

import nbformat
import pytest

from sentence_reports.execution.engine import execute
from sentence_reports.execution.environment import kernel_environment
from sentence_reports.execution.kernels import Kernels
from sentence_reports.models import EMBEDDED
from sentence_reports.prepare import REHEARSAL
from sentence_reports.project import packaged


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what would change a report, or break it."""
    config = tmp_path / "config" / "matplotlib" / "matplotlibrc"
    config.parent.mkdir(parents=True)
    config.write_text("text.usetex: True\nsavefig.dpi: 2000\n")
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\n")
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HF_HUB_OFFLINE": "1",
        "MATPLOTLIBRC": str(config),
        "MPLBACKEND": "no-such-backend",
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
        "TRANSFORMERS_VERBOSITY": "debug",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }.items():
        monkeypatch.setenv(name, value)


PLOT = "from matplotlib import pyplot\npyplot.plot([1, 2]);"
SHOW = """
import os, warnings, matplotlib
given = {"TRANSFORMERS_VERBOSITY": "debug", "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error"}
print([name for name, value in given.items() if os.environ.get(name) == value], __debug__)
print(matplotlib.rcParams["text.usetex"], matplotlib.rcParams["savefig.dpi"])
warnings.warn("only a warning")
"""


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("warm", [pytest.param(False, marks=pytest.mark.slow), True])
def test_the_users_settings_reach_no_kernel(warm: bool, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (PLOT, SHOW)])
    with Kernels([notebook], warm=warm) as kernels:
        ran = execute(notebook, {}, env={}, timeout=600, kernels=kernels, died="the kernel died")
        assert kernels.take_warning() is None
    plot, shown = ran.cells[-2:]
    assert ["image/png" in output.get("data", {}) for output in plot.outputs] == [True]
    assert shown.outputs[0].text == "[] True\nFalse figure\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "matplotlibrc"]


@pytest.mark.slow
@pytest.mark.usefixtures("settings")
def test_the_users_settings_change_nothing_of_the_walkthrough(tmp_path: Path) -> None:
    notebook = nbformat.read(packaged("notebooks") / "walkthrough.ipynb", as_version=4)
    parameters = {"model": EMBEDDED, "sentences": ["one cat", "two dogs"]}
    with Kernels([notebook], REHEARSAL) as kernels:
        ran = execute(notebook, parameters, env={}, timeout=600, kernels=kernels, died="the kernel died")
        assert kernels.take_warning() is None
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "matplotlibrc"]


@pytest.mark.parametrize("warm", [False, True])
def test_a_projects_own_notebook_shows_its_plots(warm: bool, request: pytest.FixtureRequest) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PLOT)])
    kernels = request.getfixturevalue("warm_kernels") if warm else None
    ran = execute(notebook, {}, env={}, timeout=600, kernels=kernels, died="the kernel died")
    assert ["image/png" in output.get("data", {}) for output in ran.cells[-1].outputs] == [True]


@pytest.mark.parametrize("home", ["", "relative", "./here", None])
def test_no_cache_lands_in_the_current_folder(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if home is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    environment = kernel_environment()
    assert Path(environment["HOME"]).is_absolute()
    assert "XDG_CACHE_HOME" not in environment


def test_what_else_the_user_has_set_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_KEY", "secret")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")  # which machine this is, not how the user likes it
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["lib", str(tmp_path / "other")]))
    environment = kernel_environment()
    assert environment["MY_KEY"] == "secret"
    assert environment["OPENBLAS_CORETYPE"] == "Haswell"
    assert environment["PYTHONPATH"] == os.pathsep.join([str(tmp_path / "lib"), str(tmp_path / "other")])
