"""Make texts fit to be shown on a terminal and on a page: long ones, invisible characters, invalid Unicode."""

import re
import textwrap
import unicodedata
from collections.abc import Iterable

# Unicode's bidirectional classes of characters that can change the order of what follows them (UAX 9).
DIRECTIONAL = {"R", "AL", "AN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def legible(name: str) -> str:
    """Return a file's name as text, with bytes that are not UTF-8 as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def shorten(text: str, size: int) -> str:
    """Return the text on one line, cut after `size` characters with ``...``."""
    line = " ".join(text.split())
    return line if len(line) <= size else line[:size] + "..."


def cut_at_word(text: str, size: int) -> str:
    """Return the text on one line, cut with … if it is longer than `size` characters, at the end of a word if possible.

    What is one word, such as a sentence in a script without spaces, is cut after `size` characters.
    """
    line = textwrap.shorten(text, size, placeholder=" …")
    return re.sub(r"\.\.\.$", "…", shorten(text, size)) if line == "…" else line


def capitalized(text: str) -> str:
    """Return `text` with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def isolated(text: str) -> str:
    """Return `text` on one line, marked so that it cannot reorder the text around it, in HTML or plain text.

    The marks are U+2068 and U+2069, as many as it takes to balance those in `text`. Text that contains only
    left-to-right characters gets none, so that nobody copies them by accident.
    """
    line = " ".join(text.splitlines())  # directional marks end with their paragraph, and so would ours
    if not any(unicodedata.bidirectional(character) in DIRECTIONAL for character in line):
        return line
    opened, closed = sum(map(line.count, "\u2066\u2067\u2068")), line.count("\u2069")
    return "\u2068" * (closed + 1) + line + "\u2069" * (opened + 1)


def quoted(text: str) -> str:
    """Return `text` in quotation marks, ready to be put into a sentence in HTML or plain text."""
    return f"“{isolated(text)}”"


def listed(names: Iterable[str]) -> str:
    """Return names as a list in plain text, separated by commas; one that has a comma is in quotation marks."""
    return ", ".join(quoted(name) if "," in name else name for name in names)


def bare(text: str) -> str:
    """Return `text` without the marks of `isolated`, for what a program reads."""
    return re.sub("[\u2068\u2069]", "", text)


def on_terminal(text: str, *, is_terminal: bool) -> str:
    """Return `text` as `printable` does, with the marks of `isolated` only if they do something.

    That is on a terminal, in a text with letters that are written from right to left.
    """
    kinds = {unicodedata.bidirectional(character) for character in text} if is_terminal else set()
    parts = re.split("([\u2068\u2069])", text if kinds & {"R", "AL", "AN"} else bare(text))
    return "".join(part if part in ("\u2068", "\u2069") else printable(part) for part in parts)


def printable(text: str) -> str:
    """Return `text` with every character that could control a terminal as an escape; line breaks stay."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def escape_controls(text: str) -> str:
    """Return `text` with the characters that set a direction (U+202E …) written as escapes."""
    return re.sub("[\u202a-\u202e\u2066-\u2069]", lambda match: ascii(match[0])[1:-1], text)


def count(number: int, noun: str) -> str:
    """Return the number with its noun, such as "1 set" or "2,000 sets"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def number(value: float, digits: int) -> str:
    """Return a number with so many decimals and a real minus sign; never a minus sign before zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def digits_apart(one: float, other: float, *, least: int = 2, most: int = 6) -> int:
    """Return with how many decimals `number` shows that two numbers differ: `least`, or as many more as that takes.

    Numbers that are equal to `most` decimals are shown with `least`: that they look equal is the truth.
    """
    digits = range(least, most + 1)
    return next((some for some in digits if number(one, some) != number(other, some)), least)


def count_in_words(count: int) -> str:
    """Return a large number as a person writes it: "22.7 million", "8,192"."""
    for name, size in (("billion", 1e9), ("million", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {name}"
    return f"{count:,}"


def size_in_words(size: int) -> str:
    """Return a number of bytes with its unit: "91.6 MB", "190 bytes"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:,} bytes"


def exact(html: str) -> str:
    """Return the page with carriage returns as references, because a browser reads bare ones as line feeds."""
    return html.replace("\r", "&#13;")
