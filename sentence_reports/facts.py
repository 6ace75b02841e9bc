"""The facts that a summary is made of: about a model, about what unrelated sentences score, about a heatmap."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

STEPS = 1000  # a baseline's percentiles are known to a tenth
DIGITS = 3  # more would differ between machines and numbers of threads
EQUAL = 6  # decimals; float32 cannot tell apart what differs only in later ones

Source = Literal["hub cache", "folder", "installed package", "this set", "file"]
"""Where a model is from; a model may also be fitted on the set itself, or be known by its vectors only."""


class Pair(NamedTuple):
    """Two sentences by their position in the set, counted from 0, `first` before `second`, and their similarity."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class ModelFacts:
    """What a page says about the model that ran, without any path of this machine.

    `dimension` is that of the vectors as they are used; `full_dimension` the model's own if they are truncated.
    `prompt` is what is put before each sentence, `query_prompt` what is put before each query; empty for nothing.
    `declared_prompts` holds the prompts that the model's files declare, by name, without empty ones.
    `pooling` is "mean", "cls" and so on (several joined by "+"), None for a model that does not pool; `max_tokens` is
    None if there is no limit; `normalizes` says whether the model itself ends in unit length; `parameters` is their
    number, `size_bytes` that of all files, `dtype` the weights' type as they run. `languages` are the codes of those
    that the model's own description states. `device` is where it ran: "cpu", "cuda" or "mps". Of a model that is known
    by its vectors only (`source` is "file"), `parameters` is 0 and `sha256` is the hash of that file.
    """

    name: str
    revision: str | None
    source: Source
    sha256: str
    dimension: int
    max_tokens: int | None
    pooling: str | None
    normalizes: bool
    parameters: int
    size_bytes: int
    dtype: str
    prompt: str = ""
    query_prompt: str = ""
    declared_prompts: dict[str, str] = field(default_factory=dict)
    full_dimension: int | None = None
    stands_in_for: str | None = None
    reason: str | None = None
    languages: tuple[str, ...] = ()
    device: str = "cpu"

    @property
    def language_names(self) -> tuple[str, ...]:
        """The English names of the languages, such as "German" for "de"; the code of one that has no name."""
        if not self.languages:
            return ()
        from babel import Locale  # only if a page needs it

        names = Locale("en").languages
        return tuple(names.get(code.replace("-", "_"), code) for code in self.languages)


@dataclass(frozen=True)
class Legend:
    """The colors of a heatmap.

    `low` and `high` are the similarities at the ends of the colors, `scale` says the same in words, `ramp` holds the
    colors between them in equal steps (``#rrggbb``), `groups` the groups' names with the color of their labels.
    """

    low: float
    high: float
    scale: str
    ramp: tuple[str, ...]
    groups: tuple[tuple[str, str], ...] = ()

    def fraction(self, similarity: float) -> float:
        """Return how far a similarity is from `low` to `high`, from 0 to 1; what is beyond is at that end."""
        return min(1.0, max(0.0, (similarity - self.low) / (self.high - self.low)))


@dataclass(frozen=True)
class Baseline:
    """How similar unrelated sentences are to a model.

    `quantiles` holds ``STEPS + 1`` of the similarities of all `pairs`, each rounded to `DIGITS`, ascending: at least
    ``k / STEPS`` of the pairs have a similarity of `quantiles[k]` or less. `model` is the name of the model, `key`
    a hash of its files, its prompts and the sentences.
    """

    key: str
    model: str
    pairs: int
    quantiles: tuple[float, ...]

    @property
    def median(self) -> float:
        """The similarity that half of the unrelated pairs do not exceed."""
        return self.quantiles[STEPS // 2]

    @property
    def rare(self) -> float:
        """The similarity that 99% of the unrelated pairs do not exceed: above it, two texts count as related."""
        return self.quantiles[STEPS * 99 // 100]

    @property
    def scale(self) -> dict[str, float]:
        """The baseline in five numbers, by name."""
        shares = {"minimum": 0, "5th percentile": 0.05, "median": 0.5, "99th percentile": 0.99, "maximum": 1}
        return {name: self.quantiles[round(share * STEPS)] for name, share in shares.items()}

    def percentile(self, similarity: float) -> float:
        """Return the share of unrelated pairs below a similarity, 0 to 100: a lower bound in steps of 0.1.

        It is 100 only for a similarity above that of every unrelated pair.
        """
        # Rounded like the quantiles: rounding keeps the order, so what is above one of them here really is.
        passed = bisect_left(self.quantiles, round(float(similarity), DIGITS))
        return 100.0 if passed > STEPS else 100 * max(passed - 1, 0) / STEPS

    def corrected(self, similarity: float) -> float:
        """Return the chance-corrected similarity: 0 for the median unrelated pair, 1 for the same text.

        The form is that of Cohen's kappa: ``(s - m) / (1 - m)``, with the median as `m`. To a model whose median is 1
        all texts are the same, so that nothing is above chance.
        """
        return (similarity - self.median) / (1 - self.median) if self.median < 1 else 0.0

    def describe(self, similarity: float) -> str:
        """Return how a similarity compares with unrelated pairs, as in "closer than 99.1% of unrelated pairs"."""
        percentile = self.percentile(similarity)
        if percentile == 100:
            return f"closer than any of {self.pairs:,} unrelated pairs"
        if percentile > 0:
            return f"closer than {percentile:.4g}% of unrelated pairs"
        if round(float(similarity), DIGITS) > self.quantiles[0]:
            return f"closer than under {100 / STEPS:g}% of unrelated pairs"
        return f"closer than none of {self.pairs:,} unrelated pairs"
