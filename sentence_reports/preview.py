"""Shows the reports in a browser while their sets are written: serves, watches, makes again, reloads the page.

The main thread watches and makes, one run after the other; a second thread serves. What they share is a `Site`.
"""

import asyncio
import hashlib
import html
import re
import socket
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from watchfiles import watch

from sentence_reports import process
from sentence_reports.errors import SentenceReportsError
from sentence_reports.execution.kernels import Kernels
from sentence_reports.pages.index import TEMPLATE
from sentence_reports.pipeline import new_kernels, run
from sentence_reports.report import SET_SUFFIXES, Listener, Options, Report
from sentence_reports.sets.folder import find_sets
from sentence_reports.store import make_usable

PORT = 8000  # where it is taken, any free one
LOOK = 0.1  # seconds between two looks at whether an open page is still what would be shown
TICK = 50  # milliseconds until the first run: by then the watcher is at work, and no change is missed

# A browser keeps six connections to a server: a hidden page gives its own back, and catches up when it is seen.
SCRIPT = """
const changes = document.currentScript.dataset.changes;
let source;
function listen() {
  source?.close();
  if (document.hidden) return;
  source = new EventSource(changes);
  source.onmessage = () => location.reload();
}
document.addEventListener("visibilitychange", listen);
listen();
"""
ALLOWED = (
    f"; script-src 'sha256-{b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'"
    "; connect-src 'self'"
)
POLICY = re.compile(r'(?<="Content-Security-Policy" content=")[^"]*')
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",  # a page's own policy cannot say this
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

BANNER = (
    '<div role="alert" style="position: sticky; top: 0; z-index: 10; max-height: 50vh; overflow: auto;'
    " white-space: pre-wrap; padding: .75rem 1rem; background: var(--warn);"
    ' border-bottom: .2rem solid var(--warn-line)"><b>This page is not up to date.</b> {words}</div>'
)
NOT_YET = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
{css}
</style>
</head>
<body>
<header class="page-head">
<h1>{name}</h1>
<p class="lead">Nothing has been made here yet; this page shows it as soon as it is.</p>
</header>
</body>
</html>
"""


def preview(
    files: Sequence[Path],
    params: Path,
    options: Options,
    listener: Listener,
    ready: Callable[[str], None],
) -> None:
    """Keep the reports of `files`, or of all sets in `params`, up to date and shown, until SIGINT or SIGTERM.

    `ready` is told the address once it is served. Raises OSError where the output folder cannot be used, a
    folder cannot be watched, or no port can be had.
    """
    make_usable(options.out)
    site = Site(options.out)
    maker = _Maker(files, params, options, listener, site)
    with suppress(KeyboardInterrupt), _serving(site) as port, new_kernels(options) as kernels:
        page = f"{quote(files[0].stem)}.html" if len(files) == 1 else ""
        ready(f"http://127.0.0.1:{port}/{page}")
        maker.keep_up(kernels)


# --- watching and making -----------------------------------------------------------------------------------


class _Maker:
    """Makes what changed, one run at a time, and tells the terminal and the site how it went."""

    def __init__(
        self, files: Sequence[Path], params: Path, options: Options, listener: Listener, site: "Site"
    ) -> None:
        self._files, self._params = files, params
        self._options, self._listener, self._site = options, listener, site
        self._named = {_place(file) for file in files}
        self._notebook = _place(options.project.notebook())
        sets = {file.parent for file in files} or {params}
        folders = (*sets, self._notebook.parent, TEMPLATE)
        self._folders = {folder.resolve(strict=True) for folder in folders}  # raises where one is not there
        site.expect(path.stem for path in self._sets())  # before anybody can ask

    def keep_up(self, kernels: Kernels) -> None:
        """Make what is stale, then what every change makes stale; changes during a run wait for the next."""
        first = True
        for changes in watch(
            *self._folders,
            watch_filter=lambda _, path: self._matters(Path(path)),
            recursive=False,
            rust_timeout=TICK,
            yield_on_timeout=True,
        ):
            if first:
                self._make(self._sets(), kernels)
                # Paid while the author reads, not at the first change.
                import sentence_reports.execution.engine
                import sentence_reports.pages.render  # noqa: F401
            elif changes:
                self._make(self._touched(Path(path) for _, path in changes), kernels)
            first = False
            process.check()

    def _sets(self) -> list[Path]:
        return list(self._files) or find_sets(self._params)

    def _matters(self, path: Path) -> bool:
        if path.name.startswith(".") or path.name.endswith("~"):  # what editors leave beside a file
            return False
        if path.parent == TEMPLATE or path == self._notebook:
            return True
        if self._named:
            return path in self._named
        return path.parent == self._params.resolve() and path.suffix in SET_SUFFIXES

    def _touched(self, changed: Iterable[Path]) -> list[Path]:
        """The sets that a change concerns; not more, so that a set that fails slowly does not hold up others."""
        sets, changed = self._sets(), list(changed)
        everything = self._site.trouble or any(path.suffix not in SET_SUFFIXES for path in changed)
        # By name: where two files claim the same report, the pipeline must see both.
        names = {path.stem.casefold() for path in changed}
        return [path for path in sets if everything or path.stem.casefold() in names]

    def _make(self, paths: Sequence[Path], kernels: Kernels) -> None:
        self._site.expect(path.stem for path in self._sets())
        try:
            reports = run(paths, self._options, self, kernels)
        except Exception as error:  # a full disk, a notebook that is half saved: the next change may mend it
            kind = "" if isinstance(error, SentenceReportsError) else f"{type(error).__name__}: "
            self._site.trouble = f"{kind}{error}"
            self._listener.warn(self._site.trouble)
            return
        self._site.trouble = ""
        for report in reports:
            self._site.note(report)

    def warn(self, words: str) -> None:
        self._listener.warn(words)

    def begin(self, total: int) -> None:
        self._listener.begin(total)

    def progress(self, stem: str, done: int, total: int) -> None:
        self._listener.progress(stem, done, total)

    def done(self, report: Report) -> None:
        self._site.note(report)
        self._listener.done(report)


def _place(path: Path) -> Path:
    """Where a file is, as the watcher names it: in its folder's real place, under its own name."""
    return path.parent.resolve() / path.name


# --- serving -----------------------------------------------------------------------------------------------


class Site:
    """The output folder as it is served: its pages reload themselves and say on top what keeps them back.

    `trouble` is what keeps all pages from being made, empty if nothing does; `closing` ends open connections.
    """

    def __init__(self, folder: Path) -> None:
        self.trouble = ""
        self.closing = False
        self._folder = folder.resolve()
        self._failures: dict[str, str] = {}
        self._expected: frozenset[str] = frozenset()

    def expect(self, stems: Iterable[str]) -> None:
        """There are or will be pages for `stems`; those of others are shown if they are there."""
        self._expected = frozenset(stems)

    def note(self, report: Report) -> None:
        """Remember whether the report's set failed, for its page; the index says it by itself."""
        self._failures[report.stem] = report.failure or ""

    def app(self, port: int) -> Starlette:
        """What uvicorn serves, at `port` and under this machine's own names only."""
        routes = [Route("/.changes", self._changes), Route("/{path:path}", self._show)]
        return Starlette(routes=routes, middleware=[Middleware(_OwnNames, port=port)])

    def _show(self, request: Request) -> Response:
        path = request.path_params["path"] or "index.html"
        if path.endswith(".html"):
            return HTMLResponse(self._page(path), headers=HEADERS)
        if (file := self._file(path)) is None:
            raise HTTPException(404)
        return FileResponse(file, headers=HEADERS)

    def _file(self, path: str) -> Path | None:
        """The file of the folder that `path` asks for; nothing hidden, nothing that leads out of it."""
        if any(part.startswith(".") for part in path.split("/")):
            return None
        try:
            file = (self._folder / path).resolve(strict=True)
        except (OSError, ValueError):  # not there, a name too long, a null byte
            return None
        return file if file.is_relative_to(self._folder) and file.is_file() else None

    def _page(self, path: str) -> str:
        """The served copy of a page: its script, the policy that allows it, and the banner where one is due."""
        version = self._version(path)  # before the file is read: at worst the page loads once more
        text = self._text(path)
        changes = "/.changes?" + urlencode({"page": path, "version": version})
        script = f'<script data-changes="{html.escape(changes)}">{SCRIPT}</script>\n'
        text = POLICY.sub(rf"\g<0>{ALLOWED}", text, count=1)
        if words := self._words(path):
            text = text.replace("<body>", "<body>\n" + BANNER.format(words=html.escape(words)), 1)
        before, _, after = text.rpartition("</body>")
        return f"{before}{script}</body>{after}"

    def _text(self, path: str) -> str:
        if (file := self._file(path)) is not None:
            return file.read_text(encoding="utf-8")
        stem = path.removesuffix(".html")
        if stem != "index" and stem not in self._expected:
            raise HTTPException(404)
        css = (TEMPLATE / "style.css").read_text(encoding="utf-8")
        return NOT_YET.format(name="Sentence Reports" if stem == "index" else html.escape(stem), css=css)

    def _words(self, path: str) -> str:
        stem = path.removesuffix(".html")
        return self.trouble or (self._failures.get(stem, "") if stem in self._expected else "")

    def _version(self, path: str) -> str:
        """A word that changes with what a page shows."""
        file = self._file(path)
        stat = file.stat() if file is not None else None
        parts = (stat and (stat.st_mtime_ns, stat.st_ino), self._words(path))
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def _changes(self, request: Request) -> Response:
        """Server-sent events: one, as soon as the page is no longer the version that the browser shows."""
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=HEADERS)
        return StreamingResponse(self._events(request), media_type="text/event-stream", headers=HEADERS)

    async def _events(self, request: Request) -> AsyncIterator[str]:
        page, version = request.query_params.get("page", ""), request.query_params.get("version")
        while not self.closing and not await request.is_disconnected():
            if self._version(page) != version:
                yield "data: changed\n\n"
                return
            await asyncio.sleep(LOOK)


class _OwnNames:
    """Answers only those who asked for this machine by one of its own names and for this port.

    A page from elsewhere whose name was made to lead here (DNS rebinding) is refused. Starlette's
    TrustedHostMiddleware does not look at the port.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if Headers(scope=scope).get("host", "").lower() in self._hosts:
            await self._app(scope, receive, send)
        else:
            await PlainTextResponse("Not a name of this server", status_code=421)(scope, receive, send)


@contextmanager
def _serving(site: Site) -> Iterator[int]:
    """Serve `site` to this machine while the block runs; gives the port."""
    listening = _listen()
    port: int = listening.getsockname()[1]
    config = uvicorn.Config(
        site.app(port),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)  # in a thread it leaves the signals alone
    thread = threading.Thread(target=server.run, args=([listening],), name="preview")
    thread.start()
    try:
        yield port
    finally:
        site.closing = server.should_exit = True
        thread.join()


def _listen() -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", PORT))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))
