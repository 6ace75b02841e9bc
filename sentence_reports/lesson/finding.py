"""What came out, in one or two sentences: from the claims of a set, else from its groups, else from the baseline.

Every sentence says what the numbers say, for any set and any model; none guesses what a text means.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sentence_reports.claim_records import Agreement, ClaimCheck, tally
from sentence_reports.facts import EQUAL, Baseline, Pair
from sentence_reports.lesson.groups import group_means, means_to_groups
from sentence_reports.pairs import Pairs
from sentence_reports.rankings import found_by_chance, never_found, rankings, without_match
from sentence_reports.texts import capitalized, count, cut_at_word, isolated, number, quoted

CLEAR = 0.05  # of chance-corrected similarity: a group that holds together leads by so much
NAMED = 3  # at most so many groups or sentences are named
FEW = 10  # sentences; in more, a tenth of unrelated queries find one above chance
CITED_LENGTH = 60  # characters of a sentence
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def finding(
    texts: Sequence[str],
    matrix: NDArray[np.floating],
    baseline: Baseline,
    *,
    groups: Sequence[str] | None = None,
    claims: Sequence[ClaimCheck] = (),
    claim: str | None = None,
    agreement: Agreement | None = None,
) -> tuple[str, ...]:
    """Return one or two sentences of plain text that say what came out, and one more if the set has ratings.

    `matrix` holds the `(n, n)` similarities of the sentences `texts`, `groups` their groups. `claim` is what all
    `claims` show together, `agreement` how well the similarities agree with ratings by people.
    """
    came_out = (
        claims_in_words(claims, claim)
        or groups_in_words(texts, matrix, baseline, groups or ())
        or pairs_in_words(texts, matrix, baseline)
    )
    return came_out + ratings_in_words(agreement)


def ratings_in_words(agreement: Agreement | None) -> tuple[str, ...]:
    """Return how well the model agrees with ratings by people; nothing if there are none, or no rank correlation."""
    if agreement is None or agreement.spearman is None:
        return ()
    certain = count(agreement.count, "pair") + " only"
    if agreement.interval:
        certain = f"95% interval from {' to '.join(number(end, 2) for end in agreement.interval)}"
    value = number(agreement.spearman, 2)
    return (f"The model's rank correlation with people's ratings is {value} ({certain}).",)


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
    missed = f"{listed(nothing)} {'finds' if len(nothing) == 1 else 'find'}" if nothing else ""
    if sentences := claims_in_words(claims, claim):
        return (
            (*sentences, f"{missed} nothing above chance.") if missed and len(sentences) == 1 else sentences
        )
    if total == 1:
        return (
            f"The query finds {'nothing' if nothing else cite(texts[ranked[0][0].sentence])} above chance.",
        )
    if len(nothing) == total:
        return (f"None of the {spelled(total)} queries finds a sentence above chance.",)
    n, share = len(texts), found_by_chance(len(texts))
    caution = (
        (f"Of unrelated queries, about {share:.0%} would find one of {n:,} sentences.",) if n > FEW else ()
    )
    if nothing:
        some = total - len(nothing)
        subject = (
            f"{capitalized(spelled(some))} of {spelled(total)} queries {'finds' if some == 1 else 'find'}"
        )
        return f"{subject} a sentence above chance; {missed} none.", *caution
    every = f"{'Both' if total == 2 else f'All {spelled(total)}'} queries find a sentence above chance."
    unfound = [texts[k] for k in never_found(ranked, len(texts))]
    if caution or not unfound:
        return every, *caution
    return every, f"{listed(unfound)} {'is' if len(unfound) == 1 else 'are'} not the best match of any query."


def claims_in_words(claims: Sequence[ClaimCheck], claim: str | None = None) -> tuple[str, ...]:
    """Return how many claims hold, and what is farthest off or clearest; nothing if there are no claims."""
    if not claims:
        return ()
    total, failed = len(claims), sum(not check.met for check in claims)
    held = tally(claims)
    if failed:
        worst = min((check for check in claims if not check.met), key=lambda check: check.gap).describe(cite)
        some = (
            held
            if total == 1
            else f"{failed:,} of {total:,} claims {'do' if failed > 1 else 'does'} not hold"
        )
        return f"{some}.", f"The biggest miss: {worst}." if failed > 1 else capitalized(f"{worst}.")
    if claim is not None:
        headline = " ".join(claim.split()).removesuffix(".")
        if headline.endswith(("?", "!")):
            return (f"{isolated(headline)} {held}.",)
        return (f"{isolated(headline)}: {held[0].lower()}{held[1:]}.",)
    clearest = max(claims, key=lambda check: check.gap).describe(cite)
    return f"{held}.", f"The clearest case: {clearest}." if total > 1 else capitalized(f"{clearest}.")


def groups_in_words(
    texts: Sequence[str], matrix: NDArray[np.floating], baseline: Baseline, groups: Sequence[str]
) -> tuple[str, ...]:
    """Return which groups hold together, and which sentences are closer to another group than to their own.

    A group holds together if the mean similarity of its pairs is above its mean with every other group, and above the
    median of unrelated pairs, by at least `CLEAR` on the chance-corrected scale. Nothing is returned if there are
    fewer than two groups, or if each has one sentence.
    """
    names = list(dict.fromkeys(groups))
    if len(names) < 2 or len(names) == len(groups):
        return ()
    means = group_means(matrix, groups).to_numpy().round(EQUAL)
    others = np.where(np.eye(len(names)) == 1, -np.inf, means)
    within, nearest = means.diagonal(), others.max(axis=1)
    lead = {
        k: baseline.corrected(within[k]) - max(baseline.corrected(nearest[k]), 0)
        for k in range(len(names))
        if not np.isnan(within[k])  # a group of one sentence has no pair
    }
    together = [names[k] for k in lead if lead[k] >= CLEAR]
    apart = [names[k] for k in lead if lead[k] < CLEAR]
    loosest = min(lead, key=lead.__getitem__)
    own, other = (number(baseline.corrected(means[loosest]), 2) for means in (within, nearest))
    rival = (
        "" if nearest[loosest] <= baseline.median else f", {other} to {cite(names[others[loosest].argmax()])}"
    )
    kind = "group" if len(lead) == len(names) else "group of more than one sentence"
    return (
        f"{_which_hold(together, apart, cite(names[loosest]), kind)}: {own} on average within the group{rival} "
        "(0 is chance, 1 the same text).",
        *_strays(texts, matrix, groups),
    )


def _which_hold(together: list[str], apart: list[str], loosest: str, kind: str) -> str:
    """Return the groups that hold together and those that do not, with the loosest, ready for its numbers."""
    total, kinds = len(together) + len(apart), kind.replace("group", "groups")
    if total == 1:
        return f"{loosest} {'holds' if together else 'does not hold'} together"
    if not apart:
        every = "Both" if total == 2 else f"All {spelled(total)}"
        return f"{every} {kinds} hold together, {loosest} least"
    if not together:
        no = f"Neither {kind}" if total == 2 else f"None of the {spelled(total)} {kinds}"
        return f"{no} holds together, {loosest} least"
    hold, do = ("holds" if len(together) == 1 else "hold"), ("does" if len(apart) == 1 else "do")
    least = "" if len(apart) == 1 else f", {loosest} least"
    return f"{listed(together)} {hold} together; {listed(apart)} {do} not{least}"


def _strays(texts: Sequence[str], matrix: NDArray[np.floating], groups: Sequence[str]) -> list[str]:
    """Return which sentences are closer to another group than to their own, the clearest case first."""
    names = list(dict.fromkeys(groups))
    own = [names.index(group) for group in groups]
    means = means_to_groups(matrix, groups).to_numpy().round(EQUAL)
    others = np.where(np.eye(len(names))[own] == 1, -np.inf, means)
    lead = others.max(axis=1) - means[range(len(own)), own]
    strays = [int(k) for k in np.argsort(-lead, kind="stable") if lead[k] > 0]
    if len(strays) == 1:
        nearer = names[others[strays[0]].argmax()]
        return [f"{cite(texts[strays[0]])} is on average closer to {cite(nearer)} than to its own group."]
    if strays:
        named = listed([texts[k] for k in strays])
        return [f"{named} are on average closer to another group than to their own."]
    return []


def pairs_in_words(texts: Sequence[str], matrix: NDArray[np.floating], baseline: Baseline) -> tuple[str, ...]:
    """Return which pairs are closer than 99% of unrelated pairs, or how close the closest is."""
    pairs = Pairs(matrix)
    above, total, closest = pairs.related(baseline), len(pairs), pairs.closest(2)
    top = [f"{cite_pair(texts, pair)} ({number(pair.similarity, 2)})" for pair in closest]
    described = baseline.describe(closest[0].similarity)
    if total == 1:
        return (f"{top[0]} are {'' if above else 'no closer than chance would allow: '}{described}.",)
    if not above:
        return "No pair is closer than chance would allow.", f"The closest, {top[0]}, is {described}."
    some, look = "all" if above == total else f"{spelled(above)} of", "looks" if above == 1 else "look"
    chance = f"; by chance, about {spelled(round(total / 100))} would" if total >= 100 else ""
    return (
        f"To this model, {some} {spelled(total)} pairs {look} related: closer than 99% of pairs of unrelated "
        f"sentences{chance}.",
        f"The pair is {top[0]}." if above == 1 else f"The closest are {top[0]}, and {top[1]}.",
    )


def spelled(n: int) -> str:
    """Return a count as a word up to ten, else in digits."""
    return COUNTS[n] if n < len(COUNTS) else f"{n:,}"


def listed(texts: Sequence[str]) -> str:
    """Return the texts in quotation marks as a list: the first `NAMED`, and how many more there are."""
    names = [cite(text) for text in texts[:NAMED]]
    more = len(texts) - NAMED
    names += [f"{spelled(more)} more"] if more > 0 else []
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def cite(text: str) -> str:
    """Return `text` in quotation marks, cut if it is long."""
    return quoted(cut_at_word(text, CITED_LENGTH))


def cite_pair(texts: Sequence[str], pair: Pair) -> str:
    """Return the two sentences of a pair, cited."""
    return f"{cite(texts[pair.first])} and {cite(texts[pair.second])}"
