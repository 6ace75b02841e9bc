"""A cluster of three hosts, each in a network namespace of its own; one of them is cut off in the middle of a run."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import RealCluster, servers_of, wait_for, write_sets

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")
pytestmark = pytest.mark.slow


class Hosts:
    """A switch in a namespace of its own, at 10.0.0.1, and hosts that are connected to it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.switch = self.add(1)
        self.ip("-n", self.switch, "link", "add", "switch", "type", "bridge")
        self.ip("-n", self.switch, "address", "add", "10.0.0.1/24", "dev", "switch")
        self.ip("-n", self.switch, "link", "set", "switch", "up")

    def ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], capture_output=True, check=True, text=True)

    def add(self, number: int) -> str:
        name = f"host-{number}-{os.getpid()}"
        self.ip("netns", "add", name)
        self.names.append(name)
        self.ip("-n", name, "link", "set", "lo", "up")
        return name

    def connect(self, number: int) -> str:
        """Add a host at 10.0.0.NUMBER; its cable is called to-NUMBER at the switch."""
        name = self.add(number)
        self.ip(
            "-n", self.switch, "link", "add", f"to-{number}", "type", "veth", "peer", "eth0", "netns", name
        )
        self.ip("-n", self.switch, "link", "set", f"to-{number}", "master", "switch", "up")
        self.ip("-n", name, "address", "add", f"10.0.0.{number}/24", "dev", "eth0")
        self.ip("-n", name, "link", "set", "eth0", "up")
        return name

    def cut(self, number: int) -> None:
        self.ip("-n", self.switch, "link", "set", f"to-{number}", "down")

    def end(self) -> None:
        for name in self.names:
            self.ip("netns", "delete", name)


def on(host: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", host)


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    try:
        made = Hosts()
        made.connect(2)
        made.connect(3)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", "") or "").strip() or error
        pytest.skip(f"no network namespaces here, which need root and iproute2: {reason}")
    yield made
    made.end()


def test_a_host_that_is_cut_off(hosts: Hosts, tmp_path: Path) -> None:
    write_sets(tmp_path, 6)
    settings = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}  # of silence end a connection; else 30 s
    cluster = RealCluster(tmp_path, host="10.0.0.1", environment=settings, inside=on(hosts.switch))
    try:
        first = cluster.worker(host="10.0.0.2", inside=on(hosts.names[1]))
        second = cluster.worker(host="10.0.0.3", inside=on(hosts.names[2]))
        cluster.wait_for_workers(2)
        run = cluster.run("--scheduler", cluster.address)
        wait_for(lambda: servers_of(first) and servers_of(second))
        hosts.cut(3)
        text, _ = run.communicate(timeout=500)
        assert run.returncode == 0, text
        assert "6 made" in text
        wait_for(lambda: not cluster.servers(), 200)
    finally:
        cluster.end()
