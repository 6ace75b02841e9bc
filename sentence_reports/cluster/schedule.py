"""What a run asks of the workers of a cluster, and what becomes of it."""

import logging
import queue
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sentence_reports.cluster import worker
from sentence_reports.cluster.bench import Unable
from sentence_reports.cluster.parcel import Parcel
from sentence_reports.cluster.stages import Stage, Task, is_large, stages
from sentence_reports.errors import SetError
from sentence_reports.report import Failed, Job, Listener, Made

log = logging.getLogger("sentence_reports")


@dataclass(eq=False)
class Assignment:
    """A report that was asked for. `plan` yields its stages, None if one task makes it.

    The sets come in the order of their `number`. `reporter` is the worker that makes the report after the stages,
    "" for any. `left` holds what each finished task of the `stage` left on a worker.
    """

    parcel: Parcel
    number: int
    plan: Generator[Stage, Sequence[Any], Task] | None
    reporter: str = ""
    stage: Stage = field(default_factory=lambda: Stage(()))
    left: dict[Task, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The name of the set."""
        return self.parcel.job.stem


class Schedule:
    """The reports of a run that are not finished, and the tasks that workers have for them.

    `workers` returns the addresses of those that are there; those of `one_kind` share large sets, or all
    if it is empty.
    """

    def __init__(
        self, client: Any, workers: Callable[[], Iterable[str]], one_kind: Sequence[str], listener: Listener
    ) -> None:
        self.open: list[Assignment] = []
        self._client, self._workers, self._one_kind, self._listener = client, workers, one_kind, listener
        self._running: dict[Any, tuple[Assignment, Task]] = {}  # by the future of Dask or of its executor
        self._finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._suspects: list[Assignment] = []  # workers died that were making these and others

    def begin(self, job: Job, parcel: Parcel) -> None:
        """Ask for the report of a job of this machine, as which `parcel` travels."""
        plan = stages(job, parcel) if is_large(job) else None
        it = Assignment(parcel, len(self.open), plan)
        self.open.append(it)
        if plan is None:
            self._make_alone(it)
        else:
            chosen = [other.reporter for other in self.open]
            it.reporter = min(self._one_kind or self._workers(), key=chosen.count, default="")
            self._advance(it, None)

    def answers(self, timeout: float) -> Iterator[Made | Failed]:
        """Wait this many seconds at most for a task to finish, and yield the report if it was the last one for it."""
        if self._suspects and not self._running:
            it = self._suspects.pop()
            self._submit(it, Task(worker.make, (it.parcel,), alone=True))
        try:
            future = self._finished.get(timeout=timeout)
        except queue.Empty:
            return
        if future not in self._running:  # it is not needed any more
            return
        it, task = self._running.pop(future)
        answer = self._answer(it, task, future)
        if answer is not None:
            self.open.remove(it)
            self._drop(it)
            yield answer

    def cancel(self) -> None:
        """Ask for nothing any more."""
        for it in self.open:
            self._drop(it)

    def _answer(self, it: Assignment, task: Task, future: Any) -> Made | Failed | None:
        """Return what a finished task means for its report; None if there is more to do."""
        from distributed import KilledWorker

        if future.cancelled():
            address = self._client.scheduler.address
            return Failed(it.stem, f"the connection to the scheduler {address} was lost. Run again")
        error = future.exception()
        if error is None:
            if task.call is worker.make:
                return future.result()  # type: ignore[no-any-return]
            self._collect(it, task, future)
        elif isinstance(error, Unable) and not task.lost and (others := self._others(task, error)):
            self._submit(it, task, others)
        elif it.plan is not None:
            log.info("%s: made by one worker alone, since a part of it failed: %r", it.stem, error)
            self._make_alone(it)
        elif isinstance(error, KilledWorker) and not task.alone:
            self._suspects.append(it)
        else:
            return Failed(it.stem, self._reason(it, task, error))
        return None

    def _reason(self, it: Assignment, task: Task, error: BaseException) -> str:
        from distributed import KilledWorker

        if isinstance(error, Unable):
            reasons = "; ".join(f"{where}: {why}" for where, why in task.refused.items())
            return f"no worker of the cluster can make it. {reasons}"
        if isinstance(error, KilledWorker):
            return (
                f"{error.allowed_failures + 1} workers died, one after another, while this run asked them for this "
                f"report alone ({it.parcel.job.n} texts), perhaps out of memory. Look at the log of "
                f"{error.last_worker.address}"
            )
        return f"the task failed on a worker: {type(error).__name__}: {error}"

    def _others(self, task: Task, error: Unable) -> list[str]:
        """Return the workers that have not been asked yet."""
        task.refused[error.worker] = error.reason
        return [address for address in self._workers() if address not in task.refused]

    # --- stages ----------------------------------------------------------------------------------------------

    def _collect(self, it: Assignment, task: Task, future: Any) -> None:
        """Note what a task of a stage left on a worker, tell how far the stage is, and begin the next one."""
        it.left[task] = future
        tasks, step, total = it.stage
        if step is not None and task.size:
            done, of = (sum(each.size for each in some) for some in (it.left, tasks))
            self._listener.progress(it.stem, total * done // of, total, step)
        if len(it.left) == len(tasks):
            self._advance(it, [it.left[each] for each in tasks])

    def _advance(self, it: Assignment, left: Sequence[Any] | None) -> None:
        assert it.plan is not None
        try:
            it.stage, it.left = it.plan.send(left), {}  # type: ignore[arg-type]
        except StopIteration as end:
            self._submit(it, end.value, self._best(it, end.value))
        except SetError:  # the kernel says it
            self._make_alone(it)
        else:
            for task in it.stage.tasks:
                self._submit(it, task, self._best(it, task))

    def _best(self, it: Assignment, task: Task) -> Sequence[str]:
        return [it.reporter] if task.by_reporter and it.reporter else self._one_kind

    def _make_alone(self, it: Assignment) -> None:
        self._drop(it)
        it.plan = None
        self._submit(it, Task(worker.make, (it.parcel,)))

    # --- tasks -----------------------------------------------------------------------------------------------

    def _submit(self, it: Assignment, task: Task, workers: Sequence[str] = ()) -> None:
        """Ask for a task, of these workers if possible. What stages need later stays with them, a report comes here."""
        from distributed.client import ClosedClientError

        preferred: dict[str, Any] = {"workers": list(workers), "allow_other_workers": True} if workers else {}
        if task.call is worker.make:
            submit = self._client.get_executor(pure=False, **preferred).submit
        else:
            submit = partial(self._client.submit, pure=False, **preferred)
        try:
            future = submit(task.call, *task.arguments, priority=-it.number)
        except ClosedClientError:
            future = Future()
            future.cancel()
        self._running[future] = it, task
        future.add_done_callback(self._finished.put)

    def _drop(self, it: Assignment) -> None:
        for future in [future for future, (other, _) in self._running.items() if other is it]:
            del self._running[future]
            with suppress(Exception):  # the scheduler may be gone
                future.cancel()
