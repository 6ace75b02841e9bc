"""Read the bytes of a YAML file into plain data, with the position and the source of every key and value.

Stricter than YAML, which surprises people who write prose: anchors, aliases, tags, duplicate keys and a second
document are refused, and `<<` is an ordinary key. This module knows none of our keys.

Uses PyYAML's pure Python parser, as papermill does: libyaml accepts some files (tabs) that this one refuses.
"""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field
from typing import Any

import yaml

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.quoting import correction, show
from sentence_reports.sets.yaml_errors import explain, join_lines, sign_message

Trail = tuple[str | int, ...]
"""The path from the top of a file to a value: ("sentences", "Food", 1)."""

MAX_DEPTH = 20
MAX_VALUES = 100_000  # a file of five million bytes can hold two million and take a minute
MAX_READ = 200_000  # characters, counted again each time a file with errors is read
MAX_DIGITS = 100  # a number of 100,000 digits takes seconds to build

TAG = "tag:yaml.org,2002:"
# Characters that YAML allows only as escapes, and line breaks to YAML that editors do not show as such.
_NOT_IN_YAML = re.compile(
    r"\A\ufeff|[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_COMMENT = re.compile(r"[ \t]+#[^\n]*")
_NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")
_READ_AS = {
    "timestamp": "a date", "merge": "a merge key", "value": "YAML's sign for a default value",
    "seq": "a list", "map": "a mapping",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """A key or value as the author wrote it; `line` and `column` count from 1.

    `kind` is YAML's tag without its prefix ("str", "bool", "seq" ...), `source` the text it was read from, `comment`
    what follows it on its line, `lead` what has to precede it if it is written again ("- ", "title: ").
    """

    line: int
    column: int
    kind: str
    data: Any
    source: str
    comment: str
    lead: str
    is_plain: bool  # without quotes

    @property
    def description(self) -> str:
        """What YAML made of it, such as "the number 5"."""
        if self.kind in _READ_AS:
            return _READ_AS[self.kind]
        if isinstance(self.data, yaml.Node):
            return "a number that cannot be read"
        if self.data is None:
            return "null, which is nothing" if self.source else "nothing"
        if self.kind == "bool":
            return f"the boolean {str(self.data).lower()}"
        return f"the text {show(self.data)}" if self.kind == "str" else f"the number {self.data}"

    @property
    def text(self) -> str:
        """The author's own text on one line, including the comment after it."""
        return (join_lines(self.source) + self.comment).strip()


@dataclass
class Document:
    """What a file holds: `data` (None if it cannot be read at all) and where each part of it is."""

    file: str
    data: dict[str, Any] | None = None
    values: dict[Trail, Value] = field(default_factory=dict)
    keys: dict[Trail, Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, mark: Any, message: str) -> None:
        """Add the problem of the text at `mark`."""
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, message))


def read_document(content: bytes, file: str) -> Document:
    """Return what a YAML file holds, with everything that is wrong with it in `problems`.

    Where a text cannot be read, its correction is tried, to find further problems. An empty file gives an empty
    mapping. Raises SetError if the content is not text.
    """
    text, stops = decoded(content, file), list[Problem]()
    while True:
        document = Document(file)
        loader = _Loader(text, document)
        try:
            document.data = loader.read()
        except (yaml.MarkedYAMLError, ValueError, OverflowError) as error:
            offset, message, corrected = explain(text, error, loader.get_mark(), loader.flow_level > 0)
            problem = _problem(file, text, offset, message)
            # On the same line again, the correction did not help and may be what stops reading now.
            if not stops or (problem.line or 0) > (stops[-1].line or 0):
                stops.append(problem)
                if corrected and len(stops) * len(text) < MAX_READ:
                    text = corrected
                    continue
        document.problems += stops
        return document


def decoded(content: bytes, file: str) -> str:
    """Return the text of a file, with line feeds as line breaks. Raises SetError if it is not UTF-8 text."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in content[:2]:
        raise SetError((Problem(file, None, None, "the file is in UTF-16 or UTF-32. Save it as UTF-8."),))
    content = content.removeprefix(BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    text = content.decode(errors="surrogateescape")
    if stray := _NOT_IN_YAML.search(text):
        message = _stray_message(stray[0])
        if "\udc80" <= stray[0] <= "\udcff":
            byte = ord(stray[0]) - 0xDC00
            message = f"the byte 0x{byte:02X} is not UTF-8; the file may be in Latin-1. Save it as UTF-8."
        raise SetError((_problem(file, text, stray.start(), message),))
    return text


def _problem(file: str, text: str, offset: int, message: str) -> Problem:
    before = text[:offset]
    return Problem(file, before.count("\n") + 1, offset - before.rfind("\n"), message)


def _stray_message(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if _NOT_TEXT.match(character):
        return f"{code} is not a character that a web page can hold. Remove it."
    return f"YAML does not keep the character {code}. Write {ascii(character)[1:-1]} in double quotes, or remove it."


class _Loader(yaml.SafeLoader):
    """Composes one document and turns it into plain data; anything refused on the way is a problem of `document`.

    Composing recurses, so depth and size are limited while it does. Keys are texts, whatever YAML makes of them.
    """

    def __init__(self, text: str, document: Document) -> None:
        super().__init__(text)
        self.text, self.document = text, document
        self.depth = self.size = 0

    def read(self) -> dict[str, Any] | None:
        root = self.get_single_node()
        if root is None or (isinstance(root, yaml.ScalarNode) and not root.value and root.style is None):
            return {}
        if isinstance(root, yaml.MappingNode):
            return dict(self.data(root, ()))
        self.document.add(root.start_mark, "the file must have keys at the top, such as `sentences:`.")
        return None

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        is_collection = isinstance(event, yaml.CollectionStartEvent)
        message = None
        if self.size >= MAX_VALUES:
            message = f"the file has more than {MAX_VALUES:,} values. Split it."
        elif is_collection and self.depth >= MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep."
        elif is_collection and parent and index is None:
            message = "a key must be text, not a list or mapping."
        if message:
            raise yaml.composer.ComposerError(None, None, message, event.start_mark)
        lead = ""
        if parent and not parent.flow_style and index is not None:
            lead = "- " if isinstance(parent, yaml.SequenceNode) else f"{index.value}: "
        if isinstance(event, yaml.AliasEvent) or event.anchor or event.tag:
            self.refuse_sign(event, lead)
        self.depth, self.size = self.depth + 1, self.size + 1
        node: Any = super().compose_node(parent, index)
        self.depth -= 1
        node.lead = lead
        return node

    def refuse_sign(self, event: Any, lead: str) -> None:
        """Refuse an anchor, an alias or a tag; a scalar with one is taken for the text that it probably is."""
        if isinstance(event, yaml.CollectionStartEvent):
            sign = "an anchor (&)" if event.anchor else "a tag (!)"
            self.document.add(event.start_mark, f"{sign} is not allowed before a list or mapping. Remove it.")
            event.anchor = event.tag = None
            return
        marks = event.start_mark, event.end_mark
        text = join_lines("".join(self.written(event)))
        self.document.add(event.start_mark, f"{sign_message(text)} {correction(lead, text)}")
        self.current_event = yaml.ScalarEvent(None, f"{TAG}str", (False, False), text, *marks, style='"')

    def written(self, piece: Any) -> tuple[str, str]:
        """Return the source of a piece of the file, and the comment after it on its line."""
        source = self.text[piece.start_mark.index : piece.end_mark.index]
        comment = _COMMENT.match(self.text, piece.end_mark.index)
        return source, comment[0].rstrip() if comment else ""

    def data(self, node: Any, trail: Trail) -> Any:
        """Return the plain data of a node, after adding it and everything inside it to `document.values`."""
        if isinstance(node, yaml.ScalarNode):
            data = self.scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            data = [self.data(item, (*trail, index)) for index, item in enumerate(node.value)]
        else:
            data = self.mapping(node, trail)
        self.document.values[trail] = self.value(node, data)
        return data

    def mapping(self, node: yaml.MappingNode, trail: Trail) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            written = self.value(key_node, self.scalar(key_node))
            key = written.data if written.kind == "str" else written.text
            if first := self.document.keys.get((*trail, key)):
                message = f"the key {show(key)} is already on line {first.line}. Keep only one of them."
                self.document.add(key_node.start_mark, message)
            else:
                self.document.keys[(*trail, key)] = written
                data[key] = self.data(value_node, (*trail, key))
        return data

    def scalar(self, node: yaml.ScalarNode) -> Any:
        """Return the value of a scalar, or the node itself if it has none that any key accepts."""
        if node.tag == f"{TAG}str":
            if stray := _NOT_TEXT.search(node.value):
                self.document.add(node.start_mark, _stray_message(stray[0]))
            return _NOT_TEXT.sub("\ufffd", node.value)
        try:
            return self.construct_object(node) if len(node.value) <= MAX_DIGITS else node
        except (ValueError, OverflowError, yaml.YAMLError):
            return node

    def value(self, node: Any, data: Any) -> Value:
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            # YAML ends a block at the next piece of content, after comments that are not part of it.
            last = node.value[-1]
            node.end_mark = (last[-1] if isinstance(last, tuple) else last).end_mark
        mark, kind = node.start_mark, node.tag.removeprefix(TAG)
        is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
        source, comment = self.written(node)
        comment = comment if is_plain or kind != "str" else ""
        return Value(mark.line + 1, mark.column + 1, kind, data, source, comment, node.lead, is_plain)
