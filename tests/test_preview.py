"""The preview as its author meets it: a real server, a real browser, real signals."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import psutil
import pytest
from support import Notes, command_line

from sentence_reports.execution.kernels import Kernels
from sentence_reports.output_folder import TEMPORARY
from sentence_reports.ownership import STATE
from sentence_reports.preview import FRAME, Maker, Site, _serving, preview
from sentence_reports.project import Project
from sentence_reports.report import Options

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

LONG = 60  # seconds that a kernel may take to start on a busy machine
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
PAGE = f"""<!DOCTYPE html><html><head>
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
</head><body><h1>Mine</h1><p>&lt;/body&gt;</p></body></html>"""

# Calls the command line with folders and a notebook of the test's own.
DRIVER = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
from sentence_reports import __main__, cli, pipeline, preview
preview.PORT = 0  # any free one: 8000 may be another test's
pipeline.REHEARSAL = None  # its server of warm kernels imports only what the notebook does, in a second
params, out, notebook = map(pathlib.Path, sys.argv[1:4])
sys.argv[1:4] = ["--project", str(params.parent), "preview", "--out", str(out)]
sys.exit(__main__.main())
"""


class Preview:
    """A running preview: its process, its address, its folders and what it said."""

    def __init__(self, folder: Path, notebook: Path, temporary: Path, *files: Path) -> None:
        self.params, self.out, self.notebook = folder / "params", folder / "out", notebook
        self.temporary = temporary
        self._log = folder / "stderr.txt"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", DRIVER, self.params, self.out, notebook, *files],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"TMPDIR": str(temporary)},
            )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    @property
    def port(self) -> int:
        return int(re.match(r"http://127\.0\.0\.1:(\d+)/", self.address)[1])  # type: ignore[index]

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_for(self, words: str, times: int = 1) -> None:
        until(lambda: self.said.count(words) >= times, f"{words!r}, {times} times, in: {self.said}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


@pytest.fixture
def write_set(tmp_path: Path) -> Callable[..., Path]:
    (tmp_path / "params").mkdir()

    def write(stem: str, title: str = "First", **keys: object) -> Path:
        path = tmp_path / "params" / f"{stem}.yaml"
        values = {
            "title": title,
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "sentences": ["ab", "bc"],
        }
        path.write_text(json.dumps(values | keys, indent=1), encoding="utf-8")  # JSON is YAML
        return path

    return write


@pytest.fixture
def start(
    tmp_path: Path, tiny_notebook: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Preview]]:
    started: list[Preview] = []

    def start_one(*files: Path) -> Preview:
        started.append(Preview(tmp_path, tiny_notebook, tmp_path_factory.mktemp("t"), *files))
        return started[-1]

    yield start_one
    for each in started:
        if each.process.poll() is None:
            each.stop()
        each.process.stdout.close()  # type: ignore[union-attr]


class Shown:
    """A preview in a thread of this process: its address, its output folder and what it reported."""

    def __init__(self, project: Project, *files: Path) -> None:
        self.out, self.notes, self.addresses = project.folder / "out", Notes(), Queue[str]()
        options = Options(project, self.out, cold=True)
        self.thread = threading.Thread(
            target=lambda: preview(files, options, self.notes, self.addresses.put), name="preview"
        )
        self.thread.start()
        self.address = self.addresses.get(timeout=LONG)
        self.port = int(self.address.split(":")[2].split("/")[0])

    def wait_for(self, stem: str, times: int) -> None:
        until(lambda: self.notes.ran.count(stem) >= times, f"{stem}, {times} times, in: {self.notes.ran}")


@pytest.fixture
def show(
    tmp_path: Path, tiny_notebook: Path, warm_kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Shown]]:
    """Start a preview with kernels that are there, in a fraction of the time of `start`."""
    over, shown = threading.Event(), list[Shown]()

    def check() -> None:
        if over.is_set():
            raise KeyboardInterrupt

    monkeypatch.setattr("sentence_reports.process.check", check)
    monkeypatch.setattr("sentence_reports.preview.PORT", 0)
    monkeypatch.setattr("sentence_reports.preview.new_kernels", lambda *_: nullcontext(warm_kernels))

    def show_one(*files: Path) -> Shown:
        shown.append(Shown(Project(tmp_path), *files))
        return shown[-1]

    yield show_one
    over.set()
    for each in shown:
        each.thread.join(LONG)
        assert not each.thread.is_alive()


def heading(page: "Page") -> "Locator":
    """The title of the report that the page shows in its frame."""
    return page.frame_locator("iframe").locator(".kicker, h1").first


def index(page: "Page", selector: str) -> "Locator":
    return page.frame_locator("iframe").locator(selector)


@pytest.fixture
def page(tab: "Page") -> "Page":
    tab.set_default_timeout(LONG * 1000)
    return tab


def test_a_file_name_that_is_not_utf8_is_served_and_said(tmp_path: Path, tiny_notebook: Path) -> None:
    (tmp_path / "params").mkdir()
    path = tmp_path / "params" / os.fsdecode(b"caf\xe9.yaml")
    path.write_text("sentences: [ab, bc]")
    addresses: list[str] = []

    def ready(address: str) -> None:
        addresses.append(address)
        raise KeyboardInterrupt

    options = Options(Project(tmp_path), tmp_path / "out", cold=True)
    preview([path], options, Notes(), ready)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/caf%5Cudce9\.html", addresses[0])


def test_what_is_no_set_file_opens_the_index_which_says_so(tmp_path: Path, tiny_notebook: Path) -> None:
    (tmp_path / "params").mkdir()
    addresses: list[str] = []

    def ready(address: str) -> None:
        addresses.append(address)
        raise KeyboardInterrupt

    preview([Path("mine")], Options(Project(tmp_path), tmp_path / "out", cold=True), Notes(), ready)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", addresses[0])


# --- writing and looking -----------------------------------------------------------------------------------


def test_a_saved_set_and_a_mistake_show_in_the_page_and_in_the_index(
    write_set: Callable[..., Path],
    show: Callable[..., Shown],
    page: "Page",
    browser: "Browser",
    expect: Callable[..., Any],
) -> None:
    path = write_set("mine")
    preview = show(path)
    assert preview.address.endswith("/mine.html")
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(preview.address)
    expect(heading(page)).to_have_text("First", timeout=LONG * 1000)  # it opened before there was a report
    other = browser.new_page()
    other.goto(f"http://127.0.0.1:{preview.port}/")
    write_set("mine", "Second")
    expect(heading(page)).to_have_text("Second", timeout=LONG * 1000)
    expect(index(other, ".card h3")).to_have_text("Second", timeout=LONG * 1000)
    pages = list(preview.out.glob("*.html"))
    assert sorted(each.stem for each in pages) == ["index", "mine"]
    for each in pages:
        text = each.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "script-src" not in text

    banner, good = page.get_by_role("alert"), path.read_text()
    expect(banner).to_be_hidden()
    path.write_text(good.replace('"bc"', "no"))
    line = good[: good.index('"bc"')].count("\n") + 1
    expect(banner).to_contain_text(f"{path}, line {line}, column 3: sentence 2 is the boolean false")
    expect(heading(page)).to_have_text("Second")  # the last good report is still there
    assert banner.bounding_box()["y"] == 0  # type: ignore[index]
    expect(index(other, ".failed")).to_contain_text(f"line {line}, column 3")
    path.write_text(good)
    expect(banner).to_be_hidden(timeout=LONG * 1000)
    expect(index(other, ".failed")).to_have_count(0, timeout=LONG * 1000)
    other.close()
    assert trouble == []  # no violation of the served policy, no error of the script


@pytest.mark.slow
def test_a_broken_notebook_ends_nothing_and_shows_everywhere(
    write_set: Callable[..., Path], start: Callable[..., Preview], page: "Page", expect: Callable[..., Any]
) -> None:
    write_set("mine")
    preview = start()
    page.goto(preview.address + "mine.html")
    expect(heading(page)).to_have_text("First", timeout=LONG * 1000)
    preview.wait_for("mine: done")
    good = preview.notebook.read_text()
    preview.notebook.write_text(good[:100])
    expect(page.get_by_role("alert")).to_contain_text("cannot be read as a notebook", timeout=LONG * 1000)
    preview.notebook.write_text(good)
    expect(page.get_by_role("alert")).to_have_count(0, timeout=LONG * 1000)  # hidden


@pytest.mark.slow
def test_while_a_set_runs_its_old_page_is_there_and_changes_wait(
    write_set: Callable[..., Path], start: Callable[..., Preview]
) -> None:
    write_set("mine")
    write_set("other")
    preview = start()
    preview.wait_for(": done", 2)
    preview.wait_for("2 sets to run")
    write_set("mine", "Second", description="#run\nimport time; time.sleep(3)")
    preview.wait_for("1 set to run")
    write_set("mine", "Third")
    write_set("other", "Changed")
    assert "First</bdi></h1>" in get(preview.port, "/mine.html?page")[1]
    preview.wait_for(": done", 5)
    assert (
        preview.said.count("2 sets to run") == 2
    )  # what changed during the run waited for one more, together
    assert "Third</bdi></h1>" in get(preview.port, "/mine.html?page")[1]
    assert "Changed</bdi></h1>" in get(preview.port, "/other.html?page")[1]


@pytest.mark.slow
def test_a_set_that_fails_is_not_run_again_for_the_sake_of_another(
    write_set: Callable[..., Path], start: Callable[..., Preview]
) -> None:
    write_set("fails", description="#run\n1 / 0")
    write_set("mine")
    preview = start()
    preview.wait_for("mine: done")
    preview.wait_for("fails: failed")
    write_set("mine", "Second")
    preview.wait_for("mine: done", 2)
    assert preview.said.count("1 set to run") == 1
    assert preview.said.count("fails: failed") == 1
    assert "ZeroDivisionError: division by zero" in event(preview.port, "fails.html")["problem"]


# --- the end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "busy"),
    [(signal.SIGINT, True), pytest.param(signal.SIGTERM, False, marks=pytest.mark.slow)],
    ids=["Ctrl-C in a run", "SIGTERM, idle, with a page open"],
)
def test_the_end_leaves_nothing(
    number: signal.Signals,
    busy: bool,
    write_set: Callable[..., Path],
    start: Callable[..., Preview],
    page: "Page",
    tmp_path: Path,
    expect: Callable[..., Any],
) -> None:
    mark = tmp_path / "mark"
    code = f"#run\nopen({str(mark)!r}, 'w').close()\nimport time; time.sleep({600 if busy else 0})"
    write_set("mine", description=code)
    preview = start()
    page.goto(preview.address + "mine.html")
    until(mark.exists, "the cell to run")
    if not busy:
        expect(heading(page)).to_have_text("First", timeout=LONG * 1000)
    children = psutil.Process(preview.process.pid).children(recursive=True)
    assert preview.stop(number) == 0
    assert preview.said.endswith("Preview ended.\n")
    assert "Traceback" not in preview.said
    _gone, alive = psutil.wait_procs(children, 5)
    assert alive == []
    with socket.socket() as knock:
        assert knock.connect_ex(("127.0.0.1", preview.port)) != 0
    assert list(preview.temporary.iterdir()) == []
    assert not (preview.out / TEMPORARY).exists()


def test_where_the_port_is_taken_it_is_another(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        its = taken.getsockname()[1]
        monkeypatch.setattr("sentence_reports.preview.PORT", its)
        with _serving(site) as port:
            assert port != its
    with _serving(site) as port:
        assert port == its


def test_what_cannot_be_started_says_why(tmp_path: Path, write_set: Callable[..., Path]) -> None:
    path = write_set("mine")
    (tmp_path / "file").write_text("")

    def call(params: Path, out: Path, *files: Path) -> tuple[int, str]:
        command = [sys.executable, "-c", DRIVER, params, out, tmp_path / "tiny.ipynb", *files]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONG, check=False)
        assert done.stdout == ""
        return done.returncode, done.stderr

    (tmp_path / "none" / "params").mkdir(parents=True)
    code, words = call(tmp_path / "none" / "params", tmp_path / "out")
    assert (code, words[:28]) == (2, "sentence-reports: no set in ")
    code, words = call(path.parent, tmp_path / "file")
    assert code == 2
    assert words.startswith("sentence-reports: cannot start the preview: ")
    assert str(tmp_path / "file") in words
    code, words = call(path.parent, tmp_path / "out", tmp_path / "nowhere" / "mine.yaml")
    assert (code, str(tmp_path / "nowhere") in words) == (2, True)
    assert command_line("preview", "--fly", home=tmp_path).code == 2


# --- what is served, and to whom ---------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Site:
    out = tmp_path / "out"
    (out / "failed").mkdir(parents=True)
    files = {
        "mine.html": PAGE,
        "index.html": PAGE,
        "mine.csv": "a,b",
        "failed/x.ipynb": "{}",
        STATE: "secret",
    }
    files |= {"failed/.hidden": "secret", "../secret.txt": "secret", "../secret.html": PAGE}
    for name, text in files.items():
        (out / name).write_text(text)
    (out / "inside.csv").symlink_to(out / "mine.csv")
    (out / "outside.csv").symlink_to(tmp_path / "secret.txt")
    (out / "outside.html").symlink_to(tmp_path / "secret.html")
    (out / "upstairs").symlink_to(tmp_path)
    return Site(out)


@pytest.fixture
def port(site: Site) -> Iterator[int]:
    with _serving(site) as port:
        yield port


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Ask as no browser would: the path is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_files_of_the_folder_are_served(port: int) -> None:
    assert get(port, "/mine.csv") == (200, "a,b")
    assert get(port, "/inside.csv") == (200, "a,b")
    assert get(port, "/failed/x.ipynb") == (200, "{}")
    assert get(port, "/?page") == get(port, "/mine.html?page") == (200, PAGE)
    assert get(port, "/") == get(port, "/mine.html") == (200, FRAME.decode())


@pytest.mark.parametrize(
    "path",
    [
        f"/{STATE}",
        "/%2esentence-reports.json",
        "/failed/.hidden",
        "/../secret.txt",
        "/../secret.html",
        "/%2e%2e/secret.txt",
        "/failed/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/outside.csv",
        "/outside.html",
        "/upstairs/secret.txt",
        "/failed",
        "/failed/",
        "/mine.csv%00.html",
        "/nothing.html",
        "/" + "a" * 5000,
        "/" + "a" * 5000 + ".html",
    ],
)
def test_nothing_hidden_or_outside_is_served(port: int, path: str) -> None:
    code, text = get(port, path)
    assert (code, "404: Not Found" in text) == (404, True)


@pytest.mark.parametrize("path", ["/mine.html", "/mine.html?page", "/mine.csv", "/nothing.html?events"])
def test_only_this_machines_own_names_are_answered(port: int, path: str) -> None:
    good = ["127.0.0.1", "localhost", "LocalHost", "[::1]"]
    for host in [f"{name}:{port}" for name in good]:
        assert get(port, path, Host=host)[0] == (404 if "nothing" in path else 200), host
    bad = [*good, "", f"evil.example:{port}", f"localhost:{port + 1}", f"localhost.evil.example:{port}"]
    for host in [
        *bad,
        f"evil.example@localhost:{port}",
        f"0.0.0.0:{port}",
        f"127.0.0.1:{port}, evil.example",
    ]:
        assert get(port, path, Host=host)[0] in (400, 421), host


def test_it_listens_on_this_machine_only(port: int) -> None:
    listening = [c.laddr.ip for c in psutil.Process().net_connections() if c.status == psutil.CONN_LISTEN]
    assert set(listening) == {"127.0.0.1"}


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FLY"])
def test_it_can_only_be_looked_at(port: int, method: str) -> None:
    assert get(port, "/mine.html", method)[0] == 405
    assert get(port, "/mine.html?events", method)[0] == 405


def event(port: int, page: str) -> dict[str, str]:
    """The first of a page's events: what it should show now."""
    with urlopen(f"http://127.0.0.1:{port}/{page}?events", timeout=10) as answer:
        state: dict[str, str] = json.loads(answer.readline().removeprefix(b"data: "))
    return state


def test_a_page_is_served_byte_by_byte_whatever_it_holds(port: int, tmp_path: Path) -> None:
    (tmp_path / "out" / "mine.html").write_bytes(PAGE.encode() + b"\xff\xfe")
    with urlopen(f"http://127.0.0.1:{port}/mine.html?page") as answer:
        assert answer.read() == PAGE.encode() + b"\xff\xfe"
    assert get(port, "/mine.html") == (200, FRAME.decode())


def test_links_to_themselves_are_not_found(site: Site, port: int, tmp_path: Path) -> None:
    for name in ("mine.html", "loop.csv", "other.html"):
        (tmp_path / "out" / name).unlink(missing_ok=True)
        (tmp_path / "out" / name).symlink_to(tmp_path / "out" / name)
    site.stems = {"mine"}
    assert get(port, "/loop.csv")[0] == get(port, "/other.html")[0] == get(port, "/mine.html?page")[0] == 404
    assert get(port, "/mine.html") == (200, FRAME.decode())
    assert event(port, "mine.html") == {"version": "", "problem": ""}


def test_a_failure_is_only_text_and_keeps_its_direction(
    site: Site, port: int, page: "Page", expect: Callable[..., Any]
) -> None:
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    site.failures["mine"] = "<img src=x onerror=alert(1)> \u202eturned"
    assert event(port, "mine.html")["problem"] == ""  # a set that is gone
    site.stems = {"mine"}
    page.goto(f"http://127.0.0.1:{port}/mine.html")
    expect(page.get_by_role("alert")).to_have_text(
        "This page is not up to date. <img src=x onerror=alert(1)> \\u202eturned"
    )
    expect(heading(page)).to_have_text("Mine")
    assert trouble == []


def test_a_page_hears_of_its_own_changes_and_of_no_others(site: Site, port: int, tmp_path: Path) -> None:
    old = event(port, "mine.html")
    site.stems = {"mine", "other"}
    site.failures["other"] = "trouble"
    assert event(port, "mine.html") == old
    with urlopen(f"http://127.0.0.1:{port}/mine.html?events", timeout=10) as answer:
        answer.readline()
        answer.readline()
        site.failures["mine"] = "trouble"
        assert json.loads(answer.readline().removeprefix(b"data: ")) == old | {"problem": "trouble"}
        answer.readline()
        (tmp_path / "out" / "mine.html").write_text(PAGE + " ")
        assert json.loads(answer.readline().removeprefix(b"data: "))["version"] != old["version"]


def test_links_fragments_and_the_back_button_work_as_without_a_frame(
    port: int, page: "Page", tmp_path: Path, expect: Callable[..., Any]
) -> None:
    links = '<a href="mine.html">report</a> <a href="#end">end</a> <a href="mine.csv">csv</a>'
    (tmp_path / "out" / "index.html").write_text(f"<title>All</title><h1>All</h1>{links}")
    filler = "<p style='height: 3000px'>" + links
    (tmp_path / "out" / "mine.html").write_text(f"<title>M</title><h1>Mine</h1>{filler}<p id='end'>end")
    address = f"http://127.0.0.1:{port}"
    page.goto(address)
    expect(page).to_have_title("All")
    index(page, "a").first.click()
    expect(heading(page)).to_have_text("Mine")
    expect(page).to_have_url(f"{address}/mine.html")
    expect(page).to_have_title("M")
    assert len(page.frames) == 2  # no frame within the frame
    index(page, "a").nth(1).click()
    expect(page).to_have_url(f"{address}/mine.html#end")
    expect(index(page, "#end")).to_be_in_viewport()
    page.evaluate("history.back()")
    expect(index(page, "h1")).to_be_in_viewport()
    expect(page).to_have_url(f"{address}/mine.html")
    page.evaluate("history.back()")
    expect(heading(page)).to_have_text("All")
    expect(page).to_have_url(f"{address}/")
    with page.expect_download() as download:
        index(page, "a").nth(2).click()
    assert download.value.path().read_text() == "a,b"
    page.goto(f"{address}/mine.html#end")
    expect(index(page, "#end")).to_be_in_viewport()


def test_a_change_keeps_the_readers_place(
    port: int, page: "Page", tmp_path: Path, expect: Callable[..., Any]
) -> None:
    path = tmp_path / "out" / "mine.html"
    path.write_text("<h1>First</h1><p style='height: 3000px'>")
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(f"http://127.0.0.1:{port}/mine.html")
    expect(heading(page)).to_have_text("First")
    page.frames[1].evaluate("scrollTo(0, 1500)")
    path.write_text("<h1>Second</h1><p style='height: 3000px'>")
    expect(heading(page)).to_have_text("Second")
    page.wait_for_function("() => frames[0].scrollY === 1500")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.documentElement.scrollHeight") == 640


# --- watching ----------------------------------------------------------------------------------------------


def test_sets_are_watched_wherever_they_are(
    write_set: Callable[..., Path], show: Callable[..., Shown], tmp_path: Path
) -> None:
    path = write_set("mine")
    target = path.rename(tmp_path / "elsewhere.yaml")
    path.symlink_to(target)
    preview = show()
    preview.wait_for("mine", 1)
    target.write_text(target.read_text().replace("First", "Second"))
    preview.wait_for("mine", 2)
    text = target.read_text()
    path.unlink()
    path.parent.rmdir()
    until(lambda: "Its set file is gone" in (preview.out / "index.html").read_text(), "the set to be gone")
    path.parent.mkdir()
    path.write_text(text.replace("Second", "Third"))
    preview.wait_for("mine", 3)
    assert "Third</bdi></h1>" in get(preview.port, "/mine.html?page")[1]


def test_the_files_that_sets_name_are_watched_wherever_they_are(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.params.mkdir()
    vectors = "{vectors: {file: ../v/ada.npy, baseline: base.npy}}"
    (project.params / "a.yaml").write_text(f"models: [tf-idf, {vectors}]\nratings: {{file: ../people.csv}}\n")
    (project.params / "b.yaml").write_text("texts: {file: ../data/texts.csv.gz, column: }\nmodels: x")
    (project.params / "c.yaml").write_text("texts: [")
    (project.params / "d.yaml").write_text("texts: 5\nratings: [{file: no}]\nmodels: [5, {vectors: 5}]")
    maker = Maker([project.params], Options(project, tmp_path), Notes(), Site(tmp_path))
    named = maker.named_files()
    folder = project.params
    assert {path.stem: files for path, files in named.items()} == {
        "a": [folder / "../v/ada.npy", folder / "base.npy", folder / "../people.csv"],
        "b": [folder / "../data/texts.csv.gz"],
        "c": [],
        "d": [],
    }
    before = maker.stamps(named)
    (tmp_path / "people.csv").touch()
    assert {path.name for path, stamp in maker.stamps(named).items() if stamp != before[path]} == {
        "people.csv"
    }


def test_a_changed_file_concerns_the_sets_that_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, ran = Project(tmp_path), []
    project.params.mkdir()
    for name in ("a", "b", "c"):
        table = "d" if name == "c" else "t"
        (project.params / f"{name}.yaml").write_text(f"texts: {{file: ../{table}.csv}}")
    monkeypatch.setattr(
        "sentence_reports.preview.run", lambda sets, *_: ran.append([each.stem for each in sets]) or []
    )
    maker = Maker([project.params], Options(project, tmp_path), Notes(), Site(tmp_path))
    named, kernels = maker.named_files(), Kernels(warm=False)
    table, notebook = project.params / "../t.csv", maker.notebooks[0]
    for changed in (
        {table},
        {table, project.params / "c.yaml"},
        {project.params / "b.yaml"},
        {table, notebook},
    ):
        maker.make(changed, named, kernels)
    assert ran == [["a", "b"], ["a", "b", "c"], ["b"], ["a", "b", "c"]]


@pytest.mark.slow
def test_a_table_of_ratings_is_watched(
    write_set: Callable[..., Path], start: Callable[..., Preview], tmp_path: Path
) -> None:
    table = tmp_path / "data" / "people.csv"
    table.parent.mkdir()
    table.write_text("a,b,score\nab,bc,high\nab,cd,2\nbc,cd,3\n")
    ratings = {"file": "../data/people.csv", "first": "a", "second": "b", "score": "score"}
    write_set("mine", sentences=["ab", "bc", "cd"], ratings=ratings)
    preview = start()
    preview.wait_for("must be a finite number")
    assert not (preview.out / "mine.html").exists()
    table.write_text(table.read_text().replace("high", "1"))
    preview.wait_for("mine: done")
    assert (preview.out / "mine.html").exists()
