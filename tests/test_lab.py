"""The copy of the notebook that ``make lab`` opens."""

import subprocess

import nbformat
import pytest
from conftest import ROOT

from sentence_reports import lab
from sentence_reports.errors import SetError


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
    copy = lab.prepare("blog")
    known = subprocess.run(["git", "check-ignore", "-q", str(copy)], cwd=ROOT, check=False)
    assert known.returncode == 0


def test_a_set_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SetError, match=r"no-such-set\.yaml"):
        lab.prepare("no-such-set")
