"""The key results of a collection, typed: plain data of a size that does not grow with the number of texts.

Texts are named by `Text`: the number of their row, and what is shown of them. Every list may hold only the first of
what there is; how many there are is beside it.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from sentence_reports.claim_records import Check, ClaimCheck
from sentence_reports.facts import Baseline, ModelFacts
from sentence_reports.summary_base import Summary


class Text(NamedTuple):
    """A text by its row, counted from 1 without a header, cut with … if it is long."""

    number: int
    text: str


class Repeated(NamedTuple):
    """A text that the file holds `times` times."""

    text: Text
    times: int


class DuplicateGroup(NamedTuple):
    """A group of `size` texts that are similar, and the first of them: the earliest, then the others in their order."""

    size: int
    texts: tuple[Text, ...]


class LonelyText(NamedTuple):
    """A text, its mean similarity to its ten nearest neighbors, and the percentile of that, 0 to 100."""

    text: Text
    similarity: float
    percentile: float


class RepresentativeText(NamedTuple):
    """A text, how many texts it covers, itself included, and how many of them no earlier representative covers."""

    text: Text
    covers: int
    adds: int


class TextMatch(NamedTuple):
    """A text that a query finds, their similarity, and the percentile of that, 0 to 100."""

    text: Text
    similarity: float
    percentile: float


class QueryMatches(NamedTuple):
    """A query and its ten best texts, the best first."""

    query: str
    matches: tuple[TextMatch, ...]


@dataclass(frozen=True)
class TopicSummary:
    """A topic, numbered from 1 by size: its most telling `words`, the `name` made of the first, its central texts.

    `share` is that of all distinct texts, 0 to 1. `spread` is 0 if all of its texts are the same and 1 if two of them
    are on average no more similar than chance.
    """

    number: int
    name: str
    words: tuple[str, ...]
    count: int
    share: float
    spread: float
    examples: tuple[Text, ...]


@dataclass(frozen=True)
class GroupSummary:
    """A group that the file names: the number of its texts and the mean similarity of its pairs (`within`).

    `nearest` is the other group to which its texts are closest, on average `between`. `holds` says whether the group
    holds together: whether `lead`, by how much it is closer to itself on the chance-corrected scale, is large enough;
    all are None if there is nothing to compare. `topics` counts its texts in each topic of the summary, `elsewhere`
    those in later topics and in none.
    """

    name: str
    count: int
    within: float | None
    nearest: str | None
    between: float | None
    lead: float | None
    holds: bool | None
    topics: tuple[int, ...]
    elsewhere: int


class StrayText(NamedTuple):
    """A text of a `group` in a `topic`, by its number, of which more than half is from the group `owner`."""

    text: Text
    group: str
    topic: int
    owner: str


@dataclass(frozen=True)
class GroupTable:
    """How the groups of the file and the topics go together.

    `groups` holds the largest of `group_count` groups. `strays` are texts in a topic that another group owns.
    """

    groups: tuple[GroupSummary, ...]
    group_count: int
    holding: int
    judged: int
    strays: tuple[StrayText, ...]
    stray_count: int


@dataclass(frozen=True)
class MapFacts:
    """How the map was made: by "two principal components" or "PaCMAP".

    `kept` is the share of the variance that the first two principal components keep, 0 to 1. `outside` points are
    beyond the frame that is drawn.
    """

    method: str
    kept: float
    outside: int


@dataclass(frozen=True, kw_only=True)
class CollectionSummary(Summary):
    """The summary of a collection of texts from a file.

    - The `file`, as the author wrote its name, with the texts in `column` (None: not named), has `total` rows, or a
      `limit` was set to how many are read. `distinct` texts are left without `copies` of an earlier one, rows that are
      `empty`, and texts that are `too_long`; `repeated` holds those of `repeated_count` with most copies.
    - `cut` texts were not read to the end, in `unreadable` ones the model reads nothing; both are None if that is not
      known.
    - `topics` holds the largest of `topic_count`. Leiden's `resolution` was chosen to give about `aim` of them, None if
      the set gives it; a topic has at least `least` texts, and `unassigned` texts have none. `stop_words` says which
      language's words are not in their names, None for none.
    - `duplicates` holds the largest of `duplicate_groups` groups of near-duplicates; `duplicate_texts` texts are one of
      an earlier text. `numbered` holds the largest of `numbered_groups` groups of texts that differ in numbers only,
      `numbered_texts` texts in all.
    - `loners` holds the loneliest texts; `loner_count` of all are not above chance to their neighbors.
    - `representatives` cover a share of the texts, `covered`, 0 to 1; as many unrelated ones cover `covered_by_chance`.
    - `queries` holds the first of `query_count`.
    """

    kind: Literal["collection"] = "collection"
    file: str
    sha256: str
    column: str | None
    limit: int | None
    total: int
    distinct: int
    copies: int
    empty: int
    too_long: int
    repeated: tuple[Repeated, ...]
    repeated_count: int
    model: ModelFacts
    baseline: Baseline
    cut: int | None
    unreadable: int | None
    topics: tuple[TopicSummary, ...]
    topic_count: int
    resolution: float
    aim: int | None
    least: int
    unassigned: int
    stop_words: str | None
    duplicates: tuple[DuplicateGroup, ...]
    duplicate_groups: int
    duplicate_texts: int
    numbered: tuple[DuplicateGroup, ...]
    numbered_groups: int
    numbered_texts: int
    loners: tuple[LonelyText, ...]
    loner_count: int
    representatives: tuple[RepresentativeText, ...]
    covered: float
    covered_by_chance: float
    group_table: GroupTable | None
    claims: tuple[ClaimCheck, ...]
    queries: tuple[QueryMatches, ...]
    query_count: int
    map: MapFacts

    @property
    def size(self) -> int:
        """How many distinct texts the report is about."""
        return self.distinct

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the set expects, each as a statement that is met or not."""
        return tuple(claim.check for claim in self.claims)

    @property
    def model_name(self) -> str:
        """The name of the model."""
        return self.model.name
