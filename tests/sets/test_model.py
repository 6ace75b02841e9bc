"""The keys of a set, their defaults and schema, and the sets that the project ships."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError
from set_files import read

from sentence_reports.sets import Reference, SentenceSet, read_set, schema

PARAMS = Path(__file__).parents[2] / "params"


SHIPPED = sorted(PARAMS.glob("*.yaml"))


@pytest.mark.usefixtures("folder")
def test_defaults() -> None:
    found = SentenceSet(sentences=["a", "b"])
    assert found.model_dump() == {
        "title": None,
        "description": "",
        "sentences": ["a", "b"],
        "texts": None,
        "topics": None,
        "map": "pca",
        "queries": None,
        "model": "BAAI/bge-base-en",
        "models": None,
        "revision": None,
        "prompt": None,
        "truncate_dim": None,
        "fallback_model": "sentence-transformers/all-MiniLM-L6-v2",
        "normalize": True,
        "label_size": 30,
        "cmap": "YlGnBu",
        "order": None,
        "expect": None,
        "claim": None,
        "ratings": None,
        "reference": None,
    }


@pytest.mark.usefixtures("folder")
def test_parameters_are_what_the_author_wrote_and_no_more() -> None:
    keys: dict[str, Any] = {
        "title": "T",
        "sentences": ["a", "b"],
        "fallback_model": None,
        "label_size": 30,
        "reference": {"source": "s", "model": "m", "similarity": [[1, None], [0.5, 1.0]]},
    }
    parameters = read(yaml.safe_dump(keys)).set.parameters()
    assert parameters == keys
    assert json.loads(json.dumps(parameters)) == keys


@pytest.mark.usefixtures("folder")
def test_a_set_and_its_reference_cannot_be_changed() -> None:
    reference = Reference(source="s", model="m", similarity=[[1.0, None], [None, 1.0]])
    found = SentenceSet(sentences=["a", "b"], reference=reference)
    assert reference.tolerance == 1e-4
    with pytest.raises(ValidationError, match="frozen"):
        found.title = "x"
    with pytest.raises(ValidationError, match="frozen"):
        reference.tolerance = 1.0


@pytest.mark.usefixtures("folder")
def test_in_python_too() -> None:
    with pytest.raises(ValidationError, match=r"sentences\.1\n  is the same as sentence 1"):
        SentenceSet(sentences=["a", "a"])
    with pytest.raises(ValidationError, match=r"sentences\n  has 1 sentence; a set needs 2 to 3,000"):
        SentenceSet(sentences=["a"])
    with pytest.raises(ValidationError, match="not a matplotlib colormap"):
        SentenceSet(sentences=["a", "b"], cmap="nope")


def test_the_schema_in_git_is_the_one_of_the_code() -> None:
    text = (PARAMS / "schema.json").read_text(encoding="utf-8")
    expected = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    assert text == expected, "params/schema.json is stale: sentence-reports schema > params/schema.json"


def test_the_schema_suits_editors() -> None:
    found = schema()
    assert found["additionalProperties"] is False
    assert found["oneOf"] == [{"required": ["sentences"]}, {"required": ["texts"]}]
    assert all(entry["description"] for entry in found["properties"].values())
    assert all(entry["description"] for entry in found["$defs"]["Reference"]["properties"].values())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_set(path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    assert content.startswith("# yaml-language-server: $schema=schema.json\n")
    found = read_set(path)
    assert found.warnings == ()
    assert found.set.title
    assert found.set.description
    plain = yaml.safe_load(content)
    assert set(plain) <= set(SentenceSet.model_fields)
    assert found.set.parameters() == plain
    jsonschema.validate(plain, schema(), jsonschema.Draft202012Validator)


def test_four_topics_are_four_groups() -> None:
    groups = read_set(PARAMS / "four-topics.yaml").set.groups
    assert groups is not None
    assert (len(groups), len(set(groups))) == (15, 4)


def test_the_figures_of_the_documentation_are_in_the_upper_right() -> None:
    reference = read_set(PARAMS / "sbert-movies.yaml").set.reference
    assert reference is not None
    assert [row[3:] for row in reference.similarity[:3]] == [
        [0.0543, 0.8939, -0.0502],
        [0.2838, -0.0029, 0.1310],
        [0.2277, -0.0136, -0.0327],
    ]
    assert {figure for row in reference.similarity[3:] for figure in row} == {None}
    assert {figure for row in reference.similarity[:3] for figure in row[:3]} == {None}
