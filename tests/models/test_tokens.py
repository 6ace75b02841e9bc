"""How a model reads a text."""

from pathlib import Path

import pytest
from support import WORDS, edit
from tokenizers.normalizers import NFKD

from sentence_reports import models
from sentence_reports.collected import Collected
from sentence_reports.lesson.collection_words import reading
from sentence_reports.models import EMBEDDED, Piece, TokenFacts, find_model
from sentence_reports.models.tokens import surely_read
from sentence_reports.models.wordllama import WORDLLAMA


def test_tokens_are_counted_uncut_and_unknown_ones_named(
    tiny: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    encoder = models.load(find_model(str(tiny)))
    before = encoder.encode("the cat " * 20)
    texts = ["the cat sat.", "the 🙂 sat", "🙂 🚗", "", "the cat " * 20]
    assert models.token_report(encoder, texts) == [
        TokenFacts(count=6, limit=16, unknown=0, readable=True),
        TokenFacts(count=5, limit=16, unknown=1, readable=True),
        TokenFacts(count=4, limit=16, unknown=2, readable=False),
        TokenFacts(count=2, limit=16, unknown=0, readable=False),
        TokenFacts(count=42, limit=16, unknown=0, readable=True),
    ]
    assert models.token_report(encoder, []) == []
    assert (encoder.encode("the cat " * 20) == before).all()  # the encoder still cuts as before
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_a_text_falls_into_the_pieces_that_the_model_reads_and_those_it_does_not(tiny: Path) -> None:
    encoder = models.load(find_model(str(tiny)))
    pieces = models.word_pieces(encoder, "the 🙂 sat " + "on the mat " * 5)
    assert [piece.text for piece in pieces[:5]] == ["[CLS]", "the", "[UNK]", "sat", "on"]
    assert [k for k, piece in enumerate(pieces) if piece.unknown] == [2]
    read = encoder.tokenizer("the 🙂 sat " + "on the mat " * 5, truncation=True, max_length=16)["input_ids"]
    assert [piece.text for piece in pieces if not piece.cut] == encoder.tokenizer.convert_ids_to_tokens(read)
    assert len(pieces) == 20
    for words, cut in ((14, 0), (15, 1)):  # and two special tokens: as many as are read, and one more
        assert sum(piece.cut for piece in models.word_pieces(encoder, "cat " * words)) == cut
    encoder.tokenizer.truncation_side = "left"
    pieces = models.word_pieces(encoder, "sat " + "the cat " * 8)
    assert [k for k, piece in enumerate(pieces) if piece.cut] == [1, 2, 3]


def test_a_prompt_that_the_model_puts_in_front_counts(model: Path) -> None:
    edit(
        model / "config_sentence_transformers.json",
        prompts={"query": "the mat on "},
        default_prompt_name="query",
    )
    encoder = models.load(find_model(str(model)))
    assert models.token_report(encoder, ["cat"])[0].count == 6


def test_a_model_without_limit_and_special_tokens(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split

    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split(" ", "removed")
    static = StaticEmbedding(tokenizer, embedding_dim=8)
    SentenceTransformer(modules=[static], device="cpu").save(str(tmp_path / "static"))
    found = find_model(str(tmp_path / "static"))
    encoder = models.load(found)
    facts = models.describe(found, encoder)
    assert (facts.dimension, facts.max_tokens, facts.pooling, facts.normalizes) == (
        8,
        None,
        "mean",
        False,
    )
    assert models.token_report(encoder, ["the\ncat", "🙂"]) == [
        TokenFacts(count=2, limit=None, unknown=0, readable=True),
        TokenFacts(count=1, limit=None, unknown=1, readable=False),
    ]
    assert models.word_pieces(encoder, "the\n🙂") == [Piece("the", False, False), Piece("[UNK]", True, False)]


# --- which texts need no look at their tokens -------------------------------------------------------------------

BYTES = 256 - 2  # as many as surely fit into the 256 tokens of all-MiniLM-L6-v2, two of them special
DOUBTFUL = ("", " ", "😀 😀", "😀 cat", " cat", "x" * 150 + " cat", "\u0301 \u0301", "[UNK] [UNK]", "[UNK]")


@pytest.mark.parametrize("name", [EMBEDDED, WORDLLAMA])
def test_what_the_tokens_of_all_texts_say_comes_out_without_them(name: str) -> None:
    encoder = models.load(find_model(name))
    fit = ["cat " * BYTES, "a " + "!" * (BYTES - 1), "a " + "!" * (BYTES - 2), "the cat", "가방 가방", "İ ﷺ"]
    texts = (*fit, "cat " * (BYTES + 1), "a " + "!" * BYTES, *DOUBTFUL)
    rows = tuple(range(10, 10 + len(texts)))
    report = models.token_report(encoder, texts)
    read = reading(encoder, Collected(texts, rows, None, (), 0, (), len(texts), ""))
    assert read.cut == tuple(row for row, facts in zip(rows, report, strict=True) if facts.cut)
    assert read.unreadable == tuple(
        row for row, facts in zip(rows, report, strict=True) if not facts.readable
    )
    assert read.cut == ((16, 17) if name == EMBEDDED else ())  # one token more than the limit
    assert len(read.unreadable) == (6 if name == EMBEDDED else 1)


def test_a_text_is_surely_read_if_its_first_word_is_known_and_it_is_short_enough() -> None:
    encoder, static = models.load(find_model(EMBEDDED)), models.load(find_model(WORDLLAMA))
    short, long = "a " + "!" * (BYTES - 2), "a " + "!" * (BYTES - 1)
    assert surely_read(encoder, ["the cat", short, long, "😀 cat", ""]) == [True, True, False, False, False]
    assert surely_read(static, ["the cat", long, "😀 cat", "", " cat"]) == [True, True, True, False, False]
    with_prompt = models.load(find_model(EMBEDDED), "é: ")  # of four bytes
    assert surely_read(with_prompt, [short[:-4], short[:-3]]) == [True, False]


def test_normalization_of_bert_never_makes_more_characters_than_bytes() -> None:
    normalizer = models.load(find_model(EMBEDDED)).tokenizer.backend_tokenizer.normalizer
    characters = (chr(code) for code in range(0x32000) if not 0xD800 <= code < 0xE000)
    for character in characters:
        assert len(normalizer.normalize_str(character).replace(" ", "")) <= len(character.encode())


def test_of_another_kind_of_tokenizer_nothing_is_said(tiny: Path) -> None:
    encoder = models.load(find_model(str(tiny)))
    assert surely_read(encoder, ["the cat"]) == [True]
    encoder.tokenizer.backend_tokenizer.normalizer = NFKD()
    assert surely_read(encoder, ["the cat"]) == [False]
