"""The lesson's smaller pictures: bounded, in words, the same twice, and right where a number can be read off them."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sentence_reports.lesson.map import LISTED_UP_TO, NUMBERED_UP_TO, _free_offsets, sentence_map
from sentence_reports.lesson.picture import Picture
from sentence_reports.lesson.vectors import MAX_STRIPS, angle, histogram, strips

UNRELATED = np.linspace(-0.2, 0.4, 1001).tolist()


def vectors(n: int, d: int = 16) -> NDArray[np.float32]:
    return np.random.default_rng(5).normal(size=(n, d)).astype(np.float32)


def labels(n: int) -> list[str]:
    return [f"sentence {k}" for k in range(1, n + 1)]


def svg(picture: Picture) -> str:
    data, metadata = picture._repr_mimebundle_()
    assert metadata["image/svg+xml"]["alt"] == data["text/plain"] == picture.alt
    assert ET.fromstring(data["image/svg+xml"]).tag == "{http://www.w3.org/2000/svg}svg"
    return str(data["image/svg+xml"])


def texts(picture: Picture) -> list[str]:
    return [
        "".join(element.itertext())
        for element in ET.fromstring(svg(picture)).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_the_same_numbers_give_the_same_bytes() -> None:
    table, names = vectors(5), labels(5)
    for draw in (
        lambda: strips(table, names),
        lambda: angle(table[0], table[1], names),
        lambda: histogram(UNRELATED, table[0], 19900),
        lambda: sentence_map(table[:, :2], 0.5, names, ["a", "a", "b", "b", "b"]),
    ):
        assert svg(draw()) == svg(draw())


@pytest.mark.parametrize(
    ("label", "drawn"),
    [(text, True) for text in ("costs $5 to $10", "Pay $$ now", r"\frac{1}{", "<b>&amp;</b>")]
    + [(text, False) for text in ("中文", "🙂", "नमस्ते")],
)
def test_a_label_is_text_and_nothing_else(label: str, drawn: bool) -> None:
    names = [label, "other"]
    pictures = [
        strips(vectors(2), names),
        angle(*vectors(2), names),
        sentence_map(vectors(2, 2), 1.0, names, [label, "b"]),
    ]
    shown = ["\n".join(texts(picture)) for picture in pictures]
    assert [label in text for text in shown] == [drawn, False, drawn]  # the angle's arrows have numbers
    assert label in pictures[1].alt


# --- strips ------------------------------------------------------------------------------------------------


def pixels(picture: Picture) -> NDArray[np.uint8]:
    (data,) = re.findall(r"data:image/png;base64,\s*([^\"]+)", svg(picture))
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def test_all_strips_are_in_the_order_of_the_first() -> None:
    table = np.array([[0.1, -0.3, 0.2], [0.2, 0.3, -0.1]], dtype=np.float32)
    image = pixels(strips(table, labels(2))).astype(int)
    red_minus_blue = image[..., 0] - image[..., 2]
    first, second = red_minus_blue if red_minus_blue[0, 1] > 0 else red_minus_blue[::-1]  # or upside down
    assert np.sign(first).tolist() == [1, 1, -1]  # 0.2, 0.1, -0.3
    assert np.sign(second).tolist() == [-1, 1, 1]  # -0.1, 0.2, 0.3


def test_of_many_sentences_the_first_are_drawn_and_that_is_said() -> None:
    picture = strips(vectors(3000), labels(3000))
    assert texts(picture) == [f"{k} · sentence {k}" for k in range(1, MAX_STRIPS + 1)]
    assert picture.alt.endswith(f"Only the first {MAX_STRIPS} of 3000 sentences are drawn.")
    assert "Only the first" not in strips(vectors(2), labels(2)).alt


def test_vectors_of_nothing_but_zeros_are_no_trouble() -> None:
    assert svg(strips(np.zeros((2, 4), dtype=np.float32), labels(2)))


# --- angle -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("v", "degrees", "cosine"),
    [
        ([1, 0, 0], "0.0°", "1.00"),
        ([1, 1, 0], "45.0°", "0.71"),
        ([0, 3, 0], "90.0°", "0.00"),
        ([-1, 1, 0], "135.0°", "−0.71"),
        ([-2, 0, 0], "180.0°", "−1.00"),
        ([1.0000001, 0, 0], "0.0°", "1.00"),
    ],
)
def test_the_angle_is_the_arc_cosine(v: list[float], degrees: str, cosine: str) -> None:
    picture = angle(np.array([1, 0, 0], dtype=np.float32), np.array(v, dtype=np.float32), ["one", "two"])
    assert degrees in texts(picture)
    assert cosine in texts(picture)
    assert f"{degrees[:-1]} degrees" in picture.alt


# --- histogram ---------------------------------------------------------------------------------------------


def test_the_histogram_says_both_in_words() -> None:
    picture = histogram(UNRELATED, np.array([0.5, 0.1, -0.3]), 19900)
    assert picture.alt == (
        "Histogram of the cosine similarity of 19,900 pairs of unrelated sentences, from −0.20 to 0.40, half "
        "of them at 0.10 or below. Below it, the 3 pairs of this set, from −0.30 to 0.50."
    )
    assert histogram(UNRELATED, np.array([0.5]), 19900).alt.endswith(
        "Below it, the one pair of this set, at 0.50."
    )


@pytest.mark.parametrize("count", [1, 61, 200_000])
def test_the_histogram_stays_small(count: int) -> None:
    assert (
        len(svg(histogram(UNRELATED, np.random.default_rng(2).uniform(-1, 1.0000002, count), 19900))) < 25_000
    )


def test_pairs_that_are_all_the_same_are_no_trouble() -> None:
    assert svg(histogram(UNRELATED, np.full(100, 1.0000002), 19900))
    assert svg(histogram([1.0] * 1001, np.ones(3), 19900))


# --- the map -----------------------------------------------------------------------------------------------


def test_the_map_names_groups_variance_and_the_closest_two() -> None:
    places = np.array([[0, 0], [5, 5], [5, 5.1]])
    picture = sentence_map(places, 0.613, ["one", "two", "three"], ["x", "y", "y"])
    assert picture.alt == (
        "Map of 3 sentences, which keeps 61% of the variance, colored by the groups x, y. "
        "The two closest points are “two” and “three”."
    )
    assert texts(picture) == ["1", "2", "3", "x:", "1 · one", "y:", "2 · two", "3 · three"]


def test_what_the_font_cannot_draw_is_left_out_as_a_whole() -> None:
    assert texts(sentence_map(vectors(3, 2), 1.0, ["中文", "one", "two"])) == ["1", "2", "3"]
    assert texts(sentence_map(vectors(2, 2), 1.0, ["one", "two"], ["中文", "b"])) == ["1", "2"]


@pytest.mark.parametrize("n", [2, LISTED_UP_TO, NUMBERED_UP_TO])
def test_no_number_meets_a_dot_or_another_number(n: int) -> None:
    points = np.random.default_rng(n).normal(size=(n, 2)) * 40  # crowded on purpose
    boxes = [np.concatenate([point - 3, point + 3]) for point in points]
    for k, spot in enumerate(_free_offsets(points), start=1):
        if spot is not None:
            half = np.array([2.8 * len(str(k)) + 1, 5.0])
            boxes.append(np.concatenate([points[k - 1] + spot - half, points[k - 1] + spot + half]))
    assert len(boxes) > n
    for j, box in enumerate(boxes[n:], start=n):
        others = np.array(boxes[:j])
        assert not ((box[:2] < others[:, 2:]) & (box[2:] > others[:, :2])).all(axis=1).any()


def test_what_finds_no_room_is_said() -> None:
    picture = sentence_map(np.zeros((40, 2)), 1.0, labels(40))
    left_out = 40 - len(texts(picture))
    assert 0 < left_out < 40
    assert picture.alt.endswith(f"For lack of room, {left_out} numbers are left out.")


def test_sentences_in_one_place_or_on_a_line_are_a_map_too() -> None:
    assert svg(sentence_map(np.zeros((2, 2)), 1.0, labels(2)))
    assert svg(sentence_map(np.array([[0.5, 1e-9], [-0.5, -1e-9]]), 1.0, labels(2)))


def test_large_maps_are_dots_of_a_size_that_can_be_sent() -> None:
    medium, large = (sentence_map(vectors(n, 2), 0.1, labels(n)) for n in (NUMBERED_UP_TO + 1, 3000))
    assert texts(medium) == []
    assert "Their numbers are left out." in medium.alt
    assert len(base64.b64decode(large._repr_mimebundle_()[0]["image/png"])) < 150_000
