"""What the Makefile's targets would do, as `make -n` tells it: nothing is set up or run."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT, Ran


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
    called = done.stdout.partition("&&")[0]
    assert called.split() == [".venv/bin/sentence-reports", *command.split()], done.stderr


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


STAND_INS = ("PIP=./pip", "PYTHON=./python")


@pytest.fixture
def bare(project: Path) -> Path:
    """The folder as it is before the first `make`, a pip that only talks, and a Python that leaves pip out of venvs."""
    shutil.rmtree(project / ".venv")
    scripts = {
        "pip": 'echo chatter of pip "$@"\nexit ${PIP_CODE:-0}\n',
        "python": f'[ "$2" != venv ] || set -- "$@" --without-pip\nexec {sys.executable} "$@"\n',
    }
    for name, script in scripts.items():
        (project / name).write_text("#!/bin/sh\n" + script)
        (project / name).chmod(0o755)
    return project


def test_setting_up_is_a_handful_of_lines_and_the_rest_is_in_a_log(bare: Path) -> None:
    done = make(bare, "setup", *STAND_INS)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "Installing into .venv: about 480 MB to download, once. Details: .venv/setup.log\n"
    )
    assert done.stderr == ""
    log = (bare / ".venv" / "setup.log").read_text()
    assert "chatter of pip install --no-deps --require-hashes -r requirements.txt" in log
    assert "Installing" not in make(bare, "setup", *STAND_INS).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no CPU build of PyTorch 2.13.0 is available for this machine.* make TORCH=any"),
        (["TORCH=any"], r"make: installing failed; all of pip's output: \.venv/setup\.log"),
    ],
)
def test_a_failed_set_up_shows_what_pip_said_and_names_the_log(
    bare: Path, words: list[str], message: str
) -> None:
    done = make(bare, "setup", *STAND_INS, "PIP=PIP_CODE=1 ./pip", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("chatter of pip install ")
    assert ".venv/setup.log" in done.stderr
    assert re.search(message, done.stderr)
    assert not (bare / ".venv" / ".setup").exists()
    again = make(bare, "setup", *STAND_INS)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("target", ["setup", "clean"])
def test_an_environment_of_the_users_own_is_left_alone(bare: Path, target: str) -> None:
    (bare / ".venv").mkdir()
    (bare / ".venv" / "mine").touch()
    done = make(bare, target, *STAND_INS)
    assert ".venv was not made by make, so it is left alone" in done.stdout + done.stderr
    assert [path.name for path in (bare / ".venv").iterdir()] == ["mine"]


def test_clean_removes_the_environment_that_make_built(bare: Path) -> None:
    make(bare, "setup", *STAND_INS)
    (bare / "reports").mkdir()
    (bare / "reports" / "mine.html").touch()
    done = make(bare, "clean")
    assert done.returncode == 0
    assert not (bare / ".venv").exists()
    assert (bare / "reports" / "mine.html").exists()
    assert "reports/ is left as it is" in done.stdout


@pytest.mark.usefixtures("tiny_notebook")
def test_clean_leaves_what_was_not_made_here(
    project: Path, call: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    (project / "params" / "one.yaml").write_text(
        "sentences: [one, two]\nmodel: sentence-transformers/all-MiniLM-L6-v2\n"
    )
    command = project / ".venv" / "bin" / "sentence-reports"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m sentence_reports "$@"\n')
    command.chmod(0o755)
    assert call("run", "params/one.yaml").code == 0
    reports = project / "reports"
    (reports / "mine.html").write_text("<p>my own page</p>")
    (reports / "mine.csv").write_text("my own,table")
    assert {path.name for path in reports.glob("*.html")} == {"index.html", "one.html", "mine.html"}
    done = make(project, "clean")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in reports.iterdir()) == ["mine.csv", "mine.html"]
    assert not (project / ".venv").exists()


def test_help_names_every_target(project: Path) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (project / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    listed = [line.split()[0] for line in make(project, "help").stdout.splitlines()[1:]]
    assert sorted(listed) == sorted(phony[1].split())
