"""The copy of the notebook that ``make lab`` opens, and JupyterLab with it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect
from support import ROOT

from sentence_reports import lab
from sentence_reports.errors import SetError
from sentence_reports.sets import read_set


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "COPIES", tmp_path)


def injected(copy: Path) -> list[nbformat.NotebookNode]:
    cells = nbformat.read(copy, as_version=4).cells
    return [cell for cell in cells if "injected-parameters" in cell.metadata.get("tags", [])]


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
    copy = lab.prepare(stem)
    assert len(injected(copy)) == (0 if stem is None else 1)
    notebook = nbformat.read(copy, as_version=4)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("stem", ["blog", "four-topics", "languages"])
def test_the_values_are_those_of_the_set_with_a_sentence_on_a_line(stem: str) -> None:
    (cell,) = injected(lab.prepare(stem))
    values: dict[str, object] = {}
    exec(cell.source, values)
    expected = read_set(ROOT / "params" / f"{stem}.yaml").set
    assert {name: values[name] for name in expected.parameters()} == expected.parameters()
    lines = [line.strip().rstrip(",") for line in cell.source.splitlines()]
    assert all(f'"{text}"' in lines for text in expected.texts)


def test_a_models_folder_is_found_from_beside_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "params").mkdir()
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "params" / "mine.yaml").write_text("sentences: [one, two]\nmodel: models/mine\n")
    monkeypatch.setattr(lab, "PROJECT", tmp_path)
    monkeypatch.chdir(tmp_path)
    (cell,) = injected(lab.prepare("mine"))
    assert repr(str(tmp_path / "models" / "mine")) in cell.source


def test_the_copy_is_not_seen_by_git() -> None:
    copy = ROOT / "notebooks" / ".lab" / "blog.ipynb"
    known = subprocess.run(["git", "check-ignore", "-q", str(copy)], cwd=ROOT, check=False)
    assert known.returncode == 0


def test_a_set_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SetError, match=r"no-such-set\.yaml"):
        lab.prepare("no-such-set")


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
    return plain | {"JUPYTER_PATH": str(home / "path"), "PYTHONSTARTUP": str(home / "startup.py")}


@pytest.fixture
def open_lab(
    teacher: dict[str, str], tmp_path: Path
) -> Iterator[Callable[[str], tuple[subprocess.Popen, str]]]:
    """Start what ``make lab`` starts, with its copies in `tmp_path`; gives the process and the printed address."""
    started: list[subprocess.Popen] = []
    keyboard, terminal = os.openpty()  # JupyterLab asks before it ends where there is somebody to answer

    def start(stem: str) -> tuple[subprocess.Popen, str]:
        code = f"from pathlib import Path; from sentence_reports import lab; lab.COPIES = Path({str(tmp_path)!r})"
        log = tmp_path / "log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-c", f"{code}; lab.main()", stem],
                env=teacher | {"BROWSER": "true", "HF_ENDPOINT": "http://127.0.0.1:9"},
                stdin=terminal,
                stderr=stderr,
                cwd=ROOT,
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


def run_all(page: Page, attempts: int = 3) -> None:
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
    open_lab: Callable[[str], tuple[subprocess.Popen, str]],
    browser: Browser,
    tmp_path: Path,
    private_folders: Path,
) -> None:
    notebook = (ROOT / "notebooks" / "walkthrough.ipynb").read_bytes()
    process, address = open_lab("negation")
    page = browser.new_page()
    page.goto(address)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=120_000)
    run_all(page)
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    expect(
        page.locator(".jp-Notebook .jp-OutputArea-output svg, .jp-Notebook .jp-OutputArea-output img").first
    ).to_be_attached()
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0, timeout=60_000)
    page.close()

    ran = nbformat.read(tmp_path / "negation.ipynb", as_version=4)
    cells = [cell for cell in ran.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert any("The restaurant is not open on Sundays" in str(cell.outputs) for cell in cells)
    assert not (private_folders / "astray").exists()
    assert (ROOT / "notebooks" / "walkthrough.ipynb").read_bytes() == notebook

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
