"""The shipped collection: what a reader should find in it, found with the real model."""

from types import SimpleNamespace

import pytest
from support import ROOT

from sentence_reports import models
from sentence_reports.collected import Collected
from sentence_reports.collection.duplicates import near_duplicates
from sentence_reports.collection.groups import compare_groups
from sentence_reports.collection.loners import find_loners
from sentence_reports.collection.neighbors import nearest
from sentence_reports.collection.topics import find_topics
from sentence_reports.lesson import encode_in_batches
from sentence_reports.lesson.claims import check_claims
from sentence_reports.models import EMBEDDED
from sentence_reports.models.baseline import shipped
from sentence_reports.sets import read_set
from sentence_reports.sets.text_files import read_texts

LONERS = (
    "asdf test test",
    "Hello?",
    "(no subject)",
    'My grandmother\'s recipe says "a glass of flour". How many grams is that?',
    "Is it true that an octopus has three hearts? My son wants to know before bedtime.",
    "The quarterly figures are attached; could you check the totals before the meeting with the auditors?",
    "CONGRATULATIONS!!! You are our lucky winner. Click here to claim your prize.",
    "Sorry, please ignore my last message. The cat walked over the keyboard.",
)
MARGIN = 0.05  # as in tests/lesson/test_teaching.py


@pytest.fixture(scope="module")
def inbox() -> SimpleNamespace:
    """The set, its texts, vectors, neighbors and topics."""
    folder = ROOT / "params"
    chosen = read_set(folder / "town-inbox.yaml").set
    assert chosen.texts is not None
    collected: Collected = read_texts(chosen.texts, folder)
    encoder = models.load(models.find_model(models.EMBEDDED))
    vectors = encode_in_batches(encoder.encode, collected.texts)
    queries = encode_in_batches(encoder.encode, chosen.queries)
    near, baseline = nearest(vectors), shipped(EMBEDDED)
    return SimpleNamespace(
        chosen=chosen,
        collected=collected,
        vectors=vectors,
        found=queries @ vectors.T,
        near=near,
        baseline=baseline,
        topics=find_topics(near, vectors, collected.texts, baseline),
    )


def test_it_has_a_few_hundred_texts_and_some_of_them_twice(inbox: SimpleNamespace) -> None:
    collected = inbox.collected
    assert 300 <= collected.total <= 400
    assert len(collected.copies) == 7
    assert (collected.empty, collected.too_long) == (0, ())


def test_a_reader_can_name_the_topics(inbox: SimpleNamespace) -> None:
    expected = {
        "trash", "swimming", "library", "bike", "parking", "daycare", "bus", "noise", "street", "address",
        "playground", "water", "tree", "passport", "dog", "lunch", "pothole",
    }  # fmt: skip
    named = [set(topic.name.split(", ")) for topic in inbox.topics.topics]
    assert [len(words & expected) for words in named] == [1] * len(expected)
    assert set.union(*named) >= expected


def test_near_duplicates_are_found_and_other_numbers_are_not_among_them(inbox: SimpleNamespace) -> None:
    texts = inbox.collected.texts
    groups = near_duplicates(inbox.near, inbox.vectors, texts).groups
    assert [len(group) for group in groups] == [2] * 13
    repeated = {texts[position] for group in groups for position in group}
    assert "how long does it take to get a new passport" in repeated
    assert not [text for text in repeated if "1178" in text or "241" in text]


def test_the_messages_that_belong_nowhere_are_the_loneliest(inbox: SimpleNamespace) -> None:
    loners = find_loners(inbox.near, inbox.baseline)
    lowest = [inbox.collected.texts[loner.position] for loner in loners.lowest]
    assert set(lowest[: len(LONERS)]) == set(LONERS)
    assert len(LONERS) <= loners.count <= len(LONERS) + 5


def test_every_department_holds_together_and_some_messages_are_on_the_wrong_desk(
    inbox: SimpleNamespace,
) -> None:
    facts = compare_groups(inbox.vectors, inbox.collected.groups, inbox.topics.of, inbox.baseline)
    assert [group.name for group in facts.groups if not group.holds] == []
    strays = {inbox.collected.texts[stray.position] for stray in facts.strays}
    assert "The light in the underpass is broken and I'm afraid to walk there at night." in strays
    assert 0.05 < facts.stray_count / len(inbox.collected.texts) < 0.2


def test_its_claims_hold_by_a_margin(inbox: SimpleNamespace) -> None:
    chosen, collected, baseline = inbox.chosen, inbox.collected, inbox.baseline
    checks = check_claims(
        chosen.claims_about(collected),
        collected.texts,
        inbox.vectors @ inbox.vectors.T,
        baseline,
        groups=collected.groups,
        queries=chosen.queries,
        found=inbox.found,
    )
    assert len(checks) == 10
    for check in checks:
        assert check.met, check.statement
        assert abs(check.first.value - check.second.value) >= MARGIN, check.statement
