"""Names of topics: the words that tell a topic's texts from those of the others (class-based TF-IDF)."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from sentence_reports.collection.wording import FUNCTION_WORDS

WORDS = 10
IN_NAME = 3
PATTERN = r"(?u)\b[^\W\d_]\w+\b"  # at least two characters, the first one a letter
ENGLISH_FROM = 0.2
"""Texts whose words are function words of English to this share are English; measured: English 0.41, others 0.05."""
STEM = 4


def topic_words(
    texts: Iterable[str],
    topic_of: NDArray[np.integer],
    topics: int,
    weights: NDArray[np.floating] | None = None,
) -> tuple[list[tuple[str, ...]], str | None]:
    """Return up to `WORDS` words for each of so many `topics`, the most telling first, and which stop words went.

    ``topic_of[p]`` is the topic of the text at `p`, -1 for none, `(n,)`. The weight of a word in a topic is the number
    of the topic's texts that hold it, as a share of all its words, times ``log(1 + A / f)``: `f` texts hold the word,
    and a topic has `A` words on average (M. Grootendorst, "BERTopic", 2022, here with texts instead of occurrences).
    A text counts as its weight among the `weights`, `(n,)`, or as one. A word that only one text of a topic holds does
    not name it, whatever that text's weight. The stop words are "english" if the texts are, else
    None: then frequent words are held back by their weight only. Without spaces between words, a clause is a word.
    """
    if not topics:
        return [], None
    vectorizer = CountVectorizer(binary=True, token_pattern=PATTERN, dtype=np.int32)
    try:
        counts = vectorizer.fit_transform(texts)
    except ValueError:  # no words at all
        return [()] * topics, None
    vocabulary = vectorizer.get_feature_names_out()
    stops = np.fromiter((word in FUNCTION_WORDS for word in vocabulary), dtype=bool, count=len(vocabulary))
    each = np.ones(len(topic_of)) if weights is None else weights
    held = np.asarray(each @ counts).ravel()
    english = held[stops].sum() >= ENGLISH_FROM * held.sum()
    placed = np.flatnonzero(topic_of >= 0)
    shape = (topics, len(topic_of))
    members = sparse.csr_array(
        (np.ones(len(placed), dtype=np.int32), (topic_of[placed], placed)), shape=shape
    )
    weighed = members @ sparse.diags_array(each) @ counts
    sizes = np.maximum(np.asarray(weighed.sum(axis=1)).ravel(), 1)
    table = sparse.csr_array(weighed.multiply(members @ counts > 1))  # words of several texts
    inverse = np.log1p(sizes.mean() / np.maximum(held, 1)) * ~(stops & english)
    return [
        _best_words(table[[topic]], inverse / sizes[topic], vocabulary) for topic in range(topics)
    ], "english" if english else None


def _best_words(
    row: sparse.csr_array, weight: NDArray[np.floating], vocabulary: NDArray[np.object_]
) -> tuple[str, ...]:
    """Return the words of a topic's `row` of weighed counts; of several forms of a word the most telling one."""
    kept = weight[row.indices] > 0
    columns, values = row.indices[kept], row.data[kept]
    order = np.lexsort((columns, -(values * weight[columns]).round(12)))
    chosen: list[str] = []
    for word in vocabulary[columns[order]][: 5 * WORDS]:
        if not any(word[:STEM] == other[:STEM] and (other in word or word in other) for other in chosen):
            chosen.append(str(word))
    return tuple(chosen[:WORDS])


def names(words: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a name of `IN_NAME` words for each topic, or of more if an earlier topic has that name already.

    A topic without words has an empty name, as has one whose words are all those of an earlier topic.
    """
    result: list[str] = []
    for some in words:
        tries = (", ".join(some[:count]) for count in range(min(IN_NAME, len(some)), len(some) + 1))
        result.append(next((name for name in tries if name and name not in result), ""))
    return result
