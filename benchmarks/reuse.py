"""Compare forked kernels with kernels that are started once per job and reset between sets.

The reset removes variables and restores what can be restored; then a check compares every attribute of every module and
class with what it was. Prints the wall and CPU seconds of both ways to make the same reports, in turn, and the ratios;
then which traces of a notebook the reset removes, which the check notices, and which both miss.
Usage: reuse.py [--sets 8 32] [--busy 0 4] [--rounds 3] [--jobs 2]
"""

import argparse
import asyncio
import copy
import json
import queue
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
from nbclient import NotebookClient
from papermill.parameterize import parameterize_notebook
from threads import MODEL, busy_loops

from sentence_reports.execution.engine import execute
from sentence_reports.execution.forking import imports_of
from sentence_reports.execution.kernels import Kernels
from sentence_reports.execution.start_kernel import private_kernel

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "walkthrough.ipynb"
REHEARSAL = "sentence_reports.lesson.rehearsal:rehearse"
RESETTER = Path(__file__).with_name("resetter.py").read_text(encoding="utf-8")
PRINT_RESET = "import builtins, json; print('RESET', json.dumps(builtins._reset()))"
TRACES = {  # what a notebook does, and an expression that is true while its trace is there
    "an option of matplotlib": (
        "import matplotlib as m; m.rcParams['font.size'] = 40",
        "m.rcParams['font.size'] == 40",
    ),
    "an option of pandas": (
        "import pandas as m; m.options.display.max_rows = 3",
        "m.options.display.max_rows == 3",
    ),
    "an environment variable": ("import os as m; m.environ['JUNK'] = '1'", "'JUNK' in m.environ"),
    "another current folder": ("import os as m; m.chdir('/')", "m.getcwd() == '/'"),
    "a filter of warnings": ("import warnings as m; m.simplefilter('error')", "m.filters[0][0] == 'error'"),
    "a thread": (
        "import threading as m; m.Thread(target=m.Event().wait, daemon=True, name='junk').start()",
        "'junk' in [t.name for t in m.enumerate()]",
    ),
    "a replaced function": ("import numpy as m; m.outer = None", "m.outer is None"),
    "a replaced method": ("import pandas as m; m.DataFrame.corr = None", "m.DataFrame.corr is None"),
    "a replaced default": (
        "import numpy as m; m.linalg.norm.__wrapped__.__defaults__ = (1, None, False)",
        "m.linalg.norm.__wrapped__.__defaults__[0] == 1",
    ),
    "an entry in a module's dictionary": (
        "import seaborn.palettes as m; m.SEABORN_PALETTES['deep'] = []",
        "not m.SEABORN_PALETTES['deep']",
    ),
    "numpy's print options": (
        "import numpy as m; m.set_printoptions(precision=1)",
        "m.get_printoptions()['precision'] == 1",
    ),
    "numpy's error state": ("import numpy as m; m.seterr(all='raise')", "m.geterr()['over'] == 'raise'"),
    "torch's default dtype": (
        "import torch as m; m.set_default_dtype(m.float64)",
        "m.get_default_dtype() == m.float64",
    ),
    "torch's number of threads": ("import torch as m; m.set_num_threads(7)", "m.get_num_threads() == 7"),
    "the level of logging": ("import logging as m; m.disable(50)", "m.root.manager.disable == 50"),
    "a memory limit": (
        "import resource as m; m.setrlimit(9, (1 << 44, 1 << 44))",
        "m.getrlimit(9)[0] == 1 << 44",
    ),
    "a signal handler": ("import signal as m; m.signal(15, m.SIG_IGN)", "m.getsignal(15) == m.SIG_IGN"),
}


def prepared() -> nbformat.NotebookNode:
    """Return the notebook with the metadata that papermill expects."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.metadata.papermill = {}
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
    return notebook


def parameters(k: int) -> dict[str, Any]:
    """Return the parameters of set `k`: five sentences, one of them its own."""
    sentences = [
        "The train leaves at noon",
        "We go by rail after lunch",
        "Add two eggs",
        "The budget is voted on",
    ]
    return {"title": f"Set {k}", "sentences": [*sentences, f"Only set {k} has this"], "model": MODEL}


class ReusedKernel:
    """An ordinary kernel that imports and rehearses once and runs one notebook after another. For one thread."""

    def __init__(self) -> None:
        self._loop, self._stack = asyncio.new_event_loop(), ExitStack()
        asyncio.set_event_loop(self._loop)
        self._manager, start = self._stack.enter_context(private_kernel({}, Kernels(warm=False)))
        self._client: Any = None
        self._loop.run_until_complete(self._start(start))

    async def _start(self, start: dict[str, Any]) -> None:
        await self._manager.start_kernel(**start)
        self._client = self._manager.client()
        self._client.start_channels()
        await self._client.wait_for_ready(timeout=120)
        module, function = REHEARSAL.split(":")
        warm = "\n".join([*imports_of([prepared()]), f"from {module} import {function}", f"{function}()"])
        for code in (warm, RESETTER):
            await self._run(code)

    async def _run(self, code: str) -> str:
        said: list[str] = []
        reply = await self._client.execute_interactive(
            code,
            allow_stdin=False,
            output_hook=lambda message: said.append(message["content"].get("text", "")),
        )
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"{reply['content']['ename']}: {reply['content']['evalue']}")
        return "".join(said)

    def run(self, code: str) -> str:
        """Run one piece of code and return what it prints."""
        return self._loop.run_until_complete(self._run(code))

    def run_notebook(self, notebook: nbformat.NotebookNode) -> None:
        """Run all cells of a notebook."""
        client = NotebookClient(notebook, km=self._manager, timeout=None)
        client.kc = self._client
        client.reset_execution_trackers()

        async def cells() -> None:
            for index, cell in enumerate(notebook.cells):
                await client.async_execute_cell(cell, index)

        self._loop.run_until_complete(cells())

    def reset(self) -> dict[str, Any]:
        """Reset the kernel and return the seconds that took, and what the check found changed."""
        found: dict[str, Any] = json.loads(self.run(PRINT_RESET).partition("RESET ")[2].partition("\n")[0])
        return found

    def close(self) -> None:
        """Kill the kernel."""
        self._client.stop_channels()
        self._loop.run_until_complete(self._manager.shutdown_kernel(now=True))
        self._stack.close()
        self._loop.close()


def forked(count: int, jobs: int) -> None:
    """Run `count` sets in forked kernels."""
    notebook = prepared()
    with Kernels([notebook], REHEARSAL) as kernels, ThreadPoolExecutor(jobs) as pool:
        list(
            pool.map(
                lambda k: execute(notebook, parameters(k), env={}, timeout=900, kernels=kernels, died="died"),
                range(count),
            )
        )


def reused(count: int, jobs: int) -> None:
    """Run `count` sets in kernels that are reset after each."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for k in range(count):
        waiting.put(k)

    def work() -> None:
        kernel = ReusedKernel()
        while not waiting.empty():
            try:
                k = waiting.get_nowait()
            except queue.Empty:
                break
            notebook = parameterize_notebook(
                copy.deepcopy(prepared()), parameters(k), kernel_name="python3", language="python"
            )
            kernel.run_notebook(notebook)
            kernel.reset()
        kernel.close()

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


WAYS: dict[str, Callable[[int, int], None]] = {"forked": forked, "reused": reused}


def measure(way: str, count: int, jobs: int) -> tuple[float, float]:
    """Return the wall and CPU seconds of one way, in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--sets", str(count), "--jobs", str(jobs)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def show_traces() -> None:
    """Print what becomes of each trace that a notebook may leave in its kernel."""
    print("\n| a notebook leaves | after the reset |\n|---|---|")
    kernel = ReusedKernel()
    usual = set(kernel.reset()["changed"])
    for name, (code, still_there) in TRACES.items():
        kernel.run(code)
        found = kernel.reset()
        noticed = {*found["changed"], *found["threads"]} - usual
        imports = code.partition(";")[0]
        left = kernel.run(f"{imports}; print({still_there})") == "True\n"
        usual |= {*found["changed"], *found["threads"]}
        print(f"| {name} | {'removed' if not left else 'noticed' if noticed else 'missed'} |", flush=True)
    kernel.close()


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 4])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--way", choices=WAYS)
    options = parser.parse_args()
    if options.way:
        WAYS[options.way](options.sets[0], options.jobs)
        return
    print(
        "| sets | busy loops | forked: wall, CPU | reused: wall, CPU | ratio of wall | of CPU |\n"
        + "|---" * 6
        + "|"
    )
    for count in options.sets:
        for busy in options.busy:
            with busy_loops(busy):
                rounds = [[measure(way, count, options.jobs) for way in WAYS] for _ in range(options.rounds)]
            cells = [
                f"{median(r[k][0] for r in rounds):.1f}, {median(r[k][1] for r in rounds):.1f}"
                for k in (0, 1)
            ]
            ratios = [f"{median(r[1][m] / r[0][m] for r in rounds):.2f}" for m in (0, 1)]
            print("| " + " | ".join([str(count), str(busy), *cells, *ratios]) + " |", flush=True)
    show_traces()


if __name__ == "__main__":
    main()
