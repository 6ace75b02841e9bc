"""Which pairs of texts say nearly the same: each case is one of a kind."""

import pytest

from sentence_reports.collection.wording import is_form, nearly_same, word_list

SAME = [
    ("The file is saved.", "the file was saved"),
    (
        "This option is obsolete and may fail or be ignored.",
        "This option is obsolete and may fail or being ignored!",
    ),
    ("Delete the old operations first.", "Delete old operation first."),
    ("On error, -1 is returned, and errno is set.", "On error -1 is returned and errno is set ."),
    ("Ｆｕｌｌ width", "full width"),
    ("今天天气很好，我们去公园。", "今天天气很好,我们去公园"),
    ("", ""),
]
DIFFERENT = [
    ("Get the IAM policy for a pool.", "Set the IAM policy for a pool."),
    ("The door is open.", "The door is not open."),
    ("It works.", "It doesn't work."),
    ("Address above which it is placed.", "Address below which it is placed."),
    ("Added in version 2.12 of the library.", "Added in version 2.13 of the library."),
    ("It returns 1 on success or 0 on failure.", "It returns 0 on success or 1 on failure."),
    ("On error it returns -1.", "On error it returns 1."),
    ("Enables collection in the cluster.", "Disables collection in the cluster."),
    ("cats fear every dog here", "here every dog cats fear though"),
    ("the dog bites every man", "every man the dog bites not"),
    ("我喜欢茶", "我讨厌茶"),
    ("One thing.", "Quite another matter."),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_nearly_the_same(one: str, other: str) -> None:
    assert nearly_same(one, other)
    assert nearly_same(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_not_the_same(one: str, other: str) -> None:
    assert not nearly_same(one, other)
    assert not nearly_same(other, one)


def test_a_long_text_may_have_a_word_more() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrst"]
    long = " ".join(words)
    assert nearly_same(long, long + " extra")  # 1 of 41
    assert not nearly_same(" ".join(words[:12]), " ".join(words[:12]) + " extra")  # 1 of 25
    assert not nearly_same(long + " extra", long + " other")  # 2 of 42
    assert not nearly_same(long, long + " 5")  # numbers are never spare
    assert not nearly_same(f"4 {long} 5", f"5 {long} 4")
    assert not nearly_same(long, long + " not")
    assert not nearly_same(long, long + " doesn't")


def test_the_same_words_in_another_order_are_another_text() -> None:
    assert not nearly_same("man bites dog today", "dog today man bites")
    assert not nearly_same("alpha beta gamma delta", "delta gamma beta alpha")


def test_forms_of_a_word_begin_alike() -> None:
    assert is_form("operation", "operations")
    assert not is_form("key", "keys")  # too short to tell
    assert not is_form("post301", "post302")
    assert not is_form("international", "internet")


def test_words_know_no_case_and_no_encoding() -> None:
    assert word_list("Don't  STOP\tCafé") == word_list("don't stop cafe\u0301")
    assert word_list("版本2.1") != word_list("版本2.2")
