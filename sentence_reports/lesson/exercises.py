"""Eight exercises about a set, from easy to hard; see `exercise.show_exercise` for what each shows.

A solution is only shown if it holds for the set and the model at hand.
"""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sentence_reports.claim_records import ClaimCheck
from sentence_reports.facts import DIGITS, EQUAL, Baseline
from sentence_reports.lesson.exercise import Verdict, show_exercise
from sentence_reports.lesson.finding import cite, cite_pair
from sentence_reports.lesson.html import HtmlOutput
from sentence_reports.lesson.solutions import BRIDGES, NEIGHBORS, ORDERS, PARAPHRASES, REWRITES
from sentence_reports.lesson.words import content_words, words
from sentence_reports.pairs import Pairs
from sentence_reports.texts import count, number

BITES = ("The dog bites the man", "The man bites the dog")


class Exercises:
    """The exercises of a set: each method takes a learner's guess, None before there is one, and returns its output.

    `texts` are the `n` sentences, `unit` their `(n, d)` embeddings of length one and `matrix` their `(n, n)`
    similarities. `encode` returns the embeddings of other texts, `groups` names the group of each sentence, `checks`
    are the set's claims and what came out.
    """

    def __init__(
        self,
        texts: Sequence[str],
        unit: NDArray[np.floating],
        matrix: NDArray[np.floating],
        baseline: Baseline,
        encode: Callable[[Sequence[str]], NDArray[np.floating]],
        *,
        groups: Sequence[str] | None = None,
        checks: Sequence[ClaimCheck] = (),
    ) -> None:
        self.texts, self.unit, self.matrix, self.baseline = tuple(texts), unit, matrix, baseline
        self.pairs, self.groups = Pairs(matrix), tuple(groups or ())
        # the first claim that a sentence is closer to one than to another
        self.claim = next(
            (each for each in checks if each.kind == "closer" and len(_shared(each)) == 1), None
        )
        self._encode, self._vectors = encode, dict(zip(self.texts, unit, strict=True))
        self._vectors_of(  # at once, which is faster than one exercise after the other
            *BITES,
            *(text for pair in ORDERS for text in pair),
            *chain(*map(self._own_solutions, (PARAPHRASES, NEIGHBORS, REWRITES, BRIDGES))),
        )

    # --- answered with a number -------------------------------------------------------------------------------------

    def cosine(self, guess: float | None = None) -> HtmlOutput:
        """Ask for the cosine of 60 degrees."""

        def judge(value: float) -> Verdict:
            if not -1 <= value <= 1:
                return Verdict(False, "a cosine is between −1 and 1.")
            return Verdict(abs(value - 0.5) < 0.005, f"the angle of {value:g} is {_degrees(value):.1f}°.")

        return show_exercise(
            "From an angle to a number",
            "Two vectors are at an angle of 60°. What is their cosine similarity?",
            hint="NumPy's cosine wants radians: np.cos(np.radians(60)).",
            solutions=[0.5],
            because="the second vector, projected onto the first, is half as long.",
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
            f"What is the angle, in degrees, between the two closest sentences, {cite_pair(self.texts, pair)}?",
            hint="np.arccos turns a cosine into an angle in radians; np.degrees turns radians into degrees.",
            solutions=[round(degrees, 1)],
            because=f"the cosine of {degrees:.1f}° is {number(pair.similarity, 2)}. A right angle would be 90°.",
            guess=guess,
            judge=judge,
        )

    def above_chance(self, guess: float | None = None) -> HtmlOutput:
        """Ask how many pairs are closer than 99% of unrelated pairs."""
        total, rare = len(self.pairs), self.baseline.rare
        above = self.pairs.related(self.baseline)

        def judge(value: float) -> Verdict:
            wrong = "that is too many." if value > above else "that is too few."
            return Verdict(value == above, "exactly." if value == above else wrong)

        return show_exercise(
            "More than chance",
            f"This set has {count(total, 'pair')}. How many are closer than 99% of unrelated pairs?",
            hint=f"Count the values above {number(rare, DIGITS)}. The array called values holds each pair once.",
            solutions=[above],
            because="(values > rare).sum() counts them. By chance alone, about one pair in 100 would be.",
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
            solutions=[least + 1],
            because=f"the mean similarity of {cite(self.texts[least])} with the others is {number(means[least], 2)}, "
            + ("the lowest." if alone else "and none has a lower one."),
            guess=guess,
            judge=judge,
        )

    # --- with sentences -----------------------------------------------------------------------------------------

    def order(self, guess: tuple[str, str] | None = None) -> HtmlOutput:
        """Ask for the same words in two orders that the model tells apart better than who bites whom."""
        bar = self._similarity(*BITES)

        def judge(pair: tuple[str, str]) -> Verdict:
            one, other = pair
            value, same = self._similarity(one, other), words(one) == words(other) and one != other
            reason = f"similarity {number(value, 4)}, to beat: {number(bar, 4)}"
            return Verdict(same and value < bar, reason + ("." if same else "; the words are not the same."))

        return show_exercise(
            "Same words, different meaning",
            "Write two sentences with the same words in another order that mean different things. They must be less "
            f"similar than {cite(BITES[0])} and {cite(BITES[1])} ({number(bar, 2)}).",
            hint="Let two words trade places that are a means and an end, or a cause and an effect.",
            solutions=ORDERS,
            because="the words trade places here too, but this model notices it more.",
            guess=guess,
            judge=judge,
            kind=tuple,
        )

    def paraphrase(self, guess: str | None = None) -> HtmlOutput:
        """Ask for the first sentence in other words."""
        text = self.texts[0]

        def judge(mine: str) -> Verdict:
            value, shared = self._similarity(mine, text), content_words(mine) & content_words(text)
            related = round(value, DIGITS) > self.baseline.rare
            reason = f"similarity {number(value, 2)}, {self.baseline.describe(value)}{_too(shared)}"
            return Verdict(related and not shared, reason)

        return show_exercise(
            "The same in other words",
            f"Say what {cite(text)} says without any of its content words. The two must be closer than 99% of "
            "unrelated pairs.",
            hint="Replace one word after another, and watch how far the similarity falls.",
            solutions=self._own_solutions(PARAPHRASES),
            because="no content word is the same, and yet the model finds the two related.",
            guess=guess,
            judge=judge,
            kind=str,
        )

    def neighbor(self, guess: str | None = None) -> HtmlOutput:
        """Ask for a sentence of the first group or, without groups, next to the last sentence."""
        grouped = len(set(self.groups)) > 1
        name = self.groups[0] if grouped else self.texts[-1]
        members = self.groups if grouped else self.texts
        own = " ".join(text for text, each in zip(self.texts, members, strict=True) if each == name)

        def judge(mine: str) -> Verdict:
            shared = content_words(mine) & content_words(own)
            values = pd.Series(self.unit @ self._vectors_of(mine)[0], members, float)
            means = values.groupby(level=0, sort=False).mean().round(EQUAL)
            rival = str(means.drop(name).idxmax())
            reason = f"{cite(name)} {number(means[name], 2)}, {cite(rival)} {number(means[rival], 2)}{_too(shared)}"
            return Verdict(bool(means[name] > means[rival]) and not shared, reason)

        return show_exercise(
            "One more for the group" if grouped else "A new neighbor",
            f"Write a sentence that the model puts into the group {cite(name)}: on average closer to its sentences "
            "than to those of any other group. Use none of the group's content words."
            if grouped
            else f"Write a sentence that is closer to {cite(name)} than to any other sentence of this set. Use none of "
            "its content words.",
            hint="What is it about? Write about the same things from another point of view.",
            solutions=self._own_solutions(NEIGHBORS),
            because="it shares no content words, so something else must bring it close.",
            guess=guess,
            judge=judge,
            kind=str,
        )

    def overturn(self, guess: str | None = None) -> HtmlOutput:
        """Ask for another third sentence, so that a claim fails; of a set without such a claim, for a `bridge`."""
        if self.claim is None:
            return self.bridge(guess)
        (shared,) = _shared(self.claim)
        near, far = (
            text for side in (self.claim.first, self.claim.second) for text in side.texts if text != shared
        )
        bar = self._similarity(shared, near)

        def judge(mine: str) -> Verdict:
            value, new = self._similarity(mine, shared), words(mine) - words(shared) - words(near)
            reason = f"similarity {number(value, 4)}, to beat: {number(bar, 4)}"
            more = "." if new else "; it needs at least one word that the other two sentences do not have."
            return Verdict(value > bar and bool(new), reason + more)

        return show_exercise(
            "Overturn a claim",
            f"This set claims that {cite(shared)} is closer to {cite(near)} ({number(bar, 2)}) than to {cite(far)} "
            f"({number(self._similarity(shared, far), 2)}). Rewrite {cite(far)}, with a word that the other two do not "
            "have, so that this no longer holds.",
            hint=f"Keep the meaning of that sentence, and borrow words and form from {cite(shared)}.",
            solutions=self._own_solutions(REWRITES),
            because="it has the same form and nearly the same words, and both count for a lot.",
            guess=guess,
            judge=judge,
            kind=str,
        )

    def bridge(self, guess: str | None = None) -> HtmlOutput:
        """Ask for one sentence that is related to both sentences of the farthest pair."""
        pair, rare = self.pairs.farthest(1)[0], self.baseline.rare
        one, other = self.texts[pair.first], self.texts[pair.second]
        both = cite_pair(self.texts, pair)

        def judge(mine: str) -> Verdict:
            first, second = (self._similarity(mine, text) for text in (one, other))
            reason = f"similarities {number(first, 3)} and {number(second, 3)}, limit {number(rare, 3)}."
            return Verdict(round(min(first, second), DIGITS) > rare, reason)

        return show_exercise(
            "A bridge",
            f"Write one sentence that is related to both sentences of the farthest pair, {both}: closer to each "
            "of them than 99% of unrelated pairs.",
            hint="The vector of a text about two things is between the vectors of the two.",
            solutions=(*self._own_solutions(BRIDGES), f"{one.rstrip('.')}. {other}"),
            because="it is about both.",
            guess=guess,
            judge=judge,
            kind=str,
        )

    # --- what they share ----------------------------------------------------------------------------------------

    def _own_solutions(self, solutions: dict[str, str]) -> list[str]:
        """The solutions that were written for a sentence of this set."""
        return [solutions[text] for text in self.texts if text in solutions]

    def _vectors_of(self, *texts: str) -> NDArray[np.floating]:
        """The embeddings of texts at length one, `(n, d)`; no text is encoded twice."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            vectors = self._encode(new)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            self._vectors |= zip(new, vectors / np.where(lengths > 0, lengths, 1), strict=True)
        return np.stack([self._vectors[text] for text in texts])

    def _similarity(self, one: str, other: str) -> float:
        first, second = self._vectors_of(one, other)
        return round(float(first @ second), EQUAL)


def _shared(check: ClaimCheck) -> set[str]:
    """The sentences that are on both sides of a claim."""
    return set(check.first.texts) & set(check.second.texts)


def _too(shared: set[str]) -> str:
    """The end of a reason: the words that must not be there, if any."""
    return f"; not allowed: {', '.join(map(cite, sorted(shared)))}." if shared else "."


def _degrees(cosine: float) -> float:
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
