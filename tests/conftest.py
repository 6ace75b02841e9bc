"""What every test shares: no test sees this machine's own Jupyter, Hugging Face or matplotlib folders."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, sync_playwright

from sentence_reports import models
from sentence_reports.execution.forkserver import POSSIBLE, ForkServer

ROOT = Path(__file__).parents[1]


def contrast(one: str, other: str) -> float:
    """How well two colours part, from 1 to 21, after WCAG 2.1."""
    lights = []
    for color in (one, other):
        digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
        channels = [value / 255 for value in bytes.fromhex(digits)]
        rgb = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        lights.append(0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def eventually(true: Callable[[], object], seconds: float = 30) -> bool:
    """Wait until something is true, not for ever; whether it is."""
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


# The same cases on every machine, so that what fails there can be looked at here; and no clock decides.
settings.register_profile("same everywhere", derandomize=True, deadline=None)
settings.load_profile("same everywhere")


def text_of_any_kind() -> st.SearchStrategy[str]:
    """Any text that a set can hold: all of Unicode but NUL and halves of surrogate pairs, some signs more often."""
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    signs = st.sampled_from(
        [*" \t\r\n\x07\x0b\x0c\x1b\x1c\x7f\x85\x9b\xa0\xad", *"#:-&*!|>'\"%@`{}[]<>\\$=+_,"]
    )
    joiners = st.sampled_from(
        [*"\u0301\u200b\u200d\u200e\u202e\u2028\u2029\u2066\ufeff\ufffe\uffff\U0001f3fd\U0010ffff"]
    )
    markup = st.sampled_from(
        [
            "<script>",
            "</title>",
            "<!--",
            "]]>",
            "&amp;",
            "&#13;",
            "&#x80;",
            "\x1b[31m",
            "$$",
            "{{",
            "{%",
            "**",
        ]
    )
    return st.lists(characters | signs | joiners | markup, min_size=1, max_size=30).map("".join)


@contextmanager
def not_root() -> Iterator[None]:
    """Be somebody who may not read everything."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(65534)
    except OSError as error:
        pytest.skip(f"root may read everything, and cannot become another user here: {error}")
    try:
        yield
    finally:
        os.seteuid(0)


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


def of_the_user(name: str) -> bool:
    """Whether an environment variable says where the user's own things are, or changes what is made."""
    prefixes = ("HF_", "HUGGINGFACE_", "IPYTHON", "JUPYTER", "SENTENCE_REPORTS_", "SOURCE_DATE", "XDG_")
    return name.startswith(prefixes) or name.lower().endswith("_proxy")


@pytest.fixture(autouse=True)
def private_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME and empty tool folders, so that nothing of the user's leaks into a test or out of it."""
    home = tmp_path_factory.mktemp("home")
    for name in filter(of_the_user, list(os.environ)):
        monkeypatch.delenv(name)
    for name in ("HOME", "HF_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home if name == "HOME" else home / name.lower()))
    return home


@pytest.fixture(scope="session")
def warm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """A server of warm kernels, which takes seconds to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        server = ForkServer()
        server.start()
    yield server
    server.stop()


@pytest.fixture(params=[pytest.param("cold", marks=pytest.mark.slow), "warm"])
def server(request: pytest.FixtureRequest) -> ForkServer | None:
    """What forks a test's kernels; None where they are ordinary processes."""
    if request.param == "cold":
        return None
    if not POSSIBLE:
        pytest.skip("warm kernels need Linux")
    return request.getfixturevalue("warm_server")


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
        "from sentence_reports.lesson.summary import summarize\n"
        "facts = dict(name=model, revision=None, source='folder', sha256='0' * 64, dimension=2, max_tokens=8,\n"
        "             pooling='mean', stands_in_for=None, reason=None)\n"
        "legend = dict(low=0, high=1, scale='', ramp=['#ffffff', '#000000'], groups=[], numbered=False)\n"
        "settings = dict(title=title, description=description, model=model, normalize=normalize)\n"
        "summarize(settings=settings, texts=sentences, labels=sentences, groups=None, model=facts, tokens=[],\n"
        "          matrix=matrix, place='above {:.2f}'.format,\n"
        "          legend=legend, reference=None, versions={})",
    ),
]


@pytest.fixture
def tiny_notebook(tmp_path: Path) -> Path:
    """A notebook with a set's parameters and a real summary, whose "model" compares letters.

    A description that starts with ``#run`` is run as code, so that a test can make trouble happen in a cell.
    """
    notebook = nbformat.v4.new_notebook()
    for name, source in TINY:
        cell = nbformat.v4.new_code_cell(source, id=name)
        cell.metadata["tags"] = ["parameters"] if name == "parameters" else []
        notebook.cells.append(cell)
    path = tmp_path / "tiny.ipynb"
    nbformat.write(notebook, path)
    return path


# --- a model that loads at once -------------------------------------------------------------------------------

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "on", "mat", "."]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model of 32 dimensions and 11 words, as sentence-transformers saves it."""
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
        with models._quiet():
            transformer = Transformer(str(base))
            SentenceTransformer(modules=[transformer, Pooling(32, "cls"), Normalize()], device="cpu").save(
                str(folder)
            )
    return folder


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny, tmp_path / "my model"))


# --- the shipped sets, run once through the command line -----------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """One call of the command line: its exit code, what it said, and where its files are."""

    code: int
    stdout: str
    stderr: str
    home: Path
    out: Path


def command_line(*words: str | Path, home: Path, cwd: Path | None = None, **env: str) -> Ran:
    """Call ``sentence-reports`` as a user would, in an empty HOME."""
    clean = {name: value for name, value in os.environ.items() if not of_the_user(name)}
    clean |= {"HOME": str(home), "HF_HOME": str(home / "hf"), "SOURCE_DATE_EPOCH": "1700000000"} | env
    command = [sys.executable, "-m", "sentence_reports", *map(str, words)]
    done = subprocess.run(
        command, env=clean, cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr, home, home)


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The project's own sets, made into reports by the real notebook and the embedded model."""
    out = tmp_path_factory.mktemp("reports")
    # A port where nothing listens: the hub is away, at once and on every machine.
    ran = command_line(
        "run", "--out", out, home=tmp_path_factory.mktemp("home"), HF_ENDPOINT="http://127.0.0.1:9"
    )
    assert ran.code == 0, ran.stderr
    return replace(ran, out=out)


# --- a browser ---------------------------------------------------------------------------------------------

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
]


@pytest.fixture(scope="module")  # its event loop runs in this thread, where other modules want their own
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium was found, and CI must have one: .ci/run installs it")
        pytest.skip("no Chromium was found; on Debian: apt install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=CHROMIUM)
        yield chromium
        chromium.close()
