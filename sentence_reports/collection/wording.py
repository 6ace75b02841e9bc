"""Whether two texts say nearly the same, word for word, and which words of a text carry no topic."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import pairwise

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

# A Chinese or Japanese character counts as a word, since nothing separates the words there.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|(?:(?<!\S)[-−](?=\d))?\w+(?:['’.,]\w+)*")
# Words whose absence changes no more than the style. "Above", "before" and "or" are not among them.
STYLE = frozenset(
    [
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "am",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "will",
        "would",
        "shall",
        "should",
        "can",
        "could",
        "may",
        "might",
        "must",
        "which",
        "who",
        "there",
        "here",
        "also",
        "then",
        "so",
        "very",
        "just",
        "of",
        "and",
    ]
)
NEGATIONS = frozenset(
    ["no", "nor", "not", "none", "never", "nobody", "nothing", "nowhere", "neither", "without", "cannot"]
)
CONTRACTED = re.compile(r"n['’]t$")
# What scikit-learn's word pattern leaves of "don't" and "we'll".
CONTRACTIONS = frozenset(
    [
        "don",
        "doesn",
        "didn",
        "isn",
        "aren",
        "wasn",
        "weren",
        "won",
        "wouldn",
        "couldn",
        "shouldn",
        "hasn",
        "haven",
        "hadn",
        "ll",
        "ve",
        "re",
    ]
)
# What scikit-learn counts as stop words, but can be what a text is about, or what tells two texts apart.
MEANINGFUL = frozenset(
    [
        "amount",
        "bill",
        "bottom",
        "call",
        "cry",
        "describe",
        "detail",
        "eight",
        "eleven",
        "fifteen",
        "fifty",
        "fill",
        "find",
        "fire",
        "five",
        "forty",
        "found",
        "four",
        "front",
        "full",
        "hundred",
        "interest",
        "mill",
        "mine",
        "move",
        "name",
        "nine",
        "part",
        "put",
        "see",
        "serious",
        "show",
        "side",
        "sincere",
        "six",
        "sixty",
        "system",
        "take",
        "ten",
        "thick",
        "thin",
        "third",
        "three",
        "top",
        "twelve",
        "twenty",
        "two",
    ]
)
FUNCTION_WORDS = (ENGLISH_STOP_WORDS | CONTRACTIONS) - MEANINGFUL
STEM = 4  # letters that two forms of a word have in common at the front, at least
FORM = 0.6  # of the longer form
SPARE_WORDS = 30  # of so many words of both texts, one may lack its counterpart


@lru_cache(maxsize=1 << 16)
def word_list(text: str) -> tuple[str, ...]:
    """Return the words of a text without regard to case and to how a character is encoded."""
    return tuple(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def nearly_same(one: str, other: str) -> bool:
    """Return whether two texts have nearly the same content.

    Each word of one text needs its counterpart in the other: the same word, or a form of it ("file", "files"). Words
    without one may be English words of style ("the", "is"), and one in `SPARE_WORDS` words of both texts together, but
    never a negation. Numbers must be the same and in the same order, and the other words
    nearly so.
    """
    first, second = word_list(one), word_list(other)
    if first == second:
        return True
    left, right = Counter(first), Counter(second)
    if numbers(first) != numbers(second):
        return False
    missing, added = pair_forms(list((left - right).elements()), list((right - left).elements()))
    odd = missing + added
    if any(word in NEGATIONS or CONTRACTED.search(word) for word in odd):
        return False
    content = [word for word in odd if word not in STYLE]
    return len(content) * SPARE_WORDS <= len(first) + len(second) and in_order(first, second)


def numbers(words: tuple[str, ...]) -> list[str]:
    """Return the words that hold a digit."""
    return [word for word in words if any(map(str.isdigit, word))]


def pair_forms(one: list[str], other: list[str]) -> tuple[list[str], list[str]]:
    """Return the words of two lists that have no form of the same word in the other."""
    left = []
    other = list(other)
    for word in one:
        form = next((candidate for candidate in other if is_form(word, candidate)), None)
        if form is None:
            left.append(word)
        else:
            other.remove(form)
    return left, other


def is_form(one: str, other: str) -> bool:
    """Return whether two words begin alike, so that they are probably forms of one word; never if they hold digits."""
    common = next(
        (k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return not numbers((one, other)) and common >= STEM and common >= FORM * max(len(one), len(other))


def in_order(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Return whether two texts have the words that matter and that both hold in nearly the same order.

    Three quarters of the pairs of adjacent ones must be the same.
    """
    shared = set(one) & set(other) - STYLE
    first, second = (Counter(pairwise(word for word in words if word in shared)) for words in (one, other))
    return 4 * (first & second).total() >= 3 * max(first.total(), second.total())
