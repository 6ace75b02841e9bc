"""What a set may say about how a collection of texts is looked at: its topics and its map."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Annotated, Any

from pydantic import Field

from sentence_reports.sets.mapping import Mapping, Mismatch

MAX_RESOLUTION = 1000
OF_A_COLLECTION = {
    "topics": "because only a file of texts has topics",
    "map": "because only a file of texts has a map to choose",
}
"""The keys that go with `texts` only, and why."""


class TopicOptions(Mapping):
    """How topics are found."""

    resolution: Annotated[float, Field(gt=0, le=MAX_RESOLUTION, allow_inf_nan=False)] = Field(
        description="The resolution of the Leiden algorithm: the higher, the more and smaller topics. Without it, one "
        "is chosen that gives about the square root of the number of texts, from 5 to 100 topics."
    )


def collection_mismatches(data: dict[str, Any]) -> Iterator[Mismatch]:
    """Yield keys of a collection in a set of sentences, and a map whose package is not installed."""
    if "texts" not in data:
        for key, reason in OF_A_COLLECTION.items():
            if data.get(key) is not None:
                yield Mismatch(
                    (key,), f"does not go with `sentences`, {reason}. Put it into a set with `texts`."
                )
    elif data.get("map") == "pacmap" and find_spec("pacmap") is None:
        message = "needs the package pacmap. Install it (pip install pacmap), or remove the key."
        yield Mismatch(("map",), message)
