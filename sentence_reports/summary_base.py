"""What the notebook of any kind of report publishes: its key results, typed, as one output of a type of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sentence_reports.claim_records import Check

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MIME = "application/vnd.sentence-reports.summary+json"


@dataclass(frozen=True, kw_only=True)
class Summary(ABC):
    """The key results of a report: published by the notebook as one output, read back by everything else.

    What every kind of report has. `settings` holds the set's keys other than its texts and what it expects. `finding`
    says in one or two sentences what came out; `notices` is what a reader should know before believing the numbers.
    """

    kind: str
    settings: dict[str, Any]
    finding: tuple[str, ...]
    notices: tuple[str, ...]
    versions: dict[str, str]

    @property
    @abstractmethod
    def size(self) -> int:
        """How many sentences, or distinct texts, the report is about."""

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the set expects, each as a statement that is met or not; nothing unless a kind of report says so."""
        return ()

    @property
    @abstractmethod
    def model_name(self) -> str:
        """The name of the model, or the labels of several."""

    @property
    def closest_pair(self) -> tuple[str, str, float] | None:
        """The texts of the closest pair and their similarity; None if the report is not about one such pair."""
        return None

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        text = f"The summary of {self.size:,} texts, for the head of the report."
        writer = adapter(type(self))  # type: ignore[arg-type]  # a class is hashable
        return {MIME: writer.dump_python(self, mode="json"), "text/plain": text}


@cache
def adapter(kind: type) -> TypeAdapter[Any]:
    """Return what reads and writes records of a type as JSON."""
    from pydantic import TypeAdapter  # a tenth of a second, which `--help` does not need

    return TypeAdapter(kind)
