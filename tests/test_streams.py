"""Standard streams that are closed, full, broken or read-only: the work is done, the exit code says how it went."""

import io
import itertools
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import write_sets

from sentence_reports import streams

# What a shell does to a descriptor; 9 is a pipe whose reader has ended.
STDIN = {"open": "", "closed": "0<&-", "write-only": "0>/dev/null"}
OUTPUT = {
    "open": "",
    "closed": "{}>&-",
    "full": "{}>/dev/full",
    "read-only": "{}</dev/null",
    "broken": "{}>&9",
}
# Each pair of two streams' states is met.
PAIRS = [
    (stdin, *two)
    for stdin, two in zip(itertools.cycle(STDIN), itertools.product(OUTPUT, OUTPUT), strict=False)
]
FEW = [("closed", "closed", "closed"), ("open", "full", "open")]
MORE = [*FEW, *(("closed", state, state) for state in OUTPUT if state != "closed")]


def in_shell(words: str, cwd: Path, case: tuple[str, str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python with its streams in the given states; what it says on the open ones is returned."""
    stdin, stdout, stderr = STDIN[case[0]], OUTPUT[case[1]].format(1), OUTPUT[case[2]].format(2)
    command = f"{shlex.quote(sys.executable)} {words} {stdin} {stdout} {stderr}"
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            ["bash", "-c", f"exec 9>&{writing}; {command}"],
            cwd=cwd, env=env, capture_output=True, text=True, pass_fds=[writing], check=False,
        )  # fmt: skip
    finally:
        os.close(writing)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one set."""
    write_sets(tmp_path / "params", [""])
    return tmp_path


def check_outcome(project: Path, words: str, code: int, case: tuple[str, str, str]) -> None:
    done = in_shell(f"-m sentence_reports {words}", project, case)
    assert done.returncode == code, (words, case, done)
    assert "Traceback" not in done.stderr + done.stdout
    assert "Exception ignored" not in done.stderr
    if code and case[2] == "open":
        assert done.stderr, (words, case)


CODES = {
    "check": 0,
    "check none.yaml": 1,
    "run none.yaml": 1,
    "run --jobs x": 2,
    "new /": 2,
    "--project / check": 2,
    "schema": 0,
    "baseline": 0,
    "--help": 0,
    "--version": 0,
    "run --help": 0,
}
SEEN_TO_FAIL = ["check none.yaml", "new /", "schema", "baseline", "--help"]


def expected(words: str, stdout: str) -> int:
    """Return the exit code: a command that is there to print fails if that is not possible."""
    prints = words in ("schema", "baseline", "--help", "--version", "run --help")
    return 1 if prints and stdout in ("full", "read-only") else CODES[words]


@pytest.mark.parametrize("words", SEEN_TO_FAIL)
def test_no_state_of_the_streams_changes_what_a_command_does(words: str, project: Path) -> None:
    for case in MORE if words in ("check none.yaml", "baseline") else FEW:
        check_outcome(project, words, expected(words, case[1]), case)


@pytest.mark.slow
@pytest.mark.parametrize("words", CODES)
def test_no_pair_of_states_changes_what_a_command_does(words: str, project: Path) -> None:
    for case in PAIRS:
        check_outcome(project, words, expected(words, case[1]), case)


def check_reports(project: Path, case: tuple[str, str, str], *words: str) -> None:
    shutil.rmtree(project / "reports", ignore_errors=True)
    check_outcome(project, " ".join(["run", "--jobs 1", *words]), 0, case)
    pages = {path.name for path in (project / "reports").glob("*.html")}
    assert pages == {"index.html", "set-00.html"}, case


CLOSED = ("closed", "closed", "closed")
START_KERNEL = """
from sentence_reports import streams
streams.secure()
import nbformat
from sentence_reports.execution.engine import execute
from sentence_reports.execution.kernels import Kernels
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)")])
with Kernels() as kernels:
    ran = execute(notebook, {}, env={}, timeout=600, kernels=kernels, died="the kernel died")
    assert kernels.take_warning() is None
assert ran.cells[-1].outputs[0].text == "1\\n"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="warm kernels need Linux")
def test_warm_kernels_start_if_the_streams_are_closed(tmp_path: Path) -> None:
    done = in_shell(f"-c {shlex.quote(START_KERNEL)}", tmp_path, CLOSED)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("case", "words"),
    [
        pytest.param(CLOSED, [], id="closed, warm", marks=pytest.mark.slow),
        pytest.param(CLOSED, ["--cold"], id="closed, cold"),
        pytest.param(("open", "full", "full"), ["--cold"], id="full, cold", marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("tiny_notebook")  # the project's own
def test_reports_are_made_whatever_the_streams_take(
    case: tuple[str, str, str], words: list[str], project: Path
) -> None:
    check_reports(project, case, *words)


@pytest.mark.slow
@pytest.mark.parametrize("stdout", OUTPUT)
@pytest.mark.usefixtures("tiny_notebook")
def test_reports_are_made_with_each_pair_of_states(stdout: str, project: Path) -> None:
    for case in PAIRS:
        if case[1] == stdout:
            check_reports(project, case)


class Console(io.TextIOWrapper):
    """As Python makes for a console of Windows."""

    def isatty(self) -> bool:
        return True


def test_a_console_of_windows_keeps_the_stream_that_python_made_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    console = Console(io.BytesIO(), encoding="utf-8")
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(sys, "stderr", file)
    with monkeypatch.context() as patch:  # no longer than needed: paths would be those of Windows
        patch.setattr(os, "name", "nt")
        streams.secure()
    assert sys.stdout is console
    assert sys.stderr is not file
    print("\udce9", flush=True)
    assert console.buffer.getvalue().strip() == b"\\udce9"  # type: ignore[attr-defined]
