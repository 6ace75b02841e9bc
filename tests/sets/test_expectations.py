"""Claims: what they say about which texts, and what an author is told who gets one wrong."""

import itertools
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from set_files import only_problem, problems, read

from sentence_reports.claim_records import Claim
from sentence_reports.sets import SentenceSet

SENTENCES = "sentences:\n- The cat sat\n- A dog barked\n- It rains\n- Café open\n"
GROUPS = "sentences:\n  Food: [bread, butter]\n  Cars: [engine, wheel]\n  One: [moon]\n"


def claim_problems(*items: str, top: str = SENTENCES) -> list[str]:
    """The problems of claims, without their places."""
    content = top + "expect:\n" + "".join(f"- {item}\n" for item in items)
    return [problem.split(": ", 1)[1] for problem in problems(content)]


@pytest.mark.usefixtures("folder")
class TestClaims:
    def test_each_kind_by_number(self) -> None:
        found = read(
            GROUPS + "queries: [what to eat]\nexpect:\n"
            "- closer: [1, 2]\n  than: [4, 1]\n  margin: 0.05\n  because: food\n"
            "- related: [1, 2]\n- unrelated: [5, 1]\n- finds: [1, 2]\n"
            "- together: Food\n  margin: 1\n"
        ).set
        assert found.claims == (
            Claim("closer", (0, 1), than=(3, 0), margin=0.05, because="food"),
            Claim("related", (0, 1)),
            Claim("unrelated", (4, 0)),
            Claim("finds", (0, 1)),
            Claim("together", group="Food", margin=1.0),
        )

    def test_a_text_names_the_same_as_its_number(self) -> None:
        decomposed = unicodedata.normalize("NFD", "Café  open ")
        found = read(
            f'{SENTENCES}queries: [q one]\nexpect:\n- related: ["{decomposed}", It rains]\n- finds: [q one, 2]\n'
        )
        assert found.set.claims == (Claim("related", (3, 2)), Claim("finds", (0, 1)))

    def test_a_set_without_claims(self) -> None:
        assert read(SENTENCES).set.claims == ()

    def test_a_set_of_two_sentences(self) -> None:
        assert read("sentences: [a, b]\nexpect:\n- unrelated: [a, b]\n").set.claims == (
            Claim("unrelated", (0, 1)),
        )
        assert claim_problems("closer: [1, 2]\n  than: [2, 1]", top="sentences: [a, b]\n") == [
            "`than` of claim 1 is the same pair as `closer`. Name a different pair."
        ]

    def test_in_python(self) -> None:
        found = SentenceSet(sentences=["a", "b", "c"], expect=[{"closer": [1, 2], "than": ["a", "c"]}])
        assert found.claims == (Claim("closer", (0, 1), than=(0, 2)),)
        assert found.parameters() == {
            "sentences": ["a", "b", "c"],
            "expect": [{"closer": [1, 2], "than": ["a", "c"]}],
        }


@pytest.mark.usefixtures("folder")
class TestNames:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("0", "is 0, but the set has sentences 1 to 4."),
            ("5", "is 5, but the set has sentences 1 to 4."),
            ("-1", "is -1, but the set has sentences 1 to 4."),
            (
                "the cat sat",
                'is "the cat sat", which is not a sentence of the set; did you mean sentence 1, "The cat sat"?',
            ),
            (
                "It rained",
                'is "It rained", which is not a sentence of the set; did you mean sentence 3, "It rains"?',
            ),
            ("zzz", 'is "zzz", which is not a sentence of the set. Write the exact text.'),
            ("no", 'must be a whole number or a text, not the boolean false. Put it in quotes: "no"'),
            ("2024-01-02", 'must be a whole number or a text, not a date. Put it in quotes: "2024-01-02"'),
            ("1.0", "must be a whole number or a text, not the number 1.0."),
            (".nan", "must be a whole number or a text, not the number nan."),
            ("~", "must be a whole number or a text, not nothing."),
            ("[1]", "must be a whole number or a text, not a list."),
        ],
    )
    def test_that_name_no_sentence(self, name: str, message: str) -> None:
        content = f"{SENTENCES}expect:\n- related: [1, {name}]\n"
        assert only_problem(content) == f"line 7, column 16: the second sentence of claim 1 {message}"

    def test_a_query_that_is_not_there(self) -> None:
        assert claim_problems(
            "finds: [2, 1]", "finds: [How mach is it, 9]", top=f"{SENTENCES}queries: [How much is it]\n"
        ) == [
            "the query of claim 1 is 2, but the set has queries 1 to 1.",
            'the query of claim 2 is "How mach is it", which is not a query of the set; '
            'did you mean query 1, "How much is it"?',
            "the sentence of claim 2 is 9, but the set has sentences 1 to 4.",
        ]

    def test_of_a_claim_with_two_pairs(self) -> None:
        assert claim_problems("closer: [7, 1]\n  than: [1, 8]") == [
            "the first sentence of `closer` in claim 1 is 7, but the set has sentences 1 to 4.",
            "the second sentence of `than` in claim 1 is 8, but the set has sentences 1 to 4.",
        ]

    def test_wrong_sentences_are_the_only_problem_of_claims_about_them(self) -> None:
        assert only_problem("sentences: 5\nexpect:\n- related: [1, 2]\n").startswith(
            "line 1, column 1: `sentences` must be a list of texts"
        )

    def test_ten_suggestions_are_enough(self) -> None:
        found = claim_problems(*(f"related: [The cat sa, {name}]" for name in ("x", "1", "2", "3", "4", "y")))
        assert sum("did you mean" in message for message in found) == 6
        found = claim_problems(*["related: [The cat sa, A dog barks]"] * 6)
        assert ["did you mean" in message for message in found] == [True] * 10 + [False] * 2


@pytest.mark.usefixtures("folder")
class TestShape:
    @pytest.mark.parametrize(
        ("item", "message"),
        [
            (
                "related: [1, 1]",
                "`related` of claim 1 compares sentence 1 with itself. Name two different sentences.",
            ),
            (
                "unrelated: [It rains, 3]",
                "`unrelated` of claim 1 compares sentence 3 with itself. Name two different sentences.",
            ),
            (
                "closer: [1, 2]\n  than: [3, 3]",
                "`than` of claim 1 compares sentence 3 with itself. Name two different sentences.",
            ),
            (
                "closer: [1, 2]\n  than: [A dog barked, The cat sat]",
                "`than` of claim 1 is the same pair as `closer`. Name a different pair.",
            ),
            ("closer: [1, 2]", "`closer` of claim 1 needs `than`, the pair that is less similar."),
            ("than: [1, 2]", "`than` of claim 1 needs `closer`, the pair that is more similar."),
            (
                "related: [1, 2]\n  unrelated: [1, 3]",
                "claim 1 has `related` and `unrelated`. Write them as separate claims, each after a dash.",
            ),
            (
                "because: so",
                "claim 1 needs one of the keys closer, related, unrelated, finds, together.",
            ),
            ("{}", "claim 1 needs one of the keys closer, related, unrelated, finds, together."),
            ("relatedd: [1, 2]", "`relatedd` of claim 1 is an unknown key; did you mean `related`?"),
            ("closer: [1, 2]\n  then: [1, 3]", "`then` of claim 1 is an unknown key; did you mean `than`?"),
            (
                "related: [1, 2]\n  zzz: 3",
                "`zzz` of claim 1 is an unknown key. Known keys are closer, than, related, unrelated, finds, "
                "together, margin, because.",
            ),
            (
                "related: [1, 2, 3]",
                "`related` of claim 1 must be a list of two sentences, such as [1, 2], not a list of 3.",
            ),
            (
                "related: 1",
                "`related` of claim 1 must be a list of two sentences, such as [1, 2], not the number 1.",
            ),
            ("related:", "`related` of claim 1 is empty. Write a value, or remove it."),
            ("related: [1, 2]\n  because:", "`because` of claim 1 is empty. Write a value, or remove it."),
            (
                "related: [1, 2]\n  because: no",
                '`because` of claim 1 is the boolean false (YAML reads "no" without quotes that way). '
                'Put it in quotes: because: "no"',
            ),
            ("related", 'claim 1 must be a mapping, not the text "related".'),
            ("finds: [1, 2]", "`finds` of claim 1 needs `queries`, the texts to search for."),
            (
                "finds: 1",
                "`finds` of claim 1 needs `queries`, the texts to search for.; "
                "`finds` of claim 1 must be a list of a query and a sentence, such as [1, 2], not the number 1.",
            ),
        ],
    )
    def test_that_is_wrong(self, item: str, message: str) -> None:
        assert "; ".join(claim_problems(item)) == message

    @pytest.mark.parametrize(
        ("margin", "message"),
        [
            ("-0.1", "must be at least 0, not the number -0.1."),
            ("2.1", "must be at most 2, not the number 2.1."),
            (".inf", "must be a finite number, not the number inf."),
            (".nan", "must be a finite number, not the number nan."),
            ("true", "must be a number, not the boolean true."),
            ('"0.1"', 'must be a number, not the text "0.1". Write it without quotes.'),
        ],
    )
    def test_a_margin(self, margin: str, message: str) -> None:
        found = claim_problems(f"closer: [1, 2]\n  than: [1, 3]\n  margin: {margin}")
        assert found == [f"`margin` of claim 1 {message}"]

    def test_a_margin_that_does_not_belong(self) -> None:
        assert claim_problems("related: [1, 2]\n  margin: 0.1") == [
            "`margin` of claim 1 does not go with `related`, only with `closer` and `together`."
        ]

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("Foood", 'is "Foood", which is not a group of the set; did you mean `Food`?'),
            ("zzz", 'is "zzz", which is not a group of the set. Known groups are Food, Cars, One.'),
            ("One", 'is "One", a group of one sentence, so it has no pairs.'),
            (
                "5",
                'is the number 5 (YAML reads "5" without quotes that way). Put it in quotes: together: "5"',
            ),
        ],
    )
    def test_a_group(self, name: str, message: str) -> None:
        assert claim_problems(f"together: {name}", top=GROUPS) == [f"`together` of claim 1 {message}"]

    def test_no_group_to_compare_with(self) -> None:
        assert claim_problems("together: Food") == [
            "`together` of claim 1 needs groups, and the sentences of this set have none."
        ]
        assert claim_problems("together: Food", top="sentences: {Food: [a, b]}\n") == [
            '`together` of claim 1 is "Food", the only group, so there is no other to compare it with.'
        ]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("expect: []", "`expect` has 0 claims; a set can have 1 to 1,000."),
            ("expect: 5", "`expect` must be a list, not the number 5."),
            (
                "expect:\n  related: [1, 2]",
                "`expect` must be a list, not a mapping. Begin each item with a dash.",
            ),
            ("claim: All is well", "`claim` needs `expect`, the claims that it sums up."),
            (
                "claim: no",
                '`claim` is the boolean false (YAML reads "no" without quotes that way). Put it in quotes: claim: "no"',
            ),
        ],
    )
    def test_of_the_list(self, line: str, message: str) -> None:
        found = [problem.split(": ", 1)[1] for problem in problems(f"{SENTENCES}{line}\n")]
        assert found[-1] == message

    def test_more_claims_than_a_set_can_have(self) -> None:
        assert claim_problems(*["related: [1, 2]"] * 1001) == [
            "`expect` has 1,001 claims; a set can have 1 to 1,000."
        ]


@pytest.mark.usefixtures("folder")
class TestContradictions:
    @pytest.mark.parametrize(
        ("items", "message"),
        [
            (["related: [1, 2]", "related: [2, The cat sat]"], "claim 2 is the same as claim 1. Remove one."),
            (
                ["closer: [1, 2]\n  than: [1, 3]", "closer: [2, 1]\n  than: [3, 1]\n  margin: 0.1"],
                "claim 2 is the same as claim 1. Remove one.",
            ),
            (
                ["closer: [1, 2]\n  than: [1, 3]\n  margin: 0.1", "closer: [3, 1]\n  than: [1, 2]"],
                "claim 2 contradicts claim 1: they cannot both hold.",
            ),
            (["related: [1, 2]", "unrelated: [2, 1]"], "claim 2 contradicts claim 1: they cannot both hold."),
            (["unrelated: [1, 2]", "related: [1, 2]"], "claim 2 contradicts claim 1: they cannot both hold."),
            (
                ["closer: [1, 2]\n  than: [1, 3]", "related: [1, 3]", "unrelated: [1, 2]"],
                "claim 3 contradicts claims 1 and 2: they cannot all hold.",
            ),
            (
                [
                    "closer: [1, 2]\n  than: [1, 3]",
                    "related: [2, 3]",
                    "closer: [1, 3]\n  than: [1, 4]",
                    "closer: [1, 4]\n  than: [1, 2]",
                ],
                "claim 4 contradicts claims 1 and 3: they cannot all hold.",
            ),
            (["finds: [1, 2]", "finds: [1, 2]"], "claim 2 is the same as claim 1. Remove one."),
            (["finds: [1, 2]", "finds: [1, 3]"], "claim 2 contradicts claim 1: they cannot both hold."),
        ],
    )
    def test_are_found(self, items: list[str], message: str) -> None:
        (found,) = claim_problems(*items, top=f"{SENTENCES}queries: [q, r]\n")
        assert found.partition(" The other is on line ")[0] == message

    def test_the_same_group_twice(self) -> None:
        (found,) = claim_problems("together: Food", "together: Cars", "together: Food", top=GROUPS)
        assert found == "claim 3 is the same as claim 1. Remove one. The other is on line 6."

    def test_the_line_of_the_other_claim_is_given(self) -> None:
        assert only_problem(f"{SENTENCES}expect:\n- related: [1, 2]\n- unrelated: [1, 2]\n") == (
            "line 8, column 3: claim 2 contradicts claim 1: they cannot both hold. The other is on line 7."
        )

    def test_each_is_reported_once_and_hides_no_other(self) -> None:
        found = claim_problems(
            "related: [1, 2]",
            "unrelated: [1, 2]",
            "unrelated: [2, 1]",
            "related: [1, 3]",
            "unrelated: [1, 3]",
        )
        assert [message.split(":")[0].split(".")[0] for message in found] == [
            "claim 2 contradicts claim 1",
            "claim 3 is the same as claim 2",
            "claim 5 contradicts claim 4",
        ]

    @pytest.mark.parametrize(
        "items",
        [
            [
                "closer: [1, 2]\n  than: [1, 3]",
                "closer: [1, 3]\n  than: [1, 4]",
                "closer: [1, 2]\n  than: [1, 4]",
            ],
            ["related: [1, 2]", "unrelated: [1, 3]", "closer: [1, 2]\n  than: [1, 3]"],
            ["related: [1, 2]", "related: [1, 3]", "closer: [1, 2]\n  than: [1, 3]"],
            ["finds: [1, 2]", "finds: [2, 1]", "finds: [q three, 1]"],
        ],
    )
    def test_what_can_hold_together_is_accepted(self, items: list[str]) -> None:
        content = f"{SENTENCES}queries: [q, r, q three]\nexpect:\n" + "".join(f"- {item}\n" for item in items)
        assert len(read(content).set.claims) == len(items)

    def test_a_thousand_claims_in_a_chain_are_read(self) -> None:
        chain = [{"closer": [1, k], "than": [1, k + 1]} for k in reversed(range(2, 1002))]
        found = SentenceSet(sentences=[f"s{k}" for k in range(1, 1003)], expect=chain)
        assert found.claims[-1] == Claim("closer", (0, 1), than=(0, 2))


PAIRS = st.sampled_from([[1, 2], [1, 3], [2, 3]])
ORDERED = st.one_of(
    st.fixed_dictionaries({"closer": PAIRS, "than": PAIRS}).filter(
        lambda claim: claim["closer"] != claim["than"]
    ),
    st.fixed_dictionaries({"related": PAIRS}),
    st.fixed_dictionaries({"unrelated": PAIRS}),
)


def holds(claim: dict[str, list[int]], similarity: dict[tuple[int, ...], int], limit: int) -> bool:
    value = {kind: similarity[tuple(pair)] for kind, pair in claim.items()}
    if "closer" in value:
        return value["closer"] > value["than"]
    return value["related"] > limit if "related" in value else value["unrelated"] <= limit


@settings(max_examples=200)
@given(st.lists(ORDERED, min_size=1, max_size=6, unique_by=lambda claim: str(sorted(claim.items()))))
def test_claims_are_refused_exactly_if_no_similarities_could_meet_them(
    expect: list[dict[str, list[int]]],
) -> None:
    can_hold = any(
        all(holds(claim, dict(zip([(1, 2), (1, 3), (2, 3)], values, strict=True)), limit) for claim in expect)
        for limit, *values in itertools.product(range(4), repeat=4)
    )
    try:
        messages = [str(SentenceSet(sentences=["a", "b", "c"], expect=expect).claims)]
    except ValidationError as error:
        messages = [found["msg"] for found in error.errors()]
    assert ["contradicts" in message for message in messages] == [not can_hold] * len(messages)
