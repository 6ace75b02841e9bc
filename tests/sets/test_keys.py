"""Queries, prompts and dimensions, what does not go together, and any value whatever for the newer keys."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from set_files import editor_accepts, only_problem, problems, read
from support import text_of_any_kind

from sentence_reports.errors import SetError
from sentence_reports.sets import SentenceSet, SetFile, read_set, schema

SENTENCES = "sentences: [one, two, three]\n"


@pytest.mark.usefixtures("folder")
class TestQueries:
    def test_make_a_search(self) -> None:
        found = read(f"{SENTENCES}queries: [which number, one]\n").set
        assert found.queries == ["which number", "one"]
        assert found.notebook == "search"
        assert read(SENTENCES).set.notebook == "walkthrough"

    @pytest.mark.parametrize(
        ("queries", "message"),
        [
            ("[]", "line 2, column 1: `queries` has 0 queries; a search needs 1 to 1,000."),
            (
                "one",
                'line 2, column 1: `queries` must be a list, not the text "one". Write a dash before it.',
            ),
            (
                "[a, b, a]",
                'line 2, column 17: query 3 is the same as query 1: "a". Change or remove one. The other is on line 2.',
            ),
            (
                '[a b, "a  b"]',
                "line 2, column 16: query 2 is the same as query 1, except for spaces or how accents are stored: "
                '"a  b". Change or remove one. The other is on line 2.',
            ),
            ('[a, " "]', "line 2, column 14: query 2 is blank. Write some text, or remove it."),
            (
                "[a, no]",
                'line 2, column 14: query 2 is the boolean false (YAML reads "no" without quotes that way). '
                'Put it in quotes: "no"',
            ),
        ],
    )
    def test_that_are_wrong(self, queries: str, message: str) -> None:
        assert only_problem(f"{SENTENCES}queries: {queries}\n") == message

    def test_more_than_a_thousand(self) -> None:
        queries = "".join(f"- query {k}\n" for k in range(1001))
        assert only_problem(f"{SENTENCES}queries:\n{queries}") == (
            "line 2, column 1: `queries` has 1,001 queries; a search needs 1 to 1,000."
        )

    def test_do_not_go_with_what_compares_sentences(self) -> None:
        reference = "{source: s, model: m, similarity: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}"
        ratings = "[[1, 2, 3], [1, 3, 4]]"
        content = f"{SENTENCES}queries: [q]\nratings: {ratings}\nreference: {reference}\norder: given\n"
        assert problems(content) == [
            f"line {line}, column 1: `{key}` does not go with `queries`: a search compares queries with sentences, "
            "not sentences with each other. Put it into a set without queries."
            for line, key in ((3, "ratings"), (4, "reference"), (5, "order"))
        ]


@pytest.mark.usefixtures("folder")
class TestModelKeys:
    def test_are_read(self) -> None:
        found = read(f'{SENTENCES}prompt: "passage: "\ntruncate_dim: 128\n').set
        assert (found.prompt, found.truncate_dim) == ("passage: ", 128)
        assert read(f'{SENTENCES}prompt: ""\n').set.prompt == ""

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (
                "prompt: 5",
                '`prompt` is the number 5 (YAML reads "5" without quotes that way). Put it in quotes: prompt: "5"',
            ),
            (
                "prompt: [a]",
                '`prompt` is a list, because it begins with "[". Put it in quotes: prompt: "[a]"',
            ),
            ("truncate_dim: 1", "`truncate_dim` must be at least 2, not the number 1."),
            ("truncate_dim: true", "`truncate_dim` must be a whole number, not the boolean true."),
            ("truncate_dim: 1.5", "`truncate_dim` must be a whole number, not the number 1.5."),
            (
                'truncate_dim: "8"',
                '`truncate_dim` must be a whole number, not the text "8". Write it without quotes.',
            ),
        ],
    )
    def test_that_are_wrong(self, line: str, message: str) -> None:
        assert only_problem(f"{SENTENCES}{line}\n") == f"line 2, column 1: {message}"


@pytest.mark.usefixtures("folder")
class TestWithModel:
    def test_what_belongs_to_the_old_model_is_gone(self) -> None:
        found = read(
            f"{SENTENCES}title: T\nmodel: a/b\nrevision: c\nprompt: p\ntruncate_dim: 8\ncmap: magma\nclaim: yes it is\n"
            "expect:\n- closer: [1, 2]\n  than: [1, 3]\n- related: [one, two] # comment\n"
        )
        other = found.with_model("org/small-model")
        assert other.stem == "mine@small-model"
        assert (other.path, other.title, other.warnings) == (found.path, "T", found.warnings)
        assert other.parameters() == {
            "sentences": ["one", "two", "three"],
            "title": "T",
            "model": "org/small-model",
            "fallback_model": None,
            "cmap": "magma",
            "claim": "yes it is",
            "expect": [{"closer": [1, 2], "than": [1, 3]}, {"related": ["one", "two"]}],
        }
        assert found.stem == "mine"
        assert found.set.model == "a/b"

    def test_a_comparison_has_none(self) -> None:
        with pytest.raises(SetError) as caught:
            read(f"{SENTENCES}models: [a/b, c/d]\n").with_model("org/name")
        assert str(caught.value) == (
            "mine.yaml: this set compares several models, so --model does not apply. "
            "Name the other sets, or run without --model."
        )

    def test_a_set_without_title_is_called_by_its_file(self) -> None:
        assert read(SENTENCES).with_model("org/name").title == "Mine"

    @pytest.mark.parametrize(
        ("model", "stem"),
        [("name", "mine@name"), ("org/name", "mine@name"), ("../x/", "mine@x"), ("./x.v1", "mine@x.v1")],
    )
    def test_the_report_is_named_after_the_last_part(self, model: str, stem: str) -> None:
        assert read(SENTENCES).with_model(model).stem == stem


@pytest.mark.usefixtures("folder")
def test_comments_after_texts_that_people_read() -> None:
    found = read(
        f"{SENTENCES}queries:\n- what # now\nclaim: all # of it\nmodel: m # comment\n"
        "expect:\n- related: [1, 2]  # fine\n  because: so # and so\n"
    )
    assert [
        str(warning).split(",")[1].strip() + warning.message.split(" ends")[0] for warning in found.warnings
    ] == [
        "line 3query 1",
        "line 4`claim`",
        "line 8`because` of claim 1",
    ]


def test_the_schema_knows_claims_and_ratings() -> None:
    found = schema()
    claim = found["$defs"]["Expectation"]
    kinds = ["closer", "related", "unrelated", "finds", "together"]
    assert claim["oneOf"] == [{"required": [kind]} for kind in kinds]
    assert claim["dependentRequired"] == {"closer": ["than"], "than": ["closer"]}
    assert claim["additionalProperties"] is False
    assert claim["properties"]["closer"]["minItems"] == claim["properties"]["closer"]["maxItems"] == 2
    for entry in (*claim["properties"].values(), *found["$defs"]["RatingsFile"]["properties"].values()):
        assert entry["description"]
        assert "type" in entry
        assert "default" not in entry


def test_an_editor_accepts_and_refuses_what_the_program_does() -> None:
    pair, than = {"related": [1, "two"]}, {"closer": [1, 2], "than": [1, 3], "margin": 0.1, "because": "b"}
    assert editor_accepts(expect=[pair, than, {"finds": [1, 1]}, {"together": "A"}], claim="c", queries=["q"])
    assert editor_accepts(ratings=[[1, 2, 3], ["one", 3, 0.5]], prompt="", truncate_dim=8)
    assert editor_accepts(ratings={"file": "t.csv", "first": "a", "second": "b", "score": "c"})
    claims = [
        {},
        {**pair, "unrelated": [1, 3]},
        {"closer": [1, 2]},
        {"than": [1, 2]},
        {"related": [1]},
        {"related": [1, 0]},
    ]
    for claim in (
        *claims,
        {"related": [1, True]},
        {"related": None},
        {**than, "margin": 3},
        {**pair, "x": 1},
    ):
        assert not editor_accepts(expect=[claim]), claim
    for ratings in ([], [[1, 2, 3]], [[1, 2], [1, 3]], [[1, 2, "3"]] * 2, {"file": "t.csv"}):
        assert not editor_accepts(ratings=ratings), ratings
    assert not editor_accepts(queries=[])
    assert not editor_accepts(truncate_dim=1)


# --- anything whatever ---------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["one", "two", "three", "a query", "A", 1, 2, 3, 0, -1, 4, True, None, 1.5])
NUMBERS = st.integers(-3, 5) | st.floats() | st.sampled_from([0.1, 10**30, -(10**30)])
PLAIN = st.none() | st.booleans() | NUMBERS | NAMES | text_of_any_kind()
KEYS = st.sampled_from(
    ["closer", "than", "related", "unrelated", "finds", "together", "margin", "because", "file", "first", "second",
     "score", "relatedd", ""]
)  # fmt: skip
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | text_of_any_kind(), inner, max_size=3),
)
PAIRS = st.lists(NAMES, min_size=2, max_size=2) | VALUES
CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "closer": PAIRS, "than": PAIRS, "related": PAIRS, "unrelated": PAIRS, "finds": PAIRS,
        "together": st.sampled_from(["A", "B", "C"]) | VALUES, "margin": NUMBERS | VALUES, "because": VALUES,
    },
)  # fmt: skip
GOOD_CLAIMS = st.builds(
    lambda kind, pair: {kind: pair}, st.sampled_from(["related", "unrelated", "finds"]), PAIRS
)
RATINGS = st.tuples(NAMES, NAMES, NUMBERS).map(list)
TABLES = st.fixed_dictionaries(
    {"file": st.sampled_from(["none.csv", "", ".", "/dev/null", "/", "t.csv\n"]) | VALUES},
    optional=dict.fromkeys(["first", "second", "score"], st.sampled_from(["a", "b"]) | VALUES),
)
MODELS = st.sampled_from(["a/b", "b", "tf-idf", "./b"]) | st.fixed_dictionaries(
    {"model": st.sampled_from(["a/b", "b", "c"])},
    optional={
        "label": st.sampled_from(["b", "x"]) | VALUES, "prompt": st.sampled_from(["", "p", "q"]) | VALUES,
        "truncate_dim": st.integers(1, 3), "revision": st.sampled_from(["r", "s"]), "vectors": VALUES,
    },
)  # fmt: skip
SETS = st.fixed_dictionaries(
    {"sentences": st.sampled_from([["one", "two", "three"], {"A": ["one", "two"], "B": ["three"]}]) | VALUES},
    optional={
        "expect": st.lists(CLAIMS | GOOD_CLAIMS | VALUES, max_size=6) | VALUES,
        "claim": VALUES,
        "ratings": st.lists(RATINGS | VALUES, max_size=6) | TABLES | VALUES,
        "queries": st.lists(text_of_any_kind(), min_size=1, max_size=3) | VALUES,
        "prompt": VALUES,
        "truncate_dim": VALUES,
        "models": st.lists(MODELS | VALUES, min_size=2, max_size=4) | VALUES,
    },
)


def read_or_refuse(keys: object, path: Path) -> SetFile | SetError:
    path.write_text(yaml.safe_dump(keys, allow_unicode=True), encoding="utf-8")
    try:
        return read_set(path)
    except SetError as error:
        return error


@settings(max_examples=200)
@given(SETS)
def test_any_value_gives_a_set_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, keys: dict[str, object]
) -> None:
    found = read_or_refuse(keys, tmp_path_factory.getbasetemp() / "any.yaml")
    if isinstance(found, SetError):
        assert found.problems
        assert all(problem.message.isprintable() and problem.line for problem in found.problems)
        return
    assert len(found.set.claims) == len(found.set.expect or ())
    n, m = len(found.set.all_sentences), len(found.set.queries or ())
    for claim in found.set.claims:
        for i, j in filter(None, (claim.pair, claim.than)):
            assert 0 <= i < (m if claim.kind == "finds" else n)
            assert 0 <= j < n
    assert len(found.set.rated_pairs()) == len(found.set.ratings or ())
    assert SentenceSet.model_validate(found.set.parameters()) == found.set
    if found.set.models:
        assert 2 <= len({choice.label for choice in found.set.choices}) == len(found.set.models)
    else:
        assert found.with_model("x").set.claims == found.set.claims
