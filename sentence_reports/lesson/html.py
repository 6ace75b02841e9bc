"""HTML that a notebook shows beside its pictures: texts in it are escaped, isolated and never read as formulas."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from sentence_reports.texts import count, isolated

LISTED_UP_TO = 30  # sentences shown at the beginning of a lesson


class HtmlOutput:
    """An output of a cell: `html` for a front end that can show it, `text` for any other."""

    def __init__(self, html: str, text: str) -> None:
        # The classes by which MathJax 3 and 2 know what to leave alone, as pandas writes them: "$5 to $10" is text.
        self.html = f'<div class="tex2jax_ignore mathjax_ignore">{html}</div>'
        self.text = text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def bdi(text: str) -> str:
    """Return `text` as an HTML element that cannot reorder the text around it."""
    return f"<bdi>{escape(isolated(text))}</bdi>"


def fold(kind: str, summary: str, answer: str) -> str:
    """Return HTML that shows `summary` and folds away `answer`, both plain text; `kind` is its class."""
    aside = " <i>Think, then open.</i>" if kind == "question" else ""
    return (
        f'<details class="{kind}"><summary><b>{escape(summary)}</b>{aside}</summary>'
        f'<p class="answer"><bdi>{escape(answer)}</bdi></p></details>'
    )


def folded(question: str, answer: str) -> HtmlOutput:
    """Return a question with its answer folded away.

    Sentences in either have to be isolated already (`quoted`).
    """
    return HtmlOutput(fold("question", question, answer), f"{question}\n{answer}")


def show_sentences(texts: Sequence[str], groups: Sequence[str] | None = None) -> HtmlOutput:
    """Show the first `LISTED_UP_TO` sentences with their numbers, under the names of their `groups`."""
    shown = texts[:LISTED_UP_TO]
    total = count(len(texts), "sentence")
    if groups:
        total += f" in {count(len(set(groups)), 'group')}"
    total += f"; the first {len(shown)}:" if len(shown) < len(texts) else ":"
    html, plain = [f"<p>{total}</p>"], [total]
    for name, members in groupby(range(len(shown)), key=lambda k: groups[k] if groups else ""):
        numbers = list(members)
        if name:
            html.append(f"<p><b>{bdi(name)}</b></p>")
            plain.append(f"{isolated(name)}:")
        items = "".join(f"<li>{bdi(shown[k])}</li>" for k in numbers)
        html.append(f'<ol start="{numbers[0] + 1}">{items}</ol>')
        plain += [f"{k + 1:>2}  {isolated(shown[k])}" for k in numbers]
    return HtmlOutput("".join(html), "\n".join(plain))
