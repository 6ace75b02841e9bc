"""What YAML makes of texts and keys, and its limits."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from set_files import MESSAGES_END, only_problem, problems, read, suggested, with_third

from sentence_reports.sets.yaml_nodes import read_document


@given(st.text(st.sampled_from(list(" -:#&*!|>'\"%@`{}[],?~=<\\nox1.\t")), min_size=1, max_size=14))
@example("'it's ok'")
def test_a_line_of_signs_is_read_or_refused_with_a_remedy_that_reads(text: str) -> None:
    document = read_document(f"sentences:\n- {text}\n- last one\n".encode(), "mine.yaml")
    for problem in document.problems:
        assert problem.message.isprintable()
        if MESSAGES_END.search(problem.message):
            assert suggested(problem.message) in text.strip()
    if not document.problems and document.data and isinstance(document.data["sentences"][0], str):
        assert document.data == yaml.safe_load(f"sentences:\n- {text}\n- last one\n")


@pytest.mark.usefixtures("folder")
class TestKeys:
    def test_an_unknown_key(self) -> None:
        assert problems("sentance: [x, y]") == [
            "line 1, column 1: `sentance` is an unknown key; did you mean `sentences`?",
            ": `sentences` is missing. Write the sentences below it, or name a file with `texts`.",
        ]
        assert only_problem("sentences: [a, b]\nzzz: 1") == (
            "line 2, column 1: `zzz` is an unknown key. Known keys are title, description, sentences, texts, topics, "
            "map, queries, model, models, revision, prompt, truncate_dim, fallback_model, normalize, label_size, cmap, "
            "order, expect, claim, ratings, reference."
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
            'line 3, column 1: the key "sentences" is already on line 1. Keep only one of them.'
        )
        assert only_problem("sentences:\n  Food: [a, b]\n  Food: [c]\n") == (
            'line 3, column 3: the key "Food" is already on line 2. Keep only one of them.'
        )

    def test_a_merge_key(self) -> None:
        assert only_problem("<<: {title: x}\nsentences: [a, b]").startswith(
            "line 1, column 1: `<<` is an unknown key."
        )

    def test_a_group_name_that_is_not_text(self) -> None:
        assert problems("sentences:\n  no: [a]\n  2024: [b]\n  ' ': [c]\n") == [
            'line 2, column 3: group "no" is the boolean false (YAML reads "no" without quotes that way). '
            'Put the name in quotes: "no":',
            'line 3, column 3: group "2024" is the number 2024 (YAML reads "2024" without quotes that way). '
            'Put the name in quotes: "2024":',
            'line 4, column 3: group " " has no name. Write one before the colon.',
        ]

    @pytest.mark.parametrize(
        ("line", "place"),
        [
            ("? [a]\n: b", "line 1, column 3"),
            ("[a]: b", "line 1, column 1"),
            ("x: {[a]: b}", "line 1, column 5"),
            ("x: y\n'z': {[a]: b}", "line 2, column 7"),
        ],
    )
    def test_a_key_that_is_a_list(self, line: str, place: str) -> None:
        assert only_problem(line) == (
            f"{place}: a key must be text. Put text that begins with [ or {{ in quotes."
        )

    def test_anchors_and_tags_before_lists(self) -> None:
        assert problems("sentences: &a [x, *a, y]\nreference: !!map {}\n")[:3] == [
            'line 1, column 12: the text begins with "&", which marks an anchor in YAML. '
            "Remove it, or put the text in quotes.",
            'line 1, column 19: the text begins with "*", which refers to an anchor in YAML. '
            'Put it in quotes: "*a"',
            "line 2, column 1: `reference.source` is missing.",
        ]

    def test_an_anchor_before_a_key_and_after_a_comment(self) -> None:
        found = problems("sentences:\n- &amp x: y\n- *b # c\n")
        assert [problem for problem in found if "begins" in problem] == [
            'line 2, column 3: the text begins with "&", which marks an anchor in YAML. '
            "Remove it, or put the text in quotes.",
            'line 3, column 3: the text begins with "*", which refers to an anchor in YAML. '
            'Put it in quotes: - "*b # c"',
        ]

    def test_an_alias_bomb(self) -> None:
        rows = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        assert any("anchor" in problem for problem in problems("\n".join(rows)))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("encoding", "column", "byte"), [("utf-16", 1, "FF"), ("utf-16-le", 2, "00"), ("utf-16-be", 1, "00")]
)
def test_utf_16(encoding: str, column: int, byte: str) -> None:
    assert only_problem("sentences: [a, b]".encode(encoding)) == (
        f"line 1, column {column}: the byte 0x{byte} is not text in UTF-8; "
        "the file may be in Latin-1 or UTF-16. Save it as UTF-8."
    )


@pytest.mark.usefixtures("folder")
def test_latin_1() -> None:
    assert only_problem("title: ü\nsentences:\n- ä né\n".encode().replace("é".encode(), b"\xe9")) == (
        "line 3, column 6: the byte 0xE9 is not text in UTF-8; "
        "the file may be in Latin-1 or UTF-16. Save it as UTF-8."
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("item", "column", "code"),
    [
        ('- "a\\0b"', 3, "0000"),
        ("- a\x1b[31mb", 4, "001B"),
        ("- a\x85b", 4, "0085"),
        ('- "\\ud800"', 3, "D800"),
    ],
)
def test_a_character_that_is_not_text(item: str, column: int, code: str) -> None:
    assert only_problem(with_third(item)) == (
        f"line 4, column {column}: the character U+{code} is not allowed here. Remove it."
    )


@pytest.mark.usefixtures("folder")
def test_an_escape_beyond_unicode() -> None:
    message = "line 4, column 6: this escape is not a valid character."
    assert only_problem(with_third('- "\\UFFFFFFFF"')) == message


@pytest.mark.usefixtures("folder")
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
def test_a_line_break_that_editors_do_not_show(character: str, item: str, column: int) -> None:
    code = f"{ord(character):04x}"
    assert only_problem(with_third(item.replace("{}", character))).endswith(
        f"column {column}: the character U+{code} is not allowed here. Remove it."
    )
    assert read(with_third(f'- "a\\u{code}b"')).set.all_sentences[2] == f"a{character}b"


@pytest.mark.usefixtures("folder")
def test_lone_surrogates_in_the_bytes() -> None:
    assert "the byte 0xED is not text in UTF-8" in only_problem(b"sentences:\n- \xed\xa0\x80\n- b\n")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("nest", ["[", "{", "- ", "? ", "[{a: "])
def test_deep_nests(nest: str) -> None:
    assert only_problem("sentences:\n" + nest * 100_000)


@pytest.mark.usefixtures("folder")
def test_the_depth_is_named() -> None:
    assert only_problem("sentences: " + "[" * 50) == "line 1, column 31: nested more than 20 levels deep."


@pytest.mark.usefixtures("folder")
def test_too_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sentence_reports.sets.yaml_nodes.MAX_VALUES", 50
    )  # counting to 100,000 takes seconds
    message = "the file has more than 50 values. Split it."
    assert only_problem("sentences: [" + "a," * 51 + "]") == f"line 1, column 107: {message}"
    assert problems("sentences: [" + "*a," * 51 + "]")[-1] == f"line 1, column 154: {message}"
