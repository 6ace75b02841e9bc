"""Compare thread policies for encoding: all cores spinning (the default), all cores waiting passively, one thread.

Each policy encodes the same sentences in batches of 32, and some of them one at a time, in fresh processes. The
policies take turns within a round, and ratios compare runs of one round; the medians of all rounds are printed.
Usage: threads.py [--rounds 3] [--sentences 1000] [--busy 0 8] [--processes 1 2] [--policies passive one]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
CORES = os.cpu_count() or 1
POLICIES = {
    "passive": {"OMP_NUM_THREADS": str(CORES)} | PASSIVE,
    "spinning": {"OMP_NUM_THREADS": str(CORES)},
    "one": {"OMP_NUM_THREADS": "1"} | PASSIVE,
}
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
WORDS = "the river train market doctor weather opens a blue letter under seven old bridges in winter"


def sentences(count: int) -> list[str]:
    """Return `count` different sentences of 4 to 41 words."""
    words = WORDS.split()
    lengths = [3 + k * 13 % 38 for k in range(count)]
    return [
        f"{k} " + " ".join(words[(k * 7 + j * j) % len(words)] for j in range(n))
        for k, n in enumerate(lengths)
    ]


def encode(count: int) -> None:
    """Encode `count` sentences in batches and an eighth of them one at a time; print the seconds of both."""
    from sentence_reports.models import find_model, load

    encoder = load(find_model(MODEL))
    texts = sentences(count)
    encoder.encode(texts[:64])
    began = time.perf_counter()
    encoder.encode(texts, batch_size=32)
    batches = time.perf_counter() - began
    began = time.perf_counter()
    for text in texts[::8]:
        encoder.encode(text)
    print(json.dumps([batches, time.perf_counter() - began]))


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep `count` processes busy while the block runs."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def measure(policy: dict[str, str], processes: int, count: int) -> list[float]:
    """Return the seconds in batches and one at a time, of the slowest of `processes` that start together."""
    command = [sys.executable, __file__, "--encode", str(count)]
    env = {k: v for k, v in os.environ.items() if k not in PASSIVE} | {"HF_HUB_OFFLINE": "1"} | policy
    started = [
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    seconds = [json.loads(process.communicate()[0]) for process in started]
    return [max(column) for column in zip(*seconds, strict=True)]


def main() -> None:
    """Print one Markdown table for the conditions asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 8])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), choices=POLICIES)
    parser.add_argument("--encode", type=int)
    options = parser.parse_args()
    if options.encode:
        encode(options.encode)
        return
    print(
        f"{CORES} cores, {options.sentences} sentences in batches of 32, {-(-options.sentences // 8)} one at a time\n"
    )
    print(
        "| busy loops | processes | policy | batches, s | ratio | one at a time, s | ratio |\n"
        + "|---" * 7
        + "|"
    )
    for busy in options.busy:
        for processes in options.processes:
            with busy_loops(busy):
                rounds = [
                    {name: measure(POLICIES[name], processes, options.sentences) for name in options.policies}
                    for _ in range(options.rounds)
                ]
            base = options.policies[0]
            for name in options.policies:
                row = [f"{busy} | {processes} | {name}"]
                for k in range(2):
                    row += [f"{median(r[name][k] for r in rounds):.1f}"]
                    row += [f"{median(r[name][k] / r[base][k] for r in rounds):.2f}"]
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
