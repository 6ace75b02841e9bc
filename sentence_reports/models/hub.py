"""Get a model from the Hugging Face hub in a process that can be killed, within limits of time.

`download.py` is that process and sets the other limits.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import Any

from sentence_reports import process
from sentence_reports.errors import ModelError

START_SECONDS = 60.0  # for the process to import what it needs
LOOK_SECONDS = 8.0  # from then on, for the hub's answer about the model, name lookup and redirects included
STALL_SECONDS = 120.0  # something must arrive at least this often
# Beyond the first ten minutes a download must average 32 kB/s (0.25 Mbit/s), which any real line does.
GRACE_SECONDS, BYTES_PER_SECOND = 600.0, 32_000
LONGEST_SECONDS = 24 * 3600.0
# A hub that could not be reached is not asked again about the same model for so long.
REST_SECONDS = 60.0

_unreachable: dict[tuple[str, str], tuple[float, str]] = {}


class Unreachable(Exception):
    """Raised if the hub cannot be asked or a download breaks off; the text is the reason, a clause for a page."""


def fetch(model: str, revision: str) -> str:
    """Download a model of the hub into the hub cache and return its commit.

    A hub that could not be reached is not asked again about the same model within `REST_SECONDS`: a run asks once
    per set, and each would wait. Raises Unreachable if the hub cannot be reached or the download breaks off, stalls
    or is hopelessly slow; ModelError if the hub has no such model, or it cannot be used.
    """
    # The library reads this variable only at import, which may be long ago.
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise Unreachable("HF_HUB_OFFLINE is set")
    until, reason = _unreachable.get((model, revision), (0.0, ""))
    if time.monotonic() < until:
        raise Unreachable(reason)
    try:
        return _fetch(model, revision)
    except Unreachable as error:
        _unreachable[model, revision] = time.monotonic() + REST_SECONDS, str(error)
        raise


def _fetch(model: str, revision: str) -> str:
    # Without the hub's own transfer library, which cannot be limited, and without telemetry.
    environment = os.environ | {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    if not sys.stderr.isatty():
        environment["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    # -P: nothing in the current folder is imported. -W: warnings that matter arrive as errors.
    command = [sys.executable, "-P", "-W", "ignore", "-m", "sentence_reports.models.download"]
    try:
        child = subprocess.Popen(
            [*command, str(os.getpid()), model, revision],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,  # Ctrl-C is for this process alone
        )
    except OSError as error:
        raise Unreachable(f"no download could be started ({error.strerror or error})") from error
    with child:
        try:
            return _result(child)
        finally:
            child.kill()


def _result(child: subprocess.Popen[str]) -> str:
    """Follow the messages of a download, each a list in JSON, to the last one, which is the outcome."""
    messages: Queue[list[Any]] = Queue()

    def read() -> None:
        assert child.stdout is not None
        with suppress(ValueError):  # the child was killed in the middle of a line
            for line in child.stdout:
                messages.put(json.loads(line))
        messages.put(["Unreachable", "the download from the Hugging Face hub broke off"])

    Thread(target=read, daemon=True, name="messages of a download").start()
    began, deadline = None, time.monotonic() + START_SECONDS
    late = "the Hugging Face hub did not answer in time"
    while True:
        process.check()
        now = time.monotonic()
        if now > deadline:
            raise Unreachable(late)
        try:
            kind, *content = messages.get(timeout=process.PIECE)
        except Empty:
            continue
        if kind == "looking":
            deadline = now + LOOK_SECONDS
        elif kind == "received":
            began, late = began or now, "the download from the Hugging Face hub stalled"
            allowed = min(GRACE_SECONDS + content[0] / BYTES_PER_SECOND, LONGEST_SECONDS)
            deadline = min(now + STALL_SECONDS, began + allowed)
        elif kind == "done":
            return str(content[0])
        else:
            raise ModelError(content[0]) if kind == "ModelError" else Unreachable(content[0])
