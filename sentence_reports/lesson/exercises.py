"""Eight exercises about a set, from easy to hard; see `exercise.show_exercise` for what each shows.

A solution is only shown if it holds for the set and the model at hand.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentence_reports.claims import ClaimCheck
from sentence_reports.lesson.exercise import Verdict, show_exercise
from sentence_reports.lesson.finding import cite
from sentence_reports.lesson.html import HtmlOutput
from sentence_reports.lesson.number_exercises import NumberExercises
from sentence_reports.lesson.solutions import BRIDGES, NEIGHBORS, ORDERS, PARAPHRASES, REWRITES
from sentence_reports.lesson.words import content_words, words
from sentence_reports.summary import DIGITS, EQUAL, Baseline
from sentence_reports.texts import number

BITES = ("The dog bites the man", "The man bites the dog")


class Exercises(NumberExercises):
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
        super().__init__(texts, matrix, baseline)
        self.unit, self.groups = unit, tuple(groups or ())
        # the first claim that a sentence is closer to one than to another
        self.claim = next(
            (check for check in checks if check.kind == "closer" and len(_shared(check)) == 1), None
        )
        self._encode, self._vectors = encode, dict(zip(self.texts, unit, strict=True))
        self._vectors_of(  # at once, which is faster than one exercise after the other
            *BITES,
            *(text for pair in ORDERS for text in pair),
            *(text for known in (PARAPHRASES, NEIGHBORS, REWRITES, BRIDGES) for text in self._known(known)),
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
            hint="Look for a word that can be a verb in one place and a noun in another.",
            solution=_first(ORDERS, judge),
            because="the order changes what a word is, and not only who does what to whom.",
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
            return Verdict(
                related and not shared,
                f"similarity {number(value, 2)}, {self.baseline.describe(value)}{_too(shared)}",
            )

        return show_exercise(
            "The same in other words",
            f"Say what {cite(text)} says without its content words, but closer to it than 99% of unrelated pairs.",
            hint="Replace one word after the other, and watch how far the similarity falls.",
            solution=_first(self._known(PARAPHRASES), judge),
            because="no content word is the same, and yet the model finds the two related.",
            guess=guess,
            judge=judge,
            kind=str,
        )

    def neighbor(self, guess: str | None = None) -> HtmlOutput:
        """Ask for a sentence of the first group or, without groups, next to the last sentence."""
        grouped = len(set(self.groups)) > 1
        name = self.groups[0] if grouped else self.texts[-1]
        members = np.array(self.groups if grouped else self.texts, dtype=object)
        own = {
            word
            for text in np.array(self.texts, dtype=object)[members == name]
            for word in content_words(text)
        }

        def judge(mine: str) -> Verdict:
            values, shared = self.unit @ self._vectors_of(mine)[0], content_words(mine) & own
            means = {
                each: round(float(values[members == each].mean()), EQUAL) for each in dict.fromkeys(members)
            }
            rival = max((each for each in means if each != name), key=means.__getitem__)
            reason = f"{cite(name)} {number(means[name], 2)}, {cite(rival)} {number(means[rival], 2)}{_too(shared)}"
            return Verdict(means[name] > means[rival] and not shared, reason)

        return show_exercise(
            "One more for the group" if grouped else "A new neighbor",
            f"Write a sentence that the model puts into the group {cite(name)}: on average closer to its sentences "
            "than to those of any other group. Use none of the group’s content words."
            if grouped
            else f"Write a sentence that is closer to {cite(name)} than to any other sentence of this set. Use none of "
            "its content words.",
            hint="What is it about? Speak of the same things from another side.",
            solution=_first(self._known(NEIGHBORS), judge),
            because="it has none of their content words, so something else must bring it close.",
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
            solution=_first(self._known(REWRITES), judge),
            because="it is close in its words and in its form, and these count for much.",
            guess=guess,
            judge=judge,
            kind=str,
        )

    def bridge(self, guess: str | None = None) -> HtmlOutput:
        """Ask for one sentence that is related to both sentences of the farthest pair."""
        pair, rare = self.pairs.farthest(1)[0], self.baseline.rare
        one, other = self.texts[pair.first], self.texts[pair.second]

        def judge(mine: str) -> Verdict:
            values = [self._similarity(mine, text) for text in (one, other)]
            reason = (
                f"similarities {' and '.join(number(value, 3) for value in values)}, limit {number(rare, 3)}."
            )
            return Verdict(round(min(values), DIGITS) > rare, reason)

        return show_exercise(
            "A bridge",
            f"Write one sentence that is related to both sentences of the farthest pair, {self.name(pair)}: closer to "
            "each of them than 99% of unrelated pairs.",
            hint="The vector of a text that speaks of two things lies between those of the two.",
            solution=_first((*self._known(BRIDGES), f"{one.rstrip('.')}. {other}"), judge),
            because="it speaks of both.",
            guess=guess,
            judge=judge,
            kind=str,
        )

    # --- what they share ----------------------------------------------------------------------------------------

    def _known(self, solutions: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The solutions that were written for a sentence of this set."""
        return tuple(known for text in self.texts for known in solutions.get(text, ()))

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


def _first(candidates: Sequence[Any], judge: Callable[[Any], Verdict]) -> Any:
    """The first candidate that is right, None if there is none."""
    return next((candidate for candidate in candidates if judge(candidate).right), None)


def _too(shared: set[str]) -> str:
    """The end of a reason: the words that must not be there, if any."""
    return f"; not allowed: {', '.join(map(cite, sorted(shared)))}." if shared else "."
