"""What the notebook of a comparison tabulates and publishes: agreement, neighbors, claims and ratings of each model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sentence_reports.claim_records import Agreement, Claim, ClaimCheck
from sentence_reports.comparison import (
    SHARED,
    kept_pairs,
    shared_by_chance,
    shared_neighbors,
    spearman,
    spearman_by_chance,
    upper,
)
from sentence_reports.errors import ModelError
from sentence_reports.facts import Legend
from sentence_reports.lesson.comparison_words import comparison_finding, comparison_notices
from sentence_reports.lesson.facts import model_facts
from sentence_reports.lesson.slopes import most_moved
from sentence_reports.overview import pack
from sentence_reports.summary import Column, ComparisonSummary, Likeness, Shared
from sentence_reports.texts import digits_apart, number, quoted

if TYPE_CHECKING:
    from sentence_reports.models import ModelRun

NOTHING = "–"
MOVED_KEPT = 100  # pairs of a large set that moved most, which its summary keeps


def check_number(runs: Sequence["ModelRun"], missing: Mapping[str, str]) -> None:
    """Raise ModelError if fewer than two models ran; `missing` holds the reasons for the others by label."""
    if len(runs) < 2:
        left = f"only {runs[0].label} is left" if runs else "none is left"
        reasons = " ".join(f"{label}: {reason}" for label, reason in missing.items())
        raise ModelError(f"A comparison needs two models, and {left}. {reasons}")


def model_table(runs: Sequence["ModelRun"]) -> pd.DataFrame:
    """Return a table with what is known about each model, in words, a column each."""
    columns = {run.label: model_facts(run.facts).iloc[:, 0] for run in runs}
    rows = dict.fromkeys(row for facts in columns.values() for row in facts.index)
    return pd.DataFrame(columns, index=list(rows)).fillna(NOTHING)


def likenesses(ranks: pd.DataFrame, neighbors: Mapping[str, NDArray[np.integer]]) -> tuple[Likeness, ...]:
    """Return how well each pair of models agrees, in the order of the models.

    `ranks` has a column for each model with the ranks of all pairs of sentences; `neighbors` holds by the model's label
    what `nearest` returns for it, a row for each of `n` sentences.
    """
    result = []
    for (first, one), (second, other) in combinations(enumerate(neighbors), 2):
        a, b = (np.asarray(ranks[label]) for label in (one, other))
        tables, n = (neighbors[one], neighbors[other]), len(neighbors[one])
        shared = tuple(
            Shared(k, shared_neighbors(*tables, k), shared_by_chance(*tables, k)) for k in SHARED if k < n - 1
        )
        result.append(Likeness(first, second, spearman(a, b), spearman_by_chance(a, b, n), shared))
    return tuple(result)


def agreement_table(likenesses: Sequence[Likeness], labels: Sequence[str]) -> pd.DataFrame:
    """Return a table with one row for each pair of models: their rank correlation and their neighbors in common.

    Next to each number is what 95% of trials with shuffled sentences do not exceed; what cannot be said has a dash.
    """
    rows = {}
    for likeness in likenesses:
        columns = [("rank correlation", "shuffled", likeness.spearman, likeness.chance)]
        columns += [
            (f"{k} nearest in common", f"{k} shuffled", share, chance) for k, share, chance in likeness.shared
        ]
        row: dict[str, str] = {}
        for name, shuffled, value, chance in columns:
            if value is None or chance is None:
                row |= {name: NOTHING, shuffled: NOTHING}
            else:
                digits = digits_apart(value, chance)
                row |= {name: number(value, digits), shuffled: number(chance, digits)}
        rows[f"{labels[likeness.first]} – {labels[likeness.second]}"] = row
    return pd.DataFrame(rows).T


def neighbor_table(
    texts: Sequence[str], neighbors: Mapping[str, NDArray[np.integer]], count: int = 20
) -> pd.DataFrame:
    """Return a table of the nearest neighbor of each sentence in each model, those on which models differ first.

    `neighbors` holds by the model's label what `nearest` returns for it. The table has `count` rows at most.
    """
    table = pd.DataFrame({label: rows[:, 0] for label, rows in neighbors.items()})
    order = table.nunique(axis="columns").sort_values(ascending=False, kind="stable").index[:count]
    return table.loc[order].map(lambda k: texts[k]).set_axis([texts[k] for k in order])


def claim_table(checks: Mapping[str, Sequence[ClaimCheck]], count: int = 30) -> pd.DataFrame:
    """Return a table with a row for each of the first `count` claims and a column for each model.

    A cell says whether the claim holds, and the two chance-corrected similarities that it compares.
    """
    first = next(iter(checks.values()))
    table = {label: [outcome(check) for check in some[:count]] for label, some in checks.items()}
    return pd.DataFrame(table, index=[check.expected for check in first[:count]])


def outcome(check: ClaimCheck) -> str:
    """Return whether a claim holds, with its two values: "holds: 0.70 against 0.27"."""
    values = (number(side.value, check.digits) for side in (check.first, check.second))
    return f"{'holds' if check.met else 'does not hold'}: {' against '.join(values)}"


def rating_table(agreed: Mapping[str, Agreement], texts: Sequence[str]) -> pd.DataFrame:
    """Return a table with a row for each model: its rank correlation with the ratings, and the 95% interval.

    The last column names the pair of `texts` on which the model and people disagree most, with its rank for both.
    """
    table = {
        label: {
            "rank correlation": NOTHING if agreement.spearman is None else number(agreement.spearman, 4),
            "95% interval": " to ".join(number(end, 2) for end in agreement.interval)
            if agreement.interval
            else NOTHING,
            "disagrees most on": disagreement(agreement, texts),
        }
        for label, agreement in agreed.items()
    }
    return pd.DataFrame(table).T


def disagreement(agreement: Agreement, texts: Sequence[str]) -> str:
    """Return the pair on which a model and people disagree most; ranks go from 0 for the lowest to 100."""
    if not agreement.disagreements:
        return NOTHING
    pair = agreement.disagreements[0]
    people, model = number(pair.score_rank, 0), number(pair.similarity_rank, 0)
    pair_in_words = f"{quoted(texts[pair.first])} and {quoted(texts[pair.second])}"
    return f"{pair_in_words}: rank {people} to people, {model} to the model"


def named_pairs(claims: Sequence[Claim], rated: Sequence[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """Return the pairs that claims are about and those that people rated, by position."""
    claimed = [pair for claim in claims for pair in (claim.pair, claim.than) if pair is not None]
    return [*claimed, *((first, second) for first, second, _ in rated)]


def summarize_comparison(
    *,
    settings: dict[str, Any],
    texts: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[str] | None,
    runs: Sequence["ModelRun"],
    missing: Mapping[str, str],
    matrices: Mapping[str, NDArray[np.floating]],
    ranks: pd.DataFrame,
    neighbors: Mapping[str, NDArray[np.integer]],
    likenesses: Sequence[Likeness],
    checks: Mapping[str, Sequence[ClaimCheck]],
    agreed: Mapping[str, Agreement],
    named: Sequence[tuple[int, int]],
    order: Sequence[int],
    legend: Legend,
    versions: dict[str, str],
) -> ComparisonSummary:
    """Return the summary of a comparison over `n` sentences, as an output of the notebook's last cell.

    `settings` holds the set's other keys, `runs` what `run_model` returned for each model, `missing` why a model could
    not be had, by its label. By label, `matrices` holds the `(n, n)` cosine similarities, `ranks` a column with the
    ranks of all pairs, `neighbors` what `nearest` returns, `checks` what `check_corrected` returns, `agreed` what
    `ratings.agreement` returns. `likenesses` is what `likenesses` returns, `named` what `named_pairs` returns.
    """
    tables, n = [neighbors[run.label] for run in runs], len(texts)
    first, second = np.triu_indices(n, k=1)
    moved = most_moved(ranks, MOVED_KEPT).index
    pairs = kept_pairs(tables, [*named, *zip(first[moved].tolist(), second[moved].tolist(), strict=True)])
    rows = slice(None) if pairs is None else np.searchsorted(first * n + second, pairs @ [n, 1])
    summary = ComparisonSummary(
        settings=settings,
        sentences=tuple(texts),
        labels=tuple(labels),
        groups=None if groups is None else tuple(groups),
        finding=(),
        notices=(),
        legend=legend,
        versions=versions,
        order=tuple(order),
        missing=tuple(missing.items()),
        likenesses=tuple(likenesses),
        pairs=None if pairs is None else pack(pairs, "<u4"),
        columns=tuple(
            Column(
                label=run.label,
                model=run.facts,
                baseline=run.baseline,
                similarities=pack(upper(matrices[run.label])[rows]),
                ranks=pack(ranks[run.label].to_numpy()[rows]),
                claims=tuple(checks.get(run.label, ())),
                agreement=agreed.get(run.label),
                cut=sum(facts.cut for facts in run.tokens),
                unreadable=sum(not facts.readable for facts in run.tokens),
                milliseconds=run.milliseconds,
            )
            for run in runs
        ),
    )
    return replace(summary, finding=comparison_finding(summary), notices=comparison_notices(summary, runs))
