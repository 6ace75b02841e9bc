"""Files that are read or refused as a whole, warnings, and damaged files."""

import os
import pickle
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from set_files import only_problem, problems, python, read, with_third
from support import not_root

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets import SetFile, read_set

PARAMS = Path(__file__).parents[2] / "params"


SHIPPED = sorted(PARAMS.glob("*.yaml"))


@pytest.mark.usefixtures("folder")
class TestReading:
    def test_a_list(self) -> None:
        found = read("sentences: [a b, c]\n")
        assert found.set.all_sentences == ("a b", "c")
        assert found.set.groups is None
        assert found.set.parameters() == {"sentences": ["a b", "c"]}
        assert (found.path, found.stem, found.warnings) == (Path("mine.yaml"), "mine", ())

    def test_groups_in_their_order(self) -> None:
        found = read("sentences:\n  Zoo: [a, b]\n  Art: [c]\n").set
        assert found.all_sentences == ("a", "b", "c")
        assert found.groups == ("Zoo", "Zoo", "Art")
        assert found.parameters() == {"sentences": {"Zoo": ["a", "b"], "Art": ["c"]}}

    @pytest.mark.parametrize(
        ("item", "text"),
        [
            ("- plain\n  goes on", "plain goes on"),
            ("- >-\n  folded\n  text", "folded text"),
            ("- |\n  two\n  lines", "two\nlines\n"),
            ('- "escaped \\u00e9\\ttab"', "escaped é\ttab"),
            ("- 'it''s'", "it's"),
            ("- 1e3", "1e3"),
            ("- C# and F#", "C# and F#"),
            ("- 中文句子 🙂", "中文句子 🙂"),
        ],
    )
    def test_all_ways_to_write_a_text(self, item: str, text: str) -> None:
        found = read(with_third(item))
        assert found.set.all_sentences == ("first one", "second one", text, "last one")
        assert found.warnings == ()

    def test_line_ends_and_a_byte_order_mark_do_not_matter(self) -> None:
        content = "sentences:\n- a\n- b\n"
        expected = read(content).set
        assert read(content.replace("\n", "\r\n")).set == expected
        assert read(b"\xef\xbb\xbf" + content.encode()).set == expected
        assert only_problem("\ufeffsentences: [no, b]").startswith("line 1, column 13: sentence 1")

    def test_three_thousand_sentences_are_read(self) -> None:
        content = "sentences:\n" + "".join(f"- This is the sentence number {n}.\n" for n in range(3000))
        assert len(read(content).set.all_sentences) == 3000

    def test_a_sentence_of_100_000_characters_passes(self) -> None:
        assert len(read(f"sentences:\n- {'word ' * 20_000}\n- b\n").set.all_sentences[0]) == 99_999


@pytest.mark.usefixtures("folder")
class TestWarnings:
    def test_a_comment_after_a_sentence(self) -> None:
        found = read("title: A # b\nsentences:\n- I like C # and F#\n- b\n")
        assert found.set.all_sentences == ("I like C", "b")
        assert [str(warning) for warning in found.warnings] == [
            'mine.yaml, line 1, column 1: `title` ends before "# b", which YAML reads as a comment. '
            'Is it part of the text? Put it in quotes: title: "A # b"',
            'mine.yaml, line 3, column 3: sentence 1 ends before "# and F#", which YAML reads as a comment. '
            'Is it part of the text? Put it in quotes: - "I like C # and F#"',
        ]

    @pytest.mark.parametrize(
        "item", ['- "quoted" # comment', "- |  # comment\n  text\n  - more", "# comment\n- x", "- a#b"]
    )
    def test_other_comments_are_allowed(self, item: str) -> None:
        assert read(with_third(item) + "model: m # comment\n").warnings == ()

    def test_a_dash_too_far_to_the_right(self) -> None:
        found = read("sentences:\n- a\n  - b\n- c\n")
        assert found.set.all_sentences == ("a - b", "c")
        assert [str(warning) for warning in found.warnings] == [
            'mine.yaml, line 2, column 3: sentence 1 contains a line that begins with "- ". '
            "If that is a separate text, indent it like this one."
        ]


@pytest.mark.usefixtures("folder")
def test_an_item_within_the_quotes_of_another_is_a_warning() -> None:
    found = read('sentences:\n- "a\n- b"\n- c\n')
    assert found.set.all_sentences == ("a - b", "c")
    assert [str(warning) for warning in found.warnings] == [
        'mine.yaml, line 2, column 3: sentence 1 contains a line that begins with "- ". '
        "If that is a separate text, close the quotes before it."
    ]


@pytest.mark.usefixtures("folder")
def test_all_problems_come_at_once() -> None:
    content = "titel: x\nsentences:\n- same\n- no\n- same\n- &amp\nlabel_size: 1\ncmap: 3\n"
    assert [problem.split(":")[0] for problem in problems(content)] == [
        "line 1, column 1",
        "line 4, column 3",
        "line 5, column 3",
        "line 6, column 3",
        "line 7, column 1",
        "line 8, column 1",
    ]


@pytest.mark.usefixtures("folder")
class TestFiles:
    @pytest.mark.parametrize("content", ["", "\n", "# only\n# comments\n", "\ufeff"])
    def test_empty(self, content: str) -> None:
        assert only_problem(content) == (
            ": the file is empty. It needs at least `sentences:` with a list of texts below."
        )

    @pytest.mark.parametrize("content", ["- a\n- b\n", "a text", "5", "---\n"])
    def test_without_keys(self, content: str) -> None:
        assert only_problem(content).endswith(
            ", column 1: the file must have keys at the top, such as `sentences:`."
        )

    def test_two_documents(self) -> None:
        assert only_problem("sentences: [a, b]\n---\nsentences: [c, d]\n") == (
            "line 2, column 1: a second document starts here. A set file holds only one."
        )

    @pytest.mark.parametrize("size", [5_000_001, 100_000_000])
    def test_too_big(self, size: int) -> None:
        Path("mine.yaml").touch()
        os.truncate("mine.yaml", size)
        with pytest.raises(SetError) as caught:
            read_set(Path("mine.yaml"))
        assert str(caught.value) == (
            "mine.yaml: the file is larger than 5 MB, the limit for a set. Split it."
        )

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "none.yaml",
                "no such file. Nothing in its folder has a similar name. Correct the path, or put the file there.",
            ),
            ("mime.yaml", "no such file. Did you mean mine.yaml?"),
            (
                "mine.yaml/x.yaml",
                "no such file. Its folder does not exist either, or cannot be read. Correct the path.",
            ),
            ("folder.yaml", "this is a folder; a set is a YAML file."),
            ("pipe.yaml", "this is a device or pipe; a set is a YAML file."),
            ("broken.yaml", 'this is a link to "gone.yaml", which does not exist.'),
            ("loop.yaml", "the file cannot be read (Too many levels of symbolic links)."),
            ("a\0b.yaml", "the file cannot be read (embedded null byte)."),
        ],
    )
    def test_what_is_not_a_readable_file(self, name: str, message: str) -> None:
        Path("mine.yaml").touch()
        Path("folder.yaml").mkdir()
        Path("broken.yaml").symlink_to("gone.yaml")
        Path("loop.yaml").symlink_to("loop.yaml")
        os.mkfifo("pipe.yaml")
        with pytest.raises(SetError) as caught:
            read_set(Path(name))
        assert caught.value.problems == (Problem(name, None, None, message),)

    def test_no_permission(self, folder: Path) -> None:
        read("sentences: [a, b]")
        folder.chmod(0o755)
        Path("mine.yaml").chmod(0)
        with not_root(), pytest.raises(SetError) as caught:
            read_set(Path("mine.yaml"))
        assert str(caught.value) == "mine.yaml: the file cannot be read (Permission denied)."

    def test_a_link_to_a_set_is_a_set(self) -> None:
        read("sentences: [a, b]")
        Path("link.yaml").symlink_to("mine.yaml")
        assert read_set(Path("link.yaml")).stem == "link"

    def test_the_first_ten_problems_of_a_file_are_shown(self) -> None:
        with pytest.raises(SetError) as caught:
            read("sentences:\n" + "- no\n" * 3_001)
        assert len(caught.value.problems) == 3_002
        lines = str(caught.value).splitlines()
        assert len(lines) == 11
        assert lines[9].startswith("mine.yaml, line 10, column 3: ")
        assert lines[10] == "mine.yaml: 2,992 more problems"
        other = Problem("other.yaml", None, None, "is empty.")
        both = str(SetError((*caught.value.problems[:11], other))).splitlines()
        assert both[10:] == ["mine.yaml: 1 more problem", "other.yaml: is empty."]

    def test_errors_survive_pickling(self) -> None:
        with pytest.raises(SetError) as caught:
            read("sentences: [no, b]")
        assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


@pytest.mark.usefixtures("folder")
def test_two_byte_order_marks_are_one_too_many() -> None:
    with pytest.raises(SetError, match="the character U\\+FEFF is not allowed here"):
        read(b"\xef\xbb\xbf\xef\xbb\xbfsentences: [a, b]\n")


PIECES = [
    " ", "  ", "\t", "\n", "\r", "\n\n", "- ", "-", ": ", ":", " #", "#", "? ", "&a ", "*a", "!", "!!str ", "|", ">-",
    "'", '"', "\\", "\\x", "\\u12", "\\ud800", "\\UFFFFFFFF", "\\0", "[", "]", "{", "}", ",", "%", "@", "`", "~",
    "<<: ", "=", "---\n", "...\n", "no", "1.10", ".nan", "0x", "0b_", "12:30", "2024-01-02", "sentences:", "title:",
    "reference:", "é", "🙂", "\ufeff", "\x85", "\u2028", "\x1b", "\0", "[" * 30, "- " * 30, "9" * 200, "x" * 3000,
]  # fmt: skip


VALID = [
    *(path.read_bytes() for path in SHIPPED),
    b"sentences: [a, 'b', \"c\"]\nlabel_size: 40\nnormalize: false\n",
    b"sentences: [a, b, c]\nexpect:\n- closer: [1, 2]\n  than: [a, c]\n  margin: 0.1\n- related: [1, 2]\n"
    b"  because: so\nclaim: 'yes'\nratings: [[1, 2, 3], [1, c, 4.5]]\nprompt: 'p: '\ntruncate_dim: 8\n",
    b"sentences: {A: [a], B: [b, c]}\nqueries: [which, 'what?']\nexpect:\n- finds: [1, 2]\n- together: B\n",
    b"sentences:\n  Food: [a, b]\n  'Zoo': # animals\n  - |\n    two\n    lines\n  - >-\n    folded\n",
    '{"title": "\\u00e9\\n", "sentences": ["中文", "🙂 b"], "fallback_model": null}'.encode(),
    b"\xef\xbb\xbf%YAML 1.1\n---\nsentences:\r\n- plain\r\n  goes on\r\n- b\r\n...\r\n",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid set file in which up to six pieces were removed, doubled, overwritten or put in."""
    random = draw(
        st.randoms(use_true_random=True)
    )  # seeded by Hypothesis, and hardly ever the same file twice
    content = random.choice(VALID)
    for _ in range(random.randint(1, 6)):
        start = random.randint(0, len(content))
        end = start + random.randint(0, 40)
        piece = random.choice(
            [random.choice(PIECES).encode(), random.randbytes(2), b"", content[start:end] * 2]
        )
        content = content[:start] + piece + content[random.choice([start, end]) :]
    return content


def read_or_refuse(content: bytes, path: Path) -> tuple[SetFile | SetError, float]:
    """What becomes of a file, and the seconds of this thread's own work: other processes cannot make them more."""
    path.write_bytes(content)
    began = time.thread_time()
    try:
        found: SetFile | SetError = read_set(path)
    except SetError as refused:
        found = refused
    return found, time.thread_time() - began


def is_right(found: SetFile | SetError, content: bytes) -> bool:
    """Whether a refusal says something that can be printed, and what was read is what stock papermill reads."""
    if isinstance(found, SetError):
        messages = [problem.message for problem in found.problems]
        return bool(messages) and all(message.isprintable() for message in messages)
    return bool(found.set.parameters() == yaml.safe_load(content))


@settings(max_examples=200)
@given(content=damaged())
def test_a_damaged_file_is_read_or_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    found, seconds = read_or_refuse(content, tmp_path_factory.getbasetemp() / "damaged.yaml")
    assert is_right(found, content), found
    assert seconds < 1  # it takes some milliseconds


@pytest.mark.slow
@settings(max_examples=10_000)
@given(content=damaged())
def test_ten_thousand_damaged_files_are_read_or_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found, seconds = read_or_refuse(content, tmp_path_factory.getbasetemp() / "damaged.yaml")
    assert is_right(found, content), found
    assert seconds < 1


def test_nothing_heavy_is_imported() -> None:
    imported = python("import sys, sentence_reports.sets; print(*sys.modules)")
    assert "yaml" in imported
    assert not {"numpy", "matplotlib", "torch", "nbformat", "papermill", "pandas"} & set(imported)
