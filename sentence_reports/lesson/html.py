"""HTML that a notebook shows beside its pictures: texts in it are escaped, isolated and never read as formulas."""

from html import escape

from sentence_reports.texts import isolated


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


def folded(question: str, answer: str) -> HtmlOutput:
    """Return a question with its answer folded away.

    Sentences in either have to be isolated already (`quoted`).
    """
    summary = f"<summary><b>{escape(question)}</b> <i>Think, then open.</i></summary>"
    return HtmlOutput(
        f"<details>{summary}<p><bdi>{escape(answer)}</bdi></p></details>", f"{question}\n{answer}"
    )
