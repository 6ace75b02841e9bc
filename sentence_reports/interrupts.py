"""Ctrl-C and SIGTERM end a command between its steps and where it waits, and nowhere else.

Raised wherever they happen to arrive, as Python does by itself, they get lost: raised while a library is
imported, they can come out as a RuntimeError, and in a destructor they are printed and forgotten.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_arrived: int | None = None
_raised = False
_waiting = False


class Terminated(KeyboardInterrupt):
    """Raised for SIGTERM: it stops a command as Ctrl-C does."""


def defer() -> None:
    """From now on, until the process ends, SIGINT and SIGTERM wait for `check` and `waiting`.

    A command is ended once: a further signal does not cut short what it then cleans up. One that this process
    was started deaf to stays unheard.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _note)


def check() -> None:
    """Raise KeyboardInterrupt or Terminated if a signal has arrived, once."""
    global _raised
    if _arrived is not None and not _raised:
        _raised = True
        raise Terminated if _arrived == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def waiting() -> Iterator[None]:
    """Let what `check` raises end the block at any moment. For the main thread, which alone hears signals."""
    global _waiting
    try:
        _waiting = True
        check()
        yield
    finally:
        _waiting = False


def _note(number: int, _: FrameType | None) -> None:
    global _arrived
    _arrived = number
    if _waiting:
        check()
