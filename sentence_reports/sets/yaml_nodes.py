"""The bytes of a YAML file -> plain data, with the place and the author's own words of every value.

Stricter than YAML where YAML surprises people who write prose: anchors, aliases, tags, a key twice and a
second document are refused, and `<<` is a key like any other. It knows none of our keys.

Parsed with PyYAML's pure Python events. papermill reads its parameter files with the same parser, and
libyaml lets some files through that this one refuses (tabs). Events, not `yaml.compose`, because composing
recurses: a nest of a thousand brackets would escape as a RecursionError.
"""

import re
from bisect import bisect_right
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

Trail = tuple[str | int, ...]
"""The way from the top to a value: ("sentences", "Food", 1)."""

MAX_DEPTH = 20
MAX_READ = 200_000  # characters, over all the times that a file with faults is read
MAX_VALUES = 100_000  # a file of five million bytes can hold two million, and take a minute
SHOWN_LENGTH = 60
ADVICE_LENGTH = 200
KEY_LENGTH = 1024
NUMBER_LENGTH = 100  # a number of 100,000 digits takes seconds to build

_TAG = "tag:yaml.org,2002:"
# What YAML allows as an escape only, and U+0085, which it takes for a line break.
_ESCAPED_ONLY = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")
_YAML_BREAK = re.compile(r"[\u2028\u2029]")  # line breaks to YAML, characters to editors
_TRIMMED = re.compile(rf"(?<=[ \t\r\n]){_YAML_BREAK.pattern}|{_YAML_BREAK.pattern}(?=[ \t\r\n])")
_COMMENT = re.compile(r"[ \t]+#[^\r\n]*|")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"\s*(?P<lead>(?:-\s+)+|\w[^:]*:\s+|)(?P<text>.*)", re.DOTALL)
_INDENT = re.compile(r"(?:[ \t]*(?:\r\n|\r|\n))*( *)")
_KEY = re.compile(r"""[ ]*(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#-].*?)[ ]*:(?:[ ]|$)""")
_QUOTED = re.compile(
    r"""^[ ]*(?:-[ ]+)*(?:[^\s"'#][^"'#\n]*:[ ]+|)(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')""", re.M | re.S
)
_SWALLOWED = re.compile(r"\n[ ]*(?:-[ ]|\w+:[ \n])")  # an item or a key within quotes
_FLOW_TEXT = re.compile(r"[^,\]}\r\n]*")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_SIGNS = {
    "&": "names an anchor", "*": "recalls an anchor", "!": "marks a tag", "%": "opens a directive",
    "@": "is reserved", "`": "is reserved", "{": "opens a mapping", "[": "opens a list",
    "|": "opens a block of text", ">": "opens a block of text", ",": "ends an item", "]": "ends a list",
    "}": "ends a mapping", "?": "marks a key", ":": "marks a value",
}  # fmt: skip
_OPEN = {"while parsing a flow sequence": ("list", "]"), "while parsing a flow mapping": ("mapping", "}")}


class Fault(NamedTuple):
    """Something wrong at a place of the file; `line` and `column` count from 1, None for the whole file."""

    line: int | None
    column: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Node:
    """One key or value as the author wrote it.

    `kind` is YAML's tag without its prefix ("str", "bool", "seq" ...), `found` what YAML made of it in words,
    `source` the text it was read from, `lost` the comment behind it, `lead` what has to stand before the
    value where it is written anew ("- ", "title: "), `plain` whether it was written without quotes.
    """

    line: int
    column: int
    kind: str
    found: str
    source: str
    lost: str
    lead: str
    plain: bool

    @property
    def words(self) -> str:
        """The author's own text on one line, the comment behind it included."""
        return (" ".join(map(str.strip, _LINE_BREAK.split(self.source))) + self.lost).strip()

    @property
    def advice(self) -> str:
        """How to write the author's own text so that YAML takes it for text."""
        return quoting_advice(self.lead, self.words)


@dataclass
class Document:
    """What a file holds: `data` (None where it cannot be read at all), and where each piece of it stands."""

    data: dict[str, Any] | None = None
    nodes: dict[Trail, Node] = field(default_factory=dict)
    keys: dict[Trail, Node] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def quote(text: str) -> str:
    """Give the text as a YAML double-quoted scalar on one line, which YAML reads back unchanged."""
    harmless = text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text if harmless else "".join(map(_escaped, text))}"'


def show(text: str) -> str:
    """Give the text in quotes for a message: a long one cut, nothing unprintable in it."""
    return quote(text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 3] + "...")


def quoting_advice(lead: str, text: str) -> str:
    """Give the line to write, in quotes; where the text is long, its beginning and the rule."""
    if not lead.isprintable() or len(lead) > SHOWN_LENGTH:  # a key that does not bear repeating
        lead = ""
    if len(text) <= ADVICE_LENGTH:
        return f"Put it in quotes: {lead}{quote(text)}"
    return f'Put all of it in double quotes, with a backslash before each " and \\ in it: {lead}{show(text)}'


def read_document(content: bytes, example: str) -> Document:
    """Read the content of a YAML file; whatever is wrong with it stands in the document's `faults`.

    `example` is a key that such a file has, for the message about a file that has none. An empty file gives
    an empty mapping.
    """
    try:
        text = _decoded(content)
    except _Unreadable as stop:
        return Document(faults=[stop.fault])
    stops: list[Fault] = []
    while True:
        document = Document()
        try:
            document.data = _Reader(text, document).document(example)
        except _Unreadable as stop:
            # On the same line again, quoting did not help, and is perhaps what stops reading now.
            if not stops or (stop.fault.line or 0) > (stops[-1].line or 0):
                stops.append(stop.fault)
                if len(stops) * len(text) < MAX_READ and (mended := _mended(text, stop.fault)):
                    text = mended
                    continue
        document.faults += stops
        return document


class _Unreadable(Exception):
    """Raised where reading cannot go on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


class _NoPlainValue:
    """Stands in the data for a date and the like: a value that no field accepts."""


class _Places:
    """Turns offsets into lines and columns, as editors count: PyYAML takes U+2028 for a line break too."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(found.end() for found in _LINE_BREAK.finditer(text))]

    def of(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line_at(self, offset: int) -> tuple[int, str]:
        """Give the offset where a line starts, and the line."""
        line = bisect_right(self.starts, offset)
        start = self.starts[line - 1]
        return start, self.text[start : self.starts[line] if line < len(self.starts) else None].rstrip("\r\n")

    def fault(self, offset: int, message: str) -> Fault:
        return Fault(*self.of(offset), message)


class _Reader:
    """Builds the data of one document from PyYAML's events, in the order they come."""

    def __init__(self, text: str, document: Document) -> None:
        self.places = _Places(text)
        self.text = text
        self.loader: Any = yaml.SafeLoader(text)
        self.nodes, self.keys, self.faults = document.nodes, document.keys, document.faults
        self.end = 0  # where the last piece of content ended
        self.seen = 0  # where the last event ended

    def document(self, example: str) -> dict[str, Any]:
        self.next()  # the start of the stream
        if isinstance(self.next(), yaml.StreamEndEvent):
            return {}
        data = self.top(self.next(), example)
        self.next()  # the end of the document
        second = self.next()
        if not isinstance(second, yaml.StreamEndEvent):
            self.stop(second.start_mark.index, "a second document starts here. Keep one in a file.")
        return data

    def top(self, event: Any, example: str) -> dict[str, Any]:
        if isinstance(event, yaml.ScalarEvent) and not event.value and event.style is None:
            return {}
        if not isinstance(event, yaml.MappingStartEvent):
            self.stop(event.start_mark.index, f"the file needs keys at its top, as in `{example}:`.")
        return dict(self.value((), event, ""))

    def next(self) -> Any:
        try:
            event = self.loader.get_event()
        except yaml.MarkedYAMLError as error:
            explained = _explained(self.places, error, in_flow=self.loader.flow_level > 0)
            raise _Unreadable(explained) from error
        except (ValueError, OverflowError) as error:  # PyYAML lets chr() and int() fail on \UFFFFFFFF
            self.stop(self.loader.get_mark().index, "this escape or number stands for no character.", error)
        if broken := _YAML_BREAK.search(self.text, self.seen, event.start_mark.index):
            self.note(broken.start(), _break_message(broken[0]))
        self.seen = event.end_mark.index
        # The end of a block is known only at the next content, after comments that are no part of it.
        if isinstance(event, yaml.ScalarEvent) or event.end_mark.index > event.start_mark.index:
            self.end = event.end_mark.index
        return event

    def stop(self, offset: int, message: str, cause: Exception | None = None) -> None:
        raise _Unreadable(self.places.fault(offset, message)) from cause

    def note(self, offset: int, message: str) -> None:
        self.faults.append(self.places.fault(offset, message))

    def value(self, trail: Trail, event: Any, lead: str) -> Any:
        if len(self.nodes) + len(self.faults) >= MAX_VALUES:
            self.stop(event.start_mark.index, f"the file holds more than {MAX_VALUES} values. Split it.")
        data, node = self.read(trail, event, lead)
        self.nodes.setdefault(trail, node)
        return data

    def read(self, trail: Trail, event: Any, lead: str) -> tuple[Any, Node]:
        """Give the data and the node of the value that starts with this event."""
        if isinstance(event, yaml.AliasEvent) or event.anchor or event.tag:
            return self.signed(trail, event, lead)
        return self.unsigned(trail, event, lead)

    def signed(self, trail: Trail, event: Any, lead: str) -> tuple[Any, Node]:
        """Refuse an alias, or a value with an anchor or a tag, and take it for the text it probably is."""
        start = event.start_mark.index
        if isinstance(event, yaml.CollectionStartEvent):
            what = "an anchor (&)" if event.anchor else "a tag (!)"
            self.note(start, f"{what} stands before a list or mapping, and none is allowed here. Remove it.")
            return self.unsigned(trail, event, lead)
        node = self.node(event, "str", "a text with a sign of YAML's before it", lead)
        self.note(start, _sign_message(node.words[0], lead, node.words))
        return node.words, node

    def unsigned(self, trail: Trail, event: Any, lead: str) -> tuple[Any, Node]:
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, lead)
        if len(trail) >= MAX_DEPTH:
            self.stop(event.start_mark.index, f"nested more than {MAX_DEPTH} levels deep.")
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(trail, event), self.node(event, "seq", "a list", lead)
        return self.mapping(trail, event), self.node(event, "map", "a mapping", lead)

    def scalar(self, event: Any, lead: str) -> tuple[Any, Node]:
        tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit).removeprefix(_TAG)
        if tag != "str":
            data, found = self.judged(tag, event.value)
            return data, self.node(event, tag, found, lead)
        start = event.start_mark.index
        if stray := _NOT_TEXT.search(event.value):
            self.note(start, _stray_message(stray[0]))
        if trimmed := _TRIMMED.search(self.text, start, self.end):
            self.note(trimmed.start(), _break_message(trimmed[0]))
        text = _NOT_TEXT.sub("\ufffd", event.value)
        return text, self.node(event, tag, f"the text {show(text)}", lead)

    def judged(self, tag: str, text: str) -> tuple[Any, str]:
        """Give the value of a bare word that YAML takes for no text, and that value in words."""
        named = {"timestamp": "a date", "merge": "a merge key", "value": "YAML's sign for a default value"}
        if tag in named:
            return _NoPlainValue(), named[tag]
        try:
            if len(text) > NUMBER_LENGTH:
                raise ValueError(f"{len(text)} digits")
            value = self.loader.construct_object(yaml.ScalarNode(_TAG + tag, text))
        except (ValueError, OverflowError):
            return _NoPlainValue(), "a number that cannot be read"
        if tag == "null":
            return value, "null, which is nothing" if text else "nothing"
        return value, f"the boolean {str(value).lower()}" if tag == "bool" else f"the number {value}"

    def sequence(self, trail: Trail, start: yaml.SequenceStartEvent) -> list[Any]:
        lead = "" if start.flow_style else "- "
        items: list[Any] = []
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            items.append(self.value((*trail, len(items)), event, lead))
        return items

    def mapping(self, trail: Trail, start: yaml.MappingStartEvent) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            key = self.key(trail, event)
            value = self.value((*trail, key), self.next(), "" if start.flow_style else f"{key}: ")
            data.setdefault(key, value)
        return data

    def key(self, trail: Trail, event: Any) -> str:
        """Give the key as text, whatever YAML makes of it; `keys` tells what."""
        offset = event.start_mark.index
        if isinstance(event, yaml.CollectionStartEvent):
            start, lead, text = _text_of_line(self.places, offset)
            if text[:1] in _SIGNS:  # - {{ name }} says
                self.stop(start, _sign_message(text[0], lead, text))
            self.stop(offset, "a list or mapping stands where a key is needed. Write a text there.")
        data, node = self.read((*trail, "?"), event, "")
        key = data if isinstance(data, str) else node.words
        first = self.keys.setdefault((*trail, key), node)
        if first is not node:
            self.note(offset, f"the key {show(key)} is on line {first.line} already. Keep one of the two.")
        return key

    def node(self, event: Any, kind: str, found: str, lead: str) -> Node:
        """Give the node of a value that has just been read to its end."""
        start = event.start_mark.index
        plain = isinstance(event, yaml.ScalarEvent) and event.style is None
        comment = _COMMENT.match(self.text, self.end) if kind != "str" or plain else None
        lost = comment[0].rstrip() if comment else ""
        return Node(*self.places.of(start), kind, found, self.text[start : self.end], lost, lead, plain)


def _mended(text: str, stop: Fault) -> str | None:
    """Give the file with the line's text in quotes at which reading stopped, to see what else is wrong with it.

    None where that would be guessing: reading did not stop at the beginning of a text, or the text may be
    meant as a list or mapping, or goes on below.
    """
    places, (line, column, _) = _Places(text), stop
    if line is None:
        return None
    begin, end = [*places.starts, len(text)][line - 1 : line + 1]
    start, lead, words = _text_of_line(places, begin)
    is_text = lead.startswith("-") or (lead and not words.startswith(("[", "{")))
    if not is_text or (line, column) != places.of(start) or _indent(text, end) > _indent(text, begin):
        return None
    return text[:start] + quote(words) + text[start + len(words) :]


def _indent(text: str, offset: int) -> int:
    """The indentation of the first line from `offset` on that is not blank."""
    found = _INDENT.match(text, offset)
    return len(found[1]) if found else 0


def _decoded(content: bytes) -> str:
    """Give the content as text. Raises `_Unreadable` for what is not UTF-8 or no text."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in content[:2]:
        raise _Unreadable(Fault(None, None, "the file is UTF-16 or UTF-32. Save it as UTF-8."))
    content = content.removeprefix(BOM_UTF8)
    if content.startswith(BOM_UTF8):  # YAML readers differ in what they make of it
        raise _Unreadable(
            Fault(1, 1, "the file begins with two byte order marks (U+FEFF). Remove one of them.")
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        byte = f"the byte 0x{content[error.start]:02X}"
        message = f"{byte} is not UTF-8; the file may be in Latin-1. Save it as UTF-8."
        raise _Unreadable(_Places(before).fault(len(before), message)) from error
    if stray := _ESCAPED_ONLY.search(text):
        raise _Unreadable(_Places(text).fault(stray.start(), _stray_message(stray[0])))
    return text


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _stray_message(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if character == "\0":
        return f"{code} is refused: no web page can hold it. Remove it."
    if "\ud800" <= character <= "\udfff":
        return f"{code} is half of a surrogate pair, which no file can hold. Write the character itself."
    return f"{code} does not come through YAML as it is. Write {_escaped(character)} in double quotes, or remove it."


def _break_message(character: str) -> str:
    what = f"U+{ord(character):04X} is a line break to YAML, which drops the spaces and lines beside it."
    return f"{what} Write {_escaped(character)} in double quotes."


def _sign_message(sign: str, lead: str, text: str) -> str:
    return f'the text begins with "{sign}", which {_SIGNS[sign]} in YAML. {quoting_advice(lead, text)}'


def _text_of_line(places: _Places, offset: int) -> tuple[int, str, str]:
    """Give where the text of a line starts, what leads to it ("- ", "title: "), and the text."""
    start, line = places.line_at(offset)
    found = _LINE.match(line)
    assert found, "the pattern matches any line"
    return start + found.start("text"), re.sub(r"\s+", " ", found["lead"]), found["text"].rstrip()


def _explained(places: _Places, error: yaml.MarkedYAMLError, *, in_flow: bool) -> Fault:
    """Put a syntax error in terms of what the author probably meant."""
    offset = _culprit(error)
    if unclosed := _unclosed_quote(places, offset):
        return unclosed
    if too_long := _long_key(places, offset):
        return too_long
    start, lead, text = _text_of_line(places, offset)
    if str(error.context) in _OPEN:
        return places.fault(offset, _unclosed(places, error, lead, text))
    # The scanner looks ahead, and may have left the brackets in which the parser stopped.
    in_flow = in_flow or "flow" in str(error.context)
    if in_flow and (piece := _FLOW_TEXT.match(places.text, offset)):
        start, lead, text = offset, "", piece[0].rstrip()
    if places.text[offset : offset + 1] == "\t":
        return places.fault(offset, f"a tab stands where YAML needs spaces. {_without_tab(lead, text)}")
    if broken := _YAML_BREAK.search(text):
        return places.fault(start + broken.start(), _break_message(broken[0]))
    if offset < start:  # what leads to the text has no place here
        return places.fault(offset, _misfit("", lead, text) + _comment_hint(places, offset))
    if text[:1] in ('"', "'"):
        return places.fault(start, _badly_quoted(str(error.problem), lead, text))
    if text[:1] in _SIGNS:
        return places.fault(start, _sign_message(text[0], lead, text))
    return places.fault(offset, _misfit(str(error.problem), lead, text) + _comment_hint(places, offset))


def _unclosed_quote(places: _Places, offset: int) -> Fault | None:
    """Find the text above `offset` whose closing quote is missing: the next item or key is inside its quotes."""
    opened = None
    for quoted in _QUOTED.finditer(places.text, 0, offset + 1):
        if quoted.end() > offset or _SWALLOWED.search(quoted["text"]):
            opened = quoted
            break
    if opened is None or "\n" not in places.text[opened.start("text") : offset]:
        return None
    start, lead, text = _text_of_line(places, opened.start("text"))
    return places.fault(start, _badly_quoted("end of stream", lead, text))


def _long_key(places: _Places, offset: int) -> Fault | None:
    start, line = places.line_at(offset)
    key = _KEY.match(line)
    if not key or len(key["key"]) <= KEY_LENGTH:
        return None
    return places.fault(
        start + key.start("key"),
        f"this key has {len(key['key']):,} characters; YAML allows {KEY_LENGTH:,}. Shorten it.",
    )


def _culprit(error: yaml.MarkedYAMLError) -> int:
    """Give where the piece that cannot be read began; if that is a whole block, where reading stopped."""
    began = error.context_mark
    if began is None or "block mapping" in str(error.context) or "block collection" in str(error.context):
        began = error.problem_mark
    return began.index if began else 0


def _unclosed(places: _Places, error: yaml.MarkedYAMLError, lead: str, text: str) -> str:
    what, end = _OPEN[str(error.context)]
    line, column = places.of(error.problem_mark.index if error.problem_mark else 0)
    message = f"the {what} that opens here lacks a comma or its {end} before line {line}, column {column}."
    hint = _comment_hint(places, error.problem_mark.index) if error.problem_mark else ""
    return f"{message}{hint} Or is it text? {quoting_advice(lead, text)}"


def _without_tab(lead: str, text: str) -> str:
    is_prose = text[:1] not in ("", '"', "'", *_SIGNS) and (lead.startswith("-") or "\t" in text)
    return quoting_advice(lead, text) if is_prose else "Write spaces instead, or nothing."


def _badly_quoted(problem: str, lead: str, text: str) -> str:
    mark = text[0]
    if "escape" in problem:
        return f"a backslash in double quotes needs a second one. {quoting_advice(lead, text.strip(mark))}"
    if "end of stream" in problem:
        return (
            f"the text begins with {mark}, and no second one closes it. {quoting_advice(lead, _meant(text))}"
        )
    if (
        text.endswith(mark) and text.count(mark) == 2
    ):  # the text is fine; what stands behind or below it is not
        return "what follows this text in quotes does not fit it. Check the indentation of this line and the next."
    return f"the text begins with {mark}, and YAML ends it at the second one. {quoting_advice(lead, _meant(text))}"


def _meant(text: str) -> str:
    """Return the text without those quotes around it that are YAML's rather than its own.

    The second quote tells: one that closes a word ("Hi" she said) belongs to the text as the first one does.
    """
    mark, second = text[0], text.find(text[0], 1)
    if second > 1 and not text[second - 1].isspace() and not text[second + 1 : second + 2].isalnum():
        return text
    inner = text[1:]
    if second > 0 and inner.endswith(mark) and (mark == "'" or text.count(mark) % 2 == 0):
        inner = inner[:-1]
    return inner


def _comment_hint(places: _Places, offset: int) -> str:
    """Say so where the last line above that is not blank holds a comment, which ended its text."""
    above = places.text[: places.line_at(offset)[0]].rstrip()
    if not re.search(r"(?:^|[ \t])#", places.line_at(len(above))[1]):
        return ""
    return " The # above begins a comment: if it is part of a text, put all of that text in quotes."


def _misfit(problem: str, lead: str, text: str) -> str:
    if "mapping values are not allowed" in problem:
        return f'": " marks a value in YAML. {quoting_advice(lead, text)}'
    if not lead and re.match(r"-\S", text):
        return f"a dash needs a space behind it. {quoting_advice('- ', text[1:])}"
    if "expected the node content" in problem:
        return "a value is missing before this sign. Write one, or remove the sign."
    if "could not find expected ':'" in problem:
        return f"{show(text)} is neither `key: value` nor `- text`."
    return (
        "this does not fit the lines above it. Check its indentation; put text with special signs in quotes."
    )
