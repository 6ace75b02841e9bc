"""The colors that follow the reader's scheme: told apart by everyone, seen on either ground, and put in once."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from support import contrast

from sentence_reports.lesson.picture import group_colors
from sentence_reports.schemes import COLORS, HUES, INK, SCHEMES, following_scheme, with_variables

GROUNDS = {"light": "#ffffff", "dark": "#16181b"}
# From linear sRGB to what is seen, after Machado, Oliveira and Fernandes, "A physiologically-based model for simulation
# of color vision deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (2009), severity 1.0.
VISION = {
    "all colors": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "grayscale": [[0.2126, 0.7152, 0.0722]] * 3,
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color: str, vision: str) -> NDArray[np.floating]:
    """Return a color, as it is seen, in CIELAB under D65."""
    channels = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = XYZ @ np.clip(np.array(VISION[vision]) @ linear, 0, 1) / XYZ.sum(axis=1)
    f = np.where(seen > (6 / 29) ** 3, np.cbrt(seen), seen / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("scheme", list(GROUNDS))
@pytest.mark.parametrize("vision", list(VISION))
def test_the_hues_can_be_told_apart(scheme: str, vision: str) -> None:
    hues = [lab(SCHEMES[scheme][f"--hue{k}"], vision) for k in range(1, 7)]
    least = min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(hues, 2))
    assert least >= (7 if vision == "grayscale" else 18)  # 2.3 is just noticed


@pytest.mark.parametrize("scheme", list(GROUNDS))
def test_the_colors_stand_out_from_the_ground(scheme: str) -> None:
    for name, color in SCHEMES[scheme].items():
        least = {"--ink": 7, "--quiet": 4.5, "--faint": 1.5, "--ground": 0}.get(name, 3)
        if least:
            assert contrast(color, GROUNDS[scheme]) >= least, name


def test_each_group_has_a_hue_as_long_as_there_are_enough() -> None:
    assert group_colors(["a", "b", "a"]) == [HUES[0], HUES[1], HUES[0]]
    assert len(set(group_colors(list("abcdef")))) == 6
    assert len(set(group_colors(list("abcdefg")))) == 1


def test_a_drawn_color_becomes_a_variable_with_that_color_as_its_fallback() -> None:
    assert with_variables(f"fill: {INK}; stroke: #123456") == f"fill: var(--ink, {INK}); stroke: #123456"
    assert len({light for light, _ in COLORS.values()}) == len(COLORS)


def test_a_sentence_that_names_a_color_is_drawn_as_it_is() -> None:
    svg = f'<text style="fill: {INK}">fill: {INK} &gt; {INK}</text>'
    assert with_variables(svg) == f'<text style="fill: var(--ink, {INK})">fill: {INK} &gt; {INK}</text>'


def test_a_picture_on_a_page_follows_the_scheme() -> None:
    svg = following_scheme('<?xml version="1.0"?><!DOCTYPE svg><svg width="1"><svg/></svg>')
    start = '<?xml version="1.0"?><!DOCTYPE svg><svg width="1"><style>svg{--ink:#1c1e21;'
    assert svg.startswith(start)
    assert svg.count("<style>") == 1
    assert "@media(prefers-color-scheme:dark){svg{--ink:#e6e6e3;" in svg
    assert svg.count("--ground:transparent") == 2
