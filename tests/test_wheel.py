"""The wheel, built and installed where no clone is in reach: everything works, and the installation is not touched."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from support import ROOT, eventually, of_the_user

from sentence_reports.project import STARTER_SETS

HERE = Path(sysconfig.get_path("purelib"))  # where the dependencies are


MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass
class Installed:
    """An environment that has the wheel, and an empty folder to work in."""

    prefix: Path
    wheel: Path
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> Path:
        return self.prefix / "bin" / "sentence-reports"

    @property
    def site(self) -> Path:
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.prefix)}))

    def call(self, *words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [self.command, *words]
        return subprocess.run(
            command, cwd=cwd or self.folder, env=self.env, capture_output=True, text=True, check=False
        )

    def digest(self) -> dict[str, str]:
        """Return the SHA-256 of every file of the installation."""
        files = [path for path in sorted(self.prefix.rglob("*")) if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    base = tmp_path_factory.mktemp("anywhere")
    env = {name: value for name, value in os.environ.items() if not of_the_user(name)}
    env |= {"HOME": str(base), "HF_ENDPOINT": "http://127.0.0.1:9"}
    here = Installed(base / "env", wheel, base / "folder", env)
    here.folder.mkdir()
    venv.create(here.prefix, symlinks=True)
    # A path in a .pth file is searched, but the .pth files there, which lead to the clone, are not read.
    (here.site / "dependencies.pth").write_text(f"{HERE}\n")
    (here.prefix / "share").symlink_to(Path(sys.prefix) / "share")  # Jupyter looks for its templates there
    install = [sys.executable, "-m", "pip", "--python", here.prefix / "bin" / "python", "install"]
    subprocess.run([*install, "--no-deps", "--no-index", wheel], capture_output=True, text=True, check=True)
    before = here.digest()
    yield here
    assert here.digest() == before


def test_the_wheel_holds_what_the_program_needs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {f"sentence_reports/params/{name}" for name in (*STARTER_SETS, "schema.json")}
    expected |= {f"sentence_reports/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    package = [path for path in (ROOT / "sentence_reports").rglob("*") if path.is_file()]
    expected |= {str(path.relative_to(ROOT)) for path in package if path.parent.name != "__pycache__"}
    assert "sentence_reports/py.typed" in expected
    assert {name for name in names if ".dist-info/" not in name} == expected


def test_the_program_that_runs_is_the_installed_one(installed: Installed) -> None:
    where = "import sentence_reports; print(sentence_reports.__file__)"
    found = subprocess.run(
        [installed.prefix / "bin" / "python", "-c", where],
        cwd=installed.folder, env=installed.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(found.stdout.strip()).is_relative_to(installed.site)


@pytest.fixture
def study(installed: Installed, tmp_path: Path) -> Path:
    assert installed.call("init", tmp_path / "study", "--ci").returncode == 0
    return tmp_path / "study"


def test_the_other_commands_work_there(installed: Installed, study: Path) -> None:
    assert installed.call("check", cwd=study).stderr == "3 sets are valid\n"
    assert installed.call("new", "mine", cwd=study).stdout == "params/mine.yaml\n"
    assert installed.call("check", "params/mine.yaml", cwd=study).stderr == "1 set is valid\n"
    schema = installed.call("schema", cwd=study).stdout
    assert json.loads(schema) == json.loads((study / "params" / "schema.json").read_text())
    assert re.fullmatch(r"sentence-reports \d+\.\d+\.\d+\n", installed.call("--version").stdout)
    outside = installed.call("run")
    assert outside.returncode == 2
    assert "sentence-reports init" in outside.stderr


@pytest.mark.parametrize("command", ["preview", "lab"])
def test_preview_and_lab_start_there(installed: Installed, study: Path, command: str) -> None:
    log = study / "log"
    keyboard, terminal = os.openpty()
    with log.open("w") as file:
        process = subprocess.Popen(
            [installed.command, command, *(["negation"] if command == "lab" else [])],
            cwd=study, stdin=terminal, stdout=file, stderr=file, env=installed.env | {"BROWSER": "true"},
        )  # fmt: skip
    try:
        address = re.compile(r"http://127\.0\.0\.1:\S+")
        assert eventually(lambda: address.search(log.read_text()) or process.poll() is not None, 120)
        found = address.search(log.read_text())
        assert found, log.read_text()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(found[0], timeout=60) as page:
            assert page.status == 200
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        process.kill()
        process.wait()
        os.close(keyboard)
        os.close(terminal)
    if command == "lab":
        assert (study / "notebooks" / ".lab" / "negation.ipynb").is_file()


def test_a_study_anywhere_becomes_pages_by_the_workflow_of_init(installed: Installed, study: Path) -> None:
    workflow = yaml.safe_load((study / ".github" / "workflows" / "reports.yaml").read_text())
    (job,) = workflow["jobs"].values()
    (study / "params" / "four-topics.yaml").unlink()
    (study / "params" / "paraphrase.yaml").unlink()
    tools = study.parent / "tools"
    tools.mkdir()
    (tools / "pip").write_text('#!/bin/sh\necho "$@" >> "$ASKED"\n')
    (tools / "pip").chmod(0o755)
    (tools / "sentence-reports").symlink_to(installed.command)
    summary, asked = study.parent / "step.md", study / "asked"
    env = installed.env | workflow["env"] | {
        "PATH": f"{tools}:{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(summary), "ASKED": str(asked),
    }  # fmt: skip
    steps = [step["run"] for step in job["steps"] if "run" in step]

    def ran(step: str) -> tuple[int, str]:
        command = ["bash", "-e", "-c", step]  # as GitHub does if a workflow names no shell
        done = subprocess.run(command, cwd=study, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    odd = {"model": MODEL, "sentences": ["Bake the bread", "The train is late"]}
    odd["reference"] = {"source": "nowhere", "model": MODEL, "similarity": [[1, 0.9], [0.9, 1]]}
    (study / "params" / "odd.yaml").write_text(json.dumps(odd))
    code, said = ran(steps[0])
    assert (code, asked.exists()) == (1, False)
    assert "SENTENCE_REPORTS: is empty. Set it in this workflow to what pip should install" in said
    env["SENTENCE_REPORTS"] = "a.whl"
    codes = [ran(step) for step in steps]
    assert [code for code, _ in codes] == [0] * (len(steps) - 2) + [3, 0], codes
    assert asked.read_text().splitlines()[-1] == "install a.whl"
    pages = {path.name: path.read_text(encoding="utf-8") for path in (study / "reports").glob("*.html")}
    assert set(pages) == {"index.html", "negation.html", "odd.html"}
    assert not [name for name, text in pages.items() if str(installed.site) in text]
    assert not [said for _, said in codes if "You asked for" in said]
    assert f"\n| negation | {MODEL} |" in summary.read_text()
    uploads = {
        step["uses"]: step["with"]["path"] for step in job["steps"] if "upload" in step.get("uses", "")
    }
    assert set(uploads.values()) == {"results.xml", "reports"}
    shown = next(step for step in job["steps"] if step.get("run") == steps[-1])
    assert shown["if"] == "${{ !cancelled() }}"
    assert "### Claims that do not hold\n\n- **odd**: " in summary.read_text()
    assert '<failure type="unmet"' in (study / "results.xml").read_text()
