"""Set files: what reads, what is refused with which words, and what the suggested remedy is worth."""

import json
import os
import pickle
import re
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support import not_root, text_of_any_kind

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets import COLOUR_MAPS, Reference, SentenceSet, SetFile, read_set, schema
from sentence_reports.sets.yaml_nodes import quote, read_document, show

PARAMS = Path(__file__).parents[2] / "params"
SHIPPED = sorted(PARAMS.glob("*.yaml"))
MESSAGES_END = re.compile(r"(?:quotes|in it): (?P<line>.*)$")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, so that messages call the file by a short name."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    """The text that the line which a message tells the author to write stands for."""
    found = MESSAGES_END.search(message)
    assert found, f"no line to write in: {message}"
    value = yaml.safe_load(found["line"])
    while not isinstance(value, str):
        (value,) = value.values() if isinstance(value, dict) else value
    return value


def with_third(item: str) -> str:
    return f"sentences:\n- first one\n- second one\n{item}\n- last one\n"


# What reads


@pytest.mark.usefixtures("folder")
class TestReading:
    def test_a_list(self) -> None:
        found = read("sentences: [a b, c]\n")
        assert found.set.texts == ("a b", "c")
        assert found.set.groups is None
        assert found.set.parameters() == {"sentences": ["a b", "c"]}
        assert (found.path, found.stem, found.warnings) == (Path("mine.yaml"), "mine", ())

    def test_groups_in_their_order(self) -> None:
        found = read("sentences:\n  Zoo: [a, b]\n  Art: [c]\n").set
        assert found.texts == ("a", "b", "c")
        assert found.groups == ("Zoo", "Zoo", "Art")
        assert found.parameters() == {"sentences": {"Zoo": ["a", "b"], "Art": ["c"]}}

    def test_defaults(self) -> None:
        found = SentenceSet(sentences=["a", "b"])
        assert found.model_dump() == {
            "title": None,
            "description": "",
            "sentences": ["a", "b"],
            "model": "BAAI/bge-base-en",
            "revision": None,
            "fallback_model": "sentence-transformers/all-MiniLM-L6-v2",
            "normalize": True,
            "label_size": 30,
            "cmap": "YlGnBu",
            "reference": None,
        }

    def test_parameters_are_what_the_author_wrote_and_no_more(self) -> None:
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

    def test_a_set_and_its_reference_cannot_be_changed(self) -> None:
        reference = Reference(source="s", model="m", similarity=[[1.0, None], [None, 1.0]])
        found = SentenceSet(sentences=["a", "b"], reference=reference)
        assert reference.tolerance == 1e-4
        with pytest.raises(ValidationError, match="frozen"):
            found.title = "x"
        with pytest.raises(ValidationError, match="frozen"):
            reference.tolerance = 1.0

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
        assert found.set.texts == ("first one", "second one", text, "last one")
        assert found.warnings == ()

    def test_line_ends_and_a_byte_order_mark_do_not_matter(self) -> None:
        content = "sentences:\n- a\n- b\n"
        expected = read(content).set
        assert read(content.replace("\n", "\r\n")).set == expected
        assert read(b"\xef\xbb\xbf" + content.encode()).set == expected
        assert only_problem("\ufeffsentences: [no, b]").startswith("line 1, column 13: sentence 1")

    def test_three_thousand_sentences_are_read(self) -> None:
        content = "sentences:\n" + "".join(f"- This is the sentence number {n}.\n" for n in range(3000))
        assert len(read(content).set.texts) == 3000

    def test_a_sentence_of_100_000_characters_passes(self) -> None:
        assert len(read(f"sentences:\n- {'word ' * 20_000}\n- b\n").set.texts[0]) == 99_999


@given(text_of_any_kind())
@example('"\\ \u2028 \ufeff \ufffd \U0001f600 é \ufffe \x1b[31m \x07 \x85 \r\n')
def test_any_text_in_quotes_comes_back_unchanged(text: str) -> None:
    document = read_document(f"sentences:\n- {quote(text)}\n".encode(), "sentences")
    assert (document.data, document.faults) == ({"sentences": [text]}, [])


@given(st.text(st.sampled_from(list(" -:#&*!|>'\"%@`{}[],?~=<\\nox1.\t")), min_size=1, max_size=14))
@example("'it's ok'")
def test_a_line_of_signs_is_read_or_refused_with_a_remedy_that_reads(text: str) -> None:
    document = read_document(f"sentences:\n- {text}\n- last one\n".encode(), "sentences")
    for fault in document.faults:
        assert fault.message.isprintable()
        if MESSAGES_END.search(fault.message):
            assert suggested(fault.message) in text.strip()
    if not document.faults and document.data and isinstance(document.data["sentences"][0], str):
        assert document.data == yaml.safe_load(f"sentences:\n- {text}\n- last one\n")


# What YAML makes of a text without quotes


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("bare", "found"),
    [
        ("no", "the boolean false"),
        ("yes", "the boolean true"),
        ("on", "the boolean true"),
        ("1.10", "the number 1.1"),
        ("007", "the number 7"),
        ("0x1F", "the number 31"),
        ("12:30:45", "the number 45045"),
        ("1_000", "the number 1000"),
        (".nan", "the number nan"),
        ("-.inf", "the number -inf"),
        ("0b_", "a number that cannot be read"),
        ("~", "null, which is nothing"),
        ("null", "null, which is nothing"),
        ("2024-01-02", "a date"),
        ("2024-13-45", "a date"),
        ("<<", "a merge key"),
        ("=", "YAML's sign for a default value"),
    ],
)
@pytest.mark.parametrize(
    ("content", "place", "lead"),
    [
        ("sentences:\n- a\n- b\n- {}\n", "line 4, column 3: sentence 3", "- "),
        ("sentences: [a, b, {}]", "line 1, column 19: sentence 3", ""),
        ("sentences:\n  Food:\n  - a\n  - {}\n", 'line 4, column 5: sentence 2 of group "Food"', "- "),
        ("description: {}\nsentences: [a, b]", "line 1, column 1: `description`", "description: "),
    ],
)
def test_what_is_no_text_without_quotes(content: str, place: str, lead: str, bare: str, found: str) -> None:
    message = problems(content.replace("{}", bare))[-1]
    assert message == f'{place} is {found} (YAML reads a bare "{bare}" so). Put it in quotes: {lead}"{bare}"'


@pytest.mark.usefixtures("folder")
def test_the_model_message_of_the_style_guide() -> None:
    content = "# mine\n\ntitle: Mine\nsentences:\n- first\n- second\n- no\n"
    with pytest.raises(SetError) as caught:
        read(content)
    assert str(caught.value) == (
        "mine.yaml, line 7, column 3: sentence 3 is the boolean false "
        '(YAML reads a bare "no" so). Put it in quotes: - "no"'
    )


# Signs


SIGNS = [
    ("&amp is ok", 'the text begins with "&", which names an anchor in YAML.'),
    ("*bold* text", 'the text begins with "*", which recalls an anchor in YAML.'),
    ("*bold", 'the text begins with "*", which recalls an anchor in YAML.'),
    ("@user hi", 'the text begins with "@", which is reserved in YAML.'),
    ("`code`", 'the text begins with "`", which is reserved in YAML.'),
    ("%x", 'the text begins with "%", which opens a directive in YAML.'),
    ("!important", 'the text begins with "!", which marks a tag in YAML.'),
    ("!!str 5", 'the text begins with "!", which marks a tag in YAML.'),
    ("{name} says", 'the text begins with "{", which opens a mapping in YAML.'),
    ("{{ name }} says", 'the text begins with "{", which opens a mapping in YAML.'),
    ("[sic] quote", 'the text begins with "[", which opens a list in YAML.'),
    ("> quoted", 'the text begins with ">", which opens a block of text in YAML.'),
    ("| x", 'the text begins with "|", which opens a block of text in YAML.'),
    (", then", 'the text begins with ",", which ends an item in YAML.'),
    (": x", 'the text begins with ":", which marks a value in YAML.'),
    ('"Hi" she said', 'the text begins with ", and YAML ends it at the second one.'),
    ("'Hi' she said", "the text begins with ', and YAML ends it at the second one."),
    ("Note: this is a mapping", "sentence 3 looks like `key: value`, which is a mapping in YAML."),
    ("{x}", 'sentence 3 is a mapping, because of the "{" it begins with.'),
    ("? what", 'sentence 3 is a mapping, because of the "?" it begins with.'),
    ("[x]", 'sentence 3 is a list, because of the "[" it begins with.'),
    ("- x", 'sentence 3 is a list, because of the "-" it begins with.'),
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
                'line 4, column 10: ": " marks a value in YAML. Put it in quotes: - "Note: a: b"',
            ),
            ("\t- x", 'line 4, column 1: a tab stands where YAML needs spaces. Put it in quotes: - "x"'),
            ("-\tx", 'line 4, column 2: a tab stands where YAML needs spaces. Put it in quotes: - "x"'),
            ("- x\ty", 'line 4, column 4: a tab stands where YAML needs spaces. Put it in quotes: - "x\\ty"'),
            (
                "-\t",
                "line 4, column 2: a tab stands where YAML needs spaces. Write spaces instead, or nothing.",
            ),
            ("-x", 'line 4, column 1: a dash needs a space behind it. Put it in quotes: - "x"'),
            ("words", 'line 4, column 1: "words" is neither `key: value` nor `- text`.'),
            (
                '- "a\\qb"',
                "line 4, column 3: a backslash in double quotes needs a second one. "
                'Put it in quotes: - "a\\\\qb"',
            ),
            (
                "- 'it's ok'",
                "line 4, column 3: the text begins with ', and YAML ends it at the second one. "
                'Put it in quotes: - "it\'s ok"',
            ),
            (
                "- [open",
                "line 4, column 3: the list that opens here lacks a comma or its ] before line 6, column 1. "
                'Or is it text? Put it in quotes: - "[open"',
            ),
            (
                "- [a, ,b]",
                "line 4, column 7: a value is missing before this sign. Write one, or remove the sign.",
            ),
            ("-", "line 4, column 2: sentence 3 is empty. Write a text there, or remove it."),
            ('- " "', "line 4, column 3: sentence 3 is blank. Write something there, or remove it."),
            (
                "- #hashtag",
                "line 4, column 2: sentence 3 is empty, because # begins a comment. "
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
        assert read(with_third(corrected["line"])).set.texts[2] == text

    @pytest.mark.parametrize("mark", ['"', "'"])
    @pytest.mark.parametrize(
        "below", ["- {}five{}\n", "- {}five\n", '- six\'s and "seven"\n', "\ntitle: {}x{}\n"]
    )
    def test_a_quote_that_is_never_closed_is_named_where_it_opens(self, mark: str, below: str) -> None:
        message = problems(
            "sentences:\n- one\n- two\n- {}three\n".replace("{}", mark) + below.replace("{}", mark)
        )[0]
        assert message == (
            f"line 4, column 3: the text begins with {mark}, and no second one closes it. "
            'Put it in quotes: - "three"'
        )

    @pytest.mark.parametrize("mark", ['"', "'", ""])
    def test_a_key_that_is_too_long_for_yaml(self, mark: str) -> None:
        assert "characters; YAML allows 1,024. Shorten it." in only_problem(
            f"sentences:\n  {mark}{'k' * 1100}{mark}: [a, b]\n"
        )

    def test_an_item_too_far_to_the_left(self) -> None:
        assert only_problem("sentences:\n  - a\n - b\n") == (
            "line 3, column 2: this does not fit the lines above it. "
            "Check its indentation; put text with special signs in quotes."
        )

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            ("title: x\n  sentences: [a, b]\n", "line 2, column 12"),
            ("sentences:\n  A: x\n    B: [c]\n", "line 3, column 6"),
        ],
    )
    def test_a_key_too_far_to_the_right_is_not_blamed_on_its_value(self, content: str, place: str) -> None:
        assert only_problem(content) == (
            f"{place}: this does not fit the lines above it. "
            "Check its indentation; put text with special signs in quotes."
        )

    @pytest.mark.parametrize(
        "content",
        [
            "sentences:\n- one #two\n\n  three\n- b\n",
            "sentences:\n- one\n  # two\n  three\n- b\n",
            "sentences:\n- one\n# two\n  three\n- b\n",
            "sentences:\n  Food # and drink: [a]\n  Zoo: [b]\n",
            "sentences: [one #two, three]\n",
        ],
    )
    def test_a_comment_that_cuts_a_text_in_two_is_named(self, content: str) -> None:
        hint = "The # above begins a comment: if it is part of a text, put all of that text in quotes."
        assert hint in only_problem(content)

    def test_within_brackets_and_behind_keys(self) -> None:
        assert only_problem("sentences: [@a, b]") == (
            'line 1, column 13: the text begins with "@", which is reserved in YAML. Put it in quotes: "@a"'
        )
        assert only_problem("sentences: [a, b]\ntitle: Note: this") == (
            'line 2, column 12: ": " marks a value in YAML. Put it in quotes: title: "Note: this"'
        )

    def test_a_long_text_is_cut_and_the_rule_given(self) -> None:
        long = "Note: " + "word " * 60
        assert only_problem(with_third(f"- {long}")) == (
            "line 4, column 3: sentence 3 looks like `key: value`, which is a mapping in YAML. "
            f'Put all of it in double quotes, with a backslash before each " and \\ in it: - "{long[:57]}..."'
        )

    @pytest.mark.parametrize("key", ["a\ufeffb", "k" * 100])
    def test_a_key_that_does_not_bear_repeating_is_left_out(self, key: str) -> None:
        assert problems(f"sentences: [a, b]\n{key}: @x\n")[-1] == (
            f"line 2, column {len(key) + 3}: the text begins with "
            '"@", which is reserved in YAML. Put it in quotes: "@x"'
        )

    def test_lines_are_counted_as_editors_do(self) -> None:
        assert only_problem('sentences:\n- "a\u2028b"\n- no\n').startswith("line 3, column 3: sentence 2 is")


# Comments and dashes that a text loses or swallows


@pytest.mark.usefixtures("folder")
class TestWarnings:
    def test_a_comment_behind_a_sentence(self) -> None:
        found = read("title: A # b\nsentences:\n- I like C # and F#\n- b\n")
        assert found.set.texts == ("I like C", "b")
        assert [str(warning) for warning in found.warnings] == [
            'mine.yaml, line 1, column 1: `title` ends before "# b", which YAML takes for a comment. '
            'Is it part of the text? Put it in quotes: title: "A # b"',
            'mine.yaml, line 3, column 3: sentence 1 ends before "# and F#", which YAML takes for a comment. '
            'Is it part of the text? Put it in quotes: - "I like C # and F#"',
        ]

    @pytest.mark.parametrize(
        "item", ['- "quoted" # comment', "- |  # comment\n  text\n  - more", "# comment\n- x", "- a#b"]
    )
    def test_other_comments_are_nobodys_business(self, item: str) -> None:
        assert read(with_third(item) + "model: m # comment\n").warnings == ()

    def test_a_dash_too_far_to_the_right(self) -> None:
        found = read("sentences:\n- a\n  - b\n- c\n")
        assert found.set.texts == ("a - b", "c")
        assert [str(warning) for warning in found.warnings] == [
            'mine.yaml, line 2, column 3: sentence 1 holds a line that begins with "- ". '
            "Is that a text of its own? Indent it like this one."
        ]


# Keys


@pytest.mark.usefixtures("folder")
class TestKeys:
    def test_an_unknown_key(self) -> None:
        assert problems("sentance: [x, y]") == [
            "line 1, column 1: `sentance` is an unknown key; did you mean `sentences`?",
            ": `sentences` is missing.",
        ]
        assert only_problem("sentences: [a, b]\nzzz: 1") == (
            "line 2, column 1: `zzz` is an unknown key. Known keys are title, description, sentences, model, "
            "revision, fallback_model, normalize, label_size, cmap, reference."
        )

    def test_a_key_in_capitals(self) -> None:
        assert only_problem("sentences: [a, b]\nTITLE: x") == (
            "line 2, column 1: `TITLE` is an unknown key; did you mean `title`?"
        )

    def test_a_key_that_is_code(self) -> None:
        key = 'x=__import__("os").getcwd();y'
        assert only_problem(f"sentences: [a, b]\n{key}: 1").startswith(
            f"line 2, column 1: `{key}` is an unknown"
        )

    def test_a_key_twice(self) -> None:
        assert only_problem("sentences: [a, b]\ntitle: x\n'sentences': [c, d, no]\n") == (
            'line 3, column 1: the key "sentences" is on line 1 already. Keep one of the two.'
        )
        assert only_problem("sentences:\n  Food: [a, b]\n  Food: [c]\n") == (
            'line 3, column 3: the key "Food" is on line 2 already. Keep one of the two.'
        )

    def test_a_merge_key(self) -> None:
        assert only_problem("<<: {title: x}\nsentences: [a, b]") == (
            "line 1, column 1: `<<` is a merge key, and a set has none. Write the keys out."
        )

    def test_a_group_name_that_is_no_text(self) -> None:
        assert problems("sentences:\n  no: [a]\n  2024: [b]\n  ' ': [c]\n") == [
            'line 2, column 3: group "no" is the boolean false (YAML reads a bare "no" so). '
            'Put the name in quotes: "no":',
            'line 3, column 3: group "2024" is the number 2024 (YAML reads a bare "2024" so). '
            'Put the name in quotes: "2024":',
            'line 4, column 3: group " " has a blank name. Write one before the colon.',
        ]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("? [a]\n: b", 'line 1, column 1: the text begins with "?", which marks a key in YAML.'),
            ("[a]: b", 'line 1, column 1: the text begins with "[", which opens a list in YAML.'),
            ("x: {[a]: b}", 'line 1, column 4: the text begins with "{", which opens a mapping in YAML.'),
            ("x: y\n'z': {[a]: b}", "line 2, column 7: a list or mapping stands where a key is needed."),
        ],
    )
    def test_a_key_that_is_no_scalar(self, line: str, message: str) -> None:
        assert only_problem(line).startswith(message)

    def test_anchors_and_tags_before_lists(self) -> None:
        assert problems("sentences: &a [x, *a, y]\nreference: !!map {}\n")[:3] == [
            "line 1, column 12: an anchor (&) stands before a list or mapping, and none is allowed here. "
            "Remove it.",
            'line 1, column 19: the text begins with "*", which recalls an anchor in YAML. '
            'Put it in quotes: "*a"',
            "line 2, column 1: `reference.source` is missing.",
        ]

    def test_an_alias_bomb(self) -> None:
        rows = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        assert any("anchor" in problem for problem in problems("\n".join(rows)))


# Values


@pytest.mark.usefixtures("folder")
class TestValues:
    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("label_size: 4", "`label_size` is the number 4. It should be greater than or equal to 5."),
            ("label_size: 201", "`label_size` is the number 201. It should be less than or equal to 200."),
            ("label_size: 30.0", "`label_size` needs a whole number, and this is the number 30.0."),
            (
                f"label_size: 1{':59' * 5000}",
                "`label_size` needs a whole number, and this is a number that cannot be read.",
            ),
            ("label_size: true", "`label_size` needs a whole number, and this is the boolean true."),
            (
                'label_size: "30"',
                '`label_size` needs a whole number, and this is the text "30". Write it without quotes.',
            ),
            (
                f"label_size: {'9' * 5000}",
                "`label_size` needs a whole number, and this is a number that cannot be read.",
            ),
            ("normalize: 1", "`normalize` needs true or false, and this is the number 1."),
            (
                "cmap: ylgnbuu",
                '`cmap` holds "ylgnbuu", which is no matplotlib colour map; did you mean `YlGnBu`?',
            ),
            ("cmap: zzz", '`cmap` holds "zzz", which is no matplotlib colour map.'),
            ("model:", "`model` is empty. Write a text there, or remove it."),
            ('model: ""', "`model` is blank. Write something there, or remove it."),
            ('title: " "', "`title` is blank. Write something there, or remove it."),
            (
                "title: [x]",
                '`title` is a list, because of the "[" it begins with. Put it in quotes: title: "[x]"',
            ),
            ("reference: 5", "`reference` needs a mapping, and this is the number 5."),
        ],
    )
    def test_of_the_wrong_kind(self, line: str, message: str) -> None:
        assert only_problem(f"sentences: [a, b]\n{line}\n") == f"line 2, column 1: {message}"

    @pytest.mark.parametrize(
        ("value", "found"), [("one string", 'the text "one string"'), ("5", "the number 5"), ("", "nothing")]
    )
    def test_sentences_that_are_no_list(self, value: str, found: str) -> None:
        assert only_problem(f"sentences: {value}\n") == (
            f"line 1, column 1: `sentences` needs a list of texts, and this is {found}. "
            "Write one text a line, each behind a dash."
        )

    @pytest.mark.parametrize(
        "content", ["sentences: [a]", "sentences: {}", "sentences: {A: [a]}", "sentences: []"]
    )
    def test_too_few(self, content: str) -> None:
        assert re.fullmatch(
            r"line 1, column 1: `sentences` holds [01], and a set needs 2 to 3000 sentences\.",
            only_problem(content),
        )

    def test_too_many(self) -> None:
        content = "sentences:\n  A:\n" + "".join(f"  - a{n}\n" for n in range(3001))
        assert only_problem(content) == (
            "line 1, column 1: `sentences` holds 3001, and a set needs 2 to 3000 sentences."
        )

    def test_groups_that_are_no_lists(self) -> None:
        assert problems("sentences:\n  A: [a, b]\n  B: []\n  C:\n  D: d\n") == [
            'line 3, column 3: group "B" is empty. Write a sentence below it, or remove it.',
            'line 4, column 3: group "C" needs a list, and this is nothing.',
            'line 5, column 3: group "D" needs a list, and this is the text "d".',
        ]

    def test_the_same_sentence_twice(self) -> None:
        assert problems('sentences:\n- café  x\n- b\n- b\n- "cafe\\u0301 x "\n') == [
            'line 4, column 3: sentence 3 is the same as sentence 2, "b". Change or remove one. '
            "The other is on line 3.",
            "line 5, column 3: sentence 4 is the same as sentence 1 but for spaces or the way accents are "
            f'stored, "{unicodedata.normalize("NFD", "café")} x ". Change or remove one. '
            "The other is on line 2.",
        ]
        assert only_problem("sentences:\n  A: [a, b]\n  B: [b]\n") == (
            'line 3, column 7: sentence 1 of group "B" is the same as sentence 2 of group "A", "b". '
            "Change or remove one. The other is on line 2."
        )

    def test_a_reference(self) -> None:
        content = (
            "sentences: [a, b]\nreference:\n  source: s\n  modell: m\n  tolerance: 1e-4\n"
            "  similarity:\n  - [1, .nan, 2]\n  - x\n  - [~, -1.1]\n"
        )
        assert problems(content) == [
            "line 2, column 1: `reference.model` is missing.",
            "line 4, column 3: `reference.modell` is an unknown key; did you mean `model`?",
            'line 5, column 3: `reference.tolerance` needs a number, and this is the text "1e-4". '
            "With an exponent YAML wants a point and a sign, as in 1.0e-4.",
            "line 6, column 3: `reference.similarity` has 3 rows, and the set has 2 sentences.",
            "line 7, column 5: row 1 of `reference.similarity` has 3 figures, and the set has 2 sentences.",
            "line 7, column 9: figure 2 in row 1 of `reference.similarity` is the number nan. "
            "It should be a finite number.",
            "line 7, column 15: figure 3 in row 1 of `reference.similarity` is the number 2. "
            "It should be less than or equal to 1.01.",
            'line 8, column 5: row 2 of `reference.similarity` needs a list, and this is the text "x".',
            "line 9, column 9: figure 2 in row 3 of `reference.similarity` is the number -1.1. "
            "It should be greater than or equal to -1.01.",
        ]

    def test_a_figure_that_is_a_mapping(self) -> None:
        content = "sentences: [a, b]\nreference: {source: s, model: m, similarity: [[1, {x: 1}], [1, 1]]}"
        assert only_problem(content) == (
            "line 2, column 51: figure 2 in row 1 of `reference.similarity` needs a number, and this is a mapping."
        )

    @pytest.mark.parametrize("tolerance", ["0", "-0.1", ".inf"])
    def test_a_tolerance_that_is_none(self, tolerance: str) -> None:
        reference = f"{{source: s, model: m, tolerance: {tolerance}, similarity: [[1, 1], [1, 1]]}}"
        content = f"sentences: [a, b]\nreference: {reference}"
        assert "`reference.tolerance` is the number" in only_problem(content)

    def test_all_problems_come_at_once(self) -> None:
        content = "titel: x\nsentences:\n- same\n- no\n- same\n- &amp\nlabel_size: 1\ncmap: 3\n"
        assert [problem.split(":")[0] for problem in problems(content)] == [
            "line 1, column 1",
            "line 4, column 3",
            "line 5, column 3",
            "line 6, column 3",
            "line 7, column 1",
            "line 8, column 1",
        ]

    def test_a_text_that_cannot_be_read_hides_no_other(self) -> None:
        content = (
            'title: %x\nsentences:\n- @user hi\n- {name} says\n- no\n- "Hi" she said\n-   *bold* text\n'
            "\n- > quoted\n- Note: this\nlabel_size: 3\n"
        )
        assert [problem.split(":")[0] for problem in problems(content)] == [
            "line 1, column 8",
            "line 3, column 3",
            "line 4, column 3",
            "line 5, column 3",
            "line 6, column 3",
            "line 7, column 5",
            "line 9, column 3",
            "line 10, column 3",
            "line 11, column 1",
        ]

    @pytest.mark.parametrize(
        "content",
        [
            "sentences:\n- @one\n\n  two\n- @x\n",  # goes on below
            "sentences: [@x, no]\n",  # within brackets
            "sentences:\n- \u2028@x\n- b\n",  # quotes do not help
            "title: [open\nsentences: [a, no]\n",  # no text
            "sentences:\n  - a\n - b\n- @x\n",  # not at the beginning of a text
        ],
    )
    def test_where_going_on_would_be_guessing_it_ends(self, content: str) -> None:
        assert only_problem(content)

    def test_a_large_file_is_not_read_over_and_over(self) -> None:
        assert len(problems("sentences:\n" + "- @a word or two\n" * 3000)) < 10

    def test_in_python_too(self) -> None:
        with pytest.raises(ValidationError, match="sentence 2 is the same as sentence 1"):
            SentenceSet(sentences=["a", "a"])
        with pytest.raises(ValidationError, match="`sentences` holds 1, and a set needs 2 to 3000"):
            SentenceSet(sentences=["a"])
        with pytest.raises(ValidationError, match="colour map"):
            SentenceSet(sentences=["a", "b"], cmap="nope")


# Files


@pytest.mark.usefixtures("folder")
class TestFiles:
    @pytest.mark.parametrize("content", ["", "\n", "# only\n# comments\n", "---\n", "---\n...\n", "\ufeff"])
    def test_empty(self, content: str) -> None:
        assert only_problem(content) == (
            ": the file is empty. It needs at least `sentences:` with a list of texts below."
        )

    @pytest.mark.parametrize("content", ["- a\n- b\n", "a text", "5"])
    def test_without_keys(self, content: str) -> None:
        assert (
            only_problem(content) == "line 1, column 1: the file needs keys at its top, as in `sentences:`."
        )

    def test_two_documents(self) -> None:
        assert only_problem("sentences: [a, b]\n---\nsentences: [c, d]\n") == (
            "line 2, column 1: a second document starts here. Keep one in a file."
        )

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_utf_16(self, encoding: str) -> None:
        assert only_problem("sentences: [a, b]".encode(encoding)) == (
            ": the file is UTF-16 or UTF-32. Save it as UTF-8."
        )

    def test_latin_1(self) -> None:
        assert only_problem("title: ü\nsentences:\n- ä né\n".encode().replace("é".encode(), b"\xe9")) == (
            "line 3, column 6: the byte 0xE9 is not UTF-8; the file may be in Latin-1. Save it as UTF-8."
        )

    @pytest.mark.parametrize(
        ("item", "message"),
        [
            ("- a\0b", "line 4, column 4: U+0000 is refused: no web page can hold it. Remove it."),
            ('- "a\\0b"', "line 4, column 3: U+0000 is refused: no web page can hold it. Remove it."),
            (
                "- a\x1b[31mb",
                "line 4, column 4: U+001B does not come through YAML as it is. "
                "Write \\x1b in double quotes, or remove it.",
            ),
            (
                "- a\x85b",
                "line 4, column 4: U+0085 does not come through YAML as it is. "
                "Write \\x85 in double quotes, or remove it.",
            ),
            (
                '- "\\ud800"',
                "line 4, column 3: U+D800 is half of a surrogate pair, which no file can hold. "
                "Write the character itself.",
            ),
            ('- "\\UFFFFFFFF"', "line 4, column 6: this escape or number stands for no character."),
        ],
    )
    def test_what_is_no_text(self, item: str, message: str) -> None:
        assert only_problem(with_third(item)) == message

    @pytest.mark.parametrize("character", ["\u2028", "\u2029"])
    @pytest.mark.parametrize(
        ("item", "column"),
        [
            ('- "a {}b"', 6),
            ("- a{}b", 4),
            ("- |\n  a{}b", 4),
            ('- "a{}\n  b"', 5),
            ("- {} a", 3),
            ("- a {}", 5),
            ("-{}  a", 2),
            ("# a{}", 4),
        ],
    )
    def test_a_break_that_yaml_would_tamper_with(self, character: str, item: str, column: int) -> None:
        code = f"{ord(character):04x}"
        assert only_problem(with_third(item.replace("{}", character))).endswith(
            f"column {column}: U+{code} is a line break to YAML, which drops the spaces and lines beside it. "
            f"Write \\u{code} in double quotes."
        )
        assert read(with_third(f'- "a{character}b"')).set.texts[2] == f"a{character}b"

    def test_lone_surrogates_in_the_bytes(self) -> None:
        assert "the byte 0xED is not UTF-8" in only_problem(b"sentences:\n- \xed\xa0\x80\n- b\n")

    @pytest.mark.parametrize("nest", ["[", "{", "- ", "? ", "[{a: "])
    def test_deep_nests(self, nest: str) -> None:
        assert only_problem("sentences:\n" + nest * 100_000)

    def test_the_depth_is_named(self) -> None:
        assert only_problem("sentences: " + "[" * 50) == "line 1, column 31: nested more than 20 levels deep."

    @pytest.mark.parametrize("size", [5_000_001, 100_000_000])
    def test_too_big(self, size: int) -> None:
        Path("mine.yaml").touch()
        os.truncate("mine.yaml", size)
        with pytest.raises(SetError) as caught:
            read_set(Path("mine.yaml"))
        assert str(caught.value) == (
            "mine.yaml: the file has more than 5 MB, the most a set may have. Split it."
        )

    def test_too_many_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "sentence_reports.sets.yaml_nodes.MAX_VALUES", 50
        )  # counting to 100,000 takes seconds
        message = "the file holds more than 50 values. Split it."
        assert only_problem("sentences: [" + "a," * 51 + "]") == f"line 1, column 113: {message}"
        assert problems("sentences: [" + "*a," * 51 + "]")[-1] == f"line 1, column 88: {message}"

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("none.yaml", "there is no such file."),
            ("mine.yaml/x.yaml", "there is no such file."),
            ("folder.yaml", "this is a folder. A set is a YAML file."),
            ("pipe.yaml", "this is a device or pipe. A set is a YAML file."),
            ("broken.yaml", 'this is a link to "gone.yaml", which does not exist.'),
            ("loop.yaml", "the file cannot be read (Too many levels of symbolic links)."),
            ("a\0b.yaml", "the file cannot be read (embedded null byte)."),
        ],
    )
    def test_what_is_no_readable_file(self, name: str, message: str) -> None:
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
            read("sentences:\n" + "- no\n" * 49_000)
        assert len(caught.value.problems) == 49_001
        lines = str(caught.value).splitlines()
        assert len(lines) == 11
        assert lines[9].startswith("mine.yaml, line 10, column 3: ")
        assert lines[10] == "mine.yaml: 48,991 more problems"
        other = Problem("other.yaml", None, None, "is empty.")
        both = str(SetError((*caught.value.problems[:11], other))).splitlines()
        assert both[10:] == ["mine.yaml: 1 more problem", "other.yaml: is empty."]

    def test_errors_survive_pickling(self) -> None:
        with pytest.raises(SetError) as caught:
            read("sentences: [no, b]")
        assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_what_is_shown_is_cut_and_printable() -> None:
    assert show("a\x1b\n\u202e" + "x" * 100) == '"a\\x1b\\n\\u202e' + "x" * 53 + '..."'


# Fuzz: whatever a file holds, it is read or refused with our own error, at once

PIECES = [
    " ", "  ", "\t", "\n", "\r", "\n\n", "- ", "-", ": ", ":", " #", "#", "? ", "&a ", "*a", "!", "!!str ", "|", ">-",
    "'", '"', "\\", "\\x", "\\u12", "\\ud800", "\\UFFFFFFFF", "\\0", "[", "]", "{", "}", ",", "%", "@", "`", "~",
    "<<: ", "=", "---\n", "...\n", "no", "1.10", ".nan", "0x", "0b_", "12:30", "2024-01-02", "sentences:", "title:",
    "reference:", "é", "🙂", "\ufeff", "\x85", "\u2028", "\x1b", "\0", "[" * 30, "- " * 30, "9" * 200, "x" * 3000,
]  # fmt: skip
VALID = [
    *(path.read_bytes() for path in SHIPPED),
    b"sentences: [a, 'b', \"c\"]\nlabel_size: 40\nnormalize: false\n",
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


@pytest.mark.usefixtures("folder")
def test_two_byte_order_marks_are_one_too_many() -> None:
    with pytest.raises(SetError, match="begins with two byte order marks"):
        read(b"\xef\xbb\xbf\xef\xbb\xbfsentences: [a, b]\n")


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


# The schema, the shipped sets, the colour maps, the imports


def test_the_schema_in_git_is_the_one_of_the_code() -> None:
    text = (PARAMS / "schema.json").read_text(encoding="utf-8")
    expected = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    assert text == expected, "params/schema.json is stale: sentence-reports schema > params/schema.json"


def test_the_schema_suits_editors() -> None:
    found = schema()
    assert found["additionalProperties"] is False
    assert found["required"] == ["sentences"]
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


def python(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


def test_the_colour_maps_are_matplotlibs() -> None:
    # in a process of its own: seaborn adds maps to matplotlib's list wherever a test imports it
    assert sorted(COLOUR_MAPS) == sorted(python("import matplotlib; print(*matplotlib.colormaps)"))


def test_nothing_heavy_is_imported() -> None:
    imported = python("import sys, sentence_reports.sets; print(*sys.modules)")
    assert "yaml" in imported
    assert not {"numpy", "matplotlib", "torch", "nbformat", "papermill", "pandas"} & set(imported)


def test_a_reference_without_a_figure_is_an_error(tmp_path: Path) -> None:
    text = (
        "sentences: [a, b]\nreference:\n  source: s\n  model: m\n  similarity: [[null, null], [null, null]]\n"
    )
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SetError, match=r"line 5, .* states no figure\. Give at least one"):
        read_set(path)


@pytest.mark.parametrize("text", ['sentences:\n  - "one"\n - "two"\n', 'sentences:\n"one"\n"two"\n'])
def test_a_slip_of_the_indentation_is_not_blamed_on_the_quotes(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SetError, match=r"Check (its|the) indentation"):
        read_set(path)
