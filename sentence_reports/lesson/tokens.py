"""How the model reads the sentences: their tokens, with what is unknown or cut."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from sentence_reports.lesson.html import HtmlOutput, bdi
from sentence_reports.models import Piece, TokenFacts, word_pieces
from sentence_reports.texts import shorten

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MAX_SENTENCES = 12  # shown from the start of the set; of the others, as many again that lose something
MAX_TOKENS = 40  # shown from the start of a sentence


def show_tokens(
    encoder: "SentenceTransformer", texts: Sequence[str], report: Sequence[TokenFacts]
) -> HtmlOutput:
    """Show the sentences as the model reads them: as tokens, with what is unknown or beyond its limit marked.

    `report` is what `models.token_report` returns for `texts`. Of many sentences, the first `MAX_SENTENCES` are shown,
    and as many of the others that the model does not read completely.
    """
    lossy = [k for k, facts in enumerate(report) if facts.unknown or facts.cut]
    shown = [
        *range(min(MAX_SENTENCES, len(texts))),
        *[k for k in lossy if k >= MAX_SENTENCES][:MAX_SENTENCES],
    ]
    html, plain = [], []
    for k in shown:
        tokens, facts = word_pieces(encoder, texts[k]), report[k]
        count = f"{facts.count} tokens; limit {facts.limit}" if facts.limit else f"{facts.count} tokens"
        text = f"{k + 1} · {bdi(shorten(texts[k], 300))} <small>({count})</small>"
        html.append(f"<p>{text}<br>{_row(tokens)}</p>")
        plain.append(f"{k + 1} ({count}): {' '.join(token.text for token in tokens[:MAX_TOKENS])}")
    total = _total(report, len(shown))
    return HtmlOutput(f"{''.join(html)}<p>{escape(total)}</p>", "\n".join([*plain, total]))


def _row(tokens: list[Piece]) -> str:
    """The first tokens, the last ones that are read, and the first ones that are not."""
    n = len(tokens)
    first_cut = next((k for k, token in enumerate(tokens) if token.cut), n)
    near_limit = range(max(MAX_TOKENS, first_cut - 5), min(first_cut + 10, n)) if first_cut < n else ()
    parts, last = [], -1
    for k in [*range(min(MAX_TOKENS, n)), *near_limit]:
        parts += [f"<i>… {k - last - 1} more …</i>"] if k - last > 1 else []
        chip = f"<code>{bdi(tokens[k].text)}</code>"
        chip = f"<mark>{chip}</mark>" if tokens[k].unknown else chip
        parts.append(f"<del>{chip}</del>" if tokens[k].cut else chip)
        last = k
    return " ".join(parts) + (f" <i>… {n - last - 1} more</i>" if last + 1 < n else "")


def _total(report: Sequence[TokenFacts], shown: int) -> str:
    cut, unknown = sum(facts.cut for facts in report), sum(facts.unknown > 0 for facts in report)
    total = f"{shown} of {len(report)} sentences are shown. " if shown < len(report) else ""
    if not cut and not unknown:
        return f"{total}No sentence is longer than the limit, and every token is in the vocabulary."
    total += f"Sentences that are cut: {cut}"
    total += " (what the model does not read is struck out)." if cut else "."
    return f"{total} Sentences with unknown tokens: {unknown}{' (marked)' if unknown else ''}."
