"""Tables: rows of CSV, TSV and JSONL files, and files that cannot be read."""

import itertools
import os
from pathlib import Path

import pytest
from support import not_root

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.csv_jsonl import read_rows
from sentence_reports.sets.rows import Row


def rows(name: str, content: str | bytes, *columns: str) -> list[Row]:
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_rows(Path(name), columns or ("text", "score")))


def refused(name: str, content: str | bytes, *columns: str) -> str:
    with pytest.raises(SetError) as caught:
        rows(name, content, *columns)
    (problem,) = caught.value.problems
    assert problem.file == name
    assert problem.message.isprintable()
    return str(problem).removeprefix(name).lstrip(",: ")


@pytest.mark.usefixtures("folder")
class TestRows:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("t.csv", 'id,score,text\n1,2.5,"a, ""b"""\n\n2,3,c\n'),
            ("t.CSV", ' id , score,text\r\n1,2.5,"a, ""b"""\r\n\r\n2,3,c'),
            ("t.tsv", 'id\tscore\ttext\n1\t2.5\t"a, ""b"""\n\n2\t3\tc\n'),
            ("t.csv", 'id,score,text\n1,2.5,"a, ""b"""\n\n2,3,c\n'.encode("utf-16")),
            ("t.csv", '\ufeffid,score,text\r1,2.5,"a, ""b"""\r\r2,3,c\r'),
        ],
    )
    def test_with_separators(self, name: str, content: str | bytes) -> None:
        assert rows(name, content) == [Row(1, 2, ('a, "b"', "2.5")), Row(2, 4, ("c", "3"))]

    def test_a_cell_of_several_lines(self) -> None:
        expected = [Row(1, 2, ("a\r\nb", "1")), Row(2, 4, ("c", "2"))]
        assert rows("t.csv", 'text,score\r\n"a\r\nb",1\r\nc,2\r\n') == expected

    def test_of_json(self) -> None:
        content = '{"id": 1, "score": 2.5, "text": "a\\n"}\n\n{"text": null, "score": [1]}'
        assert rows("t.jsonl", content) == [Row(1, 1, ("a\n", 2.5)), Row(2, 3, (None, [1]))]
        assert rows("t.jsonl", b"\xef\xbb\xbf" + content.replace("\n\n", "\r\n\r\n").encode()) == rows(
            "t.jsonl", content
        )

    def test_come_one_by_one(self) -> None:
        Path("t.csv").write_text("text\n" + "a\n" * 1000 + '"')
        found = read_rows(Path("t.csv"), ["text"])
        assert list(itertools.islice(found, 1000)) == [Row(k, k + 1, ("a",)) for k in range(1, 1001)]
        with pytest.raises(SetError, match=r"line 1002: a quotation mark in the row"):
            next(found)

    def test_a_table_without_rows(self) -> None:
        assert rows("t.csv", "text,score\n") == []


@pytest.mark.usefixtures("folder")
class TestRefused:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("t.csv", "", "the file is empty. Its first line must name the columns."),
            ("t.tsv", "\n\n", "the file is empty. Its first line must name the columns."),
            ("t.jsonl", " \n", "the file is empty. Each line must hold a JSON object."),
            ("t.txt", "x", "the name of a table must end in .csv, .tsv or .jsonl."),
            (
                "t.csv",
                "tex,y\na,1\n",
                'it has no column "text" (did you mean "tex"?), "score". The columns are "tex", "y".',
            ),
            (
                "t.csv",
                "text;score\na;1,5\n",
                "the columns are separated by semicolons. Use commas, and write numbers with a decimal point.",
            ),
            ("t.jsonl", '{"text": 1}', 'it has no column "score". The columns are "text".'),
            ("t.csv", "text,score,text\n", '2 columns are called "text". Rename the others.'),
            (
                "t.csv",
                "text,score\na,1\na,b,2\n",
                "line 3: row 2 has 3 cells, but the header has 2. "
                "A text that contains the separator must be in quotes.",
            ),
            (
                "t.tsv",
                "text\tscore\n\na\n",
                "line 3: row 1 has 1 cell, but the header has 2. "
                "A text that contains the separator must be in quotes.",
            ),
            (
                "t.csv",
                'text,score\n"a" b,1\n',
                "line 2: the row cannot be read (',' expected after '\"'). A text that contains a quotation mark must "
                "be in quotes, with each quotation mark inside it doubled.",
            ),
            (
                "t.csv",
                'text,score\na,1\n"a,1\nb,2\n',
                "line 3: a quotation mark in the row that begins here is never closed. Close it, or remove it. "
                "Inside quotes, each quotation mark must be doubled.",
            ),
            (
                "t.jsonl",
                '{"text": 1, "score": 1}\n{"text":\n',
                "line 2: row 2 is not valid JSON (Expecting value).",
            ),
            ("t.jsonl", "[" * 100_000, "line 1: row 1 is not valid JSON (too large or too deep)."),
            ("t.jsonl", "9" * 5000, "line 1: row 1 is not valid JSON (too large or too deep)."),
            ("t.jsonl", "[1]", 'line 1: row 1 must be a JSON object, such as {"text": "..."}.'),
            ("t.jsonl", '{"text": 1, "score": 1}\n\n{"text": 1}', 'line 3: row 2 has no "score".'),
            ("t.csv", "x" * 1_000_001, "line 1: the line has more than 1,000,000 characters."),
        ],
    )
    def test_by_content(self, name: str, content: str, message: str) -> None:
        assert refused(name, content) == message

    def test_blank_lines_without_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sentence_reports.sets.csv_jsonl.MAX_LINES", 3)
        for name, content in (
            ("t.csv", "text,score\n\n\n\n"),
            ("t.jsonl", '{"text": 1, "score": 1}\n\n\n\n'),
        ):
            assert refused(name, content) == "line 4: the table has more than 3 lines."

    def test_what_is_not_utf_8(self) -> None:
        assert refused("t.csv", "text,score\ncafé,1\n".encode("latin-1")) == (
            "line 2, column 4: the byte 0xE9 is not valid UTF-8. The file is probably in Latin-1, in which this reads "
            '"café,1". Save it as UTF-8.'
        )

    def test_utf_16_without_a_mark(self) -> None:
        message = refused("t.csv", "text,score\n".encode("utf-16-le"))
        assert message.startswith("line 1, column 2: there is a NUL here")
        assert message.endswith("the file is in UTF-16 without a byte order mark. Save it as UTF-8.")

    def test_many_columns_are_not_all_listed(self) -> None:
        message = refused("t.csv", ",".join(f"c{k}" for k in range(1000)))
        assert message.endswith('"c18", "c19" and 980 more.')

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "none.csv",
                "no such file. Nothing in its folder has a similar name. Correct the path, or put the file there.",
            ),
            (
                "http:/a.b/c.csv",
                "this is an address, but only files on this machine can be read. Download it first.",
            ),
            ("folder.csv", "this is a folder; `file` must name a file."),
            ("pipe.csv", "this is a device or pipe; `file` must name a file."),
            ("broken.csv", 'this is a link to "gone.csv", which does not exist.'),
            ("a\0b.csv", "the file cannot be read (embedded null byte)."),
        ],
    )
    def test_what_is_not_a_file(self, name: str, message: str) -> None:
        Path("folder.csv").mkdir()
        Path("broken.csv").symlink_to("gone.csv")
        os.mkfifo("pipe.csv")
        with pytest.raises(SetError) as caught:
            list(read_rows(Path(name), ["text"]))
        assert caught.value.problems == (Problem(name, None, None, message),)

    def test_no_permission(self, folder: Path) -> None:
        rows("t.csv", "text,score\n")
        folder.chmod(0o755)
        Path("t.csv").chmod(0)
        with (
            not_root(),
            pytest.raises(SetError, match=r"t\.csv: the file cannot be read \(Permission denied\)\."),
        ):
            list(read_rows(Path("t.csv"), ["text"]))
