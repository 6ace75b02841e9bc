"""What `--debug` adds: tracebacks on the terminal, and a log file with what the libraries have to say."""

import logging
import os
import platform
import sys
import tempfile
from pathlib import Path

import platformdirs


def write_log(version: str) -> Path:
    """Log everything to a file from now on and return its path.

    It is `debug.log` in the user's folder for logs, written anew each time, or else a new temporary file.
    Raises OSError if neither can be written.
    """
    try:
        path = platformdirs.user_log_path("sentence-reports", appauthor=False) / "debug.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    except OSError:
        descriptor, name = tempfile.mkstemp(prefix="sentence-reports-", suffix=".log")
        os.close(descriptor)
        path = Path(name)
    logging.basicConfig(
        filename=path,
        encoding="utf-8",
        errors="backslashreplace",
        level=logging.DEBUG,
        format="%(asctime)s %(threadName)s %(name)s: %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
    logging.info("sentence-reports %s, Python %s, %s", version, sys.version, platform.platform())
    logging.info("%s in %s", sys.argv, Path.cwd())
    return path
