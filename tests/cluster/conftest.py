"""What the tests of clusters share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import RealCluster, write_sets


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RealCluster]:
    """A scheduler without workers, and a project of four small sets in its folder."""
    write_sets(tmp_path)
    started = RealCluster(tmp_path)
    yield started
    started.end()
