"""Temporary folders: whose they are, and that only what nobody uses any more is removed."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sentence_reports.scratch import PREFIX, remove_abandoned, scratch_folder

HOLD = """
from sentence_reports.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "file").write_text("x")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_folder_is_private_and_goes_with_its_block(temporary: Path) -> None:
    with scratch_folder() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "below").mkdir()
        (folder / "below" / "file").write_text("x")
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_one_holds_is_not(temporary: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        held = Path(other.stdout.readline().decode().strip())
        with scratch_folder() as own:
            remove_abandoned()
            assert own.is_dir()
            assert (held / "file").is_file()
            other.kill()
            other.wait()
            assert (held / "file").is_file()
            remove_abandoned()
            assert list(temporary.iterdir()) == [own]


def test_what_is_not_ours_stays(temporary: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x")
    (temporary / f"{PREFIX}link").symlink_to(elsewhere)
    (temporary / f"{PREFIX}file").write_text("x")
    (temporary / "another").mkdir()
    before = sorted(temporary.iterdir())
    remove_abandoned()
    assert sorted(temporary.iterdir()) == before
    assert (elsewhere / "file").is_file()


def test_a_folder_that_is_just_being_made_is_never_taken_for_an_abandoned_one(temporary: Path) -> None:
    over = threading.Event()

    def sweep() -> None:
        while not over.is_set():
            remove_abandoned()

    sweepers = [threading.Thread(target=sweep) for _ in range(3)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        for _ in range(300):
            with scratch_folder() as folder:
                (folder / "file").write_text("x")
    finally:
        over.set()
        for sweeper in sweepers:
            sweeper.join()
    assert list(temporary.iterdir()) == []
