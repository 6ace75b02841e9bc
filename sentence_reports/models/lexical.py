"""The lexical yardstick: tf-idf counts the words that texts share, weighted by how rare they are in the set.

It is scikit-learn's, fitted on the set's own sentences, so it needs no files and knows no other words.
"""

import hashlib
import time
from collections.abc import Sequence

from sentence_reports.errors import ModelError
from sentence_reports.facts import ModelFacts
from sentence_reports.models.model_run import ModelRun
from sentence_reports.report import LEXICAL, FoundModel, ModelChoice
from sentence_reports.texts import quoted, shorten

NAMED = 5  # sentences without words
LENGTH = 60  # characters of the first of them


def find_lexical(revision: str | None = None) -> FoundModel:
    """Return tf-idf, which is fitted later, so it has no folder and no hash. Raises ModelError for a `revision`."""
    if revision is not None:
        raise ModelError(
            f"revision {revision!r} is given for {LEXICAL}, which has none. Remove the revision."
        )
    return FoundModel(LEXICAL, None, "this set", "", "")


def no_words(texts: Sequence[str], without: Sequence[int]) -> str:
    """Return the message about texts without words, which are at the positions `without`, counted from 0."""
    numbers, more = [f"{k + 1:,}" for k in without[:NAMED]], len(without) - NAMED
    *others, last = [*numbers, f"{more:,} more"] if more > 0 else numbers
    first = quoted(shorten(texts[without[0]], LENGTH))
    some = (
        f"sentences {', '.join(others)} and {last} have none, such as {first}"
        if others
        else f"sentence {last}, {first}, has none"
    )
    return (
        f"{LEXICAL} compares words, and {some}: no letter and no digit. Leave out "
        f"{'these sentences' if others else 'this sentence'}, or {LEXICAL}."
    )


def fit_lexical(found: FoundModel, choice: ModelChoice, texts: Sequence[str], *, normalize: bool) -> ModelRun:
    """Return what the weighted counts of their words say about the texts; the embeddings are `(n, words)`.

    Words are in lower case, and one letter can be a word. To a set, the words that only the baseline has are as rare as
    can be: none of its sentences has them. Raises ModelError if a text has no word.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize as unit

    from sentence_reports.models.baseline import of_vectors, sentences
    from sentence_reports.models.embed import Encoded

    began = time.perf_counter()
    options = {"token_pattern": r"(?u)\b\w+\b", "norm": None, "dtype": np.float32}
    words_of = TfidfVectorizer(**options).build_analyzer()
    if without := [k for k, text in enumerate(texts) if not words_of(text)]:
        raise ModelError(no_words(texts, without))
    own, other = ({word for text in some for word in words_of(text)} for some in (texts, sentences()))
    dimension = len(own)
    vectorizer = TfidfVectorizer(**options, vocabulary=[*sorted(own), *sorted(other - own)])
    counts = vectorizer.fit_transform(texts)[:, :dimension]
    seconds = time.perf_counter() - began
    facts = ModelFacts(
        name=LEXICAL,
        revision=None,
        source=found.source,
        sha256=found.sha256,
        dimension=dimension,
        max_tokens=None,
        pooling=None,
        normalizes=normalize,
        parameters=dimension,
        size_bytes=0,
        dtype="float32",
    )
    key = hashlib.sha256("\n".join([*sentences(), "", *texts]).encode()).hexdigest()[:32]
    unrelated = unit(vectorizer.transform(sentences())).toarray()
    embeddings = (unit(counts) if normalize else counts).toarray()
    milliseconds = Encoded(embeddings, len(texts), seconds).milliseconds
    return ModelRun(
        choice.label, embeddings, facts, of_vectors(LEXICAL, key, unrelated), milliseconds=milliseconds
    )
