"""A search: its heatmap, its best matches as a table, what came out in words, and the summary of its run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sentence_reports.claims import ClaimCheck
from sentence_reports.lesson.finding import capitalized, cite, claims_in_words, count, listed
from sentence_reports.lesson.heatmap import ANNOTATED_UP_TO, LABELED_UP_TO, VECTOR_UP_TO, describe_scale
from sentence_reports.lesson.picture import STYLE, Picture, group_colors, group_names, numbered
from sentence_reports.lesson.summary import model_notices, token_notices
from sentence_reports.rankings import never_found, rankings, without_match
from sentence_reports.summary import Baseline, Legend, ModelFacts, Pair, SearchSummary, encode_matrix
from sentence_reports.texts import number, quoted

if TYPE_CHECKING:
    from sentence_reports.models import TokenFacts


def search_heatmap(
    similarity: pd.DataFrame,
    *,
    low: float = 0.0,
    groups: Sequence[str] | None = None,
    cmap: str = "YlGnBu",
) -> Picture:
    """Return the heatmap of a `(q, n)` similarity matrix, one row per query and one column per sentence.

    `low` is the similarity at the low end of the colors (`color_floor`); smaller ones get the same color. `groups`
    holds one name per sentence; the label of a sentence has the color of its group. If the font cannot draw a label,
    its axis shows numbers.
    """
    rows, columns = similarity.shape
    size = max(rows, columns)
    width, height = (_inches(length) for length in (columns, rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width + 1, height))
        axes = figure.add_axes((0, 0, width / (width + 1), 1))
        scale = figure.add_axes(((width + 0.25) / (width + 1), 0.1, 0.2 / (width + 1), 0.8))
        sns.heatmap(
            similarity,
            ax=axes,
            cbar_ax=scale,
            vmin=low,
            vmax=1.0,
            cmap=cmap,
            annot=similarity.map(lambda value: number(value, 2)) if size <= ANNOTATED_UP_TO else False,
            fmt="",
            annot_kws={"size": 9},
            xticklabels=False,
            yticklabels=False,
            cbar_kws={
                "label": "cosine similarity",
                "extend": "min" if similarity.to_numpy().min() < low else "neither",
            },
            rasterized=size > ANNOTATED_UP_TO,
        )
        axes.set(xlabel=None, ylabel=None)
        axes.xaxis.tick_top()
        for axis, labels, kind in (
            (axes.xaxis, list(similarity.columns), "sentences"),
            (axes.yaxis, list(similarity.index), "queries"),
        ):
            if len(labels) > LABELED_UP_TO:
                axis.set_label_text(f"{kind} 1 to {len(labels)}, in the order of the set")
                continue
            shown = [str(k) for k in range(1, len(labels) + 1)] if numbered(labels) else labels
            rotation = 90 if axis is axes.xaxis and shown is labels else 0
            axis.set_ticks(
                np.arange(len(labels)) + 0.5, shown, rotation=rotation, size=9 if size <= 40 else 7
            )
        axes.tick_params(length=0)
        for tick, color in zip(axes.get_xticklabels(), group_colors(groups or ()), strict=False):
            tick.set_color(color)
        return Picture(figure, describe_search(similarity, low, groups, cmap), vector=size <= VECTOR_UP_TO)


def _inches(length: int) -> float:
    """The length of a side: room for a number in each cell, then for a label at each row, then for neither."""
    if length <= ANNOTATED_UP_TO:
        return max(1.2, 0.42 * length)
    return min(0.15 * length, 16.0)


def describe_search(similarity: pd.DataFrame, low: float, groups: Sequence[str] | None, cmap: str) -> str:
    """Describe the heatmap of a search: its size, its colors, its groups and the best match."""
    rows, columns = similarity.shape
    query, sentence, value = best_match(similarity.to_numpy())
    grouped = f", in the groups {group_names(groups)}" if groups else ""
    return (
        f"Heatmap of the cosine similarity of {rows} {'query' if rows == 1 else 'queries'} (rows) and {columns} "
        f"sentences (columns{grouped}), {describe_scale(similarity, low, cmap)}. The best match is "
        f"{quoted(similarity.index[query])} with {quoted(similarity.columns[sentence])} at {value:.2f}."
    )


def best_match(matrix: NDArray[np.floating]) -> Pair:
    """Return the query and the sentence with the largest of the `(q, n)` similarities, and that similarity."""
    query, sentence = np.unravel_index(matrix.argmax(), matrix.shape)
    return Pair(int(query), int(sentence), float(matrix[query, sentence]))


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


def search_finding(
    queries: Sequence[str],
    texts: Sequence[str],
    matrix: NDArray[np.floating],
    baseline: Baseline,
    *,
    claims: Sequence[ClaimCheck] = (),
    claim: str | None = None,
) -> tuple[str, ...]:
    """Return one or two sentences of plain text that say what came out of a search.

    They come from the `claims`, which show `claim` together, else from how many queries find a sentence above chance:
    one that is closer than 99% of unrelated pairs.
    """
    ranked, total = rankings(matrix, baseline, 1), len(queries)
    nothing = [queries[k] for k in without_match(ranked)]
    unfound = [texts[k] for k in never_found(ranked, len(texts))]
    missed = f"{listed(nothing)} {'finds' if len(nothing) == 1 else 'find'}" if nothing else ""
    if words := claims_in_words(claims, claim):
        return (*words, f"{missed} nothing above chance.") if missed and len(words) == 1 else words
    if total == 1:
        return (
            f"The query finds {'nothing' if nothing else cite(texts[ranked[0][0].sentence])} above chance.",
        )
    if len(nothing) == total:
        return (f"None of the {count(total)} queries finds a sentence above chance.",)
    if nothing:
        some = total - len(nothing)
        subject = f"{capitalized(count(some))} of {count(total)} queries {'finds' if some == 1 else 'find'}"
        return (f"{subject} a sentence above chance; {missed} none.",)
    words = (f"{'Both' if total == 2 else f'All {count(total)}'} queries find a sentence above chance.",)
    if not unfound:
        return words
    return (
        *words,
        f"{listed(unfound)} {'is' if len(unfound) == 1 else 'are'} not the best match of any query.",
    )


def summarize_search(
    *,
    settings: dict[str, Any],
    queries: Sequence[str],
    texts: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[str] | None,
    model: ModelFacts,
    query_tokens: Sequence["TokenFacts"],
    tokens: Sequence["TokenFacts"],
    matrix: NDArray[np.float32],
    baseline: Baseline,
    legend: Legend,
    claims: Sequence[ClaimCheck] = (),
    versions: dict[str, str],
) -> SearchSummary:
    """Return the summary of a search of `q` queries in `n` sentences, as an output of the notebook's last cell.

    `settings` holds the set's other keys, `model` is what `models.describe` returns for queries, `query_tokens` and
    `tokens` have one `TokenFacts` per query and per sentence, `matrix` holds the `(q, n)` similarities, `baseline` is
    the model's for queries, `legend` what `heatmap.legend` returns.
    """
    return SearchSummary(
        settings=settings,
        queries=tuple(queries),
        sentences=tuple(texts),
        labels=tuple(labels),
        groups=None if groups is None else tuple(groups),
        model=model,
        closest=best_match(matrix),
        baseline=baseline,
        finding=search_finding(queries, texts, matrix, baseline, claims=claims, claim=settings.get("claim")),
        claims=tuple(claims),
        notices=(
            *model_notices(model),
            *token_notices(query_tokens, "query"),
            *token_notices(tokens),
        ),
        legend=legend,
        versions=versions,
        matrix=encode_matrix(matrix),
    )
