"""What each query of a search finds, the best first."""

import numpy as np
import pytest
from support import BASELINE

from sentence_reports.rankings import Match, found_by_chance, never_found, rankings, without_match

FOUND = np.array([[0.25, 0.995, 0.5], [0.5, 0.5, 0.25], [0.999, 0.998, 0.25]], dtype=np.float32)


def test_the_best_comes_first_with_its_percentile_and_its_lead() -> None:
    first, second, _ = rankings(FOUND, BASELINE)
    assert [match.sentence for match in first] == [1, 2, 0]
    assert [match.similarity for match in first] == pytest.approx([0.995, 0.5, 0.25])
    assert [match.margin for match in first] == [pytest.approx(0.495), pytest.approx(0.25), None]
    assert [match.percentile for match in first] == [BASELINE.percentile(s) for s in (0.995, 0.5, 0.25)]
    assert [match.sentence for match in second] == [0, 1, 2]  # a tie is in the order of the set
    assert second[0].margin == 0


def test_a_shorter_ranking_still_knows_the_next() -> None:
    assert rankings(FOUND, BASELINE, 1) == [matches[:1] for matches in rankings(FOUND, BASELINE)]
    assert rankings(FOUND, BASELINE, 99) == rankings(FOUND, BASELINE)


@pytest.mark.parametrize("similarity", [0.98, 0.989, 0.99, 0.9904, 0.9906, 0.991, 0.992, 1.0])
def test_above_chance_is_what_a_claim_calls_related(similarity: float) -> None:
    match = Match(0, similarity, BASELINE.percentile(similarity), None)
    assert match.related == (round(similarity, 3) > BASELINE.rare)


def test_what_finds_nothing_and_what_nothing_finds() -> None:
    ranked = rankings(FOUND, BASELINE)
    assert without_match(ranked) == [1]
    assert never_found(ranked, 3) == [2]  # the best of no query, though 0.5 is the second of one
    assert without_match(rankings(FOUND - 0.5, BASELINE)) == [0, 1, 2]
    assert never_found(rankings(FOUND - 0.5, BASELINE), 3) == [0, 1, 2]


def test_what_an_unrelated_query_would_find() -> None:
    assert found_by_chance(1) == pytest.approx(0.01)
    assert found_by_chance(100) == pytest.approx(0.634, abs=1e-3)
    noise = np.random.default_rng(1).random((20_000, 8))  # evenly spread, as this baseline is
    above = [not match.related for (match, *_) in rankings(noise, BASELINE, 1)]
    assert np.mean(above) == pytest.approx(1 - found_by_chance(8), abs=0.01)
