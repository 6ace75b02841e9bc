"""What a worker of a cluster does for a run: it makes reports in kernels of its own, and ends them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sentence_reports.cluster.parcel import Parcel, unpack
from sentence_reports.errors import ModelError
from sentence_reports.execution.kernels import Kernels
from sentence_reports.models import find_model
from sentence_reports.prepare import REHEARSAL
from sentence_reports.process import temporary_folder
from sentence_reports.project import version
from sentence_reports.report import Failed, FoundModel, Made, Step
from sentence_reports.stale import code_digest

IDLE = 60.0
"""Seconds after which the process that starts kernels ends if no report is being made: its run may have died."""
PAUSE = 2.0
"""Seconds that a worker waits before it says that it is unable: else, always free, it would be asked for everything."""
TOPIC = "sentence-reports"
"""The topic of the events in which a worker tells how far a large set is."""


class Unable(NamedTuple):
    """Why the worker at this address cannot make a report that another one may be able to make."""

    worker: str
    reason: str


class Bench:
    """What a worker keeps between the reports of one run: warm kernels, and the folders of models. Thread-safe."""

    def __init__(self, parcel: Parcel) -> None:
        import nbformat  # a second, which the worker's event loop, where this module is imported, must not wait for

        notebook = nbformat.reads(parcel.job.notebook, as_version=4)
        self.kernels = Kernels([notebook], REHEARSAL)
        self._folders: dict[tuple[str, str | None], str] = {}
        self._lock = threading.Lock()
        self._users = 0
        self._idle: threading.Timer | None = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """Have warm kernels while the block runs, and `IDLE` seconds longer."""
        with self._lock:
            self._users += 1
            if self._idle is not None:
                self._idle.cancel()
        if not self.kernels.stopped:
            self.kernels.start()
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._idle = threading.Timer(IDLE, self._rest)
                    self._idle.daemon = True
                    self._idle.start()

    def _rest(self) -> None:
        with self._lock:
            if not self._users:
                self.kernels.rest()

    def find(self, found: FoundModel) -> str:
        """Return the folder of this model here. Raises ModelError if it is not found, or has other weights."""
        key = found.name, found.revision
        if key not in self._folders:
            here = find_model(*key)
            if here.sha256 != found.sha256:
                raise ModelError(
                    f"The weights of {found.name} are not those that the run found: "
                    f"expected SHA-256 {found.sha256}, found {here.sha256}."
                )
            self._folders[key] = here.folder
        return self._folders[key]


benches: dict[str, Bench] = {}
ended: set[str] = set()
guard = threading.Lock()


def identity() -> tuple[str, str]:
    """Return the version of this package, and the digest of its code and of the versions of its libraries."""
    return version(), code_digest()


def make(parcel: Parcel) -> Made | Failed | Unable:
    """Return what `make_report` does, or why this worker is unable to do the job; runs as a task of Dask."""
    from distributed import get_worker

    from sentence_reports.make import make_report

    worker, job = get_worker(), parcel.job
    if code_digest() != parcel.code:
        time.sleep(PAUSE)
        return Unable(
            worker.address, f"it has another version of the package, {version()}, or of its libraries"
        )
    with guard:
        if parcel.run in ended:
            return Failed(job.stem, "the run was stopped")
        if parcel.run not in benches:
            benches[parcel.run] = Bench(parcel)
        bench = benches[parcel.run]

    def tell(done: int, total: int, step: Step) -> None:
        worker.log_event(TOPIC, {"run": parcel.run, "news": (job.stem, done, total, step)})

    with bench.used(), temporary_folder() as folder:
        try:
            job = unpack(parcel, folder, bench.find)
        except ModelError as error:
            time.sleep(PAUSE)
            return Unable(worker.address, str(error))
        return make_report(job, bench.kernels, tell)


def end(run: str) -> None:
    """End all kernels of a run, and make no more of its reports. Another run on this worker goes on."""
    with guard:
        ended.add(run)
        bench = benches.pop(run, None)
    if bench is not None:
        bench.kernels.stop()
