"""What the page of a comparison shows above its lesson: scoreboard, heatmaps, moved pairs, neighbors, models."""

from typing import Any, NamedTuple

import numpy as np
from nbformat import NotebookNode

from sentence_reports.claim_records import ClaimCheck
from sentence_reports.comparison import Compared, RankGap
from sentence_reports.pages.top import NUMBERS_UP_TO, TABLE_UP_TO, heat_table, of_all_kinds, tagged_picture
from sentence_reports.summary import Column, ComparisonSummary, Likeness, PageFacts

UNFOLDED = 4  # claims, if all of them hold in every model
CLAIMS_UP_TO = 20  # claims; more are folded whatever came out
DISAGREEMENTS = 3  # pairs for each model on which people see something else
MOVED_PAIRS = 6  # pairs, as many as the slope chart has lines
NEIGHBORS_UNFOLDED = 8  # sentences about which the models disagree
NEIGHBORS_UP_TO = 300  # sentences; with more, the lists outweigh the page
WIDTH = 1216  # pixels; heatmaps that do not fit beside each other get tabs
LABELS = 216  # pixels of the sentences of the first heatmap
GROUPS = 92  # pixels of their groups' names
CELL = 35  # pixels
NUMBERED_GAP = 50  # pixels of the numbers of the rows of another heatmap, and the distance to it


class NearestByModel(NamedTuple):
    """A sentence by position, and for each model its nearest neighbor and their chance-corrected similarity."""

    sentence: int
    neighbors: list[tuple[int, float]]

    @property
    def different(self) -> int:
        """How many different sentences the models name."""
        return len({neighbor for neighbor, _ in self.neighbors})


def comparison_top(summary: ComparisonSummary, facts: PageFacts, notebook: NotebookNode) -> dict[str, Any]:
    """Return what the templates show above the lesson of a comparison, by the names under which they look for it."""
    compared, n = Compared(summary), len(summary.sentences)
    columns = summary.columns
    claims = scored_claims(columns)
    unmet = sum(not all(claim.met for claim in row) for row in claims)
    rated = any(column.agreement for column in columns)
    heat = heat_table(summary) if n <= TABLE_UP_TO else None
    moved, neighbors = (moved_pairs(compared), nearest(compared)) if n > 2 else ([], [])
    different = sum(row.different > 1 for row in neighbors)
    contents = {
        "expected": "What was expected" if claims else "What people say" if rated else "",
        "glance": "The heatmaps" if heat else "",
        "agreement": "How much the models agree",
        "moved": "The pairs that moved most" if moved else "",
        "nearest": "The nearest neighbor of each sentence" if neighbors else "",
        "models": "The models",
    }
    return of_all_kinds(summary, facts) | {
        "compared": compared,
        "claims": claims,
        "claims_shown": max(UNFOLDED, min(CLAIMS_UP_TO, unmet)),
        "all_met": unmet <= CLAIMS_UP_TO,
        "rated": rated,
        "disagreements": DISAGREEMENTS,
        "heat": heat,
        "matrices": [compared.matrix(k) for k in range(len(columns))] if heat else [],
        "beside": heat is not None and fits(n, len(columns), grouped=summary.groups is not None),
        "likenesses": sorted(summary.likenesses, key=_agreement, reverse=True),
        "moved": moved,
        "slopes": tagged_picture(notebook, "slopes"),
        "nearest": neighbors[:NEIGHBORS_UP_TO],
        "nearest_unfolded": min(NEIGHBORS_UNFOLDED, different),
        "different": different,
        "contents": {id: name for id, name in contents.items() if name},
    }


def scored_claims(columns: tuple[Column, ...]) -> list[tuple[ClaimCheck, ...]]:
    """Return for each claim what came out in each model: first where they differ, then where none meets it."""
    rows = list(zip(*(column.claims for column in columns), strict=True))
    return sorted(rows, key=lambda row: 0 if len({claim.met for claim in row}) == 2 else 1 + row[0].met)


def fits(n: int, models: int, *, grouped: bool) -> bool:
    """Whether the heatmaps of so many models, with their numbers, fit beside each other on a wide screen."""
    width = LABELS + GROUPS * grouped + models * n * CELL + (models - 1) * NUMBERED_GAP
    return n <= NUMBERS_UP_TO and width <= WIDTH


def moved_pairs(compared: Compared) -> list[tuple[RankGap, list[tuple[float, float, float]]]]:
    """Return the pairs whose rank differs most between any two models, the largest difference first.

    With each pair comes what each model says about it: its rank among all pairs, the chance-corrected similarity, and
    the raw one.
    """
    tables = compared.ranks, compared.corrected, compared.similarities
    return [
        (pair, list(zip(*(table[:, pair.row].tolist() for table in tables), strict=True)))
        for pair in compared.rank_gaps(MOVED_PAIRS)
    ]


def nearest(compared: Compared) -> list[NearestByModel]:
    """Return the nearest neighbor of each sentence in each model: those about which the models disagree first."""
    n, pairs = compared.n, compared.pairs
    here, there = np.arange(n), compared.nearest
    first, second = np.minimum(here, there), np.maximum(here, there)
    rows = np.searchsorted(pairs[:, 0] * n + pairs[:, 1], first * n + second)
    values = np.take_along_axis(compared.corrected, rows, axis=1)
    neighbors = [
        NearestByModel(k, list(zip(positions, corrected, strict=True)))
        for k, (positions, corrected) in enumerate(zip(there.T.tolist(), values.T.tolist(), strict=True))
    ]
    return sorted(neighbors, key=lambda row: -row.different)


def _agreement(likeness: Likeness) -> float:
    return -2.0 if likeness.spearman is None else likeness.spearman
