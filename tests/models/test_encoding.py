"""Embeddings of many texts: the same as one by one, in the order of the texts, with progress for large sets only."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from sentence_reports.models import find_model, load
from sentence_reports.models.encoding import BATCH, PROGRESS, SILENT_UP_TO, encode_in_batches


def texts(n: int) -> list[str]:
    """Different texts of different lengths, the longest neither first nor last."""
    words = ["the", "cat", "sat", "on", "mat"]
    return [" ".join(words[(k * j + j) % 5] for j in range(1, 2 + 7 * k % 11)) for k in range(n)]


@pytest.mark.parametrize(("n", "normalize"), [(2, False), (BATCH, True), (BATCH + 1, False)])
def test_batches_agree_with_one_by_one(tiny: Path, n: int, normalize: bool) -> None:
    encoder = load(find_model(str(tiny)))
    given = [text.replace(" ", "\n", 1) for text in texts(n)]
    together = encode_in_batches(encoder.encode, given, normalize=normalize)
    alone = [encoder.encode(text, normalize_embeddings=normalize) for text in texts(n)]
    assert together.shape == (n, 32)
    assert together.dtype == np.float32
    assert np.allclose(together, alone, atol=1e-5)
    assert np.linalg.matrix_rank(together) > 1


def test_the_model_gets_spaces_for_line_breaks(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, given = load(find_model(str(tiny))), []
    encode = encoder.encode
    monkeypatch.setattr(
        encoder, "encode", lambda lines, **options: given.append(lines) or encode(lines, **options)
    )
    encode_in_batches(encoder.encode, ["the\ncat", "on\r\nthe mat"])
    assert given == [["on  the mat", "the cat"]]


@pytest.fixture
def publisher() -> Iterator[CapturingDisplayPublisher]:
    """What a front end is sent."""
    shell = InteractiveShell.instance(display_pub_class=CapturingDisplayPublisher)
    yield shell.display_pub
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(("n", "steps"), [(SILENT_UP_TO, []), (SILENT_UP_TO + 1, [*range(32, 201, 32), 201])])
def test_only_a_large_set_tells_how_far_it_is(
    tiny: Path, publisher: CapturingDisplayPublisher, n: int, steps: list[int]
) -> None:
    encode_in_batches(load(find_model(str(tiny))).encode, texts(n))
    told = [output["data"][PROGRESS] for output in publisher.outputs]
    assert told == [{"done": done, "total": n} for done in steps]
    assert all(output["update"] for output in publisher.outputs)  # of nothing: it leaves no output
