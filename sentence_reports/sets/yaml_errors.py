"""Explain where PyYAML stops reading a file, and how to write the text that stopped it."""

import re
from itertools import takewhile
from typing import Any, NamedTuple

import yaml

from sentence_reports.sets.quoting import RULE, correction, show

SIGNS = {
    "&": "marks an anchor", "*": "refers to an anchor", "!": "marks a tag", "%": "starts a directive",
    "@": "is reserved", "`": "is reserved", "{": "starts a mapping", "[": "starts a list",
    "|": "starts a block of text", ">": "starts a block of text", ",": "ends an item", "]": "ends a list",
    "}": "ends a mapping", "?": "marks a key", ":": "marks a value",
}  # fmt: skip
QUOTES = ('"', "'")
_LINE = re.compile(r'(?P<indent> *)(?P<lead>- +|(?:\w[^:]*|"[^"]*"): +)(?P<text>.*)')
_ITEM_OR_KEY = re.compile(r" *(?:-|\w[^:]*:)(?: |$)")


class _Text(NamedTuple):
    """A text on one line, where it starts in its file, and its lead: what precedes it there ("- ", "title: ").

    The lead is empty if the text belongs to no item or key, or it is uncertain which lines continue it.
    """

    line: int
    column: int
    lead: str
    text: str


def sign_message(sign: str) -> str:
    """Return what the first character of a text means to YAML."""
    return f'the text begins with "{sign}", which {SIGNS[sign]} in YAML.'


def on_one_line(source: str) -> str:
    """Return a text of several lines on one."""
    return re.sub(r"\s*\n\s*", " ", source.strip())


def explain(file: str, error: Any, in_brackets: bool, last: Any) -> tuple[Any, str]:
    """Return where the text of a file is wrong, and what to do about it; `last` is the last scalar that was read."""
    context, problem, mark = str(error.context), error.problem, error.problem_mark
    if isinstance(error, yaml.composer.ComposerError):
        return mark, "a second document starts here. A set file holds only one." if error.context else problem
    if context.endswith(("flow sequence", "flow mapping")):
        before = f"before line {mark.line + 1}, column {mark.column + 1}"
        return (
            error.context_mark,
            f"the bracket that opens here is not closed, or a comma is missing, {before}.",
        )
    if error.context_mark and "block" not in context:
        mark = error.context_mark
    elif last and last.style in QUOTES and not file[last.end_mark.index : mark.index].strip(" "):
        mark = last.start_mark  # "Hi" she said
    lines = file.split("\n")
    faulty = _Text(mark.line, mark.column, "", lines[mark.line][mark.column :].strip())
    if not in_brackets:
        faulty = _item_or_key(lines, mark) or faulty
    if message := _blame(faulty, mark, problem):
        return faulty, message
    message = f"YAML cannot read on here: {problem}."
    if "could not find expected ':'" in problem:
        message = f"{show(faulty.text)} is neither `key: value` nor `- text`."
    remedy = "Check the indentation; put text with # or other special signs in quotes."
    return mark, f"{message} {remedy}"


def _item_or_key(lines: list[str], mark: yaml.Mark) -> _Text | None:
    """Return the text of the item or key that a mark is in, with the lines below that continue it."""
    for number in range(mark.line, -1, -1):
        line = _LINE.match(lines[number])
        if line and (number < mark.line or line.start("text") <= mark.column):
            deeper = re.compile(rf" {{{len(line['indent']) + 1}}} *[^\s#]|\s*$")
            below = list(takewhile(deeper.match, lines[number + 1 :]))
            if mark.line > number + len(below):
                return None
            lead = "" if any(map(_ITEM_OR_KEY.match, below)) else line["lead"]
            return _Text(number, line.start("text"), lead, on_one_line("\n".join([line["text"], *below])))
    return None


def _blame(faulty: _Text, mark: yaml.Mark, problem: str) -> str | None:
    """Return what is wrong with a text and how to write it; None if something else is wrong."""
    text, first = faulty.text, faulty.text[:1]
    if first in QUOTES and ("escape" in problem or text.find(first, 1) != len(text) - 1):
        message, text = _quotes(text, problem)
    elif first in SIGNS and faulty.line == mark.line:
        message = sign_message(first)
    elif first in QUOTES or first in SIGNS:
        return None
    elif r"'\t'" in problem:
        message = "YAML does not allow a tab here."
        if not faulty.lead:
            return f"{message} Use spaces, or remove it."
    elif faulty.lead and re.search(":( |$)", text):
        message = '": " separates a key from its value in YAML.'
    else:
        return None
    return f"{message} {correction(faulty.lead, text) if faulty.lead else RULE}"


def _quotes(text: str, problem: str) -> tuple[str, str]:
    """Return why a text in quotes cannot be read, and the text without those quotes that are not its own."""
    mark, second = text[0], text.find(text[0], 1)
    if "escape" in problem:
        return "in double quotes, a backslash must be doubled.", text.strip(mark).replace('\\"', '"')
    message = f"YAML ends this text at its second {mark}."
    if second < 0 or "end of stream" in problem:
        message = f"the text begins with {mark} but has no closing {mark}."
    if second > 1 and not text[second - 1].isspace() and not text[second + 1 : second + 2].isalnum():
        return message, text  # a quote that closes a word ("Hi" she said) is the text's own
    is_closed = second > 0 and text.endswith(mark) and (mark == "'" or text.count(mark) % 2 == 0)
    return message, text[1 : -1 if is_closed else None] or text
