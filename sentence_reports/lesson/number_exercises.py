"""The exercises of a set that are answered with a number."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sentence_reports.lesson.exercise import Verdict, show_exercise
from sentence_reports.lesson.finding import cite
from sentence_reports.lesson.html import HtmlOutput
from sentence_reports.pairs import Pairs
from sentence_reports.summary import DIGITS, EQUAL, Baseline, Pair
from sentence_reports.texts import count, number


class NumberExercises:
    """Four exercises about n sentences and their (n, n) similarities; each method takes a learner's guess."""

    def __init__(self, texts: Sequence[str], matrix: NDArray[np.floating], baseline: Baseline) -> None:
        self.texts, self.matrix, self.baseline = tuple(texts), matrix, baseline
        self.pairs = Pairs(matrix)

    def cosine(self, guess: float | None = None) -> HtmlOutput:
        """Ask for the cosine of 60 degrees."""

        def judge(value: float) -> Verdict:
            if not -1 <= value <= 1:
                return Verdict(False, "a cosine is between −1 and 1.")
            return Verdict(abs(value - 0.5) < 0.005, f"the angle of {value:g} is {_degrees(value):.1f}°.")

        return show_exercise(
            "From an angle to a number",
            "Two vectors are at an angle of 60°. What is their cosine similarity?",
            hint="NumPy’s cosine wants radians: np.cos(np.radians(60)).",
            solution=0.5,
            because="the second vector reaches along the first by half its length.",
            guess=guess,
            judge=judge,
        )

    def angle(self, guess: float | None = None) -> HtmlOutput:
        """Ask for the degrees between the two closest sentences."""
        pair = self.pairs.closest(1)[0]
        degrees = _degrees(pair.similarity)

        def judge(value: float) -> Verdict:
            cosine = float(np.cos(np.radians(value)))
            return Verdict(abs(value - degrees) < 0.5, f"{value:g}° has a cosine of {number(cosine, 2)}.")

        return show_exercise(
            "From a number to an angle",
            f"How many degrees are between the two closest sentences, {self.name(pair)}?",
            hint="np.arccos turns a cosine into an angle in radians, np.degrees turns that into degrees.",
            solution=round(degrees, 1),
            because=f"the cosine of {degrees:.1f}° is {number(pair.similarity, 2)}. A right angle would be 90°.",
            guess=guess,
            judge=judge,
        )

    def above_chance(self, guess: float | None = None) -> HtmlOutput:
        """Ask how many pairs are closer than 99% of unrelated pairs."""
        total, rare = len(self.pairs), self.baseline.rare
        values = self.matrix[np.triu_indices(len(self.texts), k=1)].astype(float).round(DIGITS)
        above = int((values > rare).sum())

        def judge(value: float) -> Verdict:
            wrong = "that is too many." if value > above else "that is too few."
            return Verdict(value == above, "exactly." if value == above else wrong)

        return show_exercise(
            "More than chance",
            f"This set has {count(total, 'pair')}. How many are closer than 99% of unrelated pairs?",
            hint=f"Count the values above {number(rare, DIGITS)}. The array values holds each pair once.",
            solution=above,
            because="(values > rare).sum() counts them. By chance alone, it would be about one pair in 100.",
            guess=guess,
            judge=judge,
        )

    def outsider(self, guess: float | None = None) -> HtmlOutput:
        """Ask which sentence is on average least similar to the others."""
        n = len(self.texts)
        means = ((self.matrix.sum(axis=1, dtype=float) - self.matrix.diagonal()) / (n - 1)).round(EQUAL)
        least = int(means.argmin())
        alone = int((means == means[least]).sum()) == 1

        def judge(value: float) -> Verdict:
            if value not in range(1, n + 1):
                return Verdict(False, f"the sentences have the numbers 1 to {n}.")
            mean = means[int(value) - 1]
            return Verdict(bool(mean == means[least]), f"its mean is {number(mean, 2)}.")

        return show_exercise(
            "The outsider",
            "Which sentence is on average least similar to the others? Write its number.",
            hint="Take the mean of each row of matrix, without the 1 that stands for the sentence itself.",
            solution=least + 1,
            because=f"the mean similarity of {cite(self.texts[least])} with the others is {number(means[least], 2)}, "
            + ("the lowest." if alone else "and none has a lower one."),
            guess=guess,
            judge=judge,
        )

    def name(self, pair: Pair) -> str:
        """Return the two sentences of a pair in quotation marks."""
        return f"{cite(self.texts[pair.first])} and {cite(self.texts[pair.second])}"


def _degrees(cosine: float) -> float:
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
