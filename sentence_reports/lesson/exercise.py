"""One exercise as a learner sees it: the task, a folded hint, a folded solution, and the verdict on a guess."""

import json
from collections.abc import Callable
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
    solution: Any,
    because: str,
    guess: Any,
    judge: Callable[[Any], Verdict],
    kind: type = float,
) -> HtmlOutput:
    """Return an exercise as HTML and as plain text.

    `task` and `hint` are plain text with sentences isolated (`quoted`). `solution` is a guess that `judge` finds right,
    None if none is known; `because` says why. `guess` is None before an answer, else of the `kind` that is judged.
    """
    solved = NO_SOLUTION
    if solution is not None:
        solved = f"guess = {as_code(solution)}: {because}"
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
    fits = isinstance(guess, int | float) and guess == guess if kind is float else isinstance(guess, kind)
    if kind is tuple:
        fits = fits and len(guess) == 2 and all(isinstance(text, str) and text.strip() for text in guess)
    if kind is str:
        fits = fits and bool(guess.strip())
    if not fits:
        return f"{EXPECTED[kind]}."
    right, reason = judge(guess)
    return f"{'Right' if right else 'Not yet'}: {reason}"


def as_code(solution: Any) -> str:
    """Return a solution as a learner would type it."""
    if isinstance(solution, tuple):
        return f"({', '.join(map(as_code, solution))})"
    return isolated(json.dumps(solution, ensure_ascii=False)) if isinstance(solution, str) else str(solution)
