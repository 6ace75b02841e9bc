"""WordLlama, a model of static vectors: one for each of 32,000 word pieces, whatever is next to it.

The package `wordllama` holds its weights and its tokenizer. None of the package's code is imported: the two files are
made into modules of sentence-transformers when the model is loaded. Nothing is written.
"""

from __future__ import annotations

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sentence_reports.errors import ModelError
from sentence_reports.report import FoundModel

if TYPE_CHECKING:
    from torch import nn

WORDLLAMA = "dleemiller/word-llama-l2-supercat"
WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
FILES = {
    WEIGHTS: "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
    TOKENIZER: "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
}
"""The SHA-256 of each file of the model."""
MODULES = (
    ("sentence_transformers.sentence_transformer.modules.StaticEmbedding", ""),
    ("sentence_transformers.sentence_transformer.modules.Normalize", "1_Normalize"),
)
"""What its modules.json would list: the package has none."""


def is_wordllama(found: FoundModel) -> bool:
    """Return whether a model is WordLlama from its package."""
    return found.name == WORDLLAMA and found.source == "installed package"


def find_wordllama(revision: str | None = None) -> FoundModel:
    """Return WordLlama from the installed package, whose code is not imported.

    Raises ModelError if the package is absent or holds other files, or if a `revision` is given: it has only one.
    """
    if revision is not None:
        raise ModelError(
            f"revision {revision!r} is given for {WORDLLAMA}, but that model comes with the package wordllama, which "
            "holds one revision. Remove the revision."
        )
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"The model {WORDLLAMA} comes with the package wordllama, which is not installed. It is available for "
            f"Python 3.11 to 3.13; this is Python {sys.version_info[0]}.{sys.version_info[1]}. With one of those, "
            "install the requirements again; otherwise choose another model."
        )
    folder = Path(spec.submodule_search_locations[0])
    for name, expected in FILES.items():
        if not (folder / name).is_file():
            raise ModelError(f"The package wordllama lacks {name}. Install the requirements again.")
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != expected:
            raise ModelError(
                f"The file {name} in the package wordllama is not that of {WORDLLAMA}: expected SHA-256 {expected}, "
                f"found {digest}. Install the requirements again."
            )
    return FoundModel(WORDLLAMA, None, "installed package", str(folder), FILES[WEIGHTS])


def wordllama_modules(found: FoundModel) -> list[nn.Module]:
    """Return the modules of WordLlama, in float32: the mean of the vectors of a text's word pieces, at length 1."""
    from safetensors.torch import load_file
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    from tokenizers import Tokenizer

    folder = Path(found.folder)
    weights = load_file(folder / WEIGHTS)["embedding.weight"].float()
    return [StaticEmbedding(Tokenizer.from_file(str(folder / TOKENIZER)), weights), Normalize()]
