"""Runs of sets that have their texts in a file: the files that they leave, and what makes them again."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from support import Notes, Ran

from sentence_reports import cli
from sentence_reports.output_folder import LOCK, clean
from sentence_reports.ownership import STATE
from sentence_reports.pipeline import ROW_BYTES, default_jobs, run
from sentence_reports.prepare import prepare_job
from sentence_reports.preview import Maker, Site
from sentence_reports.project import Project
from sentence_reports.report import WRITTEN, Options, Report
from sentence_reports.sets import read_set
from sentence_reports.sets.folder import find_sets

# A collection in few words: what it reads and writes is real.
CELLS = [
    "title = ''\ndescription = ''\ntexts = None\nmodel = ''\nfallback_model = None",
    "exec(description if description.startswith('#run') else '')",
    """
import csv
import os
from pathlib import Path
import numpy as np
from sentence_reports.models import kernel_device
from sentence_reports.report import EMBEDDINGS
from sentence_reports.sets import SentenceSet
found = SentenceSet(texts=texts).collected()
with open("collection.csv", "w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows([("number", "text"), *zip(found.rows, found.texts)])
Path("collection.neighbours.csv").write_text(f"number,rank\\n1,{len(found.texts)}\\n")
if os.environ.get(EMBEDDINGS):
    np.save("collection.npy", np.ones((len(found.texts), 2), dtype="f4"))
""",
    """
from sentence_reports.facts import STEPS, Baseline, ModelFacts
from sentence_reports.summary import CollectionSummary
from sentence_reports.collected_summary import MapFacts
facts = ModelFacts(name=model, revision=None, source="folder", sha256="0" * 64, dimension=2, max_tokens=8,
                   pooling="mean", normalizes=True, parameters=2, size_bytes=8, dtype="float32", device=kernel_device())
CollectionSummary(
    settings=dict(title=title, description=description), finding=(f"{len(found.texts)} texts.",), notices=(),
    versions={}, file=texts["file"], sha256=found.sha256, column=None, limit=None, total=found.total,
    distinct=len(found.texts), copies=len(found.copies), empty=found.empty, too_long=len(found.too_long), repeated=(),
    repeated_count=0, model=facts, baseline=Baseline("k", "m", 10, (0.0,) * (STEPS + 1)),
    cut=None, unreadable=None, topics=(), topic_count=0, resolution=1.0, aim=None, least=1, unassigned=0,
    stop_words=None, duplicates=(), duplicate_groups=0, duplicate_texts=0, numbered=(), numbered_groups=0,
    numbered_texts=0, loners=(), loner_count=0,
    representatives=(), covered=0.0, covered_by_chance=0.0, group_table=None, claims=(), queries=(), query_count=0,
    map=MapFacts("two principal components", 0.5, 0))
""",
]
Make = Callable[..., tuple[Report, Notes]]


@pytest.fixture
def project(tiny_notebook: Path) -> Project:
    """A project with a tiny notebook for collections."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, tiny_notebook.with_name("collection.ipynb"))
    found = Project(tiny_notebook.parents[1])
    found.params.mkdir()
    return found


@pytest.fixture
def run_one(project: Project, request: pytest.FixtureRequest) -> Make:
    """Run the one set of the project."""

    def run_it(**options: Any) -> tuple[Report, Notes]:
        notes, plain = Notes(), Options(project, project.reports, cold=True)
        kernels = request.getfixturevalue("warm_kernels")
        (report,) = run(find_sets(project.params), replace(plain, **options), notes, kernels)
        return report, notes

    return run_it


@pytest.fixture
def write(project: Project, tiny: Path) -> Callable[..., Path]:
    """Write the set, and its file of texts if there are any."""

    def write_it(*texts: str, **keys: Any) -> Path:
        source = {"texts": {"file": "texts/mine.csv"}} if "sentences" not in keys else {}
        path = project.params / "mine.yaml"
        path.write_text(json.dumps({"model": str(tiny), "fallback_model": None} | source | keys))
        if texts:
            (project.params / "texts").mkdir(exist_ok=True)
            (project.params / "texts" / "mine.csv").write_text("\n".join(("text", *texts, "")))
        return path

    return write_it


def names(project: Project) -> set[str]:
    return {path.name for path in project.reports.iterdir()} - {STATE, LOCK, "index.html"}


PAGE = {"mine.html", "mine.ipynb", "mine.csv", "mine.neighbours.csv"}


def test_a_run_publishes_the_tables_that_the_notebook_wrote(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    write("one", "two", "two", "three")
    report, notes = run_one()
    assert (report.failure, notes.failures) == (None, [])
    assert names(project) == PAGE
    with (project.reports / "mine.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["number", "text"], ["1", "one"], ["2", "two"], ["4", "three"]]
    assert (project.reports / "mine.neighbours.csv").read_text() == "number,rank\n1,3\n"
    assert (report.n, report.closest, report.finding) == (4, None, ("3 texts.",))
    page = (project.reports / "mine.html").read_text(encoding="utf-8")
    assert "3 texts." in page
    assert "texts/mine.csv" in page
    assert run_one()[1].ran == []


@pytest.mark.parametrize("lost", [*WRITTEN][:2])
def test_a_lost_table_is_made_again(
    lost: str, project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    write("one", "two")
    run_one()
    (project.reports / f"mine{lost}").unlink()
    assert run_one()[1].ran == ["mine"]
    assert names(project) == PAGE


def test_embeddings_are_made_if_asked_for_and_leave_with_the_texts_they_are_of(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    write("one", "two")
    run_one()
    assert run_one(embeddings=True)[1].ran == ["mine"]
    assert names(project) == PAGE | {"mine.npy"}
    assert np.load(project.reports / "mine.npy").shape == (2, 2)
    assert run_one(embeddings=True)[1].ran == []
    assert run_one()[1].ran == []
    write("one", "two", "three")
    assert run_one()[1].ran == ["mine"]
    assert names(project) == PAGE


def test_files_of_somebody_else_are_left_alone(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    write("one", "two")
    project.reports.mkdir()
    theirs = project.reports / "mine.npy"
    theirs.write_text("theirs")
    assert run_one()[0].failure is None
    report, _ = run_one(embeddings=True)
    assert "mine.npy exists and was not made by Sentence Reports" in str(report.failure)
    write("one", "three")
    assert run_one()[0].failure is None
    (project.reports / "mine.neighbours.csv").write_text("theirs")
    report, _ = run_one(force=True)
    assert "mine.neighbours.csv exists and was not made by" in str(report.failure)
    clean(project.reports)
    assert names(project) == {"mine.npy", "mine.neighbours.csv"}


def test_a_set_that_changes_its_kind_leaves_no_table_of_the_other(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    write("one", "two")
    run_one(embeddings=True)
    write(sentences=["one", "two", "tone"])
    assert run_one()[0].failure is None
    assert names(project) == {"mine.html", "mine.ipynb", "mine.csv"}
    write("one", "two")
    assert run_one()[0].failure is None
    assert names(project) == PAGE


def test_all_files_are_cleaned(project: Project, write: Callable[..., Path], run_one: Make) -> None:
    write("one", "two")
    run_one(embeddings=True)
    clean(project.reports)
    assert list(project.reports.iterdir()) == []


def test_a_lost_state_is_made_up_for_by_the_same_tables(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    write("one", "two")
    run_one()
    (project.reports / STATE).unlink()
    report, notes = run_one()
    assert (report.failure, notes.ran) == (None, ["mine"])


def test_a_notebook_that_does_not_write_its_tables_fails(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    write("one", "two", description="#run\nimport os\nos.mkdir('x')\nos.chdir('x')")
    report, _ = run_one()
    assert (
        report.failure
        == "the notebook of a collection must write collection.csv and collection.neighbours.csv"
    )


# --- the file of texts ------------------------------------------------------------------------------------------


def test_texts_that_change_are_another_report(write: Callable[..., Path], run_one: Make) -> None:
    write("one", "two")
    run_one()
    write("one", "too")
    assert run_one()[1].ran == ["mine"]
    write("one", "too")  # at another time
    assert run_one()[1].ran == []


def test_a_file_that_is_gone_or_wrong_is_told_and_keeps_the_last_report(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    write("one", "two")
    run_one()
    write("one")
    report, notes = run_one()
    assert "a set needs at least 2 different texts; found 1 in 1 row" in str(report.failure)
    assert [warning for warning in notes.warnings if "2 different texts" in warning]
    (project.params / "texts" / "mine.csv").unlink()
    report, notes = run_one()
    assert "no such file" in str(report.failure)
    assert names(project) == PAGE


def test_a_file_that_changes_before_the_kernel_reads_it_is_a_failure(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    file = project.params / "texts" / "mine.csv"
    write("one", "two", description=f"#run\nopen({str(file)!r}, 'a').write('three\\n')")
    report, _ = run_one()
    assert report.failure == "texts/mine.csv: the file changed since the run began. Run again."


def test_rows_that_are_left_out_are_told_and_on_the_page(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    path = write("one", '""', "two")
    _, notes = run_one()
    told = "`texts.file` has rows that are left out: 1 without text."
    assert [warning for warning in notes.warnings if warning.endswith(told)] == notes.warnings[:1]
    notebook = nbformat.read(project.reports / "mine.ipynb", as_version=4)
    assert notebook.metadata["sentence_reports"]["warnings"][0].endswith(told)
    assert run_one()[1].warnings == []
    assert read_set(path).n == 3


def test_the_job_does_not_carry_the_texts_and_the_limits_grow_with_them(
    project: Project, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_file = read_set(write(*(f"text {k}" for k in range(10_000))))
    job = prepare_job(set_file, project, embeddings=True)
    assert len(repr(job)) < 20_000
    assert (job.timeout, job.tables) == (900 + 2000, (".csv", ".neighbours.csv", ".npy"))
    assert prepare_job(set_file, project, timeout=5).timeout == 5
    kernels = type("Cold", (), {"server": None})()
    plenty = type("Memory", (), {"available": 100 * 1_500_000_000})
    monkeypatch.setattr("psutil.virtual_memory", lambda: plenty)
    monkeypatch.setattr("sentence_reports.process.cores", lambda: 1000)
    assert default_jobs(kernels, [job]) == 150_000_000_000 // (1_500_000_000 + 10_000 * ROW_BYTES) < 100
    assert default_jobs(kernels, []) == 100


# --- the device -------------------------------------------------------------------------------------------------


def test_the_device_reaches_the_kernel_and_makes_a_report_stale(
    project: Project, write: Callable[..., Path], run_one: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("one", "two")
    run_one()
    report, notes = run_one(device="mps")  # which this machine lacks: the kernel says so
    assert notes.ran == ["mine"]
    assert "the device 'mps' is not there" in str(report.failure)


def test_a_device_that_is_not_there_is_told_before_anything_starts(
    project: Project,
    write: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write("one", "two")
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert cli.main(["run", "--device", "cuda"]) == 2
    assert capsys.readouterr().err.startswith("sentence-reports: the device 'cuda' is not there: PyTorch ")
    assert not project.reports.exists()


def test_a_walkthrough_runs_on_the_processor_whatever_the_device(
    project: Project, write: Callable[..., Path], run_one: Make
) -> None:
    path = write(sentences=["one", "two", "tone"])
    assert prepare_job(read_set(path), project, device="cuda").device == "cpu"
    run_one()
    assert run_one(device="mps")[1].ran == []


def test_the_command_line_asks_for_embeddings_and_tells_the_finding(
    project: Project,
    write: Callable[..., Path],
    call: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("one", "two", "two")
    monkeypatch.chdir(project.folder)
    told = call("run", "--embeddings", "--junit", "results.xml", "--markdown", "results.md")
    assert told.code == 0
    assert names(project) == PAGE | {"mine.npy"}
    assert told.stdout.split("\t")[2:4] == ["3", "2 texts."]
    assert "<system-out>2 texts.</system-out>" in Path("results.xml").read_text()
    assert "| 3 |  | 2 texts. |" in Path("results.md").read_text()


# --- preview ----------------------------------------------------------------------------------------------------


def test_the_files_of_texts_are_watched_wherever_they_are_and_also_while_they_are_gone(
    project: Project, write: Callable[..., Path]
) -> None:
    write("one", "two")
    maker = Maker([project.params], Options(project, project.reports), Notes(), Site(project.reports))
    file = project.params / "texts" / "mine.csv"
    assert list(maker.named_files().values()) == [[file]]
    file.unlink()
    assert list(maker.named_files().values()) == [[file]]
