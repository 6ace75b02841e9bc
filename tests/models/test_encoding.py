"""Embeddings of many texts: the same as one by one, in the order of the texts, with progress for large sets only."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from sentence_reports.models import find_model, load
from sentence_reports.models.cache import Cache
from sentence_reports.models.encoding import BATCH, KEPT_ABOVE, PROGRESS, SILENT_UP_TO, encode_in_batches


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


@pytest.mark.parametrize("n", [KEPT_ABOVE, KEPT_ABOVE + 1])
def test_many_texts_of_a_model_that_is_named_are_kept(tiny: Path, n: int) -> None:
    found, kept = find_model(str(tiny)), len(set(texts(n))) if n > KEPT_ABOVE else 0
    encoder = load(found)
    plain = encode_in_batches(encoder.encode, texts(n), normalize=False)
    for _ in range(2):
        through = encode_in_batches(encoder.encode, texts(n), normalize=False, found=found)
        assert np.allclose(through, plain, atol=1e-5)
        with Cache() as cache:
            assert sum(model.vectors for model in cache.kept()) == kept


def test_the_method_and_what_follows_from_it_are_told_apart(bge: Path) -> None:
    found = find_model(str(bge))
    encoder = load(found)
    lines = texts(KEPT_ABOVE + 1)
    for encode in (encoder.encode, encoder.encode_query, encoder.encode_document):
        through = encode_in_batches(encode, lines, found=found)
        assert np.allclose(through, encode_in_batches(encode, lines), atol=1e-5)


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
    assert told == [{"done": done, "total": n, "step": "encoding"} for done in steps]
    assert all(output["update"] for output in publisher.outputs)  # of nothing: it leaves no output
