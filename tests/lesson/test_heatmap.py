"""Labels, color limits, and the heatmap as a picture with words."""

import re
import unicodedata
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from sentence_reports.facts import STEPS, Baseline
from sentence_reports.lesson.heatmap import color_range, heatmap, legend
from sentence_reports.lesson.picture import Picture, can_draw, make_labels
from sentence_reports.texts import shorten


def square(labels: list[str], lowest: float = 0.1) -> pd.DataFrame:
    """A similarity matrix that falls from 1 on the diagonal to `lowest` in the corner."""
    n = len(labels)
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return pd.DataFrame(1 - distance * (1 - lowest) / max(n - 1, 1), index=labels, columns=labels)


def svg_text(picture: Picture) -> str:
    data, _ = picture._repr_mimebundle_()
    return data["image/svg+xml"]


def test_a_number_below_zero_has_a_minus_sign_and_zero_has_none() -> None:
    drawn = svg_text(heatmap(square(["a", "b"], lowest=-0.2)))
    assert ">−0.20<" in drawn
    assert ">-0.20<" not in drawn
    assert ">0.00<" in svg_text(heatmap(square(["a", "b"], lowest=-0.001)))


# --- labels ------------------------------------------------------------------------------------------------


def test_the_labels_of_the_walkthrough() -> None:
    assert shorten("Berlin is the capital of Germany", 30) == "Berlin is the capital of Germa..."
    assert shorten("Yaoundé is the capital of Cameroon", 30) == "Yaoundé is the capital of Came..."
    assert shorten("short", 30) == "short"
    assert shorten("exactly five", 12) == "exactly five"


def test_a_label_stands_on_one_line() -> None:
    assert shorten("two\nlines\t and  more", 30) == "two lines and more"


def test_labels_that_are_equal_after_the_cut_are_told_apart() -> None:
    assert make_labels(["the cat sat", "the cat ran", "a dog"], 7) == [
        "[1] the cat...",
        "[2] the cat...",
        "a dog",
    ]


def test_a_told_apart_label_never_meets_another_sentence() -> None:
    labels = make_labels(["abcdef x", "abcdef y", "[1] abcdef..."], 6)
    assert len(set(labels)) == 3


# --- colors -----------------------------------------------------------------------------------------------


def baseline(median: float) -> Baseline:
    return Baseline("k", "m", 10, (median,) * (STEPS + 1))


@pytest.mark.parametrize(
    ("median", "closest", "ends"),
    [
        (0.06, 0.95, (0.06, 0.95)),
        (0.06, 0.2, (0.06, 0.53)),  # nothing is related: halfway to 1
        (0.75, 0.98, (0.75, 0.98)),
        (-0.2, 1.0000001, (-0.2, 1)),
        (1, 1, (0.9, 1)),  # to this model, all sentences are the same
    ],
)
def test_the_colors_run_from_the_median_to_the_closest_pair(
    median: float, closest: float, ends: tuple[float, float]
) -> None:
    similarity = pd.DataFrame([[1, closest, -0.5], [closest, 1, 0], [-0.5, 0, 1]], list("abc"), list("abc"))
    assert color_range(similarity, baseline(median)) == pytest.approx(ends)
    assert similarity.loc["a", "a"] == 1


def test_in_a_search_all_cells_count() -> None:
    found = pd.DataFrame([[0.9, 0.1], [0.2, 0.3]], ["who?", "why?"], ["one", "two"])
    assert color_range(found, baseline(0.1)) == pytest.approx((0.1, 0.9))


def test_what_lies_below_the_low_end_is_said() -> None:
    similarity = square(["one", "two", "three"], lowest=0.1)
    assert "from 0.50 or less (lightest) to 0.75 (darkest)" in heatmap(similarity, low=0.5, high=0.75).alt
    assert "from 0.00 (lightest) to 1.00 (darkest)" in heatmap(similarity).alt
    told = legend(similarity, low=0.5, high=0.75, groups=None, cmap="YlGnBu")
    assert (told.low, told.high) == (0.5, 0.75)
    plain = svg_text(heatmap(similarity))
    assert (
        plain != svg_text(heatmap(similarity, low=0.5)) != svg_text(heatmap(similarity, high=0.75)) != plain
    )


def test_the_diagonal_is_blank() -> None:
    drawn = ET.fromstring(svg_text(heatmap(square(["one", "two", "three"], lowest=0.1))))
    texts = ["".join(text.itertext()) for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(text for text in texts if re.fullmatch(r"0\.(55|10)", text)) == ["0.10"] * 2 + ["0.55"] * 4
    assert texts.count("1.00") == 1  # at the end of the scale
    (mesh,) = (group for group in drawn.iter() if "QuadMesh" in group.get("id", ""))
    assert len([path for path in mesh if "fill: none" not in path.get("style", "")]) == 6


# --- the heatmap -------------------------------------------------------------------------------------------


def test_the_heatmap_says_its_numbers_in_words() -> None:
    picture = heatmap(square(["one", "two", "three"]))
    assert picture.alt == (
        "Heatmap of the cosine similarity of 3 sentences, from 0.00 (lightest) to 1.00 (darkest). "
        "The closest pair is “one” and “two” at 0.55; the farthest is “one” and “three” at 0.10."
    )
    data, metadata = picture._repr_mimebundle_()
    assert data["text/plain"] == picture.alt
    assert metadata["image/svg+xml"]["alt"] == picture.alt


def test_the_heatmap_of_two_sentences_has_one_pair() -> None:
    assert heatmap(square(["one", "two"])).alt.endswith("The one pair is “one” and “two” at 0.10.")


def test_small_heatmaps_are_svg_and_the_same_twice() -> None:
    first, second = (svg_text(heatmap(square(["one", "two", "three"]))) for _ in range(2))
    assert ET.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"
    assert first == second
    assert "<dc:date>" not in first


@pytest.mark.parametrize("n", [2, 20, 21, 60])
def test_heatmaps_are_of_a_size_that_can_be_read_and_sent(n: int) -> None:
    data, metadata = heatmap(square([f"sentence number {k}" for k in range(n)]))._repr_mimebundle_()
    assert 300 < metadata["image/svg+xml"]["width"] <= 860
    assert len(data["image/svg+xml"]) < 200_000


@pytest.mark.parametrize(
    "label", ["costs $5 to $10", "Pay $$ now", r"\frac{1}{", "<b>&amp;</b>", "{name} %s"]
)
def test_a_label_is_text_and_nothing_else(label: str) -> None:
    picture = heatmap(square([label, "other"]))
    assert label in picture.alt
    assert label in "\n".join(ET.fromstring(svg_text(picture)).itertext())


@pytest.mark.parametrize("label", ["中文句子", "नमस्ते", "🙂 smile"])
def test_labels_without_glyphs_give_way_to_numbers_without_a_warning(label: str) -> None:
    assert not can_draw(label)
    with_numbers = svg_text(heatmap(square([label, "other"])))
    assert with_numbers == svg_text(heatmap(square(["汉", "字"])))


def test_a_tower_of_accents_is_not_drawn_over_other_rows() -> None:
    assert can_draw("Việt Nam, ế")  # also in its decomposed form
    assert can_draw(unicodedata.normalize("NFD", "Việt Nam"))
    assert not can_draw("a" + "\u0301" * 29)
    assert svg_text(heatmap(square(["a" + "\u0301" * 29, "b"]))) == svg_text(heatmap(square(["汉", "字"])))


def test_a_label_that_writes_backwards_does_not_reorder_the_text_alternative() -> None:
    assert "“\u2068a\u202eb\u2069” and “c” at 0.10." in heatmap(square(["a\u202eb", "c"])).alt
    assert "groups \u2068z\u202e\u2069, c. " in heatmap(square(["a", "b"]), groups=["z\u202e", "c"]).alt


def test_what_the_font_has_is_drawn() -> None:
    assert can_draw("Yaoundé, naïve, ἀλφα, Привет, ‘quotes’ – ½")


def test_the_colormap_and_the_groups_change_the_picture() -> None:
    plain = svg_text(heatmap(square(["a", "b", "c"])))
    assert plain != svg_text(heatmap(square(["a", "b", "c"]), cmap="Reds"))
    assert plain != svg_text(heatmap(square(["a", "b", "c"]), groups=["x", "x", "y"]))


@pytest.mark.parametrize(
    ("cmap", "words"),
    [
        ("YlGnBu", "from 0.00 (lightest) to 1.00 (darkest)"),
        ("viridis", "from 0.00 (darkest) to 1.00 (lightest)"),
        ("YlGnBu_r", "from 0.00 (darkest) to 1.00 (lightest)"),
        ("coolwarm", "from 0.00 to 1.00"),
        ("hsv", "from 0.00 to 1.00"),
    ],
)
def test_the_words_for_the_scale_are_true_of_the_colormap(cmap: str, words: str) -> None:
    similarity = square(["one", "two", "three"])
    assert words in heatmap(similarity, cmap=cmap).alt
    assert legend(similarity, low=0.0, high=1.0, groups=None, cmap=cmap).scale == words


def test_groups_are_named_in_words_and_in_the_legend() -> None:
    similarity = square(["one", "two", "three"])
    assert ", in the groups z, a. " in heatmap(similarity, groups=["z", "z", "a"]).alt
    named = legend(similarity, low=0.0, high=1.0, groups=["z", "z", "a"], cmap="YlGnBu").groups
    assert [name for name, _ in named] == ["z", "a"]


def test_a_matrix_that_is_not_square_is_refused() -> None:
    with pytest.raises(ValueError, match=r"square matrix .* found shape \(2, 3\)"):
        heatmap(square(["a", "b", "c"]).iloc[:2])


def test_a_negative_similarity_has_a_minus_sign_and_a_rounded_zero_none() -> None:
    table = pd.DataFrame([[1, -0.204, -0.001], [-0.204, 1, 0], [-0.001, 0, 1]], list("abc"), list("abc"))
    picture = heatmap(table)
    assert ">−0.20<" in svg_text(picture)
    assert ">0.00<" in svg_text(picture)
    assert ">-" not in svg_text(picture)
    assert picture.alt.endswith("the farthest is “a” and “b” at −0.20.")


def test_characters_that_xml_forbids_never_reach_a_picture() -> None:
    forbidden = [*range(1, 9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF]  # XML 1.0, section 2.2
    for code in forbidden:
        assert not can_draw(chr(code)), hex(code)
    labels = make_labels([f"a{chr(code)}b" for code in forbidden[-20:]])
    drawn = "".join(ET.fromstring(svg_text(heatmap(square(labels)))).itertext())
    assert all(str(k) in drawn for k in range(1, 21))


def test_rows_in_another_order_have_the_numbers_and_the_labels_of_their_sentences() -> None:
    drawn = "".join(
        ET.fromstring(svg_text(heatmap(square(["one", "two", "three"]), order=[2, 0, 1]))).itertext()
    )
    assert drawn.index("three") < drawn.index("one") < drawn.index("two")
    assert svg_text(heatmap(square(["汉", "字", "a"]), order=[1, 0, 2])) != svg_text(
        heatmap(square(["汉", "字", "a"]))
    )


# --- many sentences ----------------------------------------------------------------------------------------


def drawn_texts(picture: Picture) -> list[str]:
    return [
        "".join(text.itertext())
        for text in ET.fromstring(svg_text(picture)).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_many_sentences_are_blocks_with_their_means() -> None:
    groups = ["first"] * 40 + ["second"] * 30
    matrix = np.where(np.equal.outer(groups, groups), 0.8, 0.2)
    labels = [f"sentence {k}" for k in range(70)]
    picture = heatmap(pd.DataFrame(matrix, labels, labels), groups=groups, low=0.1)
    shown = drawn_texts(picture)
    assert [shown.count(text) for text in ("1 · first (40)", "2 · second (30)", "0.80", "0.20")] == [
        1,
        1,
        3,
        2,
    ]
    assert picture.alt == (
        "Heatmap of the mean cosine similarity in and between 2 groups, from 0.10 (lightest) to 0.80 (darkest): 70 "
        "sentences in all. The closest pair is “sentence 0” and “sentence 1” at 0.80; the farthest is “sentence 0” and "
        "“sentence 40” at 0.20."
    )


def test_without_groups_a_block_is_named_after_a_sentence() -> None:
    picture = heatmap(square([f"sentence {k}" for k in range(100)]))
    assert "1 · sentence 4" in drawn_texts(picture)  # in the middle of 0 to 9
    assert "10 blocks of similar sentences, each named after its most central one" in picture.alt
