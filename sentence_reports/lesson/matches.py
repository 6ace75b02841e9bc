"""What each query of a search finds, as a table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sentence_reports.facts import Baseline
from sentence_reports.rankings import rankings


def best_matches(
    queries: Sequence[str], texts: Sequence[str], matrix: NDArray[np.floating], baseline: Baseline
) -> pd.DataFrame:
    """Return a table with one row per query: its best sentence, their similarity, its percentile and its margin.

    `matrix` holds the `(q, n)` similarities, `baseline` is the model's for queries. The margin is how much more similar
    the best sentence is than the next.
    """
    best = [matches[0] for matches in rankings(matrix, baseline, 1)]
    table = {
        "finds": [texts[match.sentence] for match in best],
        "similarity": [match.similarity for match in best],
        "percentile": [match.percentile for match in best],
        "margin to the next": [match.margin for match in best],
    }
    return pd.DataFrame(table, index=list(queries)).round(
        {"similarity": 4, "percentile": 1, "margin to the next": 4}
    )
