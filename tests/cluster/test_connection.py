"""What a run makes of the answers of workers, without any."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from types import SimpleNamespace
from typing import Any

import pytest
from clusters import Quiet

from sentence_reports.cluster import worker
from sentence_reports.cluster.connection import Answer, Cluster, Task
from sentence_reports.cluster.parcel import Parcel
from sentence_reports.cluster.worker import Unable
from sentence_reports.report import Failed, FoundModel, Job, Request

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
        self.futures: list[Future[Answer]] = []

    def _submit(self, task: Task, workers: Sequence[str] = ()) -> "Future[Answer]":
        stem = task.parcel.job.stem
        self.submitted.append((stem, tuple(workers)))
        future: Future[Any] = Future()
        self.futures.append(future)
        answer = self.answer(stem, workers)
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        elif answer is not None:
            future.set_result(answer)
        return future

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


def test_a_worker_begins_nothing_of_a_run_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distributed.get_worker", lambda: SimpleNamespace(address="a"))
    parcel = Parcel(job("late"), {}, "a run that ended", worker.code_digest())
    worker.end(parcel.run)
    assert worker.make(parcel) == Failed("late", "the run was stopped")
