"""How long reports take, beside the stock command lines on the same notebook and sets, in one run.

Machines and moments differ; the ratios of one run are what counts. Prints a Markdown table:
wall time in seconds, how many times faster than stock, and the peak memory of the whole process tree.
Usage: speed.py [SETS ...]   (how many sets at once to try; 1 8 32 without)
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
NOTEBOOK = ROOT / "notebooks" / "walkthrough.ipynb"
REPEATS = {1: 3}  # a single report is measured so often, and its median taken; more sets once
SENTENCES = [
    "The train to the coast leaves at noon",
    "We take the railway to the sea after lunch",
    "Add two eggs and stir the batter",
    "The parliament votes on the budget today",
]


@dataclass(frozen=True)
class Measured:
    """Wall time in seconds and the process tree's largest proportional memory in megabytes."""

    seconds: float
    megabytes: float


def write_sets(folder: Path, count: int) -> list[Path]:
    """So many sets of five sentences, no two alike."""
    paths = [folder / f"set-{k}.yaml" for k in range(count)]
    for k, path in enumerate(paths):
        sentences = [*SENTENCES, f"This is the sentence that only set {k} has"]
        path.write_text(
            json.dumps({"model": "sentence-transformers/all-MiniLM-L6-v2", "sentences": sentences})
        )
    return paths


def call(*command: str | Path) -> None:
    """Run a command to its good end, silently."""
    env = os.environ | {"HF_HUB_OFFLINE": "1"}
    subprocess.run([str(word) for word in command], env=env, check=True, capture_output=True)


def stock(paths: list[Path], out: Path) -> None:
    """Papermill's and nbconvert's own commands, one set after the other."""
    for path in paths:
        executed = out / f"{path.stem}.ipynb"
        call(BIN / "papermill", NOTEBOOK, executed, "-f", path)
        call(BIN / "jupyter", "nbconvert", "--to", "html", executed)


def cold(paths: list[Path], out: Path) -> None:
    """Our command with an ordinary kernel for each set."""
    call(BIN / "sentence-reports", "run", "--force", "--cold", "--out", out, *paths)


def warm(paths: list[Path], out: Path) -> None:
    """Our command as it is."""
    call(BIN / "sentence-reports", "run", "--force", "--out", out, *paths)


def floor(paths: list[Path], out: Path) -> None:
    """One bare script for each set, no notebook and no kernel."""
    for path in paths:
        call(sys.executable, ROOT / "benchmarks" / "floor.py", path, out / f"{path.stem}.svg")


def measure(work: Callable[[list[Path], Path], None], count: int) -> Measured:
    """Do `work` on so many fresh sets, and watch it."""
    with tempfile.TemporaryDirectory() as folder:
        paths, out = write_sets(Path(folder), count), Path(folder) / "out"
        out.mkdir()
        over, peak = threading.Event(), [0.0]
        watcher = threading.Thread(target=_watch, args=(over, peak))
        watcher.start()
        began = time.perf_counter()
        work(paths, out)
        seconds = time.perf_counter() - began
        over.set()
        watcher.join()
    return Measured(seconds, peak[0])


def _watch(over: threading.Event, peak: list[float]) -> None:
    while not over.wait(0.2):
        peak[0] = max(peak[0], sum(_proportional(p) for p in psutil.Process().children(recursive=True)) / 1e6)


def _proportional(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0.0


def show(count: int, name: str, found: list[Measured], against: float | None) -> float:
    """Print one line of the table and give its seconds."""
    seconds, megabytes = median(m.seconds for m in found), max(m.megabytes for m in found)
    ratio = (against or seconds) / seconds
    print(
        f"| {count} | {name} | {seconds:.1f} | {seconds / count:.2f} | {ratio:.1f} × | {megabytes:.0f} |",
        flush=True,
    )
    return seconds


def main() -> None:
    """Print the table for the numbers of sets on the command line."""
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n"
    )
    print("| sets | | seconds | a report | faster than stock | peak MB |")
    print("|---|---|---|---|---|---|")
    for count in [int(word) for word in sys.argv[1:]] or [1, 8, 32]:
        repeats = REPEATS.get(count, 1)
        against = show(count, "stock", [measure(stock, count) for _ in range(repeats)], None)
        for name, work in (("floor", floor), ("cold", cold), ("warm", warm)):
            show(count, name, [measure(work, count) for _ in range(repeats)], against)


if __name__ == "__main__":
    main()
