"""The command line, called as a user calls it: exit codes, words, and where they go."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from support import ROOT, SHOWN, Ran, command_line, on_a_terminal, shown_sets

from sentence_reports import cli
from sentence_reports.arguments import parser
from sentence_reports.lock import LOCK
from sentence_reports.models.baseline import SENTENCES
from sentence_reports.ownership import STATE
from sentence_reports.project import Project
from sentence_reports.texts import printable

MOVIES = ROOT / "params" / "sbert-movies.yaml"


# --- the shipped sets --------------------------------------------------------------------------------------


def check_reports(ran: Ran, stems: Iterable[str]) -> None:
    assert ran.code == 0, ran.stderr
    names = {path.name for path in ran.out.iterdir() if path.suffix in (".html", ".ipynb", ".csv")}
    expected = {f"{stem}{suffix}" for stem in stems for suffix in (".html", ".ipynb", ".csv")}
    assert names == expected | {"town-inbox.neighbours.csv", "index.html"}
    assert "Traceback" not in ran.stderr


def test_shipped_sets_of_each_kind_become_reports(shipped: Ran) -> None:
    check_reports(shipped, SHOWN)


@pytest.mark.slow
def test_the_shipped_sets_all_become_reports(tmp_path: Path) -> None:
    out = tmp_path / "reports"
    ran = command_line("run", "--out", out, home=tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    check_reports(replace(ran, out=out), (path.stem for path in (ROOT / "params").glob("*.yaml")))


def test_the_table_has_a_tab_separated_line_for_each_report(shipped: Ran) -> None:
    rows = [line.split("\t") for line in shipped.stdout.splitlines()]
    assert [row[0] for row in rows] == sorted(SHOWN)
    movies = dict(zip([row[0] for row in rows], rows, strict=True))["sbert-movies"]
    assert movies[1:4] == [
        "sentence-transformers/all-MiniLM-L6-v2",
        "6",
        "0.8939  The new movie is awesome | The new movie is so great",
    ]
    assert float(movies[4]) > 0
    assert movies[5].endswith("sbert-movies.html")


def test_the_movies_meet_nine_of_nine_published_values(shipped: Ran) -> None:
    page = (shipped.out / "sbert-movies.html").read_text(encoding="utf-8")
    verdict = re.search(
        r"9 of 9 published values matched; largest difference (0\.\d+), allowed 0\.0001", page
    )
    assert verdict is not None
    assert float(verdict[1]) <= 1e-4


def test_the_blog_says_on_top_who_stood_in_and_why(shipped: Ran) -> None:
    soup = BeautifulSoup((shipped.out / "blog.html").read_text(encoding="utf-8"), "html.parser")
    notice = soup.select_one("main .notice")
    assert notice is not None
    assert re.fullmatch(
        r"These numbers come from sentence-transformers/all-MiniLM-L6-v2\. "
        r"You asked for BAAI/bge-base-en, which could not be downloaded\..*",
        notice.text,
    )
    assert "Not compared: the figures are for BAAI/bge-base-en" in soup.text
    assert (
        "blog: These numbers come from sentence-transformers/all-MiniLM-L6-v2. You asked for BAAI/bge-base-en"
        in shipped.stderr
    )
    assert re.search(r"blog: The reason for the fallback: .*hub.* could not be reached.*\.", shipped.stderr)


def test_a_second_run_does_nothing_and_says_so(shipped: Ran, call: Callable[..., Ran]) -> None:
    again = call("run", "--out", shipped.out, *shown_sets())
    assert again.code == 0
    assert re.search(r"Nothing to do: \d+ reports are up to date\.", again.stderr)
    assert again.stdout == ""


HEAVY = {"torch", "numpy", "pandas", "matplotlib", "nbformat", "nbconvert", "papermill", "zmq", "rich"}


def test_what_runs_no_model_loads_nothing_heavy(shipped: Ran) -> None:
    code = (
        "import json, sys; from sentence_reports.__main__ import main\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    sys.argv[1:] = words\n"
        "    try: code = main()\n"
        "    except SystemExit as end: code = end.code\n"
        "    print('loaded:', code, *sys.modules, flush=True)"
    )
    sets = [str(path) for path in shown_sets()]
    calls = [["--help"], ["schema"], ["check"], ["run", "--out", str(shipped.out), *sets]]
    command = [sys.executable, "-c", code, json.dumps(calls)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("loaded: ")]
    assert [code for code, *_ in told] == ["0"] * len(calls)
    for words, (_, *loaded) in zip(calls, told, strict=True):
        assert "sentence_reports.cli" in loaded
        assert HEAVY & set(loaded) == set(), words[0]


# --- mistakes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sentences: [a, b]\nsentance: c\n", r"line 2, column 1: .*sentance"),
        ("sentences: [a, no]\n", r"line 1, column 16: .*false"),
        ("sentences: [a, b\n", r"line 1, column 12: the bracket that opens here is not closed"),
        ("sentences: [a]\n", r"line 1, column 1: .*sentences"),
        (None, r": .*no such file"),
    ],
    ids=["unknown key", "wrong type", "no YAML", "one sentence", "missing file"],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_a_bad_set_is_one_clear_message(
    command: str, text: str | None, message: str, tmp_path: Path, call: Callable[..., Ran]
) -> None:
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    options = ["--out", str(tmp_path / "out")] if command == "run" else []
    ran = call(command, path, *options)
    assert ran.code == 1
    lines = [line for line in ran.stderr.splitlines() if line.startswith(str(path))]
    assert len(lines) == 1, ran.stderr
    assert re.search(message, lines[0], re.IGNORECASE)
    assert "Traceback" not in ran.stderr


def test_a_bad_set_beside_good_ones_is_exit_code_1(
    shipped: Ran, tmp_path: Path, call: Callable[..., Ran]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("sentences: [a, a]\n")
    out = shutil.copytree(shipped.out, tmp_path / "out")
    ran = call("run", MOVIES, bad, "--out", out)
    assert ran.code == 1
    assert [line.split("\t")[3][:6] for line in ran.stdout.splitlines()] == ["0.8939", "failed"]


def test_options_may_stand_before_and_after_the_command() -> None:
    every = ["--out", "o", "--jobs", "3", "--force", "--strict", "--timeout", "5", "--model", "m"]
    every += ["--pdf", "--junit", "r.xml", "--markdown", "r.md", "--device", "mps", "--embeddings"]
    every += ["--scheduler", "tcp://h:1"]
    parsed = parser().parse_args(["--debug", "run", "x.yaml", *every, "--project", "p"])
    assert vars(parsed) == {
        **{
            "command": "run",
            "debug": True,
            "project": Path("p"),
            "files": [Path("x.yaml")],
            "out": Path("o"),
        },
        **{"jobs": 3, "force": True, "strict": True, "timeout": 5.0, "cold": False, "model": "m"},
        **{"device": "mps", "embeddings": True, "scheduler": "tcp://h:1"},
        **{"pdf": True, "junit": Path("r.xml"), "markdown": Path("r.md")},
    }


def test_the_imports_of_a_run_build_no_parser_of_addresses() -> None:
    """jsonschema's own, which takes a second; what reads and checks notebooks does without."""
    code = (
        "import sys; from sentence_reports.__main__ import main; main()\n"
        "import nbformat; nbformat.validate(nbformat.v4.new_notebook()); print('lark' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"


@pytest.fixture
def unread() -> Iterator[int]:
    """One end of a pipe, to write to, that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize(
    ("words", "code"),
    [(["check", "/none.yaml"], 1), (["run", "--out", "/dev/null", "/none.yaml"], 2), (["new", "../x"], 2)],
)
def test_nobody_reads_what_went_wrong_and_the_exit_code_says_it(
    words: list[str], code: int, unread: int
) -> None:
    command = [sys.executable, "-m", "sentence_reports", *words]
    done = subprocess.run(command, stdout=unread, stderr=unread, check=False)
    assert done.returncode == code


def test_a_reader_who_has_enough_changes_no_exit_code(tmp_path: Path, unread: int) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("sentences: [a, a]\n")
    command = [sys.executable, "-m", "sentence_reports", "run", "--out", tmp_path / "out", bad]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, stdout=unread, stderr=subprocess.PIPE, text=True, env=env, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2] == "0 made, 0 up to date, 1 failed."


@pytest.mark.parametrize("command", ["run", "check", "preview"])
def test_without_a_set_nothing_is_started(
    tmp_path: Path, command: str, call: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "params").mkdir()
    monkeypatch.chdir(tmp_path)
    ran = call(command)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"sentence-reports: no set in {tmp_path}/params. Create one with  sentence-reports new NAME\n"
    )


@pytest.mark.parametrize("words", [["run"], ["check"], ["new", "mine"], ["preview"], ["run", "x.yaml"]])
def test_outside_a_project_the_message_names_init(
    tmp_path: Path, words: list[str], call: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = call(*words)
    assert (ran.code, ran.stdout) == (2, "")
    assert "no project here" in ran.stderr
    assert "sentence-reports init" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_a_project_is_refused(tmp_path: Path, call: Callable[..., Ran]) -> None:
    ran = call("check", "--project", tmp_path / "none")
    assert ran.code == 2
    assert f"{tmp_path}/none is not a project: it has no params/ folder" in ran.stderr


def test_a_project_is_found_from_below_or_named_and_a_file_may_be_a_folder(
    tmp_path: Path, call: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tmp_path / "study"
    assert call("init", study).code == 0
    (study / "notes").mkdir()
    for words, cwd in [
        ([], study), ([], study / "notes"), (["--project", "study"], tmp_path), (["study/params"], tmp_path)
    ]:  # fmt: skip
        monkeypatch.chdir(cwd)
        ran = call("check", *words)
        assert (ran.code, ran.stderr) == (0, "3 sets are valid\n")


@pytest.mark.usefixtures("tiny_notebook")  # the project's own
def test_force_and_timeout_do_what_they_say(
    call: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params").mkdir()
    path = tmp_path / "params" / "mine.yaml"
    path.write_text('{"sentences": ["one", "two"]}')  # its model cannot be had here

    assert "1 made" in call("run", "--jobs", "1").stderr
    page = tmp_path / "reports" / "mine.html"
    first = page.read_text()
    assert call("run").stderr.startswith("Nothing to do: 1 report is up to date.")
    again = call("run", "--force", "--timeout", "600")
    assert "1 made" in again.stderr
    assert again.code == 0
    late = call("run", "--force", "--timeout", "0.01")
    assert late.code == 1
    assert "0.01 s" in late.stderr
    assert page.read_text() == first


def test_strict_accepts_no_report_by_the_fallback_model(
    shipped: Ran, tmp_path: Path, call: Callable[..., Ran]
) -> None:
    out = shutil.copytree(shipped.out, tmp_path / "out")
    words = ("run", "--strict", "--out", out, ROOT / "params" / "blog.yaml")
    ran = call(*words)
    assert ran.code == 1
    assert "blog: failed: The model BAAI/bge-base-en is not on this machine" in ran.stderr
    assert (out / "blog.html").read_bytes() == (shipped.out / "blog.html").read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["run", "--jobs", "0"],
        ["run", "--jobs", "x"],
        ["run", "--timeout", "0"],
        ["run", "--timeout", "nan"],
    ],
)
def test_wrong_usage_starts_nothing(words: list[str], call: Callable[..., Ran]) -> None:
    ran = call(*words)
    assert ran.code == 2
    assert ran.stdout == ""
    assert "usage: sentence-reports" in ran.stderr


def test_a_folder_that_is_gone_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    for words in (["check"], ["check", "x.yaml"], ["run", "--out", "o", "x.yaml"], ["new", "mine"], ["init"]):
        assert cli.main(words) == 2
        message = "sentence-reports: the current folder is gone; change to another one\n"
        assert capsys.readouterr().err == message


# Where tempfile looks; /proc is where nobody can write, the current folder is the last that it tries.
WITHOUT_TEMPORARY = """
for folder in /tmp /var/tmp; do mount -t tmpfs -o ro none $folder || exit 77; done
cd /proc && exec "$@"
"""


def test_without_a_temporary_folder_the_rest_works_and_the_message_says_what_to_set(tmp_path: Path) -> None:
    interpreter = ["unshare", "--map-root-user", "--mount", "bash", "-c", WITHOUT_TEMPORARY, "bash"]
    interpreter += [sys.executable, "-m", "sentence_reports"]

    def ran(*words: str | Path) -> tuple[int, list[str]]:
        env = {"HOME": "/", "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        done = subprocess.run([*interpreter, *words], env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.splitlines()

    try:
        code, said = ran("--help")
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if code in (77, 127) or "unshare: " in "".join(said):
        pytest.skip(f"file systems cannot be mounted here: {said}")
    assert (code, said) == (0, [])
    assert ran("check", ROOT / "params")[0] == 0
    message = "sentence-reports: no folder for temporary files can be written; name one: TMPDIR=FOLDER"
    for words in (["run", "--out", "/dev/shm/none"], ["preview"], ["lab"]):
        assert ran(*words, "--project", ROOT) == (2, [message])
    assert not Path("/dev/shm/none").exists()


def test_an_output_folder_that_cannot_be_used_starts_nothing(
    tmp_path: Path, call: Callable[..., Ran]
) -> None:
    (tmp_path / "file").write_text("")
    ran = call("run", MOVIES, "--out", tmp_path / "file")
    assert ran.code == 2
    assert ran.stderr.startswith(f"sentence-reports: cannot write to {tmp_path / 'file'}: ")


# --- new, schema, help -------------------------------------------------------------------------------------


def test_init_and_new_say_what_to_do_next(
    tmp_path: Path, call: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = call("init", "study")
    assert ran.code == 0
    assert "study/params/negation.yaml" in ran.stdout.splitlines()
    assert ran.stderr == "Next:  cd study && sentence-reports run\n"
    monkeypatch.chdir("study")
    ran = call("new", "my-own")
    assert (ran.code, ran.stdout) == (0, "params/my-own.yaml\n")
    assert ran.stderr.endswith("then:  sentence-reports run params/my-own.yaml\n")
    assert call("check").code == 0
    ran = call("new", "My-Own")
    assert ran.code == 2
    assert "my-own.yaml already exists; nothing was written" in ran.stderr
    ran = call("new", "../x")
    assert ran.code == 2
    assert "is not a valid set name" in ran.stderr


def test_schema_prints_the_shipped_schema(call: Callable[..., Ran]) -> None:
    ran = call("schema")
    assert json.loads(ran.stdout) == json.loads((ROOT / "params" / "schema.json").read_text())


def test_baseline_prints_one_unrelated_sentence_per_line(call: Callable[..., Ran]) -> None:
    ran = call("baseline")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == SENTENCES.read_text(encoding="utf-8")
    assert len(ran.stdout.splitlines()) == len(set(ran.stdout.splitlines())) == 200


def test_help_names_every_command(tmp_path: Path) -> None:
    ran = command_line("--help", home=tmp_path)
    assert ran.code == 0
    assert all(
        f"    {name} " in ran.stdout
        for name in ("run", "check", "new", "init", "preview", "lab", "baseline", "cache", "schema")
    )


def test_a_command_to_copy_is_one_that_can_be_typed(tmp_path: Path) -> None:
    ran = command_line("init", home=tmp_path, cwd=tmp_path, PATH="/usr/bin:/bin")
    assert ran.stderr == f"Next:  {Path(sys.executable).with_name('sentence-reports')} run\n"


def test_a_path_is_quoted_as_its_shell_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.typed(Path("my study")) == "'my study'"
    monkeypatch.setattr(cli, "os", SimpleNamespace(name="nt"))
    assert [cli.typed(Path(name)) for name in ("my study", r"a\b")] == ['"my study"', r"a\b"]


def test_what_init_says_next_works_from_where_it_was_called(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])  # as in a clone, without being on PATH
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    options: Any = {"cwd": tmp_path, "env": env, "capture_output": True, "text": True, "timeout": 60}
    words = (str(tmp_path / ".venv" / "bin" / "python"), "-m", "sentence_reports", "init", "study")
    command = subprocess.run(words, check=True, **options).stderr.removeprefix("Next:  ").strip()
    assert command == f"cd study && {tmp_path}/.venv/bin/sentence-reports run"
    ran = subprocess.run(f"{command.removesuffix('run')}check", shell=True, check=False, **options)
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    assert "3 sets are valid" in ran.stderr


def test_a_command_to_copy_is_quoted(
    tmp_path: Path, call: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = call("init", "two words")
    assert ran.stderr == "Next:  cd 'two words' && sentence-reports run\n"
    ran = call("init", "two words", "--ci")
    workflow = "two words/.github/workflows/reports.yaml"
    assert ran.stderr.startswith(f"First set SENTENCE_REPORTS in {workflow} to what pip should install\n")
    ran = call("--project", "two words", "new", "mine")
    assert ran.stderr.endswith("sentence-reports run 'two words/params/mine.yaml'\n")


def test_a_set_that_lab_cannot_open_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["init"]) == 0
    (tmp_path / "params" / "bad.yaml").write_text("sentences: [one, one]\n")
    for words, code, message in [
        (["none"], 2, "params/none.yaml: "),
        (["params/none.yaml"], 2, "params/none.yaml: "),
        (["params/bad.yaml"], 2, "params/bad.yaml, line 1, column "),
        (["params"], 2, "params is a folder, and lab opens one set. Name the set\n"),
        (["negation", "--out", "README.md"], 2, "cannot write to README.md: "),
    ]:
        capsys.readouterr()
        assert cli.main(["lab", *words]) == code
        assert capsys.readouterr().err.startswith(f"sentence-reports: {message}")


def test_lab_opens_a_set_file_outside_a_project_as_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Project, Path | None, Path]] = []
    monkeypatch.setattr("sentence_reports.lab.open_lab", lambda *given: opened.append(given))
    monkeypatch.chdir(tmp_path)
    cli.main(["lab", "a.yaml", "--out", "copies"])
    assert opened == [(Project(tmp_path), Path("a.yaml"), Path("copies"))]
    for words in (["lab", "a.yaml"], ["lab", "mine", "--out", "copies"], ["lab", "--out", "copies"]):
        assert cli.main(words) == 2
    assert len(opened) == 1


# --- terminals ---------------------------------------------------------------------------------------------


def test_nothing_from_a_set_steers_the_terminal() -> None:
    assert printable("a\x1b[31mb\u202ec\x07\r\n") == "a\\x1b[31mb\\u202ec\\x07\\r\n"
    assert printable("Yaoundé 中文 🙂") == "Yaoundé 中文 🙂"


def test_a_locale_without_a_sentences_characters_shows_their_codes(shipped: Ran, tmp_path: Path) -> None:
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    out = shutil.copytree(shipped.out, tmp_path / "out")
    words = ("run", ROOT / "params" / "blog.yaml", "none.yaml", "--out", out)
    ran = command_line(*words, home=tmp_path, cwd=tmp_path, **env)
    assert "Remove jalape\\xf1os from surface" in ran.stdout


def test_on_a_terminal_the_table_fits_80_columns_with_whole_file_names(shipped: Ran, tmp_path: Path) -> None:
    shutil.copytree(shipped.out, tmp_path / "reports")
    shutil.copytree(ROOT / "params" / "texts", tmp_path / "params" / "texts")
    for path in shown_sets():
        shutil.copy(path, tmp_path / "params")
    (tmp_path / "params" / "bad.yaml").write_text("sentences: [a, a]\n")
    code, shown = on_a_terminal("-m", "sentence_reports", "run", cwd=tmp_path)
    assert code == 1
    table = re.sub(r"\x1b\[[0-9;]*m", "", shown).split("closest pair", 1)[1].splitlines()
    assert max(map(len, table)) <= 80
    for page in (tmp_path / "reports").glob("*.html"):
        assert page.stem == "index" or any(line.startswith(f"reports/{page.name} ") for line in table)
    assert "\x1b[31m" in shown  # what failed is red
    assert shown.rstrip().endswith("Look at reports/index.html")


# --- what is not met ---------------------------------------------------------------------------------------


def test_a_published_figure_that_does_not_match_is_exit_code_3(
    call: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params").mkdir()
    keys = {
        "sentences": ["A dog barks", "A cat sleeps"],
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "reference": {
            "source": "nowhere",
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "tolerance": 0.01,
            "similarity": [[1, 0.9], [0.9, 1]],
        },
    }
    (tmp_path / "params" / "odd.yaml").write_text(json.dumps(keys))
    for told in ("1 made, 0 up to date.", "Nothing to do: 1 report is up to date."):
        ran = call("run")
        assert ran.code == 3, ran.stderr
        unmet, *_ = [
            line for line in ran.stderr.splitlines() if line.startswith("odd: does not hold: 1 of 1 ")
        ]
        assert "the tolerance 0.01 (nowhere)" in unmet
        assert told in ran.stderr.splitlines()
        assert "The published values do not match." in ran.stderr.splitlines()
    (tmp_path / "params" / "bad.yaml").write_text("sentences: [a, a]")
    assert call("run").code == 1


# --- results for other programs ----------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> list[str]:
    return ["--junit", str(tmp_path / "new" / "results.xml"), "--markdown", str(tmp_path / "results.md")]


def test_results_are_complete_if_nothing_was_out_of_date(shipped: Ran, results: list[str]) -> None:
    sets = map(str, shown_sets())
    assert cli.main(["run", "--project", str(ROOT), "--out", str(shipped.out), *results, *sets]) == 0
    suites = ElementTree.parse(results[1]).getroot()
    stems = sorted(SHOWN)
    assert [suite.get("name") for suite in suites] == stems
    assert {suite.get("timestamp") for suite in suites} == {"2023-11-14T00:00:00"}
    summary = Path(results[3]).read_text(encoding="utf-8")
    assert [stem for stem in stems if f"\n| {stem} |" in summary] == stems


def test_results_are_complete_if_a_set_failed_and_replace_earlier_ones(
    results: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    (tmp_path / "bad.yaml").write_text("sentences: [a, a]\n")
    words = ["run", str(tmp_path / "bad.yaml"), str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out")]
    Path(results[3]).touch()  # as GitHub prepares the file for a summary
    seen = []
    for _ in range(2):
        assert cli.main([*words, *results]) == 1
        seen.append([Path(results[k]).read_text(encoding="utf-8") for k in (1, 3)])
    assert seen[0] == seen[1]
    suites = ElementTree.fromstring(seen[0][0].encode())
    errors = [
        (suite.get("name"), suite.get("timestamp"), suite.find(".//error").get("message")) for suite in suites
    ]  # type: ignore[union-attr]
    assert [(name, day) for name, day, _ in errors] == [(n, "1970-01-02T00:00:00") for n in ("bad", "none")]
    assert "is the same as sentence 1" in str(errors[0][2])
    assert "no such file" in seen[0][1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml", "new", "out", "results.md"]


@pytest.mark.parametrize("option", ["--junit", "--markdown"])
def test_results_never_replace_another_file_and_are_refused_before_anything_starts(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text("sentences: [a, b]\n")
    (tmp_path / "file").write_text("# Mine\n")
    (tmp_path / "folder").mkdir()
    for name, message in {
        "file": "file exists and was not made by Sentence Reports. Choose another file\n",
        "mine.yaml": "mine.yaml exists and was not made by Sentence Reports. Choose another file\n",
        "folder": "folder exists and was not made by Sentence Reports. Choose another file\n",
        "file/results": "file/results: not a folder\n",
        LOCK: f"{LOCK} is a file that Sentence Reports needs for itself. Choose another file\n",
        STATE: f"{STATE} is a file that Sentence Reports needs for itself. Choose another file\n",
    }.items():
        words = ["run", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "out")]
        assert cli.main([*words, option, str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.endswith(message)
    assert (tmp_path / "file").read_text() == "# Mine\n"
    assert not (tmp_path / "out").exists()


def test_one_file_cannot_hold_both_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "x.yaml", "--out", str(tmp_path / "out"), "--junit", str(tmp_path / "r")]
    assert cli.main([*words, "--markdown", str(tmp_path / "r")]) == 2
    assert "--junit and --markdown both name" in capsys.readouterr().err
    assert cli.main([*words, "--markdown", str(tmp_path / "out" / ".." / "r")]) == 2
    assert "--junit and --markdown both name" in capsys.readouterr().err


def test_results_that_cannot_be_written_are_an_error_after_the_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cli, "atomic_write", refuse)
    words = ["run", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out")]
    assert cli.main([*words, "--junit", str(tmp_path / "r.xml")]) == 1
    assert capsys.readouterr().err.endswith("the results could not be written: No space left on device\n")


@pytest.mark.parametrize("name", ["", "./none", "a b"])
def test_a_model_that_cannot_exist_starts_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", "x.yaml", "--out", str(tmp_path / "out"), "--model", name]) == 2
    assert "sentence-reports: --model " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_report_with_another_model_is_named_after_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out"), "--model", "some/model"]
    assert cli.main(words) == 1
    assert capsys.readouterr().out.startswith("none@model\t\t\tfailed: ")
