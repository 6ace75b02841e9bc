"""What the notebook publishes about its run, for the head of the page, the index, the CSV and the final table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sentence_reports.claim_records import Agreement, ClaimCheck, ReferenceCheck
from sentence_reports.facts import Baseline, Legend, ModelFacts
from sentence_reports.lesson.finding import finding, groups_in_words, search_finding
from sentence_reports.lesson.order import blocks
from sentence_reports.overview import MATRIX_UP_TO, OVERVIEW_FROM, Neighbors, Overview, pack
from sentence_reports.pairs import Pairs
from sentence_reports.rankings import best_match
from sentence_reports.summary import SearchSummary, WalkthroughSummary
from sentence_reports.texts import isolated, quoted

if TYPE_CHECKING:
    from sentence_reports.models import TokenFacts

NEAR_DUPLICATE = 0.99995  # from here on a report shows 1.0000
NOTICES_OF_A_KIND = 5
PROMPT_LENGTH = 200  # characters of a prompt in a notice


def summarize(
    *,
    settings: dict[str, Any],
    texts: Sequence[str],
    labels: Sequence[str],
    groups: Sequence[str] | None,
    model: ModelFacts,
    tokens: Sequence["TokenFacts"],
    matrix: NDArray[np.float32],
    order: Sequence[int] | None = None,
    baseline: Baseline,
    legend: Legend,
    claims: Sequence[ClaimCheck] = (),
    reference: ReferenceCheck | None = None,
    agreement: Agreement | None = None,
    versions: dict[str, str],
) -> WalkthroughSummary:
    """Return the summary of a run over `n` sentences, as an output of the notebook's last cell.

    `settings` holds the set's other keys (title, description, claim ...), `model` is what `models.describe` returns,
    `tokens` has one `TokenFacts` per sentence, `matrix` holds the `(n, n)` similarities, `order` is what
    `row_order` returns (None: as given), `baseline` is the model's, `legend` what `heatmap.legend` returns, `claims`
    what `check_claims`, `reference` what `reference_check`.
    """
    positions = range(len(texts)) if order is None else order
    pairs = Pairs(matrix)
    closest, farthest = pairs.closest(1)[0], pairs.farthest(1)[0]
    same, count = pairs.above(NEAR_DUPLICATE, NOTICES_OF_A_KIND + 1)
    duplicates = [
        f"To the model, sentences {one + 1} and {other + 1} are the same." for one, other, _ in same
    ]
    return WalkthroughSummary(
        settings=settings,
        sentences=tuple(texts),
        labels=tuple(labels),
        groups=None if groups is None else tuple(groups),
        order=tuple(positions),
        model=model,
        closest=closest,
        farthest=farthest,
        places=(baseline.describe(closest.similarity), baseline.describe(farthest.similarity)),
        baseline=baseline,
        finding=finding(
            texts,
            matrix,
            baseline,
            groups=groups,
            claims=claims,
            claim=settings.get("claim"),
            agreement=agreement,
        ),
        claims=tuple(claims),
        agreement=agreement,
        notices=(
            *model_notices(model, bool(claims)),
            *token_notices(tokens),
            *first_notices(duplicates, count, "pairs are the same to the model"),
        ),
        legend=legend,
        reference=reference,
        versions=versions,
        matrix=pack(matrix) if len(texts) <= MATRIX_UP_TO else None,
        overview=Overview(
            neighbors=Neighbors.of(matrix),
            blocks=blocks(matrix, positions, groups),
            verdict=groups_in_words(texts, matrix, baseline, groups or ()),
        )
        if len(texts) >= OVERVIEW_FROM
        else None,
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
            *model_notices(model, bool(claims)),
            *token_notices(query_tokens, "query"),
            *token_notices(tokens),
        ),
        legend=legend,
        versions=versions,
        matrix=pack(matrix),
    )


def model_notices(model: ModelFacts, claimed: bool = False) -> list[str]:
    """Return what a reader should know about the model: that it is a fallback, or that it was used without a prompt.

    `claimed` says whether the set makes claims, which are about the model that it asks for.
    """
    notices = []
    if model.stands_in_for:
        notices.append(
            f"These numbers come from {model.name}. You asked for {model.stands_in_for}, which could not be "
            "downloaded." + f" The claims were written for {model.stands_in_for}." * claimed
        )
    if model.declared_prompts and not (model.prompt or model.query_prompt):
        shown = list(model.declared_prompts.items())[:NOTICES_OF_A_KIND]
        prompts = [
            f"{quoted(text[:PROMPT_LENGTH])} ({isolated(name[:PROMPT_LENGTH])})" for name, text in shown
        ]
        notices.append(
            f"This model expects a prompt before its texts: {' or '.join(prompts)}. None was used, so its "
            "similarities may be off. Choose one with the key `prompt` in a set that names this model."
        )
    return notices


def token_notices(tokens: Sequence["TokenFacts"], noun: str = "sentence") -> list[str]:
    """Return which texts the model could not read completely; `noun` is what they are called."""
    cut, unreadable = [], []
    for k, facts in enumerate(tokens, start=1):
        if facts.cut:
            cut.append(
                f"{noun.capitalize()} {k} was cut at {facts.limit} of {facts.count} tokens: the model did not see the "
                "rest."
            )
        if not facts.readable:
            plural = "" if facts.unknown == 1 else "s"
            lost = f"{facts.unknown} unknown token{plural}" if facts.unknown else "no token"
            unreadable.append(
                f"The model cannot read anything in {noun} {k} ({lost}), so its similarities are meaningless."
            )
    nouns = "queries" if noun == "query" else f"{noun}s"
    return [
        *first_notices(cut, len(cut), f"{nouns} were cut"),
        *first_notices(unreadable, len(unreadable), f"{nouns} contain nothing that the model can read"),
    ]


def first_notices(notices: list[str], count: int, what: str) -> list[str]:
    """Return the first notices of a kind and the number of the others; `notices` may lack the last of the `count`."""
    more = count - NOTICES_OF_A_KIND
    return notices if more <= 1 else [*notices[:NOTICES_OF_A_KIND], f"{more} more {what}."]
