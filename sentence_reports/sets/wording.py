"""Turn pydantic's errors into messages for an author: what is there, what is expected, and the line to write."""

import re
from typing import Any

from sentence_reports.sets.quoting import correction, show
from sentence_reports.sets.yaml_nodes import Value

_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "finite_number": "a finite number",
    "name_type": "a number or a text",
}


def describe(kind: str, message: str, context: dict[str, Any], value: Value) -> str:
    """Word an error of `value`: pydantic's type of it, message and context."""
    if kind == "string_type":
        return (
            f"{misread(value)} {correction(value.lead, value.text)}"
            if value.text
            else "is empty. Write some text, or remove it."
        )
    if kind == "string_pattern_mismatch":
        return "is blank. Write some text, or remove it."
    if kind == "too_short":
        return "is empty. Write a sentence below it, or remove it."
    if kind == "sentences_type":
        return message.replace("texts.", f"texts, not {value.description}.")
    if kind in ("row_type", "ratings_type"):
        found = f"a list of {len(value.data)}" if isinstance(value.data, list) else value.description
        return f"{message}, not {found}."
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind].format(**context)}, not {value.description}.{_number_hint(kind, value)}"
    return message


def misread(value: Value) -> str:
    """Describe how YAML read a text without quotes."""
    if value.kind == "map" and not value.text.startswith(("{", "?")):
        return "looks like `key: value`, which is a mapping in YAML."
    if value.kind in ("map", "seq"):
        return f'is {value.description}, because it begins with "{value.text[0]}".'
    if not value.source:
        return "is empty, because # starts a comment."
    return f"is {value.description} (YAML reads {show(value.source)} without quotes that way)."


def _number_hint(kind: str, value: Value) -> str:
    if kind == "name_type" and isinstance(value.data, bool):
        return f" {correction('', value.text)}"
    if kind not in ("int_type", "float_type") or value.kind != "str":
        return ""
    if value.is_plain and re.fullmatch(r"[-+]?[0-9.]+[eE][-+]?[0-9]+", value.source):
        return " With an exponent, YAML needs a decimal point and a sign, as in 1.0e-4."
    return " Write it without quotes." if value.source[:1] in ('"', "'") else ""
