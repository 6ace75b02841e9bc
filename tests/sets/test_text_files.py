"""Texts in a file: every format, what is left out, what is refused, and what a set makes of them."""

import codecs
import csv
import gzip
import io
import json
import os
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from set_files import only_problem, problems, read
from support import text_of_any_kind

from sentence_reports.collected import Collected
from sentence_reports.errors import SetError
from sentence_reports.report import FOLDER
from sentence_reports.sets import SentenceSet, read_set, schema
from sentence_reports.sets import text_files as module
from sentence_reports.sets.naming import folded
from sentence_reports.sets.text_files import TextsFile, read_texts, survey_texts
from sentence_reports.sets.text_stream import streamed

CSV = 'id,text,kind\n1,"a, ""b""",x\n2,c,y\n\n3,"d\ne",x\n'
JSONL = '{"text": "a, \\"b\\"", "kind": "x"}\n{"kind": "y", "text": "c"}\n\n{"text": "d\\ne", "kind": "x"}\n'
TEXTS = ('a, "b"', "c", "d\ne")


def collect(name: str, content: str | bytes, **keys: Any) -> Collected:
    """Read the texts of a file with this content; the survey must say the same of it."""
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return of(name, **keys)


def of(name: str, **keys: Any) -> Collected:
    source = TextsFile(file=name, **keys)
    found, survey = read_texts(source, Path()), survey_texts(source, Path())
    assert (survey.total, survey.empty, survey.too_long, survey.sha256) == (
        found.total,
        found.empty,
        found.too_long,
        found.sha256,
    )
    return found


def refused(name: str, content: str | bytes | None = None, **keys: Any) -> str:
    """The one problem of a file, which reading and surveying report in the same way."""
    if content is not None:
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    messages = []
    for work in (read_texts, survey_texts):
        with pytest.raises(SetError) as caught:
            work(TextsFile(file=name, **keys), Path())
        (problem,) = caught.value.problems
        assert problem.file == name
        assert problem.message.isprintable()
        messages.append(str(problem).removeprefix(name).lstrip(",: "))
    assert messages[0] == messages[1]
    return messages[0]


def write_parquet(name: str, **columns: Any) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(columns), name, row_group_size=2)


@pytest.mark.usefixtures("folder")
class TestFormats:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("t.csv", CSV),
            ("t.CSV", CSV.replace("\n", "\r\n").replace("d\r\ne", "d\ne")),
            ("t.csv", CSV.replace(",", ";").replace("a;", "a,")),
            ("t.csv", CSV.replace(",", "\t").replace("a\t", "a,")),
            ("t.tsv", CSV.replace(",", "\t").replace("a\t", "a,")),
            ("t.csv", "\n\n" + CSV),
            ("t.jsonl", JSONL),
            ("t.ndjson", JSONL.replace("\n", "\r\n").rstrip()),
        ],
    )
    def test_a_table(self, name: str, content: str) -> None:
        for keys in ({}, {"column": "text"}):
            found = collect(name, content, **keys)
            assert (found.texts, found.rows, found.groups, found.total) == (TEXTS, (1, 2, 3), None, 3)
        assert of(name, group="kind").groups == ("x", "y", "x")
        Path(f"{name}.gz").write_bytes(gzip.compress(content.encode()))
        zipped = of(f"{name}.gz", group="kind")
        assert (zipped.texts, zipped.groups) == (TEXTS, ("x", "y", "x"))
        assert zipped.sha256 != found.sha256

    def test_plain_text_has_a_text_per_line(self) -> None:
        found = collect("t.txt", "a, b\r\n\n c\u2028d \n \ne")
        assert (found.texts, found.rows, found.empty, found.total) == (
            ("a, b", " c\u2028d ", "e"),
            (1, 3, 5),
            2,
            5,
        )

    def test_parquet(self) -> None:
        write_parquet("t.parquet", id=[1, 2, 3, 4], text=["a", None, "b", "a"], kind=[1, 2, None, 1])
        found = of("t.parquet", group="kind")
        assert (found.texts, found.rows, found.groups) == (("a", "b"), (1, 3), ("1", ""))
        assert (found.copies, found.empty, found.total) == (((4, 0),), 1, 4)
        assert found.sha256 == sha256("t.parquet")

    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le with its mark", "utf-16-be with its mark"]
    )
    def test_encodings(self, encoding: str) -> None:
        name, _, marked = encoding.partition(" ")
        mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}[name] if marked else b""
        content = mark + "text\ncafé 😀\nb\n".encode(name)
        assert collect("t.csv", content).texts == ("café 😀", "b")
        Path("t.csv.gz").write_bytes(gzip.compress(content))
        assert of("t.csv.gz").texts == ("café 😀", "b")

    def test_the_hash_is_that_of_the_file(self) -> None:
        assert collect("t.csv", CSV).sha256 == sha256("t.csv")
        collect("t.csv", CSV + "4,f,x\n" * 100_000, limit=2)  # more than is read at once
        assert of("t.csv", limit=2).sha256 == sha256("t.csv")
        Path("t.csv.gz").write_bytes(gzip.compress(CSV.encode() * 1000))
        assert of("t.csv.gz", limit=2).sha256 == sha256("t.csv.gz")


def sha256(name: str) -> str:
    import hashlib

    return hashlib.sha256(Path(name).read_bytes()).hexdigest()


@pytest.mark.usefixtures("folder")
class TestRows:
    def test_equal_texts_are_kept_once(self) -> None:
        found = collect("t.txt", "café  x\nb\ncafe\u0301 x \nb\nb\nB\n")
        assert found.texts == ("café  x", "b", "B")
        assert found.rows == (1, 2, 6)
        assert found.copies == ((3, 0), (4, 1), (5, 1))

    def test_the_group_of_a_text_is_the_first_one(self) -> None:
        found = collect("t.csv", "text,g\na, X  y\nb,\na,Z\n", group="g")
        assert found.groups == ("X y", "")

    def test_numbers_as_groups(self) -> None:
        rows = [
            {"text": text, "g": group} for text, group in zip("abcde", (1, 2.5, True, None, "x"), strict=True)
        ]
        found = collect("t.jsonl", "\n".join(map(json.dumps, [*rows, {"text": "f"}])), group="g")
        assert found.groups == ("1", "2.5", "true", "", "x", "")

    def test_what_is_left_out_is_counted(self) -> None:
        longest = "x" * 20_000
        found = collect(
            "t.csv", f"text,id\na,1\n,2\n \t ,3\n{longest},4\n{longest}x,5\n{'y' * 1_200_000},6\nb,7\n"
        )
        assert found.texts == ("a", longest, "b")
        assert (found.rows, found.empty, found.too_long, found.total) == ((1, 4, 7), 2, (5, 6), 7)
        assert survey_texts(TextsFile(file="t.csv"), Path()).warning == (
            "has rows that are left out: 2 without text and 2 longer than 20,000 characters (rows 5, 6)."
        )
        absent = collect("t.jsonl", '{"text": "a"}\n{"text": null}\n{"x": 1}\n{"text": "b"}')
        assert (absent.rows, absent.empty) == ((1, 4), 2)

    def test_of_many_long_rows_some_are_named(self) -> None:
        collect("t.txt", "a\nb\n" + f"{'x' * 20_001}\n" * 6)
        assert survey_texts(TextsFile(file="t.txt"), Path()).warning.endswith(
            "6 longer than 20,000 characters (rows 3, 4, 5, 6, 7, …)."
        )

    def test_a_limit(self) -> None:
        found = collect("t.txt", "a\n\nb\nc\n", limit=3)
        assert (found.texts, found.total) == (("a", "b"), 3)

    def test_nearly_all_the_same(self) -> None:
        found = collect("t.txt", "a\n" * 990 + "".join(f"{k}\n" for k in range(10)))
        assert (len(found.texts), len(found.copies)) == (11, 989)

    def test_the_most_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert module.MAX_ROWS == 1_000_000
        monkeypatch.setattr(module, "MAX_ROWS", 3)
        assert collect("t.txt", "a\nb\nb\n").total == 3
        assert (
            refused("t.txt", "a\nb\nb\n\n")
            == "there are more than 3 rows. Read only the first ones with `limit`."
        )
        assert of("t.txt", limit=3).total == 3

    def test_memory_does_not_grow_with_the_file(self) -> None:
        peaks = []
        for copies in (1_000, 100_000):
            Path("t.txt").write_text("a\nb\n" + " \n" * copies + ("x" * 1000 + "\n") * (copies // 10))
            tracemalloc.start()
            survey_texts(TextsFile(file="t.txt"), Path())
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < peaks[0] + 100_000 < 5_000_000


@pytest.mark.usefixtures("folder")
class TestColumns:
    @pytest.mark.parametrize(
        "header", ["id,Text", "text", "anything", "Sentence,x", "a,content,b", "review,stars"]
    )
    def test_a_usual_name_or_the_only_column(self, header: str) -> None:
        row = [
            "a" if name.lower() in ("text", "sentence", "content", "review", "anything") else "0"
            for name in header.split(",")
        ]
        content = f"{header}\n{','.join(row)}\n{','.join(row).replace('a', 'b')}\n"
        assert collect("t.csv", content).texts == ("a", "b")

    @pytest.mark.parametrize(
        ("header", "keys", "message"),
        [
            (
                "id,title",
                {},
                "it is not clear which column holds the texts. Name one with `column`; the columns are "
                '"id", "title".',
            ),
            (
                "text,content",
                {},
                "several columns may hold the texts. Name one with `column`; the columns are "
                '"text", "content".',
            ),
            (
                "id,text",
                {"column": "txt"},
                'it has no column "txt" (did you mean "text"?). The columns are "id", "text".',
            ),
            ("id,text", {"group": "xy"}, 'it has no column "xy". The columns are "id", "text".'),
            ("text,id", {"group": "text"}, 'the texts are in "text", which is also `group`. Name `column`.'),
            ("text,text", {"column": "text"}, '2 columns are called "text". Rename the others.'),
        ],
    )
    def test_that_are_not_there(self, header: str, keys: dict[str, str], message: str) -> None:
        assert refused("t.csv", f"{header}\na,b\n", **keys) == message
        if header != "text,text":
            names = header.split(",")
            assert refused("t.jsonl", json.dumps(dict.fromkeys(names, "a")), **keys) == message

    def test_a_header_that_may_be_a_text(self) -> None:
        collect("t.csv", "I like it\nb\nc\n")
        assert survey_texts(TextsFile(file="t.csv"), Path()).warning == (
            'has "I like it" as its only column; if that is a text and not a name, put a line with the column\'s name '
            "above it."
        )
        assert survey_texts(TextsFile(file="t.csv", column="I like it"), Path()).warning == ""
        collect("t.csv", "Text\nb\nc\n")
        assert survey_texts(TextsFile(file="t.csv"), Path()).warning == ""

    def test_separators_that_could_be_several(self) -> None:
        row = '"text; it",b\nx,y\nz,y\n'
        assert collect("t.csv", f"{row}", column="text; it").texts == ("x", "z")
        assert collect("t.csv", 'text,"b; c"\nx,y\nz,y\n').texts == ("x", "z")
        assert collect("t.csv", "text,b (0;1)\nx,y\nz,y\n").texts == ("x", "z")
        assert collect("t.csv", "a,b;c,d\nx,1;y,2\nx,1;z,2\n", column="c,d").texts == ("y,2", "z,2")
        assert refused("t.csv", "a,b;c,d\nx,y;z,u\n") == (
            'line 1: the first line, "a,b;c,d", can be separated by commas (3 columns) or semicolons (2 columns). '
            "Put names that contain one of these characters in quotes, or use tabs and call the file .tsv."
        )


@pytest.mark.usefixtures("folder")
class TestRefused:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            (
                "t.csv",
                "text\nb\ncafé au lait\n".encode("latin-1"),
                "line 3, column 4: the byte 0xE9 is not valid UTF-8. The file is probably in Latin-1, in which this "
                'reads "café au lait". Save it as UTF-8.',
            ),
            (
                "t.txt",
                b"a\nb\0c\n",
                "line 2, column 2: there is a NUL here, which a text cannot contain. Remove it; if every other byte is "
                "NUL, the file is in UTF-16 without a byte order mark. Save it as UTF-8.",
            ),
            (
                "t.txt",
                "a\nb\n".encode("utf-16-le"),
                "line 1, column 2: there is a NUL here, which a text cannot contain. Remove it; if every other byte is "
                "NUL, the file is in UTF-16 without a byte order mark. Save it as UTF-8.",
            ),
            ("t.txt", "a\nb\n".encode("utf-32"), "the file is in UTF-32. Save it as UTF-8."),
            (
                "t.txt",
                "a\nb\n".encode("utf-16") + b"x",
                "line 3: the file begins as UTF-16 and is not valid in it (truncated data). Save it as UTF-8.",
            ),
            ("t.csv", "", "the file is empty. Its first line must name the columns."),
            ("t.jsonl", "", "the file is empty. Each line must hold a JSON object."),
            ("t.txt", "", "a set needs at least 2 different texts; found 0 in 0 rows."),
            ("t.csv", "text\n", "a set needs at least 2 different texts; found 0 in 0 rows."),
            ("t.csv", "text\na\n", "a set needs at least 2 different texts; found 1 in 1 row."),
            (
                "t.txt",
                "a\n" * 50 + "\n a \n",
                "a set needs at least 2 different texts; found 1 in 52 rows: 1 without text.",
            ),
            (
                "t.csv",
                'text,n\na,1\n"b,2\nc,3\n',
                "line 3: a quotation mark in the row that begins here is never closed. Close it, or remove it. "
                "Inside quotes, each quotation mark must be doubled.",
            ),
            (
                "t.csv",
                'text,n\na,1\n"b,2\n' + "c,3\n" * 2_600_000,
                "line 3: a quotation mark in the row that begins here is never closed. Close it, or remove it. "
                "Inside quotes, each quotation mark must be doubled.",
            ),
            (
                "t.csv",
                "text,n\na,1\nb,c,2\n",
                "line 3: row 2 has 3 cells, but the header has 2. "
                "A text that contains the separator must be in quotes.",
            ),
            ("t.txt", "a\n" + "b" * 10_000_001, "line 2: the line has more than 10,000,000 characters."),
            ("t.jsonl", '{"text": "a"}\n\n{"text": 5}', 'line 3: row 2 holds "5", which is not a text.'),
            ("t.jsonl", '{"text": ["a"]}', "line 1: row 1 holds \"['a']\", which is not a text."),
            (
                "t.jsonl",
                '{"text": "a\\u0000"}',
                "line 1: row 1 contains NUL, which a text cannot. Remove it.",
            ),
            (
                "t.jsonl",
                '{"text": "\\ud83d"}',
                "line 1: row 1 contains half of a surrogate pair, which a text cannot. Remove it.",
            ),
            (
                "t.jsonl",
                '{"text": "a"}\n{"text',
                "line 2: row 2 is not valid JSON (Unterminated string starting at).",
            ),
        ],
        ids=lambda value: str(value)[:20] if isinstance(value, str | bytes) else None,
    )
    def test_by_content(self, name: str, content: str | bytes, message: str) -> None:
        assert refused(name, content) == message

    def test_a_broken_gz(self) -> None:
        whole = gzip.compress(b"text\na\nb\n" * 1000)
        assert refused("t.csv.gz", whole[:-20]).startswith(
            "the file is not a complete gzip file (Compressed file ended"
        )
        assert refused("t.csv.gz", b"text\na\nb\n").startswith(
            "the file is not a complete gzip file (Not a gzipped file"
        )
        damaged = whole[:30] + bytes([whole[30] ^ 255]) + whole[31:]
        assert refused("t.csv.gz", damaged).startswith("the file is not a complete gzip file (")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "none.csv",
                "no such file. Nothing in its folder has a similar name. Correct the path, or put the file there.",
            ),
            ("folder.csv", "this is a folder; `file` must name a file."),
            ("pipe.csv", "this is a device or pipe; `file` must name a file."),
            (
                "none.parquet",
                "no such file. Nothing in its folder has a similar name. Correct the path, or put the file there.",
            ),
        ],
    )
    def test_what_is_not_a_file(self, name: str, message: str) -> None:
        Path("folder.csv").mkdir()
        os.mkfifo("pipe.csv")
        assert refused(name) == message

    def test_parquet(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("pyarrow")
        assert refused("t.parquet", b"PAR1").startswith("the file cannot be read as Parquet (")
        write_parquet("t.parquet", text=[["a"], ["b"]], n=[1, 2])
        assert refused("t.parquet") == (
            'the column "text" is nested (list<element: string>), so its rows are not texts. Choose another column.'
        )
        assert refused("t.parquet", column="n") == 'line 1: row 1 holds "1", which is not a text.'
        assert refused("t.parquet", column="m") == 'it has no column "m". The columns are "text", "n".'

    def test_parquet_without_pyarrow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        assert refused("t.parquet", b"x") == (
            "reading Parquet needs pyarrow. Install it (pip install pyarrow), or save the table as CSV or JSONL."
        )

    @pytest.mark.parametrize("content", [b"text\na\nb\n", b"text\na\n\xff"])
    @pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
    def test_a_file_that_changes(self, name: str, content: bytes) -> None:
        Path(name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)

        def change() -> None:
            with streamed(Path(name)) as stream:
                lines = stream.lines()
                assert next(lines) == "text\n"
                with Path(name).open("ab") as file:
                    file.write(b"c\n")
                assert [*lines]
                stream.sha256()

        with pytest.raises(
            SetError, match=r"the file changed while it was read\. Run again once it is complete\.$"
        ):
            change()


# --- any text whatever ---------------------------------------------------------------------------------------------


def distinct(texts: list[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for text in texts:
        if folded(text):
            kept.setdefault(folded(text), text)
    return tuple(kept.values())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


@given(
    st.lists(text_of_any_kind(), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back_from_any_table(
    place: Path, texts: list[str], mark: str, encoding: str, zipped: bool
) -> None:
    texts += ["first", "second"]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=mark).writerows(
        [("text", "n"), *((text, k) for k, text in enumerate(texts))]
    )
    lines = "".join(json.dumps({"text": text}, ensure_ascii=zipped) + "\n" for text in texts)
    for name, content in (("t.csv", buffer.getvalue()), ("t.jsonl", lines)):
        path, stored = place / (name + ".gz" * zipped), content.encode(encoding)
        path.write_bytes(gzip.compress(stored) if zipped else stored)
        found = read_texts(TextsFile(file=path.name), place)
        assert found.texts == distinct(texts)
        assert found.total == len(texts)
        assert len(found.texts) + len(found.copies) + found.empty == found.total
        assert [texts[row - 1] for row in found.rows] == list(found.texts)
        assert all(folded(texts[row - 1]) == folded(found.texts[position]) for row, position in found.copies)


@given(st.binary(max_size=60), st.sampled_from(["csv", "tsv", "jsonl", "txt", "csv.gz", "parquet"]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(place: Path, content: bytes, suffix: str) -> None:
    (place / f"t.{suffix}").write_bytes(b"text\na\nb\n" * (len(content) % 2) + content)
    with suppress(SetError):
        assert len(read_texts(TextsFile(file=f"t.{suffix}"), place).texts) >= 2


# --- the key -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
class TestKey:
    def test_a_set(self) -> None:
        Path("t.csv").write_text(CSV)
        found = read('texts: {file: t.csv, column: text, group: kind, limit: 3}\nqueries: ["q"]\n')
        assert (found.set.notebook, found.n, found.warnings) == ("collection", 3, ())
        assert found.set.all_sentences == ()
        assert found.set.groups is None
        assert found.survey is not None
        assert found.survey.sha256 == sha256("t.csv")
        assert found.set.parameters() == {
            "texts": {"file": "t.csv", "column": "text", "group": "kind", "limit": 3},
            "queries": ["q"],
        }
        assert found.set.collected().texts == TEXTS
        assert found.with_model("org/other").survey == found.survey

    def test_the_file_is_relative_to_the_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("params").mkdir()
        Path("params", "t.csv").write_text(CSV)
        Path("params", "mine.yaml").write_text("texts: {file: t.csv}\n")
        found = read_set(Path("params", "mine.yaml"))
        assert found.n == 3
        with pytest.raises(SetError, match=r"^t\.csv: no such file\. Nothing in its folder has"):
            found.set.collected()
        monkeypatch.setenv(FOLDER, str(Path("params").absolute()))
        assert found.set.collected().texts == TEXTS
        Path("params", "t.csv").write_text("text\na,b\n")
        with pytest.raises(SetError, match=r"^t\.csv, line 2: row 1 has 2 cells"):
            found.set.collected()

    def test_a_set_of_sentences_has_no_file(self) -> None:
        with pytest.raises(ValueError, match="the set names no file of texts"):
            SentenceSet(sentences=["a", "b"]).collected()

    def test_what_is_left_out_is_a_warning(self) -> None:
        Path("t.txt").write_text("a\n\nb\n")
        (warning,) = read("title: T\ntexts:\n  file: t.txt\n").warnings
        assert str(warning) == (
            "mine.yaml, line 3, column 3: `texts.file` has rows that are left out: 1 without text."
        )

    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            (
                "texts: t.csv",
                '`texts` must be a mapping such as {file: texts.csv, column: text}, not the text "t.csv".',
            ),
            (
                "texts: [a, b]",
                "`texts` must be a mapping such as {file: texts.csv, column: text}, not a list of 2.",
            ),
            ("texts:", "`texts` is empty. Write `file:` below it, with the name of a file of texts."),
            ("texts: {column: a}", "`texts.file` is missing."),
            ("texts: {file: t.csv, colum: a}", "`texts.colum` is an unknown key; did you mean `column`?"),
            ("texts: {file: t.csv, limit: 1}", "`texts.limit` must be at least 2, not the number 1."),
            (
                "texts: {file: t.csv, limit: 1000001}",
                "`texts.limit` must be at most 1000000, not the number 1000001.",
            ),
            (
                "texts: {file: t.csv, column: a, group: a}",
                '`texts.group` is "a", the same column as `column`.',
            ),
            (
                "texts: {file: t.txt, column: a}",
                "`texts.column` does not go with plain text, which has no columns: a line is a text.",
            ),
            (
                "texts: {file: t.xlsx}",
                '`texts.file` is "t.xlsx", but its name must end in .csv, .tsv, .tab, .jsonl, .ndjson, .txt, .parquet, '
                ".pq, or that and .gz.",
            ),
            (
                "texts: {file: t.parquet.gz}",
                "`texts.file` is compressed Parquet. Decompress it; Parquet is compressed already.",
            ),
            (
                "sentences: [a, b]\ntexts: {file: t.csv}",
                "`texts` does not go with `sentences`. Remove one of the two. The other is on line 1.",
            ),
            (
                "sentences:",
                "`sentences` must be a list of texts, not nothing. Write one per line, each after a dash.",
            ),
            (
                "title: T",
                "`sentences` is missing. Write the sentences below it, or name a file with `texts`.",
            ),
            (
                "texts: {file: none.csv}",
                "`texts.file` cannot be used: none.csv: no such file. "
                "Nothing in its folder has a similar name. Correct the path, or put the file there.",
            ),
        ],
    )
    def test_that_is_wrong(self, lines: str, expected: str) -> None:
        assert only_problem(f"{lines}\n").split(": ", 1)[1] == expected

    def test_does_not_go_with_what_is_about_pairs(self) -> None:
        Path("t.csv").write_text(CSV)
        rows = "[[1, 0], [0, 1]]"
        reference = f"{{source: s, model: m, similarity: {rows}}}"
        others = f"models: [a, b]\nratings: [[1, 2, 3], [1, 3, 3]]\norder: given\nreference: {reference}\n"
        found = problems(f"texts: {{file: t.csv}}\n{others}")
        for key in ("models", "ratings", "order", "reference"):
            assert any(f"`{key}` does not go with `texts`, because" in it for it in found), key

    def test_equal_sentences_belong_into_a_file(self) -> None:
        assert only_problem("sentences: [a, b, a]\n") == (
            'line 1, column 19: sentence 3 is the same as sentence 1: "a". Change or remove one. '
            "A file of texts may repeat them; name it with `texts`. The other is on line 1."
        )

    def test_for_editors(self) -> None:
        def is_valid(**keys: Any) -> bool:
            return jsonschema.Draft202012Validator(schema()).is_valid(keys)

        assert is_valid(texts={"file": "t.csv"}, queries=["q"], expect=[{"related": [1, 2]}])
        assert is_valid(texts={"file": "t.csv", "column": "a", "group": "b", "limit": 5})
        assert not is_valid(texts={"file": "t.csv"}, sentences=["a", "b"])
        assert not is_valid(title="T")
        assert not is_valid(texts="t.csv")
        assert not is_valid(texts=None)
        for key in ("models", "ratings", "order", "reference"):
            assert not is_valid(texts={"file": "t.csv"}, **{key: None}), key


@pytest.mark.usefixtures("folder")
class TestClaims:
    ROWS = "text,kind\na cat,x\n\na dog,y\na  cat,x\n,y\nrain,y\n"  # the blank line does not count

    def test_are_about_rows_or_texts(self) -> None:
        Path("t.csv").write_text(self.ROWS)
        found = read(
            "texts: {file: t.csv, group: kind}\nqueries: [pet]\nexpect:\n- closer: [3, 2]\n  than: [5, a dog]\n"
            "- finds: [1, a cat]\n- together: y\n"
        ).set
        claims = found.claims_about(found.collected())
        assert [(claim.kind, claim.pair, claim.than, claim.group) for claim in claims] == [
            ("closer", (0, 1), (2, 1), None),
            ("finds", (0, 0), None, None),
            ("together", None, None, "y"),
        ]

    @pytest.mark.parametrize(
        ("claim", "message"),
        [
            ("related: [1, 6]", "the second sentence of claim 1 is 6, but the file has rows 1 to 5."),
            (
                "related: [1, 4]",
                "the second sentence of claim 1 is 4, a row that is left out because it has no text.",
            ),
            (
                "related: [1, 3]",
                "`related` of claim 1 compares text 1 with itself. Name two different texts.",
            ),
            (
                "related: [1, a dug]",
                'the second sentence of claim 1 is "a dug", which is not a text of the set; did you mean text 2, '
                '"a dog"?',
            ),
            (
                "together: z",
                '`together` of claim 1 is "z", which is not a group of the set. Known groups are x, y.',
            ),
            ("together: x", '`together` of claim 1 is "x", a group of one sentence, so it has no pairs.'),
            ("finds: [1, 2]", "`finds` of claim 1 needs `queries`, the texts to search for."),
        ],
    )
    def test_that_are_wrong(self, claim: str, message: str) -> None:
        Path("t.csv").write_text(self.ROWS)
        found = only_problem(f"texts: {{file: t.csv, group: kind}}\nexpect:\n- {claim}\n")
        assert found.split(": ", 1)[1] == message

    def test_that_contradict_each_other(self) -> None:
        Path("t.csv").write_text(self.ROWS)
        found = only_problem("texts: {file: t.csv}\nexpect:\n- related: [1, 2]\n- unrelated: [2, 3]\n")
        assert (
            found
            == "line 4, column 3: claim 2 contradicts claim 1: they cannot both hold. The other is on line 3."
        )

    def test_of_groups_need_their_column(self) -> None:
        Path("t.csv").write_text(self.ROWS)
        assert "needs groups" in only_problem("texts: {file: t.csv}\nexpect:\n- together: x\n")
