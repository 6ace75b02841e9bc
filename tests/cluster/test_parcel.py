"""What travels to a worker, and what is said before a run asks a cluster for anything."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sentence_reports.cli import main
from sentence_reports.cluster.client import connect, parsed
from sentence_reports.cluster.connection import check_identities
from sentence_reports.cluster.parcel import pack, unpack
from sentence_reports.errors import ModelError, UsageError
from sentence_reports.report import FoundModel, Job, Request, Vectors
from sentence_reports.terminal import Teller

MODEL = FoundModel("owner/name", "main", "hub cache", "/home/client/hub", "abc")
JOB = Job("stem", "{}", {}, 2, ((Request("owner/name"), MODEL),), "2026-01-01", "run")


def on_the_worker(found: FoundModel) -> FoundModel:
    return replace(found, folder=f"/worker/{found.name}")


def test_no_path_of_this_machine_travels() -> None:
    parcel = pack(JOB, "run", "code")
    assert b"/home/client" not in pickle.dumps(parcel)


def test_a_worker_uses_the_folder_that_it_finds(tmp_path: Path) -> None:
    job = unpack(pack(JOB, "run", "code"), tmp_path, on_the_worker)
    assert job == replace(JOB, models=((Request("owner/name"), replace(MODEL, folder="/worker/owner/name")),))


def test_the_files_of_a_set_travel_and_stay_in_the_folder_of_the_task(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "set").mkdir(parents=True)
    there.mkdir()
    (here / "texts.csv").write_bytes(b"text\nA\n")
    (here / "set" / "v.npy").write_bytes(b"1")
    (here / "set" / "b.npy").write_bytes(b"2")
    vectors = Vectors("v.npy", "b.npy")
    mine = FoundModel("mine", None, "file", str(here / "set"), "abc")
    job = replace(
        JOB,
        parameters={"texts": {"file": "../texts.csv"}},
        folder=str(here / "set"),
        sha256="abc",
        models=((Request("mine", vectors=vectors), mine),),
    )
    parcel = pack(job, "run", "code")
    assert str(here).encode() not in pickle.dumps(parcel)
    done = unpack(parcel, there, lambda found: found)
    assert (Path(done.folder) / "../texts.csv").read_bytes() == b"text\nA\n"
    ((_, files),) = done.models
    assert isinstance(files, FoundModel)
    assert (Path(files.folder) / "v.npy").read_bytes() == b"1"
    written = [path for path in tmp_path.rglob("*.*") if path.is_file() and not path.is_relative_to(here)]
    assert len(written) == 3
    assert all(path.is_relative_to(there) for path in written)


def test_a_model_in_a_folder_of_this_machine_is_refused() -> None:
    folder = replace(
        JOB, models=((Request("models/mine"), replace(MODEL, name="models/mine", source="folder")),)
    )
    with pytest.raises(ModelError, match="models/mine is a folder of this machine"):
        pack(folder, "run", "code")


def test_a_file_named_by_an_absolute_path_is_refused(tmp_path: Path) -> None:
    job = replace(JOB, parameters={"texts": {"file": str(tmp_path / "a.csv")}}, folder=str(tmp_path))
    with pytest.raises(ModelError, match=r"a\.csv is named by a path of this machine"):
        pack(job, "run", "code")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://host:8786", ("host", 8786, False)),
        ("tls://10.0.0.1:1", ("10.0.0.1", 1, True)),
        ("tcp://[::1]:8786", ("::1", 8786, False)),
    ],
)
def test_addresses(address: str, expected: tuple[str, int, bool]) -> None:
    assert parsed(address) == expected


@pytest.mark.parametrize(
    "address", ["host:8786", "http://host:8786", "tcp://host", "tcp://:1", "tcp://host:x", "tcp"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="Expected one like tcp://host:8786"):
        parsed(address)


def test_a_worker_with_another_version_is_named() -> None:
    check_identities({"tcp://a:1": ("1.0", "x")}, ("1.0", "x"))
    for other in (("0.9", "y"), ("1.0", "y")):
        with pytest.raises(
            UsageError, match=f"worker tcp://b:1 has Sentence Reports {other[0]} with other code"
        ):
            check_identities({"tcp://a:1": ("1.0", "x"), "tcp://b:1": other}, ("1.0", "x"))
    with pytest.raises(UsageError, match=r"ModuleNotFoundError: no package.*Install version 1.0"):
        check_identities({"tcp://b:1": ModuleNotFoundError("no package")}, ("1.0", "x"))


def test_without_a_scheduler_nothing_of_dask_is_imported() -> None:
    code = "import sys, sentence_reports.cli, sentence_reports.cluster.connection; "
    code += "print({'dask', 'distributed'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("by_option", [True, False])
def test_the_scheduler_is_named_by_an_option_or_a_variable(
    by_option: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "mine.yaml").write_text("sentences: [One, Two]\n")
    if not by_option:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "nonsense")
    words = ["--scheduler", "nonsense"] if by_option else []
    assert main(["run", "--project", str(tmp_path), *words]) == 2
    assert "'nonsense' is not the address of a scheduler" in capsys.readouterr().err


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'sentence-reports\[dask\]'"):
        connect("tcp://127.0.0.1:1")


def test_the_number_of_workers_is_said_when_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(bar=False)
    for total, busy in ((1, 0), (2, 1), (2, 2), (1, 1)):
        teller.workers(total, busy)
    assert capsys.readouterr().err.splitlines() == ["1 worker", "2 workers", "1 worker"]


def test_what_a_workers_event_loop_imports_is_light() -> None:
    """Dask imports the module of a function that it is sent in the event loop, which then answers nobody."""
    code = "import sys, sentence_reports.cluster.connection, sentence_reports.cluster.worker; "
    code += "print({'nbformat', 'papermill', 'pandas', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
