"""What is lost or late in the middle of a run: workers, one after another or all at once, and the run itself."""

import subprocess
from contextlib import suppress

import psutil
import pytest
from clusters import Quiet, RealCluster, below, jobs_of, wait_for

from notebooks import KILLS_ITS_WORKER, SLEEPS, write_faulty
from sentence_reports.cluster.connection import Cluster
from sentence_reports.report import Failed, Made

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")
pytestmark = pytest.mark.slow


def end(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker, its nanny first, so that it does not come back."""
    for each in (psutil.Process(worker.pid), *below(worker)):
        with suppress(psutil.NoSuchProcess):
            each.kill()


def test_a_set_that_kills_its_workers_fails_and_its_neighbors_are_made(cluster: RealCluster) -> None:
    """With four threads, the sets next to it die with it each time, and Dask blames them as well."""
    write_faulty(cluster.folder, "killer", KILLS_ITS_WORKER)
    cluster.worker(threads=4)
    run = cluster.run("--scheduler", cluster.address)
    text, _ = run.communicate(timeout=300)
    assert run.returncode == 1, text
    assert (
        "killer: failed: 4 workers died, one after another, while this run asked them for this report" in text
    )
    assert "4 made, 0 up to date, 1 failed" in text
    wait_for(lambda: not cluster.servers(), 20)


def test_a_worker_that_comes_in_time_continues(cluster: RealCluster) -> None:
    first = cluster.worker()
    run = cluster.run("--scheduler", cluster.address)
    assert run.stdout is not None
    text = ""
    for line in run.stdout:
        text += line
        if line.startswith("set-") and "done" in line:
            end(first)
        if "has no workers; waiting 60 s for one" in line:
            cluster.worker()
            break
    more, _ = run.communicate(timeout=120)
    assert run.returncode == 0, text + more
    assert "waiting 60 s" in text
    assert "4 made" in more


def test_without_workers_what_is_left_fails(cluster: RealCluster) -> None:
    """Those that died with a worker, and wait to be made alone, fail like the others."""
    worker = cluster.worker()
    cluster.wait_for_workers()
    listener, answers = Quiet(), []
    with Cluster(cluster.address, listener, patience=5) as made:
        for answer in made.make(jobs_of(cluster.folder)):
            if not answers:
                end(worker)
            answers.append(answer)
    first, *others = answers
    assert isinstance(first, Made)
    assert len(others) == 3
    for other in others:
        assert isinstance(other, Failed)
        assert other.reason == f"the scheduler {cluster.address} had no workers for 5 s"
    assert listener.warnings[1:] == [f"{cluster.address} has no workers; waiting 5 s for one"]


def test_a_set_over_its_time_limit(cluster: RealCluster) -> None:
    write_faulty(cluster.folder, "endless", SLEEPS.format(600))
    cluster.worker()
    run = cluster.run("--scheduler", cluster.address, "--timeout", "20")
    text, _ = run.communicate(timeout=120)
    assert run.returncode == 1, text
    assert "endless: failed: timed out after 20 s; raise the limit with --timeout" in text
    assert "4 made, 0 up to date, 1 failed" in text
    wait_for(lambda: not cluster.servers(), 20)


def test_a_run_that_is_killed_leaves_nothing(cluster: RealCluster) -> None:
    """The report being made is finished, no other is begun, and a minute later its kernels are gone."""
    from distributed import Client

    write_faulty(cluster.folder, "a-slow", SLEEPS.format(5))
    cluster.worker()
    run = cluster.run("--scheduler", cluster.address)
    wait_for(cluster.servers)
    run.kill()
    run.communicate()
    with Client(cluster.address, set_as_default=False) as client:
        wait_for(lambda: not any(client.processing().values()), 20)
        wait_for(lambda: not cluster.servers(), 100)
