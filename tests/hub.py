"""A stand-in for the Hugging Face hub on 127.0.0.1: what finding and fetching a model needs of its API."""

import hashlib
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote, urlsplit

COMMIT = "1" * 40
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}

STEP = 11_000_000  # bytes at once, then a pause of 2 s

# What the stand-in answers to everything instead of being a hub: status, headers, body.
Reply = tuple[int, dict[str, str], bytes]


class StandIn:
    """Serves `repositories` (hub id to folder), each at one `commit`, also called by its `names`.

    `reply` answers everything alike; "hang" accepts and never answers; "drip" sends a byte of a header a
    second. With `broken_files` the hub talks about its files, but asked for one "closes" the connection,
    answers "503", "hangs", or sends some other "page". Long files come slowly. `asked` holds what came.
    """

    def __init__(
        self,
        repositories: dict[str, Path] | None = None,
        *,
        commit: str = COMMIT,
        names: tuple[str, ...] = ("main", "v1"),
        reply: Reply | str | None = None,
        broken_files: str = "",
    ) -> None:
        self.repositories = repositories or {}
        self.commit, self.names, self.reply, self.broken_files = commit, names, reply, broken_files
        self.asked: list[str] = []
        self.over = threading.Event()

    def __enter__(self) -> "StandIn":
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        # serve_forever looks every poll_interval whether it should stop
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        if self.hub.reply == "hang":
            self.hub.over.wait(30)
        elif self.hub.reply == "drip":
            self.drip()
        elif isinstance(self.hub.reply, tuple):
            self.send(*self.hub.reply)
        else:
            self.answer(path)

    do_HEAD = do_GET

    def drip(self) -> None:
        try:
            for letter in b"HTTP/1.1 200 OK and so on and on and on":
                self.wfile.write(bytes([letter]))
                if self.hub.over.wait(1):
                    return
        except OSError:
            pass  # the other side has left

    def answer(self, path: str) -> None:
        for name, folder in self.hub.repositories.items():
            for start, answer in (
                (f"/api/models/{name}/tree/", self.tree),
                (f"/api/models/{name}/revision/", self.info),
                (f"/{name}/resolve/", self.file),
            ):
                if path.startswith(start):
                    revision, _, rest = path.removeprefix(start).partition("/")
                    if revision not in (self.hub.commit, *self.hub.names):
                        return self.send(
                            404, {**JSON, "X-Error-Code": "RevisionNotFound"}, b'{"error": "no"}'
                        )
                    return answer(name, folder, rest)
        # what the hub says of an unknown repository to one who is not logged in
        return self.send(401, JSON, b'{"error": "Invalid username or password."}')

    def info(self, name: str, folder: Path, rest: str) -> None:
        siblings = [{"rfilename": path} for path in _paths(folder)]
        info = {"id": name, "modelId": name, "sha": self.hub.commit, "siblings": siblings, "tags": []}
        self.send(200, JSON, json.dumps(info).encode())

    def tree(self, name: str, folder: Path, rest: str) -> None:
        sizes = {path: (folder / path).stat().st_size for path in _paths(folder)}
        tree = [{"type": "file", "path": path, "size": size, "oid": "0" * 40} for path, size in sizes.items()]
        self.send(200, JSON, json.dumps(tree).encode())

    def file(self, name: str, folder: Path, rest: str) -> None:
        if self.hub.broken_files == "closes":
            self.close_connection = True
            return
        if self.hub.broken_files == "503":
            self.send(503, HTML, b"")
            return
        if self.hub.broken_files == "hangs":
            self.hub.over.wait(60)
            return
        if self.hub.broken_files == "page":
            self.send(200, HTML, b"<html>Please log in</html>")
            return
        content = (folder / rest).read_bytes()
        tag = hashlib.sha256(content).hexdigest()
        self.send(200, {"ETag": f'"{tag}"', "X-Repo-Commit": self.hub.commit}, content)

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            for start in range(0, len(body), STEP):
                if start:
                    self.hub.over.wait(2)
                self.wfile.write(body[start : start + STEP])


def _paths(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def fill_cache(
    hf_home: Path, name: str, folder: Path, commit: str = COMMIT, ref: str | None = "main", tree: bool = False
) -> Path:
    """Lay `folder` into a hub cache as a finished download would be, and give its snapshot.

    With `tree` the library also finds the listing by which it knows which files the repository has.
    """
    storage = hf_home / "hub" / f"models--{name.replace('/', '--')}"
    snapshot = storage / "snapshots" / commit
    shutil.copytree(folder, snapshot)
    if ref is not None:
        (storage / "refs").mkdir()
        (storage / "refs" / ref).write_text(commit)
    if tree:
        (storage / "trees").mkdir()
        entries = {path: {"size": 1, "blob_id": "0" * 40} for path in _paths(folder)}
        (storage / "trees" / f"{commit}.json").write_text(json.dumps({"format_version": 1, "files": entries}))
    return snapshot


def closed_port() -> str:
    """Give the address of a port at which nothing listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.server_close()
    return f"http://127.0.0.1:{server.server_port}"
