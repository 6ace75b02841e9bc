"""Read the bytes of a YAML file into plain data, with the position and the source of each key and value.

Stricter than YAML, which surprises people who write prose: anchors, aliases, tags, duplicate keys and a second
document are refused, and `<<` is an ordinary key. This module knows none of our keys.

Uses PyYAML's pure Python parser, as papermill does: libyaml accepts some files (tabs) that this one refuses.
"""

import re
from codecs import BOM_UTF8
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import SafeConstructor

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.quoting import correction, show
from sentence_reports.sets.yaml_errors import explain, on_one_line, sign_message

Trail = tuple[str | int, ...]
"""The path from the top of a file to a value: ("sentences", "Food", 1)."""

MAX_DEPTH = 20
MAX_VALUES = 100_000  # a file of five million bytes can hold two million and take a minute
MAX_DIGITS = 100  # a number of 100,000 digits takes seconds to build

_TAG = "tag:yaml.org,2002:"
# Characters that YAML allows only as escapes, and line breaks to YAML that editors do not show as such.
_NOT_IN_YAML = re.compile(
    r"\A\ufeff|[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
_NOT_TEXT = re.compile(r"[\0\ud800-\udfff]")
_COMMENT = re.compile(r"[ \t]+#[^\n]*")


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

    @property
    def text(self) -> str:
        """The author's own text on one line, including the comment after it."""
        return (on_one_line(self.source) + self.comment).strip()


@dataclass
class Document:
    """What a file holds: `data` (None if it cannot be read) and, for each part of it, how it was written."""

    file: str
    text: str
    data: dict[str, Any] | None = None
    values: dict[Trail, Value] = field(default_factory=dict)
    keys: dict[Trail, Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add_problem(self, mark: Any, message: str) -> None:
        """Add the problem of the text at `mark`."""
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, message))

    def add_value(self, node: Any, trail: Trail, lead: str) -> Any:
        """Add a node and everything inside it to `values`, and return its plain data."""
        if isinstance(node, yaml.ScalarNode):
            data = self._scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            dash = "" if node.flow_style else "- "
            data = [self.add_value(item, (*trail, index), dash) for index, item in enumerate(node.value)]
        else:
            data = self._mapping(node, trail)
        value = self.values[trail] = self._value(node, data, lead)
        return value.data

    def _mapping(self, node: yaml.MappingNode, trail: Trail) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._value(key_node, self._scalar(key_node), None)
            name = key.data if key.kind == "str" else key.text
            if first := self.keys.get((*trail, name)):
                message = f"the key {show(name)} is already on line {first.line}. Keep only one of them."
                self.add_problem(key_node.start_mark, message)
            else:
                self.keys[(*trail, name)] = key
                lead = "" if node.flow_style else f"{key.source}: "
                data[name] = self.add_value(value_node, (*trail, name), lead)
        return data

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        """Return the data of a scalar: the node itself if it is a number that cannot be read."""
        if node.tag == f"{_TAG}str":
            if stray := _NOT_TEXT.search(node.value):
                self.add_problem(node.start_mark, _stray_message(stray[0]))
            return _NOT_TEXT.sub("\ufffd", node.value)
        with suppress(ValueError, OverflowError, yaml.YAMLError):
            if len(node.value) <= MAX_DIGITS:
                return SafeConstructor().construct_object(node)  # type: ignore[no-untyped-call]
        return node

    def _value(self, node: Any, data: Any, lead: str | None) -> Value:
        """Return a node with its source; `lead` is None for a key. Anchors, aliases and tags are refused."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            # YAML ends a block at the next piece of content, after comments that are not part of it.
            last = node.value[-1]
            node.end_mark = (last[-1] if isinstance(last, tuple) else last).end_mark
        mark, end = node.start_mark, node.end_mark.index
        source, match = self.text[mark.index : end], _COMMENT.match(self.text, end)
        comment = match[0].rstrip() if match else ""
        if node.is_refused:
            remedy = "Remove it, or put the text in quotes."
            if isinstance(node, yaml.ScalarNode) and lead is not None:
                data = on_one_line(source) + comment
                remedy = correction(lead, data)
            self.add_problem(mark, f"{sign_message(source[0])} {remedy}")
        kind = node.tag.removeprefix(_TAG)
        return Value(mark.line + 1, mark.column + 1, kind, data, source, comment, lead or "")


class _Loader(yaml.SafeLoader):
    """Composes nodes, up to a depth because that recurses.

    Anchors, aliases and tags have no effect; nodes with one are marked as refused.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = self.size = 0
        self.last: yaml.ScalarEvent | None = None

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        is_collection, message = isinstance(event, yaml.CollectionStartEvent), None
        if self.size >= MAX_VALUES:
            message = f"the file has more than {MAX_VALUES:,} values. Split it."
        elif is_collection and self.depth >= MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep."
        elif is_collection and parent and index is None:
            message = "a key must be text. Put text that begins with [ or { in quotes."
        if message:
            raise ComposerError(None, None, message, event.start_mark)
        is_refused = isinstance(event, yaml.AliasEvent) or event.anchor or event.tag
        if isinstance(event, yaml.AliasEvent):
            event = yaml.ScalarEvent(None, None, (False, True), "", event.start_mark, event.end_mark)
            self.current_event = event
        event.anchor = event.tag = None
        self.last = self.last if is_collection else event
        self.depth, self.size = self.depth + 1, self.size + 1
        node: Any = super().compose_node(parent, index)
        node.is_refused = is_refused
        self.depth -= 1
        return node


def read_document(content: bytes, file: str) -> Document:
    """Return what a YAML file holds, with everything that is wrong with it in `problems`.

    An empty file gives an empty mapping. Raises SetError if the content is not text.
    """
    text = decoded(content, file)
    document, loader = Document(file, text), _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            document.data = {}
        elif isinstance(root, yaml.MappingNode):
            document.data = document.add_value(root, (), "")
        else:
            document.add_problem(root.start_mark, "the file must have keys at the top, such as `sentences:`.")
    except yaml.MarkedYAMLError as error:
        document.add_problem(*explain(text, error, loader.flow_level > 0, loader.last))
    except (ValueError, OverflowError):  # chr() fails on \UFFFFFFFF
        document.add_problem(loader.get_mark(), "this escape is not a valid character.")
    return document


def decoded(content: bytes, file: str) -> str:
    """Return the text of a file, with line feeds as line breaks. Raises SetError if it is not UTF-8 text."""
    content = content.removeprefix(BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    text = content.decode(errors="surrogateescape")
    if stray := _NOT_IN_YAML.search(text):
        message = _stray_message(stray[0])
        if _NOT_TEXT.match(stray[0]):
            byte = f"the byte 0x{ord(stray[0]) & 0xFF:02X} is not text in UTF-8"
            message = f"{byte}; the file may be in Latin-1 or UTF-16. Save it as UTF-8."
        before = text[: stray.start()].split("\n")
        raise SetError((Problem(file, len(before), len(before[-1]) + 1, message),))
    return text


def _stray_message(character: str) -> str:
    return f"the character U+{ord(character):04X} is not allowed here. Remove it."
