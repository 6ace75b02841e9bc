"""The words of a text, for a comparison without a model."""

import unicodedata


def words(text: str) -> set[str]:
    """Return the words of a text for comparison, without capitals and punctuation.

    In scripts without spaces, everything between two punctuation marks is one word.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    letters = (c if unicodedata.category(c)[0] in "LNM" else " " for c in plain if c not in "'’")
    return set("".join(letters).split())
