"""Topics, their numbers and their names, on vectors whose clusters are known."""

from collections.abc import Sequence

import numpy as np
import pytest
from vectors import Vectors, unit

from sentence_reports.collection import topics as module
from sentence_reports.collection.names import names, topic_words
from sentence_reports.collection.neighbors import nearest
from sentence_reports.collection.topics import Topics, find_topics, least_size, neighbor_graph, numbered
from sentence_reports.facts import STEPS, Baseline

BASELINE = Baseline("key", "model", 19900, tuple(np.linspace(-0.3, 0.5, STEPS + 1).round(3).tolist()))
SUBJECTS = (
    "cats purr softly",
    "trains leave stations",
    "bread needs yeast",
    "rain fills rivers",
    "kings wear crowns",
)


def clusters(sizes: Sequence[int], spread: float = 0.15, d: int = 16) -> Vectors:
    """Vectors around as many directions, a cluster after the other."""
    generator = np.random.default_rng(1)
    rows = np.repeat(np.eye(d)[: len(sizes)], sizes, axis=0) + spread * generator.standard_normal(
        (sum(sizes), d)
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def texts_of(sizes: Sequence[int]) -> list[str]:
    return [
        f"The {SUBJECTS[kind % 5]} in the {'abcdefghij'[k % 10] * 3}"
        for kind, size in enumerate(sizes)
        for k in range(size)
    ]


def found(sizes: Sequence[int], **options: float) -> Topics:
    vectors = clusters(sizes)
    return find_topics(nearest(vectors), vectors, texts_of(sizes), BASELINE, **options)


def test_clusters_become_topics_numbered_by_size() -> None:
    sizes = (20, 50, 30, 40, 25)
    result = found(sizes, resolution=0.5)
    assert [topic.size for topic in result.topics] == [50, 40, 30, 25, 20]
    assert [topic.share for topic in result.topics] == [50 / 165, 40 / 165, 30 / 165, 25 / 165, 20 / 165]
    assert result.of.tolist() == np.repeat([4, 0, 2, 1, 3], sizes).tolist()
    assert result.unassigned == 0
    assert (result.resolution, result.aim, result.small) == (0.5, None, 0)


def test_topics_have_telling_names_without_stop_words() -> None:
    result = found((20, 50, 30, 40, 25), resolution=0.5)
    assert result.stop_words == "english"
    assert [set(topic.name.split(", ")) for topic in result.topics] == [
        set(SUBJECTS[kind].split()) for kind in (1, 3, 2, 4, 0)
    ]


def test_central_texts_are_closest_to_the_mean_and_differ() -> None:
    sizes = (40, 40, 40, 40, 40)
    vectors = clusters(sizes, spread=0.4)
    vectors[1] = vectors[0]
    result = find_topics(nearest(vectors), vectors, texts_of(sizes), BASELINE, resolution=0.5)
    for number, topic in enumerate(result.topics):
        members = np.flatnonzero(result.of == number)
        closeness = vectors[members].astype(float) @ vectors[members].astype(float).mean(axis=0)
        assert topic.central[0] == members[closeness.argmax()]
        assert len(topic.central) == 5
        some = vectors[list(topic.central)]
        assert (some @ some.T)[np.triu_indices(5, k=1)].max() < 0.9
        ranks = np.argsort(np.argsort(-closeness))[np.searchsorted(members, topic.central)]
        assert ranks.tolist() == sorted(ranks.tolist())


def test_the_same_text_many_times_has_one_central_text_and_no_spread() -> None:
    vectors = np.repeat(unit(1), 12, axis=0)
    result = find_topics(nearest(vectors), vectors, ["one text"] * 12, BASELINE)
    (topic,) = result.topics
    assert topic.central == (0,)
    assert topic.spread == pytest.approx(0, abs=1e-6)


def test_spread_is_one_minus_the_corrected_mean_of_all_pairs() -> None:
    sizes = (20, 50, 30, 40, 25)
    vectors, result = clusters(sizes), found(sizes, resolution=0.5)
    members = vectors[result.of == 1].astype(float)
    mean = (members @ members.T)[np.triu_indices(40, k=1)].mean()
    assert result.topics[1].spread == pytest.approx(1 - BASELINE.corrected(mean), abs=1e-6)


def test_small_communities_are_no_topics_and_are_counted() -> None:
    away = -(np.eye(16)[0] + np.eye(16)[1]) / np.sqrt(2)
    vectors = np.concatenate([clusters((30, 30)), np.stack([away, away]).astype(np.float32)])
    texts = [*texts_of((30, 30)), "odd", "odder"]
    result = find_topics(nearest(vectors, 3), vectors, texts, BASELINE, resolution=0.2)
    assert [topic.size for topic in result.topics] == [30, 30]
    assert result.of[-2:].tolist() == [-1, -1]
    assert (result.unassigned, result.small, result.least) == (2, 1, 3)


@pytest.mark.parametrize("n", [0, 1, 2, 11])
def test_few_texts_are_no_problem(n: int) -> None:
    vectors = unit(max(n, 1))[:n]
    result = find_topics(nearest(vectors), vectors, ["some words"] * n, BASELINE)
    assert len(result.of) == n
    assert sum(topic.size for topic in result.topics) + result.unassigned == n


@pytest.mark.parametrize(("n", "aim"), [(11, 5), (900, 30), (3000, 55)])
def test_the_number_of_topics_is_about_the_square_root(n: int, aim: int) -> None:
    vectors = unit(n)
    result = find_topics(nearest(vectors), vectors, ["words"] * n, BASELINE)
    assert result.aim == aim
    if n > 100:
        assert aim / 1.25 <= len(result.topics) <= aim * 1.25


def test_no_more_than_a_hundred_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest attempt that can be read wins over a nearer one with more than a hundred topics."""
    counts = iter([103, 70, 104, 105, 106, 107, 108, 109])
    monkeypatch.setattr(
        module, "communities", lambda graph, resolution: np.repeat(np.arange(next(counts)), 3)
    )
    _, labels = module.choose_resolution(neighbor_graph(nearest(unit(20)), BASELINE), 3, 100)
    assert labels.max() + 1 == 70


def test_topics_are_the_same_in_every_run() -> None:
    vectors = unit(2000)
    once, again = (find_topics(nearest(vectors), vectors, ["words"] * 2000, BASELINE) for _ in range(2))
    assert once.topics == again.topics
    assert (once.of == again.of).all()


def test_the_graph_joins_what_is_above_chance() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [-1, 0]], dtype=np.float32)
    graph = neighbor_graph(nearest(vectors, 1), BASELINE).toarray()
    weight = BASELINE.corrected(0.8)
    np.testing.assert_allclose(graph, [[0, 2 * weight, 0], [2 * weight, 0, 0], [0, 0, 0]], atol=1e-6)


def test_communities_of_one_size_are_in_the_order_of_their_texts() -> None:
    of, count, small = numbered(np.array([7, 7, 2, 2, 2, 5, 5, 9]), 2)
    assert of.tolist() == [1, 1, 0, 0, 0, 2, 2, -1]
    assert (count, small) == (3, 1)


def test_a_topic_of_many_texts_is_larger() -> None:
    assert [least_size(n) for n in (2, 5000, 100_000)] == [3, 3, 50]


def test_candidates_take_turns() -> None:
    result = found((20, 50, 30), resolution=0.2)
    first = [topic.central[0] for topic in result.topics]
    assert list(result.candidates())[: len(first)] == first
    assert sorted(result.candidates()) == sorted(k for topic in result.topics for k in topic.central)


# --- names -------------------------------------------------------------------------------------------------


def test_words_are_weighed_by_texts_not_by_repetition() -> None:
    texts = ["spam spam spam spam ham", "ham eggs", "ham eggs", "tea milk", "tea milk", "tea sugar"]
    words, _ = topic_words(texts, np.array([0, 0, 0, 1, 1, 1]), 2)
    assert words == [("ham", "eggs"), ("tea", "milk")]  # spam and sugar are in one text only


def test_a_word_of_every_topic_names_none_first() -> None:
    texts = ["common apple"] * 3 + ["common pear"] * 3
    words, _ = topic_words(texts, np.repeat([0, 1], 3), 2)
    assert words == [("apple", "common"), ("pear", "common")]


def test_texts_without_a_topic_do_not_name_one() -> None:
    words, _ = topic_words(["fish chips", "fish chips", "fish peas"], np.array([-1, 0, 0]), 1)
    assert words == [("fish",)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This is what the weather was like in the north of the country", "english"),
        ("Das ist das Wetter, wie es in dem Norden von diesem Land war", None),
        ("Voici le temps qu'il a fait dans le nord de ce pays", None),
        ("这是那个国家北部的天气", None),
        ("12 34", None),
    ],
)
def test_stop_words_go_only_if_the_texts_are_english(text: str, expected: str | None) -> None:
    assert topic_words([text] * 3, np.zeros(3, dtype=int), 1)[1] == expected


def test_words_are_ranked_by_class_based_tf_idf() -> None:
    generator = np.random.default_rng(3)
    vocabulary = np.array([f"{letter}word" for letter in "abcdefghijklmnopqrst"])
    held = generator.random((60, 20)) < np.linspace(0.1, 0.6, 20)
    topic_of, weights = generator.integers(-1, 3, 60), generator.choice([1 / 4, 1], 60)
    words, _ = topic_words([" ".join(vocabulary[row]) for row in held], topic_of, 3, weights)
    counts = np.array([(held * weights[:, None])[topic_of == topic].sum(axis=0) for topic in range(3)])
    scores = counts * np.log(1 + counts.sum() / 3 / (held * weights[:, None]).sum(axis=0))
    for topic in range(3):
        several = held[topic_of == topic].sum(axis=0) > 1
        best = [k for k in np.argsort(-scores[topic]) if several[k]][:10]
        assert words[topic] == tuple(vocabulary[best])


def test_a_tie_is_not_decided_by_the_last_bit_of_a_sum_of_weights() -> None:
    texts = ["apple pear"] * 10 + ["apple pear", "pear"]
    weights = np.array([0.1] * 10 + [1, 1e-14])
    assert topic_words(texts, np.zeros(12, dtype=int), 1, weights)[0] == [("apple", "pear")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file files filename disk", ("disk", "file")),
        (" ".join(["file", *(f"file{letter}" for letter in "abcdefghijkl"), "zoo"]), ("file", "zoo")),
        ("car carpet", ("car", "carpet")),
        ("airport port sport", ("airport", "port", "sport")),
        ("station statue", ("station", "statue")),
    ],
)
def test_forms_of_a_word_are_named_once(text: str, expected: tuple[str, ...]) -> None:
    assert topic_words([text] * 3, np.zeros(3, dtype=int), 1)[0] == [expected]


def test_what_is_a_small_word_of_english_names_a_topic_in_another_language() -> None:
    texts = [f"was kostet {word} heute abend daheim" for word in ("Strom", "Wasser", "Gas")]
    words = [("abend", "daheim", "heute", "kostet", "was")]
    assert topic_words(texts, np.zeros(3, dtype=int), 1) == (words, None)


def test_numbers_and_single_letters_are_no_names() -> None:
    assert topic_words(["x 2024 42nd words"] * 3, np.zeros(3, dtype=int), 1)[0] == [("words",)]
    assert topic_words(["1 2", "3"], np.zeros(2, dtype=int), 1)[0] == [()]


def test_equal_names_get_another_word() -> None:
    assert names([("a", "b", "c", "d"), ("a", "b", "c", "e"), ("x",), ("x",), ()]) == [
        "a, b, c",
        "a, b, c, e",
        "x",
        "",
        "",
    ]


def test_a_group_of_near_duplicates_names_a_topic_as_one_text_does() -> None:
    texts = ["spam offer"] * 4 + ["bread oven", "bread oven", "bread yeast"]
    topic_of = np.zeros(7, dtype=int)
    assert topic_words(texts, topic_of, 1)[0][0][:2] == ("offer", "spam")
    weights = np.array([1 / 4] * 4 + [1] * 3)
    assert topic_words(texts, topic_of, 1, weights)[0] == [("bread", "oven", "offer", "spam")]


@pytest.mark.parametrize(
    "word", ["does", "did", "shall", "having", "gets", "making", "just", "doesn", "which"]
)
def test_small_words_of_english_name_no_topic(word: str) -> None:
    texts = [f"the bus {word} that of the town"] * 3
    assert topic_words(texts, np.zeros(3, dtype=int), 1)[0] == [("bus", "town")]


@pytest.mark.parametrize("word", ["empty", "bill", "fire", "system"])
def test_words_that_a_text_can_be_about_do(word: str) -> None:
    assert word in topic_words([f"the {word} of the town"] * 3, np.zeros(3, dtype=int), 1)[0][0]
