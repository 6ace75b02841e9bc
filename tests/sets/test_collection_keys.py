"""The keys that say how a file of texts is looked at: `topics` and `map`."""

from importlib import util
from importlib.machinery import ModuleSpec
from pathlib import Path

import jsonschema
import pytest
from set_files import only_problem, problems, read

from sentence_reports.sets import collections as module
from sentence_reports.sets import schema

TEXTS = "texts: {file: t.csv}\n"


@pytest.fixture(autouse=True)
def table(folder: Path) -> None:
    Path("t.csv").write_text("text\na\nb\nc\n")


def install(monkeypatch: pytest.MonkeyPatch, *, pacmap: bool) -> None:
    found = ModuleSpec("pacmap", None) if pacmap else None
    monkeypatch.setattr(module, "find_spec", lambda name: found if name == "pacmap" else util.find_spec(name))


def test_a_set_gives_the_resolution_of_its_topics() -> None:
    found = read(f"{TEXTS}topics: {{resolution: 1.5}}\n").set
    assert found.topics is not None
    assert found.topics.resolution == 1.5
    assert found.parameters()["topics"] == {"resolution": 1.5}
    assert read(TEXTS).set.topics is None
    assert "topics" not in read(TEXTS).set.parameters()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{resolution: 0}", "`topics.resolution` must be above 0, not the number 0."),
        ("{resolution: -1}", "`topics.resolution` must be above 0, not the number -1."),
        ("{resolution: 1001}", "`topics.resolution` must be at most 1000, not the number 1001."),
        ("{resolution: many}", '`topics.resolution` must be a number, not the text "many".'),
        ("{resolution: yes}", "`topics.resolution` must be a number, not the boolean true."),
        ("{resolution: .nan}", "`topics.resolution` must be a finite number, not the number nan."),
        ("{}", "`topics.resolution` is missing."),
        ("1.5", "`topics` must be a mapping, not the number 1.5."),
        ("{resolution: 1, number: 5}", "`topics.number` is an unknown key. Known keys are resolution."),
    ],
)
def test_a_resolution_that_is_wrong(value: str, message: str) -> None:
    assert only_problem(f"{TEXTS}topics: {value}\n").split(": ", 1)[1] == message


def test_a_set_chooses_its_map(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, pacmap=True)
    assert read(TEXTS).set.map == "pca"
    assert read(f"{TEXTS}map: pacmap\n").set.parameters()["map"] == "pacmap"
    assert only_problem(f"{TEXTS}map: umap\n").endswith(
        '`map` must be `pca` or `pacmap`, not the text "umap".'
    )


def test_a_map_whose_package_is_missing_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, pacmap=False)
    assert only_problem(f"{TEXTS}map: pacmap\n") == (
        "line 2, column 1: `map` needs the package pacmap. Install it (pip install pacmap), or remove the key."
    )
    assert read(f"{TEXTS}map: pca\n").set.map == "pca"


def test_sentences_have_neither() -> None:
    found = problems("sentences: [a, b]\ntopics: {resolution: 1}\nmap: pacmap\n")
    reasons = ("only a file of texts has topics", "only a file of texts has a map to choose")
    assert found == [
        f"line {line}, column 1: `{key}` does not go with `sentences`, because {reason}. "
        "Put it into a set with `texts`."
        for line, key, reason in zip((2, 3), ("topics", "map"), reasons, strict=True)
    ]


def test_editors_know_them() -> None:
    def is_valid(**keys: object) -> bool:
        return jsonschema.Draft202012Validator(schema()).is_valid(keys)

    assert is_valid(texts={"file": "t.csv"}, topics={"resolution": 0.5}, map="pacmap")
    assert not is_valid(texts={"file": "t.csv"}, topics={"resolution": 0})
    assert not is_valid(texts={"file": "t.csv"}, topics={})
    assert not is_valid(sentences=["a", "b"], topics={"resolution": 1})
    assert not is_valid(sentences=["a", "b"], map="pca")
