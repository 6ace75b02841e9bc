"""Time the same sets on this machine and on a Dask cluster of two workers on it, and what limits a larger cluster.

Each side makes small sets, then one set with many texts, in turns and with an empty cache. The cluster is there before
the time begins, as it is for its users. Then it measures what a task costs, how many the scheduler can handle, and how
fast the client can read and send texts. Machines and moments differ, so compare the ratios of one run only.
Usage: cluster.py [--sets 32] [--texts 20000] [--rounds 3]
"""

import argparse
import json
import os
import pickle
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
from threads import MODEL, sentences

from sentence_reports.cluster import stages
from sentence_reports.cluster.client import connect
from sentence_reports.cluster.connection import Cluster
from sentence_reports.cluster.parcel import pack
from sentence_reports.prepare import prepare_job
from sentence_reports.process import cores
from sentence_reports.project import Project
from sentence_reports.report import Made
from sentence_reports.sets.folder import read_sets
from sentence_reports.terminal import Teller

TASKS = 3000


@contextmanager
def workers(folder: Path, number: int = 2) -> Iterator[str]:
    """Yield the address of a scheduler with so many workers, which all have one empty cache."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, here = f"tcp://127.0.0.1:{port}", ["--host", "127.0.0.1"]
    commands = [["scheduler", *here, "--port", str(port), "--dashboard-address", "127.0.0.1:0"]]
    commands += [["worker", address, *here, "--nthreads", "1", "--no-dashboard"]] * number
    log = folder / "cluster.log"
    started = []
    with tempfile.TemporaryDirectory() as cache, log.open("wb") as output:
        env = os.environ | {"XDG_CACHE_HOME": cache, "HF_HUB_OFFLINE": "1"}
        try:
            for name, *words in commands:
                command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *words]
                started.append(psutil.Popen(command, stdout=output, stderr=output, env=env))
            while log.read_text().count("Register worker") < number:
                time.sleep(0.1)
            yield address
        finally:
            for process in [child for each in started for child in each.children(recursive=True)] + started:
                process.kill()


def timed(project: Path, *options: str) -> float:
    """Return how many seconds a run of all sets takes, with an empty cache."""
    command = [
        sys.executable,
        "-m",
        "sentence_reports",
        "run",
        "--project",
        str(project),
        "--force",
        *options,
    ]
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"XDG_CACHE_HOME": cache, "HF_HUB_OFFLINE": "1"}
        began = time.perf_counter()
        subprocess.run(command, env=env, check=True, capture_output=True)
        return time.perf_counter() - began


def compare(name: str, project: Path, rounds: int) -> None:
    """Print a row with the time on this machine, on the cluster, and their ratio."""
    here, there = [], []
    for _ in range(rounds):
        here.append(timed(project, "--jobs", "2"))
        with workers(project) as address:
            there.append(timed(project, "--scheduler", address))
    ratios = [cluster / local for local, cluster in zip(here, there, strict=True)]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(
        f"| {name} | {median(here):.1f} | {median(there):.1f} | {median(ratios):.2f} | {spread} |", flush=True
    )


def write_project(folder: Path, texts: Sequence[Sequence[str]], *, in_files: bool) -> Path:
    """Write a set for each list of texts, which are in the set or in a file next to it."""
    (folder / "params").mkdir(parents=True)
    for number, lines in enumerate(texts):
        given: dict[str, object] = {"sentences": lines}
        if in_files:
            rows = "".join(json.dumps({"text": line}) + "\n" for line in lines)
            (folder / "params" / f"texts-{number}.jsonl").write_text(rows)
            given = {"texts": {"file": f"texts-{number}.jsonl"}}
        (folder / "params" / f"set-{number}.yaml").write_text(json.dumps({"model": MODEL, **given}))
    return folder


def costs(small: Project, large: Project) -> None:
    """Print what a report costs in addition, and how fast client, scheduler and workers pass on tasks and texts."""
    (one,), _ = read_sets([small.folder / "params" / "set-0.yaml"])
    (many,), _ = read_sets([large.folder / "params" / "set-0.yaml"])
    with workers(small.folder) as address:
        with Cluster(address, Teller(bar=False)) as cluster:
            for _ in range(6):  # those after the first of each worker find its kernels started
                began = time.perf_counter()
                (made,) = cluster.make([prepare_job(one, small)])
                took = time.perf_counter() - began
        assert isinstance(made, Made)
        print(f"A report takes {1000 * (took - made.seconds):.0f} ms more than its worker needs for it.")
        client = connect(address)
        passed_on(client, "nothing", [0] * TASKS)
        job = prepare_job(many, large)
        began = time.perf_counter()
        stage = next(stages.stages(job, pack(job, "run", "code")))
        took = time.perf_counter() - began
        shards = [task.arguments[-1] for task in stage.tasks if task.size]
        print(f"The client reads, sorts and splits {job.n / took:,.0f} texts per second.")
        bytes_each = sum(len(pickle.dumps(shard)) for shard in shards) / job.n
        print(f"A text takes {bytes_each:.0f} bytes on its way to a worker.")
        passed_on(client, f"{stages.SHARD:,} texts", shards * 5)
        first, second = client.scheduler_info()["workers"]
        block = client.submit(np.ones, (job.n, 384), "f4", workers=[first])
        client.submit(len, block, workers=[first], pure=False).result()
        began = time.perf_counter()
        client.submit(len, block, workers=[second], pure=False).result()
        took = time.perf_counter() - began
        print(f"{4 * 384 * job.n / 1e6:.0f} MB go from worker to worker in {1000 * took:.0f} ms.")
        client.close()


def passed_on(client: Any, what: str, given: Sequence[object]) -> None:
    """Print how many tasks go to workers and back in a second, and what of it the client needs."""
    began, used = time.perf_counter(), time.process_time()
    client.gather([client.submit(bool, each, pure=False) for each in given])
    took, cpu = time.perf_counter() - began, time.process_time() - used
    print(
        f"{len(given) / took:,.0f} tasks with {what} go to workers and back per second; the client needs "
        f"{1000 * cpu / len(given):.2f} ms of processor time for each."
    )


def main() -> None:
    """Print a Markdown table, then what tasks cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=32)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print(
        f"{platform.machine()}, {cores()} cores, Python {platform.python_version()}, rounds: {chosen.rounds}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        several = [[f"A cat {k}", f"A dog {k}", f"Some tea {k}"] for k in range(chosen.sets)]
        small = write_project(Path(folder, "small"), several, in_files=False)
        large = write_project(Path(folder, "large"), [sentences(chosen.texts)], in_files=True)
        print("| | here, s | cluster, s | ratio | of single rounds |\n|---|---|---|---|---|")
        compare(f"{chosen.sets} sets", small, chosen.rounds)
        compare(f"{chosen.texts:,} texts", large, chosen.rounds)
        print()
        costs(Project(small), Project(large))


if __name__ == "__main__":
    main()
