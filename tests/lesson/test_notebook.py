"""The notebook as a file, and the definitions it teaches, taken out of it and checked on their own."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from scipy.spatial.distance import cosine as cosine_distance
from support import ROOT

from sentence_reports import lesson
from sentence_reports.lesson.ratings import correlation_in_words
from sentence_reports.models import EMBEDDED
from sentence_reports.report import FOLDER
from sentence_reports.sets import SentenceSet, read_set

PATH = ROOT / "notebooks" / "walkthrough.ipynb"


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(PATH, as_version=4)


@pytest.fixture(scope="module")
def defined(notebook: NotebookNode) -> Callable[..., Any]:
    """Take one function out of the notebook; what it uses besides NumPy is given by name."""

    def take(name: str, **used: Any) -> Any:
        for cell in notebook.cells:
            if cell.cell_type == "code" and f"def {name}(" in cell.source:
                namespace = {"np": np, **used}
                exec(compile(cell.source, name, "exec"), namespace)
                return namespace[name]
        raise LookupError(f"the notebook defines no {name}")

    return take


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_valid_and_holds_no_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(notebook))
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_it_has_exactly_one_parameters_cell_with_every_key_of_a_set(notebook: NotebookNode) -> None:
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    names = [node.targets[0].id for node in ast.parse(tagged[0].source).body]
    assert sorted(names) == sorted(
        set(SentenceSet.model_fields) - {"queries", "models", "texts", "topics", "map"}
    )  # for other notebooks


def test_its_defaults_are_those_of_a_set(notebook: NotebookNode) -> None:
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(cell.source).body}
    for name, field in SentenceSet.model_fields.items():
        if name not in ("title", "sentences", "queries", "models", "texts", "topics", "map"):
            assert values[name] == field.default, name


def test_it_keeps_the_rules_of_the_lesson(notebook: NotebookNode) -> None:
    kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in notebook.cells)
    assert 25 <= len(kinds) <= 66
    assert "ccc" not in kinds.removesuffix("c" * 9)  # eight exercises and the summary
    lengths = {c.id: len(c.source.splitlines()) for c in code_cells(notebook) if c.id != "parameters"}
    assert {name: length for name, length in lengths.items() if length > 12} == {}
    assert median(lengths.values()) <= 4


def test_its_code_fits_a_projector(notebook: NotebookNode) -> None:
    lines = {line for cell in code_cells(notebook) for line in cell.source.splitlines()}
    assert {line for line in lines if len(line) > 90 and not line.startswith('    "')} == set()


def test_no_step_is_referred_to_by_number(notebook: NotebookNode) -> None:
    headings = [line for cell in notebook.cells for line in cell.source.split("\n") if line.startswith("## ")]
    assert len(headings) > 15
    assert not [heading for heading in headings if re.search(r"\d", heading)]
    assert not [cell.id for cell in notebook.cells if re.search(r"\b[Ss]teps? \d", cell.source)]


def test_a_step_for_some_sets_is_tagged_as_a_whole(notebook: NotebookNode) -> None:
    steps: list[list[NotebookNode]] = []
    for cell in notebook.cells:
        if cell.source.startswith("## "):
            steps.append([])
        if steps:
            steps[-1].append(cell)
    tags = [
        [tag for tag in cell.metadata.get("tags", []) if tag.startswith("if-")]
        for step in steps
        for cell in step
    ]
    assert {tag for each in tags for tag in each} == {"if-groups", "if-claims", "if-ratings", "if-reference"}
    for step in steps:
        assert (
            len(
                {
                    tuple(tag for tag in cell.metadata.get("tags", []) if tag.startswith("if-"))
                    for cell in step
                }
            )
            == 1
        )


def test_it_is_a_deck_of_slides(notebook: NotebookNode) -> None:
    """One slide for each step; what only prepares the rest is on none."""
    kinds = {cell.id: cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells}
    for cell in notebook.cells:
        if cell.source.startswith("## "):
            assert kinds[cell.id] in ("slide", "skip"), cell.id
    skipped = {"parameters", "tools", "imports", "versions", "summary"}
    assert {name for name, kind in kinds.items() if kind == "skip"} == skipped


def test_its_prose_is_short(notebook: NotebookNode) -> None:
    left_out = re.compile(r"^(## .*|\|.*|\$\$.*)$", re.MULTILINE)  # a heading, a table, a formula
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    counts = {cell.id: len(left_out.sub("", cell.source).split()) for cell in prose}
    assert {name: count for name, count in counts.items() if not 20 <= count <= 60} == {}


# --- cosine_similarity -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("u", "v", "expected"),
    [
        ([1, 0], [1, 0], 1),
        ([1, 0], [-2, 0], -1),
        ([1, 0], [0, 3], 0),
        ([1, 0], [1, 1], 0.70710678),
        ([3, 4], [4, 3], 0.96),
    ],
)
def test_cosine_similarity_of_known_vectors(
    defined: Callable[..., Any], u: list[int], v: list[int], expected: float
) -> None:
    cosine_similarity = defined("cosine_similarity")
    assert cosine_similarity(np.array(u, dtype=float), np.array(v, dtype=float)) == pytest.approx(expected)


def test_cosine_similarity_agrees_with_scipy(defined: Callable[..., Any]) -> None:
    cosine_similarity, random = defined("cosine_similarity"), np.random.default_rng(7)
    for _ in range(100):
        u, v = random.normal(size=(2, 384))
        assert cosine_similarity(u, v) == pytest.approx(1 - cosine_distance(u, v), abs=1e-12)


# --- get_embedding -----------------------------------------------------------------------------------------


class Recorder:
    """Stands where the encoder stands, to see what the helper asks of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def encode(self, text: str, normalize_embeddings: bool) -> None:
        self.asked.append((text, normalize_embeddings))


def test_get_embedding_turns_line_breaks_into_spaces(defined: Callable[..., Any]) -> None:
    recorder = Recorder()
    get_embedding = defined("get_embedding", encoder=recorder, normalize=True)
    get_embedding("one\ntwo\r\nthree")
    get_embedding("four", normalize=False)
    assert recorder.asked == [("one two  three", True), ("four", False)]


# --- compare -----------------------------------------------------------------------------------------------

PUBLISHED = yaml.safe_load((ROOT / "params" / "blog.yaml").read_text(encoding="utf-8"))["reference"]


def test_compare_matches_the_published_matrix_when_it_is_fed_in(defined: Callable[..., Any]) -> None:
    matrix = np.array(PUBLISHED["similarity"])
    assert defined("compare")(matrix, PUBLISHED["similarity"], 1e-4) == (10, 10, 0)


def test_compare_counts_each_pair_once_and_never_the_diagonal(defined: Callable[..., Any]) -> None:
    published = [[1, 0.9, 0.2], [0.9, 1, 0.3], [0.2, 0.3, 1]]
    matrix = np.array([[1, 0.574, 0.2], [0.574, 1, 0.3], [0.2, 0.3, 1]])
    assert defined("compare")(matrix, published, 0.01) == (2, 3, pytest.approx(0.326))


@pytest.mark.parametrize(
    "published",
    [[[None, 0.5], [None, None]], [[None, None], [0.5, None]], [[1, 0.5], [0.5, 1]], [[0, 0.5], [0.9, 0]]],
)
def test_compare_takes_a_pair_from_above_the_diagonal_or_else_from_below(
    defined: Callable[..., Any], published: list[list[float | None]]
) -> None:
    assert defined("compare")(np.array([[1, 0.5], [0.5, 1]]), published, 0.01) == (1, 1, 0)


def test_compare_leaves_out_what_the_source_does_not_print(defined: Callable[..., Any]) -> None:
    published = [[1, None, 0.5], [None, 1, None], [None, None, 1]]
    assert defined("compare")(np.full((3, 3), 0.4), published, 0.01) == (0, 1, pytest.approx(0.1))
    assert defined("compare")(np.eye(2), [[1, None], [None, 1]], 0.01) == (0, 0, 0)


# --- word_overlap ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("The dog bites the man", "man bites: a dog!", 1),
        ("red green", "blue gray", 0),
        ("The dog is here", "The cat is there", 0),
        ("red green blue", "green blue gray", 0.5),
        ("🙂", "🚗", 0),
        ("今天天气很好", "今天天气很好。", 1),
        ("今天天气很好", "今天很好", 0),
    ],
)
def test_word_overlap_is_jaccards_index(defined: Callable[..., Any], a: str, b: str, expected: float) -> None:
    word_overlap = defined("word_overlap", lesson=lesson)
    assert word_overlap(a, b) == word_overlap(b, a) == expected


# --- the exercises -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def at_the_end(notebook: NotebookNode) -> dict[str, Any]:
    """What the notebook has defined after a run of all its cells but the pictures, for the set of its defaults."""
    namespace: dict[str, Any] = {"display": print}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        for cell in code_cells(notebook):
            source = (
                cell.source.replace("BAAI/bge-base-en", EMBEDDED) if cell.id == "parameters" else cell.source
            )
            exec(compile(source, cell.id, "exec"), namespace)
    return namespace


def output_of(cell: NotebookNode, namespace: dict[str, Any]) -> Any:
    """What the last line of a cell gives."""
    *before, last = ast.parse(cell.source).body
    assert isinstance(last, ast.Expr)
    exec(compile(ast.Module(before, []), cell.id, "exec"), namespace)
    return eval(compile(ast.Expression(last.value), cell.id, "eval"), namespace)


@pytest.mark.parametrize(
    ("name", "guess", "verdict"),
    [
        ("cosine", "0.5", "Right: the angle of 0.5 is 60.0°."),
        ("cosine", "60", "Not yet: a cosine is between −1 and 1."),
        ("cosine", "'half'", "Write a number, as in guess = 12."),
        ("angle", "73", "Right: "),
        ("angle", "60", "Not yet: 60° has a cosine of 0.50."),
        ("above-chance", "2", "Not yet: that is too many."),
        ("above-chance", "1", "Right: exactly."),
        ("outsider", "3", "Right: its mean is "),
        ("outsider", "0", "Not yet: the sentences have the numbers 1 to 5."),
        ("order", "('They live to work', 'They work to live')", "Right: similarity "),
        ("order", "['They live to work', 'Snow fell']", "Not yet: similarity "),
        ("order", "'They live to work'", 'Write two sentences, as in guess = ("One", "Two").'),
        (
            "paraphrase",
            "'One government, seated on the river Spree, rules all Germans'",
            "Right: similarity 0.",
        ),
        ("paraphrase", "'Berlin is a capital'", "Not yet: similarity 0."),
        ("paraphrase", "'Snow fell'", "Not yet: similarity "),
        (
            "neighbor",
            "'In Valencia, cooks fry thin noodles with seafood'",
            "Right: “Fideua is a traditional dish",
        ),
        ("neighbor", "'Paella'", "Not yet: “Fideua is a traditional dish"),
        ("overturn", "'A German cook in Berlin stirs cumin into his chili'", "Right: similarities "),
        ("overturn", "'  '", "Write a sentence in quotation marks"),
    ],
)
def test_an_exercise_is_checked(
    notebook: NotebookNode, at_the_end: dict[str, Any], name: str, guess: str, verdict: str
) -> None:
    (cell,) = [cell for cell in notebook.cells if cell.id == f"exercise-{name}"]
    answered = NotebookNode(id=cell.id, source=cell.source.replace("guess = None", f"guess = {guess}"))
    shown = output_of(answered, dict(at_the_end))
    assert shown.text.splitlines()[-1].startswith(verdict)


def test_there_are_eight_exercises_with_a_hint_and_a_solution_each(
    notebook: NotebookNode, at_the_end: dict[str, Any]
) -> None:
    cells = [cell for cell in notebook.cells if cell.id.startswith("exercise-")]
    assert len(cells) == 8
    for cell in cells:
        shown = output_of(cell, dict(at_the_end))
        task, hint, solution = shown.text.splitlines()  # and no verdict
        assert (hint.split()[0], solution.split()[0]) == ("Hint:", "Solution:"), task
        assert "guess = " in solution, task
        page = BeautifulSoup(shown.html, "html.parser")
        assert [fold["class"] for fold in page.select("div.exercise > details")] == [["hint"], ["answer"]]


# --- claims and ratings --------------------------------------------------------------------------------------


def run_cells(notebook: NotebookNode, names: list[str], namespace: dict[str, Any]) -> dict[str, Any]:
    for cell in notebook.cells:
        if cell.id in names:
            exec(compile(cell.source, cell.id, "exec"), namespace)
    return namespace


def test_claims_are_listed_with_those_that_do_not_hold_first(
    notebook: NotebookNode, at_the_end: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    texts = at_the_end["texts"]
    chosen = SentenceSet(
        sentences={"Cities": list(texts[:3]), "Dishes": list(texts[3:])},
        expect=[
            {"closer": [1, 2], "than": [1, 3], "margin": 0.05},
            {"related": [1, 3]},
            {"unrelated": [1, 4]},
            {"related": [4, 5]},
            {"together": "Dishes"},
        ],
    )
    given = at_the_end | {"chosen": chosen, "groups": chosen.groups}
    checks = run_cells(notebook, ["claims"], given)["checks"]
    assert [check.met for check in checks] == [True, False, True, True, True]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["does not hold"] + 4 * ["holds"] + [
        "4 of 5 claims hold."
    ]
    assert lines[0].endswith(checks[1].statement)


def test_ratings_give_a_correlation_the_pairs_that_disagree_and_a_picture(
    notebook: NotebookNode, at_the_end: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    ratings = [[1, 2, 4], [4, 5, 3], [1, 3, 2], [2, 3, 1], [1, 4, 0], [3, 5, 5]]
    chosen = SentenceSet(sentences=list(at_the_end["texts"]), ratings=ratings)
    shown: list[Any] = []
    given = at_the_end | {"chosen": chosen, "display": shown.append}
    agreed = run_cells(notebook, ["ratings"], given)["agreed"]
    correlations, picture = shown
    assert correlations.loc["people", "model"] == pytest.approx(agreed.spearman, abs=1e-4)
    assert capsys.readouterr().out == correlation_in_words(agreed) + "\n"
    assert picture.alt.startswith("Scatter plot of 6 rated pairs")


def test_a_set_without_claims_or_ratings_says_so_in_a_line_each(
    notebook: NotebookNode, at_the_end: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run_cells(notebook, ["claims", "ratings"], dict(at_the_end))
    assert capsys.readouterr().out == "This set makes no claims.\nThis set has no ratings by people.\n"


# --- with the stock command lines --------------------------------------------------------------------------


def stock(stem: str, tmp_path: Path) -> str:
    """What papermill's and nbconvert's own commands make of the notebook and a set."""
    env = os.environ | {"HF_ENDPOINT": "http://127.0.0.1:9", FOLDER: str(ROOT / "params")}
    bin_folder = Path(sys.executable).parent
    params, executed = ROOT / "params" / f"{stem}.yaml", tmp_path / "out.ipynb"
    notebook = ROOT / "notebooks" / f"{read_set(params).set.notebook}.ipynb"
    commands = [
        [bin_folder / "papermill", notebook, "-f", params, executed],
        [bin_folder / "jupyter", "nbconvert", "--to", "html", executed],
    ]
    for command in commands:
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return executed.with_suffix(".html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("stem", sorted(path.stem for path in (ROOT / "params").glob("*.yaml")))
def test_the_stock_commands_run_every_shipped_set(stem: str, tmp_path: Path) -> None:
    html = stock(stem, tmp_path)
    assert "for the head of the report" in html  # the last cell says so
    assert "IProgress" not in html
    assert ("Not compared: the figures are for BAAI/bge-base-en" in html) == (stem == "blog")
