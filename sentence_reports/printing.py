"""Pages as PDF, printed by a browser of this machine: Chromium or a relative of it, started without a window.

Each page gets a browser process of its own: starting it takes less than printing, and the same page is the same PDF.
"""

import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from sentence_reports import process
from sentence_reports.errors import UsageError

# Where the browsers are, first on PATH, then on macOS and Windows.
PROGRAMS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
)  # fmt: skip
PLACES = (
    *(
        f"/Applications/{name}.app/Contents/MacOS/{name}"
        for name in ("Google Chrome", "Chromium", "Microsoft Edge")
    ),
    *(
        rf"{folder}\{program}"
        for folder in ("%ProgramFiles%", "%ProgramFiles(x86)%", "%LocalAppData%")
        for program in (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")
    ),
)
FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # it is too small in containers
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # no network: no name can be resolved, not even a proxy's
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
)
STOPPING = 5.0  # seconds that a browser has to end on its own

LINK_TO_FILE = re.compile(rb' href="(?!#|https?:)[^"]*"')
DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}")

log = logging.getLogger("sentence_reports")


class Browser(NamedTuple):
    """A browser that can print: its program, and whether its processes are to be sandboxed."""

    program: Path
    sandboxed: bool


class Page(NamedTuple):
    """A page to print: the name of its report, its HTML, and the day that its PDF says it was made (YYYY-MM-DD)."""

    stem: str
    html: bytes
    date: str


class Printed(NamedTuple):
    """What became of a page: its PDF, or in `failure` why it could not be printed."""

    stem: str
    pdf: bytes
    failure: str | None = None


def find_browser() -> Browser:
    """Return a browser that can print: one that is installed, or else the one that Playwright has downloaded.

    Raises UsageError if there is none; its text says how to get one, and how to print without this program.
    """
    sandboxed = not hasattr(os, "geteuid") or os.geteuid() != 0  # Chromium has no sandbox for root
    on_path = map(shutil.which, PROGRAMS)
    for executable in (*filter(None, on_path), *map(os.path.expandvars, PLACES)):
        if Path(executable).is_file():
            return Browser(Path(executable).absolute(), sandboxed)
    if (program := _downloaded_by_playwright()) is not None:
        # Linux may refuse it a sandbox; Playwright starts it without, too.
        return Browser(program, sandboxed=False)
    python = Path(sys.executable)
    raise UsageError(
        "--pdf needs a browser that can print, and none was found. Looked for Chromium, Google Chrome, Microsoft Edge "
        "and Playwright's Chromium. Install one of them, for example with one of these lines:\n"
        "  apt install chromium\n"
        f"  {python} -m pip install playwright && {python} -m playwright install chromium\n"
        "Or leave out --pdf, open a page in any browser, and print it there (Ctrl+P or ⌘P, “Save as PDF”)."
    )


def print_pages(
    browser: Browser, pages: Sequence[Page], folder: Path, *, jobs: int, timeout: float
) -> Generator[Printed]:
    """Print pages, `jobs` in parallel, and yield each result as soon as it is there.

    The same page, date and version of the browser give the same PDF. `folder` is for temporary files; `timeout` is the
    limit for each page in seconds. When the iterator ends or is closed, no browser is left running.
    """
    waiting = list(enumerate(pages))
    running: list[_Printing] = []
    ending: list[_Printing] = []  # a browser needs a while to end, in which the next one can print
    with process.temporary_folder() as profiles:
        try:
            while waiting or running:
                process.check()
                while waiting and len(running) < jobs:
                    number, page = waiting.pop(0)
                    try:
                        running.append(_Printing(browser, page, folder, profiles / str(number), timeout))
                    except OSError as error:
                        yield Printed(page.stem, b"", f"{browser.program.name}: {error.strerror or error}")
                time.sleep(process.PIECE)
                for printing in list(running):
                    if (printed := printing.result()) is not None:
                        printing.end()
                        running.remove(printing)
                        ending.append(printing)
                        yield printed
                while len(ending) > jobs:
                    ending.pop(0).stop()
        finally:
            for printing in running:
                printing.end()
            for printing in (*running, *ending):
                printing.stop()


class _Printing:
    """A page that is being printed, and its browser."""

    def __init__(self, browser: Browser, page: Page, folder: Path, profile: Path, timeout: float) -> None:
        profile.mkdir()
        self._browser, self._page, self._timeout = browser, page, timeout
        self._profile, self._began = profile, time.monotonic()
        self._processes: list[psutil.Process] = []
        self._log, self._pdf = profile / "log", folder / f"{profile.name}.pdf"
        copy = folder.resolve() / f"{profile.name}.html"
        # A PDF travels alone: links to the files next to the page would name the folders of this machine.
        copy.write_bytes(LINK_TO_FILE.sub(b"", page.html))
        sandbox = [] if browser.sandboxed else ["--no-sandbox"]
        files = [f"--user-data-dir={profile}", f"--print-to-pdf={self._pdf}", copy.as_uri()]
        own = {"XDG_CONFIG_HOME": str(profile), "XDG_CACHE_HOME": str(profile)}
        with self._log.open("wb") as log_file:
            self._process = subprocess.Popen(
                [browser.program, *FLAGS, *sandbox, *files],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log_file,
                env=process.with_absolute_folders(os.environ) | own,
            )

    def result(self) -> Printed | None:
        """Return what became of the page, None while it is being printed."""
        ended = self._process.poll()
        pdf = self._pdf.read_bytes() if self._pdf.is_file() else b""
        if pdf.rstrip().endswith(b"%%EOF"):  # the browser may never end on its own: on macOS, Chrome does not
            day = self._page.date.replace("-", "").encode()
            return Printed(self._page.stem, DATE.sub(rb"\g<1>" + day + b"000000", pdf, count=2))
        if ended is not None:
            return Printed(
                self._page.stem, b"", f"{self._browser.program.name} failed: {self._reason(ended)}"
            )
        if time.monotonic() - self._began > self._timeout:
            reason = f"timed out after {self._timeout:g} s; raise the limit with --timeout"
            return Printed(self._page.stem, b"", reason)
        return None

    def _reason(self, code: int) -> str:
        said = self._log.read_text(encoding="utf-8", errors="replace").strip()
        log.info("%s", said)
        lines = said.splitlines() or [f"exit code {code}"]
        return next((line for line in lines if "FATAL" in line), lines[-1])

    def end(self) -> None:
        """Tell the browser to end."""
        with suppress(psutil.NoSuchProcess):
            browser = psutil.Process(self._process.pid)
            self._processes = [browser, *browser.children(recursive=True)]
            self._process.terminate()

    def stop(self) -> None:
        """Wait until all processes of the browser are gone, and end those that do not go; remove its profile."""
        for left in psutil.wait_procs(self._processes, STOPPING)[1]:
            with suppress(psutil.NoSuchProcess):
                left.kill()
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


def _downloaded_by_playwright() -> Path | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        program = Path(playwright.chromium.executable_path)
    return program if program.is_file() else None
