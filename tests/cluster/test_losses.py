"""Workers that are lost: one after another, all of them, and the run itself."""

import pytest
from clusters import RealCluster, wait_for

from notebooks import KILLS_ITS_WORKER, write_faulty

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")
pytestmark = pytest.mark.slow


def test_a_set_that_kills_its_workers_fails_and_its_neighbors_are_made(cluster: RealCluster) -> None:
    """With four threads, the sets next to it die with it each time, and Dask blames them as well."""
    write_faulty(cluster.folder, "killer", KILLS_ITS_WORKER)
    cluster.worker(threads=4)
    run = cluster.run("--scheduler", cluster.address)
    text, _ = run.communicate(timeout=300)
    assert run.returncode == 1, text
    assert (
        text.count("failed: 4 workers died, one after another, while this run asked them for this report")
        == 2
    )
    assert "killer: failed: 4 workers died" in text
    assert "4 made, 0 up to date, 1 failed" in text
    wait_for(lambda: not cluster.servers(), 20)
