"""Find models on this machine or the hub, and load them. Nothing here knows about notebooks and sets.

`find_model` looks on this machine first (a folder, the hub cache, the installed packages) and asks the Hugging
Face hub only for what is not here. `load` makes an encoder of what it found; `describe`, `files` and
`token_report` say what the model is and how it reads a text. What unrelated sentences score is in `baseline`.
`run_model` does all of that for one model of a comparison, which can also be word counts or vectors from a file.

Importing this room is light: only functions that use an encoder import torch and sentence-transformers.
"""

from sentence_reports.models.device import kernel_device
from sentence_reports.models.encoder import describe, load
from sentence_reports.models.files import files, folder_stamp
from sentence_reports.models.find import EMBEDDED, HANDOVER, find_model, handover
from sentence_reports.models.model_run import ModelRun
from sentence_reports.models.run import run_model
from sentence_reports.models.tokens import Piece, TokenFacts, token_report, word_pieces
from sentence_reports.models.usage import choose_usage
from sentence_reports.report import FoundModel

__all__ = [
    "EMBEDDED",
    "HANDOVER",
    "FoundModel",
    "ModelRun",
    "Piece",
    "TokenFacts",
    "choose_usage",
    "describe",
    "files",
    "find_model",
    "folder_stamp",
    "handover",
    "kernel_device",
    "load",
    "run_model",
    "token_report",
    "word_pieces",
]
