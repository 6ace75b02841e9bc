"""Whether two texts say nearly the same, word for word, and which words of a text carry no topic."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import pairwise

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text without any other sign."""
    return frozenset(text.split())


# A Chinese or Japanese character counts as a word, since nothing separates the words there.
WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|(?:(?<!\S)[-−](?=\d))?\w+(?:['.,]\w+)*(?:\+\+|#)?"
)
DIGITS = re.compile(r"\d+")
PERHAPS_DIGIT = re.compile(r"\d|[^\x00-\x7f]")  # ½ holds some after NFKC
# Words whose absence changes no more than the style. "Above", "before" and "or" are not among them.
STYLE = word_set(
    """
    a an the this that these those it its is are was were be been being am has have had do does did will would
    can could may might which who there here also then so very just of and
    """
)
NEGATIONS = word_set("no nor not none never nobody nothing nowhere neither without")
CONTRACTED = re.compile(r"(.+)(n't|'(?:m|re|ve|ll|d|s))")
WHOLE = {"n't": "not", "'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would", "'s": "is"}
STEMS = {"ca": "can", "wo": "will", "sha": "shall"}  # of "can't", "won't", "shan't"
# What scikit-learn's word pattern leaves of "don't" and "we'll".
CONTRACTIONS = word_set(
    """
    don doesn didn isn aren wasn weren won wouldn couldn shouldn hasn haven hadn ll ve re
    """
)
# Forms of verbs of which scikit-learn's stop words hold another one, or that go with "do" and "have".
VERBS = word_set(
    """
    did does doing having gets getting got gotten gives giving gave given goes going went gone keeps keeping kept
    make makes making let lets shall
    """
)
# What scikit-learn counts as stop words, but can be what a text is about, or what tells two texts apart.
MEANINGFUL = word_set(
    """
    amount bill bottom call cry describe detail eight eleven empty fifteen fifty fill find fire five forty found
    four front full hundred interest mill mine move name nine part put see serious show side sincere six sixty
    system take ten thick thin third three top twelve twenty two
    """
)
FUNCTION_WORDS = (ENGLISH_STOP_WORDS | STYLE | VERBS | CONTRACTIONS) - MEANINGFUL
ENDINGS = frozenset(["", "s", "es", "d", "ed", "ing", "e", "y", "ies", "ied", "ly"])  # of forms of a word
STEM = 3  # letters that two forms of a word have in common at the front, at least
LONG = 7  # letters of a word that has two spellings, at least
DOUBLED = re.compile(r"(.)\1")
VOWEL = re.compile("[aeiouy]")
TORN_PAIRS = 3
SPARE_WORDS = 100  # of so many words of both texts, one may be missing in the other


@lru_cache(maxsize=1 << 16)
def word_list(text: str) -> tuple[str, ...]:
    """Return the words of a text without regard to case and to how a character is encoded; "I'm" is two words."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return tuple(part for word in WORD.findall(folded) for part in expanded(word))


def expanded(word: str) -> tuple[str, ...]:
    """Return the two words that a contraction stands for, else the word."""
    if word == "cannot":
        return "can", "not"
    match = CONTRACTED.fullmatch(word)
    return (STEMS.get(match[1], match[1]), WHOLE[match[2]]) if match else (word,)


def nearly_same(one: str, other: str) -> bool:
    """Return whether two texts have nearly the same content.

    Each word of one text needs its counterpart in the other: the same word, or a form of it ("file", "files"). Words
    without one may be English words of style ("the", "is"), and one in `SPARE_WORDS` words of both texts together if
    only one of the texts has such words: a word in place of another one says something else ("before", "after").
    Negations and numbers must be the same, numbers in the same order, and the other words in nearly the same.
    """
    first, second = word_list(one), word_list(other)
    if first == second:
        return True
    left, right = Counter(first), Counter(second)
    if numbers(first) != numbers(second):
        return False
    odd = pair_forms(list((left - right).elements()), list((right - left).elements()))
    missing, added = ([word for word in words if word not in STYLE] for words in odd)
    if (missing and added) or not NEGATIONS.isdisjoint(missing + added):
        return False
    spare = len(missing + added) * SPARE_WORDS <= len(first) + len(second)
    return spare and in_order(first, second)


def but_for_numbers(text: str) -> tuple[str, ...]:
    """Return the words of a text with a 0 for each number in them; nothing if no word or no number is among them."""
    if not PERHAPS_DIGIT.search(text):
        return ()
    words = word_list(text)
    masked = tuple(DIGITS.sub("0", word) for word in words)
    return masked if 0 < len(numbers(words)) < len(words) else ()


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
    """Return whether two words are probably one: a stem with two of the `ENDINGS`, or two spellings of a long word.

    A name with digits or other signs does not count, nor does one without a vowel ("http", "https"). Spellings
    differ in a doubled letter, "ou" or two letters in each other's place ("permitt", "neighbour", "recieve").
    """
    length = next(
        (k for k, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    plain = one.isalpha() and other.isalpha() and VOWEL.search(one[:length])
    if not plain:
        return False
    ending, rest = one[length:], other[length:]
    if length >= STEM and {ending, rest} <= ENDINGS:
        return True
    exchanged = ending[1::-1] == rest[:2] and ending[2:] == rest[2:]
    spelled = [DOUBLED.sub(r"\1", word).replace("ou", "o") for word in (one, other)]
    return max(len(one), len(other)) >= LONG and (exchanged or spelled[0] == spelled[1])


def in_order(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Return whether two texts have the words that matter and that both hold in nearly the same order.

    Three quarters of the pairs of adjacent ones, begin and end included, must be the same, and all but `TORN_PAIRS`: a
    part that moves tears three apart, while two parts in each other's place tear four.
    """
    shared = set(one) & set(other) - STYLE
    first, second = (
        Counter(pairwise(["", *(word for word in words if word in shared), ""])) for words in (one, other)
    )
    size, same = max(first.total(), second.total()), (first & second).total()
    return 4 * same >= 3 * size and size - same <= TORN_PAIRS
