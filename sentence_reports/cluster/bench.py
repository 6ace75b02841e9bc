"""What a worker of a cluster keeps for a run: warm kernels, a loaded model, and where its models are."""

import ctypes
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from sentence_reports.errors import ModelError
from sentence_reports.execution.kernels import Kernels
from sentence_reports.models import choose_usage, find_model
from sentence_reports.prepare import REHEARSAL
from sentence_reports.project import version
from sentence_reports.report import FoundModel
from sentence_reports.stale import code_digest

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from sentence_reports.models.batches import Encoding

IDLE = 60.0
"""Seconds without work after which a worker ends what takes memory: its run may have died."""
PAUSE = 2.0
"""Seconds that a worker waits before it says that it is unable: else, always free, it would be asked for everything."""


class Unable(Exception):
    """Why the worker at this address cannot do a task that another one may be able to do."""

    def __init__(self, worker: str, reason: str) -> None:
        super().__init__(worker, reason)
        self.worker, self.reason = worker, reason


class Recipe(NamedTuple):
    """How the texts of a set are encoded: all that `models.embed` asks for, but the texts."""

    found: FoundModel
    prompt: str | None
    truncate_dim: int | None
    normalize: bool
    device: str

    @property
    def encoding(self) -> "Encoding":
        """The same for a model whose folder is here."""
        from sentence_reports.models.batches import Encoding

        usage = choose_usage(self.found, self.prompt, self.truncate_dim)
        return Encoding(self.found, usage, normalize=self.normalize, device=self.device)


class Bench:
    """What a worker keeps between the tasks of one run. Thread-safe."""

    def __init__(self) -> None:
        self.stopped = False
        self.encoding = threading.Lock()
        self._kernels: Kernels | None = None
        self._loaded: tuple[Recipe, Any] | None = None
        self._folders: dict[tuple[str, str | None], str] = {}
        self._lock = threading.Lock()
        self._users = 0
        self._idle: threading.Timer | None = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """Keep everything while the block runs, and `IDLE` seconds longer."""
        with self._lock:
            self._users += 1
            if self._idle is not None:
                self._idle.cancel()
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._idle = threading.Timer(IDLE, self._rest)
                    self._idle.daemon = True
                    self._idle.start()

    def kernels(self, notebook: str) -> Kernels:
        """Return warm kernels, for the first of a run's notebooks (JSON) in particular."""
        import nbformat  # a second, which the worker's event loop, where this module is imported, must not wait for

        with self._lock:
            if self._kernels is None:
                self._kernels = Kernels([nbformat.reads(notebook, as_version=4)], REHEARSAL)
            if self.stopped:
                self._kernels.stop()
            else:
                self._kernels.start()
            return self._kernels

    def encoder(self, recipe: Recipe) -> "SentenceTransformer":
        """Return the encoder of a recipe whose model is located. Only that of the last recipe is kept."""
        from sentence_reports.models.encoder import load

        keep_freed_memory()
        if self._loaded is None or self._loaded[0] != recipe:
            self._loaded = None  # two would be in memory
            encoder = load(recipe.found, recipe.prompt, recipe.truncate_dim, device=recipe.device)
            self._loaded = recipe, encoder
        return self._loaded[1]  # type: ignore[no-any-return]

    def locate(self, found: FoundModel) -> FoundModel:
        """Return the model with its folder here. Raises Unable if it is not found, or has other weights."""
        key = found.name, found.revision
        if key not in self._folders:
            try:
                here = find_model(*key)
            except ModelError as error:
                raise unable(str(error)) from error
            if here.sha256 != found.sha256:
                raise unable(
                    f"The weights of {found.name} are not those that the run found: "
                    f"expected SHA-256 {found.sha256}, found {here.sha256}."
                )
            self._folders[key] = here.folder
        return replace(found, folder=self._folders[key])

    def check(self, *_: object) -> None:
        """Raise Unable if the run has ended; whatever is told how far something is can call it."""
        if self.stopped:
            raise Unable("", "the run was stopped")

    def stop(self) -> None:
        """End all kernels, and have `check` end the rest."""
        with self._lock:
            self.stopped = True
            kernels = self._kernels
        if kernels is not None:
            kernels.stop()

    def _rest(self) -> None:
        with self._lock:
            if not self._users:
                self._loaded = None
                if self._kernels is not None:
                    self._kernels.rest()


def keep_freed_memory() -> None:
    """Have this process keep the memory that it frees, as any other does, up to 128 MB.

    Dask has its workers give it back at once, and encoding, which soon needs it again, takes a third longer
    (docs/benchmarks.md). Only glibc on Linux has this setting.
    """
    if sys.platform == "linux":
        M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
        with suppress(AttributeError):
            libc = ctypes.CDLL(None)
            libc.mallopt(M_TRIM_THRESHOLD, 128 << 20)
            libc.mallopt(M_MMAP_THRESHOLD, 32 << 20)


benches: dict[str, Bench] = {}
ended: set[str] = set()
guard = threading.Lock()


@contextmanager
def bench_of(run: str, code: str) -> Iterator[Bench]:
    """Use the bench of a run, a new one for its first task.

    Raises Unable if the run has ended, or if `code` is not the digest of the program here.
    """
    if code_digest() != code:
        raise unable(f"it has another version of the package, {version()}, or of its libraries")
    with guard:
        bench = benches.setdefault(run, Bench())
        if run in ended:
            bench.stop()
    bench.check()
    with bench.used():
        yield bench


def unable(reason: str) -> Unable:
    """Return that this worker is unable, after a `PAUSE`."""
    from distributed import get_worker

    time.sleep(PAUSE)
    return Unable(get_worker().address, reason)


def end(run: str) -> None:
    """End all kernels of a run, and do none of its tasks from now on. Another run on this worker goes on."""
    with guard:
        ended.add(run)
        bench = benches.pop(run, None)
    if bench is not None:
        bench.stop()
