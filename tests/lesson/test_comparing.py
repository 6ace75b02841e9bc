"""The comparison notebook as a file, what its cells do for all kinds of models, and what they import."""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat import NotebookNode
from scipy import stats
from support import BASELINE, MODEL, ROOT, many_compared, small_comparison

from sentence_reports.claim_records import Agreement, Claim, ClaimCheck, RatedPair, Side
from sentence_reports.comparison import Compared, upper
from sentence_reports.errors import ModelError
from sentence_reports.lesson import comparison
from sentence_reports.lesson.claims import check_claims, check_corrected
from sentence_reports.lesson.comparison_words import (
    HEADLINE,
    agree_most,
    best_with_ratings,
    claims_met,
    comparison_finding,
    comparison_notices,
    moves_most,
    one_pair,
)
from sentence_reports.models import EMBEDDED, ModelRun, TokenFacts
from sentence_reports.sets import SentenceSet, read_set
from sentence_reports.summary import Column, ComparisonSummary, Likeness, Shared

WORDLLAMA = "dleemiller/word-llama-l2-supercat"


# --- the notebook as a file --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    return nbformat.read(ROOT / "notebooks" / "comparison.ipynb", as_version=4)


def code_cells(notebook: NotebookNode) -> dict[str, str]:
    return {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}


def parameters(notebook: NotebookNode) -> dict[str, Any]:
    body = ast.parse(code_cells(notebook)["parameters"]).body
    return {node.targets[0].id: ast.literal_eval(node.value) for node in body}


def test_it_is_valid_and_holds_no_outputs(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_its_parameters_are_the_keys_of_a_comparison_with_their_defaults(notebook: NotebookNode) -> None:
    values = parameters(notebook)
    others = {
        "model",
        "revision",
        "prompt",
        "truncate_dim",
        "fallback_model",
        "queries",
        "reference",
        "texts",
        "topics",
        "map",
    }
    assert set(values) == set(SentenceSet.model_fields) - others
    for name in set(values) - {"title", "sentences", "models"}:
        assert values[name] == SentenceSet.model_fields[name].default, name


def test_its_defaults_are_the_shipped_set(notebook: NotebookNode) -> None:
    values, shipped = parameters(notebook), read_set(ROOT / "params" / "in-context.yaml").set
    assert values["title"] == shipped.title
    chosen = SentenceSet(**values)
    assert (chosen.sentences, chosen.choices) == (shipped.sentences, shipped.choices)


def test_it_keeps_the_rules_of_the_lesson(notebook: NotebookNode) -> None:
    kinds = "".join("c" if cell.cell_type == "code" else "m" for cell in notebook.cells)
    assert 15 <= len(kinds) <= 40
    assert "ccc" not in kinds
    code = {name: text.splitlines() for name, text in code_cells(notebook).items() if name != "parameters"}
    assert np.median([len(lines) for lines in code.values()]) <= 5
    assert {name for name, lines in code.items() if len(lines) > 12} == set()
    assert {name for name, lines in code.items() if max(map(len, lines)) > 90} == set()
    steps = [cell.source.split("\n")[0] for cell in notebook.cells if cell.source.startswith("## ")]
    assert len(steps) > 8
    assert not [step for step in steps if re.search(r"\d", step)]  # the page numbers what it shows
    prose = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "markdown"}
    left_out = re.compile(r"^(## .*|\$\$.*)$", re.MULTILINE)
    counts = {name: len(left_out.sub("", text).split()) for name, text in prose.items()}
    assert {name: count for name, count in counts.items() if not 20 <= count <= 60} == {}


def test_its_tags_say_what_the_page_does_with_a_cell(notebook: NotebookNode) -> None:
    tags = {cell.id: cell.metadata.get("tags", []) for cell in notebook.cells}
    assert {name for name, some in tags.items() if "if-claims" in some} == {"claims-step", "claims"}
    assert {name for name, some in tags.items() if "if-ratings" in some} == {"ratings-step", "ratings"}
    assert tags["slopes"] == ["slopes"]
    assert tags["first-pair"] == ["results"]
    assert tags["exercise"] == tags["summary"] == ["remove-cell"]


# --- the notebook, run -------------------------------------------------------------------------------------

Run = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture(scope="module")
def run(notebook: NotebookNode) -> Run:
    """Run the cells, with other parameters; return what each cell shows in the end, and all that is defined."""

    def run_cells(**parameters: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        space: dict[str, Any] = {}
        shown = {}
        for name, source in code_cells(notebook).items():
            tree = ast.parse(source)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), space)
            if isinstance(last, ast.Expr):
                shown[name] = eval(compile(ast.Expression(last.value), name, "eval"), space)
            if name == "parameters":
                space |= parameters
        return shown, space

    return run_cells


@pytest.fixture
def vectors(tmp_path: Path) -> dict[str, str]:
    """Files of vectors for twelve sentences."""
    generator = np.random.default_rng(0)
    paths = {"file": tmp_path / "ada.npy", "baseline": tmp_path / "ada-baseline.npy"}
    for path, rows in zip(paths.values(), (12, 200), strict=True):
        np.save(path, generator.normal(size=(rows, 8)).astype(np.float32))
    return {name: str(path) for name, path in paths.items()}


CLAIMS = [{"closer": [1, 2], "than": [1, 3]}, {"related": [1, 2]}, {"together": "Start"}]
RATINGS = [[1, 2, 5], [1, 3, 1], [4, 5, 4], [4, 6, 2], [7, 8, 5], [1, 12, 0]]


def test_models_of_all_kinds_are_compared(run: Run, model: Path, vectors: dict[str, str]) -> None:
    models = [
        str(model),
        {"model": str(model), "truncate_dim": 8, "label": "short"},
        {"model": str(model), "prompt": "query: ", "label": "asked"},
        "tf-idf",
        {"vectors": vectors},
    ]
    shown, space = run(models=models, expect=CLAIMS, ratings=RATINGS)
    summary = shown["summary"]
    assert isinstance(summary, ComparisonSummary)
    assert [column.label for column in summary.columns] == [model.name, "short", "asked", "tf-idf", "ada"]
    assert summary.settings["models"] == models  # as the author wrote them
    assert len(summary.likenesses) == 10
    assert shown["claims"].shape == (3, 5)
    assert list(shown["ratings"].index) == list(space["tables"])
    assert shown["models-table"].loc["numbers per embedding", "short"].startswith("the first 8 of ")
    assert shown["models-table"].loc["parameters", "ada"] == "–"
    compared = Compared(summary)
    for k, (label, matrix) in enumerate(space["matrices"].items()):
        assert (compared.similarities[k] == upper(matrix)).all()
        assert (compared.ranks[k] == pd.Series(upper(matrix)).round(6).rank(ascending=False)).all()
        assert compared.matrix(k) - np.eye(12) == pytest.approx(
            np.where(np.eye(12), 0, space["tables"][label].to_numpy()), abs=1e-5
        )
        for i in range(12):
            nearest = space["nearest_neighbors"](matrix.round(6), i, 3)
            assert nearest == space["neighbors"][label][i, :3].tolist()
    assert len(summary.columns[0].claims) == 3
    assert summary.columns[4].agreement is not None
    assert summary.columns[4].agreement.count == 6


def test_the_correlation_of_the_notebook_is_that_of_scipy(run: Run, model: Path) -> None:
    shown, space = run(models=[str(model), "tf-idf"])
    expected = stats.spearmanr(*(-space["values"].round(6).to_numpy().T)).statistic
    assert space["correlation"] == pytest.approx(expected)
    assert shown["summary"].likenesses[0].spearman == pytest.approx(expected, abs=1e-6)
    mixed = np.random.default_rng(3).permutation(12)
    other = space["matrices"]["tf-idf"][mixed][:, mixed]
    one = upper(space["matrices"][model.name])
    expected = stats.spearmanr(one.round(6), upper(other).round(6)).statistic
    assert space["trials"][3] == pytest.approx(expected)


def test_two_sentences_have_no_ranks(run: Run, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown, space = run(sentences=["the cat sat", "on the mat"], models=[str(model), "tf-idf"])
    summary = shown["summary"]
    (finding,) = summary.finding
    corrected = [Compared(summary).corrected[k, 0] for k in (0, 1)]
    best, worst = sorted(zip(corrected, (model.name, "tf-idf"), strict=True), reverse=True)
    assert finding == (
        f"The two sentences score {best[0]:.2f} with {best[1]} and {worst[0]:.2f} with {worst[1]} "
        "(0 is chance, 1 the same text)."
    ).replace("-0", "−0")
    assert not [notice for notice in summary.notices if "pair" in notice or "rank" in notice]
    assert summary.likenesses == (Likeness(0, 1, None, None, ()),)
    assert space["trials"] == []
    out = capsys.readouterr().out
    assert "not defined" in out
    assert "nan" not in out
    assert "No pair moved." in out


def test_three_sentences_in_the_same_order(run: Run, model: Path) -> None:
    texts = ["the cat sat on the mat", "the cat sat", "mat"]
    twin = {"model": str(model), "label": "twin", "prompt": ""}
    shown, _ = run(sentences=texts, models=[str(model), twin])
    assert shown["summary"].finding[1] == "All models rank the pairs in the same order."


def test_of_a_large_set_the_named_and_the_moved_pairs_are_kept(run: Run, model: Path) -> None:
    texts = [f"the cat {'sat ' * (k % 7)}on mat {k}" for k in range(501)]
    rating = [[1, 501, 3], [2, 400, 1]]
    shown, space = run(sentences=texts, models=[str(model), "tf-idf"], ratings=rating)
    compared = Compared(shown["summary"])
    kept = set(map(tuple, compared.pairs.tolist()))
    assert {(0, 500), (1, 399)} <= kept
    assert len(kept) < compared.total / 5
    moved = [(int(i), int(j)) for i, j in space["pairs"]]
    assert [(pair.first, pair.second) for pair in compared.rank_gaps(6)] == moved


def test_a_model_that_cannot_be_had_is_missing(run: Run, model: Path, tmp_path: Path) -> None:
    shown, _ = run(models=[str(model), str(tmp_path / "none"), "tf-idf"])
    summary = shown["summary"]
    assert [column.label for column in summary.columns] == [model.name, "tf-idf"]
    ((label, reason),) = summary.missing
    assert label == "none"
    assert summary.notices[0] == f"none is missing: {reason}"
    with pytest.raises(ModelError, match=r"needs two models, and only tf-idf is left\. none: .+ nil: .+"):
        run(models=["tf-idf", str(tmp_path / "none"), str(tmp_path / "nil")])


def test_an_exercise_asks_each_model_that_is_here(
    run: Run, model: Path, vectors: dict[str, str], notebook: NotebookNode, capsys: pytest.CaptureFixture[str]
) -> None:
    _, space = run(models=[str(model), "tf-idf", {"vectors": vectors}])
    capsys.readouterr()
    source = code_cells(notebook)["exercise"]
    mine = 'mine = ["the cat", "cat", "the mat"]'
    exec(source.replace(source.splitlines()[0], mine), space)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [model.name, "tf-idf"]
    assert all(re.search(r": −?\d\.\d\d for the meaning, −?\d\.\d\d for the words$", line) for line in lines)


def test_the_shipped_set_shows_what_reading_in_context_buys(run: Run) -> None:
    pytest.importorskip("wordllama")
    chosen = read_set(ROOT / "params" / "in-context.yaml").set
    shown, _ = run(expect=[item.model_dump(exclude_unset=True) for item in chosen.expect or ()])
    summary = shown["summary"]
    assert summary.finding[0] == "all-MiniLM-L6-v2 meets 3 of 4 claims, WordLlama none."
    assert [column.model.name for column in summary.columns] == [EMBEDDED, WORDLLAMA]
    for column, expected in zip(summary.columns, ([True] * 3 + [False], [False] * 4), strict=True):
        assert [claim.met for claim in column.claims] == expected
        assert min(abs(claim.gap) for claim in column.claims) >= 0.05  # survives other versions
    assert summary.notices == ()


# --- claims on the corrected scale -------------------------------------------------------------------------

SPREAD = replace(
    BASELINE, quantiles=tuple(0.5 + q / 2 for q in BASELINE.quantiles)
)  # median 0.75, rare 0.995
TEXTS = ["one", "two", "three"]
FOUND = np.array([[1, 0.996, 0.85], [0.996, 1, 0.8], [0.85, 0.8, 1]])


def test_claims_compare_chance_corrected_similarities() -> None:
    claims = [
        Claim("closer", (0, 1), (0, 2)),
        Claim("closer", (0, 2), (1, 2), margin=0.1),
        Claim("related", (0, 1)),
        Claim("unrelated", (0, 2)),
    ]
    checks = check_corrected(claims, TEXTS, FOUND, SPREAD)
    values = [(check.first.value, check.second.value) for check in checks]
    expected = [(0.984, 0.4), (0.4, 0.2), (0.984, 0.98), (0.4, 0.98)]
    assert np.array(values) == pytest.approx(np.array(expected), abs=1e-6)
    assert [check.met for check in checks] == [True] * 4
    assert not check_claims(claims, TEXTS, FOUND, SPREAD)[1].met  # 0.05 apart before the correction


def test_what_is_above_chance_stays_so() -> None:
    """The limit is compared as everywhere else: before the correction, rounded like the baseline."""
    for similarity in (0.9944, 0.9946, 0.9954, 0.9956):
        matrix = np.array([[1, similarity], [similarity, 1]])
        claims = [Claim("related", (0, 1)), Claim("unrelated", (0, 1))]
        plain, corrected = (check(claims, TEXTS, matrix, SPREAD) for check in (check_claims, check_corrected))
        assert [check.met for check in plain] == [check.met for check in corrected]


@pytest.mark.parametrize("similarity", [0.9946, 0.9951])
def test_a_tie_with_the_limit_is_shown_as_one(similarity: float) -> None:
    matrix = np.array([[1, similarity], [similarity, 1]])
    claims = [Claim("related", (0, 1)), Claim("unrelated", (0, 1))]
    related, unrelated = check_corrected(claims, TEXTS, matrix, SPREAD)
    assert comparison.outcome(related) == "does not hold: 0.98 against 0.98"
    assert comparison.outcome(unrelated) == "holds: 0.98 against 0.98"
    assert related.first.value == related.second.value


def test_groups_are_compared_on_the_corrected_scale() -> None:
    (check,) = check_corrected([Claim("together", group="a")], TEXTS, FOUND, SPREAD, groups=["a", "a", "b"])
    assert check.first.value == pytest.approx(0.984)
    assert check.second.value == pytest.approx(0.3)
    assert check.met


# --- words -------------------------------------------------------------------------------------------------


def columns(*met: str, spearman: tuple[float | None, ...] = ()) -> list[Column]:
    """Return a column for each text: "110" is a model for which two of three claims hold."""
    side = Side("pair", ("one", "two"), 0.5)
    agreed = [
        None if value is None else Agreement(9, value, (value - 0.05, value + 0.05), ()) for value in spearman
    ] or [None] * len(met)
    return [
        Column(
            "ABCDEF"[k],
            MODEL,
            BASELINE,
            "",
            "",
            claims=tuple(ClaimCheck("closer", flag == "1", side, side) for flag in flags),
            agreement=agreement,
        )
        for k, (flags, agreement) in enumerate(zip(met, agreed, strict=True))
    ]


@pytest.mark.parametrize(
    ("met", "words"),
    [
        (("", ""), ""),
        (("1110", "0000"), "A meets 3 of 4 claims, B none."),
        (("000", "111"), "B meets all 3 claims, A none."),
        (("10", "11"), "B meets both claims, A 1."),
        (("110", "110", "000", "100"), "A and B meet 2 of 3 claims, D 1, C none."),
        (("1", "0"), "A meets the claim, B does not."),
        (("1", "0", "0"), "A meets the claim, B and C do not."),
        (("1", "1", "0"), "A and B meet the claim, C does not."),
        (("110", "011"), "Both models meet 2 of 3 claims."),
        (("11", "11", "11"), "All three models meet both claims."),
        (("1", "1"), "Both models meet the claim."),
        (("00", "00"), "Neither of the two models meets any of the 2 claims."),
        (("0", "0", "0"), "None of the three models meets the claim."),
    ],
)
def test_who_meets_how_many_claims(met: tuple[str, ...], words: str) -> None:
    assert claims_met(columns(*met)) == words


def test_what_the_claims_show_is_said_only_if_all_hold_for_all() -> None:
    assert claims_met(columns("11", "11"), "It works.") == "It works: both claims hold for both models."
    assert claims_met(columns("1", "1", "1"), "It works") == "It works: the claim holds for all three models."
    assert claims_met(columns("11", "10"), "It works") == "A meets both claims, B 1."
    assert claims_met(columns("11", "11"), "Does it work?") == "Both models meet both claims."


@pytest.mark.parametrize(
    ("spearman", "words"),
    [
        ((0.76, 0.9), "B agrees best with the ratings (rank correlation 0.90; A 0.76)."),
        (
            (0.82, 0.76),
            "A agrees best with the ratings (rank correlation 0.82; B 0.76); their intervals overlap.",
        ),
        (
            (0.5, 0.82, 0.76),
            "B agrees best with the ratings (rank correlation 0.82; C 0.76, A 0.50); "
            "the first two intervals overlap.",
        ),
        ((0.821, 0.822), "B and A agree equally well with the ratings (rank correlation 0.82)."),
        ((0.8, None), ""),
    ],
)
def test_who_agrees_best_with_people(spearman: tuple[float | None, ...], words: str) -> None:
    assert best_with_ratings(columns(*[""] * len(spearman), spearman=spearman)) == words


def test_which_two_agree_most() -> None:
    likenesses = [Likeness(0, 1, 0.27, 0.2, ()), Likeness(0, 2, 0.8, 0.2, ()), Likeness(1, 2, -0.1, 0.2, ())]
    three = columns("", "", "")
    assert agree_most(three, likenesses) == (
        "A and C agree most (rank correlation 0.80), B and C least (−0.10)."
    )
    assert agree_most(three, [replace(one, spearman=0.5) for one in likenesses]) == (
        "A and B agree most (rank correlation 0.50)."
    )
    assert agree_most(three[:2], likenesses[:1]) == (
        "The rank correlation of the two models is 0.27; "
        "with shuffled sentences, it is at most 0.20 in 95% of trials."
    )
    assert agree_most(three[:2], [Likeness(0, 1, None, None, ())]).startswith("The models cannot be compared")


VARIANTS = [
    *(f"all-MiniLM-L6-v2, {size} dimensions" for size in (32, 64, 128, 256)),
    "dleemiller/word-llama-l2-supercat",
    "tf-idf",
]


def variants(*met: str, spearman: tuple[float | None, ...] = ()) -> list[Column]:
    """Return columns as `columns` does, with long labels."""
    return [
        replace(column, label=label)
        for column, label in zip(columns(*met, spearman=spearman), VARIANTS, strict=False)
    ]


@pytest.mark.parametrize(
    ("met", "words"),
    [
        (
            ("1110", "1000", "1000", "1100", "1000", "0000"),
            "“all-MiniLM-L6-v2, 32 dimensions” meets 3 of 4 claims, tf-idf none.",
        ),
        (
            ("1000", "1000", "1100", "1100", "1000", "1111"),
            "tf-idf meets all 4 claims, the others fewer.",
        ),
        (("0000", "0000", "0000", "0000", "0000", "1111"), "tf-idf meets all 4 claims, the others none."),
        (
            ("1110", "1110", "1110", "1110", "1000", "0000"),
            "Four of the six models meet 3 of 4 claims, tf-idf none.",
        ),
        (
            ("1110", "1110", "1000", "1000", "1000", "1000"),
            "Two of the six models meet 3 of 4 claims, the others fewer.",
        ),
        (("1", "1", "1", "0", "0", "0"), "Three of the six models meet the claim."),
        (("0", "0", "0", "0", "0", "1"), "tf-idf meets the claim, the others do not."),
    ],
)
def test_of_models_with_long_names_the_headline_names_the_best_and_the_worst(
    met: tuple[str, ...], words: str
) -> None:
    assert claims_met(variants(*met)) == words


def test_of_models_with_long_names_the_best_with_ratings_is_named() -> None:
    six = (0.1, 0.2, 0.3, 0.4, 0.7, 0.9)
    assert best_with_ratings(variants(*[""] * 6, spearman=six)) == (
        "tf-idf agrees best with the ratings (rank correlation 0.90)."
    )
    shorter = [replace(column, label=column.label[-13:]) for column in variants(*[""] * 6, spearman=six)]
    assert best_with_ratings(shorter) == (
        "tf-idf agrees best with the ratings (rank correlation 0.90; lowest: 32 dimensions 0.10)."
    )
    tie = (0.9, 0.9, 0.9, 0.4, 0.7, 0.1)
    assert best_with_ratings(variants(*[""] * 6, spearman=tie)) == (
        "Three of the six models agree equally well with the ratings (rank correlation 0.90)."
    )
    close = (0.1, 0.2, 0.3, 0.85, 0.8, 0.9)
    assert best_with_ratings(variants(*[""] * 6, spearman=close)) == (
        "tf-idf agrees best with the ratings (rank correlation 0.90); the interval of the next one overlaps with it."
    )


def test_without_intervals_the_best_with_ratings_is_uncertain() -> None:
    few = [
        replace(column, agreement=Agreement(3, value, None, ()))
        for column, value in zip(columns("", ""), (0.9, 0.1), strict=True)
    ]
    assert best_with_ratings(few) == (
        "A agrees best with the ratings (rank correlation 0.90; B 0.10); there are too few pairs to be certain."
    )


def test_the_first_sentence_about_six_variants_fits_into_two_lines() -> None:
    likenesses = [Likeness(0, 3, 0.9, 0.2, ()), Likeness(1, 2, 0.1, 0.2, ())]
    assert agree_most(variants(*[""] * 6), likenesses) == (
        "“all-MiniLM-L6-v2, 32 dimensions” and “all-MiniLM-L6-v2, 256 dimensions” agree most (rank correlation 0.90)."
    )
    for met in product(("1111", "1100", "0000"), repeat=6):
        assert len(claims_met(variants(*met))) <= HEADLINE


def test_two_sentences_score_between_the_best_and_the_worst_model() -> None:
    assert one_pair(many_compared(2, 2)).startswith("The two sentences score ")
    summary = small_comparison()
    alike = replace(summary.columns[0], label="twin")
    first = replace(summary, columns=(summary.columns[0], alike))
    assert one_pair(first) == "The two sentences score 0.41 with both models (0 is chance, 1 the same text)."
    three = replace(summary, columns=(*summary.columns, alike))
    assert one_pair(three) == (
        "The two sentences score 0.41 with all-MiniLM-L6-v2, less with the others (0 is chance, 1 the same text)."
    )


def test_numbers_that_look_equal_get_more_decimals() -> None:
    two, close = (
        columns("", ""),
        Likeness(0, 1, 0.2846, 0.2812, (Shared(1, 0.5012, 0.4988), Shared(3, 0.5, 0.5))),
    )
    assert agree_most(two, [close]) == (
        "The rank correlation of the two models is 0.285; "
        "with shuffled sentences, it is at most 0.281 in 95% of trials."
    )
    (row,) = comparison.agreement_table([close], ["A", "B"]).to_numpy().tolist()
    assert row == ["0.285", "0.281", "0.501", "0.499", "0.50", "0.50"]


def test_a_label_with_a_comma_is_quoted() -> None:
    two = [replace(column, label=f"m, {column.label}") for column in columns("1", "0")]
    assert claims_met(two) == "“m, A” meets the claim, “m, B” does not."


def test_what_came_out_of_a_real_comparison() -> None:
    assert comparison_finding(small_comparison()) == (
        "all-MiniLM-L6-v2 meets 3 of 4 claims, WordLlama none.",
        "The rank correlation of the two models is 0.27; "
        "with shuffled sentences, it is at most 0.19 in 95% of trials.",
        "The pair that moves most is “The spring in the mattress is broken” and “It is raining cats and dogs”: "
        "rank 8 of 66 for WordLlama, 63 for all-MiniLM-L6-v2.",
    )


def test_the_pair_that_moves_most_is_that_of_the_numbers() -> None:
    summary = many_compared(9, 3)
    (pair,) = Compared(summary).rank_gaps(1)
    words = moves_most(summary)
    assert all(f"“{summary.sentences[k]}”" in words for k in (pair.first, pair.second))
    assert summary.columns[pair.near].label in words.split(" for ")[1]


# --- notices -----------------------------------------------------------------------------------------------


def runs_of(summary: ComparisonSummary, tokens: tuple[TokenFacts, ...] = (), **facts: Any) -> list[ModelRun]:
    embeddings = np.zeros((len(summary.sentences), 2), dtype=np.float32)
    return [
        ModelRun(column.label, embeddings, replace(column.model, **facts), column.baseline, tokens, None)
        for column in summary.columns
    ]


def test_there_is_nothing_to_know_about_a_plain_comparison() -> None:
    summary = small_comparison()
    assert comparison_notices(summary, runs_of(summary)) == ()


def test_notices_name_their_model() -> None:
    summary = small_comparison(missing=(("gone", "no such folder"),))
    tokens = (TokenFacts(9, 8, 0, True), TokenFacts(2, 8, 2, False))
    notices = comparison_notices(summary, runs_of(summary, tokens, declared_prompts={"query": "query: "}))
    assert notices[0] == "gone is missing: no such folder"
    assert notices[1].startswith("all-MiniLM-L6-v2: this model expects a prompt before its texts: “query: ”")
    assert notices[2] == (
        "all-MiniLM-L6-v2: sentence 1 was cut at 8 of 9 tokens: the model did not see the rest."
    )
    assert notices[3].startswith("all-MiniLM-L6-v2: the model cannot read anything in sentence 2")
    assert [notice.split(":")[0] for notice in notices[4:]] == ["WordLlama"] * 3


def test_few_sentences_are_a_notice() -> None:
    summary = many_compared(4, 2)
    (notice,) = comparison_notices(summary, runs_of(summary))
    assert re.fullmatch(
        r"Four sentences are few: shuffled, they often reach a rank correlation of 0\.\d\d, .+", notice
    )


def test_vectors_in_another_order_are_a_notice() -> None:
    summary = many_compared(20, 3)
    mixed = tuple(replace(one, spearman=0.01) if one.second == 2 else one for one in summary.likenesses)
    last = replace(summary.columns[2], model=replace(MODEL, source="file"))
    suspect = replace(summary, columns=(*summary.columns[:2], last), likenesses=mixed)
    (notice,) = comparison_notices(suspect, runs_of(suspect))
    assert notice == (
        "model 3 agrees with no other model more than chance. Are the rows of its file in the order of the sentences?"
    )
    for quiet in (replace(suspect, columns=summary.columns), replace(suspect, likenesses=summary.likenesses)):
        assert comparison_notices(quiet, runs_of(quiet)) == ()


def test_what_is_the_same_to_a_model_is_a_notice(run: Run, model: Path) -> None:
    texts = ["the cat sat on the mat", "the mat sat on the cat", "on", "cat", "mat", "sat"]
    shown, _ = run(sentences=texts, models=[str(model), "tf-idf"])
    assert "To tf-idf, sentences 1 and 2 are the same." in shown["summary"].notices


# --- tables ------------------------------------------------------------------------------------------------


def test_neighbors_on_which_models_differ_come_first() -> None:
    neighbors = {"A": np.array([[1, 2], [0, 2], [1, 0]]), "B": np.array([[1, 2], [2, 0], [1, 0]])}
    table = comparison.neighbor_table(["one", "two", "three"], neighbors)
    assert list(table.index) == ["two", "one", "three"]
    assert list(table.loc["two"]) == ["one", "three"]
    assert len(comparison.neighbor_table(["one", "two", "three"], neighbors, 1)) == 1


def test_agreement_and_claims_as_tables() -> None:
    summary = small_comparison()
    labels = [column.label for column in summary.columns]
    agreement = comparison.agreement_table(summary.likenesses, labels)
    assert list(agreement.index) == ["all-MiniLM-L6-v2 – WordLlama"]
    assert list(agreement.iloc[0])[:2] == ["0.27", "0.19"]
    assert list(agreement)[2:4] == ["1 nearest in common", "1 shuffled"]
    nothing = comparison.agreement_table([Likeness(0, 1, None, None, ())], labels)
    assert list(nothing.iloc[0]) == ["–", "–"]
    checks: Mapping[str, Any] = {column.label: column.claims for column in summary.columns}
    claims = comparison.claim_table(checks)
    assert claims.shape == (4, 2)
    assert claims.iloc[2, 0] == "holds: 0.70 against 0.13"
    assert claims.iloc[2, 1] == "does not hold: 0.40 against 0.41"
    assert claims.index[0].startswith("“The spring in the mattress is broken” is closer to “A metal coil")


def test_the_pairs_of_claims_and_ratings_are_named() -> None:
    claims = [Claim("closer", (0, 1), (0, 2)), Claim("related", (3, 4)), Claim("together", group="a")]
    assert comparison.named_pairs(claims, [(5, 6, 1.0)]) == [(0, 1), (0, 2), (3, 4), (5, 6)]


def test_ratings_as_a_table() -> None:
    worst = RatedPair(0, 1, 4.5, 0.1, 100.0, 33.3)
    table = comparison.rating_table(
        {"A": Agreement(9, 0.8203, (0.8, 0.84), (worst,)), "B": Agreement(2, None, None, ())}, ["one", "two"]
    )
    assert table.to_numpy().tolist() == [
        ["0.8203", "0.80 to 0.84", "“one” and “two”: rank 100 to people, 33 to the model"],
        ["–", "–", "–"],
    ]
    assert isinstance(table, pd.DataFrame)
