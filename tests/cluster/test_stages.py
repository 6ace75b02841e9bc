"""A large set in stages: what workers do for it is found by the kernel that makes its report, and is the same bits."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from clusters import Quiet, jobs_of, wait_for

from sentence_reports.cluster import bench, worker
from sentence_reports.cluster import stages as room
from sentence_reports.cluster.bench import Bench, Recipe, Unable
from sentence_reports.cluster.parcel import Parcel, pack, unpack
from sentence_reports.cluster.schedule import Schedule
from sentence_reports.cluster.stages import Stage, Task, is_large, stages
from sentence_reports.collection.neighbors import nearest
from sentence_reports.lesson import collection_neighbors
from sentence_reports.lesson.collection_neighbors import nearest_neighbors
from sentence_reports.models import EMBEDDED, choose_usage, find_model, load
from sentence_reports.models import embed as embedding
from sentence_reports.models.batches import Encoding
from sentence_reports.models.embed import embed
from sentence_reports.report import Failed, FoundModel, Job
from sentence_reports.stale import code_digest

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")

MODEL = FoundModel(EMBEDDED, None, "hub cache", "", "0" * 64)
TEXTS = [f"Text {n} of {'very ' * (n % 5)}many" for n in range(14)]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fourteen texts are many: four shards, and three stripes."""
    for place, name, value in (
        (room, "LARGE", 10),
        (room, "SHARD", 4),
        (worker, "STRIPE", 5),
        (worker, "MANY", 2),
        (collection_neighbors, "KEPT_ABOVE", 2),
    ):
        monkeypatch.setattr(place, name, value)


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The notebooks for which a worker was to start kernels, which it does not here."""
    notebooks: list[str] = []
    monkeypatch.setattr(Bench, "kernels", lambda _, notebook: notebooks.append(notebook))
    return notebooks


@pytest.fixture(autouse=True)
def at_a(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a worker with the address "a" and two threads, which answers at once."""
    here = SimpleNamespace(address="a", state=SimpleNamespace(nthreads=2))
    monkeypatch.setattr("distributed.get_worker", lambda: here)
    monkeypatch.setattr(bench, "PAUSE", 0)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "many.txt").write_text("\n".join(TEXTS))
    (tmp_path / "params" / "many.yaml").write_text(f"model: {EMBEDDED}\ntexts: {{file: many.txt}}\n")
    (made,) = jobs_of(tmp_path)
    return made


def fail(*_: object, **__: object) -> None:
    raise AssertionError("a model was loaded")


def parcel_of(job: Job) -> Parcel:
    return pack(job, f"run of {job.folder}", code_digest())


def carried_out(job: Job, between: Callable[[Stage], None] = lambda _: None) -> Task:
    """Do all stages in this process, and return the task that would make the report."""
    plan = stages(job, parcel_of(job))
    left = None
    while True:
        try:
            stage = plan.send(left)  # type: ignore[arg-type]
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        left = [task.call(*task.arguments) for task in stage.tasks]
        between(stage)


def test_what_counts_as_large(job: Job) -> None:
    assert is_large(job)
    for change in ({"n": 10}, {"folder": ""}, {"models": ((job.models[0][0], "not found"),)}):
        assert not is_large(Job(**{**vars(job), **change}))


def test_the_kernel_finds_what_workers_did(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Stage] = []
    task = carried_out(job, done.append)
    assert [[each.size for each in stage.tasks] for stage in done] == [[0, 4, 4, 4, 2], [1], [1, 1, 1]]
    lines = [line for each in done[0].tasks[1:] for line in each.arguments[3]]  # type: ignore[attr-defined]
    assert lines == sorted(TEXTS, key=len, reverse=True)  # the work that takes longest comes first
    assert task.call is worker.make
    ((_, found),) = job.models
    assert isinstance(found, FoundModel)
    parcel, recipe, block, stripes = task.arguments
    assert isinstance(recipe, Recipe)
    encoding = Encoding(found, choose_usage(found))
    assert recipe._replace(found=found).encoding == encoding
    expected = embed(lambda: load(found), encoding, TEXTS).embeddings
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    worker.put_down(unpack(parcel, tmp_path / "set", Bench().locate), recipe, block, stripes)  # type: ignore
    kept = embed(fail, encoding, TEXTS)
    assert np.array_equal(kept.embeddings, expected)
    monkeypatch.setattr(collection_neighbors, "nearest", None)
    monkeypatch.setattr(collection_neighbors, "updated", None)
    vectors = kept.embeddings / np.linalg.norm(kept.embeddings, axis=1, keepdims=True)
    neighbors, whole = nearest_neighbors(vectors), nearest(vectors)
    assert np.array_equal(neighbors.positions, whole.positions)
    assert np.array_equal(neighbors.similarities, whole.similarities)


def test_nothing_is_encoded_that_the_cache_has(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    first = carried_out(job)
    monkeypatch.setattr("sentence_reports.models.encoder.load", fail)
    again = carried_out(job)
    blocks = [task.arguments[2].embeddings for task in (first, again)]  # type: ignore[attr-defined]
    assert np.array_equal(*blocks)


def test_a_recipe_says_all_about_how_texts_are_encoded() -> None:
    found = find_model(EMBEDDED)
    encoding = Recipe(found, "query: ", 32, normalize=False, device="cuda").encoding
    assert encoding == Encoding(found, choose_usage(found, "query: ", 32), normalize=False, device="cuda")
    assert (encoding.usage.text, encoding.usage.truncate_dim) == ("query: ", 32)


def test_as_many_threads_encode_as_the_worker_has(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[object] = []
    even = embedding.even_encoder

    def spy(*given: Any, **options: Any) -> Any:
        used.append(options["threads"])
        return even(*given, **options)

    monkeypatch.setattr(embedding, "even_encoder", spy)
    carried_out(job)
    assert used == [2] * 4


def test_texts_that_were_compared_here_are_not_compared_again(job: Job) -> None:
    ((_, found),) = job.models
    assert isinstance(found, FoundModel)
    first = carried_out(job)
    nearest_neighbors(first.arguments[2].vectors)  # type: ignore[attr-defined]
    again = carried_out(job)
    assert again.arguments[3] == [None, None, None]
    assert None not in first.arguments[3]  # type: ignore[operator]


def test_texts_that_are_not_many_are_left_to_the_kernel(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MANY", len(TEXTS))
    done: list[Stage] = []
    task = carried_out(job, done.append)
    assert [stage.tasks[-1].call for stage in done] == [worker.encode, worker.assemble]
    assert task.arguments[3] == ()


def test_kernels_start_while_texts_are_encoded(job: Job, started: list[str]) -> None:
    counts: list[int] = []
    carried_out(job, lambda _: counts.append(len(started)))
    assert counts == [1, 1, 1]
    assert started == [job.notebook]


def test_shards_of_different_processors_are_not_mixed() -> None:
    blocks = [worker.Block(np.zeros((1, 2), np.float32), kind) for kind in ("new", "old")]
    with pytest.raises(ValueError, match="different kinds of processors"):
        worker.assemble("run", code_digest(), blocks, np.arange(2))


@pytest.mark.parametrize("same", [True, False])
def test_only_what_the_own_processor_would_compute_is_put_down(
    job: Job, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: list[object] = []
    monkeypatch.setattr(worker, "put_down", lambda *arguments: put.append(arguments))
    monkeypatch.setattr("sentence_reports.make.make_report", lambda *_: Failed("many", "made"))
    block = worker.Block(np.zeros((14, 2), np.float32), embedding.processor() if same else "another")
    parcel = parcel_of(job)
    ((_, found),) = parcel.job.models
    assert isinstance(found, FoundModel)
    recipe = worker.Recipe(found, None, None, True, "cpu")
    assert worker.make(parcel, recipe, block) == Failed("many", "made")
    assert len(put) == same


# --- what a worker refuses, and what it keeps ------------------------------------------------------------------


def test_a_worker_with_other_code_is_unable(job: Job) -> None:
    recipe = worker.Recipe(MODEL, None, None, True, "cpu")
    with pytest.raises(Unable, match="it has another version of the package"):
        worker.encode("run", "other code", recipe, ["A text"])


def test_a_worker_with_other_weights_is_unable() -> None:
    with pytest.raises(Unable, match=f"expected SHA-256 {'0' * 64}, found "):
        Bench().locate(MODEL)
    with pytest.raises(Unable, match="models/nowhere"):
        Bench().locate(replace(MODEL, name="./models/nowhere"))


def test_an_idle_worker_keeps_no_model(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "IDLE", 0.05)
    own, recipe = Bench(), worker.Recipe(find_model(str(tiny)), None, None, True, "cpu")
    with own.used():
        encoder = own.encoder(recipe)
        time.sleep(0.2)
        assert own.encoder(recipe) is encoder
        assert own.encoder(recipe._replace(truncate_dim=8)) is not encoder
    wait_for(lambda: own._loaded is None, 5)


# --- what becomes of the stages on a cluster ------------------------------------------------------------------


class Answers:
    """A client whose workers answer at once, as `answer` says of a call and of the workers that are asked."""

    def __init__(self, answer: Callable[[str, Sequence[str]], object]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Sequence[str], int]] = []
        self.scheduler = SimpleNamespace(address="tcp://scheduler:1")

    def submit(
        self,
        call: Any,
        *arguments: object,
        priority: int,
        pure: bool,
        workers: Sequence[str] = (),
        **_: object,
    ) -> Future[Any]:
        assert not pure
        self.asked.append((call.__name__, tuple(workers), len(arguments)))
        future, answer = Future[Any](), self.answer(call.__name__, workers)
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future

    def get_executor(self, **options: Any) -> Any:
        return SimpleNamespace(submit=lambda *arguments, **more: self.submit(*arguments, **options, **more))


def scheduled(
    job: Job,
    answer: Callable[[str, Sequence[str]], object],
    one_kind: Sequence[str] = (),
    client: type[Answers] = Answers,
) -> tuple[Answers, list[object], list[tuple[object, ...]]]:
    """Return what workers were asked for, the answers, and the progress that was told."""
    workers, listener, told = client(answer), Quiet(), []
    listener.progress = lambda *news: told.append(news)  # type: ignore[method-assign]
    schedule = Schedule(workers, lambda: ["a", "b"], one_kind, listener)
    schedule.begin(job, parcel_of(job))
    answers: list[object] = []
    while schedule.open:
        answers += schedule.answers(0)
    return workers, answers, told  # type: ignore[return-value]


def test_all_stages_are_told_and_the_report_comes_last(job: Job) -> None:
    made = Failed("many", "made")
    client, answers, told = scheduled(job, lambda call, _: made if call == "make" else None)
    assert answers == [made]
    names = [call for call, _, _ in client.asked]
    assert names == ["warm_up"] + ["encode"] * 4 + ["assemble"] + ["compare"] * 3 + ["make"]
    assert told == [
        *(("many", done, 14, "encoding") for done in (4, 8, 12, 14)),
        *(("many", done, 100, "comparing") for done in (33, 66, 100)),
    ]


def test_workers_of_one_kind_share_a_set(job: Job) -> None:
    client, _, _ = scheduled(job, lambda call, _: Failed("many", "made"), one_kind=["c", "d"])
    assert {(call, workers) for call, workers, _ in client.asked} == {
        *((call, ("c",)) for call in ("warm_up", "assemble", "make")),
        *((call, ("c", "d")) for call in ("encode", "compare")),
    }


def test_the_worker_whose_kernels_start_makes_the_report_and_another_one_the_next(job: Job) -> None:
    client = Answers(lambda *_: Failed("many", "made"))
    schedule = Schedule(client, lambda: ["a", "b"], (), Quiet())
    for _ in range(3):
        schedule.begin(job, parcel_of(job))
    while schedule.open:
        list(schedule.answers(0))
    for call in ("warm_up", "assemble", "make"):
        assert [workers for asked, workers, _ in client.asked if asked == call] == [("a",), ("b",), ("a",)]


def test_without_a_worker_any_that_comes_makes_the_report(job: Job) -> None:
    client = Answers(lambda *_: Failed("many", "made"))
    schedule = Schedule(client, list, (), Quiet())
    schedule.begin(job, parcel_of(job))
    assert {workers for _, workers, _ in client.asked} == {()}


def test_a_shard_goes_to_another_worker_if_one_is_unable(job: Job) -> None:
    def answer(call: str, workers: Sequence[str]) -> object:
        return Unable("a", "no model") if not workers else Failed("many", "made")

    client, answers, _ = scheduled(job, answer)
    assert client.asked[1:7] == [("encode", (), 4)] * 4 + [("encode", ("b",), 4)] * 2
    assert len(answers) == 1


@pytest.mark.parametrize("failing", ["warm_up", "encode", "assemble", "compare"])
def test_if_a_part_fails_one_worker_makes_the_report(job: Job, failing: str) -> None:
    def answer(call: str, _: Sequence[str]) -> object:
        return ValueError(call) if call == failing else Failed("many", "made")

    client, answers, _ = scheduled(job, answer)
    assert answers == [Failed("many", "made")]
    assert client.asked[-1] == ("make", (), 1)


def test_if_what_was_shared_is_lost_one_worker_makes_the_report(job: Job) -> None:
    """The worker that has the embeddings died, and the one that is to encode again is unable."""

    class Losing(Answers):
        def submit(self, call: Any, *arguments: Any, **options: Any) -> Future[Any]:
            if call is worker.make and len(arguments) > 1:
                arguments[2].status = "error"
            return super().submit(call, *arguments, **options)

    made = Failed("many", "made")
    asked: list[str] = []

    def answer(call: str, _: Sequence[str]) -> object:
        asked.append(call)
        return made if asked.count("make") == 2 else Unable("a", "no model") if call == "make" else None

    client, answers, _ = scheduled(job, answer, client=Losing)
    assert answers == [made]
    assert [asked for asked in client.asked if asked[0] == "make"] == [("make", ("a",), 4), ("make", (), 1)]


def test_a_file_that_cannot_be_read_any_more_is_left_to_the_report(job: Job) -> None:
    parcel = parcel_of(job)
    Path(job.folder, "many.txt").unlink()
    client = Answers(lambda *_: Failed("many", "made"))
    schedule = Schedule(client, list, (), Quiet())
    schedule.begin(job, parcel)
    assert client.asked == [("make", (), 1)]
