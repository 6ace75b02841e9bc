"""Pages as PDF: which browser prints them, what a browser may do, and what becomes of the files."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest
from bs4 import BeautifulSoup
from support import Notes, eventually

from sentence_reports import cli, printing
from sentence_reports.errors import UsageError
from sentence_reports.output_folder import clean
from sentence_reports.pipeline import run
from sentence_reports.printing import Browser, Page, Printed, find_browser, print_pages
from sentence_reports.project import Project
from sentence_reports.report import Options
from sentence_reports.sets.folder import find_sets

# A program that prints as Chromium does, and then does what its last lines say.
STAND_IN = """#!{python}
import os, subprocess, sys, time
from pathlib import Path
url = sys.argv[-1]
(out,) = [Path(word.partition("=")[2]) for word in sys.argv if word.startswith("--print-to-pdf=")]
page = Path(url.removeprefix("file://")).read_bytes()
Path({calls!r}).open("a").write(f"{{os.getpid()}} {{' '.join(sys.argv[1:])}}\\n")
dates = b"/CreationDate (D:20200102030405+00'00')\\n/ModDate (D:20200102030405+00'00')\\n"
pdf = b"%PDF-1.4\\n" + dates + page + b"\\n%%EOF\\n"
{then}
"""
PRINT = "out.write_bytes(pdf)"
PAGE = Page("one", b"<!DOCTYPE html><title>One</title><p>first</p>", "2026-11-28")


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Where browsers that are stood in for leave a line each: their process and its arguments."""
    return tmp_path / "calls"


@pytest.fixture
def stand_in(tmp_path: Path, calls: Path) -> Callable[..., Browser]:
    def make(then: str = PRINT, name: str = "chromium") -> Browser:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(STAND_IN.format(python=sys.executable, calls=str(calls), then=then))
        path.chmod(0o755)
        return Browser(path, sandboxed=False)

    return make


def print_all(browser: Browser, folder: Path, *pages: Page, timeout: float = 60) -> list[Printed]:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return list(print_pages(browser, pages or (PAGE,), work, jobs=2, timeout=timeout))


# --- which browser -----------------------------------------------------------------------------------------


@pytest.fixture
def no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(printing, "PLACES", ())
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)


@pytest.mark.usefixtures("no_browser")
def test_without_a_browser_nothing_is_started_and_the_message_says_how_to_print(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.yaml").write_text("sentences: [a, b]\n")
    assert cli.main(["run", str(tmp_path / "x.yaml"), "--out", str(tmp_path / "out"), "--pdf"]) == 2
    told = capsys.readouterr().err
    for needed in ("Google Chrome, Microsoft Edge", "apt install chromium", "playwright install", "Ctrl+P"):
        assert needed in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("no_browser")
def test_an_installed_browser_comes_before_that_of_playwright(
    stand_in: Callable[..., Browser], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloaded = tmp_path / "downloaded"
    monkeypatch.setattr(printing, "_downloaded_by_playwright", lambda: downloaded)
    assert find_browser() == Browser(downloaded, sandboxed=False)
    monkeypatch.setattr(printing, "PLACES", (str(tmp_path / "nowhere"), str(tmp_path / "bin" / "installed")))
    assert find_browser().program == downloaded
    stand_in(name="installed")
    assert find_browser().program == tmp_path / "bin" / "installed"
    stand_in(name="google-chrome")
    assert find_browser() == Browser(tmp_path / "bin" / "google-chrome", sandboxed=os.geteuid() != 0)


@pytest.mark.usefixtures("no_browser")
def test_a_browser_that_playwright_has_not_downloaded_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "playwright.sync_api")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/nowhere")
    with pytest.raises(UsageError, match="none was found"):
        find_browser()


# --- what a browser does -----------------------------------------------------------------------------------


def test_a_pdf_is_of_the_day_of_its_page_and_names_no_folder(
    stand_in: Callable[..., Browser], calls: Path, tmp_path: Path
) -> None:
    links = '<a href="#top">a</a> <a href="https://a.example">b</a> <a download href="data:,x">c</a> <a href="one.csv">'
    (printed,) = print_all(stand_in(), tmp_path, PAGE._replace(html=links.encode()))
    assert printed.stem == "one"
    assert printed.failure is None
    assert printed.pdf.count(b"(D:20261128000000+00'00')") == 2
    assert b'<a href="#top">a</a> <a href="https://a.example">b</a> <a download>c</a> <a>' in printed.pdf
    assert "--no-sandbox" in calls.read_text()
    (printed,) = print_all(stand_in()._replace(sandboxed=True), tmp_path)
    assert "--no-sandbox" not in calls.read_text().splitlines()[1]


def test_a_browser_that_does_not_end_is_ended_with_its_processes(
    stand_in: Callable[..., Browser], calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "STOPPING", 0.2)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    child = f"child = subprocess.Popen([sys.executable, '-c', '{deaf}; import time; time.sleep(600)'])"
    browser = stand_in(f"{child}\nPath({str(calls)!r}).open('a').write(f'{{child.pid}} child\\n')\n{PRINT}\n{deaf}\n"
                       "time.sleep(600)")  # fmt: skip
    (printed,) = print_all(browser, tmp_path)
    assert printed.failure is None
    numbers = [int(line.split()[0]) for line in calls.read_text().splitlines()]
    assert len(numbers) == 2
    assert eventually(lambda: not any(map(psutil.pid_exists, numbers)), 10)


@pytest.mark.parametrize(
    ("then", "failure"),
    [
        ("print('[1:1:FATAL] No usable sandbox!\\nabc', file=sys.stderr); sys.exit(5)",
         "chromium failed: [1:1:FATAL] No usable sandbox!"),
        ("out.write_bytes(pdf[:-9]); sys.exit(3)", "chromium failed: exit code 3"),
        ("out.write_bytes(pdf[:-9]); time.sleep(600)", "timed out after 1.5 s; raise the limit with --timeout"),
    ],
)  # fmt: skip
def test_a_page_that_is_not_printed_has_a_reason(
    stand_in: Callable[..., Browser], tmp_path: Path, then: str, failure: str
) -> None:
    assert print_all(stand_in(then), tmp_path, timeout=1.5) == [Printed("one", b"", failure)]


def test_a_program_that_cannot_be_started_is_a_reason_too(tmp_path: Path) -> None:
    (tmp_path / "chromium").touch()
    (printed,) = print_all(Browser(tmp_path / "chromium", sandboxed=True), tmp_path)
    assert printed.failure == "chromium: Permission denied"


def test_whoever_stops_early_leaves_no_browser_running(
    stand_in: Callable[..., Browser], calls: Path, tmp_path: Path
) -> None:
    browser = stand_in(f"if b'first' in page: {PRINT}\nelse: time.sleep(600)")
    pages = [PAGE, PAGE._replace(stem="two", html=b"second"), PAGE._replace(stem="three", html=b"third")]
    with closing(print_pages(browser, pages, tmp_path, jobs=2, timeout=60)) as results:
        assert next(results).stem == "one"
        assert eventually(lambda: len(calls.read_text().splitlines()) == 2)
    numbers = [int(line.split()[0]) for line in calls.read_text().splitlines()]
    assert len(numbers) == 2
    assert not any(map(psutil.pid_exists, numbers))


# --- with Chromium -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium() -> Browser:
    try:
        return find_browser()
    except UsageError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and what it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"localhost:{server.server_port}", paths
        server.shutdown()
        thread.join()


def test_chromium_prints_the_same_page_to_the_same_bytes_without_network(
    chromium: Browser, asked: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, paths = asked
    monkeypatch.setenv("http_proxy", f"http://{address}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    html = (
        "<!DOCTYPE html><title>Über /ModDate (D:20200102030405</title><h1>One</h1><a href='#x'>x</a>"
        f'<a href="one.csv">csv</a><img src="http://{address}/a.png"><img src="http://b.example/b.png">'
    )
    pages = [PAGE._replace(stem=stem, html=html.encode()) for stem in ("one", "two")]
    one, two = print_all(chromium, tmp_path, *pages)
    assert one.failure is two.failure is None
    assert one.pdf == two.pdf
    assert one.pdf.startswith(b"%PDF")
    assert one.pdf.count(b"(D:20261128000000") == 2
    assert b"file:" not in one.pdf
    assert b"/Outlines" in one.pdf
    assert paths == []
    assert not (tmp_path / "home").exists()


# --- the files ---------------------------------------------------------------------------------------------


@pytest.fixture
def write_set(tmp_path: Path) -> Callable[..., None]:
    def write(stem: str, *sentences: str, **keys: str) -> None:
        path = tmp_path / "params" / f"{stem}.yaml"
        path.parent.mkdir(exist_ok=True)
        values = {"model": "sentence-transformers/all-MiniLM-L6-v2", "sentences": sentences or ("one", "two")}
        path.write_text(json.dumps(values | keys))

    return write


@pytest.fixture
def run_all(tmp_path: Path, tiny_notebook: Path, request: pytest.FixtureRequest) -> Callable[..., Notes]:
    kernels = request.getfixturevalue("warm_kernels")

    def run_them(browser: Browser | None, **options: object) -> Notes:
        notes = Notes()
        chosen = Options(Project(tmp_path), tmp_path / "out", cold=True, browser=browser, **options)  # type: ignore[arg-type]
        notes.reports = run(find_sets(tmp_path / "params"), chosen, notes, kernels)  # type: ignore[attr-defined]
        return notes

    return run_them


def links_to_pdf(out: Path) -> list[str]:
    soup = BeautifulSoup((out / "index.html").read_text(encoding="utf-8"), "html.parser")
    return [str(link["href"]) for link in soup.select('a[href$=".pdf"]')]


def test_what_is_not_printed_yet_is_printed_without_running_the_notebook(
    write_set: Callable[..., None],
    run_all: Callable[..., Notes],
    stand_in: Callable[..., Browser],
    tmp_path: Path,
) -> None:
    out, browser = tmp_path / "out", stand_in()
    write_set("one")
    write_set("two")
    assert run_all(None).pdfs == {}
    assert links_to_pdf(out) == []
    notes = run_all(browser)
    assert (notes.ran, notes.pdfs) == ([], {"one": None, "two": None})
    assert (out / "one.html").read_bytes()[:900] in (out / "one.pdf").read_bytes()
    assert sorted(links_to_pdf(out)) == ["one.pdf", "two.pdf"]
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert run_all(browser).pdfs == {}
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    (out / "one.pdf").unlink()
    run_all(None)
    assert links_to_pdf(out) == ["two.pdf"]
    assert run_all(browser).pdfs == {"one": None}
    assert run_all(browser, force=True).pdfs == {"one": None, "two": None}


def test_a_pdf_of_an_earlier_page_is_not_linked_and_is_replaced(
    write_set: Callable[..., None],
    run_all: Callable[..., Notes],
    stand_in: Callable[..., Browser],
    tmp_path: Path,
) -> None:
    out, browser = tmp_path / "out", stand_in()
    write_set("one")
    run_all(browser)
    first = (out / "one.pdf").read_bytes()
    write_set("one", "three", "four")
    run_all(None)
    assert (out / "one.pdf").read_bytes() == first
    assert links_to_pdf(out) == []
    assert run_all(browser).pdfs == {"one": None}
    assert b"three" in (out / "one.pdf").read_bytes()
    assert links_to_pdf(out) == ["one.pdf"]


def test_a_set_that_fails_keeps_its_pdf_and_is_not_printed(
    write_set: Callable[..., None],
    run_all: Callable[..., Notes],
    stand_in: Callable[..., Browser],
    tmp_path: Path,
) -> None:
    out, browser = tmp_path / "out", stand_in()
    write_set("one")
    run_all(browser)
    good = (out / "one.pdf").read_bytes()
    write_set("one", description="#run\n1 / 0")
    write_set("two")
    (out / "two.html").write_text("mine")
    notes = run_all(browser)
    assert len(notes.failures) == 2
    assert notes.pdfs == {}
    assert (out / "one.pdf").read_bytes() == good
    assert links_to_pdf(out) == ["one.pdf"]


def test_a_pdf_of_the_users_own_is_neither_replaced_nor_removed(
    write_set: Callable[..., None],
    run_all: Callable[..., Notes],
    stand_in: Callable[..., Browser],
    tmp_path: Path,
) -> None:
    out, browser = tmp_path / "out", stand_in()
    for stem in ("one", "two"):
        write_set(stem)
    out.mkdir()
    (out / "one.pdf").write_bytes(b"mine")
    notes = run_all(browser)
    assert "one.pdf exists and was not made by Sentence Reports" in str(notes.pdfs["one"])
    assert notes.pdfs["two"] is None
    (out / "two.pdf").write_bytes(b"mine, too")
    assert "two.pdf exists and was not made" in str(run_all(browser).pdfs["two"])
    assert links_to_pdf(out) == []
    clean(out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "one.pdf": b"mine",
        "two.pdf": b"mine, too",
    }


def test_clean_removes_what_was_printed(
    write_set: Callable[..., None],
    run_all: Callable[..., Notes],
    stand_in: Callable[..., Browser],
    tmp_path: Path,
) -> None:
    write_set("one")
    run_all(stand_in())
    assert tmp_path / "out" / "one.pdf" in clean(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.usefixtures("tiny_notebook")
def test_the_command_line_prints_and_counts(
    write_set: Callable[..., None],
    stand_in: Callable[..., Browser],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    write_set("one")
    monkeypatch.chdir(tmp_path)
    words = ["run", "--project", str(tmp_path), "--out", "relative", "--pdf", "--cold"]
    stand_in("sys.exit(4)")
    assert cli.main(words) == 1
    told = capsys.readouterr().err
    assert "one: not printed: chromium failed: exit code 4\n1 made, 0 up to date.\n" in told
    stand_in()
    assert cli.main(words) == 0
    assert capsys.readouterr().err.splitlines()[:2] == ["one: printed", "0 made, 1 up to date, 1 printed."]
