"""Whole runs by the command line: every trouble with a model, the same bytes anywhere, nothing asked of a network."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mistune
import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from hub import StandIn
from support import (
    DRIVER,
    ROOT,
    Notes,
    Ran,
    change_weights,
    command_line,
    cut_short,
    edit,
    only_pickle,
    shown_sets,
)

from sentence_reports.execution.kernels import Kernels
from sentence_reports.models import EMBEDDED
from sentence_reports.models.cache import Cache
from sentence_reports.pipeline import run
from sentence_reports.project import Project, packaged
from sentence_reports.report import Options
from sentence_reports.summary import read_summary

SENTENCES = ["the cat sat", "on the mat", "the mat"]


def write_set(folder: Path, stem: str, **keys: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{stem}.yaml"
    path.write_text(json.dumps({"sentences": SENTENCES, "fallback_model": None} | keys, ensure_ascii=False))
    return path


# --- models ------------------------------------------------------------------------------------------------


def no_numbers(model: Path) -> None:
    change_weights(model, lambda tensors: {name: tensor * float("nan") for name, tensor in tensors.items()})


def no_direction(model: Path) -> None:
    change_weights(model, lambda tensors: {name: tensor * 0 for name, tensor in tensors.items()})


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda m: (shutil.rmtree(m), m.mkdir()), "has no modules.json"),
    "no-modules": (
        lambda m: (m / "modules.json").unlink(),
        "another pooling than the model's own would be guessed",
    ),
    "pickled": (only_pickle, "only as a pickle (pytorch_model.bin)"),
    "cut-short": (cut_short, "model.safetensors"),
    "no-numbers": (no_numbers, "are broken: "),
    "no-direction": (no_direction, "the model reads nothing in sentence 1: its embedding has no direction"),
    "misfit": (lambda m: edit(m / "config.json", hidden_size=64), "does not load: "),
}


@pytest.mark.slow
def test_every_trouble_with_a_model_is_one_line_and_stops_no_other(tiny: Path, tmp_path: Path) -> None:
    sets, words = tmp_path / "sets", {stem: words for stem, (_, words) in FOLDERS.items()}
    for stem, (damage, _) in FOLDERS.items():
        damage(Path(shutil.copytree(tiny, tmp_path / stem)))
        write_set(sets, stem, model=str(tmp_path / stem))
    write_set(sets, "good", model=str(tiny))
    write_set(sets, "wrong-id", model="nobody/nothing")
    write_set(sets, "wrong-revision", model="some/model", revision="v9")
    words |= {"wrong-id": "There is no model nobody/nothing on the hub"}
    words |= {"wrong-revision": "The model some/model has no revision 'v9' on the hub"}
    out = tmp_path / "out"
    with StandIn({"some/model": tiny}) as hub:
        ran = command_line("run", "--out", out, *sets.iterdir(), home=tmp_path, HF_ENDPOINT=hub.url)
    assert ran.code == 1
    notes = re.compile("good: To the model|.*: computing this model's baseline")
    said = [line for line in ran.stderr.splitlines() if not notes.match(line)]
    for stem, expected in words.items():
        (line,) = [line for line in said if line.startswith(f"{stem}: ")]
        assert line.startswith(f"{stem}: failed: ")
        assert expected in line
    assert len(said) == 1 + len(words) + 1 + 2, ran.stderr  # n sets to run; each; the good one; two to close
    assert sorted(path.name for path in out.glob("*.html")) == ["good.html", "index.html"]
    index = BeautifulSoup((out / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert len(index.select(".failed li")) == len(words)
    assert sorted(path.stem for path in (out / "failed").iterdir()) == [
        "misfit",
        "no-direction",
        "no-numbers",
    ]  # these began


@pytest.mark.slow
def test_a_model_is_found_once_and_one_that_stood_in_gives_way(tiny: Path, tmp_path: Path) -> None:
    sets = [write_set(tmp_path / "sets", stem, model="some/model", fallback_model=EMBEDDED) for stem in "ab"]
    out, model = tmp_path / "out", "some/model"

    def ran(url: str, *words: str | Path) -> tuple[int, dict[str, str]]:
        done = command_line("run", "--out", out, *words, home=tmp_path, HF_ENDPOINT=url)
        return done.code, {line.split("\t")[0]: line.split("\t")[1] for line in done.stdout.splitlines()}

    with StandIn(reply=(503, {}, b"")) as hub:
        assert ran(hub.url, *sets) == (0, {"a": EMBEDDED, "b": EMBEDDED})
        assert len([path for path in hub.asked if "/models/" in path]) == 1
        assert ran(hub.url, "--strict", *sets)[0] == 1
        assert ran(hub.url, *sets)[0] == 0  # what failed is tried again
    with StandIn({model: tiny}) as hub:
        assert ran(hub.url, *sets) == (0, {})  # nothing stale: nobody is asked, no table
        assert hub.asked == []
        write_set(tmp_path / "sets", "b", model=model, fallback_model=EMBEDDED, title="New")
        assert ran(hub.url, *sets) == (0, {"a": model, "b": model})
        # By the look alone: the download is by commit.
        assert [path for path in hub.asked if "/revision/main" in path] == [
            "GET /api/models/some/model/revision/main"
        ]
    assert model in (out / "a.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_key_of_a_set_counts(tiny: Path, tmp_path: Path) -> None:
    keys = {"normalize": False, "cmap": "Reds", "label_size": 5, "title": "Mine", "description": "What for"}
    path = write_set(
        tmp_path / "sets", "one", model=str(tiny), sentences={"x": SENTENCES, "y": ["a cat"]}, **keys
    )
    ran = command_line("run", "--out", tmp_path / "out", path, home=tmp_path)
    assert ran.code == 0, ran.stderr
    page = BeautifulSoup((tmp_path / "out" / "one.html").read_text(encoding="utf-8"), "html.parser")
    notebook = nbformat.read(tmp_path / "out" / "one.ipynb", as_version=4)
    summary = read_summary(notebook)
    assert [kicker.text for kicker in page.select(".kicker")] == ["Mine"]
    assert "What for" in page.text
    assert list(summary.labels) == ["the c...", "on th...", "the m...", "a cat"]
    assert (summary.legend.ramp[0], summary.groups) == (
        "#fff5f0",
        ("x", "x", "x", "y"),
    )  # Reds begins so
    assert "scaled to length 1 by the model itself" in page.text


@pytest.mark.slow
def test_what_a_model_cannot_read_is_on_the_page_and_on_the_terminal(tiny: Path, tmp_path: Path) -> None:
    texts = ["the cat " * 20, "🙂 🚗", "the mat"]
    path = write_set(tmp_path / "sets", "one", model=str(tiny), sentences=texts)
    ran = command_line("run", "--out", tmp_path / "out", path, home=tmp_path)
    assert ran.code == 0, ran.stderr
    notices = [
        "Sentence 1 was cut at 16 of 42 tokens: the model did not see the rest.",
        "The model cannot read anything in sentence 2 (2 unknown tokens), so its similarities are meaningless.",
    ]
    assert [line for line in ran.stderr.splitlines() if "tokens" in line] == [f"one: {n}" for n in notices]
    page = BeautifulSoup((tmp_path / "out" / "one.html").read_text(encoding="utf-8"), "html.parser")
    shown = [notice.text for notice in page.select("main .notice") if "tokens" in notice.text]
    assert shown == notices


# --- the same bytes ----------------------------------------------------------------------------------------

SUFFIXES = (".html", ".csv", ".ipynb")
OTHER_PLACE = {"TZ": "Pacific/Kiritimati", "USER": "someone", "LOGNAME": "someone", "PYTHONHASHSEED": "7"}


def turkish(folder: Path) -> dict[str, str]:
    """The environment of a Turkish machine; in name only where its locale cannot be made here."""
    made = shutil.which("localedef") and subprocess.run(
        ["localedef", "-i", "tr_TR", "-f", "UTF-8", folder / "tr_TR.UTF-8"], capture_output=True, check=False
    )
    print("tr_TR.UTF-8 was made" if made and made.returncode == 0 else "there is no tr_TR.UTF-8 here")
    return {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "LOCPATH": str(folder)}


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["C", "tr_TR.UTF-8"])
def test_reports_are_the_same_bytes_anywhere(shipped: Ran, tmp_path: Path, locale: str) -> None:
    env = OTHER_PLACE | (turkish(tmp_path) if locale != "C" else {"LC_ALL": "C", "LANG": "C"})
    (tmp_path / "home" / "elsewhere").mkdir(parents=True)
    ran = command_line(
        "run", "--project", ROOT, "--jobs", "1" if locale == "C" else "3", "--out", "../../my reports",
        *shown_sets(), home=tmp_path / "home", cwd=tmp_path / "home" / "elsewhere",
        HF_ENDPOINT="http://127.0.0.1:9", **env,
    )  # fmt: skip
    assert ran.code == 0, ran.stderr
    names = sorted(path.name for path in shipped.out.iterdir() if path.suffix in SUFFIXES)
    assert "blog.html" in names
    for name in names:
        assert (tmp_path / "my reports" / name).read_bytes() == (shipped.out / name).read_bytes(), name


def test_a_small_report_is_the_same_bytes_anywhere(
    tiny_notebook: Path, warm_kernels: Kernels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    texts = ["I İ ı i", "ß", "Yaoundé 中文 🙂"]
    paths = [write_set(tmp_path / "sets", stem, model=EMBEDDED, sentences=texts) for stem in ("one", "two")]
    (tmp_path / "params").mkdir()  # a project, as the driver makes one
    run(paths, Options(Project(tmp_path), tmp_path / "here", jobs=1), Notes(), warm_kernels)
    (tmp_path / "home").mkdir()
    env = os.environ | OTHER_PLACE | turkish(tmp_path) | {"HOME": str(tmp_path / "home")}
    words = ["run", "--cold", "--jobs", "2", "--out", "../there", *paths]
    command = [sys.executable, "-c", DRIVER, tiny_notebook, *words]
    subprocess.run(command, env=env, cwd=tmp_path / "home", capture_output=True, check=True)
    for name in ("index.html", *(f"{stem}{suffix}" for stem in ("one", "two") for suffix in SUFFIXES)):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes(), name
    assert b"1970-01-02" in (tmp_path / "here" / "one.html").read_bytes()


def test_a_large_report_is_the_same_bytes_with_a_cold_and_a_warm_cache(
    call: Callable[..., Ran], tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    words = ["the", "cat", "sat", "on", "mat", ".", "query", "passage", "represent", ":"]
    sentences = [f"the {first} on {second} the" for first in words for second in words] + ["the", "the mat"]
    path = write_set(tmp_path / "sets", "large", model=str(tiny), sentences=sentences)
    for name in ("cold", "warm"):
        ran = call("run", "--out", tmp_path / name, path)
        assert ran.code == 0, ran.stderr
    for suffix in SUFFIXES:
        cold, warm = (tmp_path / name / f"large{suffix}" for name in ("cold", "warm"))
        assert cold.read_bytes() == warm.read_bytes(), suffix
    with Cache(Path(os.environ["XDG_CACHE_HOME"]) / "sentence-reports" / "embeddings") as cache:
        assert [(kept.model, kept.vectors) for kept in cache.kept()] == [(str(tiny), 102)]


# --- no network --------------------------------------------------------------------------------------------

# In every Python process: whoever looks up a name or talks to another address than a file's is noted and refused.
REFUSE = """
import os, socket, sys

def refuse(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if args[0].family == socket.AF_UNIX:
            return
    elif event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"):
        return
    with open(os.environ["ASKED"], "a") as file:
        print(event, args[1:], ascii(sys.orig_argv), file=file)
    raise PermissionError(event)

sys.addaudithook(refuse)
with open(os.environ["ASKED"], "a") as file:
    print("hears", ascii(sys.orig_argv), file=file)
"""


@pytest.fixture
def deaf(tmp_path: Path) -> Callable[..., tuple[subprocess.CompletedProcess, list[str]]]:
    """Run a command with `REFUSE` in all its processes; gives how it ended and what was asked."""
    (tmp_path / "refuse").mkdir()
    (tmp_path / "refuse" / "sitecustomize.py").write_text(REFUSE)
    asked = tmp_path / "asked"

    def run(*command: str | Path) -> tuple[subprocess.CompletedProcess, list[str]]:
        env = os.environ | {"PYTHONPATH": str(tmp_path / "refuse"), "ASKED": str(asked)}
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        lines = asked.read_text().splitlines()
        asked.unlink()
        heard = [line for line in lines if line.startswith("hears")]
        assert any("ipykernel" in line or "forkserver" in line for line in heard), heard
        return done, [line for line in lines if not line.startswith("hears")]

    return run


WITHOUT_NETWORK = ["unshare", "--map-root-user", "--net"]  # not even this machine itself can be reached


@pytest.mark.slow
@pytest.mark.parametrize("words", [pytest.param([], id="warm"), pytest.param(["--cold"], id="cold")])
def test_a_run_whose_model_is_here_asks_nothing_of_a_network(
    deaf: Callable, tmp_path: Path, words: list[str]
) -> None:
    path = write_set(tmp_path / "sets", "one", model=EMBEDDED)
    apart = WITHOUT_NETWORK if not subprocess.run([*WITHOUT_NETWORK, "true"], check=False).returncode else []
    command = [sys.executable, "-m", "sentence_reports", "run", "--out", tmp_path / "out", *words, path]
    done, asked = deaf(*apart, *command)
    assert done.returncode == 0, done.stderr
    assert asked == []


@pytest.mark.slow
def test_the_notebook_by_itself_asks_nothing_of_a_network(deaf: Callable, tmp_path: Path) -> None:
    path = write_set(tmp_path / "sets", "one", model=EMBEDDED)
    papermill = Path(sys.executable).with_name("papermill")
    done, asked = deaf(
        papermill,
        packaged("notebooks") / "walkthrough.ipynb",
        tmp_path / "out.ipynb",
        "-f",
        path,
        "-k",
        "python3",
    )
    assert done.returncode == 0, done.stderr
    assert asked == []


@pytest.mark.slow
def test_what_asks_a_network_is_heard(deaf: Callable, tmp_path: Path, tiny_notebook: Path) -> None:
    code = "#run\nimport socket\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError: pass"
    path = write_set(tmp_path / "sets", "one", model=EMBEDDED, description=code)
    done, asked = deaf(
        sys.executable, "-c", DRIVER, tiny_notebook, "run", "--cold", "--out", tmp_path / "out", path
    )
    assert done.returncode == 0, done.stderr
    assert len(asked) == 1
    assert asked[0].startswith("socket.getaddrinfo ")


# --- a claim that does not hold ----------------------------------------------------------------------------


def test_a_claim_turned_round_is_named_wherever_results_are_shown(
    call: Callable[..., Ran], tmp_path: Path
) -> None:
    negation = yaml.safe_load((ROOT / "params" / "negation.yaml").read_text(encoding="utf-8"))
    turned = next(claim for claim in negation["expect"] if "closer" in claim)
    turned["closer"], turned["than"] = turned["than"], turned["closer"]
    path, out = tmp_path / "negation.yaml", tmp_path / "out"
    path.write_text(json.dumps(negation))
    files = ["--junit", tmp_path / "results.xml", "--markdown", tmp_path / "summary.md"]
    ran = call("run", "--out", out, *files, path)
    assert ran.code == 3, ran.stderr
    notebook = nbformat.read(out / "negation.ipynb", as_version=4)
    (check,) = (check for check in read_summary(notebook).checks if not check.met)
    assert f"negation: does not hold: {check.statement}" in ran.stderr.splitlines()
    total = len(negation["expect"])
    assert f"{total - 1} of {total} claims hold." in ran.stderr.splitlines()
    index = BeautifulSoup((out / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert check.statement in index.text
    page = BeautifulSoup((out / "negation.html").read_text(encoding="utf-8"), "html.parser")
    unmet = page.select_one("#expected li")  # the first one
    assert unmet is not None
    assert "✗ does not hold" in unmet.text
    assert [f"“{text.text}”" in check.statement for text in unmet.select("q")] == [
        True
    ] * 3  # the shared one once
    suite = ElementTree.parse(tmp_path / "results.xml").getroot()[0]
    assert [failure.get("message") for failure in suite.iter("failure")] == [check.statement]
    summary = BeautifulSoup(
        mistune.html((tmp_path / "summary.md").read_text(encoding="utf-8")), "html.parser"
    )
    assert summary.select("li")[0].text.startswith(f"negation: {check.statement}.")
