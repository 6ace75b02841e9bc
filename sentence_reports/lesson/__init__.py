"""What the lesson shows beside its pictures: a folded answer, sentences cut into pieces, words and groups compared.

Its HTML any Jupyter front end shows; every text in it is escaped, and plain words stand in where there is none.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sentence_reports.models import Piece, TokenFacts, word_pieces
from sentence_reports.texts import shorten

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SHOWN = 12  # sentences cut into pieces; of the others, as many again that lose something
PIECES = 40  # of a sentence


class Words:
    """Something to read: `html` where it can be shown, `text` everywhere else."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def folded(question: str, answer: str) -> Words:
    """A question, with its answer behind a fold."""
    summary = f"<summary><b>{escape(question)}</b> <i>Think, then open.</i></summary>"
    return Words(f"<details>{summary}<p>{escape(answer)}</p></details>", f"{question}\n{answer}")


def in_pieces(encoder: "SentenceTransformer", texts: Sequence[str], facts: Sequence[TokenFacts]) -> Words:
    """The sentences as the model reads them: in pieces, with what is unknown or beyond its limit marked.

    `facts` holds what `models.token_report` says of each text. Of many sentences the first are shown, and those of the
    rest that lose something, up to `SHOWN` each.
    """
    lossy = [k for k, fact in enumerate(facts) if fact.unknown or fact.cut]
    shown = [*range(min(SHOWN, len(texts))), *[k for k in lossy if k >= SHOWN][:SHOWN]]
    html, plain = [], []
    for k in shown:
        pieces, fact = word_pieces(encoder, texts[k]), facts[k]
        count = f"{fact.count} of at most {fact.limit} tokens" if fact.limit else f"{fact.count} tokens"
        said = f"{k + 1} · {escape(shorten(texts[k], 300))} <small>({count})</small>"
        html.append(f"<p>{said}<br>{_row(pieces)}</p>")
        plain.append(f"{k + 1} ({count}): {' '.join(piece.text for piece in pieces[:PIECES])}")
    words = _sum(facts, len(shown))
    return Words(f"{''.join(html)}<p>{escape(words)}</p>", "\n".join([*plain, words]))


def _row(pieces: list[Piece]) -> str:
    """The first pieces, and around the limit the last that are read and the first that are not."""
    first_cut = next((k for k, piece in enumerate(pieces) if piece.cut), len(pieces))
    around = (
        range(max(PIECES, first_cut - 5), min(first_cut + 10, len(pieces)))
        if first_cut < len(pieces)
        else range(0)
    )
    kept = [*range(min(PIECES, len(pieces))), *around]
    parts, last = [], -1
    for k in kept:
        parts += [f"<i>… {k - last - 1} more …</i>"] if k - last > 1 else []
        parts.append(_chip(pieces[k]))
        last = k
    return " ".join(parts) + (f" <i>… {len(pieces) - last - 1} more</i>" if last + 1 < len(pieces) else "")


def _chip(piece: Piece) -> str:
    chip = f"<code>{escape(piece.text)}</code>"
    chip = f"<mark>{chip}</mark>" if piece.unknown else chip
    return f"<del>{chip}</del>" if piece.cut else chip


def _sum(facts: Sequence[TokenFacts], shown: int) -> str:
    cut, unknown = sum(fact.cut for fact in facts), sum(fact.unknown > 0 for fact in facts)
    words = f"{shown} of {len(facts)} sentences are shown. " if shown < len(facts) else ""
    if not cut and not unknown:
        return words + "No sentence is longer than the limit, and every piece is in the vocabulary."
    words += f"Sentences that are cut: {cut}" + (
        " (what the model does not read is struck out)" if cut else ""
    )
    return words + f". Sentences with unknown pieces: {unknown}" + (" (marked)." if unknown else ".")


def words(text: str) -> set[str]:
    """The words of a text, for comparison: without capitals and punctuation, parted where spaces part them.

    In scripts that put no spaces between words, what stands between two punctuation marks is one word.
    """
    folded_text = unicodedata.normalize("NFKC", text).casefold()
    letters = (c if unicodedata.category(c)[0] in "LNM" else " " for c in folded_text if c not in "'’")
    return set("".join(letters).split())


def group_means(matrix: NDArray[np.floating], groups: Sequence[str]) -> pd.DataFrame:
    """The mean similarity of the pairs within each group and between each two, with the groups as index and columns.

    `matrix` is `(n, n)`, `groups` names the group of each sentence. No sentence is paired with itself: a group of
    one has nan on the diagonal.
    """
    member = pd.get_dummies(pd.Series(groups), dtype=float)[list(dict.fromkeys(groups))]
    sizes = member.sum().to_numpy()
    total = member.T.to_numpy() @ matrix @ member.to_numpy()
    count = np.outer(sizes, sizes)
    total[np.diag_indices_from(total)] -= member.T.to_numpy() @ np.diag(matrix)
    count[np.diag_indices_from(count)] -= sizes
    means = np.divide(total, count, out=np.full_like(count, np.nan), where=count > 0)
    return pd.DataFrame(means, index=member.columns, columns=member.columns)


def group_words(matrix: NDArray[np.floating], groups: Sequence[str]) -> str:
    """How much more alike two sentences of one group are than two of different groups, on average, in a sentence.

    `matrix` is `(n, n)`, `groups` names the group of each sentence.
    """
    of = np.array(groups)
    first, second = np.triu_indices(len(of), k=1)
    same, values = of[first] == of[second], matrix[first, second]
    if not same.any():
        return "Each group has one sentence: there is no pair within a group."
    within = f"Two sentences of the same group: {values[same].mean():.3f} on average"
    if same.all():
        return f"{within}. There is one group only."
    gap = values[same].mean() - values[~same].mean()
    alone = " (NaN: a group of one sentence has no pair.)" if min(Counter(groups).values()) == 1 else ""
    return (
        f"{within}. Two of different groups: {values[~same].mean():.3f}. The difference is {gap:.3f}.{alone}"
    )
