"""What a run makes of the answers of workers, without any."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
from clusters import Quiet, write_sets

from sentence_reports.cli import main
from sentence_reports.cluster import bench, worker
from sentence_reports.cluster.bench import Unable
from sentence_reports.cluster.connection import Cluster, one_kind
from sentence_reports.cluster.parcel import Parcel
from sentence_reports.execution.kernels import Kernels
from sentence_reports.report import Failed, FoundModel, Job, Request
from sentence_reports.stale import code_digest

distributed = pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")

KILLED = distributed.KilledWorker("make", SimpleNamespace(address="tcp://a:1"), 3)


def job(stem: str, *models: tuple[Request, FoundModel]) -> Job:
    return Job(stem, "{}", {}, 2, models, "2026-01-01", "run")


class Scripted(Cluster):
    """A cluster whose tasks end at once, as `answer` says of a stem and of the workers that are asked for it."""

    def __init__(
        self, answer: Callable[[str, Sequence[str]], object], workers: Sequence[str] = ("a", "b")
    ) -> None:
        self.listener = Quiet()
        super().__init__("tcp://scheduler:1", self.listener, patience=0.3)
        self.answer, self.present = answer, workers
        self.submitted: list[tuple[str, Sequence[str]]] = []
        self.priorities: dict[str, int] = {}
        self.futures: list[Future[Any]] = []
        scheduler = SimpleNamespace(address=self.address)
        self._client = SimpleNamespace(get_executor=self.executor, scheduler=scheduler)

    def executor(self, *, pure: bool, workers: Sequence[str] = (), allow_other_workers: bool = False) -> Any:
        assert allow_other_workers is bool(workers)
        assert not pure

        def submit(call: object, parcel: Parcel, *, priority: int) -> Future[Any]:
            assert call is worker.make
            stem, future = parcel.job.stem, Future[Any]()
            self.submitted.append((stem, tuple(workers)))
            self.priorities[stem] = priority
            self.futures.append(future)
            answer = self.answer(stem, workers)
            if isinstance(answer, CancelledError):
                future.cancel()
            elif isinstance(answer, BaseException):
                future.set_exception(answer)
            elif answer is not None:
                future.set_result(answer)
            return future

        return SimpleNamespace(submit=submit)

    def _workers(self) -> dict[str, Any]:
        if self.present:
            self._seen = time.monotonic()
        return {address: {"metrics": {"task_counts": {"executing": 1}}} for address in self.present}


def reasons(cluster: Cluster, *stems: str) -> dict[str, str]:
    return {each.stem: each.reason for each in cluster.make(map(job, stems)) if isinstance(each, Failed)}


def test_what_died_with_others_is_made_alone_and_then_blamed() -> None:
    killer, tries = "killer", dict.fromkeys(("killer", "neighbor"), 0)

    def answer(stem: str, _: Sequence[str]) -> object:
        tries[stem] += 1
        return KILLED if stem == killer or tries[stem] == 1 else Failed(stem, "made")

    cluster = Scripted(answer)
    found = reasons(cluster, "killer", "neighbor")
    assert found["neighbor"] == "made"
    assert found["killer"].startswith(
        "4 workers died, one after another, while this run asked them for this report"
    )
    assert found["killer"].endswith("Look at the log of tcp://a:1")
    assert len(cluster.submitted) == 4


def test_without_workers_those_that_wait_to_be_made_alone_fail_as_well() -> None:
    cluster = Scripted(lambda stem, _: KILLED if stem == "suspect" else None, workers=())
    assert reasons(cluster, "suspect", "other") == dict.fromkeys(
        ("suspect", "other"), "the scheduler tcp://scheduler:1 had no workers for 0.3 s"
    )
    assert all(future.done() or future.cancelled() for future in cluster.futures)


def test_each_other_worker_is_asked_once() -> None:
    def answer(stem: str, asked: Sequence[str]) -> object:
        return Unable(asked[0] if asked else "a", "no model")

    cluster = Scripted(answer, workers=("a", "b", "c"))
    assert reasons(cluster, "one") == {
        "one": "no worker of the cluster can make it. a: no model; b: no model; c: no model"
    }
    assert [asked for _, asked in cluster.submitted] == [(), ("b", "c"), ("c",)]


def test_a_worker_may_refuse_the_same_task_twice() -> None:
    """Dask may give a task to an idle worker although others are preferred."""
    answers = iter([Unable("a", "no model"), Unable("a", "no model"), Failed("one", "made")])
    cluster = Scripted(lambda *_: next(answers))
    assert reasons(cluster, "one") == {"one": "made"}
    assert [asked for _, asked in cluster.submitted] == [(), ("b",), ("b",)]


def test_errors_are_told_in_words() -> None:
    errors = {"lost": CancelledError(), "odd": ValueError("x")}
    assert reasons(Scripted(lambda stem, _: errors[stem]), *errors) == {
        "lost": "the connection to the scheduler tcp://scheduler:1 was lost. Run again",
        "odd": "the task failed on a worker: ValueError: x",
    }


def test_a_set_that_cannot_travel_fails_and_the_others_are_made() -> None:
    found = FoundModel("models/mine", None, "folder", "/models/mine", "abc")
    cluster = Scripted(lambda stem, _: Failed(stem, "made"))
    jobs = [job("stays", (Request("models/mine"), found)), job("goes")]
    stays, goes = cluster.make(jobs)
    assert isinstance(stays, Failed)
    assert "models/mine is a folder of this machine" in stays.reason
    assert goes == Failed("goes", "made")


def test_the_first_sets_come_first() -> None:
    """Dask does what has a higher number first."""
    cluster = Scripted(lambda stem, _: Failed(stem, "made"))
    reasons(cluster, "first", "second", "third")
    priorities = cluster.priorities
    assert priorities["first"] > priorities["second"] > priorities["third"]


def test_a_run_hears_only_of_its_own_progress() -> None:
    cluster, heard = Scripted(lambda *_: None), []
    cluster.listener.progress = lambda *news: heard.append(news)  # type: ignore[method-assign]
    for run in (cluster.run, "another"):
        cluster._progress((0.0, {"run": run, "news": ("stem", 1, 2, "encoding")}))
    assert heard == [("stem", 1, 2, "encoding")]


def test_workers_and_those_that_are_busy_are_counted() -> None:
    cluster, heard = Scripted(lambda stem, _: Failed(stem, "made")), []
    cluster.listener.workers = lambda *news: heard.append(news)  # type: ignore[method-assign]
    reasons(cluster, "one")
    assert heard == [(2, 2)]


def test_no_kernels_start_here_if_a_cluster_makes_the_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Ready(Scripted):
        def __init__(self, *_: object) -> None:
            super().__init__(lambda stem, _: Failed(stem, "made elsewhere"))

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

    started: list[Kernels] = []
    monkeypatch.setattr("sentence_reports.cluster.connection.Cluster", Ready)
    monkeypatch.setattr(Kernels, "start", started.append)
    write_sets(tmp_path, 1)
    assert main(["run", "--project", str(tmp_path), "--scheduler", "tcp://scheduler:1"]) == 1
    assert "set-0: failed: made elsewhere" in capsys.readouterr().err
    assert not started


def test_a_worker_begins_nothing_of_a_run_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distributed.get_worker", lambda: SimpleNamespace(address="a"))
    bench.end("a run that ended")
    with pytest.raises(Unable) as unable:
        worker.make(Parcel(job("late"), {}, "a run that ended", code_digest()))
    assert unable.value.reason == "the run was stopped"


def test_a_large_set_is_shared_by_workers_of_one_kind() -> None:
    assert one_kind({"a": "new", "b": "old", "c": "new"}) == ["a", "c"]
    assert one_kind({"a": "new", "b": "new"}) == []
