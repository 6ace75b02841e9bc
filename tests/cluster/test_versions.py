"""Workers with another version of the package: at the start of a run, and later."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from clusters import Quiet, RealCluster, jobs_of
from support import ROOT

from notebooks import SLEEPS, write_faulty
from sentence_reports.cluster.bench import Unable
from sentence_reports.cluster.connection import Cluster
from sentence_reports.cluster.schedule import Schedule
from sentence_reports.report import Made

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")
pytestmark = pytest.mark.slow


@pytest.fixture
def other(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a worker with another version: one line of one module differs."""
    copy = tmp_path / "other" / "sentence_reports"
    shutil.copytree(ROOT / "sentence_reports", copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "texts.py").open("a") as file:
        file.write("\nOTHER = True\n")
    return {"PYTHONPATH": os.pathsep.join([str(copy.parent), os.environ.get("PYTHONPATH", "")])}


def test_another_version_is_refused_at_the_start(cluster: RealCluster, other: Mapping[str, str]) -> None:
    cluster.worker()
    cluster.wait_for_workers(1)
    cluster.worker(environment=other)
    cluster.wait_for_workers(2)
    named = cluster.log.rpartition("Register worker addr: ")[2].split()[0]
    run = cluster.run("--scheduler", cluster.address)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 2, text
    assert f"the worker {named} has Sentence Reports" in text
    assert "with other code or other versions of libraries than" in text


def test_the_tasks_of_another_version_that_joins_go_to_others(
    cluster: RealCluster, other: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_faulty(cluster.folder, "a-slow", SLEEPS.format(15))
    cluster.worker()
    cluster.wait_for_workers(1)
    refused, asked = [], Schedule._others

    def others(self: Schedule, task: Any, error: Unable) -> list[str]:
        refused.append(error.reason)
        return asked(self, task, error)

    monkeypatch.setattr(Schedule, "_others", others)
    with Cluster(cluster.address, Quiet()) as made:
        making = made.make(jobs_of(cluster.folder))
        cluster.worker(environment=other)
        answers = list(making)
    assert all(isinstance(answer, Made) for answer in answers), answers
    assert 0 < len(refused) < 20  # not again and again
    assert all(reason.startswith("it has another version of the package") for reason in refused)
