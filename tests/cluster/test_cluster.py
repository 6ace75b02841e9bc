"""Reports made on a real cluster: a scheduler and two workers as processes of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from sentence_reports.cluster.connection import Cluster, connect
from sentence_reports.errors import UsageError
from sentence_reports.models import EMBEDDED
from sentence_reports.report import Failed, FoundModel, Job, Report, Request, Step

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")
pytestmark = pytest.mark.slow

SET = "title: Set {0}\nmodel: sentence-transformers/all-MiniLM-L6-v2\nsentences: [A cat {0}, A dog {0}, Some tea {0}]\n"


def below(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the processes that a process started, and those that these started."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def servers_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the processes below a worker that start kernels, and these kernels."""
    found = []
    for each in below(process):
        with suppress(psutil.NoSuchProcess):
            found += [each] if "sentence_reports.execution.forkserver" in each.cmdline() else []
    return found


class RealCluster:
    """A scheduler and its workers, each of which leads a session of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address, self.folder = f"tcp://127.0.0.1:{port}", folder
        self.started: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start("scheduler", "--port", str(port), "--dashboard-address", "127.0.0.1:0")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "cluster.log").open("ab") as log:
            command = [
                sys.executable,
                "-m",
                "distributed.cli.dask_" + words[0],
                "--host",
                "127.0.0.1",
                *words[1:],
            ]
            process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        self.started.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start("worker", self.address, "--nthreads", "1", "--no-dashboard")

    def servers(self) -> list[psutil.Process]:
        """Return the processes of all workers that start kernels, and these kernels."""
        return [server for process in self.started for server in servers_of(process)]

    def run(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sentence_reports", "run", "--project", str(self.folder), *arguments]
        env = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)

    def end(self) -> None:
        for process in self.started:
            for each in (*below(process), process):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            process.wait()


class Quiet:
    """A listener that keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def begin(self, total: int) -> None: ...
    def progress(self, stem: str, done: int, total: int, step: Step) -> None: ...
    def workers(self, total: int, busy: int) -> None: ...
    def done(self, report: Report) -> None: ...
    def printed(self, stem: str, failure: str | None) -> None: ...


def wait_for(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    for _ in range(int(seconds * 10)):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("in vain")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RealCluster]:
    (tmp_path / "params").mkdir()
    for number in range(4):
        (tmp_path / "params" / f"set-{number}.yaml").write_text(SET.format(number))
    started = RealCluster(tmp_path)
    yield started
    started.end()


def pages(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.html"))}


def test_a_worker_that_is_killed_changes_no_byte(cluster: RealCluster) -> None:
    cluster.worker()
    second = cluster.worker()
    run = cluster.run("--scheduler", cluster.address, "--out", str(cluster.folder / "cluster"))
    wait_for(lambda: servers_of(second))
    for child in set(below(second)) - set(servers_of(second)):  # the nanny starts another one
        child.kill()
    text, _ = run.communicate(timeout=300)
    assert run.returncode == 0, text
    assert "Dashboard: http://127.0.0.1:" in text
    assert "4 made" in text
    wait_for(lambda: not cluster.servers(), 20)
    here = cluster.run("--out", str(cluster.folder / "here"))
    text, _ = here.communicate(timeout=300)
    assert here.returncode == 0, text
    assert pages(cluster.folder / "cluster") == pages(cluster.folder / "here")


def test_a_scheduler_that_goes_away(cluster: RealCluster) -> None:
    cluster.worker()
    run = cluster.run("--scheduler", cluster.address)
    wait_for(cluster.servers)
    cluster.scheduler.kill()
    text, _ = run.communicate(timeout=120)
    assert run.returncode == 1
    assert f"the connection to the scheduler {cluster.address} was lost. Run again" in text
    wait_for(lambda: not cluster.servers(), 90)


def test_ctrl_c_ends_what_the_run_started(cluster: RealCluster) -> None:
    cluster.worker()
    run = cluster.run("--scheduler", cluster.address)
    wait_for(cluster.servers)
    run.send_signal(signal.SIGINT)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 130, text
    wait_for(lambda: not cluster.servers(), 20)


def test_what_else_can_be_at_an_address(cluster: RealCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no Dask scheduler answers at {address}: timed out"):
            connect(address)
    with pytest.raises(UsageError, match=f"nothing listens at {address}"):
        connect(address)
    with pytest.raises(UsageError, match="needs certificates"):
        connect(cluster.address.replace("tcp", "tls"))
    wait_for(lambda: "Scheduler at" in (cluster.folder / "cluster.log").read_text())
    run = cluster.run("--scheduler", address)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 2
    assert "Start a scheduler there:  dask scheduler" in text


def test_a_model_that_no_worker_has(cluster: RealCluster) -> None:
    """The workers' own package is the one that the run has, so only the hash that the run found can differ."""
    cluster.worker()
    cluster.worker()
    found = FoundModel(EMBEDDED, None, "hub cache", "", "0" * 64)
    job = Job("stem", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', {}, 2,
              ((Request(EMBEDDED), found),), "2026-01-01", "run")  # fmt: skip
    wait_for(lambda: (cluster.folder / "cluster.log").read_text().count("Register worker") == 2)
    with Cluster(cluster.address, Quiet()) as made:
        (failed,) = made.make([job])
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("no worker of the cluster can make it. tcp://")
    assert failed.reason.count("are not those that the run found") == 2


def test_a_scheduler_without_workers(cluster: RealCluster) -> None:
    wait_for(lambda: "Scheduler at" in (cluster.folder / "cluster.log").read_text())
    listener = Quiet()
    with (
        pytest.raises(UsageError, match=r"had no workers for 3 s\. Start one:  dask worker"),
        Cluster(cluster.address, listener, patience=3),
    ):
        pass
    assert listener.warnings[1:] == [f"{cluster.address} has no workers; waiting 3 s for one"]
