"""The environment of kernels: what the user has set for Python and for libraries changes no report."""

import json
import os
from pathlib import Path

import pytest
from conftest import command_line

from sentence_reports.execution.environment import kernel_environment
from sentence_reports.models import EMBEDDED


def test_the_users_settings_reach_no_kernel(tmp_path: Path) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    (here / "matplotlibrc").write_text("text.usetex: True\n")
    config = tmp_path / "config" / "matplotlib" / "matplotlibrc"
    config.parent.mkdir(parents=True)
    config.write_text("text.usetex: True\nsavefig.dpi: 2000\n")
    sets = tmp_path / "one.yaml"
    sets.write_text(json.dumps({"model": EMBEDDED, "sentences": ["one cat", "two dogs"]}))
    settings = {
        "MATPLOTLIBRC": str(config),
        "MPLBACKEND": "no-such-backend",
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error",
        "TRANSFORMERS_VERBOSITY": "debug",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    out = tmp_path / "out"
    ran = command_line("run", "--out", out, sets, home=home, cwd=here, HF_HUB_OFFLINE="1", **settings)
    assert ran.code == 0, ran.stderr
    assert [path.name for path in here.iterdir()] == ["matplotlibrc"]
    cells = json.loads((out / "one.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]


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
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["lib", str(tmp_path / "other")]))
    environment = kernel_environment()
    assert environment["MY_KEY"] == "secret"
    assert environment["PYTHONPATH"] == os.pathsep.join([str(tmp_path / "lib"), str(tmp_path / "other")])
