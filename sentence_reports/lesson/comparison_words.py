"""What came out of a comparison of models, in a few sentences, and what a reader should know before believing it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from sentence_reports.comparison import Compared
from sentence_reports.lesson.finding import cite, spelled
from sentence_reports.lesson.slopes import in_digits
from sentence_reports.lesson.summary import NEAR_DUPLICATE, first_notices, model_notices, token_notices
from sentence_reports.summary import Column, ComparisonSummary, Likeness
from sentence_reports.texts import capitalized, cut_at_word, digits_apart, isolated, number, quoted

if TYPE_CHECKING:
    from sentence_reports.models import ModelRun

LABEL_LENGTH = 60  # characters of a model's label
HEADLINE = 105  # characters; more take three lines on a wide screen
HIGH_CHANCE = 0.5  # a rank correlation that shuffled sentences often reach tells nothing
JUDGED_FROM = 6  # sentences; in fewer, that vectors agree with nothing says little about their order


def comparison_finding(summary: ComparisonSummary) -> tuple[str, ...]:
    """Return what came out in up to four sentences of plain text, from the numbers of a summary.

    Which model meets how many claims comes first, then which agrees best with the ratings, which two agree most, and
    which pair of sentences moves most. For two sentences, it is how similar they are instead of the last two.
    """
    columns, likenesses = summary.columns, summary.likenesses
    claim = summary.settings.get("claim")
    many = len(summary.sentences) > 2
    sentences = (
        claims_met(columns, claim),
        best_with_ratings(columns),
        agree_most(columns, likenesses) if many else one_pair(summary),
        moves_most(summary) if many else "",
    )
    return tuple(filter(None, sentences))


def brief(*sentences: str) -> str:
    """Return the first of the sentences, from the most detailed to the shortest, that fits into two lines."""
    return next((sentence for sentence in sentences if len(sentence) <= HEADLINE), sentences[-1])


def claims_met(columns: Sequence[Column], claim: str | None = None) -> str:
    """Return which model meets how many claims, the one with most first; empty if there are none.

    If not all models fit, it names the best and the worst, or only the best. `claim` is what the claims show together;
    it is stated only if all of them hold for all models.
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
    first = list(met.values()).count(most)
    best = f"{'meets' if first == 1 else 'meet'} {_amount(most, total)}"
    some, other = how_many(most, met), "the other" if first == count - 1 else "the others"
    if total == 1:
        do = "does not" if first == count - 1 else "do not"
        return brief(
            f"{leaders} {best}, {others[0][1]} {do}.", f"{leaders} {best}, {other} {do}.", f"{some} {best}."
        )
    rest = [f"{labels} {f'{k:,}' if k else 'none'}" for k, labels in others]
    fewer = f"{other} {'fewer' if others[0][0] else 'none'}"
    return brief(
        f"{leaders} {best}, {', '.join(rest)}.",
        f"{leaders} {best}, {rest[-1]}.",
        f"{some} {best}, {rest[-1]}.",
        f"{leaders} {best}, {fewer}.",
        f"{some} {best}, {fewer}.",
    )


def how_many(value: object, values: Mapping[str, object]) -> str:
    """Return how many models have this value, by label: "Two of the six models". One is named."""
    labels = [label for label in values if values[label] == value]
    if len(labels) == 1:
        return name(labels[0])
    return f"{capitalized(spelled(len(labels)))} of the {spelled(len(values))} models"


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
        ((label, agreement) for label, agreement in agreed if agreement.spearman is not None),
        key=lambda pair: -(pair[1].spearman or 0.0),
    )
    if len(rated) < 2:
        return ""
    values = {label: number(agreement.spearman or 0.0, 2) for label, agreement in rated}
    (best, first), (second, next_best) = rated[:2]
    high = values[best]
    if high == values[second]:
        named = joined([label for label in values if values[label] == high])
        equally = f"agree equally well with the ratings (rank correlation {high})."
        return brief(f"{named} {equally}", f"{how_many(high, values)} {equally}")
    rest = [f"{name(label)} {value}" for label, value in values.items()][1:]
    both = nearest = ""
    if not (first.interval and next_best.interval):
        both = nearest = "; there are too few pairs to be certain"
    elif first.interval[0] <= next_best.interval[1]:
        both = f"; {'the first two' if rest[1:] else 'their'} intervals overlap"
        nearest = "; the interval of the next one overlaps with it"
    agrees = f"{name(best)} agrees best with the ratings (rank correlation {high}"
    return brief(
        f"{agrees}; {', '.join(rest)}){both}.",
        f"{agrees}; lowest: {rest[-1]}){nearest}.",
        f"{agrees}){nearest}.",
    )


def one_pair(summary: ComparisonSummary) -> str:
    """Return how similar two sentences are to both models, or to the two that differ most, corrected for chance."""
    compared = Compared(summary)
    values = dict(zip((column.label for column in compared.columns), compared.corrected[:, 0], strict=True))
    ranked = sorted(values, key=lambda label: -values[label])
    high, low = (float(values[label]) for label in (ranked[0], ranked[-1]))
    digits = digits_apart(high, low)
    most, least = number(high, digits), number(low, digits)
    begins, scale = f"The two sentences score {most} with", "(0 is chance, 1 the same text)"
    if most == least:
        return f"{begins} {'both' if len(values) == 2 else f'all {spelled(len(values))}'} models {scale}."
    best, lowest = f"{begins} {name(ranked[0])}", f"{least} with {name(ranked[-1])}"
    others = "others" if ranked[2:] else "other"
    return brief(
        f"{best}{'; lowest: ' if ranked[2:] else ' and '}{lowest} {scale}.",
        f"{best}, less with the {others} {scale}.",
    )


def agree_most(columns: Sequence[Column], likenesses: Sequence[Likeness]) -> str:
    """Return which two models agree most on the ranks of the pairs, and which least."""
    ranked = sorted(
        (likeness for likeness in likenesses if likeness.spearman is not None),
        key=lambda likeness: -(likeness.spearman or 0.0),
    )
    if not ranked:
        return "The models cannot be compared by ranks: in each pair of them, one gives all pairs the same similarity."
    most, least = ranked[0], ranked[-1]
    if len(columns) == 2:
        digits = digits_apart(most.spearman or 0.0, most.chance or 0.0)
        value, chance = (number(some or 0.0, digits) for some in (most.spearman, most.chance))
        return (
            f"The rank correlation of the two models is {value}; "
            f"with shuffled sentences, it is at most {chance} in 95% of trials."
        )
    high, low = (number(likeness.spearman or 0.0, 2) for likeness in (most, least))
    first, last = (
        joined([columns[k].label for k in (likeness.first, likeness.second)]) for likeness in (most, least)
    )
    best = f"{first} agree most (rank correlation {high})"
    return brief(f"{best}, {last} least ({low}).", f"{best}.") if low != high else f"{best}."


def moves_most(summary: ComparisonSummary) -> str:
    """Return which pair moves most between two models, with its ranks."""
    compared = Compared(summary)
    for pair in compared.rank_gaps(1):
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
    chances = [likeness.chance for likeness in summary.likenesses if likeness.chance is not None]
    if chances and max(chances) >= HIGH_CHANCE:
        yield (
            f"{capitalized(spelled(n))} sentences are few: shuffled, they often reach a rank correlation of "
            f"{number(max(chances), 2)}, so that agreement of the models says little."
        )


def wrong_order(summary: ComparisonSummary) -> Iterator[str]:
    """Yield a notice for each column of vectors from a file that agrees with no other model more than chance."""
    if len(summary.sentences) < JUDGED_FROM:
        return
    for k, column in enumerate(summary.columns):
        likenesses = [
            one for one in summary.likenesses if k in (one.first, one.second) and one.spearman is not None
        ]
        chance = all((one.spearman or 0.0) <= (one.chance or 0.0) for one in likenesses)
        if column.model.source == "file" and likenesses and chance:
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
    text = cut_at_word(label, LABEL_LENGTH)
    return quoted(text) if "," in text else isolated(text)


def joined(labels: Sequence[str]) -> str:
    """Return the labels of models as a list: "A, B and C"."""
    names = [name(label) for label in labels]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
