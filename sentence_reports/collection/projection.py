"""A map of a collection: two numbers for each text, the frame that is drawn, and spots for the names of topics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sentence_reports.collection.exact import tiles
from sentence_reports.errors import SentenceReportsError

DIGITS = 5  # of coordinates; more would differ between machines
EDGES = (0.005, 0.995)  # quantiles
MARGIN = 0.03  # of the frame, around what is between the edges
MOST_LABELS = 25
LABEL_GAP = 0.01  # between labels, of the frame
RINGS, SPOKES = 4, 12  # of the spots that are tried around a topic's middle
COMPONENTS = 50  # that PaCMAP starts from


class MissingExtra(SentenceReportsError):
    """Raised when a map by PaCMAP is asked for and the package is not installed."""


class Frame(NamedTuple):
    """The part of a map that is drawn: all between the 0.5% and 99.5% quantiles of both axes, and a margin.

    `outside` is the number of points that are beyond it.
    """

    left: float
    bottom: float
    right: float
    top: float
    outside: int


@dataclass(frozen=True)
class Projection:
    """Two numbers for each of `n` texts: `points`, `(n, 2)` float64.

    `method` is "two principal components" or "PaCMAP". `kept` is the share of the variance that the first two principal
    components keep, 0 to 1.
    """

    points: NDArray[np.float64]
    frame: Frame
    method: str
    kept: float


class Spot(NamedTuple):
    """Where the name of a topic (counted from 0) goes on a map: the middle of its label, as shares of the frame."""

    topic: int
    x: float
    y: float


def project(vectors: NDArray[np.float32], *, pacmap: bool = False) -> Projection:
    """Return a map of the `vectors`, `(n, d)`, by their two principal components, or by PaCMAP.

    The largest loading of each component is positive. Raises MissingExtra if PaCMAP is asked for and is not
    installed.
    """
    count = COMPONENTS if pacmap else 2
    components, kept = principal_components(vectors, count)
    points = components[:, :2]
    if pacmap:
        points = pacmap_points(components)
    points = points.round(DIGITS) + 0.0
    return Projection(points, frame_of(points), "PaCMAP" if pacmap else "two principal components", kept)


def principal_components(vectors: NDArray[np.float32], count: int) -> tuple[NDArray[np.float64], float]:
    """Return the first `count` principal components of `n` vectors, `(n, count)`, and what the first two keep, 0 to 1.

    There are 0 in place of components that do not exist. One thread sums up, so that the bits do not depend on their
    number.
    """
    n, d = vectors.shape
    with threadpool_limits(1):
        mean = sum((tile.sum(axis=0, dtype=np.float64) for tile in tiles(vectors)), np.zeros(d)) / max(n, 1)
        scatter = np.zeros((d, d))
        for tile in tiles(vectors):
            centered = tile - mean
            scatter += centered.T @ centered
        values, directions = np.linalg.eigh(scatter)
        directions = directions[:, ::-1][:, :count]
        largest = np.abs(directions.round(DIGITS)).argmax(axis=0)
        directions = directions * np.where(directions[largest, np.arange(directions.shape[1])] < 0, -1, 1)
        result = np.zeros((n, count))
        for start, tile in zip(range(0, n, 4096), tiles(vectors), strict=True):
            result[start : start + 4096, : directions.shape[1]] = (tile - mean) @ directions
    total = float(values.clip(0).sum())
    return result, round(float(values[::-1][:2].clip(0).sum()) / total, DIGITS) if total > 0 else 1.0


def pacmap_points(components: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two dimensions that PaCMAP makes of principal components, `(n, 2)`, the same for the same seed."""
    try:
        from pacmap import PaCMAP
    except ImportError as error:
        raise MissingExtra(
            "A map by PaCMAP needs the package pacmap, which is not installed. Install it with "
            "`pip install sentence-reports[map]`, or use the map by principal components."
        ) from error
    reducer = PaCMAP(n_components=2, random_state=0, apply_pca=False)
    return np.asarray(reducer.fit_transform(components.astype(np.float32)), dtype=np.float64)


def frame_of(points: NDArray[np.float64]) -> Frame:
    """Return the frame of `(n, 2)` points; it has a width and a height even if all of them are in one place."""
    if not len(points):
        return Frame(-1.0, -1.0, 1.0, 1.0, 0)
    low, high = np.quantile(points, EDGES, axis=0)
    margin = np.where(high > low, MARGIN * (high - low), 1.0)
    low, high = (low - margin).round(DIGITS), (high + margin).round(DIGITS)
    outside = int(((points < low) | (points > high)).any(axis=1).sum())
    return Frame(float(low[0]), float(low[1]), float(high[0]), float(high[1]), outside)


def label_spots(
    projection: Projection,
    topic_of: NDArray[np.integer],
    sizes: Sequence[tuple[float, float]],
    *,
    most: int = MOST_LABELS,
) -> tuple[Spot, ...]:
    """Return spots for the names of up to `most` topics, the largest first; no two overlap or leave the frame.

    ``topic_of[p]`` is the topic of the point at `p`, -1 for none, `(n,)`. ``sizes[t]`` holds width and height of the
    label of topic `t` as shares of the frame. A label is at the median of its points or near it; a topic for whose name
    there is no room has none.
    """
    frame = projection.frame
    low, high = np.array([frame.left, frame.bottom]), np.array([frame.right, frame.top])
    spots: list[Spot] = []
    boxes: list[tuple[float, float, float, float]] = []
    for topic, (width, height) in enumerate(sizes):
        if len(spots) == most:
            break
        points = projection.points[topic_of == topic]
        if not len(points) or width > 1 or height > 1:
            continue
        middle = (np.median(points, axis=0) - low) / (high - low)
        for x, y in _tries(middle, width, height):
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            if not any(_overlap(box, other) for other in boxes):
                spots.append(Spot(topic, x, y))
                boxes.append(box)
                break
    return tuple(spots)


def _tries(middle: NDArray[np.float64], width: float, height: float) -> Iterator[tuple[float, float]]:
    """Yield spots for a label within the frame: the topic's middle, then rings around it."""
    for ring in range(RINGS + 1):
        for spoke in range(SPOKES if ring else 1):
            angle = 2 * np.pi * spoke / SPOKES
            x, y = middle + ring / 2 * np.array((width * np.cos(angle), 2 * height * np.sin(angle)))
            yield (
                round(float(np.clip(x, width / 2, 1 - width / 2)), DIGITS),
                round(float(np.clip(y, height / 2, 1 - height / 2)), DIGITS),
            )


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return (
        one[0] < other[2] + LABEL_GAP
        and other[0] < one[2] + LABEL_GAP
        and one[1] < other[3] + LABEL_GAP
        and other[1] < one[3] + LABEL_GAP
    )
