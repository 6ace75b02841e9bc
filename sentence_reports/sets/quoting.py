"""Texts in YAML's double quotes: to show in a message, or to write into a file."""

import json

from sentence_reports.texts import printable

SHOWN_LENGTH = 60
CORRECTION_LENGTH = 200
RULE = 'Put all of it in double quotes, with a backslash before each " and \\ in it.'


def quote(text: str) -> str:
    """Return `text` as a YAML double-quoted scalar on one line, which YAML reads back unchanged."""
    return printable(json.dumps(text, ensure_ascii=False))


def show(text: str) -> str:
    """Return `text` in quotes for a message: a long one shortened, unprintable characters escaped."""
    return quote(text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 3] + "...")


def correction(lead: str, text: str) -> str:
    """Return the sentence that tells an author how to write `text`; `lead` is what goes before it, such as "- "."""
    line = lead + quote(text)
    return f"Put it in quotes: {line}" if len(line) <= CORRECTION_LENGTH and line.isprintable() else RULE
