"""What differs between two reports, part by part; texts, claims and groups are matched by what they say."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from sentence_reports.claim_records import Agreement, ClaimCheck, ReferenceCheck, Side
from sentence_reports.facts import Baseline, ModelFacts
from sentence_reports.texts import digits_apart, number

CORRELATION_ROUNDING = 0.005
"""Rank correlations that differ by no more count as the same: pages show two decimals."""
SCALE_ROUNDING = 0.0015
"""Similarities of unrelated pairs that differ by no more count as the same: they are known to three decimals."""
TOLD_ELSEWHERE = {"model", "models", "revision", "prompt", "truncate_dim", "notebook"}
"""Keys of a set about which the facts of its model say more."""


class Change(NamedTuple):
    """Something that differs between two reports; `old` or `new` is empty if only one of them has it."""

    what: str
    old: str
    new: str


class ClaimChange(NamedTuple):
    """A claim that holds in only one of two reports, that is about a changed sentence, or that only one of them makes.

    If only one report makes it, the other one is None.
    """

    old: ClaimCheck | None
    new: ClaimCheck | None

    @property
    def claim(self) -> ClaimCheck:
        """The claim with its outcome in the new report, or in the old one if only that makes it."""
        claim = self.new or self.old
        assert claim
        return claim

    @property
    def outcome(self) -> str:
        """What became of it, in words."""
        if self.old and self.new:
            if self.old.met == self.new.met:
                return "changed its sentence"
            return "now holds" if self.new.met else "no longer holds"
        return "is new" if self.new else "was removed"


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the entries that differ between two mappings, each value in words."""
    return tuple(
        Change(name, in_words(old.get(name)), in_words(new.get(name)))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    )


def only_one(what: str, old: Iterable[str], new: Iterable[str]) -> tuple[Change, ...]:
    """Return the texts that are in only one of two collections, the old ones first."""
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    gone = (Change(what, text, "") for text in before if text not in after)
    come = (Change(what, "", text) for text in after if text not in before)
    return (*gone, *come)


def in_words(value: Any) -> str:
    """Return the value of a setting or fact as text."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def settings_in_words(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a set that its page does not tell elsewhere, by a name for readers."""
    return {
        name.replace("_", " ").capitalize(): value
        for name, value in settings.items()
        if name not in TOLD_ELSEWHERE
    }


def model_in_words(model: ModelFacts) -> dict[str, Any]:
    """Return the facts about a model that explain why its numbers changed, by a name for readers."""
    return {
        "Model": model.name,
        "In place of": model.stands_in_for,
        "Revision": model.revision,
        "Weights (SHA-256)": model.sha256,
        "Type of weights": model.dtype,
        "Dimensions": model.dimension,
        "Pooling": model.pooling,
        "Scaled to length 1": model.normalizes,
        "Maximum input (tokens)": model.max_tokens,
        "Prompt": model.prompt,
    }


def edited_sentences(
    old: Mapping[str, str], new: Mapping[str, str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """Return the sentences whose text was changed in place, new texts by old ones.

    Both mappings hold the group of each sentence, in the order of the set; `renamed` holds the new names of groups by
    their old ones. A text was changed in place if the new one is between the same others and in the same group.
    """
    texts, edited = (list(old), list(new)), {}
    for kind, start, end, first, last in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind == "replace" and end - start == last - first:
            for one, other in zip(texts[0][start:end], texts[1][first:last], strict=True):
                same_group = renamed.get(old[one], old[one]) == new[other]
                if one not in new and other not in old and same_group:
                    edited[one] = other
    return edited


def claim_changes(
    old: Sequence[ClaimCheck],
    new: Sequence[ClaimCheck],
    renamed: Mapping[str, str],
    edited: Mapping[str, str],
) -> tuple[ClaimChange, ...]:
    """Return the claims that turned, those that no longer hold first, then the others that are about a changed text.

    After them come the claims that only one report makes. Claims are matched by what they expect; `renamed` holds the
    new names of groups by their old ones, `edited` the new texts of sentences.
    """
    before = {_expected(claim, renamed, edited): claim for claim in old}
    after = {_expected(claim): claim for claim in new}
    both = [key for key in before if key in after]
    turned = [key for key in both if before[key].met != after[key].met]
    turned.sort(key=lambda key: after[key].met)
    turned += [key for key in both if key not in turned and _expected(before[key], renamed) != key]
    come = [ClaimChange(None, claim) for key, claim in after.items() if key not in before]
    gone = [ClaimChange(claim, None) for key, claim in before.items() if key not in after]
    return (*(ClaimChange(before[key], after[key]) for key in turned), *come, *gone)


NOTHING: Mapping[str, str] = {}


def _expected(
    claim: ClaimCheck, renamed: Mapping[str, str] = NOTHING, edited: Mapping[str, str] = NOTHING
) -> tuple[object, ...]:
    """What a claim expects, whatever came out: the best rival of `finds` and `together` is an outcome."""

    def side(side: Side) -> object:
        if side.kind == "search":
            return side.texts
        names = renamed if side.kind == "within" else edited
        return frozenset(names.get(text, text) for text in side.texts)

    return claim.kind, claim.margin, side(claim.first), side(claim.second) if claim.kind == "closer" else None


def group_changes(
    old: Mapping[str, str], new: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Change, ...]]:
    """Return the groups that were renamed, new names by old ones, and the sentences that are in another group.

    Both mappings hold the group of each sentence that both reports have, empty without groups. A group was renamed if
    all its sentences are in one new group that has no others.
    """
    pairs = {(old[text], new[text]) for text in old}
    renamed = {
        one: other
        for one, other in pairs
        if one
        and other
        and one != other
        and not any((one == before) != (other == after) for before, after in pairs)
    }
    moved = (
        Change(text, in_words(old[text]), in_words(new[text]))
        for text in old
        if renamed.get(old[text], old[text]) != new[text]
    )
    in_order = {name: renamed[name] for name in dict.fromkeys(old.values()) if name in renamed}
    return in_order, tuple(moved)


def ratings_change(old: Agreement | None, new: Agreement | None) -> Change | None:
    """Return how the agreement with people's ratings changed, None if a reader would see the same."""
    if _same_agreement(old, new):
        return None
    values = [each.spearman for each in (old, new) if each and each.spearman is not None]
    digits = digits_apart(*values, most=3) if len(values) == 2 else 2
    return Change("Ratings", _agreement_in_words(old, digits), _agreement_in_words(new, digits))


def _same_agreement(old: Agreement | None, new: Agreement | None) -> bool:
    if old is None or new is None or old.spearman is None or new.spearman is None:
        same = [each and (each.count, each.spearman) for each in (old, new)]
        return same[0] == same[1]
    return old.count == new.count and abs(old.spearman - new.spearman) <= CORRELATION_ROUNDING


def _agreement_in_words(agreement: Agreement | None, digits: int) -> str:
    if agreement is None:
        return "no ratings"
    value = "none" if agreement.spearman is None else number(agreement.spearman, digits)
    pairs = "1 rated pair" if agreement.count == 1 else f"{agreement.count:,} rated pairs"
    return f"{value} ({pairs})"


def published_change(old: ReferenceCheck | None, new: ReferenceCheck | None) -> Change | None:
    """Return how the outcome of published figures changed, None if a reader would see the same."""
    outcomes = [each and (each.source, each.compared, each.met, each.total) for each in (old, new)]
    if outcomes[0] == outcomes[1]:
        return None
    return Change("Published values", _published_in_words(old), _published_in_words(new))


def _published_in_words(reference: ReferenceCheck | None) -> str:
    if reference is None:
        return "none"
    return reference.check.statement if reference.check else f"not compared ({reference.source})"


def scale_change(old: Baseline, new: Baseline) -> Change | None:
    """Return how the similarities of unrelated pairs changed, None if they are the same up to rounding."""
    before, after = old.scale, new.scale
    if all(abs(before[name] - after[name]) <= SCALE_ROUNDING for name in before):
        return None
    return Change("Unrelated pairs", *(", ".join(_scale_in_words(scale)) for scale in (before, after)))


def _scale_in_words(scale: Mapping[str, float]) -> Iterator[str]:
    for name, value in scale.items():
        yield f"{name} {number(value, 3)}"
