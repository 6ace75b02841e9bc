"""Values that a set does not accept, and how the author is told."""

import re
import unicodedata
from pathlib import Path

import pytest
from set_files import only_problem, problems, read

from sentence_reports.errors import SetError
from sentence_reports.sets import read_set


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
        ("0b_", "a value that cannot be read"),
        ("~", "nothing"),
        ("null", "nothing"),
        ("2024-01-02", "a date"),
        ("2024-13-45", "a date"),
        ("<<", "a value that cannot be read"),
        ("=", "a value that cannot be read"),
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
def test_what_is_not_text_without_quotes(content: str, place: str, lead: str, bare: str, found: str) -> None:
    message = problems(content.replace("{}", bare))[-1]
    assert (
        message
        == f'{place} is {found} (YAML reads "{bare}" without quotes that way). Put it in quotes: {lead}"{bare}"'
    )


@pytest.mark.usefixtures("folder")
def test_the_model_message_of_the_style_guide() -> None:
    content = "# mine\n\ntitle: Mine\nsentences:\n- first\n- second\n- no\n"
    with pytest.raises(SetError) as caught:
        read(content)
    assert str(caught.value) == (
        "mine.yaml, line 7, column 3: sentence 3 is the boolean false "
        '(YAML reads "no" without quotes that way). Put it in quotes: - "no"'
    )


@pytest.mark.usefixtures("folder")
class TestValues:
    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("label_size: 4", "`label_size` must be at least 5, not the number 4."),
            ("label_size: 201", "`label_size` must be at most 200, not the number 201."),
            ("label_size: 30.0", "`label_size` must be a whole number, not the number 30.0."),
            (
                f"label_size: 1{':59' * 5000}",
                "`label_size` must be a whole number, not a value that cannot be read.",
            ),
            ("label_size: true", "`label_size` must be a whole number, not the boolean true."),
            (
                'label_size: "30"',
                '`label_size` must be a whole number, not the text "30". Write it without quotes.',
            ),
            (
                f"label_size: {'9' * 5000}",
                "`label_size` must be a whole number, not a value that cannot be read.",
            ),
            ("normalize: 1", "`normalize` must be true or false, not the number 1."),
            (
                "cmap: ylgnbuu",
                '`cmap` is "ylgnbuu", which is not a matplotlib colormap; did you mean `YlGnBu`?',
            ),
            ("cmap: zzz", '`cmap` is "zzz", which is not a matplotlib colormap.'),
            ("order: size", '`order` must be `given` or `similarity`, not the text "size".'),
            ("model:", "`model` is empty. Write some text, or remove it."),
            ('model: ""', "`model` is blank. Write some text, or remove it."),
            ('title: " "', "`title` is blank. Write some text, or remove it."),
            (
                "title: [x]",
                '`title` is a list, because it begins with "[". Put it in quotes: title: "[x]"',
            ),
            ("reference: 5", "`reference` must be a mapping, not the number 5."),
        ],
    )
    def test_of_the_wrong_kind(self, line: str, message: str) -> None:
        assert only_problem(f"sentences: [a, b]\n{line}\n") == f"line 2, column 1: {message}"

    @pytest.mark.parametrize(
        ("value", "found"), [("one string", 'the text "one string"'), ("5", "the number 5"), ("", "nothing")]
    )
    def test_sentences_that_are_not_a_list(self, value: str, found: str) -> None:
        assert only_problem(f"sentences: {value}\n") == (
            f"line 1, column 1: `sentences` must be a list of texts, not {found}. "
            "Write one per line, each after a dash."
        )

    @pytest.mark.parametrize(
        "content", ["sentences: [a]", "sentences: {}", "sentences: {A: [a]}", "sentences: []"]
    )
    def test_too_few(self, content: str) -> None:
        assert re.fullmatch(
            r"line 1, column 1: `sentences` has (0 sentences|1 sentence); a set needs 2 to 3,000\.",
            only_problem(content),
        )

    def test_too_many(self) -> None:
        content = "sentences:\n  A:\n" + "".join(f"  - a{n}\n" for n in range(3001))
        assert only_problem(content) == (
            "line 1, column 1: `sentences` has 3,001 sentences; a set needs 2 to 3,000."
        )

    def test_groups_that_are_not_lists(self) -> None:
        assert problems("sentences:\n  A: [a, b]\n  B: []\n  C:\n  D: d\n") == [
            'line 3, column 3: group "B" is empty. Write a sentence below it, or remove it.',
            'line 4, column 3: group "C" must be a list, not nothing.',
            'line 5, column 3: group "D" must be a list, not the text "d". Write a dash before it.',
        ]

    def test_the_same_sentence_twice(self) -> None:
        assert problems('sentences:\n- café  x\n- b\n- b\n- "cafe\\u0301 x "\n') == [
            'line 4, column 3: sentence 3 is the same as sentence 2: "b". Change or remove one. '
            "A file of texts may repeat them; name it with `texts`. The other is on line 3.",
            "line 5, column 3: sentence 4 is the same as sentence 1, except for spaces or how accents are "
            f'stored: "{unicodedata.normalize("NFD", "café")} x ". Change or remove one. '
            "A file of texts may repeat them; name it with `texts`. The other is on line 2.",
        ]
        assert only_problem("sentences:\n  A: [a, b]\n  B: [b]\n") == (
            'line 3, column 7: sentence 1 of group "B" is the same as sentence 2 of group "A": "b". '
            "Change or remove one. A file of texts may repeat them; name it with `texts`. The other is on line 2."
        )

    def test_a_reference(self) -> None:
        content = (
            "sentences: [a, b]\nreference:\n  source: s\n  modell: m\n  tolerance: 1e-4\n"
            "  similarity:\n  - [1, .nan, 2]\n  - x\n  - [~, -1.1]\n"
        )
        assert problems(content) == [
            "line 2, column 1: `reference.model` is missing.",
            "line 4, column 3: `reference.modell` is an unknown key; did you mean `model`?",
            'line 5, column 3: `reference.tolerance` must be a number, not the text "1e-4". '
            "With an exponent, YAML needs a decimal point and a sign, as in 1.0e-4.",
            "line 6, column 3: `reference.similarity` has 3 rows, but the set has 2 sentences.",
            "line 7, column 5: row 1 of `reference.similarity` has 3 figures, but the set has 2 sentences.",
            "line 7, column 9: figure 2 in row 1 of `reference.similarity` must be a finite number, "
            "not the number nan.",
            "line 7, column 15: figure 3 in row 1 of `reference.similarity` must be at most 1.01, "
            "not the number 2.",
            'line 8, column 5: row 2 of `reference.similarity` must be a list, not the text "x". '
            "Write a dash before it.",
            "line 9, column 9: figure 2 in row 3 of `reference.similarity` must be at least -1.01, "
            "not the number -1.1.",
        ]

    def test_a_figure_that_is_a_mapping(self) -> None:
        content = "sentences: [a, b]\nreference: {source: s, model: m, similarity: [[1, {x: 1}], [1, 1]]}"
        assert only_problem(content) == (
            "line 2, column 51: figure 2 in row 1 of `reference.similarity` must be a number, not a mapping."
        )

    @pytest.mark.parametrize("tolerance", ["0", "-0.1", ".inf"])
    def test_a_tolerance_that_is_not_positive(self, tolerance: str) -> None:
        reference = f"{{source: s, model: m, tolerance: {tolerance}, similarity: [[1, 1], [1, 1]]}}"
        content = f"sentences: [a, b]\nreference: {reference}"
        assert "`reference.tolerance` must be " in only_problem(content)


def test_a_reference_without_a_figure_is_an_error(tmp_path: Path) -> None:
    text = "sentences: [a, b]\nreference:\n  source: s\n  model: m\n  similarity: [[1, null], [null, 1]]\n"
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(
        SetError, match=r"line 5, .* contains no figures \(the diagonal does not count\)\. Add at least one"
    ):
        read_set(path)


def test_published_figures_that_contradict_each_other_are_both_named(tmp_path: Path) -> None:
    text = (
        "sentences: [a, b]\nreference:\n  source: s\n  model: m\n  similarity:\n  - [1, 0.5]\n  - [{}, 1]\n"
    )
    path = tmp_path / "mine.yaml"
    path.write_text(text.format(0.7))
    words = (
        r"line 7, column 6: figure 1 in row 2 of `reference.similarity` is 0\.7, "
        r"but figure 2 in row 1 of `reference.similarity` is 0\.5"
    )
    with pytest.raises(SetError, match=words):
        read_set(path)
    path.write_text(text.format(0.50001))  # within the tolerance
    assert read_set(path).set.reference is not None
