"""What an author would call a value of a set file, and which name an author may have meant."""

import difflib
import re
import unicodedata
from collections.abc import Sequence

from sentence_reports.sets.quoting import SHOWN_LENGTH, show
from sentence_reports.sets.yaml_nodes import Trail

_ORDINALS = ("first", "second")
# What Unicode calls ignorable by default and does not have in the category Cf, such as variation selectors.
_UNSEEN = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def name_of(trail: Trail) -> str:
    """Return what an author would call a value: sentence 2 of group "Food"."""
    match trail:
        case ("sentences", int(item)):
            return f"sentence {item + 1}"
        case ("sentences", str(group)):
            return f"group {show(group)}"
        case ("sentences", str(group), int(item)):
            return f"sentence {item + 1} of group {show(group)}"
        case ("queries", int(item)):
            return f"query {item + 1}"
        case ("expect", int(item)):
            return f"claim {item + 1}"
        case ("expect", int(item), str(key)):
            return f"{_key(key)} of claim {item + 1}"
        case ("expect", int(item), "finds", int(index)):
            return f"the {('query', 'sentence')[index]} of claim {item + 1}"
        case ("expect", int(item), "closer" | "than" as key, int(index)):
            return f"the {_ORDINALS[index]} sentence of `{key}` in claim {item + 1}"
        case ("expect", int(item), _, int(index)):
            return f"the {_ORDINALS[index]} sentence of claim {item + 1}"
        case ("ratings", int(row)):
            return f"row {row + 1} of `ratings`"
        case ("ratings", int(row), int(index)):
            what = "score" if index == 2 else f"{_ORDINALS[index]} sentence"
            return f"the {what} in row {row + 1} of `ratings`"
        case ("models", int(item)):
            return f"model {item + 1}"
        case ("models", int(item), *keys):
            return f"{_key('.'.join(map(str, keys)))} of model {item + 1}"
        case ("reference", "similarity", int(row)):
            return f"row {row + 1} of `reference.similarity`"
        case ("reference", "similarity", int(row), int(column)):
            return f"figure {column + 1} in row {row + 1} of `reference.similarity`"
    return _key(".".join(map(str, trail)))


def _key(name: str) -> str:
    return f"`{name}`" if name.isprintable() and 0 < len(name) <= SHOWN_LENGTH else show(name)


def folded(text: str) -> str:
    """Return the form in which two texts count as equal: Unicode's NFC, with white space folded."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def as_seen(name: str) -> str:
    """Return the form in which two names look the same to a reader: folded, without case and invisible characters.

    It is empty if there is nothing to see.
    """
    seen = (character for character in _UNSEEN.sub("", name) if unicodedata.category(character) != "Cf")
    return folded("".join(seen).casefold())


def nearest(word: str, names: Sequence[str]) -> str | None:
    """Return the name that looks most like a wrong one, whatever the case; None if none comes near."""
    spelled = {name[:SHOWN_LENGTH].lower(): name for name in reversed(names)}
    close = difflib.get_close_matches(word[:SHOWN_LENGTH].lower(), spelled, n=1)
    return spelled[close[0]] if close else None


def did_you_mean(word: str, names: Sequence[str], kind: str = "keys") -> str:
    """Return the end of a sentence that suggests the name nearest to a wrong one, or lists the few there are."""
    if (name := nearest(word, names)) is not None:
        return f"; did you mean {_key(name)}?"
    return f". Known {kind} are {', '.join(names)}." if len(names) < 30 else "."
