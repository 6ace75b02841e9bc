"""How a run has the report of a set made: by one task, or in stages if its texts are many."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sentence_reports.cluster import worker
from sentence_reports.cluster.bench import Recipe
from sentence_reports.cluster.parcel import Parcel
from sentence_reports.report import FoundModel, Job, Step

LARGE = 2000
"""Texts; the report of a set that has no more is made by one task."""
SHARD = 1000
"""Texts that one task encodes: some seconds of work, so that little is lost with a worker."""


@dataclass(eq=False)
class Task:
    """A call that a worker makes; `refused` holds why workers, by address, were unable to.

    `size` is its part of its stage. `by_reporter` means that it is for the worker that is to make the report. `alone`
    means that the run has no other task now, so that a worker that dies was doing this one.
    """

    call: Callable[..., object]
    arguments: tuple[object, ...]
    size: int = 1
    by_reporter: bool = False
    refused: dict[str, str] = field(default_factory=dict)
    alone: bool = False

    @property
    def lost(self) -> bool:
        """Whether something that it needs was lost with a worker, and could not be computed again."""
        needed = [it for given in self.arguments for it in (given if isinstance(given, list) else [given])]
        return any(getattr(each, "status", "") == "error" for each in needed)


class Stage(NamedTuple):
    """Tasks that any number of workers can do at once; `step` is what is told of them, as a part of the `total`."""

    tasks: Sequence[Task]
    step: Step | None = None
    total: int = 0


def is_large(job: Job) -> bool:
    """Return whether the texts of a job are shared among workers: many in a file, and a model that was found."""
    return job.n > LARGE and bool(job.folder) and all(isinstance(it, FoundModel) for _, it in job.models)


def stages(job: Job, parcel: Parcel) -> Generator[Stage, Sequence[Any], Task]:
    """Yield the stages of a large set, and return the task that makes its report.

    What each task of a stage left on a worker, as a Dask future, is to be sent for it. `job` is that of this machine,
    `parcel` what travels. Raises SetError if the file of texts cannot be read.
    """
    import numpy as np

    from sentence_reports.models.embed import lines_of
    from sentence_reports.sets.text_files import TextsFile, read_texts

    given = parcel.job.parameters
    ((_, found),) = parcel.job.models
    assert isinstance(found, FoundModel)
    recipe = Recipe(
        found, given.get("prompt"), given.get("truncate_dim"), given.get("normalize", True), job.device
    )
    texts = lines_of(read_texts(TextsFile(**given["texts"]), Path(job.folder)).texts)
    lines = sorted(dict.fromkeys(texts), key=len, reverse=True)
    row = {line: number for number, line in enumerate(lines)}
    of = np.array([row[line] for line in texts])

    shards = [lines[start : start + SHARD] for start in range(0, len(lines), SHARD)]
    run = parcel.run, parcel.code
    warm_up = Task(worker.warm_up, (*run, parcel.job.notebook), size=0, by_reporter=True)
    encode = [Task(worker.encode, (*run, recipe, shard), size=len(shard)) for shard in shards]
    _, *blocks = yield Stage([warm_up, *encode], "encoding", len(lines))
    (block,) = yield Stage([Task(worker.assemble, (*run, blocks, of), by_reporter=True)])
    stripes: Sequence[Any] = ()
    if len(texts) > worker.MANY:
        starts = range(0, len(texts), worker.STRIPE)
        compare = [Task(worker.compare, (*run, block, start)) for start in starts]
        stripes = yield Stage(compare, "comparing", 100)
    return Task(worker.make, (parcel, recipe, block, stripes), by_reporter=True)
