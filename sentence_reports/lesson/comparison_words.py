"""What came out of a comparison of models, in a few sentences, and what a reader should know before believing it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from sentence_reports.claims import Agreement
from sentence_reports.comparison import Compared
from sentence_reports.lesson.finding import cite, spelled
from sentence_reports.lesson.slopes import in_digits
from sentence_reports.lesson.summary import NEAR_DUPLICATE, first_notices, model_notices, token_notices
from sentence_reports.summary import Column, ComparisonSummary, Likeness
from sentence_reports.texts import capitalized, cut_at_word, isolated, number, quoted

if TYPE_CHECKING:
    from sentence_reports.models import ModelRun

LENGTH = 60  # characters of a model's label
HIGH_CHANCE = 0.5  # a rank correlation that shuffled sentences often reach tells nothing
JUDGED_FROM = 6  # sentences; in fewer, that vectors agree with nothing says little about their order


def comparison_finding(summary: ComparisonSummary) -> tuple[str, ...]:
    """Return what came out in up to four sentences of plain text, from the numbers of a summary.

    Which model meets how many claims comes first, then which agrees best with the ratings, which two agree most, and
    which pair of sentences moves most.
    """
    columns, likenesses = summary.columns, summary.likenesses
    claim = summary.settings.get("claim")
    sentences = (
        claims_met(columns, claim),
        best_with_ratings(columns),
        agree_most(columns, likenesses, len(summary.sentences)),
        moves_most(summary),
    )
    return tuple(filter(None, sentences))


def claims_met(columns: Sequence[Column], claim: str | None = None) -> str:
    """Return which model meets how many claims, the one with most first; empty if there are none.

    `claim` is what the claims show together; it is stated only if all of them hold for all models.
    """
    total, count = len(columns[0].claims), len(columns)
    if not total:
        return ""
    met = {column.label: sum(check.met for check in column.claims) for column in columns}
    ranked = sorted(met, key=lambda label: -met[label])
    groups = [(k, joined(list(labels))) for k, labels in groupby(ranked, key=lambda label: met[label])]
    (most, leaders), *others = groups
    if not others:
        models = "both models" if count == 2 else f"all {spelled(count)} models"
        if most == total and claim is not None and not claim.rstrip().endswith(("?", "!", "…")):
            headline = isolated(" ".join(claim.split()).removesuffix("."))
            return f"{headline}: {_amount(most, total)} {'holds' if total == 1 else 'hold'} for {models}."
        if not most:
            none = "the claim" if total == 1 else f"any of the {total:,} claims"
            return f"{'Neither' if count == 2 else 'None'} of the {spelled(count)} models meets {none}."
        return capitalized(f"{models} meet {_amount(most, total)}.")
    meet = "meets" if list(met.values()).count(most) == 1 else "meet"
    if total == 1:
        not_met = others[0][1]
        do = "does" if list(met.values()).count(0) == 1 else "do"
        return f"{leaders} {meet} the claim, {not_met} {do} not."
    rest = ", ".join(f"{labels} {f'{k:,}' if k else 'none'}" for k, labels in others)
    return f"{leaders} {meet} {_amount(most, total)}, {rest}."


def _amount(met: int, total: int) -> str:
    if total == 1:
        return "the claim"
    if met == total:
        return "both claims" if total == 2 else f"all {total:,} claims"
    return f"{met:,} of {total:,} claims"


def best_with_ratings(columns: Sequence[Column]) -> str:
    """Return which model agrees best with the ratings by people; empty if that cannot be said."""
    agreed = [(column.label, column.agreement) for column in columns if column.agreement]
    rated = sorted(
        ((label, found) for label, found in agreed if found.spearman is not None),
        key=lambda pair: -(pair[1].spearman or 0.0),
    )
    if len(rated) < 2:
        return ""
    values = [number(found.spearman or 0.0, 2) for _, found in rated]
    (best, first), (_, second) = rated[:2]
    if values[0] == values[1]:
        named = joined([label for (label, _), value in zip(rated, values, strict=True) if value == values[0]])
        return f"{named} agree equally well with the ratings (rank correlation {values[0]})."
    rest = ", ".join(
        f"{name(label)} {value}" for (label, _), value in zip(rated[1:], values[1:], strict=True)
    )
    unsure = "; the first two intervals overlap" if len(rated) > 2 else "; their intervals overlap"
    return (
        f"{name(best)} agrees best with the ratings (rank correlation {values[0]}; {rest})"
        f"{unsure if _overlap(first, second) else ''}."
    )


def _overlap(one: Agreement, other: Agreement) -> bool:
    """Whether the 95% intervals of two models overlap, as far as there are any; then the order is uncertain."""
    return not (one.interval and other.interval) or one.interval[0] <= other.interval[1]


def agree_most(columns: Sequence[Column], likenesses: Sequence[Likeness], n: int) -> str:
    """Return which two models agree most on the ranks of the pairs of `n` sentences, and which least."""
    if n == 2:
        return "Two sentences make one pair, so its rank says nothing about the models."
    ranked = sorted(
        (found for found in likenesses if found.spearman is not None),
        key=lambda found: -(found.spearman or 0.0),
    )
    if not ranked:
        return "The models cannot be compared by ranks: in each pair of them, one gives all pairs the same similarity."
    most, least = ranked[0], ranked[-1]
    value = number(most.spearman or 0.0, 2)
    if len(columns) == 2:
        return (
            f"The rank correlation of the two models is {value}; "
            f"with shuffled sentences, it is at most {number(most.chance or 0.0, 2)} in 95% of trials."
        )
    pairs = [joined([columns[k].label for k in (found.first, found.second)]) for found in (most, least)]
    low = number(least.spearman or 0.0, 2)
    rest = f", {pairs[1]} least ({low})" if low != value else ""
    return f"{pairs[0]} agree most (rank correlation {value}){rest}."


def moves_most(summary: ComparisonSummary) -> str:
    """Return which pair moves most between two models, with its ranks; empty for a single pair."""
    compared = Compared(summary)
    if compared.total < 2:
        return ""
    for pair in compared.moved(1):
        one, other = (cite(summary.sentences[k]) for k in (pair.first, pair.second))
        near, far = (
            (name(compared.columns[c].label), in_digits(float(compared.ranks[c, pair.row])))
            for c in (pair.near, pair.far)
        )
        return (
            f"The pair that moves most is {one} and {other}: "
            f"rank {near[1]} of {compared.total:,} for {near[0]}, {far[1]} for {far[0]}."
        )
    return "All models rank the pairs in the same order."


def comparison_notices(summary: ComparisonSummary, runs: Sequence["ModelRun"]) -> tuple[str, ...]:
    """Return what a reader should know: models that are missing, what models could not read, and what looks wrong.

    `runs` holds what `run_model` returned for each column.
    """
    return (
        *(f"{name(label)} is missing: {reason}" for label, reason in summary.missing),
        *few_sentences(summary),
        *wrong_order(summary),
        *(
            f"{name(run.label)}: {notice[:1].lower()}{notice[1:]}"
            for run in runs
            for notice in (*model_notices(run.facts), *token_notices(run.tokens))
        ),
        *(notice for k in range(len(runs)) for notice in same_to(summary, k)),
    )


def few_sentences(summary: ComparisonSummary) -> Iterator[str]:
    """Yield a notice if the sentences are so few that ranks say little."""
    n = len(summary.sentences)
    chances = [found.chance for found in summary.likenesses if found.chance is not None]
    if n == 2:
        yield "Two sentences make one pair: its rank is 1 to every model, so ranks mean nothing here."
    elif chances and max(chances) >= HIGH_CHANCE:
        yield (
            f"{capitalized(spelled(n))} sentences are few: shuffled, they often reach a rank correlation of "
            f"{number(max(chances), 2)}, so that agreement of the models says little."
        )


def wrong_order(summary: ComparisonSummary) -> Iterator[str]:
    """Yield a notice for each column of vectors from a file that agrees with no other model more than chance."""
    if len(summary.sentences) < JUDGED_FROM:
        return
    for k, column in enumerate(summary.columns):
        found = [
            one for one in summary.likenesses if k in (one.first, one.second) and one.spearman is not None
        ]
        chance = all((one.spearman or 0.0) <= (one.chance or 0.0) for one in found)
        if column.model.source == "file" and found and chance:
            yield (
                f"{name(column.label)} agrees with no other model more than chance. Are the rows of its file in the "
                "order of the sentences?"
            )


def same_to(summary: ComparisonSummary, k: int) -> list[str]:
    """Return which sentences are the same to the model in column `k`."""
    compared = Compared(summary)
    rows = np.flatnonzero(compared.similarities[k] > NEAR_DUPLICATE)
    label = name(summary.columns[k].label)
    same = [
        f"To {label}, sentences {i + 1} and {j + 1} are the same." for i, j in compared.pairs[rows].tolist()
    ]
    return first_notices(same, len(same), f"pairs are the same to {label}")


def name(label: str) -> str:
    """Return a model's label, ready to be put into a sentence; in quotation marks if it has a comma."""
    text = cut_at_word(label, LENGTH)
    return quoted(text) if "," in text else isolated(text)


def joined(labels: Sequence[str]) -> str:
    """Return the labels of models as a list: "A, B and C"."""
    names = [name(label) for label in labels]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
