"""Signals: they wait until somebody looks for them, and end a command once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sentence_reports import process

START = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
from sentence_reports import process
number = signal.Signals[sys.argv[1]]
def send():
    os.kill(os.getpid(), number)
def said():
    try: process.check()
    except process.Terminated: return "SIGTERM"
    except KeyboardInterrupt: return "SIGINT"
"""

STEPS = """
class Sends:
    def __set_name__(self, owner, name):
        send()
process.defer()
assert said() is None
class Owner:  # an exception from __set_name__ would come out as another
    field = Sends()
assert said() == number.name
send()  # as from somebody impatient
assert said() is None
print("well")
"""

DEAF = """
signal.signal(number, signal.SIG_IGN)
process.defer()
send()
assert said() is None
print("well")
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    "code", [pytest.param(STEPS, id="between steps"), pytest.param(DEAF, id="where it is ignored")]
)
def test_a_signal_counts_once_and_in_its_place(code: str, number: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START + code, number], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")


def test_a_temporary_folder_is_private_and_goes_with_its_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with process.temporary_folder() as folder:
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "below").mkdir()
        (folder / "below" / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_cores_are_those_that_the_process_may_use() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from sentence_reports.execution.environment import kernel_environment\n"
        "print(kernel_environment()['OMP_NUM_THREADS'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
