"""The words of a text, for a comparison without a model."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from sentence_reports.summary import Baseline
from sentence_reports.texts import number, quoted

FAR = (
    90  # percentile of unrelated pairs; a pair that shares words and is below it is not related to the model
)
RELATED = 99
NAMED = 4  # shared words that are named


def words(text: str) -> set[str]:
    """Return the words of a text for comparison, without capitals and punctuation.

    In scripts without spaces, everything between two punctuation marks is one word.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    letters = (c if unicodedata.category(c)[0] in "LNM" else " " for c in plain if c not in "'’")
    return set("".join(letters).split())


def content_words(text: str) -> set[str]:
    """Return the words of a text without scikit-learn's English stop words, such as "the", "is" and "not"."""
    return words(text).difference(ENGLISH_STOP_WORDS)


def words_or_meaning(
    texts: Sequence[str],
    rows: Sequence[int],
    columns: Sequence[int],
    matrix: NDArray[np.floating],
    baseline: Baseline,
) -> str:
    """Return in words which pair shares content words and is still far apart, and which is close without any.

    The pairs are the positions `rows` and `columns` in `texts`, `matrix` holds the `(n, n)` similarities. A pair is far
    apart if it is no closer than `FAR` percent of unrelated pairs, and close above `RELATED` percent. A text of one
    word is no example of either.
    """
    content = [content_words(text) for text in texts]
    whole = [len(words(text)) > 1 for text in texts]
    apart, close = [], []
    for i, j in zip(rows, columns, strict=True):
        if not (whole[i] and whole[j] and content[i] and content[j]):
            continue
        percentile = baseline.percentile(matrix[i, j])
        if content[i] & content[j] and percentile <= FAR:
            apart.append((float(matrix[i, j]), i, j))
        if not content[i] & content[j] and percentile >= RELATED and matrix[i, j] > baseline.rare:
            close.append((-float(matrix[i, j]), i, j))
    lines = []
    if apart:
        value, i, j = min(apart)
        shared = sorted(content[i] & content[j])[:NAMED]
        lines.append(
            f"Content words in common ({', '.join(map(quoted, shared))}), but a similarity of only "
            f"{number(value, 2)}, {baseline.describe(value)}:"
        )
        lines += [f"  {quoted(texts[i])}", f"  {quoted(texts[j])}"]
    if close:
        value, i, j = min(close)
        lines.append(
            f"No content word in common, but a similarity of {number(-value, 2)}, {baseline.describe(-value)}:"
        )
        lines += [f"  {quoted(texts[i])}", f"  {quoted(texts[j])}"]
    if lines:
        return "\n".join(lines)
    return (
        "No pair here tells words from meaning: none shares content words and is far apart, and none is close without "
        "a content word in common."
    )
