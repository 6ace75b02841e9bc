"""Which notebook makes a set's report, and what a model that wants prompts makes of both kinds of report."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from numpy.typing import NDArray
from support import Notes, command_line

from sentence_reports import models
from sentence_reports.errors import UsageError
from sentence_reports.execution.kernels import Kernels
from sentence_reports.pipeline import run
from sentence_reports.project import Project
from sentence_reports.report import Options, Report
from sentence_reports.sets.folder import find_sets
from sentence_reports.summary import SearchSummary, read_summary

# What makes the tiny notebook one of a search: its "model" compares letters, too.
CHANGES = {
    "parameters": ("sentences =", "queries = None\nsentences ="),
    "matrix": ("for a in letters]", "for a in map(set, queries)]"),
}
SUMMARY = """from sentence_reports.lesson.summary import summarize_search
settings = dict(title=title, description=description, model=model, normalize=normalize)
legend = Legend(low=0, high=1, scale='', ramp=('#ffffff', '#000000'))
summarize_search(queries=queries, query_tokens=[], settings=settings, texts=sentences, labels=sentences, groups=None,
                 model=facts, tokens=[], matrix=matrix, baseline=Baseline('k', 'm', 10, (0.0,) * (STEPS + 1)),
                 legend=legend, versions={})"""


@pytest.fixture
def project(tiny_notebook: Path) -> Project:
    """A project with a tiny notebook for each kind of report."""
    notebook = nbformat.read(tiny_notebook, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(*CHANGES.get(cell.id, ("", "")))
    last = notebook.cells[-1]
    last.source = last.source.split("(closest,)")[0] + SUMMARY
    nbformat.write(notebook, tiny_notebook.with_name("search.ipynb"))
    (tiny_notebook.parents[1] / "params").mkdir()
    return Project(tiny_notebook.parents[1])


@pytest.fixture
def make(project: Project, request: pytest.FixtureRequest) -> Callable[..., tuple[dict[str, Report], Notes]]:
    def run_all(*, own_kernels: bool = False, **options: Any) -> tuple[dict[str, Report], Notes]:
        notes, plain = Notes(), Options(project, project.reports, timeout=60.0, cold=True)
        kernels: Kernels | None = None if own_kernels else request.getfixturevalue("warm_kernels")
        reports = run(find_sets(project.params), replace(plain, **options), notes, kernels)
        return {report.stem: report for report in reports}, notes

    return run_all


def write(project: Project, stem: str, model: Path, **keys: Any) -> None:
    values = {"sentences": ["tone", "cat", "mat"], "model": str(model), "fallback_model": None}
    (project.params / f"{stem}.yaml").write_text(json.dumps(values | keys))


def test_a_set_with_queries_becomes_a_search(project: Project, make: Callable[..., Any], tiny: Path) -> None:
    write(project, "plain", tiny)
    write(project, "search", tiny, queries=["note", "act"])
    reports, _ = make()
    assert {stem: report.failure for stem, report in reports.items()} == {"plain": None, "search": None}
    summary = read_summary(nbformat.read(project.reports / "search.ipynb", as_version=4))
    assert isinstance(summary, SearchSummary)
    assert reports["search"].closest == ("note", "tone", 1.0)
    assert reports["search"].n == 3
    assert len(reports["search"].thumbnail or ()) == 2
    assert reports["search"].finding == (
        "Both queries find a sentence above chance.",
        "“mat” is not the best match of any query.",
    )
    rows = list(csv.DictReader((project.reports / "search.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["query text"], row["rank"], row["text"]) for row in rows[:2]] == [
        ("note", "1", "tone"),
        ("note", "2", "cat"),
    ]
    assert "What each query finds" in (project.reports / "search.html").read_text(encoding="utf-8")
    assert "What each query finds" not in (project.reports / "plain.html").read_text(encoding="utf-8")


def test_a_changed_notebook_makes_only_its_own_sets_stale(
    project: Project, make: Callable[..., Any], tiny: Path
) -> None:
    write(project, "plain", tiny)
    write(project, "search", tiny, queries=["note"])
    make()
    assert make()[1].ran == []
    for name, stems in (("search", ["search"]), ("walkthrough", ["plain"])):
        notebook = project.notebook(name)
        notebook.write_text(notebook.read_text().replace("import numpy as np", "import numpy as np  # !"))
        assert make()[1].ran == stems
    write(project, "plain", tiny, queries=["act"])  # it changes its kind
    assert make()[1].ran == ["plain"]


def test_a_broken_notebook_stops_only_runs_that_need_it(
    project: Project, make: Callable[..., Any], tiny: Path
) -> None:
    write(project, "plain", tiny)
    project.notebook("search").write_text("[")
    assert make(own_kernels=True)[1].ran == ["plain"]
    write(project, "search", tiny, queries=["note"])
    with pytest.raises(UsageError, match=r"search\.ipynb cannot be read as a notebook"):
        make()


def test_an_unknown_prompt_fails_its_set_before_any_kernel_starts(
    project: Project, make: Callable[..., Any], e5: Path
) -> None:
    write(project, "named", e5, prompt="query")
    write(project, "wrong", e5, prompt="question")
    reports, _ = make()
    assert reports["named"].failure is None
    path = project.params / "wrong.yaml"
    line = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if "prompt" in line)
    assert re.match(
        rf"{re.escape(str(path))}, line {line}, column \d+: The model .* declares no prompt with the name 'question'",
        str(reports["wrong"].failure),
    )
    assert not (project.reports / "failed").exists()  # no notebook ran


def test_each_use_of_a_model_is_announced_if_its_baseline_is_new(
    project: Project, make: Callable[..., Any], e5: Path
) -> None:
    write(project, "plain", e5)
    write(project, "same", e5, title="The same use")
    write(project, "query", e5, prompt="query")
    write(project, "short", e5, truncate_dim=8)
    write(project, "search", e5, queries=["note"])
    _, notes = make()
    assert sum("computing this model's baseline" in warning for warning in notes.warnings) == 4


@pytest.mark.slow
def test_the_real_notebooks_put_the_prompts_there_and_truncate(tmp_path: Path, e5: Path) -> None:
    project = Project(tmp_path)
    project.params.mkdir()
    texts, queries = ["the cat sat", "on the mat", "the mat"], ["cat", "sat on"]
    write(project, "walk", e5, sentences=texts, prompt="query", truncate_dim=8)
    write(project, "bare", e5, sentences=texts)
    write(project, "search", e5, sentences=texts, queries=queries, truncate_dim=8, expect=[{"finds": [1, 1]}])
    ran = command_line("run", "--project", tmp_path, "--jobs", "2", home=tmp_path)
    assert ran.code in (0, 3), ran.stderr
    encoder = models.load(models.find_model(str(e5)))

    def matrix(first: list[str], second: list[str]) -> NDArray[np.float32]:
        one, other = (
            encoder.encode(lines, truncate_dim=8, normalize_embeddings=True) for lines in (first, second)
        )
        return one @ other.T

    made = {
        stem: read_summary(nbformat.read(project.reports / f"{stem}.ipynb", as_version=4))
        for stem in ("walk", "bare", "search")
    }
    asked = [f"query: {text}" for text in texts]
    assert np.allclose(made["walk"].similarity, matrix(asked, asked), atol=1e-5)
    found = matrix([f"query: {query}" for query in queries], [f"passage: {text}" for text in texts])
    assert np.allclose(made["search"].similarity, found, atol=1e-5)
    assert (made["search"].model.query_prompt, made["search"].model.prompt) == ("query: ", "passage: ")
    assert {stem: summary.model.dimension for stem, summary in made.items()} == {
        "walk": 8,
        "bare": 32,
        "search": 8,
    }
    keys = {summary.baseline.key for summary in made.values()}
    assert len(keys) == 3
    told = "This model expects a prompt before its texts: “query: ” (query) or “passage: ” (passage)."
    assert [any(told in notice for notice in summary.notices) for summary in made.values()] == [
        False,
        True,
        False,
    ]
    assert [check.met for check in made["search"].checks] == [bool(found[0].argmax() == 0)]
