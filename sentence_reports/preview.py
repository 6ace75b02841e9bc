"""Show the reports in a browser and keep them up to date while their sets are edited.

The main thread watches and makes, one run after the other; a second thread serves. What they share is a `Site`.
"""

import asyncio
import hashlib
import json
import mimetypes
import os
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler

from sentence_reports import process
from sentence_reports.errors import SentenceReportsError, UsageError
from sentence_reports.execution.kernels import Kernels
from sentence_reports.files import make_usable
from sentence_reports.pages.index import TEMPLATE
from sentence_reports.pipeline import new_kernels, run
from sentence_reports.project import NOTEBOOKS
from sentence_reports.report import SET_SUFFIXES, Listener, Options
from sentence_reports.sets.folder import find_sets, stem_of
from sentence_reports.sets.reading import files_beside
from sentence_reports.texts import escape_controls

PORT = 8000  # if it is taken, any free one
INTERVAL = 0.1  # seconds between two looks at the files, and at what an open page should show

# The page around a report: it has the script and the banner, and the report is framed as it is on disk.
FRAME = Path(__file__).with_name("preview.html").read_bytes()
SCRIPT_HASH = b64encode(hashlib.sha256(FRAME.split(b"<script>")[1].split(b"</script>")[0]).digest()).decode()
POLICY = "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'; frame-ancestors 'self'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'self'",  # a page's own policy cannot set this
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def preview(
    files: Sequence[Path], options: Options, listener: Listener, ready: Callable[[str], None]
) -> None:
    """Keep the reports of `files`, or of all sets of the project, up to date and shown, until SIGINT or SIGTERM.

    A folder among `files` means all sets in it. `ready` is called with the address once it is served. Raises
    OSError if the output folder cannot be used or no port is free.
    """
    make_usable(options.out)
    one = len(files) == 1 and files[0].suffix in SET_SUFFIXES and not files[0].is_dir()
    page = f"{quote(stem_of(files[0]))}.html" if one else ""
    site = Site(options.out)
    maker = Maker(files or [options.project.params], options, listener, site)
    for file in maker.files:
        file.parent.resolve(strict=True)  # raises OSError if it does not exist
    site.stems = set(map(stem_of, maker.sets()))  # before the first request
    with (
        suppress(KeyboardInterrupt),
        _serving(site) as port,
        new_kernels(options, maker.notebooks) as kernels,
    ):
        ready(f"http://127.0.0.1:{port}/{page}")
        maker.keep_up(kernels)


# --- watching and making ----------------------------------------------------------------------------------------


@dataclass
class Maker:
    """Makes what changed, one run at a time, and passes the results to the terminal and the site."""

    files: Sequence[Path]
    options: Options
    listener: Listener
    site: "Site"

    def sets(self) -> list[Path]:
        """Return the set files named and those of the folders named, without what cannot be looked into now."""
        sets: list[Path] = []
        for file in self.files:
            with suppress(UsageError):
                sets += [file] if file.suffix in SET_SUFFIXES and not file.is_dir() else find_sets(file)
        return sets

    def named_files(self) -> dict[Path, list[Path]]:
        """Return the files that each set names (texts, ratings, vectors): anywhere, and perhaps not there yet."""
        return {path: files_beside(path) for path in self.sets()}

    @property
    def notebooks(self) -> list[Path]:
        """The notebooks that a set may need, now or after a change."""
        return [self.options.project.notebook(name) for name in NOTEBOOKS]

    def keep_up(self, kernels: Kernels) -> None:
        """Make what is stale, then what every change makes stale; changes during a run wait for the next."""
        made: dict[Path, object] = {}
        before: dict[Path, object] = {}
        named = self.named_files()
        while True:
            process.check()
            now = self.stamps(named)
            if now != made and (now == before or not made):  # a file that is being written is left alone
                named = self.named_files()
                now = self.stamps(named)
                self.make({path for path in now | made if now.get(path) != made.get(path)}, named, kernels)
                made = now
                # Imported while the author reads, not at the first change.
                import sentence_reports.make  # noqa: F401
            before = now
            time.sleep(INTERVAL)

    def stamps(self, named: Mapping[Path, Sequence[Path]]) -> dict[Path, object]:
        """Return what is watched, each with a value that changes whenever the file does; `named` is `named_files`."""
        # Listed anew each time, so that a folder may go and come back; links are followed.
        templates = [path for path in TEMPLATE.iterdir() if not path.name.startswith(".")]
        watched = (*self.sets(), *chain(*named.values()), *self.notebooks, *templates)
        return {path: _stamp(path) for path in watched}

    def make(self, changed: set[Path], named: Mapping[Path, Sequence[Path]], kernels: Kernels) -> None:
        """Run only the sets that a change concerns: a set that fails slowly must not hold up the others."""
        sets = self.sets()
        self.site.stems = set(map(stem_of, sets))
        users = {path for path, files in named.items() if changed.intersection(files)}
        of_sets = chain(users, *named.values())
        if not self.site.problem and all(path.suffix in SET_SUFFIXES for path in changed.difference(of_sets)):
            # By name: if two files claim the same report, the pipeline must see both.
            names = {path.stem.casefold() for path in changed | users if path.suffix in SET_SUFFIXES}
            sets = [path for path in sets if path.stem.casefold() in names]
        try:
            reports = run(sets, self.options, self.listener, kernels)
            self.site.failures |= {report.stem: report.failure or "" for report in reports}
            self.site.problem = ""
        except Exception as error:  # a full disk, a notebook that is half saved: the next change may fix it
            kind = "" if isinstance(error, SentenceReportsError) else f"{type(error).__name__}: "
            self.site.problem = f"{kind}{error}"
            self.listener.warn(self.site.problem)


def _stamp(path: Path) -> object:
    """Return a value that changes whenever the file does; None if it cannot be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_dev, status.st_ino


# --- serving ----------------------------------------------------------------------------------------------------


class Site:
    """The output folder as it is served, and what keeps its pages from being up to date.

    There are or will be pages for the sets `stems`; `failures` says why one of them is not up to date, `problem` why
    none is, and both are empty if nothing is wrong. `closing` ends open connections.
    """

    def __init__(self, folder: Path) -> None:
        self.stems: set[str] = set()
        self.failures: dict[str, str] = {}
        self.problem = ""
        self.closing = False
        self._folder = os.path.realpath(folder)

    def file(self, path: str) -> Path | None:
        """Return the file of the folder that `path` asks for; nothing hidden, nothing that leads out of it."""
        if any(part.startswith(".") for part in path.split("/")):
            return None
        try:
            file = Path(os.path.realpath(Path(self._folder, path), strict=True))
            return file if file.is_relative_to(self._folder) and file.is_file() else None
        except (OSError, ValueError):  # missing, a link to itself, a name too long, a null byte
            return None

    def state(self, path: str) -> dict[str, str] | None:
        """Return what a page shows: a `version` that changes with its file, and its `problem`; None for no page."""
        file, stem = self.file(path), path.removesuffix(".html")
        if file is None and stem not in self.stems | {"index"}:
            return None
        problem = self.problem or (self.failures.get(stem, "") if stem in self.stems else "")
        return {"version": str(_stamp(file)) if file else "", "problem": escape_controls(problem)}


class _Handler(RequestHandler):
    """Answers requests for this port under one of this machine's own names.

    Another site whose name was pointed here (DNS rebinding) is refused.
    """

    def initialize(self, site: Site, port: int) -> None:
        self._site, self._gone = site, False
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        if self.request.host.lower() not in self._hosts:
            raise HTTPError(421)

    def on_connection_close(self) -> None:
        self._gone = True

    async def get(self, path: str) -> None:
        """Answer with a file as it is, or, for a page, with the frame around it or the events that update it."""
        path = path or "index.html"
        if path.endswith(".html") and self.request.query != "page":
            if self._site.state(path) is None:
                raise HTTPError(404)
            if self.request.query == "events":
                await self._send_events(path)
                return
            self.set_header("Content-Security-Policy", f"{POLICY}; script-src 'sha256-{SCRIPT_HASH}'")
            self.finish(FRAME)
            return
        if (file := self._site.file(path)) is None:
            raise HTTPError(404)
        self.set_header("Content-Type", mimetypes.guess_type(file.name)[0] or "application/octet-stream")
        try:
            self.finish(file.read_bytes())
        except OSError as error:  # removed or made unreadable in the meantime
            raise HTTPError(404) from error

    async def _send_events(self, path: str) -> None:
        """Send what the page should show, now and whenever it changes, as server-sent events."""
        self.set_header("Content-Type", "text/event-stream")
        sent = None
        with suppress(StreamClosedError):
            while not self._site.closing and not self._gone:
                if (state := self._site.state(path) or {}) != sent:
                    self.write(f"data: {json.dumps(state)}\n\n")
                    await self.flush()
                    sent = state
                await asyncio.sleep(INTERVAL)


@contextmanager
def _serving(site: Site) -> Iterator[int]:
    """Serve `site` to this machine while the block runs, at the port that is yielded."""
    try:
        listening = socket.create_server(("127.0.0.1", PORT))
    except OSError:
        listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    port: int = listening.getsockname()[1]

    async def serve() -> None:
        handler = (r"/(.*)", _Handler, {"site": site, "port": port})
        server = HTTPServer(Application([handler], log_function=lambda _: None))
        server.add_socket(listening)
        while not site.closing:
            await asyncio.sleep(INTERVAL)
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="preview")
    thread.start()
    try:
        yield port
    finally:
        site.closing = True
        thread.join()
