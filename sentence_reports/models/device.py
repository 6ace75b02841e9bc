"""The device that a model runs on: the processor, or a graphics processor that PyTorch can use."""

import os
import warnings

from sentence_reports.errors import UsageError
from sentence_reports.report import DEVICE

DEVICES = ("auto", "cpu", "cuda", "mps")
"""What can be asked for; "auto" is the fastest that is there."""

BATCH = {"cpu": 32, "cuda": 256, "mps": 128}
"""How many texts are encoded together. On a processor, more is slower (docs/benchmarks.md)."""


def choose_device(name: str) -> str:
    """Return "cpu", "cuda" or "mps" for one of `DEVICES`. "cpu" is always there, and is returned without PyTorch.

    Raises UsageError if the name is not one of `DEVICES` or if PyTorch cannot use that device here; the message says
    which devices it can use.
    """
    if name == "cpu":
        return name
    if name not in DEVICES:
        raise UsageError(f"the device {name!r} is not known. Choose one of {', '.join(DEVICES)}")
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a driver that is too old: then there is no CUDA
        usable = ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    if name not in ("auto", *usable):
        raise UsageError(
            f"the device {name!r} is not there: PyTorch {torch.__version__} can use {' and '.join(usable)} on this "
            f"machine. Choose {usable[0]}, or auto for the fastest that is there"
        )
    return usable[0] if name == "auto" else name


def kernel_device() -> str:
    """Return the device that the run chose for this kernel; without a run, that which `DEVICE` names, else "cpu".

    Raises UsageError as `choose_device` does.
    """
    return choose_device(os.environ.get(DEVICE) or "cpu")
