"""What is worth doing in a process before notebooks start in copies of it."""

from contextlib import suppress

import numpy as np
import pandas as pd

from sentence_reports.errors import ModelError
from sentence_reports.lesson.heatmap import heatmap
from sentence_reports.lesson.map import sentence_map
from sentence_reports.lesson.vectors import angle, histogram, strips
from sentence_reports.models import EMBEDDED, find_model, load
from sentence_reports.models.baseline import shipped


def rehearse() -> None:
    """Do once what a walkthrough does for the first time: load a model, draw each kind of picture, write a table.

    What that costs beyond imports (fonts, templates, lazy loaders) is paid then.
    """
    with suppress(ModelError):  # a set that asks for this model will report it
        load(find_model(EMBEDDED))
    pd.set_option("display.max_columns", 20)  # what pandas chooses if it is imported in a notebook
    labels, table = ["a", "b"], np.array([[1.0, 0.5], [0.5, 1.0]])
    frame = pd.DataFrame(table, index=labels, columns=labels)
    heatmap(frame)
    strips(table, labels)
    angle(table[0], table[1], labels)
    histogram(shipped(EMBEDDED), table[0])
    sentence_map(table, 1.0, labels)
    frame.to_html()
