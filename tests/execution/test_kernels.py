"""Warm kernels: like ordinary ones in all that a notebook can see, and none left behind, whatever happens."""

import asyncio
import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from support import Notes, Ran, command_line, eventually, write_sets

from sentence_reports import pipeline
from sentence_reports.execution import forkserver
from sentence_reports.execution.engine import execute
from sentence_reports.execution.forking import ENDED, ForkServer, imports_of
from sentence_reports.execution.kernels import Kernels
from sentence_reports.execution.start_kernel import private_kernel
from sentence_reports.process import cores
from sentence_reports.project import Project, packaged
from sentence_reports.report import Options
from sentence_reports.sets.folder import find_sets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm kernels need Linux")


def show(code: str, kernels: Kernels | None) -> str:
    """What `code` prints in a kernel."""
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell(code),
        ]
    )
    ran = execute(notebook, {}, env={}, timeout=600, kernels=kernels, died="the kernel died")
    return "".join(output.text for output in ran.cells[-1].outputs if output.get("name") == "stdout")


# --- what a notebook sees ----------------------------------------------------------------------------------

PORTRAIT = """
import gc, json, os, signal, sys, threading
import huggingface_hub.constants, matplotlib, pandas, seaborn, sentence_transformers, torch
from threadpoolctl import threadpool_info
folder = os.getcwd()
plain = lambda text: str(text).replace(folder, "FOLDER")
print(json.dumps({
    "environment": {k: plain(v) for k, v in sorted(os.environ.items()) if k != "JPY_PARENT_PID"},
    "parent": os.environ["JPY_PARENT_PID"] == str(os.getppid()),
    "arguments": [plain(word) for word in sys.argv],
    "path": [plain(folder) for folder in sys.path],
    "flags": str(sys.flags),
    "session": os.getsid(0) == os.getpgid(0) == os.getpid(),
    "signals": {n: plain(signal.getsignal(n)).split(" at ")[0] for n in (2, 13, 15, 17, signal.SIGIO)},
    "torch": torch.get_num_threads(),
    "pools": sorted((p["prefix"], p["num_threads"]) for p in threadpool_info()),
    "pandas": repr(pandas.DataFrame([range(40)])),
    "matplotlib": [matplotlib.get_backend(), matplotlib.get_configdir()],
    "offline": huggingface_hub.constants.HF_HUB_OFFLINE,
    "main": sys.modules["__main__"].__name__ == __name__,
    "input": sys.__stdin__.read(),
    "collector": [gc.isenabled(), gc.get_threshold()],
    "threads": sorted(thread.name.split("-")[0] for thread in threading.enumerate()),
}))
"""


def test_a_notebook_sees_no_difference(
    warm_kernels: Kernels, private_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup = private_folders / "startup.py"
    startup.write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONSTARTUP", str(startup))
    monkeypatch.setenv("OF_THIS_TEST", "yes")
    cold, warm = (json.loads(show(PORTRAIT, server)) for server in (None, warm_kernels))
    for portrait in (cold, warm):  # made by the server's session, which has another HOME
        portrait["matplotlib"].pop()
    assert warm == cold
    assert warm["environment"]["OF_THIS_TEST"] == "yes"
    assert warm["torch"] == cores()


def test_the_server_has_one_thread_and_keeps_no_kernel_that_ended(warm_kernels: Kernels) -> None:
    show("import torch; torch.ones(500, 500) @ torch.ones(500, 500)", warm_kernels)
    assert warm_kernels.server is not None
    server = psutil.Process(warm_kernels.server.pid)
    assert server.num_threads() == 1
    _, left = psutil.wait_procs(server.children(), timeout=30)
    assert left == []


def test_no_two_kernels_draw_the_same_random_numbers(warm_kernels: Kernels) -> None:
    code = (
        "import random, torch, numpy as np; print(random.random(), np.random.random(), torch.rand(1).item())"
    )
    first, second = (show(code, warm_kernels).split() for _ in range(2))
    assert not set(first) & set(second)


def test_what_c_code_writes_is_in_the_notebook(
    kernels: Kernels | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel looks for it, and then leaves C code alone
    code = (  # ipykernel reads what C writes in a thread of its own, and what comes after the cell's end is lost
        "import ctypes, time; c = ctypes.CDLL(None); c.puts(b'from C'); c.fflush(None); print('x'); time.sleep(1)"
    )
    said = show(code, kernels)
    assert "from C" in said
    assert "x" in said


# --- life and death ----------------------------------------------------------------------------------------


def test_interrupt_and_restart(kernels: Kernels | None) -> None:
    async def use() -> list[Any]:
        with private_kernel({}, kernels or Kernels(warm=False)) as (manager, start):
            await manager.start_kernel(**start)
            client = manager.client()
            client.start_channels()
            await client.wait_for_ready(timeout=60)
            seen: list[Any] = []
            began = asyncio.Event()
            waiting = asyncio.ensure_future(
                client.execute_interactive(
                    "print('here'); import time; time.sleep(60)",
                    output_hook=lambda message: began.set() if message["msg_type"] == "stream" else None,
                )
            )
            await began.wait()
            await manager.interrupt_kernel()
            seen.append((await waiting)["content"]["ename"])
            await client.execute_interactive("x = 1")
            await manager.restart_kernel()
            await client.wait_for_ready(timeout=60)
            seen.append((await client.execute_interactive("x"))["content"]["ename"])
            seen.append(await manager.is_alive())
            await manager.shutdown_kernel()
            seen.append(await manager.is_alive())
            client.stop_channels()
            return seen

    assert asyncio.run(use()) == ["KeyboardInterrupt", "NameError", True, False]


@pytest.mark.parametrize("code", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_the_end_is_told(kernels: Kernels | None, code: str) -> None:
    async def use() -> int | None:
        with private_kernel({}, kernels or Kernels(warm=False)) as (manager, start):
            await manager.start_kernel(**start)
            client = manager.client()
            client.start_channels()
            await client.wait_for_ready(timeout=60)
            client.execute(f"import os; {code}")
            assert manager.provisioner is not None
            ended = await asyncio.wait_for(manager.provisioner.wait(), 30)
            client.stop_channels()
            return ended

    assert asyncio.run(use())


def test_a_kernel_stopped_before_it_began_does_not_begin() -> None:
    with Kernels() as kernels:
        assert kernels.server is not None
        kernel = kernels.server.fork()
        kernel.kill()  # the server is still importing
        with pytest.raises(ConnectionError):
            kernel.start([], {}, "/")
        assert kernel.poll() == ENDED
        assert show("print(1)", kernels) == "1\n"
        server = kernels.server
    with pytest.raises(ConnectionError):
        server.fork()


def notebook_of(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def test_what_a_server_imports_is_read_from_the_notebooks() -> None:
    notebook = notebook_of(
        "import json\nx = 1", "%time 1", "from os import path as p, sep\nimport json", "if x: import re"
    )
    assert imports_of([notebook]) == ["import json", "from os import path as p, sep"]


def test_a_server_is_started_before_anything_heavy_is_imported() -> None:
    heavy = {"IPython", "jupyter_client", "nbclient", "numpy", "papermill", "torch", "zmq"}
    code = "import sys, sentence_reports.execution.kernels, sentence_reports.execution.forking\n"
    done = subprocess.run(
        [sys.executable, "-c", code + f"print({heavy} & set(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"


def test_kernels_are_warmed_with_the_notebooks_imports_and_the_rehearsal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "warmer.py").write_text("done = []\ndef rehearse(): done.append(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Kernels([notebook_of("import no_such_module", "import wave")], "warmer:rehearse") as kernels:
        said = show("import sys; print('wave' in sys.modules, sys.modules['warmer'].done)", kernels)
        assert (said, kernels.take_warning()) == ("True [1]\n", None)


def test_imports_that_a_fork_would_break_leave_kernels_cold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
    (tmp_path / "threaded.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Kernels([notebook_of("import threaded")]) as kernels:
        assert show("import sys; print('threaded' in sys.modules)", kernels) == "False\n"
        assert kernels.server is None
        assert (kernels.take_warning() or "").startswith("the process that starts kernels cannot be forked")
        assert kernels.take_warning() is None


def test_where_a_fork_is_unsafe_kernels_are_cold_and_it_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    kernels = Kernels()
    for warning in ("warm kernels need Linux; each report will take a few seconds longer", None):
        kernels.start()
        assert (kernels.server, kernels.take_warning()) == (None, warning)


# --- runs --------------------------------------------------------------------------------------------------


@pytest.fixture
def make(tmp_path: Path, tiny_notebook: Path) -> Callable[..., Notes]:
    """Run one set per description given, with warm kernels of its own, or the `kernels` given."""

    def run_them(*descriptions: str, kernels: Kernels | None = None, **options: Any) -> Notes:
        write_sets(tmp_path / "params", descriptions)
        notes = Notes()
        chosen = Options(**{"project": Project(tmp_path), "out": tmp_path / "out", "timeout": 60.0} | options)
        reports = pipeline.run(find_sets(tmp_path / "params"), chosen, notes, kernels)
        notes.failures = {report.stem: report.failure for report in reports if report.failure}  # type: ignore[attr-defined]
        return notes

    return run_them


def test_a_killed_kernel_fails_its_set_only(
    make: Callable[..., Notes], tmp_path: Path, warm_kernels: Kernels
) -> None:
    die = "#run\nimport os, time; time.sleep(0.5); os.kill(os.getpid(), 9)"
    before = set(psutil.Process().children(recursive=True))
    notes = make("", die, "", "", jobs=2, kernels=warm_kernels)
    assert notes.failures == {  # type: ignore[attr-defined]
        "set-01": "the kernel died, probably out of memory: 3 sentences, "
        "model sentence-transformers/all-MiniLM-L6-v2"
    }
    assert len(notes.ran) == 4
    assert len(list((tmp_path / "out").glob("set-*.html"))) == 3
    assert eventually(lambda: set(psutil.Process().children(recursive=True)) <= before)


@pytest.mark.slow
def test_a_run_outlives_its_server_and_says_so_once(make: Callable[..., Notes], tmp_path: Path) -> None:
    # The kernels at work go with the server; their sets are run again, like the others, in ordinary processes.
    kill = "import os, sys, time\nif 'torch' in sys.modules: os.kill(os.getppid(), 9); time.sleep(30)"
    wait = "import sys, time\nif 'torch' in sys.modules: time.sleep(30)"
    notes = make(f"#run\n{wait}", f"#run\n{kill}", "", "#run\n1 / 0", jobs=2)
    assert list(notes.failures) == ["set-03"]  # type: ignore[attr-defined]
    assert len(notes.ran) == 4
    assert [message.split(",")[0] for message in notes.warnings] == [
        "the process that starts kernels has died"
    ]
    for stem in ("set-00", "set-01"):
        assert "</html>" in (tmp_path / "out" / f"{stem}.html").read_text()


def test_a_server_that_cannot_fork_refuses_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(errno.EAGAIN, "too many processes")

    monkeypatch.setattr(os, "fork", refuse)
    server = ForkServer([], None)
    server._control.close()  # the real server ends
    server._control, theirs = socket.socketpair()
    with ThreadPoolExecutor(1) as pool, theirs:
        serving = pool.submit(forkserver.serve, theirs)
        try:
            for _ in range(2):
                kernel = server.fork()
                kernel._channel.settimeout(10)
                with pytest.raises(ConnectionError):
                    kernel.start([], {}, "/")
            assert not server.is_gone()
        finally:
            server.stop()  # else the pool would wait for ever
        assert isinstance(serving.exception(), SystemExit)


def test_the_server_imports_nothing_from_where_anyone_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "types.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server = ForkServer([], None)
    try:
        assert server.fork().start([], dict(os.environ), str(tmp_path)) > 0
    finally:
        server.stop()


@pytest.mark.slow
def test_the_kernels_of_a_run_are_warm_unless_it_is_cold(make: Callable[..., Notes], tmp_path: Path) -> None:
    check = "#run\nimport sys, json; print('torch' in sys.modules)"
    make(check)
    assert '"True\\n"' in (tmp_path / "out" / "set-00.ipynb").read_text()
    shutil.rmtree(tmp_path / "params")
    make(check, cold=True, force=True)
    assert '"False\\n"' in (tmp_path / "out" / "set-00.ipynb").read_text()


def test_nothing_stale_starts_no_server(make: Callable[..., Notes], tmp_path: Path, monkeypatch: Any) -> None:
    make("", cold=True)
    shutil.rmtree(tmp_path / "params")
    monkeypatch.setattr(Kernels, "start", lambda self: pytest.fail("started"))
    assert make("").ran == []


@pytest.mark.slow
def test_sixty_four_sets_with_eight_jobs(make: Callable[..., Notes]) -> None:
    notes = make(*[""] * 64, jobs=8)
    assert notes.failures == {}  # type: ignore[attr-defined]
    assert sorted(notes.ran) == [f"set-{k:02}" for k in range(64)]


@pytest.mark.slow
def test_warm_and_cold_reports_are_the_same_bytes(shipped: Ran, tmp_path: Path) -> None:
    stems = ("blog", "four-topics")
    sets = [packaged("params") / f"{stem}.yaml" for stem in stems]
    cold = command_line(
        "run", "--cold", "--out", tmp_path / "out", *sets, home=tmp_path, HF_ENDPOINT="http://127.0.0.1:9"
    )
    assert cold.code == 0, cold.stderr
    for name in (f"{stem}{suffix}" for stem in stems for suffix in (".html", ".csv", ".ipynb")):
        assert (tmp_path / "out" / name).read_bytes() == (shipped.out / name).read_bytes(), name
