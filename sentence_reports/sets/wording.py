"""Turn pydantic's errors into messages for an author: what is there, what is expected, and the line to write."""

import re
from typing import Any

import yaml

from sentence_reports.sets.quoting import correction, show
from sentence_reports.sets.yaml_nodes import Value

_EXPECTED = {
    "bool_type": "true or false", "int_type": "a whole number", "float_type": "a number", "list_type": "a list",
    "model_type": "a mapping", "name_type": "a whole number or a text", "finite_number": "a finite number",
    "literal_error": "{expected}",
    "greater_than": "above {gt:g}", "greater_than_equal": "at least {ge:g}", "less_than_equal": "at most {le:.10g}",
}  # fmt: skip
_READ_AS = {"null": "nothing", "timestamp": "a date", "seq": "a list", "map": "a mapping"}


def describe(kind: str, message: str, context: dict[str, Any], value: Value) -> str:
    """Return the message for an error of `value`; its type, message and context are pydantic's."""
    if kind == "string_type" and value.text:
        return f"{misread(value)} {correction(value.lead, value.text)}"
    if kind in ("string_type", "string_pattern_mismatch"):
        return f"is {'blank' if value.source else 'empty'}. Write some text, or remove it."
    if kind == "too_short":
        return "is empty. Write a sentence below it, or remove it."
    if kind == "sentences_type":
        return message.replace("texts.", f"texts, not {description(value)}.")
    if kind in ("row_type", "ratings_type", "choice_type", "texts_type"):
        actual = f"a list of {len(value.data)}" if isinstance(value.data, list) else description(value)
        return f"{message}, not {actual}."
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format(**context).replace("'", "`")
        return f"must be {expected}, not {description(value)}.{_hint(kind, value)}"
    return message


def misread(value: Value) -> str:
    """Return how YAML read a text without quotes."""
    if value.kind == "map" and not value.text.startswith(("{", "?")):
        return "looks like `key: value`, which is a mapping in YAML."
    if value.kind in ("map", "seq"):
        return f'is {description(value)}, because it begins with "{value.text[0]}".'
    if not value.source:
        return "is empty, because # starts a comment."
    return f"is {description(value)} (YAML reads {show(value.source)} without quotes that way)."


def description(value: Value) -> str:
    """Return what YAML made of a value, such as "the number 5"."""
    if value.kind == "str":
        return f"the text {show(value.data)}"
    if value.kind in _READ_AS or isinstance(value.data, yaml.Node):
        return _READ_AS.get(value.kind, "a value that cannot be read")
    return f"the {'boolean' if value.kind == 'bool' else 'number'} {str(value.data).lower()}"


def _hint(kind: str, value: Value) -> str:
    if kind == "name_type" and value.kind in ("bool", "timestamp"):
        return f" {correction('', value.text)}"
    if kind == "list_type" and value.kind in ("map", "str"):
        return " Begin each item with a dash." if value.kind == "map" else " Write a dash before it."
    if kind in ("int_type", "float_type") and value.kind == "str":
        if re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", value.source):
            return " With an exponent, YAML needs a decimal point and a sign, as in 1.0e-4."
        if value.source[:1] in ('"', "'"):
            return " Write it without quotes."
    return ""
