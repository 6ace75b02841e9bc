"""Encode many texts so that the numbers of each are the same bits whichever others are encoded with it.

Padding would change the last bits, and so would two threads on one small batch. So only texts with the same number of
tokens share a batch, which needs no padding, and one thread does all of a batch. Several batches are done at once, in
threads that share the weights: processes would need seconds to start, and the memory of a model each.
"""

from __future__ import annotations

import copy
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sentence_reports.models.device import BATCH
from sentence_reports.models.tokens import token_report
from sentence_reports.models.usage import Usage
from sentence_reports.process import cores
from sentence_reports.report import FoundModel

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Method = Literal["encode", "encode_query", "encode_document"]
"""A method of an encoder; it chooses the prompt."""
EncodeLines = Callable[[Sequence[str], Callable[[int], None]], NDArray[np.float32]]

STATIC_BATCH = 500  # a model without layers has nothing to pad


class Encoding(NamedTuple):
    """How texts are encoded: by which model, how it is used, by which of its methods, and on which device.

    `normalize` says whether embeddings are scaled to length 1. `device` is one that `choose_device` returned.
    """

    found: FoundModel
    usage: Usage
    method: Method = "encode"
    normalize: bool = True
    device: str = "cpu"

    @property
    def prompt(self) -> str:
        """What the method puts before each text."""
        text, query, document, _ = self.usage
        return {"encode": text, "encode_query": query, "encode_document": document}[self.method]


class Rows:
    """The rows of a matrix `(n, d)`, float32, which come in any order; `d` is that of the first."""

    def __init__(self, n: int) -> None:
        self.filled = np.zeros(n, bool)
        self.values = np.empty((n, 0), np.float32)

    def fill(
        self, positions: Sequence[int], rows: Sequence[NDArray[np.float32]] | NDArray[np.float32]
    ) -> None:
        """Put `rows` at these positions."""
        if not len(positions):
            return
        if not self.values.shape[1]:
            self.values = np.empty((len(self.filled), len(rows[0])), np.float32)
        self.values[positions] = rows
        self.filled[positions] = True


@contextmanager
def even_encoder(
    encoder: SentenceTransformer, encoding: Encoding, *, threads: int = 0
) -> Iterator[EncodeLines]:
    """Yield a function that returns the embeddings `(n, d)` of lines and, after each batch, tells how many are done.

    On the processor, so many `threads` use the encoder at once, by default as many as there are cores; on any other
    device, it is one.
    """
    import torch

    count = (threads or cores()) if encoder.device.type == "cpu" else 1
    free: queue.SimpleQueue[SentenceTransformer] = queue.SimpleQueue()
    free.put(encoder)
    encoders = [encoder]

    def encode_batch(lines: list[str]) -> NDArray[np.float32]:
        torch.set_num_threads(1)
        mine = free.get()
        try:
            options = {
                "batch_size": len(lines),
                "normalize_embeddings": encoding.normalize,
                "show_progress_bar": False,
            }
            embeddings: NDArray[np.float32] = getattr(mine, encoding.method)(lines, **options)
        finally:
            free.put(mine)
        return embeddings

    def encode(lines: Sequence[str], tell: Callable[[int], None]) -> NDArray[np.float32]:
        rows, done = Rows(len(lines)), 0
        batches = equal_length(encoder, lines, encoding.prompt)
        while len(encoders) < min(count, len(batches)):
            encoders.append(sharing_weights(encoder))
            free.put(encoders[-1])
        blocks = pool.map(encode_batch, [[lines[k] for k in batch] for batch in batches])
        for batch, block in zip(batches, blocks, strict=True):
            rows.fill(batch, block)
            done += len(batch)
            tell(done)
        return rows.values

    usual = torch.get_num_threads()
    pool = ThreadPoolExecutor(count)
    try:
        yield encode
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(usual)


def sharing_weights(encoder: SentenceTransformer) -> SentenceTransformer:
    """Return a copy for another thread: a tokenizer serves one thread at a time, the weights serve any number."""
    shared = {id(tensor): tensor for tensor in chain(encoder.parameters(), encoder.buffers())}
    return copy.deepcopy(encoder, shared)


def equal_length(encoder: SentenceTransformer, lines: Sequence[str], prompt: str) -> list[list[int]]:
    """Return batches of the positions of lines that the encoder reads as the same number of tokens after this prompt.

    A batch has at most as many lines as suit the device. The longest lines come first.
    """
    groups: dict[int, list[int]] = {}
    if callable(encoder.tokenizer):
        size = BATCH.get(encoder.device.type, BATCH["cpu"])
        for k, tokens in enumerate(token_report(encoder, lines, prompt)):
            groups.setdefault(min(tokens.count, tokens.limit or tokens.count), []).append(k)
    else:  # a static model's
        size, groups = STATIC_BATCH, {0: list(range(len(lines)))}
    return [
        groups[length][start : start + size]
        for length in sorted(groups, reverse=True)
        for start in range(0, len(groups[length]), size)
    ]
