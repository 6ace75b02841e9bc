"""Which pairs of texts say nearly the same: each case is one of a kind."""

import pytest

from sentence_reports.collection.wording import but_for_numbers, is_form, nearly_same, word_list

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
    ("I’m sure it doesn't work and can't be fixed.", "I am sure it does not work and cannot be fixed."),
    ("The system's clock is wrong.", "The system clock is wrong."),
    ("Copies the keys and uses them.", "Copy the key and use them."),
    (
        "On error nothing comes back, some of the flags change, all files stay open, but no more bytes arrive.",
        "Nothing comes back on error, some of the flags change, all files stay open, but no more bytes arrive.",
    ),
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
    ("Lists target HTTP proxies.", "Lists target HTTPS proxies."),
    ("Call fputs to write it.", "Call fputc to write it."),
    ("The form is kept.", "The format is kept."),
    ("You must restart it.", "You may restart it."),
    ("Programs in C are compiled.", "Programs in C++ are compiled."),
    (
        "Termcap capabilities are translated directly to terminfo entries here.",
        "Terminfo entries are translated directly to termcap capabilities here.",
    ),
    (
        f"{'Some words come first and others later. ' * 9}Ask before lunch.",
        f"{'Some words come first and others later. ' * 9}Ask after lunch.",
    ),
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
    words = [f"word{one}{other}" for one in "abcdefg" for other in "abcdefgh"]
    long = " ".join(words)
    assert nearly_same(long, long + " extra")  # 1 of 113
    assert nearly_same(long + " extra", long)
    assert not nearly_same(" ".join(words[:49]), " ".join(words[:49]) + " extra")  # 1 of 99
    assert not nearly_same(" ".join(words[:49]) + " extra", " ".join(words[:49]))
    assert not nearly_same(f"{long} {long} extra", f"{long} {long} other")  # one in place of the other
    assert not nearly_same(long, long + " 5")  # numbers are never spare
    assert not nearly_same(f"4 {long} 5", f"5 {long} 4")
    assert not nearly_same(long, long + " not")
    assert not nearly_same(long, long + " doesn't")


def test_the_same_words_in_another_order_are_another_text() -> None:
    assert not nearly_same("man bites dog today", "dog today man bites")
    assert not nearly_same("alpha beta gamma delta", "delta gamma beta alpha")
    words = [f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    moved = [*words[5:10], *words[:5], *words[10:]]
    exchanged = [*words[:5], words[12], *words[6:12], words[5], *words[13:]]
    assert nearly_same(" ".join(words), " ".join(moved))
    assert not nearly_same(" ".join(words), " ".join(exchanged))


def test_forms_of_a_word_begin_alike() -> None:
    assert is_form("operation", "operations")
    assert not is_form("is", "its")  # too short to tell
    assert not is_form("post301", "post302")
    assert is_form("copies", "copy")
    assert is_form("neighbours", "neighbors")
    assert is_form("permitt", "permit")
    assert is_form("recieve", "receive")
    assert not is_form("from", "form")  # too short for two spellings
    assert not is_form("diary", "dairy")
    assert not is_form("recieved", "receive")
    assert not is_form("international", "internet")
    assert not is_form("http", "https")  # no vowel, so not a word with an ending
    assert not is_form("agent.key", "agent.keys")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You're sure I'll, we've, he'd", "you are sure i will we have he would"),
        ("won't can't shan't isn’t cannot", "will not can not shall not is not can not"),
        ("It's Ann's, o'clock", "it is ann is o'clock"),
        ("C++ and C#, not C", "c++ and c# not c"),
    ],
)
def test_contractions_are_two_words(text: str, words: str) -> None:
    assert list(word_list(text)) == words.split()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Error on line 12!", "error on line 0"),
        ("version 2.10 of x86", "version 0.0 of x0"),
        ("bike １１７８", "bike 0"),
        ("no number", ""),
        ("2024 12", ""),
    ],
)
def test_the_words_without_their_numbers(text: str, masked: str) -> None:
    assert " ".join(but_for_numbers(text)) == masked


def test_words_know_no_case_and_no_encoding() -> None:
    assert word_list("Don't  STOP\tCafé") == word_list("don't stop cafe\u0301")
    assert word_list("版本2.1") != word_list("版本2.2")


def test_a_digit_that_only_normalization_shows_is_a_number() -> None:
    assert but_for_numbers("Page ①") == but_for_numbers("page 12") == ("page", "0")
    assert but_for_numbers("Page one") == but_for_numbers("Café") == ()
