"""Time reports and the stock command lines on the same notebook and sets, in one run.

Machines and moments differ, so compare the ratios of one run only. Prints two Markdown tables. For making reports: wall
time in seconds, how many times faster than stock, and the peak memory of the whole process tree. Then the time from
saving a set to its new page in a preview, and that of the commands that make nothing.
Usage: speed.py [SETS ...]   (how many sets to make at once; default: 1 8 32)
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
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
OURS = (BIN / "sentence-reports",)
NOTEBOOK = ROOT / "notebooks" / "walkthrough.ipynb"
REPEATS = {1: 3}  # a single report is measured this often and the median printed; more sets once
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
    """Write `count` different sets of five sentences and return their paths."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"set-{k}.yaml" for k in range(count)]
    for k, path in enumerate(paths):
        sentences = [*SENTENCES, f"This is the sentence that only set {k} has"]
        path.write_text(
            json.dumps({"model": "sentence-transformers/all-MiniLM-L6-v2", "sentences": sentences})
        )
    return paths


def call(*command: str | Path, cwd: str | None = None) -> None:
    """Run a command silently. Raises CalledProcessError if it fails."""
    env = os.environ | {"HF_HUB_OFFLINE": "1"}
    subprocess.run([str(word) for word in command], cwd=cwd, env=env, check=True, capture_output=True)


def stock(paths: list[Path], out: Path) -> None:
    """Papermill's and nbconvert's own commands, one set after the other."""
    for path in paths:
        executed = out / f"{path.stem}.ipynb"
        call(BIN / "papermill", NOTEBOOK, executed, "-f", path)
        call(BIN / "jupyter", "nbconvert", "--to", "html", executed)


def cold(paths: list[Path], out: Path) -> None:
    """Our command with an ordinary kernel for each set."""
    call(*OURS, "run", "--force", "--cold", "--out", out, *paths)


def warm(paths: list[Path], out: Path) -> None:
    """Our command as it is."""
    call(*OURS, "run", "--force", "--out", out, *paths)


def floor(paths: list[Path], out: Path) -> None:
    """A bare script for each set, without notebook or kernel."""
    for path in paths:
        call(sys.executable, ROOT / "benchmarks" / "floor.py", path, out / f"{path.stem}.svg")


def measure(work: Callable[[list[Path], Path], None], count: int) -> Measured:
    """Call `work` with `count` new sets and measure it."""
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
    while not over.wait(1):  # measuring takes time from the processes
        peak[0] = max(peak[0], sum(_proportional(p) for p in psutil.Process().children(recursive=True)) / 1e6)


def _proportional(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except (psutil.Error, AttributeError):
        return 0.0


def saved(count: int = 5) -> list[float]:
    """Return the seconds from saving a set until the preview serves its new page, `count` times."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_sets(Path(folder) / "params", 1)[0]
        command = [*OURS, "preview", str(path)]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as preview:
            assert preview.stdout is not None
            address = preview.stdout.readline().strip() + "?page"  # what the frame shows
            _wait_for(address, "only set 0 has")
            found = []
            for k in range(count):
                time.sleep(2)  # the author reads
                path.write_text(path.read_text().replace(f"only set {k} has", f"only set {k + 1} has"))
                began = time.perf_counter()
                _wait_for(address, f"only set {k + 1} has")
                found.append(time.perf_counter() - began)
            preview.terminate()
    return found


def _wait_for(address: str, words: str) -> None:
    while words not in _page(address):
        time.sleep(0.01)


def _page(address: str) -> str:
    try:
        with urlopen(address) as page:
            text: str = page.read().decode()
    except HTTPError:  # there is no page yet
        return ""
    return text


def quick(count: int = 5) -> dict[str, list[float]]:
    """Return the seconds of each command that makes nothing, `count` times each."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_sets(Path(folder) / "params", 8)
        call(*OURS, "run", cwd=folder)
        for k in range(count):
            for words in ("run", "check", f"new mine-{k}", "--help"):
                began = time.perf_counter()
                call(*OURS, *words.split(), cwd=folder)
                found.setdefault(words.split()[0], []).append(time.perf_counter() - began)
            (Path(folder) / "params" / f"mine-{k}.yaml").unlink()
    return found


def show(count: int, name: str, found: list[Measured], against: float | None) -> float:
    """Print one line of the table and return its seconds."""
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
    print("\n| | seconds |\n|---|---|")
    for name, found in {"from save to the new page": saved(), **quick()}.items():
        print(f"| {name} | {median(found):.2f} |", flush=True)


if __name__ == "__main__":
    main()
