"""Sets with several models: what a run finds, makes, and says if a model cannot be had."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
from support import Notes, Ran, edit

from sentence_reports import models, prepare
from sentence_reports.errors import UsageError
from sentence_reports.models.baseline import sentences
from sentence_reports.output_folder import OutputFolder
from sentence_reports.pipeline import run
from sentence_reports.prepare import named_model
from sentence_reports.project import Project
from sentence_reports.report import Options, Report
from sentence_reports.results import junit, markdown
from sentence_reports.sets.folder import find_sets
from sentence_reports.summary import ComparisonSummary, read_summary

# The comparison in few words: what it finds, encodes and publishes is real.
CELLS = [
    "title = ''\ndescription = ''\nsentences = []\nmodels = []\nnormalize = True\nexpect = None",
    """
from sentence_reports.errors import ModelError
from sentence_reports.models import find_model, run_model
from sentence_reports.sets import SentenceSet
runs, missing = [], {}
for choice in SentenceSet(sentences=sentences, models=models).choices:
    try:
        runs.append(run_model(find_model(*choice.request), choice, sentences, normalize=normalize))
    except ModelError as error:
        missing[choice.label] = str(error)
""",
    """
from sentence_reports.comparison import rank_pairs, spearman, spearman_by_chance, upper
from sentence_reports.overview import pack
from sentence_reports.facts import Legend
from sentence_reports.summary import Column, ComparisonSummary, Likeness
pairs = [upper(run.embeddings @ run.embeddings.T) for run in runs]
places = [rank_pairs(values) for values in pairs]
columns = [Column(run.label, run.facts, run.baseline, pack(values), pack(rank_pairs(values)))
           for run, values in zip(runs, pairs)]
ComparisonSummary(
    settings=dict(title=title, description=description, normalize=normalize), sentences=tuple(sentences),
    labels=tuple(sentences), groups=None, finding=(f"{runs[0].label} meets 0 of {len(expect or ())} claims.",),
    notices=(), legend=Legend(low=0, high=1, scale='', ramp=('#ffffff', '#000000')), versions={},
    order=tuple(range(len(sentences))), columns=tuple(columns), missing=tuple(missing.items()),
    likenesses=tuple(Likeness(i, j, spearman(places[i], places[j]), spearman_by_chance(places[i], places[j], 3), ())
                     for j in range(len(runs)) for i in range(j)))
""",
]

Make = Callable[..., tuple[dict[str, Report], Notes]]


@pytest.fixture
def project(tiny_notebook: Path) -> Project:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, tiny_notebook.with_name("comparison.ipynb"))
    found = Project(tiny_notebook.parents[1])
    found.params.mkdir()
    return found


@pytest.fixture
def make(project: Project, request: pytest.FixtureRequest) -> Make:
    def run_all(**options: Any) -> tuple[dict[str, Report], Notes]:
        notes, plain = Notes(), Options(project, project.reports, timeout=120.0, cold=True)
        kernels = request.getfixturevalue("warm_kernels")
        reports = run(find_sets(project.params), replace(plain, **options), notes, kernels)
        return {report.stem: report for report in reports}, notes

    return run_all


def write(project: Project, stem: str, **keys: Any) -> None:
    texts = {"sentences": ["the cat sat", "on the mat", "the mat sat"]}
    (project.params / f"{stem}.yaml").write_text(json.dumps(texts | keys))


def write_vectors(project: Project, seed: int = 0) -> dict[str, str]:
    generator = np.random.default_rng(seed)
    for name, rows in {"ada.npy": 3, "ada-baseline.npy": len(sentences())}.items():
        np.save(project.params / name, generator.normal(size=(rows, 8)).astype("f4"))
    return {"file": "ada.npy", "baseline": "ada-baseline.npy"}


def published(project: Project, stem: str) -> ComparisonSummary:
    summary = read_summary(nbformat.read(project.reports / f"{stem}.ipynb", as_version=4))
    assert isinstance(summary, ComparisonSummary)
    return summary


def test_a_set_with_models_becomes_a_comparison(project: Project, make: Make, tiny: Path) -> None:
    own = {"model": str(tiny), "truncate_dim": 8}
    write(project, "all", models=[str(tiny), own, "tf-idf", {"vectors": write_vectors(project)}], expect=[])
    write(project, "all", models=[str(tiny), own, "tf-idf", {"vectors": write_vectors(project)}])
    reports, notes = make()
    report, summary = reports["all"], published(project, "all")
    labels = ["tiny", "tiny, 8 dimensions", "tf-idf", "ada"]
    assert report.failure is None
    assert [column.label for column in summary.columns] == labels
    assert [column.model.dimension for column in summary.columns][:2] == [32, 8]
    assert [column.model.source for column in summary.columns] == ["folder", "folder", "this set", "file"]
    assert report.model == "tiny, “tiny, 8 dimensions”, tf-idf, ada"
    assert (report.labels, report.n, report.closest, report.missing) == (tuple(labels), 3, None, ())
    assert report.finding == ("tiny meets 0 of 0 claims.",)
    assert report.checks == ()
    announced = [warning for warning in notes.warnings if "computing this model's baseline" in warning]
    assert len(announced) == 2  # the other two bring theirs
    header = next(csv.reader((project.reports / "all.csv").read_text(encoding="utf-8").splitlines()))
    assert header[:4] == ["first", "second", "first text", "second text"]
    assert "tiny, 8 dimensions rank" in header
    assert make()[1].ran == []
    with OutputFolder.opened(project.reports, "", lambda _: None) as output:
        assert output.reports["all"] == report


def test_a_model_that_is_not_there_is_a_column_that_failed(project: Project, make: Make, tiny: Path) -> None:
    later = project.folder / "later"
    write(project, "some", models=[str(tiny), "../later", "tf-idf"])
    report, summary = make()[0]["some"], published(project, "some")
    assert [column.label for column in summary.columns] == ["tiny", "tf-idf"]
    ((label, reason),) = summary.missing
    assert label == "later"
    assert reason.startswith("model '../later': no such folder")
    assert (report.failure, report.model, report.missing) == (None, "tiny, tf-idf", ("later",))
    assert make()[1].ran == []
    assert make(strict=True)[1].ran == ["some"]  # a run with --strict looks for it again
    write(project, "other", models=[str(tiny), "tf-idf"])
    assert make()[1].ran == ["other"]
    later.symlink_to(tiny)
    (project.params / "other.yaml").unlink()
    report = make()[0]["some"]
    assert (report.model, report.missing) == ("tiny, later, tf-idf", ())


def test_a_model_that_was_missing_is_looked_for_when_anything_is_made(
    project: Project, make: Make, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_yet(*request: Any, folder: Path) -> models.FoundModel:
        if request[0] == str(tiny) and not here:
            raise models.find.ModelError("not yet")
        return models.find_model(*request, folder=folder)

    here: list[bool] = []
    monkeypatch.setattr(prepare, "find_model", not_yet)
    vectors = {"vectors": write_vectors(project)}
    write(project, "some", models=[str(tiny), vectors, "tf-idf"])
    assert make()[0]["some"].missing == ("tiny",)
    write(project, "other", models=[vectors, "tf-idf"])
    assert make()[1].ran == ["other"]
    here.append(True)
    write(project, "other", models=["tf-idf", vectors])
    reports, notes = make()
    assert sorted(notes.ran) == ["other", "some"]
    assert reports["some"].missing == ()


def test_what_does_not_fit_a_model_is_a_column_that_failed(project: Project, make: Make, e5: Path) -> None:
    wrong = {"model": str(e5), "truncate_dim": 99, "label": "long"}
    named = {"model": str(e5), "prompt": "question", "label": "asks"}
    write(project, "some", models=[{"model": str(e5), "prompt": "query"}, wrong, named, "tf-idf"])
    report, summary = make()[0]["some"], published(project, "some")
    assert [column.model.prompt for column in summary.columns] == ["query: ", ""]
    reasons = dict(summary.missing)
    assert set(reasons) == {"long", "asks"}
    assert reasons["long"].startswith("`truncate_dim` is 99, but the embeddings of ")
    assert "declares no prompt with the name 'question'" in reasons["asks"]
    assert report.missing == ()  # it was found: looking for it again would change nothing


def test_fewer_than_two_models_fail_with_all_reasons(project: Project, make: Make, e5: Path) -> None:
    write(project, "one", models=["tf-idf", "./a", {"model": str(e5), "truncate_dim": 99}])
    write(project, "none", models=["./a", "./b"])
    reports, notes = make()
    assert sorted(notes.ran) == ["none", "one"]
    first, *reasons = str(reports["one"].failure).splitlines()
    assert first == "A comparison needs two of its 3 models, and only one of them can be used."
    assert [reason.partition(" ")[0] for reason in reasons] == ["a:", "my"]
    assert "model './a': no such folder" in reasons[0]
    assert "`truncate_dim` is 99" in reasons[1]
    assert str(reports["none"].failure).startswith(
        "A comparison needs two of its 2 models, and none of them can be used.\na: "
    )
    assert not (project.reports / "failed").exists()  # no notebook ran


def test_each_model_is_found_once_for_all_sets(
    project: Project, make: Make, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def find(model: str, *rest: Any, folder: Path) -> models.FoundModel:
        asked.append(model)
        return models.find_model(model, *rest, folder=folder)

    monkeypatch.setattr(prepare, "find_model", find)
    write(project, "two", models=[str(tiny), {"model": str(tiny), "truncate_dim": 8}, "tf-idf"])
    write(project, "three", models=[str(tiny), "tf-idf", "./none"])
    write(project, "plain", model=str(tiny), fallback_model=None)
    make()
    assert sorted(asked) == ["./none", str(tiny), "tf-idf"]


@pytest.mark.parametrize("name", ["ada.npy", "ada-baseline.npy"])
def test_changed_vectors_make_their_set_stale(project: Project, make: Make, name: str) -> None:
    vectors = write_vectors(project)
    write(project, "some", models=[{"vectors": vectors}, "tf-idf"])
    write(project, "same", models=[{"vectors": vectors, "label": "other"}, "tf-idf"])
    make()
    (project.params / "same.yaml").unlink()
    assert make()[1].ran == []
    np.save(project.params / name, np.load(project.params / name)[:, ::-1])
    assert make()[1].ran == ["some"]


def test_a_changed_model_folder_makes_a_comparison_stale(project: Project, make: Make, model: Path) -> None:
    write(project, "some", models=[str(model), "tf-idf"])
    make()
    assert make()[1].ran == []
    edit(model / "config_sentence_transformers.json", prompts={"query": "query: "})
    assert make()[1].ran == ["some"]


def test_another_model_for_all_sets_is_an_error_of_each_comparison(
    project: Project, make: Make, tiny: Path
) -> None:
    write(project, "some", models=[str(tiny), "tf-idf"])
    write(project, "plain", model="no/model")
    reports, _ = make(model=str(tiny))
    assert reports["plain@tiny"].failure is None
    assert str(reports["some@tiny"].failure).endswith(
        "this set compares several models, so --model does not apply. Name the other sets, or run without --model."
    )


def test_tf_idf_cannot_run_alone() -> None:
    with pytest.raises(UsageError, match=r"^--model tf-idf cannot run alone"):
        named_model("tf-idf")


def test_the_command_line_tells_what_came_out_and_claims_do_not_gate(
    call: Callable[..., Ran], project: Project, tiny: Path, tmp_path: Path
) -> None:
    write(
        project, "some", models=[str(tiny), "tf-idf", "./none"], expect=[{"closer": [1, 2], "than": [1, 3]}]
    )
    words = (
        "run",
        "--project",
        project.folder,
        "--junit",
        tmp_path / "j.xml",
        "--markdown",
        tmp_path / "m.md",
    )
    ran = call(*words)
    assert ran.code == 0, ran.stderr
    fields = ran.stdout.rstrip("\n").split("\t")
    assert fields[:4] == ["some", '["tiny", "tf-idf"]', "3", "tiny meets 0 of 1 claims."]
    suite = ElementTree.parse(tmp_path / "j.xml").find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "0")
    assert suite.findtext("system-out") == "tiny meets 0 of 1 claims."
    assert "| some | tiny, tf-idf | 3 |  | tiny meets 0 of 1 claims. |" in (tmp_path / "m.md").read_text()
    again = call(*words)
    assert (again.code, again.stdout) == (0, "")
    assert again.stderr.startswith("Nothing to do: 1 report is up to date.\n")
    checked = call("check", "--project", project.folder)
    assert (checked.code, checked.stderr) == (0, "1 set is valid\n")


def test_results_of_a_comparison_that_failed() -> None:
    failed = Report("s", "T", "s.yaml", "a, b", 3, failure="A comparison needs two\na: gone\nb: gone")
    assert 'message="A comparison needs two"' in junit([failed], "2026-01-02")
    assert "**s**: A comparison needs two a: gone b: gone" in markdown([failed])
