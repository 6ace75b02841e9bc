"""What changed between two reports, from two summaries."""

from dataclasses import replace

import numpy as np
import pytest
from support import MODEL, small_search
from two_reports import OLD, VALUES, A, B, C, D, comparison, large, square, walkthrough

from sentence_reports.claim_records import Agreement, ClaimCheck, ReferenceCheck, Side
from sentence_reports.difference import Difference, difference
from sentence_reports.errors import UsageError
from sentence_reports.facts import STEPS, Baseline, ModelFacts
from sentence_reports.movement import CORRECTED_ROUNDING, LISTED, ROUNDING
from sentence_reports.overview import Blocks, Neighbors, Overview, pack
from sentence_reports.summary import ComparisonSummary, WalkthroughSummary

OTHER = replace(MODEL, name="other", sha256="1" * 64)
OTHER_BASELINE = Baseline("k2", "other", 10, tuple(round(0.5 + k / STEPS / 2, 4) for k in range(STEPS + 1)))


def closer(one: str, near: str, far: str, *, met: bool, margin: float = 0) -> ClaimCheck:
    high, low = (0.6, 0.3) if met else (0.3, 0.6)
    sides = Side("pair", (one, near), high), Side("pair", (one, far), low)
    return ClaimCheck("closer", met, *sides, margin=margin)


def together(group: str, rival: str, *, met: bool = True) -> ClaimCheck:
    return ClaimCheck("together", met, Side("within", (group,), 0.6), Side("between", (group, rival), 0.2))


def moved(found: Difference) -> list[tuple[str, str]]:
    return [(pair.first, pair.second) for pair in found.columns[0].movement.pairs]


# --- texts and pairs --------------------------------------------------------------------------------------------


def test_the_same_summary_twice_is_no_difference() -> None:
    found = difference(OLD, OLD)
    assert not found.counts
    assert found.finding == ("Nothing moved.",)
    assert (found.common, found.columns[0].movement.compared, found.columns[0].movement.total) == (4, 6, 6)


def test_a_pair_moves_beyond_rounding_only() -> None:
    within = walkthrough([A, B, C, D], 0.6 + 0.9 * ROUNDING, 0.2, 0.1, 0.3, 0.15, 0.5)
    assert not difference(OLD, within).counts
    beyond = walkthrough([A, B, C, D], 0.6 + 1.1 * ROUNDING, 0.2, 0.1, 0.3, 0.15, 0.5)
    found = difference(OLD, beyond)
    assert found.counts
    assert found.finding == ("1 of 6 pairs moved.",)
    assert moved(found) == [(A, B)]


def test_the_pairs_that_moved_most_come_first() -> None:
    new = walkthrough([A, B, C, D], 0.5, 0.2, 0.4, 0.3, 0.15, 0.3)
    found = difference(OLD, new)
    assert moved(found) == [(A, D), (C, D), (A, B)]
    pair = found.columns[0].movement.pairs[0]
    assert (pair.old, pair.new) == pytest.approx((0.1, 0.4))
    assert pair.old_corrected == pytest.approx(OLD.baseline.corrected(0.1))
    assert (pair.old_rank, pair.new_rank) == (None, None)


def test_sentences_are_matched_by_text() -> None:
    reordered = walkthrough([D, A, C, B], 0.1, 0.5, 0.15, 0.2, 0.6, 0.3)
    found = difference(OLD, reordered)
    assert not found.counts
    assert found.reordered
    assert found.columns[0].movement.compared == 6
    assert not difference(OLD, OLD).reordered


def test_one_sentence_changed() -> None:
    new = walkthrough([A, "a bird", C, D], 0.4, 0.2, 0.1, 0.35, 0.25, 0.7)
    found = difference(OLD, new)
    assert (found.removed, found.added, found.common) == ((), (), 3)
    assert [tuple(each) for each in found.edited] == [("Sentence 2", B, "a bird")]
    assert moved(found) == [(C, D)]
    assert found.counts
    assert found.finding == ("1 of 3 pairs moved; 1 sentence changed.",)
    assert not found.reordered


def test_a_changed_sentence_is_at_the_same_place() -> None:
    moved_and_changed = walkthrough([D, A, "a bird", C], 0.1, 0.4, 0.15, 0.2, 0.6, 0.3)
    found = difference(OLD, moved_and_changed)
    assert [(each.old, each.new) for each in found.edited] == [(B, "a bird")]
    two_for_one = walkthrough([A, "a bird", "a tram", C, D], *[0.2] * 10)
    found = difference(OLD, two_for_one)
    assert (found.edited, found.removed, found.added) == ((), (B,), ("a bird", "a tram"))


def test_a_changed_sentence_is_in_the_same_group() -> None:
    new = walkthrough([A, "a bird", C, D], *VALUES, groups=("pets", "pets", "roads", "roads"))
    for group, count in (("pets", 1), ("roads", 0)):
        found = difference(
            grouped("animals", "animals", "roads", "roads"),
            replace(new, groups=("pets", group, "roads", "roads")),
        )
        assert len(found.edited) == count
        assert len(found.added) == len(found.removed) == 1 - count


def test_only_an_added_sentence_counts() -> None:
    found = difference(walkthrough([A, B, C], 0.6, 0.2, 0.3), OLD)
    assert found.counts
    assert found.finding == ("No pair moved; 1 sentence added.",)


def test_one_sentence_in_common_is_no_pair() -> None:
    found = difference(walkthrough([A, B], 0.6), walkthrough([A, C], 0.2))
    assert (found.common, found.columns[0].movement.total) == (1, 0)
    assert found.finding == ("No pair moved; 1 sentence changed.",)


def test_many_pairs_that_moved_are_counted_and_some_listed() -> None:
    texts = [str(k) for k in range(20)]
    old, new = (walkthrough(texts, *np.linspace(0.1, 0.1 + width, 190)) for width in (0.2, 0.8))
    movement = difference(old, new).columns[0].movement
    assert (movement.moved, len(movement.pairs)) == (189, LISTED)
    assert (movement.pairs[0].first, movement.pairs[0].second) == ("18", "19")


# --- another model ----------------------------------------------------------------------------------------------


def of_other(*corrected: float, model: ModelFacts = OTHER) -> WalkthroughSummary:
    """The sentences of `OLD` with another model, whose unrelated pairs have a median of 0.75."""
    values = [0.75 + 0.25 * value for value in corrected]
    return walkthrough([A, B, C, D], *values, model=model, baseline=OTHER_BASELINE)


SAME_PLACES = [(value - 0.5) / 0.5 for value in (0.6, 0.2, 0.1, 0.3, 0.15, 0.5)]


def test_another_model_is_compared_chance_corrected() -> None:
    found = difference(OLD, of_other(*SAME_PLACES))
    assert not found.counts
    assert found.finding[0] == "Nothing moved."
    assert [(each.what, each.new) for each in found.columns[0].model] == [
        ("Model", "other"),
        ("Weights (SHA-256)", "1" * 64),
    ]
    within = SAME_PLACES[0] + 0.9 * CORRECTED_ROUNDING
    assert not difference(OLD, of_other(within, *SAME_PLACES[1:])).counts
    beyond = SAME_PLACES[0] + 1.1 * CORRECTED_ROUNDING
    assert moved(difference(OLD, of_other(beyond, *SAME_PLACES[1:]))) == [(A, B)]


def test_with_another_model_ranks_say_what_moved_most() -> None:
    # The closest pair stays the closest, by far; the second one becomes the last.
    found = difference(OLD, of_other(0.9, -0.6, -0.8, -0.4, -0.7, -0.9))
    first, *others = found.columns[0].movement.pairs
    assert (first.first, first.second, first.old_rank, first.new_rank) == (C, D, 2, 6)
    assert any((pair.first, pair.second, pair.old_rank, pair.new_rank) == (A, B, 1, 1) for pair in others)
    assert found.columns[0].movement.spearman == pytest.approx(1 - 6 * 20 / 210, abs=1e-6)
    assert found.finding[1] == (
        "The models differ; the rank correlation of the pairs before and now is 0.43 (Spearman)."
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"prompt": "query: "}, "another prompt"),
        ({"dimension": 1}, "another number of dimensions"),
        ({"pooling": "cls"}, "another pooling"),
        ({"normalizes": not MODEL.normalizes}, "another scaling"),
        ({"sha256": "2" * 64}, "other weights"),
    ],
)
def test_a_model_that_is_used_in_another_way_has_another_scale(
    changes: dict[str, object], reason: str
) -> None:
    new = replace(OLD, model=replace(MODEL, **changes))
    assert not difference(OLD, new).columns[0].movement.same
    found = difference(OLD, replace(of_other(*[0.0] * 6), model=replace(MODEL, **changes)))
    assert found.counts
    assert found.columns[0].reason == f"the model has {reason}"


def test_what_differs_in_the_use_of_a_model_is_named() -> None:
    model = replace(MODEL, prompt="query: ", dimension=1, normalizes=not MODEL.normalizes)
    new = replace(OLD, model=model)  # a model that is truncated no longer scales its vectors itself
    assert difference(OLD, new).columns[0].reason == (
        "the model has another prompt and another number of dimensions"
    )


def test_a_model_that_is_fitted_on_the_set_is_the_same_only_for_the_same_sentences() -> None:
    fitted = replace(MODEL, source="this set")
    old = replace(OLD, model=fitted)
    assert difference(old, old).columns[0].movement.same
    reordered = walkthrough([B, A, C, D], 0.6, 0.3, 0.15, 0.2, 0.1, 0.5, model=fitted)
    assert difference(old, reordered).columns[0].movement.same
    fewer = walkthrough([A, B, C], 0.6, 0.2, 0.3, model=fitted, baseline=OTHER_BASELINE)
    column = difference(old, fewer).columns[0]
    assert not column.movement.same
    assert column.scale is None
    assert column.model == ()
    other = replace(fewer, model=replace(fitted, dimension=1))
    assert difference(old, other).columns[0].reason == column.reason
    assert column.reason == "the model is fitted on other sentences"


def test_a_new_name_and_revision_of_the_same_weights_do_not_count() -> None:
    new = replace(OLD, model=replace(MODEL, name="n", revision=None))
    found = difference(OLD, new)
    assert not found.counts
    assert [tuple(each) for each in found.columns[0].model] == [
        ("Model", "m", "n"),
        ("Revision", "r", "none"),
    ]


def test_one_pair_has_no_rank() -> None:
    old = walkthrough([A, B], 0.6)
    new = walkthrough([A, B], 0.9, model=OTHER)
    movement = difference(old, new).columns[0].movement
    assert (movement.moved, movement.pairs[0].old_rank, movement.spearman) == (1, None, None)


def test_what_unrelated_pairs_score_counts_if_the_model_is_the_same() -> None:
    higher = replace(OLD, baseline=OTHER_BASELINE)
    found = difference(OLD, higher)
    assert found.counts
    assert found.figures[0].what == "Unrelated pairs"
    assert "median 0.500" in found.figures[0].old
    assert "median 0.750" in found.figures[0].new
    assert found.finding == ("No pair moved; unrelated pairs score differently.",)


# --- groups -----------------------------------------------------------------------------------------------------


def grouped(*groups: str) -> WalkthroughSummary:
    return replace(OLD, groups=groups)


def test_a_group_that_was_renamed_is_told_once() -> None:
    old = replace(grouped("pets", "pets", "roads", "roads"), claims=(together("pets", "roads"),))
    new = replace(grouped("animals", "animals", "roads", "roads"), claims=(together("animals", "roads"),))
    found = difference(old, new)
    assert [tuple(each) for each in found.renamed] == [("Group", "pets", "animals")]
    assert found.regrouped == ()
    assert found.columns[0].claims == ()
    assert found.finding == ("No pair moved; 1 group renamed.",)
    assert found.counts


def test_groups_that_swap_their_names_are_renamed() -> None:
    found = difference(grouped("x", "x", "y", "y"), grouped("y", "y", "x", "x"))
    assert [(each.old, each.new) for each in found.renamed] == [("x", "y"), ("y", "x")]
    assert found.regrouped == ()


def test_a_sentence_in_another_group() -> None:
    found = difference(grouped("x", "x", "y", "y"), grouped("x", "x", "y", "x"))
    assert found.renamed == ()
    assert [tuple(each) for each in found.regrouped] == [(D, "y", "x")]
    assert found.counts


def test_groups_that_join_are_not_renamed() -> None:
    found = difference(grouped("x", "x", "y", "y"), grouped("z", "z", "z", "z"))
    assert found.renamed == ()
    assert len(found.regrouped) == 4


def test_groups_that_come_are_told_for_each_sentence() -> None:
    found = difference(OLD, grouped("x", "x", "x", "x"))
    assert [(each.old, each.new) for each in found.regrouped] == [("none", "x")] * 4


# --- claims, published figures, ratings ---------------------------------------------------------------------------


def test_claims_that_turn() -> None:
    same = closer(D, C, B, met=True)
    old = replace(OLD, claims=(closer(C, D, A, met=False), closer(A, B, C, met=True), same))
    new = replace(OLD, claims=(closer(C, D, A, met=True), closer(A, B, C, met=False), same))
    found = difference(old, new)
    assert [(change.outcome, change.claim.first.texts) for change in found.columns[0].claims] == [
        ("no longer holds", (A, B)),
        ("now holds", (C, D)),
    ]
    assert found.counts
    assert found.finding == (
        "No pair moved; the claim that “a cat” is closer to “a dog” than to “a car” no longer holds; the claim that "
        "“a car” is closer to “a bus” than to “a cat” now holds.",
    )


def test_several_claims_that_turn_are_counted() -> None:
    held = (closer(A, B, C, met=True), closer(C, D, A, met=True))
    lost = tuple(replace(claim, met=False) for claim in held)
    assert (
        "2 claims no longer hold"
        in difference(replace(OLD, claims=held), replace(OLD, claims=lost)).finding[0]
    )
    assert "2 claims now hold" in difference(replace(OLD, claims=lost), replace(OLD, claims=held)).finding[0]


def test_a_long_claim_is_counted() -> None:
    long = closer("long " * 9, "near " * 9, "far " * 2, met=True)
    found = difference(replace(OLD, claims=(long,)), replace(OLD, claims=(replace(long, met=False),)))
    assert found.finding == ("No pair moved; 1 claim no longer holds.",)


def test_a_claim_about_a_changed_sentence_is_one_claim() -> None:
    bird = "a bird"
    old = replace(OLD, claims=(closer(A, B, C, met=True), closer(C, D, A, met=True)))
    claims = closer(A, bird, C, met=True), closer(C, D, A, met=True)
    found = difference(old, walkthrough([A, bird, C, D], *VALUES, claims=claims))
    (change,) = found.columns[0].claims
    assert (change.outcome, change.old, change.new) == ("changed its sentence", old.claims[0], claims[0])
    assert found.finding == ("No pair moved; 1 sentence changed; 1 claim changed its sentence.",)
    lost = difference(
        old, walkthrough([A, bird, C, D], *VALUES, claims=(closer(A, bird, C, met=False), claims[1]))
    )
    assert [change.outcome for change in lost.columns[0].claims] == ["no longer holds"]
    assert lost.finding[0].startswith(
        "No pair moved; the claim that “a cat” is closer to “a bird” than to “a car” no"
    )


def test_claims_are_matched_by_what_they_expect() -> None:
    one, other = closer(A, B, C, met=True), closer(B, A, C, met=True)
    turned_around = replace(one, first=Side("pair", (B, A), 0.61))
    assert (
        difference(replace(OLD, claims=(one,)), replace(OLD, claims=(turned_around,))).columns[0].claims == ()
    )
    found = difference(replace(OLD, claims=(one,)), replace(OLD, claims=(other,)))
    assert [change.outcome for change in found.columns[0].claims] == ["is new", "was removed"]
    assert found.counts
    stricter = difference(replace(OLD, claims=(one,)), replace(OLD, claims=(replace(one, margin=0.1),)))
    assert [change.outcome for change in stricter.columns[0].claims] == ["is new", "was removed"]


def test_the_rival_of_a_group_is_an_outcome() -> None:
    old = replace(grouped("x", "x", "y", "z"), claims=(together("x", "y"),))
    new = replace(grouped("x", "x", "y", "z"), claims=(together("x", "z"),))
    assert not difference(old, new).counts


def test_published_figures() -> None:
    all_match = ReferenceCheck("post", "m", 0.001, compared=True, met=3, total=3, largest=0.0001)
    one_less = replace(all_match, met=2, largest=0.2)
    found = difference(replace(OLD, reference=all_match), replace(OLD, reference=one_less))
    assert found.counts
    assert found.published
    assert found.published.new.startswith("1 of 3 published values does not match")
    assert found.finding == ("No pair moved; the published values compare differently.",)
    finer = replace(all_match, largest=0.0002)
    assert not difference(replace(OLD, reference=all_match), replace(OLD, reference=finer)).counts
    not_compared = replace(all_match, compared=False, met=0, total=0, largest=None)
    found = difference(replace(OLD, reference=all_match), replace(OLD, reference=not_compared))
    assert found.published
    assert found.published.new == "not compared (post)"


def test_ratings() -> None:
    good = Agreement(10, 0.82, (0.7, 0.9), ())
    for same in (good, replace(good, spearman=0.824)):
        assert not difference(replace(OLD, agreement=good), replace(OLD, agreement=same)).counts
    for other in (replace(good, spearman=0.83), replace(good, count=9), replace(good, spearman=None), None):
        found = difference(replace(OLD, agreement=good), replace(OLD, agreement=other))
        assert found.counts
        assert found.figures[0].old == "0.82 (10 rated pairs)"
    assert found.figures[0].new == "no ratings"
    one, other = replace(good, spearman=0.8251), replace(good, spearman=0.8349)
    (change,) = difference(replace(OLD, agreement=one), replace(OLD, agreement=other)).figures
    assert (change.old, change.new) == ("0.825 (10 rated pairs)", "0.835 (10 rated pairs)")


# --- what does not count ----------------------------------------------------------------------------------------


def test_settings_notices_and_versions_are_listed_but_do_not_count() -> None:
    new = replace(
        OLD,
        settings={"title": "U", "description": "D", "normalize": False, "cmap": "Greens"},
        versions={"Python": "4"},
        notices=("It was cut.",),
    )
    found = difference(OLD, new)
    assert not found.counts
    assert [tuple(each) for each in found.settings] == [
        ("Title", "T", "U"),
        ("Normalize", "yes", "no"),
        ("Cmap", "none", "Greens"),
        ("Notice", "", "It was cut."),
    ]
    assert [tuple(each) for each in found.versions] == [("Python", "3", "4")]


# --- large sets -------------------------------------------------------------------------------------------------


def test_of_a_large_set_the_nearest_neighbors_are_compared() -> None:
    texts = [A, B, C, D]
    matrix = square(0.6, 0.2, 0.1, 0.3, 0.15, 0.5)
    shifted = square(0.7, 0.2, 0.1, 0.3, 0.15, 0.5)
    found = difference(large(texts, matrix, 1), large(texts, shifted, 1))
    movement = found.columns[0].movement
    assert (movement.compared, movement.total, movement.moved) == (2, 6, 1)
    assert moved(found) == [(A, B)]
    assert difference(large(texts, matrix, 1), OLD).finding == ("Nothing moved.",)
    other = replace(large(texts, shifted, 1), model=OTHER)
    found = difference(large(texts, matrix, 1), other)
    assert found.columns[0].movement.pairs[0].old_rank is None
    assert found.columns[0].movement.spearman is None


# --- comparisons ------------------------------------------------------------------------------------------------


def test_comparisons_column_by_column() -> None:
    found = difference(comparison(x=VALUES, y=VALUES), comparison(y=(0.7, *VALUES[1:]), x=VALUES))
    assert [(column.label, column.movement.moved) for column in found.columns] == [("x", 0), ("y", 1)]
    assert found.finding == ("1 of 6 pairs moved for “y”.",)


def test_a_claim_counts_once_whatever_the_number_of_models() -> None:
    def claimed(*met: bool) -> ComparisonSummary:
        plain = comparison(x=VALUES, y=VALUES)
        claims = [(closer(A, B, C, met=each),) for each in met]
        columns = zip(plain.columns, claims, strict=True)
        return replace(plain, columns=tuple(replace(column, claims=some) for column, some in columns))

    begun = "No pair moved; the claim that “a cat” is closer to “a dog” than to “a car” no longer holds for"
    assert difference(claimed(True, True), claimed(True, False)).finding == (f"{begun} “y”.",)
    assert difference(claimed(True, True), claimed(False, False)).finding == (f"{begun} “x” and “y”.",)
    come = difference(comparison(x=VALUES, y=VALUES), claimed(True, True))
    assert come.finding == ("No pair moved; 1 claim is new.",)


def test_a_model_of_only_one_comparison_counts() -> None:
    found = difference(comparison(x=VALUES, y=VALUES), comparison(x=VALUES, z=VALUES))
    assert [tuple(each) for each in found.labels] == [("Model", "y", ""), ("Model", "", "z")]
    assert found.finding == ("No pair moved; other models ran.",)
    assert found.counts


# --- what cannot be compared --------------------------------------------------------------------------------------


def test_what_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="no sentence in common"):
        difference(OLD, walkthrough(["p", "q"], 0.5))
    with pytest.raises(UsageError, match="OLD is a walkthrough, and NEW a comparison"):
        difference(OLD, comparison(x=VALUES, y=VALUES))
    with pytest.raises(UsageError, match="no model in common: OLD has “x”, “y”, NEW has “v”, “w”"):
        difference(comparison(x=VALUES, y=VALUES), comparison(v=VALUES, w=VALUES))


BEYOND = Neighbors(1, pack(np.array([1, 2, 3, 9]), "<u4"), pack(np.full(4, 0.5)))


@pytest.mark.parametrize(
    "damaged",
    [
        replace(OLD, matrix=pack(np.eye(3, dtype="f4"))),
        replace(OLD, matrix=pack(np.full((4, 4), np.nan, dtype="f4"))),
        replace(OLD, matrix="?"),
        replace(OLD, matrix=None),
        replace(OLD, groups=("x",)),
        large([A, B], np.eye(4), 1),
        replace(OLD, matrix=None, overview=Overview(BEYOND, Blocks(None, (4,), (0,), ((0.5,),)))),
    ],
    ids=["too few", "not finite", "no base64", "none", "groups", "too many", "positions"],
)
def test_numbers_that_do_not_fit_the_sentences(damaged: WalkthroughSummary) -> None:
    with pytest.raises(ValueError, match=r".+"):
        difference(OLD, damaged)


def test_a_search_has_no_place_here() -> None:
    with pytest.raises(UsageError):
        difference(OLD, small_search())  # type: ignore[arg-type]
