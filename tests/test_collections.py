"""A set whose texts are in a file, from `check` to the kernel that reads them."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from support import Ran

from sentence_reports import cli
from sentence_reports.lab import prepare
from sentence_reports.make import make_report
from sentence_reports.prepare import prepare_job
from sentence_reports.project import Project
from sentence_reports.report import Failed
from sentence_reports.sets import read_set
from sentence_reports.stale import set_digest

SET = (
    'title: T\nmodel: sentence-transformers/all-MiniLM-L6-v2\ntexts:\n  file: "texts.csv"\n  column: "text"\n'
)
TELLING = """\
from sentence_reports.sets import SentenceSet
found = SentenceSet(texts=texts).collected()
raise RuntimeError(found.texts)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a set of three texts, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("params").mkdir()
    Path("params", "mine.yaml").write_text(SET)
    Path("params", "texts.csv").write_text("text\na\nb\n\nb\n")
    return Project(tmp_path)


def add_notebook(project: Project, *sources: str) -> None:
    """Give the project a notebook of its own for collections."""
    notebook = new_notebook(cells=[new_code_cell(source, id=f"c{k}") for k, source in enumerate(sources)])
    notebook.cells[0].metadata.tags = ["parameters"]
    folder = project.folder / "notebooks"
    folder.mkdir()
    nbformat.write(notebook, folder / "collection.ipynb")


@pytest.mark.usefixtures("project")
def test_check_counts_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().err == "params/mine.yaml: 3 rows in texts.csv\n1 set is valid\n"
    Path("params", "texts.csv").write_text('text,n\na,1\n"",2\nb,3\n')
    assert cli.main(["check"]) == 0
    warned = capsys.readouterr().err.splitlines()
    assert warned[0] == (
        "params/mine.yaml, line 4, column 3: `texts.file` has rows that are left out: 1 without text. (warning)"
    )
    Path("params", "texts.csv").write_text("txt\na\n")
    assert cli.main(["check"]) == 1
    assert capsys.readouterr().err.splitlines()[0] == (
        "params/mine.yaml, line 4, column 3: `texts.file` cannot be used: params/texts.csv: it has no column "
        '"text" (did you mean "txt"?). The columns are "txt".'
    )


@pytest.mark.usefixtures("project")
def test_a_set_that_fails_does_not_keep_a_collection_from_being_made(call: Callable[..., Ran]) -> None:
    Path("params", "other.yaml").write_text("sentences: [one, two]\nmodel: m\nfallback_model: null\n")
    done = call("run")
    assert done.code == 1
    assert "1 made, 0 up to date, 1 failed." in done.stderr
    assert Path("reports", "mine.html").is_file()
    assert "Traceback" not in done.stderr
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["mine", "other"]


def test_a_changed_file_makes_the_set_stale(project: Project, tiny_notebook: Path) -> None:
    def digest() -> str:
        return set_digest("code", read_set(project.params / "mine.yaml"), tiny_notebook)

    before = digest()
    assert digest() == before
    Path("params", "texts.csv").write_text("text\na\nB\n\nb\n")
    assert digest() != before


def test_the_kernel_reads_the_file_from_the_folder_of_the_set(project: Project) -> None:
    add_notebook(project, "texts = None", TELLING)
    job = prepare_job(read_set(Path("params", "mine.yaml")), project, date="2026-01-01")
    assert (job.n, job.folder) == (3, str(project.params))
    failed = make_report(job)
    assert isinstance(failed, Failed)
    assert "RuntimeError: ('a', 'b')" in failed.reason
    Path("params", "texts.csv").unlink()
    failed = make_report(job)
    assert isinstance(failed, Failed)
    assert "texts.csv: no such file. Nothing in its folder has a similar name." in failed.reason
    assert str(project.folder) not in failed.reason
    assert str(project.folder) not in (failed.notebook or b"").decode()


def test_the_folder_of_a_set_of_sentences_is_not_handed_over(project: Project) -> None:
    path = Path("params", "other.yaml")
    path.write_text("sentences: [one, two]\nmodel: sentence-transformers/all-MiniLM-L6-v2\n")
    assert prepare_job(read_set(path), project).folder == ""


def test_jupyterlab_gets_the_absolute_file(project: Project) -> None:
    add_notebook(project, "texts = None")
    copy = prepare(project, Path("params", "mine.yaml"), Path("copies"))
    assert json.dumps(str(project.params / "texts.csv")) in "".join(
        cell.source.replace("'", '"') for cell in nbformat.read(copy, as_version=4).cells
    )
