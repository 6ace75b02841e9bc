"""The lesson's smaller pictures: bounded, in words, the same twice, and right where a number can be read off them."""

import base64
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from sentence_reports.facts import STEPS, Baseline
from sentence_reports.lesson.map import NUMBERED_UP_TO, WRITTEN_UP_TO, sentence_map
from sentence_reports.lesson.picture import SMALL, TEXT, Picture, text_width
from sentence_reports.lesson.vectors import BINS, MAX_STRIPS, angle, dots, histogram, strips

UNRELATED = Baseline("k", "m", 19900, tuple(np.linspace(-0.2, 0.4, STEPS + 1).tolist()))


FORK = """
import os
from sentence_reports.lesson.picture import _font
opened = _font()
process = os.fork()
if not process:
    os._exit(_font() is opened)
assert os.waitpid(process, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_opens_the_font_anew() -> None:
    assert subprocess.run([sys.executable, "-c", FORK], check=False).returncode == 0


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
        lambda: histogram(UNRELATED, table[0]),
        lambda: dots(UNRELATED, {"one": 0.9, "two": 0.1}),
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
    assert [label in text for text in shown] == [drawn] * 3
    assert label in pictures[1].alt


# --- strips ------------------------------------------------------------------------------------------------


def pixels(picture: Picture) -> NDArray[np.uint8]:
    (data,) = re.findall(r"data:image/png;base64,\s*([^\"]+)", svg(picture))
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def test_all_strips_are_in_the_order_of_the_first() -> None:
    table = np.array([[0.1, -0.3, 0.2], [0.2, 0.3, -0.1]], dtype=np.float32)
    image = pixels(strips(table, labels(2))).astype(int)
    first, second = (
        image[row, :, 0] - image[row, :, 2] for row in (1, 3)
    )  # red minus blue, each below its label
    assert np.sign(first).tolist() == [1, 1, -1]  # 0.2, 0.1, -0.3
    assert np.sign(second).tolist() == [-1, 1, 1]  # -0.1, 0.2, 0.3


def test_strips_are_averages_sorted_by_the_cosine_at_their_ends() -> None:
    first = np.linspace(1, -1, 10 * BINS)
    picture = strips(np.stack([first, -first, first**3]).astype("f4"), ["one", "other", "third"])
    image = pixels(picture).astype(int)
    assert image.shape[:2] == (6, BINS)
    assert texts(picture) == ["1 · one", "1.00", "3 · third", "0.92", "2 · other", "−1.00"]
    red_minus_blue = image[1, :, 0] - image[1, :, 2]
    assert np.sign(red_minus_blue[[0, 10, 30, -1]]).tolist() == [1, 1, -1, -1]
    assert "from 0.92 for “third” to −1.00 for “other”" in picture.alt


def test_of_many_sentences_the_first_are_drawn_and_that_is_said() -> None:
    picture = strips(vectors(3000), labels(3000))
    shown = {text for text in texts(picture) if "sentence" in text}
    assert shown == {f"{k} · sentence {k}" for k in range(1, MAX_STRIPS + 1)}
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
    picture = histogram(UNRELATED, np.array([0.5, 0.1, -0.3]))
    assert picture.alt == (
        "Histogram of the cosine similarity of 19,900 pairs of unrelated sentences, from −0.20 to 0.40, half "
        "of them at 0.10 or below and 99% at 0.39 or below. Below it, the 3 pairs of this set, from −0.30 to 0.50, "
        "1 of them closer than 99% of unrelated pairs."
    )
    assert {"farthest −0.30", "closest 0.50", "99% are below 0.39"} <= set(texts(picture))
    alone = histogram(UNRELATED, np.array([0.5]))
    assert alone.alt.endswith("Below it, the one pair of this set, at 0.50.")
    assert "0.50" in texts(alone)


def test_the_scale_holds_what_is_there_and_no_more() -> None:
    ticks = [
        text for text in texts(histogram(UNRELATED, np.array([0.1, 0.2]))) if text.endswith(("0.2", "0.4"))
    ]
    assert ticks == ["−0.2", "0.2", "0.4"]
    assert "0.6" not in texts(histogram(UNRELATED, np.array([0.1, 0.5])))


def test_named_values_are_dots_the_largest_on_top() -> None:
    assert "1.0" in texts(dots(UNRELATED, {"capitals": 0.99999}))
    picture = dots(UNRELATED, {"a number": 0.31, "capitals": 1.0, "other": -0.25})
    shown = texts(picture)
    names = [text for text in shown if text in {"a number", "capitals", "other"}]
    assert names == ["capitals", "a number", "other"]
    assert {"1.00", "0.31", "−0.25", "99% are below 0.39"} <= set(shown)
    assert picture.alt.startswith(
        "Dots for 3 similarities, the largest on top: “capitals” 1.00, “a number” 0.31, “other” −0.25. "
    )


@pytest.mark.parametrize("count", [1, 61, 200_000])
def test_the_histogram_stays_small(count: int) -> None:
    assert len(svg(histogram(UNRELATED, np.random.default_rng(2).uniform(-1, 1.0000002, count)))) < 25_000


def test_pairs_that_are_all_the_same_are_no_trouble() -> None:
    assert svg(histogram(UNRELATED, np.full(100, 1.0000002)))
    assert svg(histogram(replace(UNRELATED, quantiles=(1.0,) * (STEPS + 1)), np.ones(3)))


# --- the map -----------------------------------------------------------------------------------------------


def test_the_map_names_groups_variance_and_the_closest_two() -> None:
    places = np.array([[0, 0], [5, 5], [5, 5.1]])
    picture = sentence_map(places, 0.613, ["one", "two", "three"], ["x", "y", "y"])
    assert picture.alt == (
        "Map of 3 sentences, which keeps 61% of the variance, colored by the groups x, y. "
        "The two closest points are “two” and “three”."
    )
    assert texts(picture) == ["one", "two", "three", "x", "y"]


def test_more_sentences_have_numbers_and_more_groups_only_names() -> None:
    count = WRITTEN_UP_TO + 1
    groups = [f"g{k // 2}" for k in range(count)]
    picture = sentence_map(vectors(count, 2) * 9, 0.5, labels(count), groups)
    assert set(texts(picture)) == {*groups, *map(str, range(1, count + 1))}
    assert "with the names of the groups g0, g1" in picture.alt
    assert "The numbers are those of the sentences in the set." in picture.alt
    assert "--hue" not in svg(picture)


def test_what_the_font_cannot_draw_is_a_number_or_left_out() -> None:
    assert texts(sentence_map(vectors(3, 2), 1.0, ["中文", "one", "two"])) == ["1", "2", "3"]
    assert texts(sentence_map(vectors(2, 2), 1.0, ["one", "two"], ["中文", "b"])) == ["one", "two", "b"]


def boxes(picture: Picture) -> list[tuple[float, float, float, float]]:
    """The left, top, right and bottom of each line of text and of each dot."""
    found = []
    for element in ET.fromstring(svg(picture)).iter():
        x, y = (float(element.get(name, "nan")) * 4 / 3 for name in ("x", "y"))
        if element.tag.endswith("}text"):
            bold = "bold" in element.get("style", "") or "700" in element.get("style", "")
            size = TEXT if bold else SMALL
            width = text_width("".join(element.itertext()), size) * (1.1 if bold else 1)
            found.append((x, y - 0.7 * size, x + width, y))
        elif element.tag.endswith("}use"):
            found.append((x - 4, y - 4, x + 4, y + 4))
    return found


@pytest.mark.parametrize("n", [2, WRITTEN_UP_TO, 40, NUMBERED_UP_TO])
@pytest.mark.parametrize("groups", [None, 3])
def test_nothing_written_meets_a_dot_or_something_else(n: int, groups: int | None) -> None:
    points = np.random.default_rng(n).normal(size=(n, 2))
    names = [f"a group of sentences {k % groups}" for k in range(n)] if groups else None
    drawn = boxes(sentence_map(points, 0.5, ["The dog bites the man in the st..."] * n, names))
    written = drawn[n:]
    assert len(written) >= 0.9 * n  # what finds no room is said
    for k, (left, top, right, bottom) in enumerate(written, start=n):
        for other in drawn[:k]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]


def test_what_finds_no_room_is_said() -> None:
    picture = sentence_map(np.zeros((60, 2)), 1.0, labels(60))
    left_out = 60 - len(texts(picture))
    assert 0 < left_out < 60
    assert picture.alt.endswith(f"For lack of room, {left_out} numbers are left out.")


def test_sentences_in_one_place_or_on_a_line_are_a_map_too() -> None:
    assert svg(sentence_map(np.zeros((2, 2)), 1.0, labels(2)))
    assert svg(sentence_map(np.array([[0.5, 1e-9], [-0.5, -1e-9]]), 1.0, labels(2)))


def test_large_maps_are_dots_of_a_size_that_can_be_sent() -> None:
    medium, large = (sentence_map(vectors(n, 2), 0.1, labels(n)) for n in (NUMBERED_UP_TO + 1, 3000))
    assert texts(medium) == []
    assert "Their numbers are left out." in medium.alt
    assert svg(large).count("<image") == 1
    assert len(svg(large)) < 150_000
