"""The nearest neighbors in the notebook of a collection: from the cache, updated for what changed, or computed."""

from collections import Counter
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from sentence_reports.collection.neighbors import (
    FEW,
    NEIGHBORS,
    VERSION,
    Nearest,
    check,
    nearest,
    origins,
    updated,
)
from sentence_reports.models.encoding import send_progress
from sentence_reports.models.neighbor_cache import KEY, NeighborCache, Table

KEPT_ABOVE = 5000  # texts; fewer are compared in a second
SILENT_UP_TO = 20_000  # texts; more take long enough for a reader to wonder


def nearest_neighbors(vectors: NDArray[np.float32], k: int = NEIGHBORS) -> Nearest:
    """Return what `nearest` returns, bit for bit, but compare only what is not in the user's cache.

    The neighbors of more than `KEPT_ABOVE` vectors are kept there under a hash of all of them. If some differ from
    those of an earlier run, only these, and the neighbors that they change, are searched for. Above `SILENT_UP_TO`
    vectors, progress messages are sent, which show no output. Raises ValueError as `nearest` does.
    """
    check(vectors)
    progress = _Percent() if len(vectors) > SILENT_UP_TO else None
    if len(vectors) <= KEPT_ABOVE:
        return nearest(vectors, k, progress=progress)
    kind, keys = _kind(k), vector_keys(vectors)
    with NeighborCache() as cache:
        same = cache.get(kind, keys)
        if same is not None:
            return Nearest(same.positions, same.similarities)
        old = cache.closest(kind, keys)
        if old is None:
            neighbors = nearest(vectors, k, progress=progress)
        else:
            before = Nearest(old.positions, old.similarities)
            neighbors = updated(before, vectors, origins(old.keys, keys), k, progress=progress)
        cache.put(kind, Table(keys, neighbors.positions, neighbors.similarities))
    return neighbors


def keep_neighbors(vectors: NDArray[np.float32], neighbors: Nearest, k: int = NEIGHBORS) -> None:
    """Put what `nearest` found elsewhere for these `vectors`, `(n, d)`, where `nearest_neighbors` looks for it."""
    with NeighborCache() as cache:
        cache.put(_kind(k), Table(vector_keys(vectors), neighbors.positions, neighbors.similarities))


def are_known(vectors: NDArray[np.float32], k: int = NEIGHBORS) -> bool:
    """Return whether `nearest_neighbors` has little left to compare: the cache has a table of most `vectors`."""
    keys = vector_keys(vectors)
    with NeighborCache() as cache:
        old = cache.closest(_kind(k), keys)
    return old is not None and FEW * len(set(keys).difference(old.keys)) <= len(keys)


def _kind(k: int) -> str:
    return f"nearest neighbors {VERSION}, k = {k}"


def vector_keys(vectors: NDArray[np.float32]) -> list[bytes]:
    """Return a key for each of the vectors, `(n, d)`: a hash of it, and of how many before are the same."""
    times: Counter[bytes] = Counter()
    keys = []
    for row in vectors:
        key = blake2b(row.tobytes(), digest_size=KEY).digest()
        again = times[key]
        times[key] += 1
        keys.append(blake2b(key + again.to_bytes(8), digest_size=KEY).digest() if again else key)
    return keys


class _Percent:
    """Sends a progress message whenever one more percent of the tiles is done."""

    def __init__(self) -> None:
        self._told = -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // total
        if percent != self._told:
            self._told = percent
            send_progress(percent, 100, "comparing")
