"""A folder for the set files of a test."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, so that messages call the file by a short name."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
