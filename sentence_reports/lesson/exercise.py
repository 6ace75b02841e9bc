"""One exercise as a learner sees it: the task, a folded hint, a folded solution, and the verdict on a guess."""

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

from sentence_reports.lesson.html import HtmlOutput, fold
from sentence_reports.texts import isolated

NO_SOLUTION = "Nobody has written one for this set and this model yet."
EXPECTED = {
    float: "Write a number, as in guess = 12",
    str: 'Write a sentence in quotation marks, as in guess = "It is raining"',
    tuple: 'Write two sentences, as in guess = ("One", "Two")',
}


class Verdict(NamedTuple):
    """Whether an answer is right, and what it was judged by."""

    right: bool
    reason: str


def show_exercise(
    name: str,
    task: str,
    *,
    hint: str,
    solutions: Sequence[Any],
    because: str,
    guess: Any,
    judge: Callable[[Any], Verdict],
    kind: type = float,
) -> HtmlOutput:
    """Return an exercise as HTML and as plain text.

    `task` and `hint` are plain text with sentences isolated (`quoted`). The first of the `solutions` that `judge` finds
    right is shown, and `because` says why it is. `guess` is None before an answer, else of the `kind` that is judged.
    """
    solution = next((candidate for candidate in solutions if judge(candidate).right), None)
    solved = NO_SOLUTION if solution is None else f"guess = {as_code(solution)}: {because}"
    html = f"<p><b>{escape(name)}.</b> <bdi>{escape(task)}</bdi></p>{fold('hint', 'Hint', hint)}"
    html += fold("answer", "Solution", solved)
    lines = [f"{name}. {task}", f"Hint: {hint}", f"Solution: {solved}"]
    if guess is not None:
        said = verdict(guess, judge, kind)
        html += f"<p><b><bdi>{escape(said)}</bdi></b></p>"
        lines.append(said)
    return HtmlOutput(f'<div class="exercise">{html}</div>', "\n".join(lines))


def verdict(guess: Any, judge: Callable[[Any], Verdict], kind: type) -> str:
    """Return in words whether a guess is right, or what to write if it is not of the `kind` that is judged."""
    if isinstance(guess, list):
        guess = tuple(guess)
    if kind is float:
        fits = isinstance(guess, int | float) and guess == guess
    else:
        texts = guess if kind is tuple and isinstance(guess, tuple) else (guess,)
        fits = len(texts) == (2 if kind is tuple else 1)
        fits = fits and all(isinstance(text, str) and text.strip() for text in texts)
    if not fits:
        return f"{EXPECTED[kind]}."
    right, reason = judge(guess)
    return f"{'Right' if right else 'Not yet'}: {reason}"


def as_code(solution: Any) -> str:
    """Return a solution as a learner would type it."""
    if isinstance(solution, tuple):
        return f"({', '.join(map(as_code, solution))})"
    return isolated(json.dumps(solution, ensure_ascii=False)) if isinstance(solution, str) else str(solution)
