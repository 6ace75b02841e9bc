"""The model's own scale: what unrelated sentences score, shipped, kept, or computed again."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import EMBEDDED, choose_usage, find_model
from sentence_reports.models import baseline as room
from sentence_reports.models.baseline import (
    STEPS,
    Baseline,
    announce,
    baseline_key,
    compute,
    find_baseline,
    shipped,
)

EVEN = Baseline("k", "m", 19900, tuple((np.arange(STEPS + 1) / STEPS).tolist()))


def kept() -> list[Path]:
    """The baselines in the cache folder of this test."""
    return sorted(Path(os.environ["XDG_CACHE_HOME"]).rglob("baseline-*.json"))


@pytest.fixture(scope="module")
def small(tiny: Path) -> tuple[models.FoundModel, Any]:
    """The tiny model, found and loaded."""
    found = find_model(str(tiny))
    return found, models.load(found)


@pytest.fixture(scope="module")
def computed(small: tuple[models.FoundModel, Any]) -> Baseline:
    """The tiny model's baseline."""
    return compute(*small)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often a baseline was computed."""
    calls: list[str] = []

    def counting(found: models.FoundModel, encoder: Any, *, queries: bool) -> Baseline:
        calls.append(found.name)
        return compute(found, encoder, queries=queries)

    monkeypatch.setattr(room, "compute", counting)
    return lambda: len(calls)


# --- the sentences and the shipped figures -----------------------------------------------------------------


def test_the_shipped_baseline_is_of_these_sentences_and_the_embedded_model(
    counted: Callable[[], int],
) -> None:
    found = find_model(EMBEDDED)
    encoder = models.load(found)
    baseline = find_baseline(found, encoder)
    assert baseline == shipped(EMBEDDED), "python -m sentence_reports.models computes it again"
    assert find_baseline(found, encoder, queries=True) == shipped(
        EMBEDDED
    )  # it declares no prompts: no difference
    assert (baseline.model, baseline.pairs, len(baseline.quantiles)) == (EMBEDDED, 19900, STEPS + 1)
    assert counted() == 0
    assert kept() == []


@pytest.mark.slow
def test_the_shipped_baseline_is_what_the_embedded_model_gives() -> None:
    found = find_model(EMBEDDED)
    computed = compute(found, models.load(found))
    # Rounded to three digits, a value at the edge may fall to either side on another machine.
    assert np.abs(np.subtract(computed.quantiles, shipped(EMBEDDED).quantiles)).max() <= 0.001 + 1e-9
    assert replace(computed, quantiles=()) == replace(shipped(EMBEDDED), quantiles=())


def test_it_agrees_with_every_pair_compared_by_hand(
    small: tuple[models.FoundModel, Any], computed: Baseline
) -> None:
    texts = room.SENTENCES.read_text(encoding="utf-8").splitlines()
    vectors = [vector / np.linalg.norm(vector) for vector in small[1].encode(texts).astype(float)]
    values = sorted(float(u @ v) for k, u in enumerate(vectors) for v in vectors[:k])
    assert computed.pairs == len(values) == 19900
    for share in (0, 0.001, 0.25, 0.5, 0.99, 0.999, 1):
        rank = max(1, round(share * len(values)))  # so many pairs lie at the quantile or below
        assert computed.quantiles[round(share * STEPS)] == pytest.approx(values[rank - 1], abs=0.00051)


# --- the place of a similarity -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("similarity", "place"),
    [
        (-0.5, "closer than none of 19,900 unrelated pairs"),
        (0.0004, "closer than none of 19,900 unrelated pairs"),  # as a quantile would be, it is rounded to 0
        (0.001, "closer than under 0.1% of unrelated pairs"),
        (0.002, "closer than 0.1% of unrelated pairs"),
        (0.5, "closer than 49.9% of unrelated pairs"),
        (0.501, "closer than 50% of unrelated pairs"),
        (1.0, "closer than 99.9% of unrelated pairs"),
        (1.0004, "closer than 99.9% of unrelated pairs"),
        (1.001, "closer than any of 19,900 unrelated pairs"),
    ],
)
def test_a_place_never_claims_more_than_the_quantiles_show(similarity: float, place: str) -> None:
    assert EVEN.describe(similarity) == place
    assert EVEN.describe(np.float32(similarity)) == place


def test_the_places_of_real_values_are_true_of_all_pairs(
    small: tuple[models.FoundModel, Any], computed: Baseline
) -> None:
    texts = room.SENTENCES.read_text(encoding="utf-8").splitlines()
    unit = small[1].encode(texts, normalize_embeddings=True).astype(float)
    values = (unit @ unit.T)[np.triu_indices(len(texts), k=1)]
    for similarity in np.random.default_rng(3).choice(values, 300):
        share = computed.describe(similarity).split()[2]
        if share in ("none", "under"):
            continue
        below = (values < similarity).mean()
        assert below == 1 if share == "any" else below >= float(share.rstrip("%")) / 100


def test_the_scale_in_five_numbers() -> None:
    assert EVEN.median == 0.5
    assert EVEN.scale == {
        "minimum": 0,
        "5th percentile": 0.05,
        "median": 0.5,
        "99th percentile": 0.99,
        "maximum": 1,
    }


# --- the cache ---------------------------------------------------------------------------------------------


def test_it_is_computed_once_for_a_model_and_the_same_when_it_is_read_back(
    small: tuple[models.FoundModel, Any], computed: Baseline, counted: Callable[[], int]
) -> None:
    assert find_baseline(*small) == find_baseline(*small) == computed
    assert counted() == 1
    assert len(kept()) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("[", "[NaN, ", 1),
        lambda text: json.dumps(json.loads(text) | {"quantiles": [2.0] * (STEPS + 1)}),
        lambda text: json.dumps(json.loads(text) | {"key": "of another model"}),
    ],
)
def test_a_damaged_file_is_computed_again(
    damage: Callable[[str], str],
    small: tuple[models.FoundModel, Any],
    computed: Baseline,
    counted: Callable[[], int],
) -> None:
    path = Path(os.environ["XDG_CACHE_HOME"]) / "sentence-reports" / f"baseline-{computed.key}.json"
    whole = TypeAdapter(Baseline).dump_json(computed).decode()
    path.parent.mkdir(parents=True)
    path.write_text(whole)
    assert find_baseline(*small) == computed
    assert counted() == 0
    path.write_text(damage(whole))
    assert find_baseline(*small) == computed
    assert counted() == 1
    assert path.read_text() == whole


def test_where_nothing_can_be_kept_it_is_computed_all_the_same(
    small: tuple[models.FoundModel, Any],
    computed: Baseline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert find_baseline(*small) == computed
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_two_at_once_compute_it_once_and_leave_one_whole_file(
    small: tuple[models.FoundModel, Any], counted: Callable[[], int]
) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: find_baseline(*small), range(4)))
    assert found == [found[0]] * 4
    assert counted() == 1
    (path,) = kept()
    assert json.loads(path.read_text()) == json.loads(json.dumps(asdict(found[0])))
    assert [other.name for other in path.parent.iterdir() if other.suffix == ".tmp"] == []


def test_what_is_not_known_yet_is_announced(small: tuple[models.FoundModel, Any]) -> None:
    said: list[str] = []
    embedded = find_model(EMBEDDED)
    needed = {baseline_key(found, choose_usage(found)): found.name for found in (small[0], embedded)}
    announce(needed, said.append)
    assert len(said) == 1
    assert said[0].startswith(f"{small[0].name}: computing this model's baseline of unrelated sentences")
    find_baseline(*small)
    announce(needed, said.append)
    assert len(said) == 1


# --- prompts and dimensions ---------------------------------------------------------------------------------


def test_a_prompt_fewer_dimensions_and_queries_have_baselines_of_their_own(
    e5: Path, counted: Callable[[], int]
) -> None:
    found = find_model(str(e5))
    plain = models.load(found)
    baselines = [
        find_baseline(found, plain),
        find_baseline(found, models.load(found, "query")),
        find_baseline(found, models.load(found, truncate_dim=8)),
        find_baseline(found, plain, queries=True),
    ]
    assert counted() == 4
    assert len({baseline.key for baseline in baselines}) == 4
    assert (
        find_baseline(found, models.load(found, "query: ")) == baselines[1]
    )  # the same text before each sentence
    assert counted() == 4
    assert baselines[3].key == baseline_key(
        found, choose_usage(found), queries=True
    )  # known before it is loaded


def test_a_query_is_compared_with_each_later_document(e5: Path) -> None:
    found = find_model(str(e5))
    encoder = models.load(found)
    texts = room.SENTENCES.read_text(encoding="utf-8").splitlines()
    queries = encoder.encode([f"query: {text}" for text in texts], normalize_embeddings=True).astype(float)
    passages = encoder.encode([f"passage: {text}" for text in texts], normalize_embeddings=True).astype(float)
    values = [float(queries[i] @ passages[j]) for i in range(len(texts)) for j in range(i + 1, len(texts))]
    computed = compute(found, encoder, queries=True)
    assert computed.pairs == 19900
    assert computed.quantiles[0] == pytest.approx(min(values), abs=0.00051)
    assert computed.quantiles[-1] == pytest.approx(max(values), abs=0.00051)
    assert computed.median == pytest.approx(float(np.median(values)), abs=0.00051)


def test_another_pooling_is_another_model(model: Path, counted: Callable[[], int]) -> None:
    config = model / "1_Pooling" / "config.json"
    found = find_model(str(model))
    find_baseline(found, models.load(found))
    config.write_text(config.read_text().replace("cls", "mean"))
    find_baseline(found, models.load(found))
    assert counted() == 2
    assert len(kept()) == 2


def test_a_model_without_finite_numbers_is_refused(model: Path) -> None:
    import torch

    found = find_model(str(model))
    encoder = models.load(found)
    with torch.no_grad():
        next(encoder.parameters()).fill_(float("nan"))
    with pytest.raises(ModelError, match="not finite numbers"):
        find_baseline(found, encoder)
    assert kept() == []
