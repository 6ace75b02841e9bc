"""Measure how texts are encoded and kept: CPU and wall seconds, and ratios within one run.

Compares our encoding (batches of one length, threads, cache) with raw batched `SentenceTransformer.encode` on one
thread, each in a process of its own. Then it measures a second run with everything kept, and one with one changed text;
and the same for the static model. With a file of sentences (see collect.py), it measures the cells of the notebook
instead: with vectors kept but no neighbors, again, and with some texts changed. Machines and moments differ, so compare
the ratios of one run only.
Usage: collection.py [--texts 10000] [--static 100000] [--rounds 1] [--sentences FILE.jsonl]
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from threads import MODEL, sentences

STATIC = "dleemiller/word-llama-l2-supercat"
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "collection.ipynb"
STAGES = {
    "texts": "read the file",
    "vectors": "vectors from the cache",
    "reading": "what the model can read",
    "neighbors": "nearest neighbors",
    "topics": "topics and their names",
    "duplicates": "near-duplicates",
    "loners": "loners",
    "representatives": "representatives",
    "map": "map",
    "groups": "groups",
    "files": "tables next to the page",
    "summary": "summary",
}
"""What is computed in which cell of the notebook. All others are one stage."""
CHANGES = {"first": 0, "again": 0, "one changed": 1, "100 changed": 100}


def step(name: str, model: str, count: int) -> None:
    """Do one step in this process and print what it took, and the peak memory in megabytes, as JSON."""
    from sentence_reports.models import find_model, load
    from sentence_reports.models.batches import Encoding
    from sentence_reports.models.embed import embed
    from sentence_reports.models.usage import Usage

    found, texts = find_model(model), sentences(count)
    if name == "one changed":
        texts[count // 2] += " changed"
    encoder = load(found)
    if name == "raw":
        import torch

        torch.set_num_threads(1)
    before, began = time.process_time(), time.perf_counter()
    if name == "raw":
        fresh = len(encoder.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False))
    else:
        fresh = embed(lambda: encoder, Encoding(found, Usage.of(encoder)), texts).fresh
    wall, cpu = time.perf_counter() - began, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"wall": wall, "cpu": cpu, "fresh": fresh, "peak": peak}))


def measure(name: str, model: str, count: int, cache: str) -> dict[str, float]:
    """Return what one step took, in a new process with its cache in the folder `cache`."""
    command = [sys.executable, __file__, "--step", name, "--model", model, "--texts", str(count)]
    env = os.environ | {"HF_HUB_OFFLINE": "1", "XDG_CACHE_HOME": cache, "TOKENIZERS_PARALLELISM": "false"}
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def table(model: str, count: int, rounds: int) -> None:
    """Print the table of one model."""
    steps = ("raw", "ours", "again", "one changed")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in steps}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for name in steps:
                found[name].append(measure(name, model, count, cache))
    print(f"\n{model}, {count:,} texts\n")
    print("| | encoded | CPU s | of raw | wall s | of raw | texts/s | peak MB |\n" + "|---" * 8 + "|")
    for name, results in found.items():
        ratios = [
            median(r[key] / raw[key] for r, raw in zip(results, found["raw"], strict=True))
            for key in ("cpu", "wall")
        ]
        cpu, wall, peak = (median(r[key] for r in results) for key in ("cpu", "wall", "peak"))
        print(
            f"| {name} | {results[0]['fresh']:,} | {cpu:.2f} | {ratios[0]:.2f} | {wall:.2f} | {ratios[1]:.2f} "
            f"| {count / wall:,.0f} | {peak:.0f} |",
            flush=True,
        )


def run_cells(sentences: Path) -> None:
    """Run the notebook in this process; print the CPU seconds of each stage and the peak memory as JSON."""
    import nbformat
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell, took = InteractiveShell.instance(), dict.fromkeys([*STAGES.values(), "all else"], 0.0)
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code":
            began = time.process_time()
            with capture_output():
                ran = shell.run_cell(cell.source)
            ran.raise_error()
            took[STAGES.get(cell.id, "all else")] += time.process_time() - began
        if cell.id == "parameters":
            texts = {"file": str(sentences), "column": "text", "group": "source"}
            shell.user_ns |= {"model": STATIC, "texts": texts}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps(took | {"all": sum(took.values()), "peak MB": peak}))


def notebook_table(sentences: Path, count: int) -> None:
    """Print what the stages of the notebook take for the first `count` sentences, and after changes."""
    lines = sentences.read_text(encoding="utf-8").splitlines()[:count]
    columns = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "texts.jsonl")
        env = os.environ | {
            "HF_HUB_OFFLINE": "1",
            "XDG_CACHE_HOME": folder,
            "TOKENIZERS_PARALLELISM": "false",
        }
        for name, changes in CHANGES.items():
            for k in range(changes):
                place = (2 * k + 1) * len(lines) // (2 * changes)
                row = json.loads(lines[place])
                lines[place] = json.dumps(row | {"text": f"{row['text']} Changed."}, ensure_ascii=False)
            file.write_text("\n".join(lines), encoding="utf-8")
            command = [sys.executable, __file__, "--sentences", str(file)]
            for step in ["--fill", "--cells"] if name == "first" else ["--cells"]:
                done = subprocess.run(
                    [*command, step], env=env, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
                )
            columns[name] = json.loads(done.stdout)
    print(f"\nThe notebook of a collection, {STATIC}, {len(lines):,} texts, CPU seconds\n")
    print(f"| | {' | '.join(columns)} |\n" + "|---" * (len(columns) + 1) + "|")
    for stage in columns["first"]:
        print(f"| {stage} | {' | '.join(f'{column[stage]:,.1f}' for column in columns.values())} |")


def main() -> None:
    """Print one Markdown table for each model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--static", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--step")
    parser.add_argument("--model")
    parser.add_argument("--sentences", type=Path)
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--cells", action="store_true")
    options = parser.parse_args()
    if options.fill:
        from sentence_reports.models import find_model, load
        from sentence_reports.models.batches import Encoding
        from sentence_reports.models.embed import embed
        from sentence_reports.models.usage import choose_usage

        found = find_model(STATIC)
        texts = [json.loads(line)["text"] for line in options.sentences.open(encoding="utf-8")]
        embed(lambda: load(found), Encoding(found, choose_usage(found)), texts)
        return
    if options.cells:
        run_cells(options.sentences)
        return
    if options.step:
        step(options.step, options.model, options.texts)
        return
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if options.sentences:
        notebook_table(options.sentences, options.static)
        return
    table(MODEL, options.texts, options.rounds)
    table(STATIC, options.static, options.rounds)


if __name__ == "__main__":
    main()
