"""Texts in quotes."""

from hypothesis import example, given
from support import text_of_any_kind

from sentence_reports.sets.quoting import quote, show
from sentence_reports.sets.yaml_nodes import read_document


@given(text_of_any_kind())
@example('"\\ \u2028 \ufeff \ufffd \U0001f600 é \ufffe \x1b[31m \x07 \x85 \r\n')
def test_any_text_in_quotes_comes_back_unchanged(text: str) -> None:
    document = read_document(f"sentences:\n- {quote(text)}\n".encode(), "mine.yaml")
    assert (document.data, document.problems) == ({"sentences": [text]}, [])


def test_what_is_shown_is_cut_and_printable() -> None:
    assert show("a\x1b\n\u202e" + "x" * 100) == '"a\\u001b\\n\\u202e' + "x" * 53 + '..."'
