"""How a model reads a text."""

from pathlib import Path

import pytest
from support import WORDS, edit

from sentence_reports import models
from sentence_reports.models import Piece, TokenFacts, find_model


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
