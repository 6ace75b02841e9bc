"""What a run tells on the terminal, and what `--debug` adds."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.cells import cell_len
from support import command_line, on_a_terminal

from sentence_reports.claim_records import Check
from sentence_reports.report import Report
from sentence_reports.terminal import Teller, row

GOOD = Report("good", "Good", "../params/good.yaml", "m", 2, date="2026-01-01", seconds=1.5)
HOLDS, FAILS = Check("x > y", "x (2) > y (1)", met=True), Check("y > x", "y (1): not above x (2)", met=False)
UNMET = Report("odd", "Odd", "../params/odd.yaml", "m", 2, seconds=1, checks=(HOLDS, FAILS))
BUG = Report(
    "bad", "Bad", "", "m", 2, failure="a bug: KeyError: 'x'", traceback="Traceback\n  in x\nKeyError"
)


def tell(*reports: Report, begun: int, debug: bool = False) -> None:
    with Teller(bar=False, debug=debug) as teller:
        if begun:
            teller.begin(begun)
        for report in reports[:begun]:
            teller.done(report)
        teller.close(reports)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell of steps that take no time."""
    monkeypatch.setattr("sentence_reports.terminal.LEAST", 0)
    monkeypatch.setattr("sentence_reports.terminal.LONG", 0)


def test_what_is_not_met_is_told_once_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    tell(UNMET, GOOD, begun=1)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "1 set to run",
        "odd: does not hold: y (1): not above x (2)",
        "odd: done in 1 s",
        "1 made, 1 up to date.",
        "1 of 2 claims holds.",
    ]
    tell(GOOD, UNMET, begun=0)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "odd: does not hold: y (1): not above x (2)",
        "Nothing to do: 2 reports are up to date.",
        "1 of 2 claims holds.",
    ]


def test_of_many_claims_that_do_not_hold_the_first_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell(replace(UNMET, checks=(FAILS,) * 1020), begun=1)
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[2] for line in told[1:23]] == [
        *[f"does not hold: {FAILS.statement}"] * 20,
        "1,000 more do not hold; see the page",
        "done in 1 s",
    ]


@pytest.mark.parametrize(
    ("checks", "summary"),
    [
        ((HOLDS,), "The claim holds."),
        ((HOLDS, HOLDS), "Both claims hold."),
        ((FAILS, FAILS), "Neither claim holds."),
    ],
)
def test_the_last_line_counts_the_claims_of_good_reports(
    checks: tuple[Check, ...], summary: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(replace(UNMET, checks=checks), replace(UNMET, failure="broken"), GOOD, begun=0)
    assert capsys.readouterr().err.splitlines()[-1] == summary
    tell(GOOD, begun=0)
    assert "claim" not in capsys.readouterr().err


def test_what_came_out_of_a_comparison_is_in_the_table_only(capsys: pytest.CaptureFixture[str]) -> None:
    compared = replace(GOOD, stem="both", model="one, two", finding=("one meets all claims.", "They agree."))
    tell(compared, begun=1)
    tell(compared, begun=0)
    assert "meets" not in capsys.readouterr().err
    walk = replace(compared, closest=("a", "b", 0.5))
    assert row(compared, Path())[1:4] == ["one, two", "2", "one meets all claims. They agree."]
    assert row(walk, Path())[3] == "0.5000  a | b"
    several = replace(compared, labels=("one, two", 'a "b"'))
    assert json.loads(row(several, Path())[1]) == ["one, two", 'a "b"']


BIDI = """
import sys
from pathlib import Path
from sentence_reports.report import Report
from sentence_reports.terminal import say, show
from sentence_reports.texts import isolated
say(isolated("\u05d0\u202e") + isolated("a\u202e"), *sys.argv[1:])
say(isolated("a\u202e"))
show([Report("a", "A", "", "m", 2, seconds=1, closest=("\u05d0", "two", 0.5))], Path())
"""


def test_isolates_are_on_a_terminal_only_and_only_around_right_to_left_text() -> None:
    mixed, plain = "\u2068\u05d0\\u202e\u2069\u2068a\\u202e\u2069", "a\\u202e"
    for style in ([], ["red"]):
        _, shown = on_a_terminal("-c", BIDI, *style)
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
        assert [line.strip() for line in lines[:2]] == [mixed, plain]
        assert "\u2068\u05d0\u2069 | two" in lines[-1]
    command = [sys.executable, "-c", BIDI]
    piped = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert piped.stderr.splitlines() == ["\u05d0\\u202ea\\u202e", plain]
    assert "\u05d0 | two" in piped.stdout


TABLE = """
from pathlib import Path
from sentence_reports.report import Report
from sentence_reports.terminal import show
good = Report("a", "A", "", "m", 2, seconds=1, closest=("one", "two", 0.5))
compared = Report("b", "B", "", "m, n", 2, seconds=1, finding=("m meets all.", "They agree."))
show([good, Report("c", "C", "", "m", 2, failure="broken")], Path())
show([good, compared], Path())
"""


def test_the_head_of_the_table_says_what_its_last_column_holds() -> None:
    code, shown = on_a_terminal("-c", TABLE)
    assert code == 0, shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    heads = [line.partition("sentences")[2].strip() for line in lines if line.startswith("report")]
    assert heads == ["closest pair", "closest pair, or finding"]
    assert "m meets all." in shown
    assert "They agree." not in shown  # the page says it


LONG = """
from pathlib import Path
from sentence_reports.report import Report
from sentence_reports.terminal import show
names = ["negation@all-mpnet-base-v2", "n" * 37, "中" * 12, "l" * 90]
pair = ("one of two quite long sentences", "the other of the two", 0.5)
show([Report(name, "A", "", "m", 2, seconds=1, closest=pair) for name in names], Path("reports"))
"""


@pytest.mark.parametrize("columns", [80, 60])
def test_long_file_names_stay_whole_if_there_is_room(columns: int) -> None:
    code, shown = on_a_terminal("-c", LONG, columns=columns)
    assert code == 0, shown
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(map(cell_len, lines)) <= columns
    whole = [name for name in ("negation@all-mpnet-base-v2", "n" * 37) if f"reports/{name}.html " in shown]
    assert len(whole) == (2 if columns == 80 else 0)
    assert sum(line.count("l") for line in lines if "lll" in line) >= 90  # on several lines
    assert "0.5000" in shown


def test_a_bug_points_to_debug_which_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    tell(BUG, begun=1)
    told = capsys.readouterr().err.splitlines()
    assert told[1:3] == [
        "bad: failed: a bug: KeyError: 'x'",
        "This is a bug in Sentence Reports; run the command again with --debug to see where it happened.",
    ]
    tell(BUG, begun=1, debug=True)
    assert "Traceback\n  in x\nKeyError\n" in capsys.readouterr().err


@pytest.mark.usefixtures("at_once")
def test_a_large_set_tells_each_tenth_of_its_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    with Teller(bar=False) as teller:
        for done in range(32, 1025, 32):
            teller.progress("many", done, 1024, "encoding")
        teller.done(Report("many", "Many", "", "m", 1024, seconds=1))
    *lines, last = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    text = r"many: 128 of 1,024 texts encoded, [\d,]+ per second, about \d+ s left"
    assert re.fullmatch(text, lines[0])
    assert lines[-1].startswith("many: 1,024 of 1,024 texts encoded, ")
    assert lines[-1].endswith("about 0 s left")
    assert last == "many: done in 1 s"


@pytest.mark.usefixtures("at_once")
def test_a_large_set_tells_each_quarter_that_is_compared(capsys: pytest.CaptureFixture[str]) -> None:
    with Teller(bar=False) as teller:
        for done in range(32, 1025, 32):
            teller.progress("many", done, 1024, "encoding")
        capsys.readouterr()
        for done in range(101):
            teller.progress("many", done, 100, "comparing")
    lines = capsys.readouterr().err.splitlines()
    assert [re.sub(r"about \d+ s", "about … s", line) for line in lines] == [
        f"many: comparing the texts with each other, {percent}%, about … s left"
        for percent in (25, 50, 75, 100)
    ]


@pytest.mark.parametrize(("texts", "told"), [(2000, ["400", "600"]), (900, [])])
def test_lines_tell_how_far_a_step_is_if_it_takes_five_seconds(
    texts: int, told: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("sentence_reports.terminal.time", SimpleNamespace(monotonic=lambda: now[0]))
    with Teller(bar=False) as teller:
        for seconds, done in ((0, 0), (0.4, 80), (2, 400), (3, 600)):  # 200 texts per second
            now[0] = seconds
            teller.progress("many", done, texts, "encoding")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in lines] == told
    assert all(f" of {texts:,} texts encoded, 200 per second, about " in line for line in lines)


def test_a_step_that_takes_no_time_has_no_speed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentence_reports.terminal.LONG", 0)
    with Teller(bar=False) as teller:
        for done in (1000, 1001, 2000):
            teller.progress("many", done, 2000, "encoding")
    assert capsys.readouterr().err == ""


BAR = """
import time
from sentence_reports.report import Report
from sentence_reports.claim_records import Check
from sentence_reports.terminal import Teller
with Teller(bar=True) as teller:
    teller.begin(2)
    teller.progress("many", 32, 1024, "encoding")
    time.sleep(0.6)
    teller.progress("many", 528, 1024, "encoding")
    time.sleep(0.2)
    teller.progress("many", 40, 100, "comparing")
    time.sleep(0.2)
    teller.done(Report("many", "Many", "", "m", 1024, seconds=1, checks=(Check("", "1 of 3 is not", False),)))
    teller.close([])
"""


def test_on_a_terminal_there_is_a_bar_and_yellow_for_what_is_not_met() -> None:
    code, shown = on_a_terminal("-c", BAR)
    assert code == 0, shown
    assert re.search(
        r"many [^\n]* 528/1024 [\d,]+ texts/s [\d:-]+", re.sub("\x1b\\[[0-9;]*[a-zA-Z]", "", shown)
    )
    assert re.search(r"many, comparing [^\n]* 40/100 % [\d:-]+", re.sub("\x1b\\[[0-9;]*[a-zA-Z]", "", shown))
    assert "1/2" in shown
    assert "\x1b[33mmany: does not hold: 1 of 3 is not" in shown


OF_A_CLUSTER = """
import time
from sentence_reports.report import Report
from sentence_reports.terminal import Teller
with Teller(bar=True) as teller:
    teller.begin(2)
    teller.workers(2, 1)
    time.sleep(0.2)
    for stem in "one", "two":
        teller.done(Report(stem, "", "", "m", 3, seconds=1))
    teller.progress("one", 32, 1024, "encoding")
"""


def test_the_bar_of_a_cluster_ends_without_busy_workers_and_shows_no_late_news() -> None:
    code, shown = on_a_terminal("-c", OF_A_CLUSTER)
    assert code == 0, shown
    assert re.search(
        r"reports [^\n]* 0/2\S* 2 workers, 1 busy", shown.replace("\x1b[32m", "").replace("\x1b[0m", "")
    )
    last = shown.rpartition("\x1b[2K")[2]
    assert "2/2" in last
    assert "2 workers" in last
    assert "busy" not in last
    assert "32/1024" not in shown


@pytest.mark.usefixtures("at_once")
def test_a_step_that_begins_again_on_another_worker_is_timed_anew(capsys: pytest.CaptureFixture[str]) -> None:
    with Teller(bar=False) as teller:
        for done in (512, 64, 160):
            teller.progress("many", done, 1024, "encoding")
    assert re.fullmatch(
        r"many: 160 of 1,024 texts encoded, [\d,]+ per second, about \d+ s left\n", capsys.readouterr().err
    )


@pytest.mark.usefixtures("at_once")
def test_the_next_run_of_a_preview_shows_progress_again(capsys: pytest.CaptureFixture[str]) -> None:
    with Teller(bar=False) as teller:
        for _ in range(2):
            teller.begin(1)
            for done in (64, 512):
                teller.progress("many", done, 1024, "encoding")
            teller.done(Report("many", "", "", "m", 3, seconds=1))
    assert capsys.readouterr().err.count("many: 512 of 1,024 texts encoded") == 2


BROKEN = """
import sys
from sentence_reports import __main__, cli
cli.COMMANDS["check"] = lambda _: {}["x"]
sys.exit(__main__.main())
"""


def test_a_fault_of_ours_is_findable(tmp_path: Path) -> None:
    def ran(*words: str, **env: str) -> list[str]:
        command = [sys.executable, "-c", BROKEN, *words]
        env = {"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)} | env
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr.splitlines()

    assert ran("check") == [
        "sentence-reports: KeyError: 'x'",
        "This is a bug in Sentence Reports; run the command again with --debug to see where it happened.",
    ]
    first, _, *trace = ran("check", "--debug", HOME=str(tmp_path))
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == "KeyError: 'x'"
    (path,) = re.findall(r"^Writing a log to (.*)$", first)
    assert Path(path).is_relative_to(tmp_path)
    log = Path(path).read_text()
    assert "sentence-reports 0." in log
    assert "\nKeyError: 'x'" in log


def test_debug_changes_nothing_about_the_result(tmp_path: Path) -> None:
    ran = command_line("--debug", "check", "none.yaml", home=tmp_path, cwd=tmp_path)
    assert ran.code == 1
    assert ran.stderr.splitlines()[1].startswith("none.yaml: no such file")
    assert "none.yaml: no such file" in next(tmp_path.rglob("debug.log")).read_text()


def test_a_log_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / ".local").touch()
    ran = command_line("--debug", "check", "none.yaml", home=tmp_path, cwd=tmp_path)
    assert ran.code == 2
    assert ran.stderr == "sentence-reports: cannot write a log file: Not a directory\n"
