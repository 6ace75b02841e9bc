"""The numbers of a comparison, against scipy and by hand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from support import BASELINE, LEGEND, MODEL

from sentence_reports import comparison
from sentence_reports.comparison import (
    Compared,
    RankGap,
    kept_pairs,
    nearest,
    percentiles,
    rank_pairs,
    shared_by_chance,
    shared_neighbors,
    shuffled,
    spearman,
    spearman_by_chance,
    square,
    upper,
)
from sentence_reports.facts import STEPS
from sentence_reports.overview import pack, unpack
from sentence_reports.summary import Column, ComparisonSummary


def similarities(n: int, seed: int = 0) -> np.ndarray:
    """Return `(n, n)` cosine similarities of random vectors, as float32."""
    vectors = np.random.default_rng(seed).normal(size=(n, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors @ vectors.T).astype(np.float32)


def summary_of(matrices: Sequence[np.ndarray], pairs: np.ndarray | None = None) -> ComparisonSummary:
    """Return the summary of a comparison with such matrices, of which `pairs` are kept."""
    n = len(matrices[0])
    rows = np.arange(n * (n - 1) // 2) if pairs is None else np.flatnonzero(upper(mask(n, pairs)))
    columns = [
        Column(
            f"model {k}",
            MODEL,
            BASELINE,
            *(pack(v[rows]) for v in (upper(matrix), rank_pairs(upper(matrix)))),
        )
        for k, matrix in enumerate(matrices)
    ]
    return ComparisonSummary(
        settings={},
        sentences=tuple(map(str, range(n))),
        labels=tuple(map(str, range(n))),
        groups=None,
        finding=(),
        notices=(),
        legend=LEGEND,
        versions={},
        order=tuple(range(n)),
        columns=tuple(columns),
        likenesses=(),
        pairs=None if pairs is None else pack(pairs, "<u4"),
    )


def mask(n: int, pairs: np.ndarray) -> np.ndarray:
    marked = np.zeros((n, n), dtype=bool)
    marked[tuple(pairs.T)] = True
    return marked


# --- ranks and their correlation ---------------------------------------------------------------------------


def test_the_upper_triangle_row_by_row_and_back() -> None:
    matrix = np.array([[1, 2, 3, 4], [2, 1, 5, 6], [3, 5, 1, 7], [4, 6, 7, 1]], dtype=np.float32)
    assert upper(matrix).tolist() == [2, 3, 4, 5, 6, 7]
    assert (square(upper(matrix), 4) + np.eye(4) == matrix).all()


def test_the_largest_is_first_and_equal_ones_share_their_mean() -> None:
    assert rank_pairs(np.array([0.1, 0.5, 0.3, 0.5])).tolist() == [4, 1.5, 3, 1.5]
    assert rank_pairs(np.array([0.3, 0.3 + 1e-8, 0.1])).tolist() == [1.5, 1.5, 3]  # float32 cannot tell
    assert rank_pairs(np.array([0.5])).tolist() == [1]


def test_ranks_of_the_largest_set_are_exact() -> None:
    values = np.arange(4_498_500) / 1e6  # all pairs of 3,000 sentences
    assert rank_pairs(values[::-1])[-1] == len(values)
    assert len(np.unique(rank_pairs(values))) == len(values)


@pytest.mark.parametrize("n", [3, 12, 60])
def test_spearman_is_that_of_scipy(n: int) -> None:
    one, other = (upper(similarities(n, seed)).round(1) for seed in (1, 2))  # many ties
    expected = stats.spearmanr(one, other).statistic
    assert spearman(rank_pairs(one), rank_pairs(other)) == pytest.approx(expected, abs=1e-6)


def test_spearman_by_hand() -> None:
    one, other = np.array([1, 2, 3, 4]), np.array([1, 2, 4, 3])
    assert spearman(one, other) == 0.8  # 1 - 6 · (0 + 0 + 1 + 1) / (4 · 15)
    assert spearman(one, one) == 1
    assert spearman(one, 5 - one) == -1


def test_no_correlation_of_one_pair_or_of_equal_ranks() -> None:
    assert spearman(np.array([1.0]), np.array([1.0])) is None
    equal, other = np.array([2.0, 2, 2]), np.array([1.0, 2, 3])
    assert spearman(equal, other) is spearman(other, equal) is None
    assert spearman_by_chance(equal, other, 3) is None
    assert spearman_by_chance(np.array([1.0]), np.array([1.0]), 2) is None


# --- chance ------------------------------------------------------------------------------------------------


def test_chance_is_the_quantile_of_permutations_and_the_same_again() -> None:
    orders = []
    value = shuffled(lambda order: float(orders.append(order.tolist()) or order[0]), 4)
    assert len(orders) == comparison.TRIALS
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert value == np.quantile([order[0] for order in orders], 0.95) == 3
    again = []
    shuffled(lambda order: float(again.append(order.tolist()) or 0), 4)
    assert again == orders


def test_a_large_set_has_fewer_trials() -> None:
    assert shuffled(lambda order: 1.0, 3000) == 1
    calls = []
    shuffled(lambda order: float(calls.append(order) or 0), 3000)
    assert len(calls) == comparison.FEWEST_TRIALS


def test_shuffled_sentences_correlate_by_chance_only() -> None:
    one, other = (similarities(12, seed) for seed in (1, 2))
    columns = rank_pairs(upper(one)), rank_pairs(upper(other))
    trials = []
    generator = np.random.default_rng(0)
    for _ in range(comparison.TRIALS):
        order = generator.permutation(12)
        trials.append(stats.spearmanr(upper(one), upper(other[order][:, order])).statistic)
    assert spearman_by_chance(*columns, 12) == pytest.approx(np.quantile(trials, 0.95), abs=1e-6)
    assert spearman_by_chance(columns[0], columns[0], 12) < 0.5 < 1 == spearman(columns[0], columns[0])


def test_of_few_sentences_many_share_neighbors_by_chance() -> None:
    one, other = (nearest(similarities(5, seed)) for seed in (1, 2))
    assert shared_neighbors(one, other, 4) == shared_by_chance(one, other, 4) == 1  # all others
    big, bigger = (nearest(similarities(200, seed)) for seed in (1, 2))
    assert shared_by_chance(big, bigger, 1) < 0.05
    assert 0 < shared_by_chance(big, big, 5) < 0.1 < 1 == shared_neighbors(big, big, 5)


# --- neighbors ---------------------------------------------------------------------------------------------


def test_neighbors_by_hand() -> None:
    one = square(np.array([0.9, 0.1, 0.2, 0.3, 0.4, 0.8]), 4)  # 01 02 03 12 13 23
    other = square(np.array([0.9, 0.8, 0.1, 0.2, 0.3, 0.4]), 4)
    tables = nearest(one), nearest(other)
    assert tables[0].tolist() == [[1, 3, 2], [0, 3, 2], [3, 1, 0], [2, 1, 0]]
    assert tables[1].tolist() == [[1, 2, 3], [0, 3, 2], [0, 3, 1], [2, 1, 0]]
    assert shared_neighbors(*tables, 1) == 0.75  # sentence 2 has another
    assert shared_neighbors(*tables, 2) == (1 + 2 + 1 + 2) / 8
    assert shared_neighbors(*tables, 3) == 1


def test_equal_neighbors_are_in_the_order_of_the_set() -> None:
    matrix = square(np.array([0.3, 0.3 + 1e-8, 0.2]), 3)
    assert nearest(matrix)[0].tolist() == [1, 2]


def test_shared_neighbors_agree_with_sets() -> None:
    one, other = (nearest(similarities(30, seed)) for seed in (1, 2))
    for k in (1, 3, 5):
        common = [len(set(a[:k]) & set(b[:k])) / k for a, b in zip(one.tolist(), other.tolist(), strict=True)]
        assert shared_neighbors(one, other, k) == pytest.approx(np.mean(common), abs=1e-6)


def test_a_share_that_chance_reaches_is_not_above_it() -> None:
    one, other = np.array([[1], [0], [0]]), np.array([[1], [2], [1]])
    assert shared_neighbors(one, other, 1) == shuffled(lambda order: 1 / 3, 3) == 0.333333


# --- what is kept ------------------------------------------------------------------------------------------


def test_all_pairs_are_kept_up_to_500_sentences() -> None:
    assert kept_pairs([np.zeros((500, 10), dtype=int)]) is None


def test_of_501_sentences_neighbors_and_named_pairs_are_kept() -> None:
    matrices = [similarities(501, seed) for seed in (1, 2)]
    tables = [nearest(matrix) for matrix in matrices]
    pairs = kept_pairs(tables, [(7, 3), (3, 7), (0, 500)])
    assert pairs is not None
    listed = set(map(tuple, pairs.tolist()))
    assert len(listed) == len(pairs) < 2 * 501 * 10 + 2
    assert {(3, 7), (0, 500)} <= listed
    assert pairs.tolist() == sorted(pairs.tolist())
    assert (pairs[:, 0] < pairs[:, 1]).all()
    for k in range(501):
        for table in tables:
            assert {(min(k, j), max(k, j)) for j in table[k].tolist()} <= listed
    found = Compared(summary_of(matrices, pairs))
    assert (found.pairs == pairs).all()
    assert found.total == 501 * 250
    assert (found.nearest == np.stack([table[:, 0] for table in tables])).all()
    assert (found.similarities[1] == matrices[1][tuple(pairs.T)]).all()
    assert found.ranks.max() <= found.total  # among all pairs
    with pytest.raises(ValueError, match="not all pairs of 501 sentences are kept"):
        found.matrix(0)


def test_packed_numbers_are_the_same_bit_for_bit() -> None:
    values = upper(similarities(20))
    assert (unpack(pack(values)) == values).all()
    assert pack(np.array([1, 258]), "<u4") == "AQAAAAIBAAA="


# --- a summary unpacked ------------------------------------------------------------------------------------


def test_a_summary_is_unpacked() -> None:
    matrices = [similarities(6, seed) for seed in (1, 2, 3)]
    found = Compared(summary_of(matrices))
    assert (found.n, found.total, len(found.columns)) == (6, 15, 3)
    assert found.pairs.tolist()[:6] == [[0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [1, 2]]
    for c, matrix in enumerate(matrices):
        assert (found.similarities[c] == upper(matrix)).all()
        corrected = [BASELINE.corrected(float(s)) for s in upper(matrix)]
        assert found.corrected[c] == pytest.approx(corrected)
        assert found.percentiles[c].tolist() == [BASELINE.percentile(s) for s in upper(matrix)]
        assert found.ranks[c].tolist() == stats.rankdata(-upper(matrix)).tolist()
        assert found.matrix(c) == pytest.approx(BASELINE.corrected(matrix.astype(float)), abs=1e-6)
        others = matrix - 9 * np.eye(6)
        assert found.nearest[c].tolist() == others.argmax(axis=1).tolist()


@pytest.mark.parametrize("similarity", [-1, 0.0, 0.0004, 0.0006, 0.25, 0.9995, 0.9994, 1.0, 1.5])
def test_percentiles_are_those_of_the_baseline(similarity: float) -> None:
    assert percentiles(np.array([similarity]), BASELINE).tolist() == [BASELINE.percentile(similarity)]


def test_a_model_to_which_all_texts_are_the_same_is_at_chance() -> None:
    summary = summary_of([np.ones((3, 3), dtype=np.float32)])
    same = replace(BASELINE, quantiles=(1.0,) * (STEPS + 1))
    found = Compared(replace(summary, columns=(replace(summary.columns[0], baseline=same),)))
    assert found.corrected.tolist() == [[0, 0, 0]]
    assert found.ranks.tolist() == [[2, 2, 2]]
    assert found.nearest.tolist() == [[1, 0, 0]]


def test_the_pair_that_moved_most_comes_first() -> None:
    one = square(np.array([0.9, 0.1, 0.2]), 3)  # pairs 01 02 12: ranks 1, 3, 2
    other = square(np.array([0.1, 0.3, 0.2]), 3)  # ranks 3, 1, 2
    found = Compared(summary_of([one, other]))
    first, second = RankGap(0, 0, 1, 0, 1, 2 / 3), RankGap(1, 0, 2, 1, 0, 2 / 3)  # the third stayed
    assert found.rank_gaps(9) == [first, second]
    assert found.rank_gaps(1) == found.rank_gaps(9)[:1]
    assert Compared(summary_of([one, one])).rank_gaps(9) == []


def test_of_several_models_the_two_farthest_apart_count() -> None:
    matrices = [square(np.array(v), 3) for v in ([0.3, 0.2, 0.1], [0.2, 0.3, 0.1], [0.2, 0.1, 0.3])]
    assert Compared(summary_of(matrices)).rank_gaps(1) == [RankGap(1, 0, 2, 1, 2, 2 / 3)]


def test_two_sentences_are_one_pair() -> None:
    found = Compared(summary_of([similarities(2, 1), similarities(2, 2)]))
    assert found.total == len(found.pairs) == 1
    assert found.ranks.tolist() == [[1], [1]]
    assert found.nearest.tolist() == [[1, 0], [1, 0]]
    assert found.rank_gaps(3) == []
