"""Three questions about a report, computed from its numbers, with the answers folded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sentence_reports.facts import EQUAL, Baseline
from sentence_reports.lesson.finding import cite, cite_pair
from sentence_reports.lesson.html import HtmlOutput, fold
from sentence_reports.lesson.words import content_words
from sentence_reports.pairs import Pairs
from sentence_reports.texts import number

CANDIDATES = 200  # pairs that are compared for the second question
VISIBLE = 0.01  # of similarity, with two decimals
PAIR_GAP = 0.1  # of similarity, between the two pairs of a question


def make_quiz(texts: Sequence[str], matrix: NDArray[np.floating], baseline: Baseline) -> HtmlOutput:
    """Return three questions about the `(n, n)` similarities of `n` sentences, each with its answer folded away."""
    first = asked(matrix)
    questions = [nearest(texts, matrix, first), two_pairs(texts, matrix, first), more_than_chance(baseline)]
    items = "".join(f"<li>{fold('question', *question)}</li>" for question in questions)
    text = "\n".join(f"{k}. {asked}\n   {answer}" for k, (asked, answer) in enumerate(questions, start=1))
    return HtmlOutput(f'<div class="quiz"><ol>{items}</ol></div>', text)


def asked(matrix: NDArray[np.floating]) -> int | None:
    """Return the position of the sentence whose nearest neighbor leads least over the next, but visibly."""
    if len(matrix) == 2:
        return None
    nearest_two = -np.sort(-_others(matrix), axis=1)[:, :2]
    lead = nearest_two[:, 0] - nearest_two[:, 1]
    clear = np.where(lead >= PAIR_GAP, lead, np.inf)
    sentence = int(clear.argmin() if np.isfinite(clear).any() else lead.argmax())
    return sentence if lead[sentence] >= VISIBLE else None


def nearest(texts: Sequence[str], matrix: NDArray[np.floating], sentence: int | None) -> tuple[str, str]:
    """Return a question for the nearest neighbor of a `sentence`, or one for any set if there is none to ask about."""
    if sentence is None:
        return (
            "If two sentences changed places in the set, which similarity would change?",
            "None: it is the same in both directions, and does not depend on the other sentences.",
        )
    others = _others(matrix)[sentence]
    best = np.argsort(-others, kind="stable")[: min(3, len(texts) - 1)].tolist()
    *choices, last = (cite(texts[k]) for k in sorted(best))
    values = ", ".join(f"{cite(texts[k])} {number(others[k], 2)}" for k in best)
    return (
        f"Which is closest to {cite(texts[sentence])}: {', '.join(choices)} or {last}?",
        f"{cite(texts[best[0]])}. The similarities: {values}.",
    )


def two_pairs(texts: Sequence[str], matrix: NDArray[np.floating], told: int | None = None) -> tuple[str, str]:
    """Return a question which of two pairs is closer, with its answer.

    If there are two pairs of which the closer one shares fewer words, they are asked for. Pairs with the sentence
    `told`, which another answer tells, are left out if others differ.
    """
    some = Pairs(matrix).closest(CANDIDATES)
    new = [pair for pair in some if told not in (pair.first, pair.second)]
    if new and new[0].similarity - new[-1].similarity >= VISIBLE:
        some = new
    values = np.array([pair.similarity for pair in some])
    if np.ptp(values) < VISIBLE:
        return (
            "What is the similarity of a sentence and itself?",
            "1, because the angle between a vector and itself is 0°.",
        )
    content = [content_words(text) for text in texts]
    shared = np.array([float(len(content[i] & content[j])) for i, j, _ in some])
    # the closer pair in the rows, the other one in the columns
    surprise = np.where(values[:, None] - values > PAIR_GAP, shared - shared[:, None], -np.inf)
    high, low = (int(k) for k in np.unravel_index(surprise.argmax(), surprise.shape))
    if not np.isfinite(surprise[high, low]):
        high, low = 0, len(some) - 1
    two = sorted((some[high], some[low]))
    names = [cite_pair(texts, pair) for pair in two]
    closer, value, other = cite_pair(texts, some[high]), number(values[high], 2), number(values[low], 2)
    answer = f"{closer}, with {value}; the other pair has {other}."
    if shared[low] > shared[high]:
        answer += " The other pair shares more words, but that alone does not make it close."
    return f"Which pair is closer: {names[0]}, or {names[1]}?", answer


def more_than_chance(baseline: Baseline) -> tuple[str, str]:
    """Return a question whether a similarity halfway between the median and the 99th percentile is above chance."""
    value = round((baseline.median + baseline.rare) / 2, 2)
    return (
        f"Two other sentences have a similarity of {number(value, 2)} with this model. Are they related?",
        f"That may be chance: it is {baseline.describe(value)}. A pair counts as related above "
        f"{number(baseline.rare, 2)}, which 99% of unrelated pairs do not exceed.",
    )


def _others(matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    """The `(n, n)` similarities without those of a sentence with itself, rounded so that ties are ties."""
    others = matrix.astype(float).round(EQUAL)
    np.fill_diagonal(others, -np.inf)
    return others
