"""What changed between two reports, from their summaries alone, and the finding in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sentence_reports.errors import UsageError
from sentence_reports.matching import (
    Change,
    ClaimChange,
    changes,
    claim_changes,
    edited_sentences,
    group_changes,
    model_in_words,
    only_one,
    published_change,
    ratings_change,
    scale_change,
    settings_in_words,
)
from sentence_reports.movement import ModelPairs, Movement, movement, pairs_by_model
from sentence_reports.summary import ComparisonSummary, WalkthroughSummary
from sentence_reports.texts import capitalized, count, isolated, number, quoted

ComparableSummary = WalkthroughSummary | ComparisonSummary
TURNED = {"no longer holds": "no longer hold", "now holds": "now hold"}
OTHERS = {
    "changed its sentence": "changed their sentences",
    "is new": "are new",
    "was removed": "were removed",
}
"""What can become of a claim, and of several."""
USAGE = {
    "Prompt": "another prompt",
    "Dimensions": "another number of dimensions",
    "Pooling": "another pooling",
}
"""Facts about a model that say how it is used, in words."""
CLAIM_LENGTH = 90  # characters; longer claims are counted in the finding, not quoted


@dataclass(frozen=True)
class ColumnDifference:
    """What changed for one model; `label` is empty if the reports have only one.

    `ratings` is about the rank correlation with people's ratings, `scale` about the similarities of unrelated pairs,
    which is None if the models differ; `model` holds the facts about the model that differ.
    """

    label: str
    movement: Movement
    claims: tuple[ClaimChange, ...]
    ratings: Change | None
    scale: Change | None
    model: tuple[Change, ...]

    @property
    def reason(self) -> str:
        """Why the similarities are on two scales, as a clause; empty if the model is the same."""
        differing = {change.what for change in self.model}
        if self.movement.same:
            return ""
        if "Model" in differing:
            return "the models differ"
        if self.movement.fitted:
            return "the model is fitted on other sentences"
        if "Weights (SHA-256)" in differing:
            return "the model has other weights"
        usage = " and ".join(phrase for fact, phrase in USAGE.items() if fact in differing)
        return f"the model has {usage or 'another scaling'}"

    @property
    def counts(self) -> bool:
        """Whether a reader of the new report sees another number or outcome."""
        return bool(self.movement.moved or self.claims or self.ratings or self.scale)


@dataclass(frozen=True)
class Edition:
    """One of the two reports: its title, its model or the labels of several, its sentences, and what came out."""

    title: str
    model: str
    sentences: int
    finding: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What changed between two reports.

    `common` counts the sentences that both have; `edited` holds those whose text was changed in place, `added` and
    `removed` the others. `reordered` says whether the common ones are in another order. `renamed` holds groups,
    `regrouped` sentences that are in another group.
    `published` is about published figures, `labels` about models that only one of two comparisons has. `settings`
    (with notices) and `versions` are not outcomes, but may explain some.
    """

    old: Edition
    new: Edition
    common: int
    edited: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    reordered: bool
    renamed: tuple[Change, ...]
    regrouped: tuple[Change, ...]
    published: Change | None
    labels: tuple[Change, ...]
    columns: tuple[ColumnDifference, ...]
    settings: tuple[Change, ...]
    versions: tuple[Change, ...]

    @property
    def counts(self) -> bool:
        """Whether a reader of the new report sees another sentence, group, number or outcome."""
        texts = self.edited or self.added or self.removed or self.renamed or self.regrouped
        return bool(texts or self.published or self.labels or any(column.counts for column in self.columns))

    @property
    def figures(self) -> list[Change]:
        """What changed besides pairs and claims: published figures, and for each model ratings and unrelated pairs."""
        figures = [self.published] if self.published else []
        for column in self.columns:
            prefix = f"{isolated(column.label)}: " if column.label else ""
            figures += [
                each._replace(what=prefix + each.what) for each in (column.ratings, column.scale) if each
            ]
        return figures

    @property
    def finding(self) -> tuple[str, ...]:
        """What changed, in one or two sentences."""
        parts = list(filter(None, map(_pairs_in_words, self.columns))) or ["no pair moved"]
        parts += _claims_in_words(self.columns, TURNED)
        parts += ["the published values compare differently"] * bool(self.published)
        parts += ["the agreement with ratings changed"] * any(column.ratings for column in self.columns)
        parts += ["unrelated pairs score differently"] * any(column.scale for column in self.columns)
        parts += _texts_in_words(self) + _claims_in_words(self.columns, OTHERS)
        if not self.counts:
            parts = ["nothing moved"]
        agreements = list(filter(None, map(_order_in_words, self.columns)))
        return tuple(f"{capitalized(sentence)}." for sentence in ("; ".join(parts), *agreements))


def difference(old: ComparableSummary, new: ComparableSummary) -> Difference:
    """Return what changed between two reports.

    Raises UsageError if they cannot be compared: a walkthrough and a comparison, no sentence in common, or no label
    of a model in common. Raises ValueError if the numbers in a summary do not fit its sentences.
    """
    if old.kind != new.kind:
        raise UsageError(
            f"OLD is a {old.kind}, and NEW a {new.kind}. Name two walkthroughs, or two comparisons of models"
        )
    before, after = _groups(old), _groups(new)
    common = [text for text in before if text in after]
    if not common:
        raise UsageError("OLD and NEW have no sentence in common, so there is nothing to compare")
    one, other = pairs_by_model(old), pairs_by_model(new)
    if not one.keys() & other.keys():
        raise UsageError(
            f"OLD and NEW have no model in common: OLD has {', '.join(map(quoted, one))}, NEW has "
            f"{', '.join(map(quoted, other))}. Models of a comparison are matched by their labels"
        )
    renamed, regrouped = group_changes(
        {text: before[text] for text in common}, {text: after[text] for text in common}
    )
    edited = edited_sentences(before, after, renamed)
    numbers = {text: k for k, text in enumerate(after, 1)}
    return Difference(
        old=_edition(old),
        new=_edition(new),
        common=len(common),
        edited=tuple(Change(f"Sentence {numbers[text]:,}", was, text) for was, text in edited.items()),
        added=tuple(text for text in after if text not in before and text not in edited.values()),
        removed=tuple(text for text in before if text not in after and text not in edited),
        reordered=common != [text for text in after if text in before],
        renamed=tuple(Change("Group", name, now) for name, now in renamed.items()),
        regrouped=regrouped,
        published=published_change(getattr(old, "reference", None), getattr(new, "reference", None)),
        labels=only_one("Model", one, other),
        columns=tuple(
            _column(label, one[label], other[label], renamed, edited) for label in one if label in other
        ),
        settings=(
            *changes(settings_in_words(old.settings), settings_in_words(new.settings)),
            *only_one("Notice", old.notices, new.notices),
        ),
        versions=changes(old.versions, new.versions),
    )


def _column(
    label: str, old: ModelPairs, new: ModelPairs, renamed: dict[str, str], edited: dict[str, str]
) -> ColumnDifference:
    moved, before, after = movement(old, new), old.said, new.said
    return ColumnDifference(
        label=label,
        movement=moved,
        claims=claim_changes(before.claims, after.claims, renamed, edited),
        ratings=ratings_change(before.agreement, after.agreement),
        scale=scale_change(before.baseline, after.baseline) if moved.same else None,
        model=changes(model_in_words(before.model), model_in_words(after.model)),
    )


def _groups(summary: ComparableSummary) -> dict[str, str]:
    """The group of each sentence, empty without groups."""
    groups = summary.groups or [""] * len(summary.sentences)
    return dict(zip(summary.sentences, groups, strict=True))


def _edition(summary: ComparableSummary) -> Edition:
    title = str(summary.settings.get("title") or "")
    return Edition(title, summary.model_name, len(summary.sentences), summary.finding)


# --- the finding ------------------------------------------------------------------------------------------------


def _pairs_in_words(column: ColumnDifference) -> str:
    moved, compared = column.movement.moved, column.movement.compared
    if not moved:
        return ""
    pairs = f"{moved:,} of {count(compared, 'pair')} moved"
    return f"{pairs} for {quoted(column.label)}" if column.label else pairs


def _order_in_words(column: ColumnDifference) -> str:
    order = column.movement.spearman
    if order is None:
        return ""
    of = f" of {quoted(column.label)}" if column.label else ""
    return f"{column.reason}; the rank correlation of the pairs{of} before and now is {number(order, 2)} (Spearman)"


def _claims_in_words(columns: Sequence[ColumnDifference], outcomes: Mapping[str, str]) -> list[str]:
    """What became of claims: the claim itself if only one has turned in this way, else how many, each once."""
    parts = []
    for outcome, plural in outcomes.items():
        models: dict[str, list[str]] = {}
        for column in columns:
            for change in column.claims:
                if change.outcome == outcome:
                    models.setdefault(change.claim.expected, []).append(column.label)
        expected, labels = next(iter(models.items()), ("", []))
        if len(models) == 1 and outcome in TURNED and len(expected) <= CLAIM_LENGTH:
            of = f" for {' and '.join(map(quoted, labels))}" if any(labels) else ""
            parts.append(f"the claim that {expected} {outcome}{of}")
        elif models:
            parts.append(f"{count(len(models), 'claim')} {outcome if len(models) == 1 else plural}")
    return parts


def _texts_in_words(difference: Difference) -> list[str]:
    kinds = {"added": len(difference.added), "removed": len(difference.removed)}
    parts = [f"{count(len(difference.edited), 'sentence')} changed"] if difference.edited else []
    if some := [f"{number:,} {verb}" for verb, number in kinds.items() if number]:
        only = count(kinds["added"] or kinds["removed"], "sentence")
        parts.append(" and ".join([f"{only} {some[0].split()[1]}", *some[1:]]))
    if difference.renamed:
        parts.append(f"{count(len(difference.renamed), 'group')} renamed")
    if difference.regrouped:
        parts.append(f"{count(len(difference.regrouped), 'sentence')} in another group")
    return parts + ["other models ran"] * bool(difference.labels)
