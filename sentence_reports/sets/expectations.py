"""What a set expects of its model: claims about pairs of sentences, about queries and about groups.

A claim orders two similarities. Claims contradict each other if together they put a similarity above itself.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple, get_args

from pydantic import ConfigDict, Field

from sentence_reports.claim_records import Claim, ClaimKind
from sentence_reports.collected import Collected
from sentence_reports.sets.mapping import Mapping, Mismatch, NotBlank
from sentence_reports.sets.named_texts import Name, Numbered, NumberedRows, find_pair, row_of
from sentence_reports.sets.naming import did_you_mean, folded
from sentence_reports.sets.quoting import show
from sentence_reports.sets.sentences import texts_of, wrong_number
from sentence_reports.sets.yaml_nodes import Trail

MAX_CLAIMS = 1000
KINDS: tuple[ClaimKind, ...] = get_args(ClaimKind)
WITH_MARGIN = ("closer", "together")

Pair = Annotated[tuple[Name, Name], row_of(2, "two sentences, such as [1, 2]")]
Search = Annotated[tuple[Name, Name], row_of(2, "a query and a sentence, such as [1, 2]")]


def _one_kind(schema: dict[str, Any]) -> None:
    """Tell editors that a claim has exactly one kind, and that a key is left out rather than null."""
    schema["oneOf"] = [{"required": [kind]} for kind in KINDS]
    schema["dependentRequired"] = {"closer": ["than"], "than": ["closer"]}
    for entry in schema["properties"].values():
        entry.update(entry.pop("anyOf")[0])
        del entry["default"]


class Expectation(Mapping):
    """One claim. A sentence or query is named by its number, counted from 1, or by its exact text."""

    model_config = ConfigDict(json_schema_extra=_one_kind)

    closer: Pair | None = Field(
        None, description="A pair of sentences that is more similar than the pair `than`."
    )
    than: Pair | None = Field(None, description="The pair that is less similar than the pair `closer`.")
    related: Pair | None = Field(
        None, description="A pair that is more similar than 99% of the model's unrelated pairs."
    )
    unrelated: Pair | None = Field(
        None, description="A pair that is not more similar than 99% of the model's unrelated pairs."
    )
    finds: Search | None = Field(None, description="A query and the sentence that it must find first.")
    together: NotBlank | None = Field(
        None,
        description="A group whose sentences are on average more similar to each other than to any other group's.",
    )
    margin: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = Field(
        0.0, description="The least difference of the two similarities, for `closer` and `together`."
    )
    because: NotBlank | None = Field(None, description="Why this is expected, shown on the page.")

    @classmethod
    def cross_check(cls, data: dict[str, Any]) -> Iterator[Mismatch]:
        """Yield what is wrong with the keys of a claim: it has exactly one kind, with what belongs to that."""
        kinds = [kind for kind in KINDS if kind in data]
        is_misspelled = not set(data) <= set(cls.model_fields)
        if len(kinds) > 1:
            listed = " and ".join(f"`{kind}`" for kind in kinds)
            yield Mismatch((), f"has {listed}. Write them as separate claims, each after a dash.")
        elif not (kinds or is_misspelled or "than" in data):
            yield Mismatch((), f"needs one of the keys {', '.join(KINDS)}.")
        if "than" in data and "closer" not in data and not is_misspelled:
            yield Mismatch(("than",), "needs `closer`, the pair that is more similar.")
        if "closer" in data and "than" not in data and not is_misspelled:
            yield Mismatch(("closer",), "needs `than`, the pair that is less similar.")
        if "margin" in data and kinds and not set(kinds) & set(WITH_MARGIN):
            yield Mismatch(("margin",), f"does not go with `{kinds[0]}`, only with `closer` and `together`.")
        for key in cls.model_fields:
            if key in data and data[key] is None:
                yield Mismatch((key,), "is empty. Write a value, or remove it.")


class Subjects(NamedTuple):
    """What claims can be about.

    `groups` holds the number of sentences of each group, None if there are none. `compares` says that the set compares
    models, and cannot have queries.
    """

    sentences: Numbered
    queries: Numbered | None
    groups: dict[str, int] | None
    compares: bool = False


def subjects_of(sentences: object, queries: object, models: object = None) -> Subjects:
    """Return what claims can be about, from data that may be wrong in places."""

    def numbered(noun: str, plural: str, texts: object) -> Numbered:
        items = texts_of("", texts)
        return Numbered(noun, plural, [text if isinstance(text, str) else "" for _, text in items])

    groups = sentences.items() if isinstance(sentences, dict) else ()
    return Subjects(
        numbered("sentence", "sentences", sentences),
        None if queries is None else numbered("query", "queries", queries),
        {name: len(texts) for name, texts in groups if isinstance(texts, list)} if groups else None,
        compares=models is not None,
    )


def subjects_of_file(collected: Collected, queries: Sequence[str] | None) -> Subjects:
    """Return what claims can be about, for the texts of a file."""
    groups = None if collected.groups is None else dict(Counter(collected.groups))
    return Subjects(
        NumberedRows(collected), None if queries is None else Numbered("query", "queries", queries), groups
    )


def claim_mismatches(expect: Sequence[Any], subjects: Subjects) -> Iterator[Mismatch]:
    """Yield what is wrong with claims beyond their keys: their number, names of texts and groups, contradictions."""
    yield from wrong_number("expect", len(expect), "claim claims", "a set can have", 1, MAX_CLAIMS)
    if len(expect) > MAX_CLAIMS:
        return
    mismatches: list[Mismatch] = []
    claims = {
        index: resolve(item, subjects, ("expect", index), mismatches)
        for index, item in enumerate(expect)
        if isinstance(item, dict)
    }
    yield from mismatches
    yield from _contradictions({index: claim for index, claim in claims.items() if claim is not None})


def resolve(
    item: dict[str, Any], subjects: Subjects, trail: Trail, mismatches: list[Mismatch]
) -> Claim | None:
    """Return what an item of `expect` claims; None if that cannot be said, after adding why to `mismatches`."""
    kinds = [kind for kind in KINDS if kind in item]
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    where, sentences = (*trail, kind), subjects.sentences
    pair = than = group = None
    texts = subjects.queries if kind == "finds" else sentences
    if kind == "together":
        group = _find_group(item[kind], subjects, where, mismatches)
    elif texts is None:
        reason = "needs `queries`, the texts to search for."
        if subjects.compares:
            reason = (
                "needs `queries`, which a comparison does not have. Move the claim into a set with `queries`."
            )
        mismatches.append(Mismatch(where, reason))
    else:
        pair = find_pair(item[kind], (texts, sentences), where, mismatches)
    if kind == "closer":
        where = (*trail, "than")
        than = find_pair(item.get("than"), (sentences, sentences), where, mismatches)
        if pair and than and set(pair) == set(than):
            mismatches.append(Mismatch(where, "is the same pair as `closer`. Name a different pair."))
        if pair is None or than is None or set(pair) == set(than):
            return None
    if pair is None and group is None:
        return None
    return Claim(kind, pair, than, group, item.get("margin", 0.0), item.get("because"))


def _find_group(name: Any, subjects: Subjects, trail: Trail, mismatches: list[Mismatch]) -> str | None:
    """Return the group of this name; None if no claim can be about it, after adding why."""
    if not isinstance(name, str) or not folded(name):
        return None
    groups = subjects.groups
    group = next((group for group in groups or () if folded(group) == folded(name)), None)
    problem = ""
    if groups is None:
        problem = "needs groups, and the sentences of this set have none."
        if isinstance(subjects.sentences, NumberedRows):
            problem = "needs groups. Name the column of the file that holds them: `group`, below `texts`."
    elif group is None:
        problem = f"is {show(name)}, which is not a group of the set"
        problem += did_you_mean(name, tuple(groups), "groups")
    elif groups[group] < 2:
        problem = f"is {show(name)}, a group of one sentence, so it has no pairs."
    elif len(groups) < 2:
        problem = f"is {show(name)}, the only group, so there is no other to compare it with."
    if problem:
        mismatches.append(Mismatch(trail, problem))
    return None if problem else group


def _contradictions(claims: dict[int, Claim]) -> Iterator[Mismatch]:
    """Yield each claim that was made before, or that cannot hold if earlier ones do."""
    first: dict[Any, int] = {}
    searches: dict[int, int] = {}  # the first claim about each query
    below: dict[Any, dict[Any, int]] = {}  # the similarities below each one, with the claim that says so
    for index, claim in claims.items():
        trail, (kind, pair, than, group, *_) = ("expect", index), claim
        one, other = frozenset(pair or ()), frozenset(than or ())
        twin = first.setdefault((kind, pair if kind == "finds" else one, other, group), index)
        earlier: list[int] = []
        if twin != index:
            yield Mismatch(trail, f"is the same as claim {twin + 1}. Remove one.", ("expect", twin))
        elif kind == "finds" and pair:
            earlier = [searches[pair[0]]] if pair[0] in searches else []
            searches.setdefault(pair[0], index)
        elif kind != "together":
            upper, lower = {"closer": (one, other), "related": (one, None)}.get(kind, (None, one))
            earlier = sorted(_path(below, lower, upper))
            if not earlier:
                below.setdefault(upper, {})[lower] = index
        if len(earlier) == 1:
            message = f"contradicts claim {earlier[0] + 1}: they cannot both hold."
            yield Mismatch(trail, message, ("expect", earlier[0]))
        elif earlier:
            *numbers, last = (str(number + 1) for number in earlier)
            listed = f"{', '.join(numbers)} and {last}"
            yield Mismatch(trail, f"contradicts claims {listed}: they cannot all hold.")


def _path(below: dict[Any, dict[Any, int]], start: Any, goal: Any) -> list[int]:
    """Return the claims that put `start` above `goal`, as few as possible; none if no claims do."""
    came_from: dict[Any, tuple[Any, int]] = {}
    queue = deque([start])
    while queue and goal not in came_from:
        node = queue.popleft()
        for lower, claim in below.get(node, {}).items():
            if lower not in came_from:
                came_from[lower] = node, claim
                queue.append(lower)
    path: list[int] = []
    while goal in came_from and goal != start:
        goal, claim = came_from[goal]
        path.append(claim)
    return path
