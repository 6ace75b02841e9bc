"""Explain YAML's syntax errors in terms of what the author probably meant, and correct them."""

import re
from typing import NamedTuple

import yaml

from sentence_reports.sets.quoting import correction, quote, show

SIGNS = {
    "&": "marks an anchor", "*": "refers to an anchor", "!": "marks a tag", "%": "starts a directive",
    "@": "is reserved", "`": "is reserved", "{": "starts a mapping", "[": "starts a list",
    "|": "starts a block of text", ">": "starts a block of text", ",": "ends an item", "]": "ends a list",
    "}": "ends a mapping", "?": "marks a key", ":": "marks a value",
}  # fmt: skip
KEY_LENGTH = 1024
_OPEN = {"while parsing a flow sequence": ("list", "]"), "while parsing a flow mapping": ("mapping", "}")}
_LINE = re.compile(
    r"(?P<indent> *)[ \t]*+(?P<lead>(?:-[ \t]+)+|(?:\w[^:\n]*|\"[^\"\n]*\"):[ \t]+|)(?P<text>[^\n]*)"
)
_BELOW = re.compile(r"(?:[ \t]*\n)+(?P<indent> *+)(?=[^\s#])(?P<text>[^\n]*)")
_NEW_LINE = re.compile(r"(?P<indent> *+)(?:-|\w[^:\n]*:)(?:[ \n]|$)")  # an item or a key
_QUOTED = re.compile(
    r"""^(?P<indent> *+)(?:-[ ]++)*+(?:[^\s"'#\[{-][^"'#:\n]*+:[ ]++)?+"""
    r"""(?P<text>"(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+')""",
    re.MULTILINE | re.DOTALL,
)
_KEY = re.compile(r""" *("(?:[^"\\\n]|\\.)*+"|'(?:[^'\n]|'')*+'|[^\s"'][^\n]*?) *:(?:\s|$)""")
_QUOTED_IN_FLOW = re.compile(r"""[\[{,:] *(?P<text>(?P<mark>["'])(?:(?!(?P=mark))[^\n])*(?P=mark)) *$""")


class Explained(NamedTuple):
    """Where reading stopped, why, and the file with the correction; None if that would be guessing."""

    offset: int
    message: str
    corrected: str | None = None


class _Piece(NamedTuple):
    """A text in a file that cannot be read, from `start` to `end`; `begin` is where its `lead` starts."""

    begin: int
    start: int
    end: int
    lead: str
    text: str
    in_flow: bool = False

    def correct(self, file: str, message: str, offset: int | None = None) -> Explained:
        message = f"{message} {correction(self.lead, self.text)}"
        lines = "\n" * file.count("\n", self.begin, self.end)
        corrected = f"{file[: self.begin]}{self.lead}{quote(self.text)}{lines}{file[self.end :]}"
        below = _BELOW.match(file, self.end)
        goes_on = below and len(below["indent"]) > self.begin - 1 - file.rfind("\n", 0, self.begin)
        is_text = self.in_flow or self.lead.startswith("-") or (self.lead and self.text[:1] not in "[{")
        is_safe = is_text and not goes_on
        return Explained(self.start if offset is None else offset, message, corrected if is_safe else None)


def join_lines(source: str) -> str:
    """Return a text of several lines on one."""
    return " ".join(filter(None, map(str.strip, source.split("\n"))))


def sign_message(text: str) -> str:
    """Return what the character that a text begins with means to YAML."""
    return f'the text begins with "{text[0]}", which {SIGNS[text[0]]} in YAML.'


def explain(file: str, error: Exception, mark: yaml.Mark, in_flow: bool) -> Explained:
    """Return what stopped reading the text of a file; `mark` is how far it was read."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Explained(mark.index, "this escape is not a valid character.")  # chr() fails on \UFFFFFFFF
    context, problem, stopped = str(error.context), str(error.problem), error.problem_mark
    offset = stopped.index
    if isinstance(error, yaml.composer.ComposerError):
        piece = _piece(file, offset)
        if problem.startswith("a key") and piece.text[:1] in SIGNS:  # - {{ name }} says
            return piece.correct(file, sign_message(piece.text))
        second = "a second document starts here. A set file holds only one."
        return Explained(offset, second if error.context else problem)
    if error.context_mark and "block" not in context:
        offset = error.context_mark.index
    for quoted in _QUOTED.finditer(file, 0, offset + 1):
        new_lines = filter(None, map(_NEW_LINE.match, quoted["text"].split("\n")[1:]))
        # An item or a key inside quotes: the closing quote is missing.
        if any(len(new["indent"]) <= len(quoted["indent"]) for new in new_lines):
            return _bad_quotes(file, _piece(file, quoted.start("text")), "end of stream")
    piece = _piece(file, offset)
    if (key := _KEY.match(file, piece.begin)) and len(key[1]) > KEY_LENGTH:
        message = f"a key can have at most {KEY_LENGTH:,} characters, on one line. Shorten it."
        return Explained(piece.begin, message)
    if context in _OPEN:
        return _unclosed_bracket(file, piece, offset, context, stopped)
    if in_flow or "flow" in context:
        end = offset + len(re.split(r"[,\]}\n]", file[offset:], maxsplit=1)[0].rstrip())
        piece = _Piece(offset, offset, end, "", file[offset:end], in_flow=True)
    elif (above := _above(file, piece)) and above.start < offset < above.end:  # it continues a text
        if above.text.startswith(('"', "'")):
            return _bad_quotes(file, above, problem)
        if above.lead.startswith("-") and ": " in above.text:
            return above.correct(file, '": " separates a key from its value in YAML.')
    return _explain_piece(file, piece, offset, problem)


def _explain_piece(file: str, piece: _Piece, offset: int, problem: str) -> Explained:
    first, sign = piece.text[:1], file[offset : offset + 1]
    if sign == "\t":
        if first and first not in "\"'" and first not in SIGNS:
            return piece.correct(file, "YAML does not allow a tab here.", offset)
        return Explained(offset, "YAML does not allow a tab here. Use spaces, or remove it.")
    if offset >= piece.start:
        if first and first in "\"'":
            return _bad_quotes(file, piece, problem)
        if first in SIGNS:
            return piece.correct(file, sign_message(piece.text))
        if "mapping values are not allowed" in problem:
            return piece.correct(file, '": " separates a key from its value in YAML.', offset)
        if "cannot start any token" in problem and piece.lead and sign in SIGNS:  # - key: @text
            return piece.correct(file, f'"{sign}" {SIGNS[sign]} in YAML.', offset)
        if not piece.lead and re.match(r"-\S", piece.text):
            dash = piece._replace(lead="- ", text=piece.text[1:])
            return dash.correct(file, "a dash must be followed by a space.")
        if "expected the node content" in problem:
            message = "a value is missing before this character. Add one, or remove the character."
            return Explained(offset, message)
    message = "this does not fit the lines above. Check the indentation; put text with special characters in quotes."
    if offset >= piece.start and "could not find expected ':'" in problem:
        message = f"{show(piece.text)} is neither `key: value` nor `- text`."
    return Explained(offset, message + _hint(file, offset))


def _piece(file: str, offset: int) -> _Piece:
    """Return the text of the line at `offset`, with the lines below that continue it."""
    line = _LINE.match(file, file.rfind("\n", 0, offset) + 1)
    assert line, "the pattern matches any line"
    start, end = line.start("text"), line.start("text") + len(line["text"].rstrip())
    while (below := _BELOW.match(file, end)) and len(below["indent"]) > len(line["indent"]):
        if _NEW_LINE.match(below["text"]):
            break
        end = below.start("text") + len(below["text"].rstrip())
    lead = re.sub(r"\s+", " ", line["lead"])
    return _Piece(line.end("indent"), start, end, lead, join_lines(file[start:end]))


def _above(file: str, piece: _Piece) -> _Piece | None:
    """Return the text of the nearest line above that is indented less than this piece's."""
    begin = file.rfind("\n", 0, piece.begin) + 1
    indent = piece.begin - begin
    while begin > 0 and indent > 0:
        begin = file.rfind("\n", 0, begin - 1) + 1
        line = _LINE.match(file, begin)
        if line and line[0].strip() and len(line["indent"]) < indent:
            return _piece(file, begin) if line["text"] else None
    return None


def _bad_quotes(file: str, piece: _Piece, problem: str) -> Explained:
    mark = piece.text[0]
    if "escape" in problem:
        piece = piece._replace(text=piece.text.strip(mark).replace('\\"', '"'))
        return piece.correct(file, "in double quotes, a backslash must be doubled.")
    if "end of stream" in problem:
        message = f"the text begins with {mark} but has no closing {mark}."
    elif piece.text.endswith(mark) and piece.text.count(mark) == 2:
        # The text is fine; what follows it, on this line or the next, is not.
        message = "unexpected text after these quotes. Check the indentation of this line and the next."
        return Explained(piece.start, message)
    else:
        message = f"YAML ends this text at its second {mark}."
    return piece._replace(text=_meant(piece.text)).correct(file, message)


def _meant(text: str) -> str:
    """Return the text without the quotes around it that are YAML's rather than its own.

    The second quote tells: one that closes a word ("Hi" she said) belongs to the text, as the first one does.
    """
    mark, second = text[0], text.find(text[0], 1)
    if second > 1 and not text[second - 1].isspace() and not text[second + 1 : second + 2].isalnum():
        return text
    is_closed = second > 0 and text.endswith(mark) and (mark == "'" or text.count(mark) % 2 == 0)
    return text[1:-1] if is_closed else text[1:]


def _unclosed_bracket(file: str, piece: _Piece, offset: int, context: str, stopped: yaml.Mark) -> Explained:
    quoted = _QUOTED_IN_FLOW.search(file, offset, stopped.index)
    if quoted and file[stopped.index : stopped.index + 1] not in (
        '"',
        "'",
    ):  # ["She said "hello" to me", ...]
        start = quoted.start("text")
        whole = re.compile(rf"[^\n]+?{quoted['mark']}(?=[ ]*(?:[,\]}}]|$))", re.MULTILINE).match(file, start)
        if whole and whole.end() > stopped.index:
            return _bad_quotes(file, _Piece(start, start, whole.end(), "", whole[0], in_flow=True), "")
    what, end = _OPEN[context]
    message = f"the {what} that starts here is missing a comma or its closing {end}"
    message += f" before line {stopped.line + 1}, column {stopped.column + 1}.{_hint(file, stopped.index)}"
    if piece.start == offset and (piece.lead.startswith("-") or "," not in piece.text):
        message += f" Is it text? {correction(piece.lead, piece.text)}"
    return Explained(offset, message)


def _hint(file: str, offset: int) -> str:
    """Return a hint if the last line above `offset` that is not blank has a comment, which ended its text."""
    above = file[: file.rfind("\n", 0, offset) + 1].rstrip()
    if not re.search(r"(?:^|[ \t])#", above[above.rfind("\n") + 1 :]):
        return ""
    return " The # above starts a comment; if it is part of a text, put the whole text in quotes."
