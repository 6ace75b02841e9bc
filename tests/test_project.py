"""Projects: how one is found, started and added to."""

import re
from pathlib import Path

import pytest
from support import ROOT

from sentence_reports.errors import UsageError
from sentence_reports.project import Project, find_project, init, new, packaged, stem_of
from sentence_reports.sets import read_set


@pytest.fixture
def project(tmp_path: Path) -> Project:
    init(tmp_path / "study")
    return Project(tmp_path / "study")


def test_the_nearest_folder_upwards_with_params_is_the_project(tmp_path: Path, project: Project) -> None:
    inner = project.folder / "notes" / "params" / "deep"
    inner.mkdir(parents=True)
    assert find_project(project.folder) == project
    assert find_project(project.params) == project
    assert find_project(inner) == Project(project.folder / "notes")
    (tmp_path / "file" / "params").parent.mkdir()
    (tmp_path / "file" / "params").write_text("a file is not a project")
    with pytest.raises(UsageError, match="sentence-reports init"):
        find_project(tmp_path / "file")


def test_the_projects_own_notebook_wins(project: Project) -> None:
    assert project.notebook() == ROOT / "notebooks" / "walkthrough.ipynb"
    own = project.folder / "notebooks" / "walkthrough.ipynb"
    own.parent.mkdir()
    own.write_text("{}")
    assert project.notebook() == own
    assert project.notebook("other") == packaged("notebooks") / "other.ipynb"


def test_init_writes_three_valid_sets_and_never_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    written = init(tmp_path, ci=True)
    names = {path.relative_to(tmp_path).as_posix() for path in written}
    assert names >= {".gitignore", "params/schema.json", ".github/workflows/reports.yaml"}
    assert (tmp_path / "README.md").read_text() == "mine"
    sets = sorted((tmp_path / "params").glob("*.yaml"))
    assert len(sets) == 3
    for path in sets:
        assert read_set(path).set.model == "sentence-transformers/all-MiniLM-L6-v2"
    assert init(tmp_path, ci=True) == []


def test_init_adds_no_sets_to_those_of_a_project(project: Project) -> None:
    (project.params / "negation.yaml").unlink()
    (project.folder / "README.md").unlink()
    assert init(project.folder) == [project.folder / "README.md"]


def test_init_says_why_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "params").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*params/paraphrase\.yaml: "):
        init(tmp_path)


def test_new_writes_a_valid_set_and_its_schema_and_never_over_another(project: Project) -> None:
    (project.params / "schema.json").unlink()
    path = new(project, "my-own", 'A "title"')
    text = path.read_text()
    assert read_set(path).set.title == 'A "title"'
    assert (project.params / "schema.json").is_file()
    for name in ("my-own", "my-own.yaml", "my-own.yml", "MY-OWN"):
        with pytest.raises(UsageError, match="already exists; nothing was written"):
            new(project, stem_of(name), "")
    assert path.read_text() == text


def test_what_new_sets_show_as_comments_is_valid_too(project: Project) -> None:
    path = new(project, "mine", "Mine")
    text = path.read_text()
    assert read_set(path).set.claims == ()
    comparison = re.sub(r"^(?=model:|prompt:)", "# ", text, flags=re.MULTILINE).replace(
        "# models:", "models:"
    )
    path.write_text(comparison)
    assert len(read_set(path).set.choices) == 2
    (path.parent / "texts.csv").write_text("text\none\ntwo\n")
    path.write_text(text[: text.index("sentences:")] + text[text.index("# texts:") + 2 :])
    assert read_set(path).n == 2
    path.write_text(re.sub(r"^# (?=prompt:|expect:|  )", "", text, flags=re.MULTILINE))
    read = read_set(path)
    assert (read.set.prompt, read.warnings) == ("query: ", ())
    assert [(claim.kind, claim.pair, claim.than) for claim in read.set.claims] == [("closer", (0, 1), (0, 2))]


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "index", "INDEX", ".x", "a b", "-", "字" * 100, "a" * 201]
)
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid set name"):
        stem_of(name)
