"""A map of a collection: every text a dot, with the names of the largest topics where most of their texts are."""

import io
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image

from sentence_reports.collection.projection import Projection, Spot, label_spots
from sentence_reports.collection.topics import Topics
from sentence_reports.lesson.picture import PX, SMALL, Picture, can_draw, canvas, fit, styled, text_width
from sentence_reports.schemes import TOPIC_GRAY, TOPIC_HUES
from sentence_reports.texts import count, isolated, number

WIDTH, HEIGHT = 760, 520  # CSS pixels
NAME, LINE = 170, 17  # CSS pixels: the widest name of a topic, the height of a line
DOT = 5  # CSS pixels: the radius of the mark in front of a name
MARK = 14  # CSS pixels from a label's left end to its name
COLORED = 6  # topics, the largest
TOLD = 6  # topics in the text alternative
BOLD = 1.17  # times as wide as plain letters
BYTES = 190_000  # of the pixels; as text inside the SVG they take a third more
SCALES = (2.0, 1.5, 1.0, 0.75)  # pixels of the raster in a CSS pixel, until it is small enough
# Each stands out by 3 to 1 or more from a light ground and from a dark one, because pixels cannot follow the reader's
# scheme. The last one is for all other texts.
COLORS = (*TOPIC_HUES, TOPIC_GRAY)
LEVELS = (0, 110, 165, 215, 255)  # opacities: of nothing, of one dot, of two, of up to five, of more
FEW, FEW_LEVELS = 2000, (0, 190, 225, 245, 255)  # the same for up to so many texts
FADED = 0.25  # of the opacity behind a name


class Label(NamedTuple):
    """The name of a topic on the map: its middle, and its width, in CSS pixels from the bottom left."""

    topic: int
    text: str
    x: float
    y: float
    width: float


@styled
def collection_map(projection: Projection, topics: Topics) -> Picture:
    """Return a map of `n` texts with the names of up to 25 topics; its dots are pixels, so that its size is bounded.

    The six largest topics have colors. What is beyond the frame is left out, and the text alternative says so.
    """
    labels = place_names(projection, topics)
    figure, axes = canvas(WIDTH, HEIGHT)
    pixels = small_enough(projection, topics.of, labels)
    extent = (0, WIDTH, 0, HEIGHT)
    axes.imshow(pixels, extent=extent, interpolation="none", aspect="auto", origin="upper")
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    for label in labels:
        _write(axes, label)
    return Picture(figure, describe(projection, topics, labels))


def place_names(projection: Projection, topics: Topics) -> list[Label]:
    """Return the names that find room, the largest topics first; one that the font cannot draw is a number."""
    texts = [
        fit(topic.name, NAME, SMALL) if topic.name and can_draw(topic.name) else f"topic {k}"
        for k, topic in enumerate(topics.topics, start=1)
    ]
    widths = [text_width(text, SMALL) * BOLD + 8 + MARK * (k < COLORED) for k, text in enumerate(texts)]
    spots: tuple[Spot, ...] = label_spots(
        projection, topics.of, [(width / WIDTH, LINE / HEIGHT) for width in widths]
    )
    return [
        Label(spot.topic, texts[spot.topic], spot.x * WIDTH, spot.y * HEIGHT, widths[spot.topic])
        for spot in spots
    ]


def small_enough(
    projection: Projection, topic_of: NDArray[np.integer], labels: list[Label]
) -> NDArray[np.uint8]:
    """Return the pixels of the dots, `(h, w, 4)`, as many as fit into `BYTES` as a PNG."""
    for scale in SCALES:
        pixels = dots(projection, topic_of, labels, scale)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="png")
        if buffer.tell() <= BYTES:
            break
    return pixels


def dots(
    projection: Projection, topic_of: NDArray[np.integer], labels: list[Label], scale: float
) -> NDArray[np.uint8]:
    """Return the dots as pixels, `(h, w, 4)`, top row first: the color of the topic with most dots there.

    Where more dots overlap, they are more opaque; behind the `labels` they are faded.
    """
    frame = projection.frame
    shape = round(HEIGHT * scale), round(WIDTH * scale)
    across = (projection.points[:, 0] - frame.left) / (frame.right - frame.left)
    up = (projection.points[:, 1] - frame.bottom) / (frame.top - frame.bottom)
    inside = (across >= 0) & (across < 1) & (up >= 0) & (up < 1)
    row = ((1 - up[inside]) * shape[0]).astype(int).clip(0, shape[0] - 1)
    column = (across[inside] * shape[1]).astype(int)
    kind = np.where((topic_of < 0) | (topic_of >= COLORED), COLORED, topic_of)[inside]
    stamp = disk(radius(len(topic_of)) * scale)
    most, total = np.zeros(shape, dtype=np.intp), np.zeros(shape, dtype=np.intp)
    color = np.full(shape, COLORED, dtype=np.uint8)
    for each in range(len(COLORS)):
        here = stamped(row[kind == each], column[kind == each], stamp, shape)
        color[here > most] = each
        most = np.maximum(most, here)
        total += here
    levels = FEW_LEVELS if len(topic_of) <= FEW else LEVELS
    opacity = np.array(levels, dtype=np.uint8)[np.searchsorted((1, 2, 3, 6), total, side="right")]
    palette = np.array([list(bytes.fromhex(each[1:])) for each in COLORS], dtype=np.uint8)  # (7, 3)
    pixels = np.dstack([palette[color], opacity])
    pixels[total == 0] = 0
    for label in labels:
        left, right = (label.x + side * label.width / 2 for side in (-1, 1))
        top, bottom = (HEIGHT - label.y + side * LINE / 2 for side in (-1, 1))
        box = (
            slice(*(round(max(y, 0) * scale) for y in (top, bottom))),
            slice(*(round(max(x, 0) * scale) for x in (left, right))),
        )
        pixels[box][..., 3] = (pixels[box][..., 3] * FADED).astype(np.uint8)
    return pixels


def radius(n: int) -> float:
    """Return the radius of a dot in CSS pixels: the more texts, the smaller."""
    return float(np.clip(130 / n**0.5, 1.0, 4.0))


def disk(size: float) -> NDArray[np.intp]:
    """Return the pixels of a disk of this radius in pixels, at least one, as steps from its middle, `(m, 2)`."""
    reach = int(size)
    steps = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1).T
    return np.asarray(steps[(steps**2).sum(axis=1) <= size**2], dtype=np.intp)


def stamped(
    row: NDArray[np.intp], column: NDArray[np.intp], stamp: NDArray[np.intp], shape: tuple[int, int]
) -> NDArray[np.intp]:
    """Return how many disks cover each pixel of a `shape`; their middles are at rows and columns, `(n,)` each."""
    total = np.zeros(shape[0] * shape[1], dtype=np.intp)
    for down, right in stamp.tolist():
        y, x = row + down, column + right
        inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
        np.add.at(total, y[inside] * shape[1] + x[inside], 1)
    return total.reshape(shape)


def _write(axes: Axes, label: Label) -> None:
    """Write a name, and a mark in front of it if its topic has a color."""
    left = label.x - label.width / 2 + 4
    if label.topic < COLORED:
        size, color = (2 * DOT * PX) ** 2, COLORS[label.topic]
        axes.scatter([left + DOT], [label.y], s=size, c=color, linewidths=0, zorder=3)
        left += MARK
    style: Any = {"va": "center_baseline", "size": SMALL * PX, "weight": "bold", "zorder": 4}
    axes.text(left, label.y, label.text, **style)


def describe(projection: Projection, topics: Topics, labels: list[Label]) -> str:
    """Return the text alternative: what the map keeps, and where the largest topics are."""
    n, outside = len(projection.points), projection.frame.outside
    alt = f"Map of {count(n, 'text')} by {projection.method}"
    kept = f"{100 * projection.kept:.0f}% of the variance"
    alt += (
        f", which keep {kept}."
        if projection.method.startswith("two")
        else ", which tries to keep neighbors together."
    )
    where = {label.topic: spot_in_words(label.x / WIDTH, label.y / HEIGHT) for label in labels}
    parts = []
    for k, topic in enumerate(topics.topics[:TOLD]):
        name = isolated(topic.name) if topic.name else f"topic {k + 1}"
        parts.append(f"{name} ({topic.size:,}{', ' + where[k] if k in where else ''})")
    if parts:
        alt += f" The largest topics and their numbers of texts: {'; '.join(parts)}."
    if len(labels) < len(topics.topics):
        alt += f" {len(labels)} of {len(topics.topics):,} topics are named."
    if outside:
        alt += f" {count(outside, 'dot')} far from all others {'is' if outside == 1 else 'are'} outside the frame."
    return alt


def spot_in_words(x: float, y: float) -> str:
    """Return where something is on the map, given as shares of its width and height: "top left", "middle"."""
    across = ("left", "", "right")[int(min(x, 0.999) * 3)]
    up = ("bottom", "", "top")[int(min(y, 0.999) * 3)]
    return " ".join(filter(None, (up, across))) or "middle"


def kept_in_words(projection: Projection) -> str:
    """Return in a sentence what a map keeps of the vectors, and what not to read into it."""
    share = number(100 * projection.kept, 0)
    if projection.method.startswith("two"):
        return (
            f"The map keeps {share}% of the variance: two dots that are far apart are different, but two that are "
            "close may differ in what the map leaves out."
        )
    return (
        "The map tries to keep neighbors together, but not all of them are. How far apart two clouds are, and how "
        "dense they are, means little."
    )
