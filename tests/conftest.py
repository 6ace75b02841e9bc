"""What every test shares: no test sees this machine's own Jupyter, Hugging Face or matplotlib folders."""

import gc
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from dataclasses import replace
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

# As in the command line, and before nbformat is imported: no second is spent on a parser that nothing here uses.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import nbformat
import pytest
from hypothesis import settings
from support import ROOT, WORDS, Ran, edit, of_the_user, path_with_command, ran_once, shown_sets

from sentence_reports import cli
from sentence_reports.execution.kernels import Kernels
from sentence_reports.models.encoder import quiet
from sentence_reports.prepare import REHEARSAL
from sentence_reports.project import packaged

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AWAY = "http://127.0.0.1:9"  # nothing listens there: the hub is away, at once and on every machine

# The same cases on every machine, so that what fails there can be looked at here; and no clock decides.
settings.register_profile("same everywhere", derandomize=True, deadline=None)
settings.load_profile("same everywhere")


@pytest.fixture(scope="module", autouse=True)
def light_collections() -> None:
    """Leave what is there by now, such as torch, out of garbage collections: a model that goes asks for one."""
    gc.freeze()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", "").strip() or error
        pytest.skip(f"a small file system cannot be mounted here: {reason}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


HOMES = count()


@pytest.fixture(autouse=True)
def private_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME and empty tool folders, so that nothing of the user's leaks into a test or out of it."""
    home = tmp_path_factory.mktemp(f"home-{next(HOMES)}", numbered=False)  # no search for a free number
    for name in filter(of_the_user, list(os.environ)):
        monkeypatch.delenv(name)
    for name in ("HOME", "HF_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home if name == "HOME" else home / name.lower()))
    monkeypatch.setattr("sentence_reports.models.hub._unreachable", {})  # what another test's hub did
    return home


@pytest.fixture
def hf_home(private_folders: Path) -> Path:
    return Path(os.environ["HF_HOME"])


@pytest.fixture(scope="session")
def warm_kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernels]:
    """Kernels whose server takes seconds to start; cold ones on systems that have no warm ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        kernels = Kernels(
            [nbformat.read(packaged("notebooks") / "walkthrough.ipynb", as_version=4)], REHEARSAL
        )
        kernels.start()
    yield kernels
    kernels.stop()


@pytest.fixture
def call(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Callable[..., Ran]:
    """Call the command line in this process, and with the kernels that are there, in a fraction of the time."""

    def kernels(*_: object) -> nullcontext[Kernels]:
        return nullcontext(request.getfixturevalue("warm_kernels"))

    monkeypatch.setattr("sentence_reports.pipeline.new_kernels", kernels)
    monkeypatch.setenv("HF_ENDPOINT", AWAY)
    monkeypatch.setenv("PATH", path_with_command())

    def call_it(*words: str | Path) -> Ran:
        capsys.readouterr()
        code = cli.main([*map(str, words)])
        told = capsys.readouterr()
        return Ran(code, told.out, told.err, tmp_path, tmp_path)

    return call_it


@pytest.fixture(scope="session")
def call_at_home(warm_kernels: Kernels) -> Callable[..., Ran]:
    """Call the command line as `call` does, for fixtures of the session: in an empty HOME, without a hub."""

    def call_it(*words: str | Path, home: Path) -> Ran:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name in filter(of_the_user, list(os.environ)):
                patch.delenv(name)
            for name, value in {"HOME": home, "HF_HOME": home / "hf"}.items():
                patch.setenv(name, str(value))
            patch.setenv("PATH", path_with_command())
            patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
            patch.setenv("HF_ENDPOINT", AWAY)
            patch.setattr("sentence_reports.models.hub._unreachable", {})
            patch.setattr("sentence_reports.pipeline.new_kernels", lambda *_: nullcontext(warm_kernels))
            code = cli.main([*map(str, words)])
        told = []
        for stream in (out, err):
            stream.seek(0)
            told.append(stream.read())
        return Ran(code, *told, home, home)

    return call_it


@pytest.fixture(params=[pytest.param("cold", marks=pytest.mark.slow), "warm"])
def kernels(request: pytest.FixtureRequest) -> Kernels | None:
    """Where a test's kernels come from; None for ordinary processes."""
    if request.param == "cold":
        return None
    if sys.platform != "linux":
        pytest.skip("warm kernels need Linux")
    return request.getfixturevalue("warm_kernels")


# --- notebooks that run in a second, for what does not need the model ---------------------------------------

TINY = [
    (
        "parameters",
        "title = 'Tiny'\ndescription = ''\nsentences = ['a', 'b']\nmodel = ''\nrevision = None\n"
        "fallback_model = None\nnormalize = True\nlabel_size = 30\ncmap = ''\nreference = None",
    ),
    ("trouble", "exec(description if description.startswith('#run') else '')"),
    (
        "matrix",
        "import numpy as np\nletters = [set(text) for text in sentences]\n"
        "matrix = np.array([[len(a & b) / len(a | b) for b in letters] for a in letters], dtype='f4')",
    ),
    (
        "summary",
        # Without the lesson, whose imports take a cold kernel two seconds.
        "from sentence_reports.facts import STEPS, Baseline, Legend, ModelFacts\n"
        "from sentence_reports.pairs import Pairs\n"
        "from sentence_reports.overview import pack\n"
        "from sentence_reports.summary import WalkthroughSummary\n"
        "facts = ModelFacts(name=model, revision=None, source='folder', sha256='0' * 64, dimension=2, max_tokens=8,\n"
        "                   pooling='mean', normalizes=True, parameters=2, size_bytes=8, dtype='float32')\n"
        "(closest,), (farthest,) = Pairs(matrix).closest(1), Pairs(matrix).farthest(1)\n"
        "WalkthroughSummary(\n"
        "    settings=dict(title=title, description=description, model=model, normalize=normalize),\n"
        "    sentences=tuple(sentences), labels=tuple(sentences), groups=None, order=tuple(range(len(sentences))),\n"
        "    model=facts, baseline=Baseline('k', 'm', 10, (0.0,) * (STEPS + 1)), closest=closest, farthest=farthest,\n"
        "    places=('', ''), finding=(), claims=(), notices=(), versions={}, matrix=pack(matrix),\n"
        "    legend=Legend(low=0, high=1, scale='', ramp=('#ffffff', '#000000')))",
    ),
]


@pytest.fixture
def tiny_notebook(tmp_path: Path) -> Path:
    """A project's own notebook with a set's parameters and a real summary, whose "model" compares letters.

    A description that starts with ``#run`` is run as code, so that a test can make trouble happen in a cell.
    """
    notebook = nbformat.v4.new_notebook()
    for name, source in TINY:
        cell = nbformat.v4.new_code_cell(source, id=name)
        cell.metadata["tags"] = ["parameters"] if name == "parameters" else []
        notebook.cells.append(cell)
    path = tmp_path / "notebooks" / "walkthrough.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    return path


# --- a model that loads at once -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model of 32 dimensions and few words, as sentence-transformers saves it."""
    base, folder = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("models") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(base / "hf"))  # session fixtures come before those of a test
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
        from transformers import BertConfig, BertModel, BertTokenizer

        torch.manual_seed(0)
        (base / "vocab.txt").write_text("\n".join(WORDS))
        BertTokenizer(str(base / "vocab.txt"), model_max_length=16).save_pretrained(base)
        config = BertConfig(
            vocab_size=len(WORDS),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
        )
        BertModel(config).save_pretrained(base)
        with quiet():
            transformer = Transformer(str(base))
            SentenceTransformer(modules=[transformer, Pooling(32, "cls"), Normalize()], device="cpu").save(
                str(folder)
            )
    return folder


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny, tmp_path / "my model"))


@pytest.fixture
def e5(model: Path) -> Path:
    """A model with E5's habit: it wants "query: " before each query and "passage: " before each other text."""
    edit(model / "config_sentence_transformers.json", prompts={"query": "query: ", "passage": "passage: "})
    return model


@pytest.fixture
def bge(model: Path) -> Path:
    """A model with BGE's habit: it wants an instruction before each query, and nothing before any other text."""
    edit(model / "config_sentence_transformers.json", prompts={"query": "represent the query : "})
    return model


# --- the shipped sets, run once through the command line -----------------------------------------------------


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory, call_at_home: Callable[..., Ran]) -> Ran:
    """Sets of the project, of each kind, made into reports by the real notebooks and models; not to be changed."""

    def run(folder: Path) -> Ran:
        out = folder / "reports"
        ran = call_at_home("run", "--project", ROOT, "--out", out, *shown_sets(), home=folder)
        assert ran.code == 0, ran.stderr
        return replace(ran, out=out)

    return ran_once(tmp_path_factory, "shipped", run)


# --- a browser ---------------------------------------------------------------------------------------------

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
]


def without_browser(reason: str) -> NoReturn:
    """Skip the tests that need a browser; in CI, which must have one, fail them."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="module")  # its event loop runs in this thread, where other modules want their own
def browser() -> Iterator["Browser"]:
    try:
        from playwright.sync_api import sync_playwright

        import_module("axe_playwright_python.sync_playwright")  # with which tests look for violations of WCAG
    except ImportError as error:
        without_browser(f"{error}; to install it: pip install playwright axe-playwright-python")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        without_browser("no Chromium was found; to install it on Debian: apt install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def only_tab(browser: "Browser") -> Iterator["Page"]:
    """The tab that a module's tests share, because opening one takes as long as looking at three pages."""
    tab = browser.new_page()
    yield tab
    tab.close()


@pytest.fixture
def tab(only_tab: "Page") -> Iterator["Page"]:
    """An empty tab of a light, wide window."""
    only_tab.set_viewport_size({"width": 1280, "height": 720})
    only_tab.emulate_media(media="null", color_scheme="light")
    yield only_tab
    only_tab.goto("about:blank")


@pytest.fixture
def expect(browser: "Browser") -> Callable[..., Any]:
    """Playwright's `expect`: it waits until a page is as it should be."""
    from playwright.sync_api import expect

    return expect
