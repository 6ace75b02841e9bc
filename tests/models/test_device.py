"""Which device a model runs on, and what is said if it is not there."""

from pathlib import Path

import pytest
import torch

from sentence_reports.errors import UsageError
from sentence_reports.models import find_model, load
from sentence_reports.models.device import BATCH, DEVICES, choose_device, kernel_device
from sentence_reports.report import DEVICE


@pytest.fixture(params=[(), ("cuda",), ("mps",), ("cuda", "mps")], ids=" and ".join)
def present(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The graphics processors that PyTorch says it can use."""
    there: tuple[str, ...] = request.param
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)
    return there


def test_a_device_that_is_there_is_used_and_the_fastest_is_found(present: tuple[str, ...]) -> None:
    for name in (*present, "cpu"):
        assert choose_device(name) == name
    assert choose_device("auto") == (*present, "cpu")[0]
    assert BATCH.keys() == set(DEVICES) - {"auto"}


def test_a_device_that_is_not_there_is_one_message(present: tuple[str, ...]) -> None:
    for name in {"cuda", "mps"} - {*present}:
        usable = " and ".join((*present, "cpu"))
        with pytest.raises(UsageError) as caught:
            choose_device(name)
        assert str(caught.value) == (
            f"the device '{name}' is not there: PyTorch {torch.__version__} can use {usable} on this machine. "
            f"Choose {(*present, 'cpu')[0]}, or auto for the fastest that is there"
        )


def test_a_device_that_is_not_known_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"^the device 'gpu' is not known. Choose one of auto, cpu, cuda, mps$"
    ):
        choose_device("gpu")


def test_a_model_is_loaded_onto_the_device(tiny: Path) -> None:
    with pytest.raises(Exception, match="meta"):  # a device that can hold no numbers is everywhere
        load(find_model(str(tiny)), device="meta")
    assert load(find_model(str(tiny))).device.type == "cpu"


def test_a_kernel_uses_the_device_of_its_run(
    present: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kernel_device() == "cpu"
    monkeypatch.setenv(DEVICE, "auto")
    assert kernel_device() == (*present, "cpu")[0]
