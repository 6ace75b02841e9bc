"""A real Dask cluster for tests: a scheduler and workers as processes of this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from sentence_reports.models import EMBEDDED
from sentence_reports.prepare import prepare_job
from sentence_reports.project import Project
from sentence_reports.report import Job, Report, Step
from sentence_reports.sets.folder import read_sets

SET = "title: Set {0}\nmodel: sentence-transformers/all-MiniLM-L6-v2\nsentences: [A cat {0}, A dog {0}, Some tea {0}]\n"


class RealCluster:
    """A scheduler, and workers that are started later; each of them leads a session of its own.

    `environment` is added to that of all processes, the run's too. `inside` is a command that starts another, in a
    network namespace for example.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        protocol: str = "tcp",
        environment: Mapping[str, str] | None = None,
        inside: Sequence[str] = (),
    ) -> None:
        self.folder, self.environment, self.inside = folder, dict(environment or {}), inside
        self.port = 8786 if inside else free_port()
        self.address = f"{protocol}://{host}:{self.port}"
        self.started: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start(
            "scheduler", "--protocol", protocol, "--port", str(self.port), "--dashboard-address", "127.0.0.1:0",
            host=host, inside=inside,
        )  # fmt: skip

    @property
    def log(self) -> str:
        return (self.folder / "cluster.log").read_text()

    def start(
        self,
        *words: str,
        host: str = "127.0.0.1",
        environment: Mapping[str, str] | None = None,
        inside: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], "--host", host, *words[1:]]
        with (self.folder / "cluster.log").open("ab") as log:
            process = subprocess.Popen(
                [*inside, *command],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | self.environment | dict(environment or {}),
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def worker(
        self,
        *,
        threads: int = 1,
        host: str = "127.0.0.1",
        environment: Mapping[str, str] | None = None,
        inside: Sequence[str] = (),
    ) -> subprocess.Popen[bytes]:
        words = ("worker", self.address, "--nthreads", str(threads), "--no-dashboard")
        return self.start(*words, host=host, environment=environment, inside=inside)

    def wait_for_workers(self, number: int = 1) -> None:
        wait_for(lambda: self.log.count("Register worker") >= number)

    def servers(self) -> list[psutil.Process]:
        """Return the processes of all workers that start kernels, and these kernels."""
        return [server for process in self.started for server in servers_of(process)]

    def run(
        self, *arguments: str, environment: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """Start a run of the sets in the folder, on the cluster if the arguments say so."""
        command = [sys.executable, "-m", "sentence_reports", "run", "--project", str(self.folder), *arguments]
        return subprocess.Popen(
            [*self.inside, *command],
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"} | self.environment | dict(environment or {}),
        )

    def end(self) -> None:
        for process in self.started:
            for each in (*below(process), process):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            process.wait()


class Quiet:
    """A listener that keeps the warnings, and how far each set was when it heard of it."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.told: list[tuple[str, int, int, Step]] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def begin(self, total: int) -> None: ...
    def progress(self, stem: str, done: int, total: int, step: Step) -> None:
        self.told.append((stem, done, total, step))

    def workers(self, total: int, busy: int) -> None: ...
    def done(self, report: Report) -> None: ...
    def printed(self, stem: str, failure: str | None) -> None: ...


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


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


def kill_worker(process: subprocess.Popen[bytes]) -> None:
    """Kill what a worker's nanny started, but the nanny, which starts the worker again."""
    for child in set(below(process)) - set(servers_of(process)):
        with suppress(psutil.NoSuchProcess):
            child.kill()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    for _ in range(int(seconds * 10)):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("in vain")


def write_sets(folder: Path, number: int = 4) -> None:
    (folder / "params").mkdir(exist_ok=True)
    for each in range(number):
        (folder / "params" / f"set-{each}.yaml").write_text(SET.format(each))


def write_many(folder: Path, number: int, model: str = EMBEDDED) -> None:
    """Write one set, of so many texts in a file, in place of all others."""
    for path in (folder / "params").iterdir():
        path.unlink()
    (folder / "params" / "many.txt").write_text("".join(f"Sentence {n} of many\n" for n in range(number)))
    (folder / "params" / "many.yaml").write_text(f"model: {model}\ntexts: {{file: many.txt}}\n")


def pages(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.html"))}


def jobs_of(folder: Path) -> list[Job]:
    """Return the jobs of the sets in a project's folder."""
    sets, _ = read_sets(sorted((folder / "params").glob("*.yaml")))
    return [prepare_job(each, Project(folder)) for each in sets]
