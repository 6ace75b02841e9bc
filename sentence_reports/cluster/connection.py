"""A run's connection to the Dask scheduler whose workers make its reports."""

import time
import uuid
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from sentence_reports import process
from sentence_reports.cluster import worker
from sentence_reports.cluster.client import connect
from sentence_reports.cluster.parcel import Parcel, pack
from sentence_reports.cluster.worker import Unable
from sentence_reports.errors import ModelError, UsageError
from sentence_reports.report import Failed, Job, Listener, Made
from sentence_reports.stale import code_digest

WAIT = 60.0  # seconds without any worker after which a run gives up
LOOK = 2.0  # seconds between two looks at the workers
CLOSE = 10.0  # seconds that the workers have to end what a run started

Answer = Made | Failed | Unable


@dataclass
class Task:
    """A report that is being made; `refused` holds why workers, by address, were unable to.

    `alone` means that the run has no other task now, so that a worker that dies was making this report.
    """

    parcel: Parcel
    refused: dict[str, str] = field(default_factory=dict)
    alone: bool = False


class Cluster:
    """The workers of a Dask scheduler; a context manager that connects, and ends there what the run started.

    Entering raises UsageError within five seconds if no Dask scheduler answers at `address`, after `patience`
    seconds if it has no worker, and if a worker has another version of this package or of its libraries.
    """

    def __init__(self, address: str, listener: Listener, *, patience: float = WAIT) -> None:
        self.address, self.run = address, uuid.uuid4().hex
        self._listener, self._patience = listener, patience
        self._code = code_digest()
        self._looked = 0.0
        self._seen = time.monotonic()  # when there was a worker
        self._told = False

    def __enter__(self) -> Self:
        self._client: Any = connect(self.address)
        try:
            self._listener.warn(f"Dashboard: {self._client.dashboard_link}")
            while not self._workers():
                process.check()
                if self._lonely():
                    raise UsageError(f"{self._alone()}. Start one:  dask worker {self.address}")
                time.sleep(process.PIECE)
            others = self._client.run(worker.identity, on_error="return")
            check_identities(others, worker.identity())
            self._client.subscribe_topic(worker.TOPIC, self._progress)
        except BaseException:
            self._client.close(timeout=CLOSE)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # the scheduler may be gone
            if self._client.status == "running":
                self._client.sync(
                    self._client._run, worker.end, self.run, on_error="ignore", callback_timeout=CLOSE
                )
        with suppress(Exception):
            self._client.close(timeout=CLOSE)

    def make(self, jobs: Iterable[Job]) -> Generator[Made | Failed]:
        """Make all reports and yield each as it is finished, whatever happens to workers and scheduler."""
        tasks: dict[Future[Answer], Task] = {}
        suspects: list[Task] = []  # workers died that were making these and others
        for job in jobs:
            try:
                task = Task(pack(job, self.run, self._code))
            except (ModelError, OSError) as error:
                yield Failed(job.stem, str(error))
            else:
                tasks[self._submit(task)] = task
        try:
            while tasks or suspects:
                process.check()
                if not tasks:
                    task = suspects.pop()
                    task.alone = True
                    tasks[self._submit(task)] = task
                finished, _ = wait(tasks, process.PIECE, FIRST_COMPLETED)
                for future in finished:
                    task = tasks.pop(future)
                    answer = self._answer(future, task)
                    if answer is None:
                        suspects.append(task)
                    elif not isinstance(answer, Unable):
                        yield answer
                    elif others := self._others(task, answer):
                        tasks[self._submit(task, others)] = task
                    else:
                        reasons = "; ".join(f"{where}: {why}" for where, why in task.refused.items())
                        yield Failed(task.parcel.job.stem, f"no worker of the cluster can make it. {reasons}")
                self._look()
                if self._lonely():
                    for task in (*tasks.values(), *suspects):
                        yield Failed(task.parcel.job.stem, self._alone())
                    return
        finally:
            for future in tasks:
                future.cancel()

    def _submit(self, task: Task, workers: Sequence[str] = ()) -> "Future[Answer]":
        options: dict[str, Any] = {"workers": list(workers), "allow_other_workers": True} if workers else {}
        executor = self._client.get_executor(pure=False, **options)
        return executor.submit(worker.make, task.parcel)  # type: ignore[no-any-return]

    def _answer(self, future: "Future[Answer]", task: Task) -> Answer | None:
        """Return what became of a finished task; None if it must be done alone to know."""
        from distributed import KilledWorker

        job = task.parcel.job
        try:
            return future.result()
        except CancelledError:
            return Failed(job.stem, f"the connection to the scheduler {self.address} was lost. Run again")
        except KilledWorker as error:
            if not task.alone:
                return None
            deaths = error.allowed_failures + 1
            return Failed(
                job.stem,
                f"{deaths} workers died, one after another, while this run asked them for this report alone "
                f"({job.n} texts), perhaps out of memory. Look at the log of {error.last_worker.address}",
            )
        except Exception as error:
            return Failed(job.stem, f"the task failed on a worker: {type(error).__name__}: {error}")

    def _others(self, task: Task, answer: Unable) -> list[str]:
        """Return the workers that have not been asked yet."""
        task.refused[answer.worker] = answer.reason
        return [address for address in self._workers() if address not in task.refused]

    # --- the workers -----------------------------------------------------------------------------------------

    def _workers(self) -> dict[str, Any]:
        """Return what the scheduler knows of each worker, by address; nothing if it does not answer."""
        found: dict[str, Any] = {}
        with suppress(Exception):  # it is gone, or does not answer in time
            found = self._client.sync(self._client.scheduler.identity, callback_timeout=CLOSE)["workers"]
        if found:
            self._seen, self._told = time.monotonic(), False
        return found

    def _look(self) -> None:
        """Tell how many workers there are and are busy, now and then."""
        if time.monotonic() - self._looked >= LOOK:
            self._looked = time.monotonic()
            workers = self._workers()
            busy = sum(bool(each["metrics"]["task_counts"].get("executing")) for each in workers.values())
            self._listener.workers(len(workers), busy)

    def _lonely(self) -> bool:
        """Return whether there has been no worker for too long; say so at first."""
        alone = time.monotonic() - self._seen
        if alone > LOOK and not self._told:
            self._told = True
            self._listener.warn(f"{self.address} has no workers; waiting {self._patience:g} s for one")
        return alone > self._patience

    def _alone(self) -> str:
        return f"the scheduler {self.address} had no workers for {self._patience:g} s"

    def _progress(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, news = event
        if news["run"] == self.run:
            self._listener.progress(*news["news"])


def check_identities(found: Mapping[str, object], ours: tuple[str, str]) -> None:
    """Raise UsageError if a worker, by address, has no `identity`, but an error, or another one than ours."""
    for address, other in found.items():
        if isinstance(other, Exception):
            raise UsageError(
                f"the worker {address} cannot use Sentence Reports: {type(other).__name__}: {other}. "
                f"Install version {ours[0]} on all workers, and start them again"
            )
        if other != ours:
            version = other[0] if isinstance(other, tuple) else other
            raise UsageError(
                f"the worker {address} has Sentence Reports {version} with other code or other versions of libraries "
                f"than {ours[0]} here, so its pages would differ. Install the same on all workers, and start them again"
            )
