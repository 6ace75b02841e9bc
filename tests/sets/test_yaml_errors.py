"""Syntax errors: what they are called, and what the offered correction is worth."""

import re
from pathlib import Path

import pytest
import yaml
from set_files import MESSAGES_END, only_problem, problems, read, suggested, with_third

from sentence_reports.errors import SetError
from sentence_reports.sets import read_set
from sentence_reports.sets.quoting import quote

CHECK = "Check the indentation; put text with # or other special signs in quotes."
SIGNS = [
    ("&amp is ok", 'the text begins with "&", which marks an anchor in YAML.'),
    ("*bold* text", 'the text begins with "*", which refers to an anchor in YAML.'),
    ("*bold", 'the text begins with "*", which refers to an anchor in YAML.'),
    ("@user hi", 'the text begins with "@", which is reserved in YAML.'),
    ("`code`", 'the text begins with "`", which is reserved in YAML.'),
    ("%x", 'the text begins with "%", which starts a directive in YAML.'),
    ("!important", 'the text begins with "!", which marks a tag in YAML.'),
    ("!!str 5", 'the text begins with "!", which marks a tag in YAML.'),
    ("{name} says", 'the text begins with "{", which starts a mapping in YAML.'),
    ("[sic] quote", 'the text begins with "[", which starts a list in YAML.'),
    ("> quoted", 'the text begins with ">", which starts a block of text in YAML.'),
    ("| x", 'the text begins with "|", which starts a block of text in YAML.'),
    (", then", 'the text begins with ",", which ends an item in YAML.'),
    (": x", 'the text begins with ":", which marks a value in YAML.'),
    ('"Hi" she said', 'YAML ends this text at its second ".'),
    ("'Hi' she said", "YAML ends this text at its second '."),
    ("Note: this is a mapping", "sentence 3 looks like `key: value`, which is a mapping in YAML."),
    ("{x}", 'sentence 3 is a mapping, because it begins with "{".'),
    ("? what", 'sentence 3 is a mapping, because it begins with "?".'),
    ("[x]", 'sentence 3 is a list, because it begins with "[".'),
    ("- x", 'sentence 3 is a list, because it begins with "-".'),
]


@pytest.mark.usefixtures("folder")
class TestSigns:
    @pytest.mark.parametrize(("text", "message"), SIGNS)
    def test_one_message_with_the_line_to_write(self, text: str, message: str) -> None:
        assert only_problem(with_third(f"- {text}")) == (
            f"line 4, column 3: {message} Put it in quotes: - {quote(text)}"
        )
        assert suggested(f"quotes: - {quote(text)}") == text

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (
                "- Note: a: b",
                'line 4, column 3: ": " separates a key from its value in YAML. Put it in quotes: - "Note: a: b"',
            ),
            (
                "- Note: this\n  goes on",
                'line 4, column 3: ": " separates a key from its value in YAML. '
                'Put it in quotes: - "Note: this goes on"',
            ),
            ("\t- x", "line 4, column 1: YAML does not allow a tab here. Use spaces, or remove it."),
            ("-\tx", "line 4, column 2: YAML does not allow a tab here. Use spaces, or remove it."),
            ("- x\ty", 'line 4, column 3: YAML does not allow a tab here. Put it in quotes: - "x\\ty"'),
            ("-x", f'line 4, column 1: "-x" is neither `key: value` nor `- text`. {CHECK}'),
            ("words", f'line 4, column 1: "words" is neither `key: value` nor `- text`. {CHECK}'),
            (
                '- "a\\qb"',
                "line 4, column 3: in double quotes, a backslash must be doubled. "
                'Put it in quotes: - "a\\\\qb"',
            ),
            (
                "- 'it's ok'",
                "line 4, column 3: YAML ends this text at its second '. Put it in quotes: - \"it's ok\"",
            ),
            (
                "- [open",
                "line 4, column 3: the bracket that opens here is not closed, or a comma is missing, "
                "before line 6, column 1.",
            ),
            (
                "- {{ name }} says",
                "line 4, column 4: a key must be text. Put text that begins with [ or { in quotes.",
            ),
            ("-", "line 4, column 2: sentence 3 is empty. Write some text, or remove it."),
            ('- " "', "line 4, column 3: sentence 3 is blank. Write some text, or remove it."),
            (
                "- #hashtag",
                "line 4, column 2: sentence 3 is empty, because # starts a comment. "
                'Put it in quotes: - "#hashtag"',
            ),
        ],
    )
    def test_other_slips(self, line: str, message: str) -> None:
        assert only_problem(with_third(line)) == message

    @pytest.mark.parametrize(
        ("item", "text"),
        [
            ('- "She said "hello" to me"', 'She said "hello" to me'),
            ('- "She said "hello" to me', 'She said "hello" to me'),
            ('- "Hi," she said, "there"', '"Hi," she said, "there"'),
            ("- 'don't say 'no' now'", "don't say 'no' now"),
            ("- 'it's ok'", "it's ok"),
            ('- "open', "open"),
            ("- 'open", "open"),
        ],
    )
    def test_quotes_around_a_text_stay_around_it(self, item: str, text: str) -> None:
        message = only_problem(with_third(item))
        assert message.startswith("line 4, column 3: ")
        assert suggested(message) == text
        corrected = MESSAGES_END.search(message)
        assert corrected
        assert read(with_third(corrected["line"])).set.all_sentences[2] == text

    @pytest.mark.parametrize("mark", ['"', "'"])
    @pytest.mark.parametrize(
        "below", ["- {}five{}\n", "- {}five\n", '- six\'s and "seven"\n', "\ntitle: {}x{}\n"]
    )
    def test_a_quote_that_is_never_closed_is_named_where_it_opens(self, mark: str, below: str) -> None:
        message = problems(
            "sentences:\n- one\n- two\n- {}three\n".replace("{}", mark) + below.replace("{}", mark)
        )[0]
        assert message == (
            f"line 4, column 3: the text begins with {mark} but has no closing {mark}. "
            'Put it in quotes: - "three"'
        )

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            ("sentences:\n  - a\n - b\n", "line 3, column 2"),
            ("title: x\n  sentences: [a, b]\n", "line 2, column 12"),
            ("sentences:\n  A: x\n    B: [c]\n", "line 3, column 6"),
            ("sentences:\n- >-\n    folded\n  less\n- b\n", "line 4, column 3"),
            ("sentences:\n- one #two\n\n  three\n- b\n", "line 4, column 3"),
            ("sentences:\n- one\n  # two\n  three\n- b\n", "line 4, column 3"),
            ("sentences:\n  Food # and drink: [a]\n  Zoo: [b]\n", "line 3, column 3"),
        ],
    )
    def test_what_cannot_be_explained_is_told_in_the_words_of_yaml(self, content: str, place: str) -> None:
        message = only_problem(content)
        assert message.startswith(f"{place}: YAML cannot read on here: ")
        assert message.endswith(f". {CHECK}")

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            ("sentences:\n- A long sentence that goes\n  on: like this\n- b\n", "line 3, column 5"),
            ("expect:\n- because: a: b\n  closer: [1, 2]\n", "line 2, column 13"),
            ("reference: @x\n  source: s\n", "line 1, column 12"),
            ("sentences:\n- @x\n  - b\n- c\n", "line 2, column 3"),
            ('sentences:\n  "Food:\n  - a\n  - b\n', "line 2, column 3"),
            ("sentences: [a, @x, b]\n", "line 1, column 16"),
        ],
    )
    def test_no_line_is_suggested_if_it_is_uncertain_what_the_text_is(self, content: str, place: str) -> None:
        message = only_problem(content)
        assert message.startswith(f"{place}: ")
        assert "quotes: " not in message

    def test_within_brackets_and_after_keys(self) -> None:
        assert only_problem("sentences: [@a, b]") == (
            'line 1, column 13: the text begins with "@", which is reserved in YAML. '
            'Put all of it in double quotes, with a backslash before each " and \\ in it.'
        )
        assert only_problem("sentences: [a, b]\ntitle: Note: this") == (
            'line 2, column 8: ": " separates a key from its value in YAML. Put it in quotes: title: "Note: this"'
        )

    @pytest.mark.parametrize("line", ["title: " + "@word " * 60, "k" * 200 + ": @x", "a\ufeffb: @x"])
    def test_for_a_line_that_does_not_fit_a_message_the_rule_is_given(self, line: str) -> None:
        assert problems(f"sentences: [a, b]\n{line}\n")[0].endswith(
            'Put all of it in double quotes, with a backslash before each " and \\ in it.'
        )

    def test_lines_are_counted_as_editors_do(self) -> None:
        assert only_problem('sentences:\r\n- "a"\r- no\n').startswith("line 3, column 3: sentence 2 is")


@pytest.mark.parametrize("text", ['sentences:\n  - "one"\n - "two"\n', 'sentences:\n"one"\n"two"\n'])
def test_a_slip_of_the_indentation_is_not_blamed_on_the_quotes(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SetError, match=r"Check (its|the) indentation"):
        read_set(path)


# The message names the right line, and the correction that it offers works when it is applied.

ITEMS = {
    '"She said "hello" to me"': 'She said "hello" to me',
    '"She said "hello" to me': 'She said "hello" to me',
    '"Hi," she said, "there"': '"Hi," she said, "there"',
    '"Hi" she said': '"Hi" she said',
    '"three': "three",
    "'three": "three",
    "'it's ok'": "it's ok",
    "'don't say 'no' now'": "don't say 'no' now",
    '"a "b" c': 'a "b" c',
    '"x "y"': 'x "y"',
    '"a " b': 'a " b',
    '"': '"',
    "'tis the season": "tis the season",
    '"C:\\qdir"': "C:\\qdir",
    '"say \\"hi\\" \\q"': 'say "hi" \\q',
    "Note: this": "Note: this",
    "Note: a: b": "Note: a: b",
    "Note: @x": "Note: @x",
    "a: b # c": "a: b # c",
    "Re: Fwd: hi": "Re: Fwd: hi",
    "at 12:30: late": "at 12:30: late",
    "http://x.org: a link": "http://x.org: a link",
    "🙂: happy": "🙂: happy",
    "@🙂": "@🙂",
    ":-) hello": None,
    ": x": ": x",
    "a\tb": "a\tb",
    "\tx": "x",
    "x\t": "x",
    "[sic] quote": "[sic] quote",
    "[x]": "[x]",
    "{x}": "{x}",
    "]x": "]x",
    "}x": "}x",
    ", then": ", then",
    "&amp is ok": "&amp is ok",
    "*bold* text": "*bold* text",
    "!important": "!important",
    "!!str 5": "!!str 5",
    "%x": "%x",
    "`code`": "`code`",
    "? what": "? what",
    "> quoted": "> quoted",
    "|text": "|text",
    "- x": "- x",
    "no": "no",
    "1.10": "1.10",
    "12:30": "12:30",
    "2024-01-02": "2024-01-02",
    "~": "~",
    "=": "=",
    "<<": "<<",
    "#hashtag": "#hashtag",
    "@user hi\n  and more": "@user hi and more",
    "Note: this\n  goes on": "Note: this goes on",
    "*bold*\n\n  text": "*bold* text",
    '"a" b\n  c': '"a" b c',
    "'one\n  two' three": "'one two' three",
}
FILES = [
    # content, line, the texts after the correction
    ('sentences:\n- one\n- "two\n- "three"\n- four\n', 3, ("one", "two", "three", "four")),
    ("sentences:\n- 'two\n- it's\n- four\n", 2, ("two", "it's", "four")),
    ('title: "Mine\nsentences:\n- "a"\n- b\n', 1, ("a", "b")),
    ("title: 'Mine\nsentences:\n- a\n- b\n", 1, ("a", "b")),
    ('sentences:\n  A:\n  - "a\n  - b\n  B:\n  - "c"\n', 3, ("a", "b", "c")),
    ("sentences:\n- a\n- b\ndescription: see: this\n", 4, ("a", "b")),
    ("sentences:\n- Note: this\n\n # a comment\n- b\n", 2, ("Note: this", "b")),
    ("sentences:\n- @a\n  # a comment\n- b\n", 2, ("@a", "b")),
    ("sentences:\n- a\n- b\ndescription: @home\n  and away\n", 4, ("a", "b")),
]
FLOWS = [
    ("sentences: [a, no]", '"no"', "no"),
    ("sentences: [a, *b]", '"*b"', "*b"),
    ("sentences: [a, 1.10]", '"1.10"', "1.10"),
]


def corrected(content: str, message: str) -> str:
    """The file after its author has written the suggested line instead of the one named, with what continues it."""
    place, suggestion = re.match(r"line (\d+)", message), MESSAGES_END.search(message)
    assert place, message
    assert suggestion, message
    lines = content.split("\n")
    line = int(place[1]) - 1
    indent = len(lines[line]) - len(lines[line].lstrip(" "))
    end = line + 1
    while end < len(lines) and (not lines[end] or lines[end].startswith(" " * (indent + 1))):
        end += 1
    return "\n".join([*lines[:line], " " * indent + suggestion["line"], *lines[end:]])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("item", "text"), ITEMS.items())
def test_an_odd_text_is_named_by_its_line_and_its_correction_works(item: str, text: str | None) -> None:
    content = with_third(f"- {item}")
    if text is None:
        assert read(content).set.all_sentences[2] == item
        return
    message = only_problem(content)
    assert message.startswith("line 4, ")
    assert read(corrected(content, message)).set.all_sentences == (
        "first one",
        "second one",
        text,
        "last one",
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("content", "line", "texts"), FILES)
def test_an_odd_file_is_named_by_its_line_and_its_correction_works(
    content: str, line: int, texts: tuple[str, ...]
) -> None:
    message = only_problem(content)
    assert message.startswith(f"line {line}, ")
    assert read(corrected(content, message)).set.all_sentences == texts


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("content", "right", "wrong"), FLOWS)
def test_an_odd_text_within_brackets_is_named_and_its_correction_works(
    content: str, right: str, wrong: str
) -> None:
    message = only_problem(content)
    assert message.startswith(f"line 1, column {content.index(wrong) + 1}: ")
    assert message.endswith(f"quotes: {right}")
    assert yaml.safe_load(right) in read(content.replace(wrong, right)).set.all_sentences


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("content", "place", "part"),
    [
        ("sentences:\n- |\ntext\n- b\n", "line 3, column 1", "neither `key: value` nor `- text`"),
        ("sentences:\n- a\nb\n- c\n", "line 3, column 1", "neither `key: value` nor `- text`"),
        ('sentences:\n- "a"\n"b"\n- c\n', "line 3, column 1", "neither `key: value` nor `- text`"),
        ("sentences: [a, b\ntitle: x\n", "line 1, column 12", "before line 2, column 6."),
        ("sentences: {A: [a, b]\ntitle: x\n", "line 1, column 12", "before line 2, column 1."),
        ('sentences: ["a" "b", c]\n', "line 1, column 12", "a comma is missing, before line 1, column 17."),
        ("sentences: [a, 'it's ok', b]", "line 1, column 12", "before line 1, column 20."),
        ('sentences: ["a, b]\ntitle: x', "line 1, column 13", 'has no closing ".'),
        ("sentences: [a,", "line 1, column 15", "expected the node content, but found '<stream end>'."),
        ("sentences: [a, , b]", "line 1, column 16", 'the text begins with ",", which ends an item in YAML.'),
    ],
)
def test_other_odd_files_are_named_by_their_line(content: str, place: str, part: str) -> None:
    message = only_problem(content)
    assert message.startswith(f"{place}: ")
    assert part in message
