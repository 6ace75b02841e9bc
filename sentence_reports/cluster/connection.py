"""A run's connection to the Dask scheduler whose workers make its reports."""

import time
import uuid
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import suppress
from typing import Any, Self

from sentence_reports import process
from sentence_reports.cluster import bench, worker
from sentence_reports.cluster.client import connect
from sentence_reports.cluster.parcel import pack
from sentence_reports.cluster.schedule import Schedule
from sentence_reports.errors import ModelError, UsageError
from sentence_reports.models.embed import processor
from sentence_reports.report import Failed, Job, Listener, Made
from sentence_reports.stale import code_digest

WAIT = 60.0  # seconds without any worker after which a run gives up
LOOK = 2.0  # seconds between two looks at the workers
CLOSE = 10.0  # seconds that the workers have to end what a run started


class Cluster:
    """The workers of a Dask scheduler; a context manager that connects, and ends there what the run started.

    Entering raises UsageError within five seconds if no Dask scheduler answers at `address`, after `patience`
    seconds if it has no worker, and if a worker has another version of this package or of its libraries.
    """

    def __init__(self, address: str, listener: Listener, *, patience: float = WAIT) -> None:
        self.address, self.run = address, uuid.uuid4().hex
        self._listener, self._patience = listener, patience
        self._code = code_digest()
        self._one_kind: list[str] = []
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
            self._one_kind = one_kind(self._client.run(processor))
            self._client.subscribe_topic(worker.TOPIC, self._progress)
        except BaseException:
            self._client.close(timeout=CLOSE)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # the scheduler may be gone
            if self._client.status == "running":
                self._client.sync(
                    self._client._run, bench.end, self.run, on_error="ignore", callback_timeout=CLOSE
                )
        with suppress(Exception):
            self._client.close(timeout=CLOSE)

    def make(self, jobs: Iterable[Job]) -> Generator[Made | Failed]:
        """Make all reports and yield each as it is finished, whatever happens to workers and scheduler."""
        schedule = Schedule(self._client, self._workers, self._one_kind, self._listener)
        try:
            for job in jobs:
                process.check()
                try:
                    parcel = pack(job, self.run, self._code)
                except (ModelError, OSError) as error:
                    yield Failed(job.stem, str(error))
                else:
                    schedule.begin(job, parcel)
            while schedule.open:
                process.check()
                yield from schedule.answers(process.PIECE)
                self._look()
                if self._lonely():
                    yield from (Failed(it.stem, self._alone()) for it in schedule.open)
                    return
        finally:
            schedule.cancel()

    # --- the workers -----------------------------------------------------------------------------------------

    def _workers(self) -> dict[str, Any]:
        """Return what the scheduler knows of each worker, by address; nothing if it does not answer."""
        workers: dict[str, Any] = {}
        with suppress(Exception):  # it is gone, or does not answer in time
            workers = self._client.sync(self._client.scheduler.identity, callback_timeout=CLOSE)["workers"]
        if workers:
            self._seen, self._told = time.monotonic(), False
        return workers

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


def one_kind(processors: Mapping[str, str]) -> list[str]:
    """Return the workers with the most common kind of processor, by address; none if all have the same."""
    kinds = Counter(processors.values())
    ((most, _),) = kinds.most_common(1)
    return [address for address, kind in processors.items() if kind == most] if len(kinds) > 1 else []


def check_identities(identities: Mapping[str, object], ours: tuple[str, str]) -> None:
    """Raise UsageError if a worker, by address, has no `identity`, but an error, or another one than ours."""
    for address, other in identities.items():
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
