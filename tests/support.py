"""What tests of several rooms use: known places, command lines, odd texts, and who runs the test."""

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import strategies as st
from nbformat import NotebookNode
from numpy.typing import NDArray

from sentence_reports.claim_records import Agreement, ClaimCheck, Side
from sentence_reports.collected_summary import (
    CollectionSummary,
    DuplicateGroup,
    GroupSummary,
    GroupTable,
    LonelyText,
    MapFacts,
    QueryMatches,
    Repeated,
    RepresentativeText,
    StrayText,
    Text,
    TextMatch,
    TopicSummary,
)
from sentence_reports.comparison import kept_pairs, nearest, rank_pairs, square, upper
from sentence_reports.facts import STEPS, Baseline, Legend, ModelFacts, Pair
from sentence_reports.models import FoundModel, find_model
from sentence_reports.overview import pack
from sentence_reports.report import Report
from sentence_reports.summary import (
    Column,
    ComparisonSummary,
    OneModelSummary,
    PageFacts,
    SearchSummary,
    Summary,
    WalkthroughSummary,
)

ROOT = Path(__file__).parents[1]
# One or more of the shipped sets of each kind, which the `shipped` fixture makes.
SHOWN = ("blog", "faq", "four-topics", "in-context", "sbert-movies", "town-inbox")


def shown_sets() -> list[Path]:
    """Return the files of the sets that `SHOWN` names."""
    return [ROOT / "params" / f"{stem}.yaml" for stem in SHOWN]


def contrast(one: str, other: str) -> float:
    """How well two colours part, from 1 to 21, after WCAG 2.1."""
    lights = []
    for color in (one, other):
        digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
        channels = [value / 255 for value in bytes.fromhex(digits)]
        rgb = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        lights.append(0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def eventually(true: Callable[[], object], seconds: float = 180) -> bool:
    """Wait until something is true and return whether it is; the limit allows for a very busy machine."""
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


def text_of_any_kind() -> st.SearchStrategy[str]:
    """Any text that a set can hold: all of Unicode but NUL and halves of surrogate pairs, some signs more often."""
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    signs = st.sampled_from(
        [*" \t\r\n\x07\x0b\x0c\x1b\x1c\x7f\x85\x9b\xa0\xad", *"#:-&*!|>'\"%@`{}[]<>\\$=+_,"]
    )
    joiners = st.sampled_from(
        [*"\u0301\u200b\u200d\u200e\u202e\u2028\u2029\u2066\ufeff\ufffe\uffff\U0001f3fd\U0010ffff"]
    )
    markup = st.sampled_from(
        [
            "<script>",
            "</title>",
            "<!--",
            "]]>",
            "&amp;",
            "&#13;",
            "&#x80;",
            "\x1b[31m",
            "$$",
            "{{",
            "{%",
            "**",
        ]
    )
    return st.lists(characters | signs | joiners | markup, min_size=1, max_size=30).map("".join)


@contextmanager
def not_root() -> Iterator[None]:
    """Be somebody who may not read everything."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(65534)
    except OSError as error:
        pytest.skip(f"root may read everything, and cannot become another user here: {error}")
    try:
        yield
    finally:
        os.seteuid(0)


def of_the_user(name: str) -> bool:
    """Whether an environment variable says where the user's own things are, or changes what is made."""
    prefixes = ("HF_", "HUGGINGFACE_", "IPYTHON", "JUPYTER", "SENTENCE_REPORTS_", "SOURCE_DATE", "XDG_")
    return name.startswith(prefixes) or name.lower().endswith("_proxy")


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "on", "mat", "."]
WORDS += ["query", "passage", "represent", ":"]


@dataclass(frozen=True)
class Ran:
    """One call of the command line: its exit code, what it said, and where its files are."""

    code: int
    stdout: str
    stderr: str
    home: Path
    out: Path


def path_with_command() -> str:
    """The PATH of one who can type ``sentence-reports``."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))


def command_line(*words: str | Path, home: Path, cwd: Path | None = None, **env: str) -> Ran:
    """Call ``sentence-reports`` as a user would, in an empty HOME."""
    clean = {name: value for name, value in os.environ.items() if not of_the_user(name)}
    clean["PATH"] = path_with_command()
    clean |= {"HOME": str(home), "HF_HOME": str(home / "hf"), "SOURCE_DATE_EPOCH": "1700000000"} | env
    command = [sys.executable, "-m", "sentence_reports", *map(str, words)]
    done = subprocess.run(
        command, env=clean, cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr, home, home)


def ran_once(temporary: pytest.TempPathFactory, name: str, run: Callable[[Path], Ran]) -> Ran:
    """Call `run` with a new folder in one of pytest's workers; each worker gets what it returned."""
    base = temporary.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(folder.with_suffix(".lock")):
        result = folder / "ran.pickle"
        if not result.exists():
            folder.mkdir(exist_ok=True)
            result.write_bytes(pickle.dumps(run(folder)))
        ran: Ran = pickle.loads(result.read_bytes())
    return ran


def on_a_terminal(*words: str | Path, cwd: Path | None = None, columns: int = 80) -> tuple[int, str]:
    """Run Python on a terminal of so many columns; return its exit code and what the terminal shows."""
    import pty  # POSIX only

    master, slave = pty.openpty()
    command = [sys.executable, *words]
    env = os.environ | {"COLUMNS": str(columns), "TERM": "xterm", "HF_ENDPOINT": "http://127.0.0.1:9"}
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=env, cwd=cwd) as process:
        os.close(slave)
        seen = b""
        with suppress(OSError):  # Linux says so when the other side has closed
            while chunk := os.read(master, 65536):
                seen += chunk
    os.close(master)
    return process.returncode, seen.decode("utf-8")


def write_sets(folder: Path, descriptions: Sequence[str]) -> None:
    folder.mkdir()
    for k, description in enumerate(descriptions):
        text = {"sentences": ["one", "two", f"tone {k}"], "description": description}
        text["model"] = "sentence-transformers/all-MiniLM-L6-v2"
        (folder / f"set-{k:02}.yaml").write_text(json.dumps(text))


class Notes:
    """A listener that writes down what it hears."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.ran: list[str] = []
        self.failures: list[str] = []
        self.pdfs: dict[str, str | None] = {}

    def warn(self, words: str) -> None:
        self.warnings.append(words)

    def begin(self, total: int) -> None:
        pass

    def progress(self, stem: str, done: int, total: int, step: str) -> None:
        pass

    def done(self, report: Report) -> None:
        self.ran.append(report.stem)
        self.failures += [report.failure] if report.failure else []

    def printed(self, stem: str, failure: str | None) -> None:
        self.pdfs[stem] = failure


DEFAULT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
"""
IN_PROJECT = """
import sys
from pathlib import Path
from sentence_reports import __main__
def in_project(notebook):
    "Return the option for the project whose own notebook this is, so that it runs instead of the packaged one."
    project = Path(notebook).parents[1]
    (project / "params").mkdir(exist_ok=True)
    return ["--project", str(project)]
"""
DRIVER = DEFAULT + IN_PROJECT + "sys.argv[1:2] = in_project(sys.argv[1])\nsys.exit(__main__.main())"


# --- what can be wrong with a model --------------------------------------------------------------------------


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def cut_short(model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


def only_pickle(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def change_weights(model: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> FoundModel:
    from safetensors.torch import load_file, save_file

    tensors = change(load_file(model / "model.safetensors"))
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})
    return find_model(str(model))


# --- a summary --------------------------------------------------------------------------------------------------

MODEL = ModelFacts(
    name="m",
    revision="r",
    source="folder",
    sha256="0" * 64,
    dimension=2,
    max_tokens=8,
    pooling="mean",
    normalizes=True,
    parameters=2,
    size_bytes=8,
    dtype="float32",
)
LEGEND = Legend(low=0, high=1, scale="from 0 to 1", ramp=("#ffffff", "#000000"))
STOPS = ("#ffffd9", "#edf8b1", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#253494", "#081d58")
YLGNBU = tuple(
    "#"
    + bytes(
        round(np.interp(k, range(0, 57, 7), c))
        for c in zip(*map(bytes.fromhex, (s[1:] for s in STOPS)), strict=True)
    ).hex()
    for k in range(57)
)
HUES = ("#065a85", "#dd482c", "#804bc8", "#173800")

BASELINE = Baseline("k", "m", 10, tuple(round(k / STEPS, 3) for k in range(STEPS + 1)))


def small_summary(**changes: Any) -> WalkthroughSummary:
    """The summary of three sentences, with `changes`."""
    plain = WalkthroughSummary(
        settings={"title": "T", "description": "D", "normalize": True},
        sentences=("one", "two", "three"),
        labels=("one", "two", "thr..."),
        groups=None,
        order=tuple(range(len(changes.get("sentences", "123")))),
        model=MODEL,
        closest=Pair(0, 1, 0.5),
        farthest=Pair(0, 2, 0.1),
        places=("high", "low"),
        baseline=BASELINE,
        finding=(),
        claims=(),
        notices=(),
        legend=LEGEND,
        reference=None,
        versions={"Python": "3"},
        matrix=pack(np.array([[1, 0.5, 0.1], [0.5, 1, 0.2], [0.1, 0.2, 1]], dtype="f4")),
    )
    return replace(plain, **changes)


def small_search(**changes: Any) -> SearchSummary:
    """The summary of two queries in three sentences, with `changes`."""
    plain = small_summary()
    common = {f.name: getattr(plain, f.name) for f in fields(OneModelSummary) if f.name != "kind"}
    found = np.array([[0.1, 0.995, 0.25], [0.3, 0.2, 0.4]], dtype="f4")
    search = {"queries": ("first?", "second?"), "closest": Pair(0, 1, 0.995), "matrix": pack(found)}
    return SearchSummary(**common | search | changes)


# --- a comparison of models ----------------------------------------------------------------------------------

COMPARED = {
    "Spring": (
        "The spring in the mattress is broken",
        "A metal coil snapped",
        "In spring the meadow is in bloom",
    ),
    "Refund": ("How do I get my money back?", "Request a refund", "How do I get my hair back?"),
    "Start": (
        "My laptop will not start",
        "The computer does not boot",
        "My new job will start on Monday",
    ),
    "Rain": (
        "It is raining cats and dogs",
        "There is a heavy downpour",
        "Cats and dogs need fresh water",
    ),
}
# What two real models say about the pairs of these, in thousandths, and about unrelated sentences: the least, and what
# 5, 25, 50, 75, 95, 99 and 100% of the pairs do not exceed.
MEASURED = {
    "all-MiniLM-L6-v2": (
        "446 212 166 200 152 233 273 34 -17 88 8 29 224 222 198 234 229 55 5 24 -53 43 35 141 72 45 56 "
        "179 193 69 615 391 261 252 126 129 -7 38 280 197 200 80 25 -6 18 168 179 94 65 -40 76 715 182 "
        "84 60 49 132 74 104 14 140 -37 97 414 569 78",
        "-186 -57 7 59 117 214 288 408",
    ),
    "WordLlama": (
        "66 380 66 84 16 -23 8 10 122 -44 81 65 -21 -58 -21 -61 -92 13 47 10 -25 10 -15 8 -25 -50 -39 43 "
        "69 -8 489 647 -20 -26 27 25 -44 19 319 -32 -41 6 57 -81 69 74 -10 112 -10 -67 21 414 420 -112 "
        "39 -35 36 -12 49 -26 -99 -103 31 91 640 -37",
        "-220 -85 -22 24 72 148 216 440",
    ),
}
FACTS = {
    "all-MiniLM-L6-v2": replace(
        MODEL,
        name="sentence-transformers/all-MiniLM-L6-v2",
        revision="8b3219a92973c328a8e22fadcfa821b5dc75636a",
        source="installed package",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        dimension=384,
        max_tokens=256,
        parameters=22_713_216,
        size_bytes=91_607_178,
        languages=("en",),
    ),
    "WordLlama": replace(
        MODEL,
        name="dleemiller/word-llama-l2-supercat",
        revision=None,
        source="installed package",
        sha256="64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
        dimension=256,
        max_tokens=None,
        parameters=8_192_000,
        size_bytes=18_226_892,
    ),
}


def thousandths(text: str) -> NDArray[np.float32]:
    """Return the numbers of `MEASURED` as similarities."""
    return np.array(text.split(), dtype=np.float32) / 1000


def measured(label: str) -> tuple[NDArray[np.float32], Baseline]:
    """Return the `(12, 12)` similarities of a model of `MEASURED`, and its baseline."""
    similarities, quantiles = map(thousandths, MEASURED[label])
    steps = np.interp(np.linspace(0, 100, STEPS + 1), [0, 5, 25, 50, 75, 95, 99, 100], quantiles)
    baseline = Baseline(label, label, 19_900, tuple(round(float(step), 3) for step in steps))
    return square(similarities, 12), baseline


def comparison_of(
    models: dict[str, tuple[NDArray[np.float32], Baseline]],
    *,
    claimed: Sequence[tuple[int, int, int]] = (),
    rated: float | None = None,
    **changes: Any,
) -> ComparisonSummary:
    """The summary of a comparison, given the `(n, n)` similarities and the baseline of each model by its label.

    `claimed` holds sentences by position: the first is closer to the second than to the third. `rated` is how well the
    first model agrees with people; the next ones do by 0.1 less each.
    """
    from sentence_reports.lesson.comparison import likenesses  # takes a second, and few tests need it

    n = len(next(iter(models.values()))[0])
    near = [nearest(matrix) for matrix, _ in models.values()]
    pairs = kept_pairs(near, [pair for a, b, c in claimed for pair in ((a, b), (a, c))])
    rows = slice(None) if pairs is None else pairs[:, 0] * (2 * n - pairs[:, 0] - 3) // 2 + pairs[:, 1] - 1
    texts = changes.get("sentences") or tuple(f"Sentence number {k + 1} of a long list" for k in range(n))
    columns = []
    for k, (label, (matrix, baseline)) in enumerate(models.items()):

        def side(*pair: int, matrix: NDArray[np.float32] = matrix, baseline: Baseline = baseline) -> Side:
            return Side("pair", tuple(texts[j] for j in pair), baseline.corrected(float(matrix[pair])))

        sides = [(side(a, b), side(a, c)) for a, b, c in claimed]
        agreement = None if rated is None else rated - 0.1 * k
        columns.append(
            Column(
                label,
                FACTS.get(label, replace(MODEL, name=label)),
                baseline,
                pack(upper(matrix)[rows]),
                pack(rank_pairs(upper(matrix))[rows]),
                claims=tuple(ClaimCheck("closer", a.value > b.value, a, b) for a, b in sides),
                agreement=agreement and Agreement(40, agreement, (agreement - 0.05, agreement + 0.04), ()),
                milliseconds=9.4 / (k + 1),
            )
        )
    alike = likenesses(
        pd.DataFrame({label: rank_pairs(upper(matrix)) for label, (matrix, _) in models.items()}),
        dict(zip(models, near, strict=True)),
    )
    plain: dict[str, Any] = {
        "settings": {"title": "In context, or word by word?", "description": "", "normalize": True},
        "sentences": texts,
        "labels": texts,
        "groups": None,
        "order": tuple(range(n)),
        "finding": (),
        "notices": (),
        "legend": LEGEND,
        "versions": {"Python": "3"},
        "columns": tuple(columns),
        "likenesses": alike,
        "pairs": None if pairs is None else pack(pairs, "<u4"),
    }
    return ComparisonSummary(**plain | changes)


def small_comparison(**changes: Any) -> ComparisonSummary:
    """The summary of a comparison of two real models on twelve sentences and four claims, with `changes`."""
    plain = {
        "sentences": tuple(text for texts in COMPARED.values() for text in texts),
        "groups": tuple(name for name, texts in COMPARED.items() for _ in texts),
        "finding": ("all-MiniLM-L6-v2 meets 3 of 4 claims, WordLlama none.",),
        "legend": Legend(
            low=0,
            high=0.7,
            scale="from 0 to 0.7",
            ramp=YLGNBU,
            groups=tuple(zip(COMPARED, HUES, strict=True)),
        ),
        "claimed": ((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)),
    }
    return comparison_of({label: measured(label) for label in MEASURED}, **plain | changes)


def many_compared(n: int, count: int, **changes: Any) -> ComparisonSummary:
    """The summary of a comparison of `count` models that more or less agree about `n` sentences, with `changes`."""
    generator = np.random.default_rng(0)
    common, models = generator.normal(size=(n, 16)), {}
    baseline = measured("WordLlama")[1]
    for k in range(count):
        vectors = common + k * 0.4 * generator.normal(size=(n, 16))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        models[f"model {k + 1}"] = (vectors @ vectors.T).astype(np.float32), baseline
    legend = Legend(low=0, high=1, scale="from 0 to 1", ramp=YLGNBU)
    return comparison_of(models, **{"legend": legend} | changes)


# --- a collection of texts ------------------------------------------------------------------------------------

COMPLAINTS = (
    Text(3, "The parcel arrived two weeks late"),
    Text(8, "My order is late again"),
    Text(11, "You charged my card twice"),
    Text(12, "I was billed two times for one order"),
    Text(20, "The app closes as soon as I sign in"),
    Text(27, "Do penguins have knees?"),
)


def small_collection(**changes: Any) -> CollectionSummary:
    """The summary of a collection of forty texts in two groups and three topics, with `changes`."""
    late, again, charged, billed, app, knees = COMPLAINTS
    topics = (
        TopicSummary(
            1, "late, parcel, order", ("late", "parcel", "order", "weeks"), 20, 0.5, 0.42, (late, again)
        ),
        TopicSummary(2, "charged, card", ("charged", "card"), 12, 0.3, 0.61, (charged, billed)),
        TopicSummary(3, "", (), 5, 0.125, 0.8, (app,)),
    )
    groups = (
        GroupSummary("Delivery", 21, 0.41, "Payment", 0.12, 0.33, True, (19, 1, 0), 1),
        GroupSummary("Payment", 19, 0.22, "Delivery", 0.2, 0.02, False, (1, 11, 5), 2),
    )
    claim = ClaimCheck(
        "closer", True, Side("pair", (late.text, again.text), 0.7), Side("pair", (late.text, app.text), 0.1)
    )
    plain = CollectionSummary(
        settings={"title": "What do customers complain about?", "description": "D"},
        finding=("40 texts in 3 topics; 2 near-duplicates and 1 loner.", "Five texts cover 80% of them."),
        notices=("2 of 44 rows are empty.",),
        versions={"Python": "3"},
        file="texts/complaints.csv",
        sha256="1" * 64,
        column="complaint",
        limit=None,
        total=44,
        distinct=40,
        copies=2,
        empty=2,
        too_long=0,
        repeated=(Repeated(late, 3),),
        repeated_count=1,
        model=MODEL,
        baseline=measured("all-MiniLM-L6-v2")[1],
        cut=0,
        unreadable=0,
        topics=topics,
        topic_count=3,
        resolution=1.25,
        aim=6,
        least=3,
        unassigned=3,
        stop_words="english",
        duplicates=(DuplicateGroup(3, (charged, billed, again)),),
        duplicate_groups=1,
        duplicate_texts=2,
        numbered=(DuplicateGroup(4, (Text(31, "Order 12 is late"), Text(32, "Order 15 is late"))),),
        numbered_groups=1,
        numbered_texts=4,
        loners=(LonelyText(knees, 0.11, 74.5), LonelyText(app, 0.31, 99.4)),
        loner_count=1,
        representatives=(RepresentativeText(late, 22, 22), RepresentativeText(charged, 14, 10)),
        covered=0.8,
        covered_by_chance=0.02,
        group_table=GroupTable(groups, 2, 1, 2, (StrayText(billed, "Payment", 1, "Delivery"),), 1),
        claims=(claim,),
        queries=(
            QueryMatches("Where is my parcel?", (TextMatch(late, 0.71, 100.0), TextMatch(again, 0.5, 99.9))),
        ),
        query_count=1,
        map=MapFacts("two principal components", 0.18, 1),
    )
    return replace(plain, **changes)


def large_collection(text: str = "word " * 60, **changes: Any) -> CollectionSummary:
    """The summary of a collection of 100,000 texts, in which each list is as long as a notebook makes it."""
    texts = tuple(Text(99_000 + k, f"{k} {text}"[:400]) for k in range(200))
    topics = tuple(
        TopicSummary(
            k + 1, f"{text[:30]}, {k}", (text[:20],) * 5, 3000 - k, 0.03 - k / 10_000, 0.5, texts[k : k + 5]
        )
        for k in range(100)
    )
    groups = tuple(
        GroupSummary(f"{k} {text[:40]}", 4955, 0.4, f"{k + 1}", 0.1, 0.3, True, tuple(range(100)), 5)
        for k in range(50)
    )
    table = GroupTable(
        groups, 700, 600, 650, tuple(StrayText(each, text[:40], 3, text[:40]) for each in texts[:50]), 9000
    )
    large = {
        "total": 120_000,
        "distinct": 100_000,
        "copies": 15_000,
        "repeated": tuple(Repeated(each, 40) for each in texts[:20]),
        "repeated_count": 3000,
        "topics": topics,
        "topic_count": 180,
        "duplicates": tuple(DuplicateGroup(40, texts[k : k + 5]) for k in range(50)),
        "duplicate_groups": 1234,
        "duplicate_texts": 5678,
        "numbered": tuple(DuplicateGroup(30, texts[k : k + 5]) for k in range(20)),
        "numbered_groups": 432,
        "numbered_texts": 4321,
        "loners": tuple(LonelyText(each, 0.1, 60.0) for each in texts[:50]),
        "loner_count": 321,
        "representatives": tuple(RepresentativeText(each, 900, 100) for each in texts[:20]),
        "group_table": table,
        "queries": tuple(
            QueryMatches(f"{k} {text[:100]}?", tuple(TextMatch(each, 0.5, 99.9) for each in texts[:10]))
            for k in range(100)
        ),
        "query_count": 130,
    }
    return small_collection(**large | changes)


def executed(
    *outputs: NotebookNode,
    markdown: str = "## 1 · A step",
    stem: str = "set",
    warnings: tuple[str, ...] = (),
    summary: Summary | None = None,
    **changes: Any,
) -> NotebookNode:
    """An executed notebook with one step, whose code gave `outputs`, and `summary`, or a small one with `changes`."""
    published = (summary or small_summary(**changes))._repr_mimebundle_()
    publish = nbformat.v4.new_output("execute_result", published)
    hidden = {"tags": ["remove-cell"]}
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(
                "secret = 1", id="injected", metadata={"tags": ["injected-parameters"]}
            ),
            nbformat.v4.new_markdown_cell(markdown, id="step-1"),
            nbformat.v4.new_code_cell("print('x')", id="code", outputs=list(outputs)),
            nbformat.v4.new_code_cell("publish()", id="summary", outputs=[publish], metadata=hidden),
        ]
    )
    PageFacts(stem, "2026-01-02", "make report SET=set", warnings).write_to(made)
    return made
