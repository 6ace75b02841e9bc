"""The tasks of a worker: it makes reports, and before those of large sets, it encodes texts and compares them.

Encoding and comparing share the work among workers; nothing of it is needed to make a report. What comes out
is put where the kernel of the report looks first, in the cache of its machine, under the keys that it would use itself;
so a page is the same bytes with it and without. Modules that take long to import are imported in the functions: this
one is imported by the worker's event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentence_reports.cluster.bench import Recipe, bench_of
from sentence_reports.cluster.parcel import Parcel, unpack
from sentence_reports.process import temporary_folder
from sentence_reports.project import version
from sentence_reports.report import Failed, FoundModel, Job, Made, Step
from sentence_reports.stale import code_digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentence_reports.collection.neighbors import Nearest

TOPIC = "sentence-reports"
"""The topic of the events in which a worker tells how far a large set is."""
MANY = 20_000
"""Texts; up to so many are compared by the kernel of the report, in some seconds, and more by all workers before."""
STRIPE = 4096
"""How many texts one task compares with all. Fewer cost more in all: a product that serves two is computed twice."""


class Block(NamedTuple):
    """Embeddings `(n, d)`, float32, and the kind of processor on which their last bits depend.

    `compared` says that the cache has the neighbors of most, so that workers need not compare them.
    """

    embeddings: NDArray[np.float32]
    processor: str
    compared: bool = False

    @property
    def vectors(self) -> NDArray[np.float32]:
        """What the notebook of a collection compares, bit for bit: each embedding scaled to length one."""
        import numpy as np

        lengths = np.linalg.norm(self.embeddings, axis=1, keepdims=True)
        return self.embeddings / np.where(lengths > 0, lengths, 1)  # type: ignore[return-value]


def identity() -> tuple[str, str]:
    """Return the version of this package, and the digest of its code and of the versions of its libraries."""
    return version(), code_digest()


def make(
    parcel: Parcel,
    recipe: Recipe | None = None,
    block: Block | None = None,
    stripes: Sequence[Nearest | None] = (),
) -> Made | Failed:
    """Return what `make_report` does. Raises Unable if this worker cannot do the job.

    Workers may have done a part of it before: `block` has the embeddings of its texts, made by `recipe`, and `stripes`
    have their neighbors, in order.
    """
    from distributed import get_worker

    worker = get_worker()

    def tell(done: int, total: int, step: Step) -> None:
        worker.log_event(TOPIC, {"run": parcel.run, "news": (parcel.job.stem, done, total, step)})

    with bench_of(parcel.run, parcel.code) as bench, temporary_folder() as folder:
        kernels = bench.kernels(parcel.job.notebook)
        from sentence_reports.make import make_report  # while the warm process imports what it needs
        from sentence_reports.models.embed import processor

        job = unpack(parcel, folder, bench.locate)
        if recipe is not None and block is not None and block.processor == processor():
            put_down(job, recipe, block, stripes)
        return make_report(job, kernels, tell)


def warm_up(run: str, code: str, notebook: str) -> None:
    """Begin to start the kernels of a job of this notebook, which comes later. Raises Unable if the run has ended."""
    with bench_of(run, code) as bench:
        bench.kernels(notebook)


def encode(run: str, code: str, recipe: Recipe, lines: Sequence[str]) -> Block:
    """Return the embeddings of lines; what this machine's cache has is taken from there.

    As many threads encode as this worker has. Raises Unable if it cannot do so.
    """
    from distributed import get_worker

    from sentence_reports.models.embed import embed, processor

    with bench_of(run, code) as bench, bench.encoding:  # which takes all threads
        here = recipe._replace(found=bench.locate(recipe.found))
        threads = get_worker().state.nthreads
        encoded = embed(
            lambda: bench.encoder(here), here.encoding, lines, progress=bench.check, threads=threads
        )
        return Block(encoded.embeddings, processor())


def assemble(run: str, code: str, blocks: Sequence[Block], of: NDArray[np.intp]) -> Block:
    """Return the embeddings of all texts, `(n, d)`; ``of[i]`` is the row of text i in all blocks together, `(n,)`.

    More than `MANY` count as compared if this machine's cache has the neighbors of most. Raises ValueError if the
    blocks come from different kinds of processors, and Unable if the run has ended.
    """
    import numpy as np

    if len(kinds := {block.processor for block in blocks}) > 1:
        raise ValueError("the texts were encoded on different kinds of processors")
    with bench_of(run, code):
        block = Block(np.concatenate([block.embeddings for block in blocks])[of], kinds.pop())
        if len(of) <= MANY:
            return block
        from sentence_reports.lesson.collection_neighbors import are_known

        return block._replace(compared=are_known(block.vectors))


def compare(run: str, code: str, block: Block, start: int) -> Nearest | None:
    """Return the neighbors of up to `STRIPE` texts from `start` on, among all; None if they count as compared.

    Raises Unable if the run has ended.
    """
    import numpy as np

    from sentence_reports.collection.neighbors import search

    if block.compared:
        return None
    with bench_of(run, code) as bench:
        rows = np.arange(start, min(start + STRIPE, len(block.embeddings)))
        return search(block.vectors, rows, progress=bench.check)


def put_down(job: Job, recipe: Recipe, block: Block, stripes: Sequence[Nearest | None]) -> None:
    """Put what workers did for a job into the cache of this machine, whose processor must be of the same kind."""
    import numpy as np

    from sentence_reports.models.embed import keep
    from sentence_reports.sets.text_files import TextsFile, read_texts

    ((_, found),) = job.models
    assert isinstance(found, FoundModel)
    texts = read_texts(TextsFile(**job.parameters["texts"]), Path(job.folder)).texts
    keep(recipe._replace(found=found).encoding, texts, block.embeddings)
    parts = [(each.positions, each.similarities) for each in stripes if each is not None]
    if parts:
        from sentence_reports.collection.neighbors import Nearest
        from sentence_reports.lesson.collection_neighbors import keep_neighbors  # imports the whole lesson

        keep_neighbors(block.vectors, Nearest(*map(np.concatenate, zip(*parts, strict=True))))
