"""The copy of the notebook that ``make lab`` opens."""

import os
import subprocess
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT

from sentence_reports import lab
from sentence_reports.errors import SetError


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "COPIES", tmp_path)


def test_a_copy_is_opened_again_and_never_written_over() -> None:
    first = lab.prepare("blog")
    first.write_text(first.read_text().replace("Berlin", "Bonn"))
    assert lab.prepare("blog") == first
    os.utime(first, (0, 0))  # older than its set and the notebook
    second = lab.prepare("blog")
    assert second.name == "blog-2.ipynb"
    assert "Bonn" in first.read_text()
    assert lab.prepare("blog") == second


@pytest.mark.parametrize("stem", [None, "blog", "four-topics"])
def test_the_copy_holds_the_sets_values_and_no_output(stem: str | None) -> None:
    notebook = nbformat.read(lab.prepare(stem), as_version=4)
    injected = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert len(injected) == (0 if stem is None else 1)
    if stem == "four-topics":
        assert "Chop the onions and fry them in butter" in injected[0].source
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert notebook.metadata.kernelspec.name == "python3"


def test_the_copy_is_not_seen_by_git() -> None:
    copy = ROOT / "notebooks" / ".lab" / "blog.ipynb"
    known = subprocess.run(["git", "check-ignore", "-q", str(copy)], cwd=ROOT, check=False)
    assert known.returncode == 0


def test_a_set_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SetError, match=r"no-such-set\.yaml"):
        lab.prepare("no-such-set")
