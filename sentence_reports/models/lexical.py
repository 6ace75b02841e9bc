"""The lexical yardstick: tf-idf counts the words that texts share, weighted by how rare they are in the set.

It is scikit-learn's, fitted on the set's own sentences, so it needs no files and knows no other words.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

from sentence_reports.errors import ModelError
from sentence_reports.facts import ModelFacts
from sentence_reports.models.run import ModelRun, milliseconds_since
from sentence_reports.report import LEXICAL, FoundModel, ModelChoice


def find_lexical(revision: str | None = None) -> FoundModel:
    """Return tf-idf, which is fitted later, so it has no folder and no hash. Raises ModelError for a `revision`."""
    if revision is not None:
        raise ModelError(
            f"revision {revision!r} is given for {LEXICAL}, which has none. Remove the revision."
        )
    return FoundModel(LEXICAL, None, "this set", "", "")


def fit_lexical(found: FoundModel, choice: ModelChoice, texts: Sequence[str], *, normalize: bool) -> ModelRun:
    """Return what the weighted counts of their words say about the texts; the embeddings are `(n, words)`.

    Words are in lower case, and one letter can be a word. To a set, the words that only the baseline has are as rare as
    can be: none of its sentences has them. Raises ModelError if the texts have no words.
    """
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize as unit

    from sentence_reports.models.baseline import of_vectors, sentences

    began = time.perf_counter()
    options = {"token_pattern": r"(?u)\b\w+\b", "norm": None, "dtype": np.float32}
    words_of = TfidfVectorizer(**options).build_analyzer()
    own, other = ({word for text in some for word in words_of(text)} for some in (texts, sentences()))
    if not own:
        raise ModelError(
            f"{LEXICAL} compares words, and these sentences have none: no letters, no digits. Leave it out."
        )
    words = len(own)
    vectorizer = TfidfVectorizer(**options, vocabulary=[*sorted(own), *sorted(other - own)])
    counts = vectorizer.fit_transform(texts)[:, :words]
    facts = ModelFacts(
        name=LEXICAL,
        revision=None,
        source=found.source,
        sha256=found.sha256,
        dimension=words,
        max_tokens=None,
        pooling=None,
        normalizes=normalize,
        parameters=words,
        size_bytes=0,
        dtype="float32",
    )
    milliseconds = milliseconds_since(began, len(texts))
    key = hashlib.sha256("\n".join([*sentences(), "", *texts]).encode()).hexdigest()[:32]
    unrelated = unit(vectorizer.transform(sentences())).toarray()
    embeddings = (unit(counts) if normalize else counts).toarray()
    return ModelRun(
        choice.label, embeddings, facts, of_vectors(LEXICAL, key, unrelated), milliseconds=milliseconds
    )
