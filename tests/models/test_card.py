"""The languages that a model's card states."""

from pathlib import Path

import pytest

from sentence_reports import models
from sentence_reports.models import EMBEDDED, find_model
from sentence_reports.models.card import MOST, stated_languages


@pytest.mark.parametrize(
    ("card", "languages"),
    [
        ("---\nlanguage: en\nlicense: mit\n---\n# A model", ("en",)),
        ("---\r\nlanguage: en\r\n---\r\n", ("en",)),
        (
            "---\nlanguage:\n- de\n- no\n- zh-Hans\n- multilingual\n---\n",
            ("de", "no", "zh-Hans", "multilingual"),
        ),
        ("---\nlicense: mit\n---\nlanguage: en", ()),
        ("# A model\n---\nlanguage: en\n---\n", ()),
        ("---\nlanguage: {a: b}\n---\n", ()),
        ("---\nlanguage: [[en], '<b>', 'x y', '', en]\n---\n", ("en",)),
        ("---\n- language\n---\n", ()),
        ("---\nlanguage: [\n---\n", ()),
        ("---\n" + "[" * 20000 + "\n---\n", ()),
        ("---\nlanguage: en\nx: " + "x" * MOST + "\n---\n", ()),
        ("", ()),
    ],
)
def test_languages(card: str, languages: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(card.encode())
    assert stated_languages(tmp_path) == languages


def test_a_card_that_cannot_be_read_states_nothing(tmp_path: Path) -> None:
    assert stated_languages(tmp_path) == ()
    (tmp_path / "README.md").write_bytes(b"---\nlanguage: en\nx: \xff\n---\n")
    assert stated_languages(tmp_path) == ()
    (tmp_path / "README.md").unlink()
    (tmp_path / "README.md").mkdir()
    assert stated_languages(tmp_path) == ()


def test_the_embedded_model_states_its_language() -> None:
    found = find_model(EMBEDDED)
    assert models.describe(found, models.load(found)).languages == ("en",)
