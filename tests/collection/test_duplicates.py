"""Near-duplicates, loners, representatives, and groups next to topics."""

from collections.abc import Sequence

import numpy as np
import pytest
from vectors import Vectors, products, unit

from sentence_reports.collection.duplicates import near_duplicates, numbered_texts
from sentence_reports.collection.groups import Stray, compare_groups
from sentence_reports.collection.loners import find_loners, similarity_to_neighbors
from sentence_reports.collection.neighbors import nearest
from sentence_reports.collection.representatives import find_representatives
from sentence_reports.facts import STEPS, Baseline

BASELINE = Baseline("key", "model", 19900, tuple(np.linspace(-0.3, 0.5, STEPS + 1).round(3).tolist()))
TEXTS = (
    "The door is open.",
    "the door was open",
    "The door is not open.",
    "Snow fell.",
    "snow fell",
    "Snow fell!",
)


def at(degrees: Sequence[float]) -> Vectors:
    """Vectors in a plane, at angles."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


# --- near-duplicates ---------------------------------------------------------------------------------------


def test_near_duplicates_are_close_and_say_the_same() -> None:
    vectors = at([0, 1, 2, 90, 91, 92])
    result = near_duplicates(nearest(vectors), vectors, TEXTS)
    assert result.groups == ((3, 4, 5), (0, 1))
    assert (result.pairs, result.same, result.extra) == (6, 4, 3)
    assert result.originals(6).tolist() == [-1, 0, -1, -1, 3, 3]


def test_the_same_words_with_another_meaning_are_no_duplicates() -> None:
    vectors = at([0, 90])
    assert near_duplicates(nearest(vectors), vectors, ["Same.", "same"]).groups == ()
    at_the_limit = np.array([[1, 0], [0.9, 0.1]], dtype=np.float32)
    assert near_duplicates(nearest(at_the_limit), at_the_limit, ["Same.", "same"]).groups == ((0, 1),)
    below = at([0, 26])  # 0.8988
    assert near_duplicates(nearest(below), below, ["Same.", "same"]).groups == ()


def test_a_chain_is_not_a_group() -> None:
    vectors = at([0, 20, 40, 60])  # each within 0.9 of the next one only
    assert near_duplicates(nearest(vectors), vectors, ["same"] * 4).groups == ((0, 1), (2, 3))


def test_a_family_larger_than_the_neighbors_has_one_original() -> None:
    vectors = np.concatenate([unit(5), np.repeat(unit(1, seed=5), 40, axis=0)])
    texts = [f"text number {k}" for k in range(5)] + ["same"] * 40
    (group,) = near_duplicates(nearest(vectors), vectors, texts).groups
    assert group == tuple(range(5, 45))


def test_an_original_need_not_be_a_neighbor() -> None:
    vectors = at(np.linspace(0, 20, 40).tolist())  # the first and the last: 0.94
    assert near_duplicates(nearest(vectors), vectors, ["same"] * 40).groups == (tuple(range(40)),)
    at_the_limit = np.array([[1, 0], [0.98, 0.1], [0.9, 0.2]], dtype=np.float32)
    assert near_duplicates(nearest(at_the_limit, 1), at_the_limit, ["same"] * 3).groups == ((0, 1, 2),)


def test_a_near_duplicate_has_nearly_the_words_of_its_original() -> None:
    vectors, texts = at([0, 1, 2]), ["neighbours talk", "neighbors talk", "neighbor talk"]
    result = near_duplicates(nearest(vectors), vectors, texts)
    assert (result.same, result.groups) == (2, ((0, 1),))


@pytest.mark.parametrize("n", [1, 2, 1000])
def test_unrelated_texts_have_no_duplicates(n: int) -> None:
    vectors = unit(n, d=64)
    assert near_duplicates(nearest(vectors), vectors, ["same"] * n).groups == ()


def test_each_group_weighs_as_much_as_one_text() -> None:
    result = near_duplicates(nearest(at([0, 1, 2, 90, 91, 92])), at([0, 1, 2, 90, 91, 92]), TEXTS)
    assert result.weights(6).tolist() == [1 / 2, 1 / 2, 1, 1 / 3, 1 / 3, 1 / 3]


def test_texts_that_are_equal_but_for_numbers_are_groups() -> None:
    texts = (
        *(
            "Bike 7 is flat",
            "Error on line 12.",
            "Error on line 57.",
            "no number",
            "error on line 12",
            "1",
            "2",
        ),
        *("Bike 8 is flat", "Bike 8 is gone", "Room 5 is cold", "Room 5 is cold!"),
    )
    assert numbered_texts(texts) == ((1, 2, 4), (0, 7))
    assert numbered_texts(()) == ()


# --- loners ------------------------------------------------------------------------------------------------


def test_loners_have_the_least_in_common_with_their_neighbors() -> None:
    vectors = at([0, 1, 2, 3, 100])
    found = nearest(vectors, 3)
    result = find_loners(found, BASELINE)
    matrix = products(vectors).astype(float)
    means = [(np.sort(row)[::-1][1:4]).mean() for row in matrix]
    np.testing.assert_allclose(similarity_to_neighbors(found), means, atol=1e-6)
    assert result.lowest[0].position == 4
    assert result.lowest[0].similarity == pytest.approx(means[4], abs=1e-6)
    assert result.lowest[0].percentile == BASELINE.percentile(means[4])
    assert result.count == 1


def test_a_loner_is_above_what_half_of_unrelated_pairs_score_but_not_above_chance() -> None:
    for degrees, count in (
        (66, 1),
        (60, 0),
    ):  # about 0.45 and 0.54; 99% of unrelated pairs score 0.492 or less
        assert find_loners(nearest(at([0, 1, 2, 3, degrees]), 3), BASELINE).count == count


def test_equal_loners_are_in_their_order_and_capped() -> None:
    vectors = np.eye(64, dtype=np.float32)
    result = find_loners(nearest(vectors), BASELINE)
    assert [loner.position for loner in result.lowest] == list(range(50))
    assert result.count == 64


def test_a_single_text_is_no_loner() -> None:
    alone = nearest(unit(1))
    assert find_loners(alone, BASELINE).lowest == ()
    assert np.isnan(similarity_to_neighbors(alone)).all()


# --- representatives ---------------------------------------------------------------------------------------


def test_representatives_cover_most_one_after_the_other() -> None:
    vectors = at([0, 30, 60, 90, 170, 180, 190])
    result = find_representatives(vectors, range(7), BASELINE)  # above 0.492: up to 60 degrees
    assert [tuple(one) for one in result.chosen] == [(1, 4, 4), (4, 3, 3)]
    assert (result.covered, result.candidates) == (7, 7)
    assert result.by_chance == pytest.approx(1 - 0.99**2, abs=1e-4)


def test_a_representative_covers_texts_that_an_earlier_one_covers_too() -> None:
    result = find_representatives(at([0, 1, 50, 70, 120, 121]), range(6), BASELINE)
    assert [tuple(one) for one in result.chosen] == [(2, 4, 4), (3, 4, 2)]
    assert result.covered == 6


def test_twenty_are_chosen() -> None:
    vectors = np.repeat(np.eye(25, dtype=np.float32), 2, axis=0)
    result = find_representatives(vectors, range(50), BASELINE)
    assert [one.adds for one in result.chosen] == [2] * 20
    assert result.by_chance == 0.1821  # 1 - 0.99 ** 20


def test_what_adds_a_single_text_is_not_chosen() -> None:
    assert len(find_representatives(at([0, 1, 180]), range(3), BASELINE).chosen) == 1
    assert len(find_representatives(at([0]), [0], BASELINE).chosen) == 1
    assert find_representatives(unit(3), [], BASELINE).chosen == ()


def test_candidates_and_choices_are_limited() -> None:
    vectors = np.repeat(np.eye(30, dtype=np.float32), 3, axis=0)
    result = find_representatives(vectors, [*range(90), 5, 5], BASELINE, count=4)
    assert [one.position for one in result.chosen] == [0, 3, 6, 9]
    assert result.candidates == 90
    assert find_representatives(unit(1200), range(1200), BASELINE).candidates == 1000


# --- groups and topics -------------------------------------------------------------------------------------


def test_means_of_groups_are_those_of_all_pairs() -> None:
    vectors, groups = unit(30), ["a", "b", "c"] * 10
    facts = compare_groups(vectors, groups, np.zeros(30, dtype=np.int32), BASELINE)
    matrix = vectors.astype(float) @ vectors.astype(float).T
    of = np.array(groups)
    for group in facts.groups:
        own = matrix[np.ix_(of == group.name, of == group.name)][np.triu_indices(10, k=1)].mean()
        others = {
            name: matrix[np.ix_(of == group.name, of == name)].mean() for name in set(groups) - {group.name}
        }
        assert group.nearest is not None
        assert facts.groups[group.nearest].name == max(others, key=others.__getitem__)
        assert (group.within, group.between) == (
            pytest.approx(own, abs=1e-6),
            pytest.approx(max(others.values()), abs=1e-6),
        )


def test_of_two_groups_that_are_as_close_the_first_one_is_the_nearest() -> None:
    for seed in range(20):
        vectors = unit(6, seed=seed)
        facts = compare_groups(
            vectors[[0, 1, *[2, 3, 4], *[4, 2, 3] * 3]],
            list("aabbbccccccccc"),
            np.zeros(14, dtype=int),
            BASELINE,
        )
        assert facts.groups[0].nearest == 1


def test_a_group_holds_if_it_leads_clearly() -> None:
    def holds(degrees: Sequence[float]) -> list[bool | None]:
        facts = compare_groups(at(degrees), ["b", "b", "a", "a"], np.zeros(4, dtype=np.int32), BASELINE)
        return [group.holds for group in facts.groups]

    assert holds([0, 5, 90, 95]) == [True, True]
    assert holds([0, 40, 0, 40]) == [False, False]
    assert holds([0, 10, 5, 15]) == [False, False]  # closer within than between, but hardly
    assert holds([0, 84, 180, 180]) == [False, True]  # 0.1 within is chance
    (group, _) = compare_groups(
        at([0, 5, 90, 95]), list("bbaa"), np.zeros(4, dtype=np.int32), BASELINE
    ).groups
    assert group.lead == pytest.approx(BASELINE.corrected(np.cos(np.radians(5))), abs=1e-5)


def test_a_group_of_one_and_an_only_group_cannot_hold() -> None:
    facts = compare_groups(at([0, 5, 90]), ["a", "a", "b"], np.zeros(3, dtype=np.int32), BASELINE)
    assert [(group.within is None, group.holds) for group in facts.groups] == [(False, True), (True, None)]
    (only,) = compare_groups(at([0, 5]), ["a", "a"], np.zeros(2, dtype=np.int32), BASELINE).groups
    assert (only.nearest, only.between, only.holds) == (None, None, None)


def test_the_table_counts_groups_by_topics() -> None:
    topic_of = np.array([0, 0, 0, 1, 1, 1, 1, -1])
    facts = compare_groups(unit(8), list("aabbbbba"), topic_of, BASELINE)
    assert facts.table == ((2, 0, 1), (1, 4, 0))
    assert facts.owners == (0, 1)
    assert facts.strays == (Stray(2, 0, 0),)
    assert facts.stray_count == 1


def test_strays_of_the_purest_topics_come_first_and_half_is_not_enough() -> None:
    topic_of = np.repeat([0, 1, 2], [3, 4, 2])
    facts = compare_groups(unit(9), list("aabaaabab"), topic_of, BASELINE)
    assert facts.owners == (0, 0, None)
    assert [stray.position for stray in facts.strays] == [6, 2]


def test_texts_without_any_topic_are_in_the_last_column() -> None:
    facts = compare_groups(unit(3), list("aab"), np.full(3, -1), BASELINE)
    assert facts.table == ((2,), (1,))
    assert facts.owners == ()
    assert facts.stray_count == 0
