"""Signals: where they end a command, and where they wait for that."""

import subprocess
import sys

import pytest

START = """
import os, signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
from sentence_reports import interrupts
number = signal.Signals[sys.argv[1]]
def send():
    os.kill(os.getpid(), number)
def ended(block):
    try: block()
    except interrupts.Terminated: return "SIGTERM"
    except KeyboardInterrupt: return "SIGINT"
"""

STEPS = """
class Sends:
    def __set_name__(self, owner, name):
        send()
interrupts.defer()
assert ended(interrupts.check) is None
class Owner:  # an exception from __set_name__ would come out as another
    field = Sends()
assert ended(interrupts.check) == number.name
send()  # as from somebody impatient
assert ended(interrupts.check) is None
print("well")
"""

WAITS = """
def wait():
    with interrupts.waiting():
        threading.Event().wait(60)
interrupts.defer()
if sys.argv[2] == "before":
    send()
else:
    threading.Timer(0.3, send).start()
began = time.monotonic()
assert ended(wait) == number.name
assert time.monotonic() - began < 30
time.sleep(0.1)
send()
with interrupts.waiting():  # a wait of what is cleaned up
    time.sleep(0.1)
print("well")
"""

DEAF = """
signal.signal(number, signal.SIG_IGN)
interrupts.defer()
send()
assert ended(interrupts.check) is None
print("well")
"""


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param(STEPS, (), id="between steps"),
        pytest.param(WAITS, ("before",), id="before a wait"),
        pytest.param(WAITS, ("during",), id="during a wait"),
        pytest.param(DEAF, (), id="where it is ignored"),
    ],
)
def test_a_signal_counts_once_and_in_its_place(code: str, words: tuple[str, ...], number: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START + code, number, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")
