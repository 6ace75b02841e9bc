"""The words of a text, for a comparison without a model."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from sentence_reports.facts import Baseline
from sentence_reports.rankings import RELATED
from sentence_reports.texts import number, quoted

FAR = 90  # percentile of unrelated pairs: what is below is not related to the model
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
    word is an example of neither.
    """
    content = [content_words(text) for text in texts]
    whole = [len(words(text)) > 1 for text in texts]
    apart, close = [], []
    for i, j in zip(rows, columns, strict=True):
        if not (whole[i] and whole[j] and content[i] and content[j]):
            continue
        value = float(matrix[i, j])
        if content[i] & content[j] and baseline.percentile(value) <= FAR:
            apart.append((value, i, j))
        if not content[i] & content[j] and baseline.percentile(value) >= RELATED and value > baseline.rare:
            close.append((-value, i, j))
    lines = []
    for _, i, j in sorted(apart)[:1] + sorted(close)[:1]:
        shared = ", ".join(map(quoted, sorted(content[i] & content[j])[:NAMED]))
        said = f"Content words in common ({shared})" if shared else "No content word in common"
        value = float(matrix[i, j])
        similarity = (
            f"a similarity of {'only ' if shared else ''}{number(value, 2)}, {baseline.describe(value)}"
        )
        lines += [f"{said}, but {similarity}:", f"  {quoted(texts[i])}", f"  {quoted(texts[j])}"]
    return "\n".join(lines) or (
        "No pair here tells words from meaning: none shares content words and is far apart, and none is close without "
        "a content word in common."
    )
