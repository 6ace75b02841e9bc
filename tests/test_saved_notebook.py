"""Executed notebooks on disk: what can be read, and what is refused with a reason."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from support import ROOT, executed, small_comparison, small_search, small_summary

from sentence_reports.errors import UsageError
from sentence_reports.saved_notebook import read_saved
from sentence_reports.summary import METADATA, MIME


def save(path: Path, notebook: nbformat.NotebookNode) -> Path:
    nbformat.write(notebook, path)
    return path


def edited(path: Path, **changes: Any) -> Path:
    """A report's notebook whose summary has these changes; None removes a field."""
    notebook = executed()
    (output,) = notebook.cells[-1].outputs
    for name, value in changes.items():
        if value is None:
            del output.data[MIME][name]
        else:
            output.data[MIME][name] = value
    return save(path, notebook)


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_saved(path)
    return str(caught.value)


def test_a_report_is_read_as_it_was_saved(tmp_path: Path) -> None:
    saved = read_saved(save(tmp_path / "a.ipynb", executed(stem="mine")))
    assert saved.summary == small_summary()
    assert saved.facts
    assert (saved.facts.stem, saved.facts.date) == ("mine", "2026-01-02")


def test_a_notebook_run_by_other_means_has_no_stem(tmp_path: Path) -> None:
    notebook = executed()
    del notebook.metadata[METADATA]
    assert read_saved(save(tmp_path / "a.ipynb", notebook)).facts is None


def test_what_earlier_summaries_lack_is_filled_in(tmp_path: Path) -> None:
    old = edited(tmp_path / "a.ipynb", finding=None, claims=None, order=None, kind=None, notices=None)
    summary = read_saved(old).summary
    assert (summary.kind, summary.finding, summary.order) == ("walkthrough", (), (0, 1, 2))


def test_what_cannot_be_filled_in_is_named(tmp_path: Path) -> None:
    text = refusal(edited(tmp_path / "old.ipynb", baseline=None))
    assert (
        "old.ipynb: it was made by another version of Sentence Reports; its summary lacks baseline." in text
    )
    assert "Make the report again" in text


def test_files_that_are_no_notebook(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    assert refusal(path) == f"cannot read {path}: No such file or directory"
    assert refusal(tmp_path) == f"cannot read {tmp_path}: Is a directory"
    for data, reason in (
        (b"", "line 1, column 1: not valid JSON: Expecting value"),
        (b'{"cells": [\n  {"a": 1,}', "line 2, column 11: not valid JSON: "),
        (b"\xff\xfe\x00", "not valid JSON: "),
        (b"[" * 100_000, "not valid JSON: "),
        (b"[]", "is not a notebook: expected a JSON object with a list of cells"),
        (b'{"cells": 1}', "is not a notebook: expected a JSON object with a list of cells"),
        (b'{"worksheets": []}', "is not a notebook: expected a JSON object with a list of cells"),
    ):
        path.write_bytes(data)
        assert reason in refusal(path)
        assert str(path) in refusal(path)


def test_a_notebook_that_was_not_executed() -> None:
    text = refusal(ROOT / "notebooks" / "walkthrough.ipynb")
    assert "walkthrough.ipynb was not executed. Expected the notebook that" in text


def test_a_notebook_of_another_project(tmp_path: Path) -> None:
    output = nbformat.v4.new_output("stream", text="hello")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print()", outputs=[output])])
    text = refusal(save(tmp_path / "a.ipynb", notebook))
    assert "has no summary of Sentence Reports in its outputs" in text


def test_a_notebook_that_failed(tmp_path: Path) -> None:
    error = nbformat.v4.new_output("error", ename="E", evalue="v", traceback=[])
    text = refusal(save(tmp_path / "a.ipynb", executed(error)))
    assert "did not run to completion" in text


def test_a_search(tmp_path: Path) -> None:
    text = refusal(save(tmp_path / "a.ipynb", executed(summary=small_search())))
    assert "is a report of another kind (search)" in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sentences": 5}, "its summary is damaged, or from another version: sentences"),
        ({"model": {"name": 1}}, "its summary lacks model.revision"),
        ({"kind": ["x"]}, "another kind"),
        ({"legend": "x"}, "its summary is damaged, or from another version: legend"),
        ({"baseline": {"key": "k", "model": "m", "pairs": 1, "quantiles": [1.0]}}, "not 1,001 quantiles"),
    ],
)
def test_damaged_summaries(changes: dict[str, Any], reason: str, tmp_path: Path) -> None:
    assert reason in refusal(edited(tmp_path / "a.ipynb", **changes))


def test_a_damaged_baseline_in_a_comparison(tmp_path: Path) -> None:
    notebook = executed(summary=small_comparison())
    (output,) = notebook.cells[-1].outputs
    assert read_saved(save(tmp_path / "a.ipynb", notebook)).summary == small_comparison()
    output.data[MIME]["columns"][1]["baseline"]["quantiles"] = [1.0]
    assert "not 1,001 quantiles" in refusal(save(tmp_path / "a.ipynb", notebook))


def test_cells_and_outputs_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [1, {"outputs": 2}, {"outputs": [3, {"data": 4}]}], "metadata": 5}))
    assert "has no summary" in refusal(path)
    good = json.loads(edited(path).read_text())
    path.write_text(json.dumps(good | {"metadata": [1]}))
    assert read_saved(path).facts is None


def test_reading_loads_no_library_of_notebooks_or_models(tmp_path: Path) -> None:
    save(tmp_path / "a.ipynb", executed())
    code = (
        "import sys; from sentence_reports.cli import main; code = main(['diff', 'a.ipynb', 'a.ipynb']);"
        "slow = {'nbformat', 'nbconvert', 'papermill', 'torch', 'sentence_transformers', 'scipy', 'matplotlib'};"
        "print(code, sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0 []\n"
