"""Read small set files, apply what their messages suggest, and check keys against the schema."""

import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from sentence_reports.errors import SetError
from sentence_reports.sets import SetFile, read_set, schema

MESSAGES_END = re.compile(r"(?:quotes|in it): (?P<line>.*)$")


def read(content: str | bytes) -> SetFile:
    path = Path("mine.yaml")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_set(path)


def problems(content: str | bytes) -> list[str]:
    with pytest.raises(SetError) as caught:
        read(content)
    assert caught.value.problems
    for problem in caught.value.problems:
        assert problem.file == "mine.yaml"
        assert problem.message.isprintable()
    return [str(problem).removeprefix("mine.yaml").lstrip(", ") for problem in caught.value.problems]


def only_problem(content: str | bytes) -> str:
    (problem,) = problems(content)
    return problem


def suggested(message: str) -> str:
    """The text in the line that a message suggests."""
    found = MESSAGES_END.search(message)
    assert found, f"no line to write in: {message}"
    value = yaml.safe_load(found["line"])
    while not isinstance(value, str):
        (value,) = value.values() if isinstance(value, dict) else value
    return value


def with_third(item: str) -> str:
    return f"sentences:\n- first one\n- second one\n{item}\n- last one\n"


def editor_accepts(**keys: object) -> bool:
    """Whether an editor that knows the schema accepts a set of three sentences with these keys."""
    return jsonschema.Draft202012Validator(schema()).is_valid({"sentences": ["one", "two", "three"], **keys})


def python(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()
