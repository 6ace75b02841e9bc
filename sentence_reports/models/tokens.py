"""The tokens that a model makes of a text. It reads a limited number of them and has a limited vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from sentence_reports.models.usage import Usage

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LONG = 30  # characters; a longer first word is not looked at alone


@dataclass(frozen=True)
class TokenFacts:
    """How a model reads one text.

    `count` is the number of tokens, special ones included and nothing cut off; the model reads at most `limit` of
    them (None: no limit); `unknown` of them are outside its vocabulary. A text is not `readable` if it has nothing
    but unknown tokens, or no token at all: all such texts look the same to the model.
    """

    count: int
    limit: int | None
    unknown: int
    readable: bool

    @property
    def cut(self) -> bool:
        """Whether the model does not read the whole text."""
        return self.limit is not None and self.count > self.limit


class Piece(NamedTuple):
    """One token as its vocabulary spells it; `unknown` if it is outside the vocabulary, `cut` if it is not read."""

    text: str
    unknown: bool
    cut: bool


def token_report(
    encoder: SentenceTransformer, texts: Sequence[str], prompt: str | None = None
) -> list[TokenFacts]:
    """Return the `TokenFacts` of each text, in order, with the `prompt` before it or else with that of `encode`."""
    if not texts:
        return []
    rows, unknown = _token_rows(encoder, texts, prompt)
    limit = token_limit(encoder)
    return [
        TokenFacts(
            count=len(ids),
            limit=limit,
            unknown=0 if unknown is None else ids.count(unknown),
            readable=any(not added and token != unknown for token, added in zip(ids, special, strict=True)),
        )
        for ids, special in rows
    ]


def surely_read(encoder: SentenceTransformer, texts: Sequence[str]) -> list[bool]:
    """Return of which texts the first word and the length show that the model reads them: something, and to the end.

    This is much faster than `token_report`, and False says nothing. If the first word has a known token, so has the
    whole text, unless the tokenizer takes only whole texts or splits at something else than spaces (its kind tells).
    A text with few bytes is not cut: a word piece has at least one character, and BERT's normalization never makes
    more characters than there were bytes. Of other tokenizers with a limit, nothing is said.
    """
    tokenizer: Any = getattr(encoder.tokenizer, "backend_tokenizer", encoder.tokenizer)
    model, normalizer = (type(getattr(tokenizer, part, None)).__name__ for part in ("model", "normalizer"))
    limit = token_limit(encoder)
    bounded = limit is None or (model, normalizer) == ("WordPiece", "BertNormalizer")
    if model not in ("WordPiece", "BPE", "Unigram") or not bounded:
        return [False] * len(texts)
    room = inf
    if limit is not None:
        room = limit - tokenizer.num_special_tokens_to_add(False) - len(Usage.of(encoder).text.encode())
    firsts = [text.partition(" ")[0] for text in texts]
    words = sorted({word for word in firsts if len(word) <= LONG})
    report = token_report(encoder, words)
    readable = {word for word, facts in zip(words, report, strict=True) if facts.readable}
    return [word in readable and len(text.encode()) <= room for word, text in zip(firsts, texts, strict=True)]


def word_pieces(encoder: SentenceTransformer, text: str) -> list[Piece]:
    """Return the tokens of one text in order, with the prompt that `encode` puts first."""
    tokenizer = encoder.tokenizer
    rows, unknown = _token_rows(encoder, [text], None)
    ids, special = rows[0]
    limit = token_limit(encoder)
    own = [k for k, added in enumerate(special) if not added]
    excess = len(ids) - limit if limit is not None and len(ids) > limit else 0
    left = getattr(tokenizer, "truncation_side", "right") == "left"
    cut = set(own[:excess] if left else own[len(own) - excess :])
    spelled = cache(lambda token: spelling(tokenizer, token))
    return [Piece(spelled(token), unknown=token == unknown, cut=k in cut) for k, token in enumerate(ids)]


def spelling(tokenizer: Any, token: int) -> str:
    """Return a token as text; if it is only a space or a part of a character, as the vocabulary writes it."""
    text = str(tokenizer.decode([token], skip_special_tokens=False)).strip()
    if text.strip("\N{REPLACEMENT CHARACTER}"):
        return text
    name = getattr(tokenizer, "id_to_token", None) or tokenizer.convert_ids_to_tokens
    return str(name(token))


def token_limit(encoder: SentenceTransformer) -> int | None:
    """Return how many tokens the model reads at most; None if there is no limit."""
    limit = encoder.max_seq_length
    # Libraries write "no limit" as None, infinity, or 10**30.
    return int(limit) if limit is not None and limit < 10**9 else None


def _token_rows(
    encoder: SentenceTransformer, texts: Sequence[str], prompt: str | None
) -> tuple[list[tuple[list[int], list[int]]], int | None]:
    """Return the token ids of each text, with a 1 for each that the tokenizer added; and the unknown token's id."""
    tokenizer: Any = encoder.tokenizer
    if prompt is None:
        prompt = Usage.of(encoder).text
    # The tokenizer gets what `encode` puts first, and the notebook's spaces for line breaks.
    given = [prompt + text.replace("\r", " ").replace("\n", " ") for text in texts]
    if callable(tokenizer):  # of transformers
        rows = tokenizer(
            given, truncation=False, padding=False, return_special_tokens_mask=True, verbose=False
        )
        return list(zip(rows["input_ids"], rows["special_tokens_mask"], strict=True)), tokenizer.unk_token_id
    # A static model has a bare one, of the tokenizers package, and adds no special tokens.
    encodings = tokenizer.encode_batch_fast(given, add_special_tokens=False)  # without their places
    unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "[UNK]")
    return [(row.ids, row.special_tokens_mask) for row in encodings], unknown
