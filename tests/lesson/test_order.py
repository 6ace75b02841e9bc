"""The order of rows, from small matrices that can be checked by eye."""

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from sentence_reports.lesson.order import MOST_BLOCKS, OPTIMAL_UP_TO, blocks, row_order, similarity_order


def on_a_line(places: list[float]) -> NDArray[np.float32]:
    """Return the similarities of points on a line from 0 to 1: the nearer two are, the more similar."""
    line = np.array(places, dtype="f4")
    return 1 - np.abs(line[:, None] - line)


def test_similar_sentences_come_next_to_each_other() -> None:
    places = [0.9, 0.1, 0.55, 0.2, 0.95, 0.5]
    order = similarity_order(on_a_line(places))
    along = [places[k] for k in order]
    assert along in (sorted(places), sorted(places, reverse=True))


def test_an_order_holds_each_sentence_once_in_sets_of_any_size() -> None:
    for n in (1, 2, 3, OPTIMAL_UP_TO + 1):
        line = np.random.default_rng(n).random(n).tolist()
        assert sorted(similarity_order(on_a_line(line))) == list(range(n))


def test_similarities_a_little_above_one_are_no_trouble() -> None:
    same = np.full((3, 3), 1.0000002, dtype="f4")
    assert sorted(similarity_order(same)) == [0, 1, 2]


SHUFFLED = np.random.default_rng(0).permutation(21) / 21
GROUPS = ["a"] * 10 + ["b"] * 11


@pytest.mark.parametrize(
    ("n", "groups", "order", "moved"),
    [
        (20, None, None, False),
        (21, None, None, True),
        (21, GROUPS, None, False),
        (21, None, "given", False),
        (20, None, "similarity", True),
        (21, GROUPS, "similarity", True),
    ],
)
def test_rows_are_in_the_order_of_similarity_in_large_sets_without_groups_or_if_the_set_says_so(
    n: int, groups: list[str] | None, order: Literal["given", "similarity"] | None, moved: bool
) -> None:
    found = row_order(on_a_line(SHUFFLED[:n].tolist()), groups, order)
    assert sorted(found) == list(range(n))
    assert (found != list(range(n))) is moved


def test_groups_stay_where_they_are() -> None:
    found = row_order(on_a_line(SHUFFLED.tolist()), GROUPS, "similarity")
    assert [GROUPS[k] for k in found] == GROUPS


# --- blocks ------------------------------------------------------------------------------------------------

SQUARE = np.array([[1, 0.8, 0.1, 0.3], [0.8, 1, 0.5, 0.1], [0.1, 0.5, 1, 0.6], [0.3, 0.1, 0.6, 1]])


def test_blocks_are_the_groups_wherever_their_sentences_are() -> None:
    found = blocks(SQUARE, [0, 1, 2, 3], ["x", "y", "x", "y"])
    assert (found.names, found.sizes) == (("x", "y"), (2, 2))
    assert found.means == ((0.1, 0.55), (0.55, 0.1))
    assert found.high_end(0.0) == 0.55


def test_without_groups_blocks_are_parts_of_the_rows_in_their_order() -> None:
    found = blocks(SQUARE, [0, 2, 1, 3])
    assert (found.names, found.sizes) == (None, (2, 2))
    assert found.means == ((0.1, 0.55), (0.55, 0.1))


def test_a_group_of_one_has_no_mean_within() -> None:
    found = blocks(SQUARE, [0, 1, 2, 3], ["x", "x", "x", "y"])
    assert found.means[1][1] is None
    assert found.means[0][0] == pytest.approx((0.8 + 0.1 + 0.5) / 3, abs=1e-4)


def test_the_central_sentence_of_a_block_is_the_most_similar_to_the_others_of_it() -> None:
    assert blocks(SQUARE, [3, 2, 1, 0], ["x", "x", "x", "y"]).central == (1, 3)


def test_blocks_are_few_enough_to_be_read() -> None:
    n = 2 * (MOST_BLOCKS + 1)
    matrix = on_a_line([k / n for k in range(n)])
    assert (
        len(blocks(matrix, range(n), [str(k // 2) for k in range(n - 2)] + ["0", "1"]).sizes) == MOST_BLOCKS
    )
    parts = blocks(matrix, range(n), [str(k // 2) for k in range(n)])
    assert (parts.names, len(parts.sizes), sum(parts.sizes)) == (None, 11, n)
    assert len(blocks(np.eye(2000, dtype="f4"), range(2000)).sizes) == 20
    assert blocks(matrix, range(n), ["x"] * n).names is None
