"""How well a model agrees with people: known orders, an independent oracle, and what cannot be said."""

from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.stats import spearmanr

from sentence_reports.claim_records import Agreement, RatedPair
from sentence_reports.lesson.ratings import Rating, agreement, correlation_in_words, rank_pairs, scatter

TEXTS = [f"t{k}" for k in range(200)]


def scored(count: int, noise: float, seed: int = 1) -> tuple[list[Rating], np.ndarray]:
    """Return ratings of `count` pairs, and a matrix whose similarities follow them as closely as `noise` allows."""
    random = np.random.default_rng(seed)
    matrix = np.eye(200, dtype="f4")
    pairs = [(i, j) for i in range(200) for j in range(i + 1, 200)]
    chosen = [pairs[k] for k in random.choice(len(pairs), count, replace=False)]
    rated: list[Rating] = []
    for i, j in chosen:
        score = float(random.integers(0, 6))
        matrix[i, j] = matrix[j, i] = np.tanh(score / 20 + noise / 4 * random.normal())
        rated.append((i, j, score))
    return rated, matrix


def test_ranks_are_shares_of_the_other_pairs_and_equal_values_share_theirs() -> None:
    matrix = np.array([[1, 0.5, 0.2, 0.7], [0.5, 1, 0.2, 0], [0.2, 0.2, 1, 0], [0.7, 0, 0, 1]])
    rated = [(0, 1, 3.0), (0, 2, -1.0), (1, 2, 3.0), (0, 3, 10.0), (1, 3, 0.0)]
    assert rank_pairs(rated, matrix) == [
        RatedPair(0, 1, 3.0, 0.5, 62.5, 75.0),
        RatedPair(0, 2, -1.0, 0.2, 0.0, 37.5),
        RatedPair(1, 2, 3.0, 0.2, 62.5, 37.5),
        RatedPair(0, 3, 10.0, 0.7, 100.0, 100.0),
        RatedPair(1, 3, 0.0, 0.0, 25.0, 0.0),
    ]


@pytest.mark.parametrize(("count", "noise"), [(10, 0.3), (1000, 0.2), (1000, 5.0)])
def test_the_correlation_is_scipys_and_inside_its_interval(count: int, noise: float) -> None:
    rated, matrix = scored(count, noise)
    agreed = agreement(rated, matrix)
    similarities = [matrix[i, j] for i, j, _ in rated]
    assert agreed.count == count
    assert agreed.spearman == pytest.approx(
        spearmanr([s for *_, s in rated], similarities).statistic, abs=1e-6
    )
    assert agreed.interval is not None
    low, high = agreed.interval
    assert low < agreed.spearman < high
    assert agreement(rated, matrix) == agreed  # the same samples in every run


def test_ten_pairs_tell_much_less_than_a_thousand() -> None:
    width = {}
    for count in (10, 1000):
        interval = agreement(*scored(count, 0.4)).interval
        assert interval is not None
        width[count] = interval[1] - interval[0]
    assert width[10] > 5 * width[1000]


def test_the_interval_holds_the_middle_95_percent_of_resamples() -> None:
    """Recomputed with the standard library's words: other random numbers, about the same interval."""
    rated, matrix = scored(60, 0.6)
    data = np.array([(score, matrix[i, j]) for i, j, score in rated])
    random = np.random.default_rng(42)
    values = [spearmanr(data[random.integers(60, size=60)]).statistic for _ in range(2000)]
    assert agreement(rated, matrix).interval == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=0.03)


def test_the_pairs_that_disagree_most_come_first() -> None:
    rated, matrix = scored(40, 0.0)
    i, j, _ = rated[7] = (*rated[7][:2], 9.0)
    matrix[i, j] = matrix[j, i] = -0.9
    agreed = agreement(rated, matrix)
    gaps = [abs(pair.score_rank - pair.similarity_rank) for pair in agreed.disagreements]
    assert agreed.disagreements[0][:2] == (i, j)
    assert gaps == sorted(gaps, reverse=True)
    assert len(gaps) == 10


def test_no_more_than_half_of_the_pairs_are_said_to_disagree_most() -> None:
    assert len(agreement(*scored(11, 2.0)).disagreements) == 5


@pytest.mark.parametrize(
    ("rated", "expected"),
    [
        ([], Agreement(0, None, None, ())),
        ([(0, 1, 3.0)], Agreement(1, None, None, ())),
        ([(0, 1, 3.0), (0, 2, 3.0)], None),
        ([(0, 1, 3.0), (1, 3, 4.0)], None),
    ],
)
def test_what_has_no_order_has_no_correlation(rated: list[Rating], expected: Agreement | None) -> None:
    matrix = np.array([[1, 0.5, 0.2, 0.7], [0.5, 1, 0.2, 0.5], [0.2, 0.2, 1, 0], [0.7, 0.5, 0, 1]])
    agreed = agreement(rated, matrix)
    assert (agreed.spearman, agreed.interval) == (None, None)
    assert expected is None or agreed == expected
    assert correlation_in_words(agreed).startswith("There is no rank correlation")


def test_perfect_agreement_of_a_few_pairs_is_not_called_certain() -> None:
    matrix = np.triu(np.arange(36).reshape(6, 6)) / 36
    for count in (3, 12):
        rated = [(i, j, float(matrix[i, j])) for i in range(6) for j in range(i + 1, 6)][:count]
        agreed = agreement(rated, matrix)
        assert agreed == Agreement(count, 1.0, None, ())
        assert correlation_in_words(agreed) == (
            f"Spearman's rank correlation is 1.0000; these {count} pairs cannot show how certain that is."
        )


def test_similarities_that_float32_cannot_tell_apart_share_a_rank() -> None:
    matrix = np.eye(3, dtype="f4")
    matrix[0, 1], matrix[0, 2], matrix[1, 2] = 0.3, 0.3 + 3e-8, 0.2
    assert [pair.similarity_rank for pair in rank_pairs([(0, 1, 1), (0, 2, 2), (1, 2, 3)], matrix)] == [
        75,
        75,
        0,
    ]


def test_the_picture_says_what_it_shows_and_is_the_same_every_time() -> None:
    rated, matrix = scored(30, 0.4)
    agreed = agreement(rated, matrix)
    picture = scatter(rated, matrix, TEXTS, agreed)
    (data, _), (again, _) = (
        each._repr_mimebundle_() for each in (picture, scatter(rated, matrix, TEXTS, agreed))
    )
    assert data == again
    worst = agreed.disagreements[0]
    assert picture.alt.startswith(
        "Scatter plot of 30 rated pairs: across, the score that people gave, from 0 to 5; upwards, the rank of the "
        "model's similarity, from 0 to 100. Spearman's rank correlation is 0."
    )
    assert (
        f"above all “t{worst.first}” and “t{worst.second}”: score {worst.score:g}, similarity " in picture.alt
    )
    points = [
        group
        for group in ElementTree.fromstring(data["image/svg+xml"]).iter()
        if "PathCollection" in group.get("id", "")
    ]
    assert len(points) == 2  # two shapes
    assert sum(len([*group.iter("{http://www.w3.org/2000/svg}use")]) for group in points) == 30


def test_many_points_are_drawn_as_pixels() -> None:
    rated, matrix = scored(1000, 0.4)
    data, _ = scatter(rated, matrix, TEXTS, agreement(rated, matrix))._repr_mimebundle_()
    assert data["image/svg+xml"].count("<image") == 1  # both kinds of marks
    assert data["image/svg+xml"].count("<use") < 100


def test_a_pair_alone_is_drawn_and_nothing_is_marked() -> None:
    rated = [(0, 1, 2.0)]
    alt = scatter(rated, np.eye(3), TEXTS, agreement(rated, np.eye(3))).alt
    assert alt.startswith("Scatter plot of 1 rated pair: across, the score that people gave, from 2 to 2;")
    assert "Diamonds" not in alt
