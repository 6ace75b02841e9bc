"""Reports made on a real cluster: a scheduler and two workers as processes of this machine."""

import signal
import socket
import threading

import pytest
from clusters import Quiet, RealCluster, jobs_of, kill_worker, pages, servers_of, wait_for, write_many

from sentence_reports.cluster.client import connect
from sentence_reports.cluster.connection import Cluster
from sentence_reports.cluster.worker import MANY
from sentence_reports.errors import UsageError
from sentence_reports.make import make_report
from sentence_reports.models import EMBEDDED
from sentence_reports.models.wordllama import WORDLLAMA
from sentence_reports.report import Failed, FoundModel, Job, Made, Request

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")
pytestmark = pytest.mark.slow


def test_a_worker_that_is_killed_changes_no_byte(cluster: RealCluster) -> None:
    cluster.worker()
    second = cluster.worker()
    cluster.wait_for_workers(2)
    run = cluster.run("--scheduler", cluster.address, "--out", str(cluster.folder / "cluster"))
    wait_for(lambda: servers_of(second))
    kill_worker(second)
    text, _ = run.communicate(timeout=300)
    assert run.returncode == 0, text
    assert "Dashboard: http://127.0.0.1:" in text
    assert "4 made" in text
    wait_for(lambda: not cluster.servers(), 20)
    here = cluster.run("--out", str(cluster.folder / "here"))
    text, _ = here.communicate(timeout=300)
    assert here.returncode == 0, text
    assert pages(cluster.folder / "cluster") == pages(cluster.folder / "here")


def test_a_worker_that_is_killed_while_texts_are_shared_changes_no_byte(cluster: RealCluster) -> None:
    """It is the one that was to make the report.

    Each worker has a cache of its own, as on machines of their own, and keeps there what it was encoding.
    """
    write_many(cluster.folder, 6000)
    caches = [cluster.folder / name for name in ("first cache", "second cache", "cache here")]
    first, second, here = ({"XDG_CACHE_HOME": str(cache)} for cache in caches)
    workers = [cluster.worker(environment=first), cluster.worker(environment=second)]
    cluster.wait_for_workers(2)
    run = cluster.run("--scheduler", cluster.address, "--out", str(cluster.folder / "cluster"))
    assert run.stdout is not None
    for line in run.stdout:
        if "texts encoded" in line:
            (reporter,) = [worker for worker in workers if servers_of(worker)]
            kill_worker(reporter)
            break
    text, _ = run.communicate(timeout=300)
    assert run.returncode == 0, text
    assert "6,000 of 6,000 texts encoded" in text
    alone = cluster.run("--out", str(cluster.folder / "here"), environment=here)
    text, _ = alone.communicate(timeout=300)
    assert alone.returncode == 0, text
    assert pages(cluster.folder / "cluster") == pages(cluster.folder / "here")


def test_very_many_texts_are_compared_by_all_workers_and_give_the_same_bytes(
    cluster: RealCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_many(cluster.folder, MANY + 1, WORDLLAMA)
    for name in ("first", "second"):
        cluster.worker(environment={"XDG_CACHE_HOME": str(cluster.folder / name)})
    cluster.wait_for_workers(2)
    (job,), listener = jobs_of(cluster.folder), Quiet()
    with Cluster(cluster.address, listener) as made:
        (there,) = made.make([job])
    monkeypatch.setenv("XDG_CACHE_HOME", str(cluster.folder / "here"))
    here = make_report(job)
    assert isinstance(there, Made)
    assert isinstance(here, Made)
    assert there.files == here.files
    # These are the five stripes; a kernel that compares the texts itself tells every percent.
    assert [done for _, done, _, step in listener.told if step == "comparing"] == [20, 40, 60, 80, 100]


def test_a_scheduler_that_goes_away(cluster: RealCluster) -> None:
    cluster.worker()
    run = cluster.run("--scheduler", cluster.address)
    wait_for(cluster.servers)
    cluster.scheduler.kill()
    text, _ = run.communicate(timeout=120)
    assert run.returncode == 1
    assert f"the connection to the scheduler {cluster.address} was lost. Run again" in text
    wait_for(lambda: not cluster.servers(), 90)


def test_ctrl_c_ends_what_the_run_started(cluster: RealCluster) -> None:
    cluster.worker()
    run = cluster.run("--scheduler", cluster.address)
    wait_for(cluster.servers)
    run.send_signal(signal.SIGINT)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 130, text
    wait_for(lambda: not cluster.servers(), 20)


def greet(server: socket.socket) -> None:
    """Say what a server of another kind does, to the first who asks."""
    with server.accept()[0] as stream:
        stream.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def test_what_is_silent_after_its_greeting(cluster: RealCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentence_reports.cluster.client.GREET", 3.0)
    wait_for(lambda: "Scheduler at" in cluster.log)
    with socket.create_connection(("127.0.0.1", cluster.port)) as stream:
        greeting = stream.recv(100_000)
    cluster.scheduler.kill()
    streams = []

    def greet_all(server: socket.socket) -> None:
        for _ in range(20):
            streams.append(server.accept()[0])
            streams[-1].sendall(greeting)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet_all, args=(server,), daemon=True).start()
        with pytest.raises(UsageError, match=r"silent for 3 s after its greeting"):
            connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
    for stream in streams:
        stream.close()


def test_what_else_can_be_at_an_address(cluster: RealCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no Dask scheduler answers at {address}: timed out"):
            connect(address)
    with pytest.raises(UsageError, match=f"nothing listens at {address}"):
        connect(address)
    with socket.create_server(("127.0.0.1", 0)) as other:
        accept = threading.Thread(target=greet, args=(other,), daemon=True)
        accept.start()
        with pytest.raises(UsageError, match="something else listens there"):
            connect(f"tcp://127.0.0.1:{other.getsockname()[1]}")
        accept.join()
    with pytest.raises(UsageError, match="needs certificates"):
        connect(cluster.address.replace("tcp", "tls"))
    wait_for(lambda: "Scheduler at" in cluster.log)
    run = cluster.run("--scheduler", address)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 2
    assert "Start a scheduler there:  dask scheduler" in text


def test_a_model_that_no_worker_has(cluster: RealCluster) -> None:
    """The workers' own package is the one that the run has, so only the hash that the run found can differ."""
    cluster.worker()
    cluster.worker()
    found = FoundModel(EMBEDDED, None, "hub cache", "", "0" * 64)
    job = Job("stem", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', {}, 2,
              ((Request(EMBEDDED), found),), "2026-01-01", "run")  # fmt: skip
    cluster.wait_for_workers(2)
    with Cluster(cluster.address, Quiet()) as made:
        (failed,) = made.make([job])
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("no worker of the cluster can make it. tcp://")
    assert failed.reason.count("are not those that the run found") == 2


def test_a_scheduler_without_workers(cluster: RealCluster) -> None:
    wait_for(lambda: "Scheduler at" in cluster.log)
    listener = Quiet()
    with (
        pytest.raises(UsageError, match=r"had no workers for 3 s\. Start one:  dask worker"),
        Cluster(cluster.address, listener, patience=3),
    ):
        pass
    assert listener.warnings[1:] == [f"{cluster.address} has no workers; waiting 3 s for one"]


def test_a_worker_tells_how_far_a_large_set_is(cluster: RealCluster) -> None:
    write_many(cluster.folder, 300)
    cluster.worker()
    cluster.wait_for_workers()
    listener = Quiet()
    with Cluster(cluster.address, listener) as made:
        (answer,) = made.make(jobs_of(cluster.folder))
    assert isinstance(answer, Made)
    assert {stem for stem, *_ in listener.told} == {"many"}
