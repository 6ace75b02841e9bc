"""A cluster with certificates: TLS addresses, and what is said of those that do not fit."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import RealCluster, wait_for, write_sets

pytest.importorskip("distributed", reason="Dask is not installed: the extra dask")
pytestmark = pytest.mark.slow


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], capture_output=True, check=True)


def certify(folder: Path, name: str) -> dict[str, str]:
    """Make an authority and a certificate signed by it; return Dask's settings that name them for all roles."""
    ca, ca_key, request, key, certificate = (
        folder / f"{name}{end}" for end in ("-ca.pem", "-ca.key", ".csr", ".key", ".pem")
    )
    new = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl("req", "-x509", *new, "-keyout", ca_key, "-out", ca, "-subj", f"/CN={name} authority")
    openssl("req", *new[:3], "-keyout", key, "-out", request, "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
            "-out", certificate)  # fmt: skip
    settings = {"CA_FILE": ca}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings |= {f"{role}__CERT": certificate, f"{role}__KEY": key}
    return {f"DASK_DISTRIBUTED__COMM__TLS__{key}": str(value) for key, value in settings.items()}


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[RealCluster]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, which makes the certificates")
    write_sets(tmp_path, 2)
    started = RealCluster(tmp_path, protocol="tls", environment=certify(tmp_path, "one"))
    yield started
    started.end()


def test_a_run_with_certificates(secure: RealCluster) -> None:
    secure.worker()
    secure.worker()
    secure.wait_for_workers(2)
    run = secure.run("--scheduler", secure.address)
    text, _ = run.communicate(timeout=120)
    assert run.returncode == 0, text
    assert "2 made" in text
    assert len(list((secure.folder / "reports").glob("set-?.html"))) == 2


def test_what_does_not_fit_is_refused_in_words(secure: RealCluster) -> None:
    wait_for(lambda: "Scheduler at" in secure.log)
    tls, other = "DASK_DISTRIBUTED__COMM__TLS__", certify(secure.folder, "two")
    for address, settings, words in (
        (secure.address.replace("tls", "tcp"), {}, "answers at tcp://.*: timed out. Check the address, tcp:// or tls://"),
        (secure.address, other, "its certificate is not accepted here .self-signed certificate"),
        (secure.address, other | {f"{tls}CA_FILE": secure.environment[f"{tls}CA_FILE"]}, "alert unknown ca"),
        (secure.address, {f"{tls}CA_FILE": "/nowhere.pem"}, "cannot be used: No such file or directory. Check the"),
        (secure.address, {f"{tls}CA_FILE": __file__}, "cannot be used: no certificate"),
        (secure.address, {f"{tls}CLIENT__CERT": __file__}, "cannot be used: not a certificate and its key"),
        (secure.address, {f"{tls}CLIENT__KEY": other[f"{tls}CLIENT__KEY"]}, "cannot be used: key values mismatch"),
        (secure.address, {f"{tls}CA_FILE": ""}, "tls://.* needs certificates. Name their files in the variables DASK"),
    ):  # fmt: skip
        run = secure.run("--scheduler", address, environment=settings)
        text, _ = run.communicate(timeout=60)
        assert run.returncode == 2, text
        assert re.search(words, text)
        assert "bug" not in text
        assert "Traceback" not in text
