"""A stand-in for the Hugging Face hub on 127.0.0.1: what finding and fetching a model needs of its API, and what
broken and hostile hubs do instead; and the search for a model in a process of its own.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

from sentence_reports.errors import ModelError
from sentence_reports.models import FoundModel, download, find_model
from sentence_reports.models.hub import Unreachable

COMMIT = "1" * 40
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}

STEP = 11_000_000  # bytes at once, then a pause of 2 s

# What the stand-in answers to everything instead of being a hub: status, headers, body.
Reply = tuple[int, dict[str, str], bytes]


class StandIn:
    """Serves `repositories` (hub id to folder), each at one `commit`, also called by its `names`.

    `reply` answers everything in the same way; "hang" accepts and never answers; "drip" sends a byte of a header a
    second; "endless" is JSON without end. With `broken_files` the hub talks about its files, but asked for one
    "closes" the connection, answers "503", "hangs", sends some other "page", sends "endless" bytes, one byte per
    second ("drips"), or lists them on "pages" without end. Long files come slowly. `listed` are names that it lists
    as well, with their sizes; `headers` replace those of a file. `asked` holds the requests, `sent` the number of
    bytes that it sent as content.
    """

    def __init__(
        self,
        repositories: dict[str, Path] | None = None,
        *,
        commit: str = COMMIT,
        names: tuple[str, ...] = ("main", "v1"),
        reply: Reply | str | None = None,
        broken_files: str = "",
        listed: dict[str, int] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.repositories = repositories or {}
        self.commit, self.names, self.reply, self.broken_files = commit, names, reply, broken_files
        self.listed, self.headers = listed or {}, headers or {}
        self.asked: list[str] = []
        self.sent = 0
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
    disable_nagle_algorithm = True  # with it, each answer's body waits 0.04 s for word that its headers came

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(f"{self.command} {path}")
        if self.hub.reply == "hang":
            self.hub.over.wait(30)
        elif self.hub.reply == "drip":
            self.drip(b"HTTP/1.1 200 OK and so on and on and on")
        elif self.hub.reply == "endless":
            self.pour(JSON, b"[" + b"0," * 50_000)
        elif isinstance(self.hub.reply, tuple):
            self.send(*self.hub.reply)
        else:
            self.answer(path)

    do_HEAD = do_GET

    def drip(self, content: bytes) -> None:
        try:
            for letter in content:
                self.wfile.write(bytes([letter]))
                if self.hub.over.wait(1):
                    return
        except OSError:
            pass  # the other side has left

    def pour(self, headers: dict[str, str], content: bytes) -> None:
        """Send `content` again and again, without saying how much will come."""
        self.send_response(200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.close_connection = True
        try:
            while not self.hub.over.is_set():
                self.hub.sent += self.wfile.write(content)
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

    def sizes(self, folder: Path) -> dict[str, int]:
        return {path: (folder / path).stat().st_size for path in _paths(folder)} | self.hub.listed

    def info(self, name: str, folder: Path, rest: str) -> None:
        siblings = [{"rfilename": path, "size": size} for path, size in self.sizes(folder).items()]
        info = {"id": name, "modelId": name, "sha": self.hub.commit, "siblings": siblings, "tags": []}
        self.send(200, JSON, json.dumps(info).encode())

    def tree(self, name: str, folder: Path, rest: str) -> None:
        sizes = self.sizes(folder)
        tree = [{"type": "file", "path": path, "size": size, "oid": "0" * 40} for path, size in sizes.items()]
        more = (
            {"Link": f'<{self.hub.url}{self.path}>; rel="next"'} if self.hub.broken_files == "pages" else {}
        )
        self.send(200, JSON | more, json.dumps(tree).encode())

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
        content = (folder / rest).read_bytes() if (folder / rest).is_file() else b"x"
        tag = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{tag}"', "X-Repo-Commit": self.hub.commit, **self.hub.headers}
        if self.command == "GET" and self.hub.broken_files == "endless":
            self.pour(headers, b"0" * 100_000)
        elif self.command == "GET" and self.hub.broken_files == "drips":
            self.begin(200, headers, len(content))
            self.drip(content)
        else:
            self.send(200, headers, content)

    def begin(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(key, value)
        self.end_headers()

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.begin(status, headers, len(body))
        if self.command != "HEAD":
            for start in range(0, len(body), STEP):
                if start:
                    self.hub.over.wait(2)
                self.hub.sent += self.wfile.write(body[start : start + STEP])


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


# Finds each of the models named on its standard input, and says what happened and what was touched.
FINDER = """
import json, sys
events = []
network = ("socket.", "subprocess.")
sys.addaudithook(lambda event, args: event.startswith(network) and events.append(event))
from dataclasses import asdict
from sentence_reports.models import find_model
from sentence_reports.errors import ModelError
answers = []
for arguments in json.load(sys.stdin):
    try:
        answers.append({"found": asdict(find_model(*arguments))})
    except ModelError as error:
        answers.append({"error": str(error)})
heavy = sorted({"torch", "sentence_transformers", "transformers"} & sys.modules.keys())
json.dump({"answers": answers, "network": events, "heavy": heavy}, sys.stdout)
"""


class Search(ABC):
    """Requests of models, and what became of them."""

    @abstractmethod
    def all(self) -> list[dict[str, Any]]: ...

    def one(self) -> FoundModel:
        (answer,) = self.all()
        assert "found" in answer, answer
        return FoundModel(**answer["found"])

    def error(self) -> str:
        (answer,) = self.all()
        assert "error" in answer, answer
        return answer["error"]


class Here(Search):
    """`find_model` in this process, whose library is told what it would read when it is imported."""

    def __init__(self, *requests: Sequence[Any], hub: str) -> None:
        self.requests, self.hub = requests, hub

    def all(self) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HF_ENDPOINT", self.hub)
            patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", f"{os.environ['HF_HOME']}/hub")
            for request in self.requests:
                try:
                    answers.append({"found": asdict(find_model(*request))})
                except ModelError as error:
                    answers.append({"error": str(error)})
        return answers


class Inside(Here):
    """`find_model` and the download in this process: no process takes a quarter of a second for its imports.

    Not for what ends the download's process, such as a file of another hash or an answer without end.
    """

    def all(self) -> list[dict[str, Any]]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sentence_reports.models.hub._fetch", self._fetch)
            patch.setattr("huggingface_hub.constants.ENDPOINT", self.hub)
            files = f"{self.hub}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
            patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", files)
            patch.setattr(download, "end_with", lambda _: None)  # for the child of a run only
            patch.setattr(download, "set_verbosity_error", lambda: None)
            try:
                return super().all()
            finally:
                set_client_factory(default_client_factory)

    def _fetch(self, model: str, revision: str) -> str:
        messages: list[tuple[str, str]] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(download, "tell", lambda *message: messages.append(message))
            download.main(os.getpid(), model, revision)
        kind, content = messages[-1]
        if kind != "done":
            raise {"ModelError": ModelError, "Unreachable": Unreachable}[kind](content)
        return content


class Finder(Search):
    """`find_model` in its own process, after the code `first`; it never imports torch, and is silent."""

    def __init__(
        self,
        *requests: tuple[Any, ...],
        hub: str | None = None,
        first: str = "",
        within: Sequence[str] = (),
    ) -> None:
        environment = {**os.environ, "PYTHONWARNINGS": "error"}
        if hub is not None:
            environment["HF_ENDPOINT"] = hub
        python = [*within, sys.executable, "-c", f"{first}\n{FINDER}"]
        self.process = subprocess.Popen(
            python,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.work = json.dumps(requests)

    def all(self) -> list[dict[str, Any]]:
        out, err = self.process.communicate(self.work, timeout=60)
        assert self.process.returncode == 0, err
        assert err == "", err
        result = json.loads(out)
        assert result["heavy"] == []
        self.network = result["network"]
        return result["answers"]
