"""Proof that this program made a file or folder: what may be replaced or removed, and what never."""

import hashlib
from contextlib import nullcontext
from pathlib import Path

import pytest

from sentence_reports import results
from sentence_reports.errors import UsageError
from sentence_reports.ownership import (
    MARKER,
    STATE,
    check_file,
    has_hash,
    is_difference,
    is_ours,
    make_temporary,
    remove_temporary,
)

PAGE = '<!DOCTYPE html>\n<meta name="generator" content="Sentence Reports">'
DIFF = '<!DOCTYPE html>\n<meta name="generator" content="Sentence Reports, difference">'


@pytest.mark.parametrize(
    ("name", "content", "ours"),
    [
        ("a.html", PAGE, True),
        ("a.html", DIFF, True),
        ("a.html", PAGE.replace("Sentence Reports", "Another Tool"), False),
        ("a.html", "Sentence Reports", False),
        ("a.html", " " * 4096 + PAGE, False),  # not in the head
        ("a.html", "", False),
        (STATE, "", True),
        (STATE, '{\n "code": "1"}', True),
        (STATE, "{}", False),
        ("a.ipynb", '{"metadata": {"sentence_reports": {}}}', True),
        ("a.ipynb", '{"metadata": {}}', False),
        ("a.csv", "first,second", False),
    ],
)
def test_what_a_file_holds_proves_who_made_it(name: str, content: str, ours: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    assert is_ours(path)  # there is nothing yet
    path.write_text(content)
    assert is_ours(path) is ours


def test_a_folder_and_a_link_to_nothing_are_not_ours(tmp_path: Path) -> None:
    folder, link = tmp_path / "a.html", tmp_path / "b.html"
    folder.mkdir()
    link.symlink_to("nowhere")
    for path in (folder, link):
        assert not is_ours(path)
        assert not has_hash(path, [])
        for as_ours in (is_difference, results.is_ours, lambda beginning: True):
            with pytest.raises(UsageError, match=r"[ab]\.html exists and is not one"):
                check_file(path, as_ours, "is not one")


def test_only_a_page_of_diff_is_replaced_by_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.html"
    check_file(path, is_difference, "is not one")  # there is nothing yet
    for content, ours in ((DIFF, True), (PAGE, False), (" " * 4096 + DIFF, False), ("", False)):
        path.write_text(content)
        with nullcontext() if ours else pytest.raises(UsageError, match=r"a\.html exists and is not one"):
            check_file(path, is_difference, "is not one")


def test_a_recorded_hash_proves_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert has_hash(path, [])
    path.write_text("mine")
    assert not has_hash(path, [])
    assert has_hash(path, {hashlib.sha256(b"mine").hexdigest()})


def test_a_temporary_folder_never_is_one_of_the_user(tmp_path: Path) -> None:
    wanted = tmp_path / "work"
    made = make_temporary(wanted)
    assert made == wanted
    assert [path.name for path in made.iterdir()] == [MARKER]
    other = make_temporary(wanted)  # the name is taken
    assert other != wanted
    assert (other / MARKER).is_file()
    empty, link = tmp_path / "empty", tmp_path / "link"
    empty.mkdir()
    link.symlink_to(empty)
    assert make_temporary(link) != link
    assert not list(empty.iterdir())


def test_only_a_folder_with_our_marker_is_removed(tmp_path: Path) -> None:
    mine, ours, link = tmp_path / "mine", make_temporary(tmp_path / "ours"), tmp_path / "link"
    mine.mkdir()
    link.symlink_to(ours)
    for folder in (mine, link, tmp_path / "none"):
        remove_temporary(folder)
    assert mine.is_dir()
    assert ours.is_dir()
    remove_temporary(ours)
    assert not ours.exists()
