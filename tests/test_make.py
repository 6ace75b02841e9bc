"""What the Makefile's targets would do, as `make -n` tells it: nothing is set up or run."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder that holds the Makefile, the requirements and two sets, as if all were installed."""
    for name in ("Makefile", "pyproject.toml", "requirements.txt", "requirements-torch.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "params").mkdir()
    for name in ("one.yaml", "two.yml"):
        (tmp_path / "params" / name).write_text("")
    (tmp_path / ".venv").mkdir()
    for name in (".setup", ".package"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


def make(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"]}  # nothing of the make that runs the tests, nor what was said to it
    return subprocess.run(["make", *words], cwd=project, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("", "run"),
        ("reports", "run"),
        ("report SET=one", "run params/one.yaml"),
        ("report SET=two", "run params/two.yml"),
        ("report SET=three", "run params/three.yaml"),  # which says that there is none
        ("preview", "preview"),
        ("preview SET=two", "preview params/two.yml"),
        ("new SET=three", "new three"),
        ("check", "check"),
        ("lab", "lab"),
        ("lab SET=one", "lab one"),
    ],
)
def test_a_target_is_a_command(project: Path, words: str, command: str) -> None:
    done = make(project, "-n", *words.split())
    assert done.stdout.split() == [".venv/bin/sentence-reports", *command.split()], done.stderr


@pytest.mark.parametrize("target", ["report", "new"])
def test_a_target_that_needs_a_set_says_so(project: Path, target: str) -> None:
    done = make(project, "-n", target)
    assert done.returncode == 2
    assert f"make {target} SET=" in done.stderr


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("requirements.txt", ["-r requirements-torch.txt", "-r requirements.txt", "--editable ."]),
        ("requirements-torch.txt", ["-r requirements-torch.txt", "-r requirements.txt", "--editable ."]),
        ("pyproject.toml", ["--editable ."]),
        ("params/one.yaml", []),
    ],
)
def test_what_changed_is_installed_again(project: Path, changed: str, again: list[str]) -> None:
    later = time.time() + 60
    os.utime(project / changed, (later, later))
    told = make(project, "-n", "check").stdout
    steps = ("-r requirements-torch.txt", "-r requirements.txt", "--editable .")
    assert [step for step in steps if step in told] == again


def test_without_a_cpu_build_of_torch_it_stops_and_names_the_setting(project: Path) -> None:
    (project / ".venv" / ".setup").unlink()
    done = make(project, "setup", "PIP=false", f"PYTHON={sys.executable}")
    assert done.returncode == 2
    assert "no CPU build of PyTorch 2.13.0 could be had" in done.stderr
    assert "make TORCH=any" in done.stderr
    assert not (project / ".venv" / ".setup").exists()


def test_help_names_every_target(project: Path) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (project / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    listed = [line.split()[0] for line in make(project, "help").stdout.splitlines()[1:]]
    assert sorted(listed) == sorted(phony[1].split())
