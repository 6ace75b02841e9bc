"""The files beside the page of a collection, written as streams: what is known of each text, and its neighbors."""

import csv
import os
from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentence_reports.collected import Collected
from sentence_reports.collection.duplicates import NearDuplicates
from sentence_reports.collection.loners import similarity_to_neighbors
from sentence_reports.collection.neighbors import Nearest
from sentence_reports.collection.projection import DIGITS, Projection
from sentence_reports.collection.topics import Topics
from sentence_reports.comparison import percentiles
from sentence_reports.facts import EQUAL, Baseline
from sentence_reports.report import EMBEDDINGS, WRITTEN

TEXTS, NEIGHBORS, VECTORS = WRITTEN.values()
BLOCK = 4096  # rows that are turned into text at once


def write_files(
    collected: Collected,
    vectors: NDArray[np.float32],
    baseline: Baseline,
    nearest: Nearest,
    topics: Topics,
    duplicates: NearDuplicates,
    projection: Projection,
) -> dict[str, int]:
    """Write the files into the current folder, and return their sizes in bytes by name.

    `TEXTS` has a row for each text of the file in its order, `NEIGHBORS` the neighbors of each distinct text. `VECTORS`
    is written only if `EMBEDDINGS` asks for it: the vector of a row of the file is in the same row, ``number - 1``.
    """
    _write(TEXTS, text_rows(collected, nearest, topics, duplicates, projection))
    _write(NEIGHBORS, neighbor_rows(collected, nearest, baseline))
    names = [TEXTS, NEIGHBORS]
    if os.environ.get(EMBEDDINGS):
        write_vectors(Path(VECTORS), collected, vectors)
        names.append(VECTORS)
    return {name: Path(name).stat().st_size for name in names}


def _write(name: str, rows: Iterator[tuple[object, ...]]) -> None:
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)  # quotes where needed, CRLF


def text_rows(
    collected: Collected,
    nearest: Nearest,
    topics: Topics,
    duplicates: NearDuplicates,
    projection: Projection,
) -> Iterator[tuple[object, ...]]:
    """Yield the header of `TEXTS`, then what is known of the text in each row that has one.

    A text that repeats another one, or nearly, names the row of that one. What does not exist is an empty cell: the
    topic of a text without one, the group of a repeated text, which is not kept.
    """
    yield (
        *("number", "text", "group", "topic", "topic name", "duplicate of"),
        *("similarity to neighbours", "x", "y"),
    )
    means, original = similarity_to_neighbors(nearest), duplicates.originals(len(collected.texts))
    first = ((row, k, int(original[k])) for k, row in enumerate(collected.rows))
    again = ((row, k, k) for row, k in collected.copies)
    for row, k, same in merge(first, again):
        topic = int(topics.of[k])
        x, y = projection.points[k].tolist()
        yield (
            row,
            collected.texts[k],
            collected.groups[k] if collected.groups and same != k else "",
            topic + 1 if topic >= 0 else "",
            topics.topics[topic].name if topic >= 0 else "",
            collected.rows[same] if same >= 0 else "",
            "" if np.isnan(means[k]) else f"{means[k]:.{EQUAL}f}",
            f"{x:.{DIGITS}f}",
            f"{y:.{DIGITS}f}",
        )


def neighbor_rows(collected: Collected, nearest: Nearest, baseline: Baseline) -> Iterator[tuple[object, ...]]:
    """Yield the header of `NEIGHBORS`, then the nearest neighbors of each distinct text, the nearest first."""
    yield "number", "rank", "neighbour", "similarity", "percentile"
    rows = np.array(collected.rows)
    for start in range(0, len(rows), BLOCK):
        some = slice(start, start + BLOCK)
        values = nearest.similarities[some]
        percentile_rows: Any = percentiles(values.ravel(), baseline).reshape(values.shape).tolist()
        texts = values.astype(str).tolist()  # the shortest digits that give the same float32 again
        others = rows[nearest.positions[some]].tolist()
        for number, *cells in zip(rows[some].tolist(), others, texts, percentile_rows, strict=True):
            for rank, (other, value, percentile) in enumerate(zip(*cells, strict=True), start=1):
                yield number, rank, other, value, f"{percentile:.1f}"


def write_vectors(path: Path, collected: Collected, vectors: NDArray[np.float32]) -> None:
    """Write the vectors of all rows of the file, `(total, d)` float32; those of rows that are left out are nan."""
    shape = (collected.total, vectors.shape[1])
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype("<f4"), shape=shape)
    position = np.full(collected.total, -1)
    position[np.array(collected.rows) - 1] = np.arange(len(collected.rows))
    for row, k in collected.copies:
        position[row - 1] = k
    for start in range(0, collected.total, BLOCK):
        some = position[start : start + BLOCK]
        table[start : start + BLOCK] = np.where(some[:, None] < 0, np.float32(np.nan), vectors[some])
    table.flush()
