"""What was read from a file of texts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Collected:
    """The distinct texts of a file, and what became of its other rows. Rows are numbered from 1, without the header.

    `texts` holds each text once, as it was first written: two texts are the same if they are after Unicode's NFC and
    with white space folded. `rows` holds their row numbers, `groups` their groups (None if the set names no column of
    groups; "" for a row without one). `copies` holds the row of each repeated text and the position, from 0, of that
    text in `texts`. `empty` is the number of rows without a text, `too_long` holds the rows whose text is too long;
    both are left out. `total` is the number of rows read, and `sha256` the hash of the whole file.
    """

    texts: tuple[str, ...]
    rows: tuple[int, ...]
    groups: tuple[str, ...] | None
    copies: tuple[tuple[int, int], ...]
    empty: int
    too_long: tuple[int, ...]
    total: int
    sha256: str
