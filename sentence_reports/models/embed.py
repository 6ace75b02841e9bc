"""Embeddings of many texts: what the cache does not have is encoded and kept, shard by shard.

A report is the same, byte for byte, whether its embeddings were in the cache or not: the key of a vector is a hash of
all that its bits depend on, and nothing else changes them (see `sentence_reports.models.batches`).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.models.baseline import baseline_key
from sentence_reports.models.batches import Encoding, Rows, even_encoder
from sentence_reports.models.cache import SHARD, Cache
from sentence_reports.models.usage import Usage

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Progress = Callable[[int, int], None]
"""Is told how many distinct texts have an embedding, and how many there are."""

SCHEME = 1  # another one if the program computes other numbers for the same text
LIBRARIES = ("sentence-transformers", "tokenizers", "torch", "transformers")
TIMED_FROM = 32  # texts; the time of fewer says little


class Encoded(NamedTuple):
    """Embeddings `(n, d)`, float32, in the order of the texts; `fresh` distinct ones were encoded, in `seconds`."""

    embeddings: NDArray[np.float32]
    fresh: int
    seconds: float

    @property
    def milliseconds(self) -> float | None:
        """How long one text took; None if few were encoded, or if SOURCE_DATE_EPOCH asks for the same bytes."""
        if os.environ.get("SOURCE_DATE_EPOCH") or self.fresh < min(TIMED_FROM, len(self.embeddings)):
            return None
        return 1000 * self.seconds / self.fresh


def embed(
    load: Callable[[], SentenceTransformer],
    encoding: Encoding,
    texts: Sequence[str],
    *,
    progress: Progress | None = None,
    threads: int = 0,
) -> Encoded:
    """Return the embeddings of at least one text. Line breaks are read as spaces.

    The encoder that `load` returns is asked for only if an embedding is not in the cache. So many `threads` use it (see
    `even_encoder`). Raises what `load` raises, and OSError if a file of the model cannot be read.
    """
    lines = lines_of(texts)
    distinct = list(dict.fromkeys(lines))
    keys = vector_keys(encoding, distinct)
    rows = Rows(len(keys))
    with Cache() as cache:
        look_up(cache, keys, rows)
        missing = np.flatnonzero(~rows.filled).tolist()
        missing.sort(key=lambda k: -len(distinct[k]))
        encoder = load() if missing else None
        began = time.perf_counter()
        if encoder is not None:
            with even_encoder(encoder, encoding, threads=threads) as encode:
                for start in range(0, len(missing), SHARD):
                    positions = missing[start : start + SHARD]
                    tell = partial(_tell, progress, len(keys) - len(missing) + start, len(keys))
                    block = encode([distinct[k] for k in positions], tell)
                    rows.fill(positions, block)
                    cache.put(encoding.found.name, [keys[k] for k in positions], block)
        seconds = time.perf_counter() - began
    row_of = {line: k for k, line in enumerate(distinct)}
    embeddings = rows.values if len(distinct) == len(lines) else rows.values[[row_of[line] for line in lines]]
    return Encoded(embeddings, len(missing), seconds)


def lines_of(texts: Sequence[str]) -> list[str]:
    """Return the texts as they are encoded, with a space for each line break."""
    return [text.replace("\r", " ").replace("\n", " ") for text in texts]


def keep(encoding: Encoding, texts: Sequence[str], embeddings: NDArray[np.float32]) -> None:
    """Put `embeddings`, `(n, d)`, which `embed` returned elsewhere for these texts, into the user's cache.

    They must come from the same kind of `processor`.
    """
    first = dict(reversed([(line, k) for k, line in enumerate(lines_of(texts))]))
    keys = vector_keys(encoding, list(first))
    positions, rows = list(first.values()), Rows(len(keys))
    with Cache() as cache:
        look_up(cache, keys, rows)
        missing = np.flatnonzero(~rows.filled).tolist()
        for start in range(0, len(missing), SHARD):
            some = missing[start : start + SHARD]
            cache.put(encoding.found.name, [keys[k] for k in some], embeddings[[positions[k] for k in some]])


def look_up(cache: Cache, keys: Sequence[bytes], rows: Rows) -> None:
    """Fill the rows of the vectors that the cache has."""
    for start in range(0, len(keys), SHARD):
        asked = keys[start : start + SHARD]
        vectors = cache.get(asked)
        hits = [k for k, key in enumerate(asked) if key in vectors]
        rows.fill([start + k for k in hits], [vectors[asked[k]] for k in hits])


def _tell(progress: Progress | None, before: int, total: int, done: int) -> None:
    if progress is not None:
        progress(before + done, total)


def vector_keys(encoding: Encoding, lines: Sequence[str]) -> list[bytes]:
    """Return the key of the vector of each line, 16 bytes: a hash of the line and of all else that its bits depend on.

    Raises OSError if a file of the model cannot be read.
    """
    prompt, truncate_dim = encoding.prompt, encoding.usage.truncate_dim
    ingredients = {
        "model": baseline_key(encoding.found, Usage(prompt, "", "", truncate_dim)),
        "prompt": prompt,
        "method": encoding.method,
        "truncate_dim": truncate_dim,
        "normalize": encoding.normalize,
        "dtype": "float32",
        "device": encoding.device,
        "processor": processor(),
        "libraries": [version(name) for name in LIBRARIES],
        "scheme": SCHEME,
    }
    common = hashlib.sha256(json.dumps(ingredients).encode())
    keys = []
    for line in lines:
        digest = common.copy()
        digest.update(line.encode("utf-8", "surrogatepass"))
        keys.append(digest.digest()[:16])
    return keys


def processor() -> str:
    """Return what the processor is and can do: libraries choose their code by that, and bits depend on the code."""
    with suppress(OSError):
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
        lines = [line for line in first.splitlines() if line.startswith(("model name", "flags", "Features"))]
        return "\n".join(lines)
    return f"{platform.machine()} {platform.processor()}"
