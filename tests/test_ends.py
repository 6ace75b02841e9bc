"""Runs that are ended from outside, at chosen and at random moments: nothing is lost, and nothing stays behind."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from bs4 import BeautifulSoup
from filelock import FileLock
from hub import StandIn
from support import DEFAULT, DRIVER, IN_PROJECT, eventually, write_sets

from sentence_reports.models import EMBEDDED
from sentence_reports.output_folder import LOCK, TEMPORARY
from sentence_reports.ownership import STATE
from sentence_reports.sets.folder import find_sets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm kernels need Linux")


@contextmanager
def begun(command: list[str], **env: str) -> Iterator[subprocess.Popen]:
    """A process whose stderr can be read; it is killed when the block ends."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | env) as process:
        try:
            yield process
        finally:
            process.kill()


def runs(process: psutil.Process) -> bool:
    """Whether it is more than an entry that nobody has asked for yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def left_behind(folder: Path) -> list[Path]:
    """What lies in a folder for temporary files, but for what Python itself may leave there: to try the folder,
    `tempfile` writes "blat" to a file and removes it at once, and a kill in between is nobody's to mend.
    """
    own = {path for path in folder.iterdir() if path.is_file() and path.read_bytes() in (b"", b"blat")}
    return [p for p in folder.iterdir() if p not in own or not re.fullmatch(r"[a-z0-9_]{8}", p.name)]


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for temporary files whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        yield Path(folder)


@pytest.fixture
def started(tmp_path: Path, tiny_notebook: Path, short_folder: Path) -> Callable[..., subprocess.Popen]:
    """A run of four sets, two at once; its cells wait for ever, and leave a file when they begin to."""

    def start(*words: str, first: str = "") -> subprocess.Popen:
        sign = f"open(f'{tmp_path}/in-cell-{{os.getpid()}}', 'w').close()"
        wait = f"#run\nimport os, time; {sign}; time.sleep(99)"
        write_sets(tmp_path / "params", [wait] * 4)
        command = [sys.executable, "-c", first + DRIVER, str(tiny_notebook), "run", "--jobs", "2"]
        command += ["--out", str(tmp_path / "out"), *words, *map(str, find_sets(tmp_path / "params"))]
        return subprocess.Popen(
            command, env=os.environ | {"TMPDIR": str(short_folder)}, stderr=subprocess.PIPE, text=True
        )

    return start


# Its server of warm kernels imports only what the tiny notebook does, in a second.
LIGHT = "from sentence_reports import pipeline\npipeline.REHEARSAL = None\n"


@pytest.mark.parametrize(
    "words", [pytest.param((), id="warm"), pytest.param(("--cold",), id="cold", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("moment", [pytest.param("imports", marks=pytest.mark.slow), "cells"])
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        signal.SIGKILL,
    ],
)
def test_a_run_that_is_ended_leaves_nothing(
    started: Callable[..., subprocess.Popen],
    tmp_path: Path,
    short_folder: Path,
    number: signal.Signals,
    moment: str,
    words: tuple[str, ...],
) -> None:
    run = started(*words, first=LIGHT if moment == "cells" else "")
    try:
        children = psutil.Process(run.pid).children
        if moment == "cells":
            assert eventually(lambda: len(list(tmp_path.glob("in-cell-*"))) == 2)
        else:
            assert eventually(children)
        family = children(recursive=True)
        run.send_signal(number)
        _, said = run.communicate(timeout=180)
        # A run that is asked to end waits for its imports; an ordinary kernel looks once a second for its parent,
        # and not before it has imported itself.
        assert eventually(lambda: not any(map(runs, family))), family
    finally:
        run.kill()
        run.communicate()
    if number == signal.SIGKILL:
        return  # nobody is left who could remove a file
    assert run.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert said.splitlines()[-1] == "sentence-reports: stopped; finished reports are kept"
    assert "Traceback" not in said
    assert left_behind(short_folder) == []
    assert not (tmp_path / "out" / TEMPORARY).exists()
    assert not (tmp_path / "out" / "failed").exists()  # its sets were merely stopped


# Sends the run a signal from within a destructor, where an exception would be printed and forgotten, at the first
# event that is named so and whose arguments hold this.
LOSING = """
import os, signal, sys, time
number, event, part = signal.Signals[sys.argv.pop(1)], sys.argv.pop(1), sys.argv.pop(1)
class Last:
    def __del__(self):
        os.kill(os.getpid(), number)
        time.sleep(0)
def watch(name, arguments):
    global event
    if name == event and part in str(arguments):
        event = ""
        Last()
sys.addaudithook(watch)
"""


@pytest.mark.parametrize(
    ("number", "event", "part"),
    [
        pytest.param(signal.SIGTERM, "import", "huggingface_hub", id="SIGTERM, a model is sought"),
        pytest.param(signal.SIGINT, "import", "papermill", id="Ctrl-C, the run is imported"),
        pytest.param(signal.SIGTERM, "os.rename", STATE, id="SIGTERM, the first set is through"),
    ],
)
def test_a_signal_is_not_lost(
    number: signal.Signals, event: str, part: str, tmp_path: Path, tiny_notebook: Path
) -> None:
    write_sets(tmp_path / "params", ["", ""])
    command = [sys.executable, "-c", LOSING + DRIVER, number.name, event, part, str(tiny_notebook)]
    command += ["run", "--cold", "--jobs", "1", "--out", str(tmp_path / "out")]
    command += map(str, find_sets(tmp_path / "params"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number], done.stderr
    assert done.stderr.splitlines()[-1] == "sentence-reports: stopped; finished reports are kept"
    assert "Traceback" not in done.stderr
    assert "set-01: done" not in done.stderr
    assert ("set-00: done" in done.stderr) == (part == STATE)


def test_a_signal_while_the_command_line_is_imported_is_not_lost() -> None:
    code = LOSING + "from sentence_reports.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", DEFAULT + code, "SIGINT", "import", "pydantic", "check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "sentence-reports: stopped; finished reports are kept\n"


def test_a_run_that_waits_for_another_can_be_ended(tmp_path: Path, tiny_notebook: Path) -> None:
    write_sets(tmp_path / "params", [""])
    command = [sys.executable, "-c", DRIVER, str(tiny_notebook), "run", "--out", str(tmp_path)]
    command += map(str, find_sets(tmp_path / "params"))
    with FileLock(tmp_path / LOCK), begun(command) as run:
        assert run.stderr is not None
        assert "another run is using" in run.stderr.readline()
        run.terminate()
        _, said = run.communicate(timeout=180)
    assert (run.returncode, said) == (143, "sentence-reports: stopped; finished reports are kept\n")


def test_a_run_that_waits_for_the_hub_can_be_ended(tmp_path: Path) -> None:
    sets = tmp_path / "one.yaml"
    sets.write_text('{"model": "some/model", "fallback_model": null, "sentences": ["one", "two"]}')
    code = DEFAULT + "from sentence_reports.__main__ import main; import sys; sys.exit(main())"
    command = [sys.executable, "-c", code, "run", "--cold", "--out", str(tmp_path), str(sets)]
    with StandIn(reply="hang") as hub, begun(command, HF_ENDPOINT=hub.url) as run:
        assert eventually(lambda: hub.asked)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=180)
    assert (run.returncode, said.splitlines()[-1]) == (
        130,
        "sentence-reports: stopped; finished reports are kept",
    )
    assert "failed" not in said  # as it would be once the hub is given up


# --- at random moments --------------------------------------------------------------------------------------

# Starts a run for each line of words, from a process that has the imports done: most moments then are those of
# kernels, pages and files. Answers with the run's process id and, after its end, with its exit code.
STARTER = (
    DEFAULT
    + IN_PROJECT
    + """
import json, os
from sentence_reports import make
project = in_project(sys.argv[1])
STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
def die_at(step, out):
    def count(event, args):
        nonlocal step
        step -= event in STEPS and str(args[0]).startswith(out)
        if step == 0:
            step = -1  # os.kill is an event, too
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
print(flush=True)
for line in sys.stdin:
    words, *step = json.loads(line)
    pid = os.fork()
    if pid == 0:
        log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if step:
            die_at(*step)
        sys.argv[1:] = project + words
        sys.exit(__main__.main())
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
)


class Bench:
    """A set that is always well and one, `bad`, that was well in round 0 only; runs over them, and a judge.

    In each round every set's texts name the round, so that a page tells when it was made.
    """

    good = ("a",)

    def __init__(self, folder: Path, notebook: Path, temporary: Path) -> None:
        self.params, self.out, self.log = folder / "params", folder / "out", folder / "log"
        self.params.mkdir()
        self.temporary = temporary
        self.shown: dict[str, int] = {}
        self.round = -1
        self.starter = subprocess.Popen(
            [sys.executable, "-c", STARTER, str(notebook), str(self.log)],
            env=os.environ | {"TMPDIR": str(temporary), "SOURCE_DATE_EPOCH": "1700000000"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.starter.stdout is not None
        self.starter.stdout.readline()

    def begin_round(self) -> None:
        self.round += 1
        for stem in (*self.good, "bad"):
            values = {"model": EMBEDDED, "sentences": [f"round {self.round}", f"{stem} round {self.round}"]}
            values["title"] = f"{stem}, round {self.round}"
            values["description"] = "#run\n1 / 0" if stem == "bad" and self.round else ""
            (self.params / f"{stem}.yaml").write_text(json.dumps(values))

    def start(self, *words: str, step: int = 0) -> int:
        """Start a run and give its process id; one that is killed before its `step`-th touch of the output folder."""
        command = ["run", "--jobs", "2", "--out", str(self.out), *words, *map(str, find_sets(self.params))]
        assert self.starter.stdin is not None
        assert self.starter.stdout is not None
        order = [command, step, str(self.out)] if step else [command]
        print(json.dumps(order), file=self.starter.stdin, flush=True)
        return int(self.starter.stdout.readline())

    def end(self) -> int:
        """The run's exit code, once it and all its processes are gone."""
        assert self.starter.stdout is not None
        code = int(self.starter.stdout.readline())
        assert eventually(lambda: not self.processes()), self.processes()
        return code

    def processes(self) -> list[psutil.Process]:
        """Whatever runs and was started, by whomever, with this bench's folder for temporary files."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("TMPDIR") == str(self.temporary) and process.pid != self.starter.pid:
                    found.append(process)
            except psutil.Error:
                pass  # gone, or another user's
        return found

    def judge(self) -> None:
        """Every page is whole, and that of its set's last good round; a failed set's page is still the old one."""
        for page in self.out.glob("*.html"):
            text = page.read_text(encoding="utf-8")
            assert text.rstrip().endswith("</html>"), page
            if page.stem != "index":
                (made,) = set(re.findall(r"round (\d+)", text))
                assert self.shown.get(page.stem, 0) <= int(made) <= self.round, page
                self.shown[page.stem] = int(made)
        assert self.shown.get("bad", 0) == 0

    def run_whole(self) -> float:
        """Let a run come to its end and judge what there is then; the seconds it took."""
        before, began = left_behind(self.temporary), time.monotonic()
        self.start("--cold")
        code = self.end()
        lasts = time.monotonic() - began
        self.judge_whole(code)
        assert left_behind(self.temporary) == before  # what a kill left there is not for a later run to judge
        return lasts

    def judge_whole(self, code: int) -> None:
        """Judge what there is after a run that came to its end with `code`."""
        self.judge()
        assert code == (1 if self.round else 0), self.log.read_text()
        assert self.shown == dict.fromkeys(self.good, self.round) | {"bad": 0}
        for stem, made in self.shown.items():
            for suffix in (".ipynb", ".csv"):
                text = (self.out / f"{stem}{suffix}").read_text(encoding="utf-8")
                assert set(re.findall(r"round (\d+)", text)) == {str(made)}
        names = {f"{stem}{suffix}" for stem in self.shown for suffix in (".html", ".ipynb", ".csv")}
        names |= {"index.html", STATE, LOCK} | ({"failed"} if self.round else set())
        assert {path.name for path in self.out.iterdir()} == names
        if self.round:
            index = BeautifulSoup((self.out / "index.html").read_text(encoding="utf-8"), "html.parser")
            failures = [item.text for item in index.select(".failed li")]
            assert len(failures) == 1
            assert failures[0].endswith(
                "(bad): cell 3 of the notebook failed: ZeroDivisionError: division by zero"
            )
            (broken,) = (self.out / "failed").iterdir()
            cells = json.loads(broken.read_text(encoding="utf-8"))["cells"]
            errors = {
                c["id"]: o["ename"]
                for c in cells
                for o in c.get("outputs", [])
                if o["output_type"] == "error"
            }
            assert (broken.name, errors) == ("bad.ipynb", {"trouble": "ZeroDivisionError"})


@pytest.fixture
def bench(tmp_path: Path, tiny_notebook: Path, short_folder: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, tiny_notebook, short_folder)
    yield bench
    bench.starter.kill()
    bench.starter.communicate()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "kills", "kinds"),
    [
        pytest.param(1, 3, [["--cold"]], id="seed 1"),
        pytest.param(2, 25, [["--cold"], ["--cold"], ["--cold"], []], id="seed 2"),
    ],
)
def test_a_run_ended_at_a_random_moment_costs_no_page(
    bench: Bench, seed: int, kills: int, kinds: list[list[str]]
) -> None:
    chance = random.Random(seed)
    bench.begin_round()
    lasts = bench.run_whole()
    for kill in range(kills):
        bench.begin_round()
        number = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[kill % 3]
        words = chance.choice(kinds)
        moment = chance.uniform(0, lasts if words else 3 * lasts)
        run = bench.start(*words)
        time.sleep(moment)
        with suppress(ProcessLookupError):  # it was through before
            os.kill(run, number)
        code = bench.end()
        print(f"{number.name} after {moment:.2f} s of {words}: exit code {code}")
        bench.judge()
        expected = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number]
        if code not in (expected, -number):  # -number: met where Python itself begins or ends
            bench.judge_whole(code)  # through before
        assert "Traceback" not in bench.log.read_text()
        if kill + 1 == kills or kills > 3:
            lasts = bench.run_whole()


def test_a_run_killed_while_it_writes_costs_no_page(bench: Bench) -> None:
    bench.begin_round()
    bench.run_whole()
    bench.begin_round()
    bench.start("--cold", step=20)
    assert bench.end() == -9
    bench.judge()
    bench.run_whole()


@pytest.mark.slow
def test_a_run_killed_at_any_step_on_disk_costs_no_page(bench: Bench) -> None:
    bench.begin_round()
    bench.run_whole()
    step, code = 0, -9
    while code == -9:
        step += 1
        bench.begin_round()
        bench.start("--cold", step=step)
        code = bench.end()
        bench.judge()
        if step % 10 == 0:
            bench.run_whole()
    print(f"{step - 1} steps")
    assert step > 30
    bench.judge_whole(code)
