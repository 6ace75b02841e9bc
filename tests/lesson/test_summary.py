"""Pairs in order, and what a notebook publishes about its run."""

import json
from dataclasses import replace
from typing import Any

import nbformat
import numpy as np
import pytest

from sentence_reports.claim_records import ClaimCheck, Side
from sentence_reports.facts import STEPS, Baseline, Legend, ModelFacts, Pair
from sentence_reports.lesson.reference import reference_check, verdict
from sentence_reports.lesson.summary import summarize
from sentence_reports.models import TokenFacts
from sentence_reports.pairs import Pairs
from sentence_reports.sets import Reference
from sentence_reports.summary import WalkthroughSummary, read_summary

MATRIX = np.array([[1, 0.5, 0.25], [0.5, 1, 0.75], [0.25, 0.75, 1]], dtype=np.float32)
MODEL = ModelFacts("small", None, "folder", "0" * 64, 384, 256, "mean", True, 1, 4, "float32")

CLAIM = ClaimCheck("closer", True, Side("pair", ("b", "c"), 0.75), Side("pair", ("a", "b"), 0.5))


def summary(**changes: Any) -> WalkthroughSummary:
    given: dict[str, Any] = {
        "settings": {"title": "T"},
        "texts": ["a", "b", "c"],
        "labels": ["a", "b", "c"],
        "groups": ["x", "x", "y"],
        "model": MODEL,
        "legend": Legend(0.0, 1.0, "", ("#ffffff", "#000000"), (("x", "#111111"),)),
        "tokens": [TokenFacts(count=3, limit=8, unknown=0, readable=True)] * 3,
        "matrix": MATRIX,
        "baseline": Baseline("k", "m", 10, tuple(k / STEPS for k in range(STEPS + 1))),
        "reference": None,
        "versions": {"numpy": "2"},
    }
    if "matrix" in changes:
        given["texts"] = given["labels"] = [f"t{k}" for k in range(len(changes["matrix"]))]
        given["groups"] = None
    return summarize(**given | changes)


def test_pairs_come_once_each_from_the_closest_to_the_farthest() -> None:
    pairs = [Pair(1, 2, 0.75), Pair(0, 1, 0.5), Pair(0, 2, 0.25)]
    assert Pairs(MATRIX).closest(9) == pairs
    assert Pairs(MATRIX).farthest(2) == pairs[:0:-1]
    assert len(Pairs(MATRIX)) == 3


def test_equal_pairs_stay_in_the_order_of_the_set() -> None:
    assert [pair[:2] for pair in Pairs(np.ones((3, 3))).closest(3)] == [(0, 1), (0, 2), (1, 2)]
    assert [pair[:2] for pair in Pairs(np.ones((3, 3))).farthest(3)] == [(0, 1), (0, 2), (1, 2)]


def test_pairs_above_a_limit() -> None:
    assert Pairs(MATRIX).above(0.5, 9) == ([Pair(1, 2, 0.75)], 1)
    assert Pairs(MATRIX).above(-1, 2)[1] == 3


def test_a_summary_is_read_back_from_its_notebook_bit_for_bit() -> None:
    matrix = np.random.default_rng(1).normal(size=(3, 3)).astype(np.float32)
    published = reference_check(
        Reference(source="s", model="small", similarity=[[0.5]]), (np.int64(1), 2, 0.25)
    )
    given = summary(matrix=matrix, reference=published)
    data = json.loads(json.dumps(given._repr_mimebundle_()))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("x")])
    notebook.cells.append(nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("execute_result", data)]))
    back = read_summary(notebook)
    assert back == given
    assert np.array_equal(back.similarity, matrix)
    assert back.similarity.dtype == np.float32


def test_of_many_pairs_the_first_are_those_of_a_full_sort() -> None:
    matrix = np.random.default_rng(2).integers(0, 9, (40, 40)) / 10  # with many ties
    every = Pairs(matrix).closest(780)
    assert Pairs(matrix).closest(100) == every[:100]
    assert [pair.similarity for pair in Pairs(matrix).farthest(100)] == [
        p.similarity for p in every[:-101:-1]
    ]


def test_a_large_set_has_an_overview_and_a_larger_one_no_matrix() -> None:
    found = {n: summary(matrix=np.eye(n, dtype="f4")) for n in (60, 61, 1000, 1001)}
    assert [summary.overview is None for summary in found.values()] == [True, False, False, False]
    assert [summary.matrix is None for summary in found.values()] == [False, False, False, True]


def test_an_overview_is_read_back_and_says_which_groups_hold_together() -> None:
    groups = ["x"] * 30 + ["y"] * 31
    same = np.equal.outer(groups, groups)
    given = summary(matrix=np.where(same, 0.9, 0.1).astype("f4"), groups=groups, order=range(60, -1, -1))
    data = json.loads(json.dumps(given._repr_mimebundle_()))
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("execute_result", data)])
    back = read_summary(nbformat.v4.new_notebook(cells=[cell]))
    assert back == given
    assert isinstance(back, WalkthroughSummary)
    assert back.overview
    assert back.order[:2] == (60, 59)
    assert back.overview.blocks.means == ((0.9, 0.1), (0.1, 0.9))
    assert back.overview.verdict == back.finding
    assert back.overview.neighbors.similarities.shape == (61, 10)


def test_the_summary_names_the_extreme_pairs() -> None:
    found = summary()
    assert (found.closest, found.farthest) == (Pair(1, 2, 0.75), Pair(0, 2, 0.25))
    assert found.places == ("closer than 74.9% of unrelated pairs", "closer than 24.9% of unrelated pairs")
    assert found.notices == ()


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        (
            {"model": replace(MODEL, stands_in_for="big", reason="the hub is away")},
            "These numbers come from small. You asked for big, which could not be downloaded.",
        ),
        (
            {"tokens": [TokenFacts(count=263, limit=256, unknown=0, readable=True)]},
            "Sentence 1 was cut at 256 of 263 tokens: the model did not see the rest.",
        ),
        (
            {"tokens": [TokenFacts(count=3, limit=8, unknown=1, readable=False)]},
            "The model cannot read anything in sentence 1 (1 unknown token), so its similarities are meaningless.",
        ),
        (
            {"tokens": [TokenFacts(count=4, limit=8, unknown=2, readable=False)]},
            "The model cannot read anything in sentence 1 (2 unknown tokens), so its similarities are meaningless.",
        ),
        (
            {"tokens": [TokenFacts(count=2, limit=8, unknown=0, readable=False)]},
            "The model cannot read anything in sentence 1 (no token), so its similarities are meaningless.",
        ),
        (
            {"model": replace(MODEL, stands_in_for="big", reason="no network"), "claims": [CLAIM]},
            "These numbers come from small. You asked for big, which could not be downloaded. "
            "The claims were written for big.",
        ),
        ({"matrix": np.array([[1, 0.99996], [0.99996, 1]])}, "To the model, sentences 1 and 2 are the same."),
    ],
)
def test_what_a_reader_must_know_is_a_notice(changes: dict[str, Any], notice: str) -> None:
    assert summary(**changes).notices == (notice,)


def test_a_summary_has_its_claims_and_what_they_show() -> None:
    found = summary(claims=[CLAIM], settings={"title": "T", "claim": "C is close"})
    assert found.claims == (CLAIM,)
    assert found.finding == ("C is close: the claim holds.",)
    assert found.checks == (CLAIM.check,)


def test_a_summary_without_claims_says_what_its_groups_or_pairs_show() -> None:
    assert summary().finding[0].startswith("“x” does not hold together: 0.00 on average")
    assert summary(groups=None).finding[0].startswith("No pair is closer than chance")


def test_what_a_report_shows_as_different_is_not_called_the_same() -> None:
    assert summary(matrix=np.array([[1, 0.99994], [0.99994, 1]])).notices == ()


E5 = {"query": "query: ", "passage": "passage: "}


def test_a_model_that_declares_prompts_and_is_used_without_one_is_a_notice() -> None:
    e5 = replace(MODEL, declared_prompts=E5)
    assert summary(model=e5).notices == (
        "This model expects a prompt before its texts: “query: ” (query) or “passage: ” (passage). None was used, "
        "so its similarities may be off. Choose one with the key `prompt` in a set that names this model.",
    )
    assert summary(model=replace(e5, prompt="query: ")).notices == ()
    assert summary(model=replace(e5, query_prompt="query: ")).notices == ()  # a search with BGE's habit


def test_many_notices_of_a_kind_become_one_line_more() -> None:
    tokens = [TokenFacts(count=300, limit=256, unknown=0, readable=True)] * 12
    notices = summary(tokens=tokens).notices
    assert len(notices) == 6
    assert notices[-1] == "7 more sentences were cut."
    alike = summary(matrix=np.ones((40, 40))).notices
    assert len(alike) == 6
    assert alike[-1] == "775 more pairs are the same to the model."


# --- published figures -----------------------------------------------------------------------------------------

REFERENCE = Reference(source="a \u202ebook", model="big", tolerance=0.01, similarity=[[1, 0.5], [0.5, 1]])


def test_a_check_that_is_not_met_says_so() -> None:
    check = reference_check(REFERENCE, (2, 3, 0.326))
    assert [check.met for check in summary(reference=check).checks] == [False]
    assert verdict(check, "big") == (
        "2 of 3 published values matched; largest difference 0.326000, allowed 0.01.\nSource: \u2068a \u202ebook\u2069"
    )
    met = summary(reference=reference_check(REFERENCE, (3, 3, 0.0)))
    assert [check.met for check in met.checks] == [True]


def test_figures_of_another_model_are_not_compared() -> None:
    check = reference_check(REFERENCE, None)
    assert check is not None
    assert (check.compared, check.met, check.total, check.largest) == (False, 0, 0, None)
    assert verdict(check, "small").startswith(
        "Not compared: the figures are for big; this report used small.\n"
    )
    assert not summary(reference=check).checks


def test_a_set_without_figures_has_no_check() -> None:
    assert reference_check(None, None) is None
    assert verdict(None, "small") == "This set carries no published figures."
