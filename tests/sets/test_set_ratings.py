"""Ratings: written in the set, or in a table next to it."""

import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from set_files import only_problem, problems, read

from sentence_reports.errors import SetError
from sentence_reports.sets import SentenceSet, SetFile, read_set

SENTENCES = "sentences:\n- The cat sat\n- A dog barked\n- It rains, alas\n"
COLUMNS = {"first": "one", "second": "other", "score": "score"}


def rating_problems(*rows: str) -> list[str]:
    """The problems of ratings in a set, without their places."""
    found = problems(f"{SENTENCES}ratings:\n" + "".join(f"- {row}\n" for row in rows))
    return [problem.split(": ", 1)[1] for problem in found]


def read_with(table: str, name: str = "table.csv", **keys: str) -> SetFile:
    """Read a set in a folder with this table next to it."""
    Path("params").mkdir(exist_ok=True)
    Path("params", name).write_text(table, encoding="utf-8")
    path = Path("params", "mine.yaml")
    path.write_text(SENTENCES + yaml.safe_dump({"ratings": {"file": name} | COLUMNS | keys}))
    return read_set(path)


def table_problems(table: str, name: str = "table.csv", **keys: str) -> list[str]:
    with pytest.raises(SetError) as caught:
        read_with(table, name, **keys)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.usefixtures("folder")
class TestInASet:
    def test_by_number_and_by_text(self) -> None:
        found = read(
            f"{SENTENCES}ratings:\n- [1, 2, 0]\n- [It rains, The cat sat, 4.5]\n- [3, 2, -1]\n".replace(
                "[It rains", '["It  rains, alas"'
            )
        ).set
        assert found.rated_pairs() == ((0, 1, 0.0), (2, 0, 4.5), (2, 1, -1.0))
        assert found.parameters()["ratings"] == [
            [1, 2, 0],
            ["It  rains, alas", "The cat sat", 4.5],
            [3, 2, -1],
        ]

    def test_a_set_without_ratings(self) -> None:
        assert read(SENTENCES).set.rated_pairs() == ()

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            (
                "[1, 4, 3]",
                "the second sentence in row 3 of `ratings` is 4, but the set has sentences 1 to 3.",
            ),
            ("[0, 2, 3]", "the first sentence in row 3 of `ratings` is 0, but the set has sentences 1 to 3."),
            (
                "[A dog barks, 1, 3]",
                'the first sentence in row 3 of `ratings` is "A dog barks", which is not a sentence of the set; '
                'did you mean sentence 2, "A dog barked"?',
            ),
            (
                "[2, 2, 3]",
                "row 3 of `ratings` compares sentence 2 with itself. Name two different sentences.",
            ),
            (
                "[The cat sat, 1, 3]",
                "row 3 of `ratings` compares sentence 1 with itself. Name two different sentences.",
            ),
            (
                "[1, 2, 3]",
                "row 3 of `ratings` rates the same pair as row 1. Keep only one. The other is on line 6.",
            ),
            (
                "[2, 1, 5]",
                "row 3 of `ratings` rates the same pair as row 1. Keep only one. The other is on line 6.",
            ),
            ("[2, 3, .nan]", "the score in row 3 of `ratings` must be a finite number, not the number nan."),
            (
                "[2, 3, -.inf]",
                "the score in row 3 of `ratings` must be a finite number, not the number -inf.",
            ),
            ("[2, 3, yes]", "the score in row 3 of `ratings` must be a number, not the boolean true."),
            (
                '[2, 3, "4"]',
                'the score in row 3 of `ratings` must be a number, not the text "4". Write it without quotes.',
            ),
            (
                "[2, 1.5, 4]",
                "the second sentence in row 3 of `ratings` must be a whole number or a text, not the number 1.5.",
            ),
            (
                "[2, 3]",
                "row 3 of `ratings` must be a list of two sentences and a score, such as [1, 2, 3.5], not a list of 2.",
            ),
            (
                "5",
                "row 3 of `ratings` must be a list of two sentences and a score, such as [1, 2, 3.5], "
                "not the number 5.",
            ),
        ],
    )
    def test_a_row_that_is_wrong(self, row: str, message: str) -> None:
        assert rating_problems("[1, 2, 3]", "[1, 3, 4]", row) == [message]

    @pytest.mark.parametrize(
        ("ratings", "message"),
        [
            ("[]", "`ratings` has 0 ratings; a correlation needs 2 to 10,000."),
            ("[[1, 2, 3]]", "`ratings` has 1 rating; a correlation needs 2 to 10,000."),
            (
                "5",
                "`ratings` must be a list of ratings such as [1, 2, 3.5], or a mapping (file, first, second, score), "
                "not the number 5.",
            ),
            ("{file: a.csv, first: a, second: b, scor: c}", "`ratings.score` is missing."),
        ],
    )
    def test_what_is_no_list_of_ratings(self, ratings: str, message: str) -> None:
        assert problems(f"{SENTENCES}ratings: {ratings}\n")[0] == f"line 5, column 1: {message}"

    def test_a_hundred_thousand_are_refused_once(self) -> None:
        with pytest.raises(ValidationError) as caught:
            SentenceSet(sentences=["a", "b"], ratings=[[7, 8, 1]] * 100_000)
        (error,) = caught.value.errors()
        assert error["msg"] == "has 100,000 ratings; a correlation needs 2 to 10,000."

    def test_ten_thousand_are_read(self) -> None:
        ratings = [[i, j, i / j] for i in range(1, 151) for j in range(1, 151) if i < j][:10_000]
        found = SentenceSet(sentences=[f"s{k}" for k in range(150)], ratings=ratings)
        assert len(found.rated_pairs()) == 10_000


@pytest.mark.usefixtures("folder")
class TestInATable:
    def test_a_set_holds_what_its_table_holds(self) -> None:
        csv = 'id,one,other,score\n1,The cat sat,"It rains, alas",2.5\n2,A dog  barked,The cat sat,-1\n'
        found = read_with(csv)
        assert found.set.rated_pairs() == ((0, 2, 2.5), (1, 0, -1.0))
        assert found.parameters()["ratings"] == [[1, 3, 2.5], [2, 1, -1.0]]
        assert found.warnings == ()
        json_lines = (
            '{"one": "The cat sat", "other": "It rains, alas", "score": 2.5}\n'
            '{"one": "A dog barked", "other": "The cat sat", "score": "-1"}\n'
        )
        assert read_with(json_lines, "table.jsonl").parameters() == found.parameters()
        again = SentenceSet.model_validate(found.parameters())
        assert again.rated_pairs() == found.set.rated_pairs()

    def test_by_hand_the_table_is_relative_to_the_folder_given(self) -> None:
        read_with('one,other,score\nThe cat sat,A dog barked,1\nA dog barked,"It rains, alas",2\n')
        texts = ["The cat sat", "A dog barked", "It rains, alas"]
        found = SentenceSet(sentences=texts, ratings={"file": "table.csv", **COLUMNS})
        assert found.rated_pairs(Path("params")) == ((0, 1, 1.0), (1, 2, 2.0))
        with pytest.raises(SetError, match=r"^table\.csv: no such file\. Nothing in its folder has"):
            found.rated_pairs()

    def test_a_changed_table_changes_the_parameters(self) -> None:
        table = 'one,other,score\nThe cat sat,A dog barked,1\nA dog barked,"It rains, alas",{}\n'
        assert read_with(table.format(2)).parameters() != read_with(table.format(3)).parameters()

    def test_a_pair_rated_by_several_rows_counts_once(self) -> None:
        found = read_with(
            "one,other,score\nThe cat sat,A dog barked,1\nA dog barked,The cat sat,4\nThe cat sat,A dog barked,4\n"
            'A dog barked,"It rains, alas",2\n'
        )
        assert found.set.rated_pairs() == ((0, 1, 3.0), (1, 2, 2.0))
        assert [str(warning) for warning in found.warnings] == [
            "params/mine.yaml, line 6, column 3: `ratings.file` rates a pair more than once (rows 1 and 2). "
            "Each pair counts once, with the mean of its scores."
        ]

    def test_of_several_such_pairs_one_is_named(self) -> None:
        row = "The cat sat,A dog barked,1\n"
        other = 'A dog barked,"It rains, alas",2\n'
        (warning,) = read_with(f"one,other,score\n{row}{other}{other}{row}{row}").warnings
        assert warning.message.startswith(
            "`ratings.file` rates 2 pairs more than once (such as rows 1 and 4). "
        )

    def test_everything_wrong_with_the_rows_comes_at_once(self) -> None:
        table = (
            "one,other,score\nThe cat sit,A dog barked,high\nA dog barked,A dog barked,1\n\n"
            "The cat sat,A dog barked,nan\nThe cat sat,A dog barked,1,2\nzzz,The cat sat,1\n"
        )
        assert table_problems(table) == [
            'params/table.csv, line 2: "one" in row 1 is "The cat sit", which is not a sentence of the set; '
            'did you mean sentence 1, "The cat sat"?',
            'params/table.csv, line 2: "score" in row 1 must be a finite number, not "high".',
            "params/table.csv, line 3: row 2 compares sentence 2 with itself. Name two different sentences.",
            'params/table.csv, line 5: "score" in row 3 must be a finite number, not "nan".',
            "params/table.csv, line 6: row 4 has 4 cells, but the header has 3. "
            "A text that contains the separator must be in quotes.",
        ]

    @pytest.mark.parametrize(
        ("score", "shown"),
        [
            ("true", "True"),
            ("null", "None"),
            ("NaN", "nan"),
            ("[1]", "[1]"),
            ("1" * 400, "1" * 57 + "..."),
        ],
    )
    def test_a_score_of_json_that_is_no_number(self, score: str, shown: str) -> None:
        row = '{"one": "The cat sat", "other": "A dog barked", "score": %s}'
        assert table_problems(row % score, "t.jsonl") == [
            f'params/t.jsonl, line 1: "score" in row 1 must be a finite number, not "{shown}".'
        ]

    @pytest.mark.parametrize("score", ["1,5", "1,000", "-0,25"])
    def test_a_decimal_comma_gets_a_hint(self, score: str) -> None:
        assert table_problems(f'one,other,score\nThe cat sat,A dog barked,"{score}"\n') == [
            f'params/table.csv, line 2: "score" in row 1 must be a finite number, not "{score}". '
            "Write numbers with a decimal point and without commas."
        ]

    def test_a_number_in_a_table_names_no_sentence(self) -> None:
        rows = (
            '{"one": 1, "other": "The cat sat", "score": 1}\n{"one": "2", "other": "The cat sat", "score": 1}'
        )
        assert table_problems(rows, "t.jsonl") == [
            'params/t.jsonl, line 1: "one" in row 1 must be a text.',
            'params/t.jsonl, line 2: "one" in row 2 is "2", which is not a sentence of the set. Write the exact text.',
        ]

    @pytest.mark.parametrize(
        ("table", "name", "keys", "message"),
        [
            ("", "t.csv", {}, "params/t.csv: the file is empty. Its first line must name the columns."),
            ("x", "t.txt", {}, "params/t.txt: the name of a table must end in .csv, .tsv or .jsonl."),
            (
                "x",
                "t.csv",
                {"file": "none.csv"},
                "params/none.csv: no such file. "
                "Nothing in its folder has a similar name. Correct the path, or put the file there.",
            ),
            (
                "x",
                "ratings.csv",
                {"file": "rating.csv"},
                "params/rating.csv: no such file. Did you mean ratings.csv?",
            ),
            (
                "x",
                "t.csv",
                {"file": "../params"},
                "params/../params: this is a folder; `file` must name a file.",
            ),
            (
                "one,other,scores\n",
                "t.csv",
                {},
                'params/t.csv: it has no column "score" (did you mean "scores"?). '
                'The columns are "one", "other", "scores".',
            ),
            (
                "one,other,score\n",
                "t.csv",
                {},
                "params/t.csv: no pair is rated; a correlation needs at least 2.",
            ),
            (
                "one,other,score\nThe cat sat,A dog barked,1\nA dog barked,The cat sat,2\n",
                "t.csv",
                {},
                "params/t.csv: only one pair is rated; a correlation needs at least 2.",
            ),
            (
                "one,other,score\n" + "The cat sat,A dog barked,1\n" * 10_001,
                "t.csv",
                {},
                "params/t.csv: there are more than 10,000 rows, the limit for ratings.",
            ),
        ],
    )
    def test_a_table_that_cannot_be_used(
        self, table: str, name: str, keys: dict[str, str], message: str
    ) -> None:
        assert table_problems(table, name, **keys) == [
            f"params/mine.yaml, line 6, column 3: `ratings.file` cannot be used: {message}"
        ]

    def test_one_column_for_two(self) -> None:
        ratings = json.dumps({"file": "t.csv", "first": "a", "second": "a", "score": "a"})
        assert problems(f"{SENTENCES}ratings: {ratings}\n") == [
            'line 5, column 42: `ratings.second` is "a", the same column as `first`.',
            'line 5, column 57: `ratings.score` is "a", the same column as `first`.',
        ]

    def test_keys(self) -> None:
        assert only_problem(f"{SENTENCES}ratings: {{file: 5, first: a, second: b, score: c}}\n") == (
            'line 5, column 11: `ratings.file` is the number 5 (YAML reads "5" without quotes that way). '
            'Put it in quotes: "5"'
        )
        assert only_problem(f"{SENTENCES}ratings: {{file: a, frst: x, first: a, second: b, score: c}}\n") == (
            "line 5, column 20: `ratings.frst` is an unknown key; did you mean `first`?"
        )
