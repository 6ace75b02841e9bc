"""The list of matplotlib's colormaps."""

from set_files import python

from sentence_reports.sets.colormaps import COLORMAPS


def test_the_colormaps_are_those_of_matplotlib() -> None:
    # in a new process: seaborn adds maps to matplotlib's list as soon as a test imports it
    assert sorted(COLORMAPS) == sorted(python("import matplotlib; print(*matplotlib.colormaps)"))
