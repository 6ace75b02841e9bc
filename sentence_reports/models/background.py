"""What unrelated sentences score with a model: the scale on which its similarities are to be read.

From the model that was found and its encoder to a `Background`: the similarities of all pairs of the 200 everyday
English sentences of ``background.txt``. For the embedded model it is shipped (``background.json``; this module,
run as a program, writes it), for any other it is computed once and kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path
from pydantic import TypeAdapter

from sentence_reports.errors import ModelError
from sentence_reports.models import EMBEDDED, FoundModel, files, find_model, load

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SENTENCES = Path(__file__).with_name("background.txt")
SHIPPED = Path(__file__).with_name("background.json")
STEPS = 1000  # a place is known to a thousandth of the pairs
DIGITS = 3  # more would differ between machines and numbers of threads


@dataclass(frozen=True)
class Background:
    """How alike unrelated sentences are to a model.

    `quantiles` holds ``STEPS + 1`` of the similarities of all `pairs`, each rounded to `DIGITS`, ascending: at least
    ``k / STEPS`` of the pairs have a similarity of `quantiles[k]` or less. `model` is the name of the model,
    `key` stands for its files and the sentences together.
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
    def scale(self) -> dict[str, float]:
        """The background in five numbers, each with its name in words."""
        places = {
            "the lowest": 0,
            "5 % below": 50,
            "half below": 500,
            "99 % below": 990,
            "the highest": STEPS,
        }
        return {name: self.quantiles[place] for name, place in places.items()}

    def place(self, similarity: float) -> str:
        """Say above how many of the unrelated pairs a similarity stands, as a clause that begins with "above".

        The share is a lower bound in steps of a thousandth, so it is never said to be 100 %.
        """
        # Rounded like the quantiles: rounding keeps the order, so what is above one of them here really is.
        passed = int(np.searchsorted(self.quantiles, round(float(similarity), DIGITS), side="left"))
        if passed == 0:
            return f"above none of {self.pairs:,} unrelated pairs"
        if passed > STEPS:
            return f"above every one of {self.pairs:,} unrelated pairs"
        if passed == 1:
            return f"above less than {100 / STEPS:g} % of unrelated pairs"
        return f"above {100 * (passed - 1) / STEPS:.1f} % of unrelated pairs"


def find_background(found: FoundModel, encoder: SentenceTransformer) -> Background:
    """The background of a model: the shipped one, or what is kept in the user's cache folder, or computed now.

    A damaged file is computed again; where the cache folder cannot be written, what is computed is not kept.
    """
    key = _key(found)
    background = _known(key)
    if background is None:
        with _alone(_place(key)):
            background = _known(key)  # by now, perhaps: another kernel may have been at it
            if background is None:
                background = compute(found, encoder)
                with suppress(OSError):
                    _write(_place(key), background)
    return background


def announce(models: Iterable[FoundModel], say: Callable[[str], None]) -> None:
    """Say of each model whose background is not known yet that its first report takes longer."""
    for found in {found.folder: found for found in models}.values():
        with suppress(OSError):
            if _known(_key(found)) is None:
                say(
                    f"{found.name}: what unrelated sentences score with it is not known here yet and is computed with "
                    "its first report, once, which takes some seconds"
                )


def compute(found: FoundModel, encoder: SentenceTransformer) -> Background:
    """Compare each two of the background's sentences, which takes some seconds.

    Raises ModelError where the model gives no finite numbers for one of them.
    """
    texts = SENTENCES.read_text(encoding="utf-8").splitlines()
    unit = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False).astype(np.float64)
    values = (unit @ unit.T)[np.triu_indices(len(texts), k=1)]
    if not np.isfinite(values).all():
        raise ModelError(
            f"The model {found.name} gives embeddings that are not finite numbers for everyday English sentences. "
            "Choose another model."
        )
    quantiles = np.quantile(values, np.linspace(0, 1, STEPS + 1), method="inverted_cdf").round(DIGITS) + 0.0
    return Background(_key(found), found.name, len(values), tuple(quantiles.tolist()))


def shipped() -> Background:
    """The background of the embedded model, for comparison with that of another."""
    return TypeAdapter(Background).validate_json(SHIPPED.read_bytes())


def _key(found: FoundModel) -> str:
    """A hash of all that the numbers depend on: the sentences, the weights, and how they are put together."""
    digest = hashlib.sha256(SENTENCES.read_bytes() + found.sha256.encode())
    for name, _ in files(found):
        if not name.endswith(".safetensors"):  # pooling, normalization, prompts, vocabulary
            digest.update(name.encode() + b"\0" + (Path(found.folder) / name).read_bytes())
    return digest.hexdigest()[:32]


def _place(key: str) -> Path:
    return user_cache_path("sentence-reports", appauthor=False) / f"background-{key}.json"


def _known(key: str) -> Background | None:
    return _read(SHIPPED, key) or _read(_place(key), key)


def _read(path: Path, key: str) -> Background | None:
    try:
        background = TypeAdapter(Background).validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    quantiles = list(background.quantiles)
    whole = (
        len(quantiles) == STEPS + 1
        and quantiles == sorted(quantiles)
        and -1 <= quantiles[0] <= quantiles[-1] <= 1
    )
    return background if whole and background.key == key else None


def _write(path: Path, background: Background) -> None:
    """Write beside the target and move it over, so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(json.dumps(asdict(background)) + "\n", encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time compute what `path` will hold; where no lock can be had, all of them may."""
    lock = FileLock(path.with_suffix(".lock"))
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


if __name__ == "__main__":
    embedded = find_model(EMBEDDED)
    _write(SHIPPED, compute(embedded, load(embedded)))
