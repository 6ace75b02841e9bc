"""The command `diff`: its table, its exit codes, and what it never replaces."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from support import BASELINE, MODEL, ROOT, executed, on_a_terminal, small_search, small_summary
from two_reports import VALUES, A, B, C, D, hostile_difference, large, square, walkthrough

from sentence_reports.claim_records import ClaimCheck, Side
from sentence_reports.cli import main
from sentence_reports.diff import ChangeRow, rows
from sentence_reports.matching import CORRELATION_ROUNDING, Change
from sentence_reports.movement import CORRECTED_ROUNDING, LISTED, ROUNDING
from sentence_reports.overview import pack
from sentence_reports.summary import WalkthroughSummary

GOOD = small_summary()
MOVED = small_summary(matrix=pack(np.array([[1, 0.5, 0.1], [0.5, 1, -0.25], [0.1, -0.25, 1]], dtype="f4")))
CLAIM = ClaimCheck(
    "related", True, Side("pair", ("one", "two"), 0.995), Side("limit", (), 0.99), because="so they say"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save(name: str, summary: WalkthroughSummary, stem: str = "set") -> str:
    nbformat.write(executed(summary=summary, stem=stem), name)
    return name


def test_the_same_report_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", save("old.ipynb", GOOD), save("new.ipynb", GOOD)]) == 0
    assert capsys.readouterr() == ("", "Nothing moved.\n")
    assert sorted(path.name for path in Path().iterdir()) == ["new.ipynb", "old.ipynb"]


def test_the_same_file_twice(capsys: pytest.CaptureFixture[str]) -> None:
    old = save("old.ipynb", GOOD)
    Path("link.ipynb").symlink_to(old)
    for other in (old, "link.ipynb"):
        assert main(["diff", old, other]) == 0
        assert capsys.readouterr() == ("", "Nothing moved.\nOLD and NEW are the same file.\n")


def test_what_changed_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    old = save("old.ipynb", replace(GOOD, claims=(CLAIM,)))
    new = replace(MOVED, claims=(replace(CLAIM, met=False),), versions={"Python": "4"})
    assert main(["diff", old, save("new.ipynb", new)]) == 3
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "claim\t\t“one” and “two” are closer than 99% of unrelated pairs\t\tholds\tdoes not hold\t\t",
        "pair\t\ttwo\tthree\t0.2000\t-0.2500\t\t",
        "version\t\tPython\t\t3\t4\t\t",
    ]
    assert told.err == (
        "1 of 3 pairs moved; the claim that “one” and “two” are closer than 99% of unrelated pairs no longer holds.\n"
    )


def test_another_model_brings_ranks(capsys: pytest.CaptureFixture[str]) -> None:
    other = replace(MOVED, model=replace(MODEL, name="other", sha256="f" * 64))
    assert main(["diff", save("old.ipynb", GOOD), save("new.ipynb", other)]) == 3
    lines = capsys.readouterr().out.splitlines()
    median = BASELINE.median
    values = [f"{(value - median) / (1 - median):.4f}" for value in (0.2, -0.25)]
    assert lines[0].split("\t") == ["pair", "", "two", "three", *values, "2", "3"]
    assert lines[1].split("\t")[:6] == ["model", "", "Model", "", "m", "other"]


def test_texts_in_the_table_stay_in_their_cell(capsys: pytest.CaptureFixture[str]) -> None:
    texts = ("one", "two", "a\tb\nc\x1b[31m\u202e")
    assert main(["diff", save("old.ipynb", GOOD), save("new.ipynb", replace(GOOD, sentences=texts))]) == 3
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows == [["changed", "", "Sentence 3", "", "three", r"a\tb\nc\x1b[31m\u202e", "", ""]]
    fewer = replace(
        GOOD, sentences=("one", "three"), matrix=pack(np.eye(2, dtype="f4"))
    )  # another similarity, which does not matter here
    assert main(["diff", "old.ipynb", save("new.ipynb", fewer)]) == 3
    assert capsys.readouterr().out.splitlines()[-1] == "removed\t\ttwo\t\t\t\t\t"
    assert main(["diff", "new.ipynb", "old.ipynb"]) == 3
    assert capsys.readouterr().out.splitlines()[-1] == "added\t\ttwo\t\t\t\t\t"


def test_a_claim_about_a_changed_sentence_is_told_with_both(capsys: pytest.CaptureFixture[str]) -> None:
    texts = ("one", "2", "three")
    claim = replace(CLAIM, first=Side("pair", ("one", "2"), 0.995))
    old = save("old.ipynb", replace(GOOD, claims=(CLAIM,)))
    new = save("new.ipynb", replace(GOOD, sentences=texts, claims=(claim,)))
    assert main(["diff", old, new]) == 3
    first = capsys.readouterr().out.splitlines()[0].split("\t")
    than = "are closer than 99% of unrelated pairs"
    assert first == [
        "claim",
        "",
        f"“one” and “2” {than}",
        f"“one” and “two” {than}",
        "holds",
        "holds",
        "",
        "",
    ]


def test_on_a_terminal_the_table_is_for_people() -> None:
    old, new = save("old.ipynb", GOOD), save("new.ipynb", MOVED)
    code, seen = on_a_terminal("-m", "sentence_reports", "diff", old, new, cwd=Path.cwd())
    assert code == 3
    assert "two | three" in seen
    assert "\t" not in seen


def test_on_a_terminal_a_text_does_not_reorder_its_row() -> None:
    texts = ("one", "שלום", "three")
    new = replace(GOOD, sentences=texts, matrix=MOVED.matrix)
    files = save("old.ipynb", replace(GOOD, sentences=texts)), save("new.ipynb", new)
    _, seen = on_a_terminal("-m", "sentence_reports", "diff", *files, cwd=Path.cwd())
    assert "\u2068שלום\u2069 | three" in seen


def test_on_a_terminal_the_first_pairs_are_enough() -> None:
    texts = [str(k) for k in range(20)]
    for name, width in (("old.ipynb", 0.2), ("new.ipynb", 0.8)):
        save(name, walkthrough(texts, *np.linspace(0.1, 0.1 + width, 190), order=tuple(range(20))))
    code, seen = on_a_terminal("-m", "sentence_reports", "diff", "old.ipynb", "new.ipynb", cwd=Path.cwd())
    assert code == 3
    lines = [line for line in seen.splitlines() if line.startswith("pair")]
    assert len(lines) == 21
    assert "80 more; --out FILE writes a page with them" in lines[-1]


def test_what_could_not_be_compared_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    old = save("old.ipynb", large([A, B, C, D], square(*VALUES), 1))
    new = save("new.ipynb", large([D, A, B, C], square(0.1, 0.15, 0.5, 0.6, 0.2, 0.3), 1))
    assert main(["diff", old, new]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "Nothing moved.",
        "Only 2 of 6 pairs could be compared: of a large set, a notebook keeps the nearest neighbors of each sentence.",
        "The sentences are in another order; they are matched by their text.",
    ]


def test_every_kind_of_change_has_its_row() -> None:
    found = hostile_difference(["a", "b", "c"])
    changes = {"ratings": Change("Ratings", "0.1", "0.2"), "scale": Change("Unrelated pairs", "0.1", "0.2")}
    table = list(rows(replace(found, columns=tuple(replace(each, **changes) for each in found.columns))))
    kinds = list(dict.fromkeys(row.what for row in table))
    assert kinds == [
        *(
            "claim",
            "pair",
            "ratings",
            "unrelated pairs",
            "published",
            "column",
            "changed",
            "removed",
            "added",
        ),
        *("group", "model", "setting", "version"),
    ]
    told = (ROOT / "docs" / "comparing.md").read_text(encoding="utf-8")
    assert [kind for kind in kinds if f"`{kind}`" not in told] == []
    assert ChangeRow("published", old="c", new="c") in table
    assert ChangeRow("ratings", "a", old="0.1", new="0.2") in table
    assert ChangeRow("group", first="b", old="b", new="b") in table
    assert ChangeRow("model", "b", "c", "", "c", "c") in table


def test_every_row_has_old_before_new() -> None:
    change, renamed = Change("it", "old", "new"), Change("name", "old", "new")
    found = replace(
        hostile_difference(["a", "b", "c"]), published=change, labels=(change,), settings=(change,)
    )
    table = list(rows(replace(found, renamed=(renamed,), regrouped=(change,))))
    for row in (
        ChangeRow("published"),
        ChangeRow("column"),
        ChangeRow("setting", first="it"),
        ChangeRow("group", first="it"),
    ):
        assert row._replace(old="old", new="new") in table
    assert ChangeRow("group", first="name", old="old", new="new") in table


@pytest.mark.parametrize("place", [0, 1])
def test_what_cannot_be_compared_ends_with_2(place: int, capsys: pytest.CaptureFixture[str]) -> None:
    good = save("good.ipynb", GOOD)
    nbformat.write(executed(summary=small_search()), "search.ipynb")
    save("other.ipynb", small_summary(sentences=("x", "y", "z")))
    save("damaged.ipynb", replace(GOOD, matrix="AAAA"))
    Path("torn.ipynb").write_text(Path(good).read_text()[:-9])
    for name, reason in (
        ("missing.ipynb", "cannot read missing.ipynb"),
        ("torn.ipynb", "not valid JSON"),
        ("search.ipynb", "another kind (search)"),
        ("other.ipynb", "no sentence in common"),
        ("damaged.ipynb", "is damaged"),
    ):
        files = [good, name] if place else [name, good]
        assert main(["diff", *files, "--out", "page.html"]) == 2
        told = capsys.readouterr()
        assert reason in told.err
        assert told.out == ""
        assert not Path("page.html").exists()


def test_standard_output_that_is_full() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    old, new = save("old.ipynb", GOOD), save("new.ipynb", replace(GOOD, versions={"Python": "4"}))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sentence_reports", "diff", old, new],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "cannot write to standard output" in done.stderr


def test_help_and_docs_name_the_limits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--help"]) == 0
    told = [capsys.readouterr().out, (ROOT / "docs" / "comparing.md").read_text(encoding="utf-8")]
    for text in (" ".join(each.split()) for each in told):
        assert f"differs by more than {ROUNDING:f}".rstrip("0") in text
        assert f"more than {CORRECTED_ROUNDING:f}".rstrip("0") in text
    assert f"Up to {LISTED} pairs are listed" in told[1]
    assert f"correlation by more than {CORRELATION_ROUNDING}" in told[1]


# --- the page ---------------------------------------------------------------------------------------------------


def test_a_page_is_written_and_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = save("old.ipynb", GOOD, stem="main"), save("new.ipynb", MOVED, stem="branch")
    assert main(["diff", old, new, "--out", "pages/page.html"]) == 3
    page = Path("pages/page.html").read_text(encoding="utf-8")
    assert "1 of 3 pairs moved." in page
    assert "main, 2026-01-02" in page
    assert "branch, 2026-01-02" in page
    assert capsys.readouterr().err.endswith("Look at pages/page.html\n")
    assert main(["diff", old, old, "--out", "pages/page.html"]) == 0
    assert "Nothing moved." in Path("pages/page.html").read_text(encoding="utf-8")
    assert [path.name for path in Path("pages").iterdir()] == ["page.html"]


def test_the_page_says_nothing_of_this_machine(tmp_path: Path) -> None:
    old, new = save("old.ipynb", GOOD), save("new.ipynb", MOVED)
    assert main(["diff", str(tmp_path / old), new, "--out", str(tmp_path / "a.html")]) == 3
    assert main(["diff", old, str(tmp_path / new), "--out", "b.html"]) == 3
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()
    assert str(tmp_path) not in Path("a.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_ends_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(files: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sentence_reports.diff.atomic_write", full)
    assert main(["diff", save("old.ipynb", GOOD), save("new.ipynb", MOVED), "--out", "page.html"]) == 1
    assert "cannot write page.html: No space left on device" in capsys.readouterr().err


REPORT = '<!DOCTYPE html>\n<meta name="generator" content="Sentence Reports">\n'


@pytest.mark.parametrize("content", ["mine", "", REPORT])
def test_what_diff_did_not_make_is_left_alone(content: str, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = save("old.ipynb", GOOD), save("new.ipynb", MOVED)
    Path("page.html").write_text(content)
    assert main(["diff", old, new, "--out", "page.html"]) == 2
    told = capsys.readouterr()
    assert "page.html exists and is not a page that diff made" in told.err
    assert told.out == ""
    assert Path("page.html").read_text() == content


def test_an_input_is_never_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = save("old.ipynb", GOOD), save("new.html", MOVED)
    Path("link.html").symlink_to(old)
    os.link(new, "hard.html")
    for out in (new, "link.html", "hard.html"):
        before = Path(out).read_bytes()
        assert main(["diff", old, new, "--out", out]) == 2
        assert "which is to be read" in capsys.readouterr().err
        assert Path(out).read_bytes() == before


def test_pages_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = save("old.ipynb", GOOD), save("new.ipynb", MOVED)
    Path("folder.html").mkdir()
    Path("gone.html").symlink_to("nowhere")
    for out, reason in (
        ("page.txt", "Expected a name that ends in .html"),
        ("folder.html", "is not a page that diff made"),
        ("gone.html", "is not a page that diff made"),
        ("old.ipynb/page.html", "cannot write old.ipynb/page.html: not a folder"),
    ):
        assert main(["diff", old, new, "--out", out]) == 2
        assert reason in capsys.readouterr().err
