"""The Hugging Face hub: one quick look at what it has, and the download; knows nothing of this machine's models."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from sentence_reports import process
from sentence_reports.errors import ModelError
from sentence_reports.models.files import UNWANTED, WANTED, cut, only_pickled

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo
    from huggingface_hub.errors import HfHubHTTPError

# One request gets LOOK_STEP_SECONDS for each of connecting, sending and reading; the whole look, with name
# resolution and redirects, which have no limit of their own, gets LOOK_SECONDS.
LOOK_STEP_SECONDS = 5.0
LOOK_SECONDS = 8.0
# A download may take as long as it needs, but something must arrive at least this often. The library tells
# every 10 MB, for which a line of 0.7 Mbit/s is fast enough.
STALL_SECONDS = 120.0

Result = TypeVar("Result")


class Unreachable(Exception):
    """The hub cannot be asked; the text is the reason, a clause that may stand on a page."""


def look(model: str, revision: str) -> ModelInfo:
    """Ask what the hub says of a model; one request without retries, `LOOK_SECONDS` at most."""
    # The library reads this variable once, at import; a user who sets it later means it no less.
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise Unreachable("HF_HUB_OFFLINE is set")
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    def ask() -> ModelInfo:
        return HfApi().model_info(model, revision=revision, timeout=LOOK_STEP_SECONDS)

    try:
        info = _within(LOOK_SECONDS, ask)
    except HfHubHTTPError as error:
        raise _judged(error, model, revision) from error
    except OfflineModeIsEnabled as error:
        raise Unreachable("HF_HUB_OFFLINE is set") from error
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise Unreachable("the Hugging Face hub did not answer in time") from error
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise ModelError(
            "HF_ENDPOINT is not the web address of a hub (https://...). Mend or unset it."
        ) from error
    except (httpx2.HTTPError, ConnectionError) as error:
        raise Unreachable("the Hugging Face hub could not be reached") from error
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable(_NOT_THE_HUB) from error
    except (ValueError, ImportError, OSError) as error:  # unusable variables for proxies or certificates
        raise ModelError(
            f"The hub cannot be asked: {error}. Check this machine's variables for proxies and certificates."
        ) from error
    if not re.fullmatch(r"[0-9a-f]{40}", str(info.sha)):
        raise Unreachable(_NOT_THE_HUB)
    return info


_NOT_THE_HUB = "something other than the Hugging Face hub answered at its address"


def _within(seconds: float, call: Callable[[], Result]) -> Result:
    """Give `call`'s result, or TimeoutError; its thread goes on, but as a daemon holds nothing up."""
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True, name="look at the hub").start()
    limit = time.monotonic() + seconds
    while not future.done():
        process.check()
        if time.monotonic() > limit:
            raise TimeoutError
        wait([future], process.PIECE)
    return future.result()


def _judged(error: HfHubHTTPError, model: str, revision: str) -> Exception:
    """Read an HTTP error as what it means: the hub's word on the model, or no word of the hub at all."""
    from huggingface_hub.errors import DisabledRepoError, GatedRepoError, RevisionNotFoundError

    status, headers = error.response.status_code, error.response.headers
    if status >= 500 or status in (408, 429):
        return Unreachable(f"the Hugging Face hub does not serve now (HTTP {status})")
    # The hub explains its refusals in JSON or in headers of its own; proxies and log-in pages do not.
    if "x-error-code" not in headers and "application/json" not in headers.get("content-type", ""):
        return Unreachable(_NOT_THE_HUB)
    if isinstance(error, RevisionNotFoundError):
        return ModelError(
            f"The model {model} has no revision {cut(revision)} on the hub. Give a commit, branch or tag."
        )
    if isinstance(error, GatedRepoError):
        return ModelError(
            f"The model {model} is gated: its owner must let you in. Ask on its page of the hub, then "
            "`hf auth login`."
        )
    if headers.get("x-error-message") == "Invalid credentials in Authorization header":
        return ModelError(
            f"The hub does not accept this machine's token. `hf auth login` again to use {model}."
        )
    if isinstance(error, DisabledRepoError) or status == 403:
        return ModelError(
            f"The hub does not give out the model {model} (HTTP {status}). Choose another model."
        )
    if status in (401, 404):
        return ModelError(
            f"There is no model {model} on the hub, or it is private, and there is no such folder here. "
            "Check the spelling; for a private model, `hf auth login` first."
        )
    return ModelError(
        f"The hub refused to say anything of the model {model} (HTTP {status}). Check its name."
    )


def check_repository(info: ModelInfo, model: str) -> None:
    """Refuse before the download what would be refused after it."""
    names = sorted(sibling.rfilename for sibling in info.siblings or [])
    if not names:
        return
    if "modules.json" not in names:
        raise ModelError(
            f"{model} is not a sentence-transformers model: its repository has no modules.json, which says "
            "how to pool, and without it another pooling would be guessed. Choose another model."
        )
    if not any(PurePosixPath(name).suffix == ".safetensors" for name in names):
        raise only_pickled(
            model, next((name for name in names if name.endswith(".bin")), "no *.safetensors there")
        )


def download(model: str, revision: str) -> None:
    """Bring what is wanted of a model into the hub cache; its progress shows on a terminal.

    In a process of its own, which can be ended: where a hub falls silent, the library's threads go on asking
    for minutes. Raises Unreachable where the download breaks off or nothing arrives for `STALL_SECONDS`.
    """
    # -P: nothing of the current folder is imported. -W: what matters of a warning comes as an error.
    command = [sys.executable, "-P", "-W", "ignore", "-m", "sentence_reports.models.hub", str(os.getpid())]
    command += [model, revision]
    # In a session of its own: Ctrl-C is for this process.
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    except OSError as error:
        raise Unreachable(f"no download could be started ({error.strerror or error})") from error
    with process:
        assert process.stdout is not None
        try:
            while (line := _within(STALL_SECONDS, process.stdout.readline)) == ALIVE:
                pass
        except TimeoutError:
            raise Unreachable("the download from the Hugging Face hub stood still") from None
        finally:
            process.kill()
    if not line:
        raise Unreachable(_BROKEN)
    kind, words = json.loads(line)
    if kind == Unreachable.__name__:
        raise Unreachable(words)
    if kind == ModelError.__name__:
        raise ModelError(words)


_BROKEN = "the download from the Hugging Face hub broke off"
ALIVE = "\n"  # what the process says whenever something has arrived; last comes how it went, as JSON


def main(parent: int, model: str, revision: str) -> None:
    """Download as the process of `download`, which is the process `parent`."""
    from huggingface_hub.utils.logging import set_verbosity_error

    process.end_with(parent)
    set_verbosity_error()  # type: ignore[no-untyped-call]  # nothing of its retries
    try:
        _download(model, revision)
    except (Unreachable, ModelError) as error:
        print(json.dumps([type(error).__name__, str(error)]), flush=True)
    else:
        print(json.dumps(["", ""]), flush=True)


def _download(model: str, revision: str) -> None:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class Bar(tqdm):  # type: ignore[misc]
        """The library's own bar, but only where stderr is a terminal; and it says what arrives."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.setdefault("disable", None)  # None: unless on a terminal
            super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            print(end=ALIVE, flush=True)
            return super().update(n)  # type: ignore[no-any-return]

    try:
        snapshot_download(
            model,
            revision=revision,
            allow_patterns=list(WANTED),
            ignore_patterns=list(UNWANTED),
            tqdm_class=Bar,
        )
    except HfHubHTTPError as error:
        raise _judged(error, model, revision) from error
    except LocalEntryNotFoundError as error:  # so the library says that the connection is gone
        raise Unreachable(_BROKEN) from error
    except OSError as error:
        if error.errno is None or isinstance(error, (ConnectionError, TimeoutError)):
            raise Unreachable(_BROKEN) from error
        raise ModelError(f"{model} cannot be stored on this machine: {error.strerror}.") from error
    except (httpx2.HTTPError, RuntimeError) as error:  # RuntimeError: the hub's transfer library, hf_xet
        raise Unreachable(_BROKEN) from error


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
