"""The copy of the notebook that ``sentence-reports lab`` opens, and JupyterLab with it."""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
import pytest
from support import ROOT, not_root

from sentence_reports import lab
from sentence_reports.errors import SetError, UsageError
from sentence_reports.project import Project
from sentence_reports.sets import SentenceSet, read_set

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROJECT = Project(ROOT)
STEMS = sorted(path.stem for path in (ROOT / "params").glob("*.yaml"))


def prepare(stem: str | None, copies: Path) -> Path:
    return lab.prepare(PROJECT, None if stem is None else ROOT / "params" / f"{stem}.yaml", copies)


def parameters_cells(copy: Path) -> list[nbformat.NotebookNode]:
    cells = nbformat.read(copy, as_version=4).cells
    return [
        cell for cell in cells if {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", []))
    ]


def values(source: str) -> dict[str, object]:
    """What a parameters cell assigns; anything but plain assignments of plain data is refused."""
    assigned: dict[str, object] = {}
    for node in ast.parse(source).body:
        assert isinstance(node, ast.Assign)
        assert isinstance(node.targets[0], ast.Name)
        assigned[node.targets[0].id] = ast.literal_eval(node.value)
    return assigned


# --- which copy is opened ------------------------------------------------------------------------------------


def test_a_copy_is_opened_again_with_what_somebody_wrote_in_it(tmp_path: Path) -> None:
    first = prepare("blog", tmp_path)
    first.write_text(first.read_text().replace("Berlin", "Bonn"))
    os.utime(first, (0, 0))
    assert prepare("blog", tmp_path) == first
    assert "Bonn" in first.read_text()


def test_a_changed_set_gets_a_copy_beside_the_first(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("sentences: [one, two]")
    first = lab.prepare(PROJECT, path, tmp_path)
    path.write_text("sentences: [one, three]")
    second = lab.prepare(PROJECT, path, tmp_path)
    assert (first.name, second.name) == ("mine.ipynb", "mine-2.ipynb")
    assert '"three"' not in first.read_text()
    assert lab.prepare(PROJECT, path, tmp_path) == second


@pytest.mark.parametrize("kind", ["a report", "no notebook", "a folder", "a link to nowhere"])
def test_a_file_that_is_not_ours_is_neither_opened_nor_touched(tmp_path: Path, kind: str) -> None:
    theirs = tmp_path / "blog.ipynb"
    match kind:
        case "a report":
            theirs.write_bytes(PROJECT.notebook().read_bytes())
        case "no notebook":
            theirs.write_text("[" * 200_000)
        case "a folder":
            theirs.mkdir()
        case _:
            theirs.symlink_to("nowhere")
    before = theirs.read_bytes() if theirs.is_file() else None
    assert prepare("blog", tmp_path).name == "blog-2.ipynb"
    assert before is None or theirs.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blog-2.ipynb", "blog.ipynb"]


def test_the_settings_that_somebody_changed_are_left_as_they_are(tmp_path: Path) -> None:
    lab.environment(tmp_path)
    (defaults,) = tmp_path.rglob("*.json")
    assert json.loads(defaults.read_text()) == lab.SETTINGS
    defaults.write_text("{}")
    lab.environment(tmp_path)
    assert defaults.read_text() == "{}"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir(mode=0o555)
    copies = tmp_path / "checkout" / "notebooks" / ".lab"
    words = (
        rf"cannot write to {re.escape(str(copies))}: Permission denied. Choose another folder with --out DIR"
    )
    with not_root(), pytest.raises(UsageError, match=words):
        lab.open_lab(PROJECT, ROOT / "params" / "blog.yaml", copies)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("no JSON", "walkthrough.ipynb cannot be read as a notebook"),
        ("magic", r"the parameters cell of .*walkthrough.ipynb must be plain Python, but its line 1 is not"),
    ],
)
def test_a_notebook_that_cannot_be_used_is_named(
    tmp_path: Path, tiny_notebook: Path, trouble: str, words: str
) -> None:
    if trouble == "magic":
        notebook = nbformat.read(tiny_notebook, as_version=4)
        notebook.cells[0].source = "%matplotlib inline\ntitle = ''"
        nbformat.write(notebook, tiny_notebook)
    else:
        tiny_notebook.write_text("[")
    with pytest.raises(UsageError, match=words):
        lab.prepare(Project(tmp_path), None, tmp_path / "copies")


# --- what is in it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stem", [None, *STEMS])
def test_the_sets_values_are_in_the_cell_that_one_is_told_to_edit_and_only_there(
    tmp_path: Path, stem: str | None
) -> None:
    (cell,) = parameters_cells(copy := prepare(stem, tmp_path))
    notebook = "walkthrough" if stem is None else read_set(ROOT / "params" / f"{stem}.yaml").set.notebook
    (default,) = parameters_cells(PROJECT.notebook(notebook))
    assert list(values(cell.source)) == list(values(default.source))
    if stem is None:
        assert cell.source == default.source
        return
    expected = read_set(ROOT / "params" / f"{stem}.yaml").set
    written = expected.parameters()
    if expected.texts is not None:  # the copy is in another folder
        written["texts"] |= {"file": str(ROOT / "params" / expected.texts.file)}
    assert values(cell.source) == values(default.source) | written
    lines = [line.strip().rstrip(",") for line in cell.source.splitlines()]
    assert all(json.dumps(text, ensure_ascii=False) in lines for text in expected.all_sentences)
    assert re.findall(r"  #.*", cell.source) == re.findall(r"  #.*", default.source)
    if notebook == "collection":
        return
    examples = SentenceSet.model_validate({"sentences": values(default.source)["sentences"]}).all_sentences
    for text in set(examples) - set(expected.all_sentences):
        assert text not in copy.read_text(encoding="utf-8")


def test_a_copy_has_no_output_and_the_environments_kernel(tmp_path: Path) -> None:
    notebook = nbformat.read(prepare("blog", tmp_path), as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert notebook.metadata.kernelspec.name == "python3"


def test_papermill_can_run_a_copy_with_other_values(tmp_path: Path) -> None:
    copy = prepare("four-topics", tmp_path)
    out = tmp_path / "out.ipynb"
    papermill.execute_notebook(copy, out, {"sentences": ["a", "b"]}, prepare_only=True, progress_bar=False)
    own, injected = parameters_cells(out)
    assert values(injected.source) == {"sentences": ["a", "b"]}
    assert "Weather" in own.source


TEXTS = ["\u202e\x07 \r\n\t", 'a "quote" \\ 🙂', "\u2028", "it's", "$5", "#no comment", ""]


def test_any_text_comes_out_of_the_cell_as_it_went_in() -> None:
    given = {
        "a": TEXTS,
        "b": {text: [text] for text in TEXTS},
        "c": [[1.0, None], [1e-4, 2]],
        "d": True,
        "e": TEXTS[0],
    }
    source = "c: list = [\n    'é', # x\n]  # é\nother = 1; b = {'é': (1,\n 2)}  # last\n"
    result = lab.with_values(source, given)
    namespace: dict[str, object] = {}
    exec(result, namespace)
    assert {name: namespace[name] for name in given} == given
    assert namespace["other"] == 1
    assert "]  # é\nother = 1; b = {" in result
    assert "}  # last\n" in result
    assert "\u202e" not in result


def test_a_models_folder_is_found_beside_its_set(tmp_path: Path) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "mine.yaml").write_text("sentences: [one, two]\nmodel: models/mine\nfallback_model: null\n")
    (cell,) = parameters_cells(lab.prepare(PROJECT, tmp_path / "mine.yaml", tmp_path / "lab"))
    assert values(cell.source)["model"] == str(tmp_path / "models" / "mine")


def test_models_and_vectors_of_a_comparison_are_found_beside_its_set(tmp_path: Path) -> None:
    own = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("models = []", metadata={"tags": ["parameters"]})]
    )
    (tmp_path / "notebooks").mkdir()
    nbformat.write(own, tmp_path / "notebooks" / "comparison.ipynb")
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "a.npy").touch()
    keys = {
        "sentences": ["one", "two"],
        "models": [
            "models/mine",
            {"model": "./models/mine", "truncate_dim": 8},
            "org/name",
            {"vectors": {"file": "a.npy", "baseline": "models/../a.npy"}, "label": "ada"},
        ],
    }
    (tmp_path / "a.yaml").write_text(json.dumps(keys))
    (cell,) = parameters_cells(lab.prepare(Project(tmp_path), tmp_path / "a.yaml", tmp_path / "lab"))
    folder, vectors = str(tmp_path / "models" / "mine"), str(tmp_path / "a.npy")
    assert values(cell.source)["models"] == [
        folder,
        {"model": folder, "truncate_dim": 8},
        "org/name",
        {
            "vectors": {"file": vectors, "baseline": str(tmp_path / "models" / ".." / "a.npy")},
            "label": "ada",
        },
    ]


def test_a_projects_own_notebook_is_the_one_that_is_copied(tmp_path: Path) -> None:
    own = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("title = ''", metadata={"tags": ["parameters"]})]
    )
    own.cells.append(nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("stream", text="old")]))
    (tmp_path / "notebooks").mkdir()
    nbformat.write(own, tmp_path / "notebooks" / "walkthrough.ipynb")
    (tmp_path / "a.yaml").write_text("sentences: [one, two]")
    copy = nbformat.read(lab.prepare(Project(tmp_path), tmp_path / "a.yaml", tmp_path / "lab"), as_version=4)
    assert copy.cells[0].source == 'title = "A"\nsentences = [\n    "one",\n    "two",\n]'
    assert copy.cells[1].outputs == []


def test_a_notebook_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "walkthrough.ipynb").write_text("{}")
    with pytest.raises(UsageError, match=r"walkthrough.ipynb cannot be read as a notebook"):
        lab.prepare(Project(tmp_path), None, tmp_path / "lab")


def test_the_copy_is_not_seen_by_git() -> None:
    copy = ROOT / "notebooks" / ".lab" / "blog.ipynb"
    ignored = subprocess.run(["git", "check-ignore", "-q", str(copy)], cwd=ROOT, check=False)
    assert ignored.returncode == 0


def test_a_set_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SetError, match=r"no-such-set\.yaml"):
        prepare("no-such-set", tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_settings_are_ones_that_jupyterlab_has() -> None:
    schemas = Path(sys.prefix, "share", "jupyter", "lab", "schemas")
    for plugin, settings in lab.SETTINGS.items():
        schema = json.loads((schemas / f"{plugin.replace(':', '/')}.json").read_text(encoding="utf-8"))
        assert set(settings) <= set(schema["properties"]), plugin


# --- JupyterLab itself -------------------------------------------------------------------------------------


@pytest.fixture
def teacher(private_folders: Path) -> dict[str, str]:
    """The environment of somebody whose own Jupyter set-up would lead a lesson astray.

    It has another folder, another kernel, and start-up files that leave a file called `astray`.
    """
    home = private_folders
    spec = {"argv": [sys.executable, "-c", "0"], "display_name": "Not this one", "language": "python"}
    astray = f"open({str(home / 'astray')!r}, 'w').close()"
    for name, content in {
        ".jupyter/jupyter_server_config.py": f"c.ServerApp.root_dir = {str(home)!r}\nc.ServerApp.port = 1\n",
        ".local/share/jupyter/kernels/python3/kernel.json": json.dumps(spec),
        "path/kernels/python3/kernel.json": json.dumps(spec),
        ".ipython/profile_default/startup/first.py": astray,
        "startup.py": astray,
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
    own = ("JUPYTER", "IPYTHON")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    (home / "matplotlibrc").write_text("text.usetex: True\n")
    astray_too = {"PYTHONSTARTUP": str(home / "startup.py"), "MATPLOTLIBRC": str(home), "PYTHONOPTIMIZE": "2"}
    return plain | {"JUPYTER_PATH": str(home / "path")} | astray_too


@pytest.fixture
def open_lab(
    teacher: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., tuple[subprocess.Popen, str]]]:
    """Call ``sentence-reports lab`` in `tmp_path`; gives the process and the printed address."""
    started: list[subprocess.Popen] = []
    keyboard, terminal = os.openpty()  # JupyterLab asks before it ends where there is somebody to answer

    def start(*words: str | Path) -> tuple[subprocess.Popen, str]:
        log = tmp_path / "log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "sentence_reports", "lab", *words],
                env=teacher | {"BROWSER": "true", "HF_ENDPOINT": "http://127.0.0.1:9"},
                stdin=terminal,
                stderr=stderr,
                cwd=tmp_path,
            )
        started.append(process)
        limit = time.monotonic() + 120
        while not (found := re.search(r"http://127\.0\.0\.1:\S+", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < limit, log.read_text()
            time.sleep(0.1)
        return process, found[0]

    yield start
    for process in started:
        process.kill()
        process.wait()
    os.close(keyboard)
    os.close(terminal)


def run_all(page: "Page", expect: Callable[..., Any], attempts: int = 3) -> None:
    """Click the double arrow. On a busy machine JupyterLab can miss what a restarted kernel says: then once more."""
    last = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").last
    for attempt in range(1, attempts + 1):
        page.get_by_title("Restart the kernel and run all cells").click()
        try:
            expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=90_000)
            return
        except AssertionError:
            if attempt == attempts:
                raise


@pytest.mark.slow
def test_one_click_runs_all_cells_in_jupyterlab_and_ctrl_c_ends_it(
    open_lab: Callable[..., tuple[subprocess.Popen, str]],
    browser: "Browser",
    tmp_path: Path,
    private_folders: Path,
    expect: Callable[..., Any],
) -> None:
    notebook = (ROOT / "notebooks" / "walkthrough.ipynb").read_bytes()
    (tmp_path / "params").mkdir()
    path = tmp_path / "params" / "dollars.yaml"
    path.write_text(
        "sentences: [It costs $5 in May and $10 in June, 'Pay $x$ now, $$y$$ later', \"\\u202eabc\"]\n"
        "model: sentence-transformers/all-MiniLM-L6-v2\nfallback_model: null\n"
    )
    process, address = open_lab("dollars")
    page = browser.new_page()
    page.goto(address)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=120_000)
    run_all(page, expect)
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    expect(
        page.locator(".jp-Notebook .jp-OutputArea-output svg, .jp-Notebook .jp-OutputArea-output img").first
    ).to_be_attached()
    expect(page.locator(".jp-MarkdownOutput mjx-container").first).to_be_attached()  # formulas are typeset …
    expect(page.locator(".jp-OutputArea-output mjx-container")).to_have_count(0)  # … and no sentence is
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0, timeout=60_000)
    page.close()

    ran = nbformat.read(tmp_path / "notebooks" / ".lab" / "dollars.ipynb", as_version=4)
    cells = [cell for cell in ran.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert any("It costs $5 in May and $10 in June" in str(cell.outputs) for cell in cells)
    assert not (private_folders / "astray").exists()
    assert (ROOT / "notebooks" / "walkthrough.ipynb").read_bytes() == notebook

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
