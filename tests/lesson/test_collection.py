"""The notebook of a collection, what it says in words, its claims, its files, its map and its summary."""

import ast
import csv
import re
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from numpy.typing import NDArray
from support import ROOT

from sentence_reports.claim_records import Claim
from sentence_reports.collected import Collected
from sentence_reports.collected_summary import CollectionSummary
from sentence_reports.collection.duplicates import near_duplicates, numbered_texts
from sentence_reports.collection.groups import compare_groups
from sentence_reports.collection.loners import find_loners
from sentence_reports.collection.neighbors import nearest
from sentence_reports.collection.projection import project
from sentence_reports.collection.representatives import find_representatives
from sentence_reports.collection.topics import find_topics
from sentence_reports.errors import ModelError
from sentence_reports.facts import STEPS, Baseline, ModelFacts
from sentence_reports.lesson import collection as show
from sentence_reports.lesson.collection_files import write_files
from sentence_reports.lesson.collection_map import (
    BYTES,
    HEIGHT,
    LINE,
    WIDTH,
    collection_map,
    kept_in_words,
    place_names,
)
from sentence_reports.lesson.collection_summary import summarize_collection
from sentence_reports.lesson.collection_words import (
    Reading,
    collection_finding,
    collection_notices,
    percent,
    rows_in_words,
)
from sentence_reports.lesson.picture import SMALL, text_width
from sentence_reports.models import EMBEDDED
from sentence_reports.report import EMBEDDINGS, FoundModel
from sentence_reports.sets import SentenceSet
from sentence_reports.summary import MIME, read_summary

PATH = ROOT / "notebooks" / "collection.ipynb"
OWN = {"label_size", "cmap"}  # keys that every set may have
WORDS = ("bread flour oven", "train ticket station", "river bridge water")


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(PATH, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# --- the notebook as a file -------------------------------------------------------------------------------------


def test_it_is_valid_and_holds_no_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in code_cells(notebook))
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_its_parameters_are_the_keys_of_a_collection_with_their_defaults(notebook: NotebookNode) -> None:
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    values = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(cell.source).body}
    others = {"sentences", "models", "ratings", "reference", "order"}
    assert set(values) == set(SentenceSet.model_fields) - others
    for name in set(values) - {"title", "texts", "model"}:
        assert values[name] == SentenceSet.model_fields[name].default, name
    assert values["model"] == EMBEDDED


def test_its_cells_are_short_and_fit_a_projector(notebook: NotebookNode) -> None:
    assert 40 <= len(notebook.cells) <= 50
    sources = {cell.id: cell.source.splitlines() for cell in code_cells(notebook) if cell.id != "parameters"}
    assert {name: len(lines) for name, lines in sources.items() if len(lines) > 12} == {}
    assert median(map(len, sources.values())) <= 5
    assert [line for lines in sources.values() for line in lines if len(line) > 90] == []


def test_its_prose_is_short(notebook: NotebookNode) -> None:
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    counts = {cell.id: len(re.sub(r"^##? .*", "", cell.source).split()) for cell in prose}
    assert {name: count for name, count in counts.items() if not 20 <= count <= 60} == {}


def test_the_file_cell_is_the_last_but_one(notebook: NotebookNode) -> None:
    assert [cell.id for cell in notebook.cells[-2:]] == ["files", "summary"]
    assert [cell.id for cell in notebook.cells if "map" in cell.metadata.get("tags", [])] == ["map"]


# --- a run ------------------------------------------------------------------------------------------------------


def run(notebook: NotebookNode, **parameters: Any) -> CollectionSummary:
    """Run the code of the notebook with parameters in the current folder and return its summary."""
    names: dict[str, Any] = {}
    for cell in code_cells(notebook):
        source = cell.source
        if cell.id == "summary":
            source = source.replace("summarize_collection(", "result = summarize_collection(")
        exec(compile(source, cell.id, "exec"), names)
        if cell.id == "parameters":
            names |= parameters
    summary = names["result"]
    assert isinstance(summary, CollectionSummary)
    return summary


@pytest.mark.parametrize("count", [2, 3, 60])
def test_it_runs_for_any_number_of_texts(
    notebook: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{WORDS[k % 3]} {k}" for k in range(count)]
    Path("texts.txt").write_text("\n".join([*lines, "", lines[0]]))
    summary = run(notebook, texts={"file": "texts.txt"}, queries=["baking"], title="T")
    assert (summary.total, summary.distinct, summary.copies, summary.empty) == (count + 2, count, 1, 1)
    assert summary.repeated[0].times == 2
    assert len(summary.queries[0].matches) == min(10, count)
    assert (summary.topic_count > 0) == (count == 60)
    assert any("few" in notice for notice in summary.notices) == (count < 50)
    with Path("collection.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["number"] for row in table] == [*map(str, range(1, count + 1)), str(count + 2)]
    assert table[-1]["duplicate of"] == "1"
    assert not Path("collection.npy").exists()


def test_a_set_gives_the_resolution(
    notebook: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("texts.txt").write_text("\n".join(f"{WORDS[k % 3]} {k}" for k in range(12)))
    summary = run(notebook, texts={"file": "texts.txt"}, topics={"resolution": 3.5}, title="T")
    assert (summary.resolution, summary.aim) == (3.5, None)
    assert summary.numbered_texts == 12


# --- by hand: three topics of ten texts each, one loner, and a near-duplicate --------------------------------------

N = 31


def known() -> tuple[Collected, NDArray[np.float32], Baseline]:
    """A collection of 31 texts in a file of 33 rows, their vectors, and a baseline with 0 as its median."""
    rng = np.random.default_rng(1)
    texts = [f"{WORDS[k // 10]} {'abcdefghij'[k % 10]}" for k in range(30)]
    texts[1] = f"{texts[0]}!"
    centers = np.eye(8)[[k // 10 for k in range(30)]]
    vectors = np.vstack([centers + rng.normal(size=(30, 8)) * 0.1, -np.eye(8)[:3].sum(axis=0)]).astype(
        np.float32
    )
    vectors[1] = vectors[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = [*(["one"] * 10), *(["two"] * 10), *(["three"] * 9), "one", "two"]
    collected = Collected(
        texts=(*texts, "a loner"),
        rows=(*range(1, 31), 32),
        groups=tuple(groups),
        copies=((33, 0),),
        empty=1,
        too_long=(),
        total=33,
        sha256="0" * 64,
    )
    quantiles = tuple(np.linspace(-0.4, 0.4, STEPS + 1).round(3).tolist())
    return collected, vectors, Baseline("k", "m", 100, quantiles)


MODEL = ModelFacts("m", None, "folder", "0" * 64, 8, 128, "mean", True, 1, 1, "float32")


@pytest.fixture
def parts() -> dict[str, Any]:
    collected, vectors, baseline = known()
    near = nearest(vectors)
    topics = find_topics(near, vectors, collected.texts, baseline)
    return {
        "collected": collected,
        "vectors": vectors,
        "baseline": baseline,
        "nearest": near,
        "topics": topics,
        "duplicates": near_duplicates(near, vectors, collected.texts),
        "projection": project(vectors),
    }


@pytest.fixture
def summary(parts: dict[str, Any]) -> CollectionSummary:
    used = ("collected", "baseline", "topics", "duplicates", "projection")
    vectors, topics = parts["vectors"], parts["topics"]
    return summarize_collection(
        settings={"title": "T", "texts": {"file": "t.csv", "column": "c", "group": "g", "limit": None}},
        model=MODEL,
        read=Reading(cut=(3, 4)),
        numbered=numbered_texts(parts["collected"].texts),
        loners=find_loners(parts["nearest"], parts["baseline"]),
        representatives=find_representatives(vectors, list(topics.candidates()), parts["baseline"]),
        grouped=compare_groups(vectors, parts["collected"].groups, topics.of, parts["baseline"]),
        queries=["q"],
        found=[show.best_texts(vectors[5], vectors)],
        versions={},
        **{name: parts[name] for name in used},
    )


def test_the_summary_counts_and_names_by_row(summary: CollectionSummary) -> None:
    assert (summary.size, summary.total, summary.copies) == (N, 33, 1)
    assert [(topic.number, topic.count) for topic in summary.topics] == [(1, 10), (2, 10), (3, 10)]
    assert summary.unassigned == 1
    assert (summary.numbered, summary.numbered_groups, summary.numbered_texts) == ((), 0, 0)
    assert summary.duplicates[0].texts == ((1, "bread flour oven a"), (2, "bread flour oven a!"))
    assert summary.loners[0].text == (32, "a loner")
    assert summary.loner_count == 1
    assert summary.queries[0].matches[0].text.number == 6
    table = summary.group_table
    assert table
    assert {group.name: group.count for group in table.groups} == {"one": 11, "two": 11, "three": 9}
    assert [sum(group.topics) + group.elsewhere for group in table.groups] == [11, 11, 9]
    (stray,) = table.strays
    assert (stray.text.number, stray.group, stray.topic, stray.owner) == (30, "one", 3, "three")
    assert summary.repeated == (((1, "bread flour oven a"), 2),)


def test_a_notebook_gives_the_summary_back(summary: CollectionSummary) -> None:
    output = nbformat.v4.new_output("display_data", {MIME: summary._repr_mimebundle_()[MIME]})
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    assert read_summary(made) == summary


def test_the_finding_says_what_is_in_the_collection(summary: CollectionSummary) -> None:
    assert summary.finding == (
        "31 texts in 3 topics; the largest, “bread, flour, oven”, has 10 (32%).",
        "1 row repeats a text, 1 text is a near-duplicate of an earlier one and 1 text is a loner.",
        "97% of the texts are related to one of 3 representatives; 3 unrelated texts would reach 3%.",
    )


def test_the_finding_begins_with_the_claims(summary: CollectionSummary, parts: dict[str, Any]) -> None:
    claims = (Claim("closer", (0, 2), (0, 12)), Claim("together", group="one"), Claim("related", (0, 30)))
    grouped = compare_groups(
        parts["vectors"], parts["collected"].groups, parts["topics"].of, parts["baseline"]
    )
    checks = show.check_collection_claims(
        claims, parts["collected"], parts["vectors"], parts["baseline"], grouped=grouped
    )
    assert [check.met for check in checks] == [True, True, False]
    similar = float(parts["vectors"][0] @ parts["vectors"][2])
    assert checks[0].first.value == pytest.approx(similar, abs=1e-6)
    assert [check.second.kind for check in checks] == ["pair", "between", "limit"]
    assert collection_finding(replace(summary, claims=checks))[0] == "1 of 3 claims does not hold."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"topics": ()}, "31 texts without a topic: no 3 of them are close enough to each other."),
        ({"topic_count": 1}, "31 texts and one topic, “bread, flour, oven”, with 10 of them."),
        ({"duplicate_texts": 0, "copies": 0, "loner_count": 0},
         "No two texts are near-duplicates and none is a loner."),
        ({"copies": 3, "loner_count": 2},
         "3 rows repeat a text, 1 text is a near-duplicate of an earlier one and 2 texts are loners."),
    ],
    ids=["no topic", "one topic", "nothing", "several"],
)  # fmt: skip
def test_the_finding_in_other_cases(summary: CollectionSummary, changes: dict[str, Any], words: str) -> None:
    assert words in collection_finding(replace(summary, **changes))


def test_a_representative_of_itself_only_is_not_in_the_finding(summary: CollectionSummary) -> None:
    alone = summary.representatives[0]._replace(covers=1, adds=1)
    assert len(collection_finding(replace(summary, representatives=(alone,)))) == 2


def test_notices_name_rows(summary: CollectionSummary, parts: dict[str, Any]) -> None:
    collected = replace(parts["collected"], too_long=(7, 9))
    changed = replace(summary, distinct=100, empty=2, too_long=2, limit=33, unassigned=60)
    read = Reading(cut=tuple(range(1, 8)), unreadable=(5,))
    assert collection_notices(changed, collected, read) == (
        "Only the first 33 rows of the file were read, because the set says so (`limit`).",
        "1 row repeats an earlier text; each text counts once.",
        "2 rows without text are left out.",
        "2 texts are too long and left out (rows 7, 9).",
        "7 texts are cut after 128 tokens: the model did not see the rest (rows 1, 2, 3, 4, 5 and 2 more).",
        "In 1 text the model can read nothing, so what is said about it means nothing (row 5).",
        "60% of the texts have no topic: they are close to no 2 others.",
    )
    assert summary.notices[0].startswith("31 texts are few")


def test_numbers_in_words() -> None:
    assert [percent(share) for share in (0, 0.001, 0.5, 0.999, 1)] == [
        "0%",
        "under 1%",
        "50%",
        "over 99%",
        "100%",
    ]
    assert rows_in_words((1000,)) == "row 1,000"


def test_long_texts_are_cut_in_the_summary(parts: dict[str, Any]) -> None:
    assert len(show.shown("word " * 5000)) <= show.KEPT
    collected = replace(parts["collected"], texts=("word " * 4000, *parts["collected"].texts[1:]))
    check = show.check_collection_claims(
        (Claim("related", (0, 1)),), collected, parts["vectors"], parts["baseline"]
    )
    assert len(check[0].first.texts[0]) <= show.KEPT


def test_a_query_finds_its_best_texts_and_a_claim_compares_the_next(parts: dict[str, Any]) -> None:
    vectors = parts["vectors"]
    query = vectors[14] + np.float32(0.01)
    query /= np.linalg.norm(query)
    found = show.best_texts(query, vectors)
    expected = np.argsort(-(vectors @ query), kind="stable")[:10]
    assert found.positions.tolist() == expected.tolist()
    assert np.allclose(found.similarities, (vectors @ query)[expected], atol=1e-6)
    claims = (Claim("finds", (0, 14)), Claim("finds", (0, 2)))
    met = show.check_collection_claims(
        claims, parts["collected"], vectors, parts["baseline"], queries=["q"], asked=query[None]
    )
    assert [check.met for check in met] == [True, False]
    assert met[0].second.value == pytest.approx(float(found.similarities[1]), abs=1e-6)
    assert met[1].second.texts == ("q", parts["collected"].texts[14])


def test_a_vector_that_is_not_finite_is_an_error_with_its_row() -> None:
    vectors = np.ones((3, 2), dtype=np.float32)
    found = FoundModel("m", None, "folder", "/m", "0")
    show.check_finite(found, vectors, (1, 2, 4))
    vectors[2, 1] = np.nan
    with pytest.raises(ModelError, match="row 4 by m holds values that are not finite"):
        show.check_finite(found, vectors, (1, 2, 4))


# --- files ------------------------------------------------------------------------------------------------------


def test_the_files_have_a_row_for_each_text_and_each_neighbor(
    parts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(EMBEDDINGS, "1")
    sizes = write_files(**parts)
    assert sizes == {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    lines = Path("collection.csv").read_bytes().split(b"\r\n")
    assert lines[0] == b"number,text,group,topic,topic name,duplicate of,similarity to neighbours,x,y"
    assert len(lines) == 1 + N + 1 + 1
    assert lines[2].startswith(b'2,bread flour oven a!,one,1,"bread, flour, oven",1,')
    assert lines[31].startswith(b"32,a loner,two,,,,")
    assert lines[32].startswith(b'33,bread flour oven a,,1,"bread, flour, oven",1,')
    with Path("collection.neighbours.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == ["number", "rank", "neighbour", "similarity", "percentile"]
    assert len(table) == 1 + N * 10
    assert table[1][:3] == ["1", "1", "2"]
    assert float(table[1][3]) == parts["nearest"].similarities[0, 0]
    vectors = np.load("collection.npy")
    assert np.array_equal(vectors[[0, 31, 32]], parts["vectors"][[0, 30, 0]])
    assert np.isnan(vectors[30]).all()


# --- the map ----------------------------------------------------------------------------------------------------


def test_names_on_the_map_do_not_overlap_and_stay_inside(parts: dict[str, Any]) -> None:
    labels = place_names(parts["projection"], parts["topics"])
    assert [label.text for label in labels] == [
        "bread, flour, oven",
        "station, ticket, train",
        "bridge, river, water",
    ]
    for k, label in enumerate(labels):
        assert label.width / 2 - 0.01 <= label.x <= WIDTH - label.width / 2 + 0.01
        assert 0 <= label.y <= HEIGHT
        assert label.width >= 1.12 * text_width(label.text, SMALL)  # bold letters are wider
        for other in labels[:k]:
            apart = abs(label.x - other.x) >= (label.width + other.width) / 2
            assert apart or abs(label.y - other.y) >= LINE


def test_the_map_says_what_it_keeps_and_where_topics_are(parts: dict[str, Any]) -> None:
    picture = collection_map(parts["projection"], parts["topics"])
    kept = f"{100 * parts['projection'].kept:.0f}%"
    assert picture.alt.startswith(
        f"Map of 31 texts by two principal components, which keep {kept} of the variance."
    )
    assert re.search(r"bread, flour, oven \(10, [a-z ]+\); station, ticket, train \(10, ", picture.alt)
    for label in place_names(parts["projection"], parts["topics"]):
        name = parts["topics"].topics[label.topic].name
        side = "top" if label.y > 2 / 3 * HEIGHT else "bottom" if label.y < HEIGHT / 3 else ""
        assert re.search(rf"{name} \(10, {side}", picture.alt)
    pacmap = replace(parts["projection"], method="PaCMAP")
    assert kept_in_words(parts["projection"]).startswith(f"The map keeps {kept} of the variance: ")
    for said in (kept_in_words(pacmap), collection_map(pacmap, parts["topics"]).alt):
        assert "tries to keep neighbors together" in said
        assert "variance" not in said
    data, again = (
        collection_map(parts["projection"], parts["topics"])._repr_mimebundle_()[0]["image/svg+xml"]
        for _ in range(2)
    )
    assert data == again
    assert data.count("<image") == 1


def test_the_map_of_many_texts_is_small() -> None:
    rng = np.random.default_rng(2)
    count, n = 40, 60_000
    of = rng.integers(0, count, n).astype(np.int32)
    points = rng.normal(size=(n, 2)) + rng.normal(size=(count, 2))[of] * 3
    collected, vectors, baseline = known()
    topics = find_topics(nearest(vectors), vectors, collected.texts, baseline)
    many = replace(
        topics, topics=tuple(replace(topics.topics[0], name=f"name {k}") for k in range(count)), of=of
    )
    projection = project(np.hstack([points, points]).astype(np.float32))
    picture = collection_map(projection, many)._repr_mimebundle_()[0]["image/svg+xml"]
    assert 50_000 < len(picture) < 300_000
    assert BYTES * 4 / 3 < 300_000
    assert len(place_names(projection, many)) == 25
