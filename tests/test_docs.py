"""What the documents say is true: links lead somewhere; commands, options, keys and names exist; examples run."""

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from support import ROOT

import sentence_reports
from sentence_reports.cli import main
from sentence_reports.project import init
from sentence_reports.sets import SentenceSet, read_set

DOCS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("sentence_reports/starter/*.md")]
)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(path: Path) -> Iterator[str]:
    """Yield each line of the blocks of code, and each piece of code within the text."""
    for _, language, block in FENCE.findall(path.read_text(encoding="utf-8")):
        if language in ("", "sh"):
            yield from block.splitlines()
    yield from re.findall(r"`([^`\n]+)`", prose(path))


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_within_the_project_leads_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_of_help_is_linked_from_the_readme_or_another_page() -> None:
    linked = {
        (path.parent / link.partition("#")[0]).resolve()
        for path in DOCS
        for link in re.findall(r"\]\(([^)\s]+)\)", prose(path))
    }
    assert set((ROOT / "docs").glob("*.*")) <= linked


@pytest.fixture(scope="module")
def usage() -> dict[str, str]:
    """The help text of each command, and of the program as ""."""

    def text(*words: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert main([*words, "--help"]) == 0
        return out.getvalue()

    listed = re.findall(r"^    (\w+)  ", text(), re.MULTILINE)
    return {"": text()} | {command: text(command) for command in listed}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_and_option_exists(path: Path, usage: dict[str, str]) -> None:
    for line in code(path):
        if line.startswith("--"):
            option = line.split()[0]
            assert any(option in text.split() for text in usage.values()), line
        found = re.search(r"(?:^|[ /])sentence-reports ((?!COMMAND)[^#>|]*)", line)
        if found is None:
            continue
        words = shlex.split(found[1])
        command = next((word for word in words if not word.startswith("-")), "")
        assert command in usage, line
        for option in (word for word in words if word.startswith("--")):
            assert option in re.split(r"[\s\[\],]+", usage[command]), line


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_target_of_make_exists(path: Path) -> None:
    targets = re.findall(r"^([\w-]+):.*  ## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for line in code(path):
        if re.match(r"make( |$)", line):
            words = shlex.split(line.partition("#")[0])[1:]
            assert {word for word in words if "=" not in word} <= set(targets), line


def test_the_keys_of_a_set_are_all_described() -> None:
    table = prose(ROOT / "docs" / "sets.md").partition("## Keys")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(SentenceSet.model_fields)


QUOTES = 'title: "Trial"\nsentences:\n  - "Yes or no?"\n  - no\n'
CLAIMS = """\
sentences:
  - "The train was late"
  - "We arrived on schedule"
  - "They left early"
expect:
  - closer: [1, 2]
    than: [1, 4]
  - related: ["They left earli", 2]
  - closer: [1, 2]
    than: [1, 3]
  - closer: [1, 3]
    than: [1, 2]
"""
MODELS = """\
sentences:
  - "The dog bites the man"
  - "The man bites the dog"
models:
  - org/model
  - model: org/model
    label: "again"
  - model: tf-idf
    prompt: "query: "
"""
COLUMN = """\
sentences: ["The train was late", "They left early"]
ratings:
  file: "ratings.csv"
  first: "one"
  second: "two"
  score: "scor"
"""
TEXTS = 'texts:\n  file: "texts.csv"\n  column: "txt"\n'
RATINGS = "one,two,score\nThe train was late,They left early,1\nThe train was late,They left earli,2\n"


def test_the_messages_shown_are_those_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ratings.csv").write_text(RATINGS)
    given = []
    Path("texts.csv").write_bytes(b"id,text\n1,open\n2,caf\xe9\n")
    table = COLUMN.replace('"scor"', '"score"')
    for text in (CLAIMS, COLUMN, table, MODELS, TEXTS, TEXTS.replace("txt", "text"), QUOTES):
        Path("bad.yaml").write_text(text)
        assert main(["check", "bad.yaml"]) == 1
        given += capsys.readouterr().err.splitlines()[:-1]
    shown = [
        line
        for line in code(ROOT / "docs" / "sets.md")
        if re.match(r"(bad\.yaml|ratings\.csv|texts\.csv), ", line)
    ]
    assert shown == given


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "docs" / "sets.md"], ids=lambda path: path.name)
def test_the_sets_shown_are_valid(path: Path, tmp_path: Path) -> None:
    blocks = [
        block for _, language, block in FENCE.findall(path.read_text(encoding="utf-8")) if language == "yaml"
    ]
    sets = [block for block in blocks if "sentences:" in block]
    assert sets
    for block in sets:
        (tmp_path / "shown.yaml").write_text(block)
        assert read_set(tmp_path / "shown.yaml").warnings == ()


def test_the_recipe_for_the_benchmark_makes_a_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        ("0001", "2.500", "A girl", 'A "boy"'),
        ("0002", "5.000", "A  girl", "One girl"),
        ("0003", "0", "x", "y"),
    ]
    rows = ["\t".join(("main-captions", "MSRvid", "2012test", *line)) for line in lines]
    (tmp_path / "sts-test.csv").write_text("\n".join(rows) + "\n")
    monkeypatch.chdir(tmp_path)
    recipe, _ = (
        block
        for _, language, block in FENCE.findall((ROOT / "docs" / "sets.md").read_text(encoding="utf-8"))
        if language == "python"
    )
    exec(recipe, {})
    read = read_set(tmp_path / "sts-b.yaml")
    assert read.set.all_sentences == ("A girl", 'A "boy"', "One girl", "x", "y")
    assert read.set.rated_pairs() == ((0, 1, 2.5), (0, 2, 5.0), (3, 4, 0.0))


def test_the_names_for_python_are_all_described() -> None:
    table = prose(ROOT / "docs" / "python.md").partition("## Names")[2]
    rows = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)[1:]
    names = [name for row in rows for name in re.findall(r"`(\w+)", row)]
    assert sorted(names) == sorted(sentence_reports.__all__)


def test_the_lesson_plans_name_steps_of_the_notebooks() -> None:
    notebooks = [nbformat.read(path, as_version=4) for path in (ROOT / "notebooks").glob("*.ipynb")]
    sources = "\n".join(cell.source for notebook in notebooks for cell in notebook.cells)
    steps = re.findall(r"^## (?:\d+ · )?(.*)$", sources, re.MULTILINE)
    named = re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", prose(ROOT / "docs" / "teaching.md"))
    assert len(named) > 10
    assert set(named) <= set(steps)


@pytest.mark.slow
def test_the_examples_for_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    names: dict[str, object] = {}
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    make, keep, read = (block for _, language, block in FENCE.findall(text) if language == "python")
    exec(make + keep, names)
    made = names["result"]
    assert isinstance(made, sentence_reports.Made)
    assert Path("negation.html").read_bytes() == made.files[".html"]
    Path("reports").mkdir()
    Path("reports/negation.ipynb").write_bytes(made.files[".ipynb"])
    exec(read, names)
    assert names["similarity"] == made.summary.closest.similarity
