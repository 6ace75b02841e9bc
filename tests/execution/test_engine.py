"""Running a notebook in a kernel of its own: what comes back, and what happens when it goes wrong."""

import asyncio
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
import pytest
from nbformat import NotebookNode
from support import eventually

from sentence_reports.errors import ExecutionError
from sentence_reports.execution.engine import execute
from sentence_reports.execution.kernels import Kernels
from sentence_reports.process import cores
from sentence_reports.report import PROGRESS
from sentence_reports.summary import read_summary

PARAMETERS: dict[str, Any] = {"sentences": ["one", "two", "tone"], "title": "Three", "model": "a/b"}


@pytest.fixture
def run(tiny_notebook: Path, kernels: Kernels | None) -> Callable[..., NotebookNode]:
    def run_it(
        timeout: float = 600, kernels: Kernels | None = kernels, progress: Any = None, **parameters: Any
    ) -> NotebookNode:
        notebook = nbformat.read(tiny_notebook, as_version=4)
        return execute(
            notebook,
            PARAMETERS | parameters,
            env={"OF_THIS_TEST": "yes"},
            timeout=timeout,
            kernels=kernels,
            died="the kernel died",
            progress=progress,
        )

    return run_it


def output_text(notebook: NotebookNode, name: str) -> str:
    (cell,) = [cell for cell in notebook.cells if cell.id == name]
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def show(expression: str) -> str:
    """A description that makes the tiny notebook print something."""
    return f"#run\nimport os, sys\nprint({expression})"


def test_it_runs_every_cell_with_the_parameters(run: Callable[..., NotebookNode]) -> None:
    summary = read_summary(run())
    assert summary.settings["title"] == "Three"
    assert summary.sentences == ("one", "two", "tone")


def test_the_result_is_the_same_twice_and_names_no_path_or_time(
    run: Callable[..., NotebookNode], tmp_path: Path
) -> None:
    first, second = run(), run()
    assert nbformat.writes(first) == nbformat.writes(second)
    assert first.metadata.papermill == {"parameters": PARAMETERS}
    (injected,) = [cell for cell in first.cells if cell.id == "injected-parameters"]
    assert injected.metadata.slideshow == {"slide_type": "skip"}
    assert str(tmp_path) not in nbformat.writes(first)


def test_what_a_cell_prints_is_one_piece_however_it_came(run: Callable[..., NotebookNode]) -> None:
    code = (
        "#run\nimport sys\nfrom IPython.display import display\n"
        "for text in 'a', 'b\\rc', None, 'd', 'e':\n"
        "    display(0) if text is None else print(text, flush=True)\n"
        "    if text == 'd': print('apart', file=sys.stderr, flush=True)"
    )
    (cell,) = [cell for cell in run(description=code).cells if cell.id == "trouble"]
    stdout = [
        output.get("text", output.output_type) for output in cell.outputs if output.get("name") != "stderr"
    ]
    assert stdout == ["a\nb\rc\n", "display_data", "d\ne\n"]


def test_the_kernel_is_this_python_with_nothing_of_the_users(
    run: Callable[..., NotebookNode], private_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = private_folders / "jupyter_data_dir"
    spec = data / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "other", "language": "python"}))
    startup = private_folders / "startup.py"
    startup.write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONSTARTUP", str(startup))
    ran = run(description=show("sys.executable, os.environ['IPYTHONDIR']"))
    assert output_text(ran, "trouble").startswith(sys.executable)
    assert str(private_folders) not in output_text(ran, "trouble")


def test_threads_depend_on_the_machine_alone_and_wait_passively(
    run: Callable[..., NotebookNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    names = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    ran = run(description=show(f"[os.environ[name] for name in {names}]"))
    assert output_text(ran, "trouble") == f"{[str(cores()), 'PASSIVE', '0']}\n"


def test_progress_is_told_and_leaves_nothing(run: Callable[..., NotebookNode]) -> None:
    told: list[tuple[int, int, str]] = []
    code = (
        "#run\nfrom IPython.display import display\nfor done in (32, 64, 70):\n"
        f"    news = {{{PROGRESS!r}: dict(done=done, total=70, step='encoding')}}\n"
        "    display(news, raw=True, display_id='progress', update=True)"
    )
    ran = run(description=code, progress=lambda *news: told.append(news))
    assert told == [(done, 70, "encoding") for done in (32, 64, 70)]
    (cell,) = [cell for cell in ran.cells if cell.id == "trouble"]
    assert cell.outputs == []
    assert run(description=code).cells == ran.cells


def test_progress_is_silent_in_stock_papermill(tiny_notebook: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(tiny_notebook, as_version=4)
    notebook.cells[1].source = (
        "from IPython.display import display\n"
        f"news = {{{PROGRESS!r}: dict(done=1, total=2, step='encoding')}}\n"
        "_ = display(news, raw=True, display_id='progress', update=True)"
    )
    ran = papermill.execute_notebook(
        notebook, tmp_path / "out.ipynb", PARAMETERS, kernel_name="python3", language="python"
    )
    assert [cell.outputs for cell in ran.cells if cell.id == "trouble"] == [[]]


def test_it_runs_where_an_event_loop_runs_as_in_jupyter(run: Callable[..., NotebookNode]) -> None:
    async def main() -> list[NotebookNode]:
        ran = [run(), run()]
        await asyncio.sleep(0)  # the loop is still open
        return ran

    assert [read_summary(ran).sentences for ran in asyncio.run(main())] == [("one", "two", "tone")] * 2


def test_a_kernel_that_dies_before_its_first_answer_is_one_line(tiny_notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(1)")
    notebook = nbformat.read(tiny_notebook, as_version=4)
    with pytest.raises(ExecutionError) as caught:
        execute(notebook, {}, env={"PYTHONPATH": str(tmp_path)}, timeout=600, died="died")
    assert str(caught.value) == "died"


def test_too_few_open_files_are_named(tiny_notebook: Path) -> None:
    code = (
        "import resource, sys, nbformat\n"
        "from sentence_reports.execution.engine import execute\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        f"notebook = nbformat.read({str(tiny_notebook)!r}, as_version=4)\n"
        "execute(notebook, {}, env={}, timeout=600, died='')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith(
        "only 64 files can be open at once, and running a notebook takes at least 128. "
        "Raise the limit: ulimit -n 1024"
    )


def test_a_low_limit_of_open_files_is_raised_if_it_may_be(tiny_notebook: Path) -> None:
    code = (
        "import resource, nbformat\n"
        "from sentence_reports.execution.engine import execute\n"
        "from sentence_reports.execution.kernels import Kernels\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (32, 4096))\n"
        f"notebook = nbformat.read({str(tiny_notebook)!r}, as_version=4)\n"
        "with Kernels([notebook]) as kernels:\n"
        "    execute(notebook, {}, env={}, timeout=600, kernels=kernels, died='')\n"
        "    assert kernels.take_warning() is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_failing_cell_is_named_and_kept(run: Callable[..., NotebookNode]) -> None:
    with pytest.raises(ExecutionError) as caught:
        run(description="#run\n1 / 0")
    assert str(caught.value) == "cell 3 of the notebook failed: ZeroDivisionError: division by zero"
    errors = {
        c.id: c.outputs[-1].ename for c in caught.value.notebook.cells if c.cell_type == "code" and c.outputs
    }
    assert errors == {"trouble": "ZeroDivisionError"}


def test_a_kernel_that_dies_is_one_line(run: Callable[..., NotebookNode]) -> None:
    with pytest.raises(ExecutionError) as caught:
        run(description="#run\nimport os; os._exit(9)")
    assert str(caught.value) == "the kernel died"
    (cell,) = [cell for cell in caught.value.notebook.cells if cell.id == "trouble"]
    assert cell.outputs[-1].ename == "KernelEnded"


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ("bytearray(1 << 36)", "MemoryError"),
        ("np.ones(1 << 33)", "MemoryError: Unable to allocate 64.0 GiB.*"),
        ("torch.ones(1 << 33)", "RuntimeError: .*DefaultCPUAllocator: can't allocate memory.*"),
    ],
)
def test_a_cell_that_asks_for_too_much_memory_is_one_line(
    run: Callable[..., NotebookNode], need: str, words: str
) -> None:
    limit = "resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))"
    with pytest.raises(ExecutionError) as caught:
        run(description=f"#run\nimport resource, torch, numpy as np; {limit}; {need}")
    assert re.fullmatch(f"cell 3 of the notebook failed: {words}", str(caught.value))


def test_a_clock_that_jumps_changes_nothing(
    run: Callable[..., NotebookNode], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, jumps = time.time, itertools.cycle([0, 1e7, -1e7, 3600])
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    jump = (
        "import itertools, time; real, jumps = time.time, itertools.cycle([0, 1e7, -1e7, 3600])\n"
        "time.time = lambda: real() + next(jumps)"
    )
    assert read_summary(run(description=f"#run\n{jump}")).sentences == ("one", "two", "tone")
    with pytest.raises(ExecutionError, match="timed out after 3 s"):
        run(3, description=f"#run\n{jump}; time.sleep(600)")


def test_a_set_that_takes_too_long_is_ended_and_its_kernel_is_gone(run: Callable[..., NotebookNode]) -> None:
    with pytest.raises(ExecutionError) as caught:
        run(3, description="#run\nimport time; time.sleep(60)")
    assert str(caught.value) == "timed out after 3 s; raise the limit with --timeout"
    assert all_gone()


@pytest.mark.parametrize("seconds", [0.001, 0.1])
def test_a_time_that_is_up_before_the_kernel_is_there_ends_it_too(
    run: Callable[..., NotebookNode], seconds: float
) -> None:
    with pytest.raises(ExecutionError, match="timed out"):
        run(seconds, description="#run\nimport time; time.sleep(60)")
    assert all_gone()


@pytest.mark.parametrize("warm", [pytest.param(False, marks=pytest.mark.slow), True])
def test_kernels_can_be_stopped_from_another_thread_and_then_refuse(
    run: Callable[..., NotebookNode], tmp_path: Path, warm: bool
) -> None:
    mark = tmp_path / "in-cell"
    with Kernels(warm=warm) as kernels:

        def stop() -> None:
            eventually(mark.exists)
            kernels.stop()

        stopper = threading.Thread(target=stop)
        stopper.start()
        code = f"#run\nimport time; open({str(mark)!r}, 'w').close(); time.sleep(600)"
        for _ in range(2):
            with pytest.raises(ExecutionError, match=r"^the run was stopped$"):
                run(kernels=kernels, description=code)
        stopper.join()
        assert kernels.stopped
    assert all_gone()


def test_a_kernel_leaves_no_folder_and_no_process(
    run: Callable[..., NotebookNode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    run()
    assert list((tmp_path / "t").iterdir()) == []
    assert all_gone()


def all_gone() -> bool:
    """Whether every kernel ends on its own; one that was stopped before it started needs a moment."""
    return eventually(lambda: not kernels())


def kernels() -> list[tuple[int, str]]:
    """Parent and command of the warm and cold kernels that run; a server is the parent of its kernels."""
    family: dict[int, tuple[int, str]] = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess), process.oneshot():  # it may end while it is looked at
            if process.status() != psutil.STATUS_ZOMBIE:
                family[process.pid] = process.ppid(), " ".join(process.cmdline())
    servers = {
        pid for pid, (parent, words) in family.items() if parent == os.getpid() and "forkserver" in words
    }
    return [each for each in family.values() if each[0] in servers or "ipykernel" in each[1]]
