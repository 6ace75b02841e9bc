"""The process that asks the Hugging Face hub for a model and downloads it; `hub.py` starts it and kills it.

Nothing that a hub, a mirror or a proxy answers is trusted: bytes and requests are limited, names and hashes
checked before the library makes paths of them. Each message to the parent is one line of JSON on stdout.
"""

import glob
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from huggingface_hub import HfApi, ModelInfo, set_client_factory, snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RevisionNotFoundError
from huggingface_hub.utils import filter_repo_objects, httpx  # type: ignore[attr-defined]
from huggingface_hub.utils.logging import set_verbosity_error

from sentence_reports.errors import ModelError
from sentence_reports.files import atomic_write
from sentence_reports.models.files import UNWANTED, WANTED, only_pickled, quoted
from sentence_reports.models.hub import Unreachable
from sentence_reports.process import end_with

STEP_SECONDS = 5.0  # for connecting, for sending and for reading, while looking
# Limits that no real model meets: the largest embedding models have 31 GB in a few dozen files.
MOST_FILES = 500
MOST_BYTES = 64_000_000_000
MOST_JSON = 8_000_000  # bytes of one answer of the API; the largest repositories list 2 MB
REQUESTS, REQUESTS_PER_FILE = 30, 5

NOT_THE_HUB = "something other than the Hugging Face hub answered at its address"


def tell(kind: str, *content: Any) -> None:
    """Send the parent a message."""
    sys.stdout.write(json.dumps([kind, *content]) + "\n")  # one call, so that lines of threads stay whole
    sys.stdout.flush()


class Guard:
    """Limits what the library's HTTP client asks and receives, by the client's event hooks."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.commit: str | None = None  # known once the hub has been asked about the model
        self.requests, self.bytes, self.received = REQUESTS, 2 * MOST_JSON, 0

    def refuse(self, reason: str) -> NoReturn:
        """Tell the parent that an answer cannot be used, and end this process with all its threads."""
        tell("ModelError", str(unusable(self.model, reason)))
        os._exit(1)

    def on_request(self, request: httpx.Request) -> None:
        """Count a request; a redirect counts too, and keeps the limit of the first request."""
        self.requests -= 1
        if self.requests < 0:
            self.refuse("it takes more requests than any model needs")
        limit = MOST_JSON if "/api/models/" in request.url.path else MOST_BYTES
        request.extensions.setdefault("most_bytes", limit)

    def on_response(self, response: httpx.Response) -> None:
        """Check the headers that the library makes paths of, and limit the body."""
        headers = response.headers
        if headers.get("content-encoding", "identity") != "identity":
            self.refuse("it is compressed, which was not asked for")
        if response.request.method == "HEAD":
            digest = headers.get("x-linked-etag") or headers.get("etag")
            if digest is not None and not re.fullmatch(r'(W/)?"?[0-9a-fA-F-]{32,128}"?', digest):
                self.refuse(f"the ETag {quoted(digest)} is not a hash")
            if headers.get("x-repo-commit", self.commit) != self.commit:
                self.refuse(f"a file is of another commit, {quoted(headers['x-repo-commit'])}")
        response.stream = Body(response.stream, self, response.request.extensions["most_bytes"])


class Body(httpx.SyncByteStream):
    """The body of a response, of which at most `most` bytes are read, all of them counted."""

    def __init__(self, stream: Any, guard: Guard, most: int) -> None:
        self.stream, self.guard, self.left = stream, guard, most

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            self.left -= len(chunk)
            self.guard.received += len(chunk)
            if self.left < 0:
                self.guard.refuse("it is longer than any model's")
            if self.guard.received > self.guard.bytes:
                self.guard.refuse("it brings more bytes than the model has")
            if self.guard.commit:
                tell("received", self.guard.received)
            yield chunk

    def close(self) -> None:
        """Close the connection's side of it."""
        self.stream.close()


def unusable(model: str, reason: str) -> ModelError:
    """Return the error for an answer that no hub gives."""
    return ModelError(
        f"The hub's answer about {model} cannot be used: {reason}. Check HF_ENDPOINT and this machine's proxy."
    )


def main(parent: int, model: str, revision: str) -> None:
    """Download as the child of the process `parent`, and report to it."""
    end_with(parent)
    set_verbosity_error()  # type: ignore[no-untyped-call]  # nothing about its retries
    guard = Guard(model)
    hooks: dict[str, list[Any]] = {"request": [guard.on_request], "response": [guard.on_response]}
    # Uncompressed, so that what is counted is what arrives in memory.
    options: dict[str, Any] = {"follow_redirects": True, "headers": {"Accept-Encoding": "identity"}}
    set_client_factory(lambda: httpx.Client(event_hooks=hooks, **options))
    tell("looking")
    try:
        info = look(model, revision)
        names = usable_files(info, model)
        guard.requests += REQUESTS_PER_FILE * len(names)
        guard.bytes += 2 * sum(size or MOST_BYTES for size in names.values()) + MOST_JSON
        guard.commit = info.sha
        tell("received", guard.received)
        download(model, revision, str(info.sha), list(names))
    except (Unreachable, ModelError) as error:
        tell(type(error).__name__, str(error))
    except Exception as error:
        tell("ModelError", str(unusable(model, f"{type(error).__name__}: {quoted(str(error), 300)}")))
    else:
        tell("done", info.sha)


def look(model: str, revision: str) -> ModelInfo:
    """Ask the hub about a model: one request, without retries."""
    try:
        info = HfApi().model_info(model, revision=revision, timeout=STEP_SECONDS, files_metadata=True)
    except HfHubHTTPError as error:
        raise judged(error, model, revision) from error
    except httpx.TimeoutException as error:
        raise Unreachable("the Hugging Face hub did not answer in time") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable(NOT_THE_HUB) from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError, ImportError, FileNotFoundError) as error:
        raise ModelError(
            f"The hub cannot be asked: {error}. Check HF_ENDPOINT and this machine's variables for proxies and "
            "certificates."
        ) from error
    except (httpx.HTTPError, OSError) as error:
        raise Unreachable("the Hugging Face hub could not be reached") from error
    if not re.fullmatch(r"[0-9a-f]{40}", str(info.sha)):
        raise Unreachable(NOT_THE_HUB)
    if re.fullmatch(r"[0-9a-f]{40}", revision) and info.sha != revision:
        raise unusable(model, f"it is about the commit {info.sha} instead of {revision}")
    return info


def judged(error: HfHubHTTPError, model: str, revision: str) -> Exception:
    """Decide whether an HTTP error comes from the hub or from something in between."""
    status, headers = error.response.status_code, error.response.headers
    if status >= 500 or status in (408, 429):
        return Unreachable(f"the Hugging Face hub is unavailable (HTTP {status})")
    # The hub explains its refusals in JSON or in its own headers; proxies and log-in pages do not.
    if "x-error-code" not in headers and "application/json" not in headers.get("content-type", ""):
        return Unreachable(NOT_THE_HUB)
    if isinstance(error, RevisionNotFoundError):
        reason = (
            f"The model {model} has no revision {quoted(revision)} on the hub. Use a commit, branch or tag."
        )
    elif isinstance(error, GatedRepoError) or status == 403:
        reason = (
            f"The hub refuses access to the model {model} (HTTP {status}). If it is gated, request access on its "
            "Hugging Face page, then `hf auth login`."
        )
    elif status in (401, 404):
        reason = (
            f"There is no model {model} on the hub, or it is private, and there is no such folder here. "
            "Check the spelling; for a private model, `hf auth login` first."
        )
    else:
        reason = f"The hub refused the request for the model {model} (HTTP {status}). Check its name."
    return ModelError(reason)


def usable_files(info: ModelInfo, model: str) -> dict[str, int | None]:
    """Return the files to download, each with its size if the hub gives it.

    Raises ModelError if the names are unsafe or the files too many or too large, and before the download for
    what would be refused after it.
    """
    sizes = {sibling.rfilename: sibling.size for sibling in info.siblings or []}
    for name in sizes:
        is_text = isinstance(name, str) and name.isprintable() and not re.search(r"[\\:]", name)
        if not is_text or {"", ".", ".."} & set(name.split("/")):  # it would leave the folder where it is put
            raise unusable(model, f"{quoted(str(name))} is not the name of a file in a repository")
    if "modules.json" not in sizes:
        raise ModelError(
            f"{model} is not a sentence-transformers model: its repository has no modules.json, which says "
            "how to pool, and without it another pooling would be guessed. Choose another model."
        )
    if not any(PurePosixPath(name).suffix == ".safetensors" for name in sizes):
        pickles = [name for name in sorted(sizes) if name.endswith(".bin")]
        raise only_pickled(model, pickles[0] if pickles else "no *.safetensors there")
    names = filter_repo_objects(sizes, allow_patterns=list(WANTED), ignore_patterns=list(UNWANTED))
    wanted = {name: sizes[name] for name in names}
    if len(wanted) > MOST_FILES:
        raise unusable(model, f"it lists {len(wanted):,} files to download; at most {MOST_FILES} are")
    total = sum(size for size in wanted.values() if size is not None)
    if total > MOST_BYTES:
        raise unusable(model, f"its files have {total:,} bytes; at most {MOST_BYTES:,} are downloaded")
    return wanted


def download(model: str, revision: str, commit: str, names: list[str]) -> None:
    """Download these files of a commit into the hub cache, and record there which commit the revision means."""
    try:
        # The patterns are the checked names, so it does not matter what the hub lists when the library asks again.
        patterns = [glob.escape(name) for name in names]
        folder = snapshot_download(model, revision=commit, allow_patterns=patterns)
        if revision != commit:
            reference = Path(folder).parents[1] / "refs" / revision
            reference.parent.mkdir(parents=True, exist_ok=True)
            atomic_write({reference: commit.encode()})
    except HfHubHTTPError as error:
        raise judged(error, model, revision) from error
    except (OSError, httpx.HTTPError) as error:
        # The library's errors about a lost connection have no number, unlike those of the disk.
        if isinstance(error, httpx.HTTPError | ConnectionError | TimeoutError) or error.errno is None:
            raise Unreachable("the download from the Hugging Face hub broke off") from error
        raise ModelError(f"{model} cannot be stored on this machine: {error.strerror}.") from error


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
