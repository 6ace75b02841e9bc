"""What is in a collection, in a few sentences, and what a reader should know before believing it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentence_reports.collected import Collected
from sentence_reports.collected_summary import CollectionSummary
from sentence_reports.lesson.finding import claims_in_words
from sentence_reports.lesson.summary import model_notices
from sentence_reports.texts import capitalized, count, cut_at_word, quoted

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FEW = 50  # texts; in fewer, topics say little
BLOCK = 2000  # texts whose tokens are held at once
NAMED_ROWS = 5
NAME = 60  # characters of a topic's name


@dataclass(frozen=True)
class Reading:
    """Which texts a model could not read, by their rows: not to the end (`cut`), or nothing in them (`unreadable`)."""

    cut: tuple[int, ...] = ()
    unreadable: tuple[int, ...] = ()


def reading(encoder: "SentenceTransformer", collected: Collected) -> Reading:
    """Return which texts the model cannot read completely; the tokens of doubtful ones are looked at, in blocks."""
    from sentence_reports.models.tokens import surely_read, token_report

    sure = surely_read(encoder, collected.texts)
    doubtful = [k for k, read in enumerate(sure) if not read]
    cut: list[int] = []
    unreadable: list[int] = []
    for start in range(0, len(doubtful), BLOCK):
        some = doubtful[start : start + BLOCK]
        report = token_report(encoder, [collected.texts[k] for k in some])
        cut += [collected.rows[k] for k, facts in zip(some, report, strict=True) if facts.cut]
        unreadable += [collected.rows[k] for k, facts in zip(some, report, strict=True) if not facts.readable]
    return Reading(tuple(cut), tuple(unreadable))


def collection_finding(summary: CollectionSummary) -> tuple[str, ...]:
    """Return what came out in a few sentences of plain text: from the claims, if there are any, then what is in it."""
    claim = summary.settings.get("claim")
    sentences = (topics_in_words(summary), twice_in_words(summary), covered_in_words(summary))
    return (*claims_in_words(summary.claims, claim)[:1], *filter(None, sentences))


def topics_in_words(summary: CollectionSummary) -> str:
    """Return how many texts and topics there are, and which topic is the largest."""
    texts = count(summary.distinct, "text")
    if not summary.topics:
        return f"{texts} without a topic: no {summary.least} of them are close enough to each other."
    first = summary.topics[0]
    name = f", {quoted(cut_at_word(first.name, NAME))}" if first.name else ""
    if summary.topic_count == 1:
        return f"{texts} and one topic{name}, with {first.count:,} of them."
    largest = f"the largest{name}, has" if name else "the largest has"
    return f"{texts} in {summary.topic_count:,} topics; {largest} {first.count:,} ({percent(first.share)})."


def twice_in_words(summary: CollectionSummary) -> str:
    """Return how many texts are there twice, exactly or nearly, and how many belong nowhere."""
    parts = []
    if summary.copies:
        parts.append(
            f"{count(summary.copies, 'row')} {'repeats' if summary.copies == 1 else 'repeat'} a text"
        )
    near, lonely = summary.duplicate_texts, summary.loner_count
    parts.append(
        f"{count(near, 'text')} {'is a near-duplicate' if near == 1 else 'are near-duplicates'} of an earlier one"
        if near
        else "no two texts are near-duplicates"
    )
    parts.append(
        f"{count(lonely, 'text')} {'is a loner' if lonely == 1 else 'are loners'}"
        if lonely
        else "none is a loner"
    )
    return capitalized(f"{', '.join(parts[:-1])} and {parts[-1]}.")


def covered_in_words(summary: CollectionSummary) -> str:
    """Return which share of the texts the representatives cover; empty if they cover nothing but themselves."""
    chosen = len(summary.representatives)
    if not chosen or summary.representatives[0].covers < 2:
        return ""
    one = "one representative" if chosen == 1 else f"one of {chosen} representatives"
    return (
        f"{percent(summary.covered)} of the texts are related to {one}; "
        f"{count(chosen, 'unrelated text')} would reach {percent(summary.covered_by_chance)}."
    )


def collection_notices(summary: CollectionSummary, collected: Collected, read: Reading) -> tuple[str, ...]:
    """Return what a reader should know: about the model, the number of texts, and rows that are left out or cut."""
    return (
        *model_notices(summary.model, bool(summary.claims)),
        *_of_the_file(summary, collected),
        *_of_the_model(summary, read),
    )


def _of_the_file(summary: CollectionSummary, collected: Collected) -> Iterator[str]:
    n = summary.distinct
    if n < FEW:
        yield (
            f"{count(n, 'text')} {'is' if n == 1 else 'are'} few: topics, loners and a map say little about fewer "
            f"than {FEW}. A set with `sentences` compares each of them with each."
        )
    if summary.limit is not None and summary.total >= summary.limit:
        yield f"Only the first {summary.limit:,} rows of the file were read, because the set says so (`limit`)."
    if summary.copies:
        repeat = "row repeats" if summary.copies == 1 else "rows repeat"
        yield f"{summary.copies:,} {repeat} an earlier text; each text counts once."
    if summary.empty:
        yield f"{count(summary.empty, 'row')} without text {'is' if summary.empty == 1 else 'are'} left out."
    if summary.too_long:
        rows = rows_in_words(collected.too_long)
        yield f"{count(summary.too_long, 'text')} {_be(summary.too_long)} too long and left out ({rows})."


def _of_the_model(summary: CollectionSummary, read: Reading) -> Iterator[str]:
    if read.cut:
        limit = f" after {summary.model.max_tokens:,} tokens" if summary.model.max_tokens else ""
        yield (
            f"{count(len(read.cut), 'text')} {_be(len(read.cut))} cut{limit}: the model did not see the rest "
            f"({rows_in_words(read.cut)})."
        )
    if read.unreadable:
        yield (
            f"In {count(len(read.unreadable), 'text')} the model can read nothing, so what is said about "
            f"{'it' if len(read.unreadable) == 1 else 'them'} means nothing ({rows_in_words(read.unreadable)})."
        )
    if summary.unassigned > summary.distinct / 2 and summary.topics:
        yield (
            f"{percent(summary.unassigned / summary.distinct)} of the texts have no topic: they are close to no "
            f"{summary.least - 1} others."
        )


def rows_in_words(rows: Sequence[int]) -> str:
    """Return the first of some rows: "row 7", "rows 7, 8 and 3 more"."""
    shown = ", ".join(f"{row:,}" for row in rows[:NAMED_ROWS])
    more = f" and {len(rows) - NAMED_ROWS:,} more" if len(rows) > NAMED_ROWS else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"


def percent(share: float) -> str:
    """Return a share from 0 to 1 as a whole percentage; what is not quite nothing, or all, says so."""
    if 0 < share < 0.005:
        return "under 1%"
    if 0.995 <= share < 1:
        return "over 99%"
    return f"{share:.0%}"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"
