"""Load the encoder of a model, and describe it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentence_reports.errors import ModelError
from sentence_reports.facts import ModelFacts
from sentence_reports.models.card import stated_languages
from sentence_reports.models.files import files, modules, weight_files
from sentence_reports.models.tokens import token_limit
from sentence_reports.models.usage import Usage, choose_usage, declared_prompts, too_many
from sentence_reports.models.wordllama import is_wordllama, wordllama_modules
from sentence_reports.report import FoundModel

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def load(
    found: FoundModel, prompt: str | None = None, truncate_dim: int | None = None, *, device: str = "cpu"
) -> SentenceTransformer:
    """Return the encoder in float32, without any network and without output.

    `prompt` is what `encode` and `encode_document` put before each text: a name that the model declares, or the text
    itself; None leaves the model's defaults, "" means nothing. `encode_query` puts the model's own "query" prompt
    first. Embeddings have the model's first `truncate_dim` dimensions, None for all. Both were written for the model
    that the set asks for, so a fallback model ignores them.

    Raises ModelError if the model does not declare the prompt or has fewer dimensions, if the files do not make a
    model, if some of the weights are missing, which the library would fill with random numbers, or if weights or
    embeddings are not finite numbers.
    """
    import torch
    from sentence_transformers import SentenceTransformer

    if found.source in ("this set", "file"):
        raise ModelError(
            f"{found.name} cannot be loaded as a model; only a comparison, with `models`, can use it."
        )
    usage = choose_usage(found, prompt, truncate_dim)
    options = {"use_safetensors": True, "dtype": torch.float32}
    with quiet():
        try:
            encoder = SentenceTransformer(
                None if is_wordllama(found) else found.folder,
                modules=wordllama_modules(found) if is_wordllama(found) else None,
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                prompts={"text": usage.text, "query": usage.query, "document": usage.document},
                default_prompt_name="text",
                model_kwargs=options,
            )
            missing = _missing_weights(found, encoder, options)
        except Exception as error:  # a damaged file can raise anything
            # The library's own message, without this machine's path.
            message = " ".join(str(error).replace(found.folder, found.name).split())
            raise ModelError(
                f"The model {found.name} does not load: {type(error).__name__}: {message[:300]}"
            ) from error
    if missing:
        raise ModelError(
            f"The weights of {found.name} are incomplete: {', '.join(missing[:3])} missing ({len(missing)} in "
            "all), and would be random numbers. Get the model again, or choose another."
        )
    _check_finite(found, encoder)
    dimension = encoder.get_embedding_dimension() or 0
    if usage.truncate_dim is not None and usage.truncate_dim > dimension:
        raise ModelError(too_many(found, usage.truncate_dim, dimension))
    encoder.truncate_dim = usage.truncate_dim
    return encoder


def describe(found: FoundModel, encoder: SentenceTransformer, *, queries: bool = False) -> ModelFacts:
    """Return the facts about a model for the page; `queries` says whether it is used to search."""
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, StaticEmbedding

    modes = [module.pooling_mode for module in encoder if isinstance(module, Pooling)]
    pooling = [mode if isinstance(mode, str) else "+".join(mode) for mode in modes]
    pooling += ["mean" for module in encoder if isinstance(module, StaticEmbedding)]  # of its tokens' vectors
    weights = list(encoder.parameters())
    usage = Usage.of(encoder)
    with encoder.truncate_embeddings(None):
        full_dimension = encoder.get_embedding_dimension()
    return ModelFacts(
        name=found.name,
        revision=found.revision,
        source=found.source,
        sha256=found.sha256,
        dimension=encoder.get_embedding_dimension() or 0,
        max_tokens=token_limit(encoder),
        pooling=pooling[-1] if pooling else None,
        normalizes=isinstance(encoder[-1], Normalize) and usage.truncate_dim is None,
        parameters=sum(parameter.numel() for parameter in weights),
        size_bytes=sum(size for _, size in files(found)),
        dtype=str(weights[0].dtype).removeprefix("torch."),
        prompt=usage.document if queries else usage.text,
        query_prompt=usage.query if queries else "",
        declared_prompts=declared_prompts(found),
        full_dimension=None if usage.truncate_dim is None else full_dimension,
        stands_in_for=found.stands_in_for,
        reason=found.reason,
        languages=stated_languages(Path(found.folder)),
        device=encoder.device.type,
    )


def _missing_weights(found: FoundModel, encoder: SentenceTransformer, options: dict[str, Any]) -> list[str]:
    """Return the names of the weights that the files lack.

    The library renames the weights of some models and ties others together, so it is asked, by loading the model
    once more, if a name of the encoder's is not in the files. The pooler does not count: a layer of BERT after the
    last one that sentence-transformers reads.
    """
    from safetensors import safe_open
    from sentence_transformers.sentence_transformer.modules import Transformer

    missing: set[str] = set()
    for module, (_, path) in zip(encoder, modules(Path(found.folder), found.name), strict=False):
        if not isinstance(module, Transformer):
            continue
        folder = Path(found.folder, path)
        present: set[str] = set()
        for name in weight_files(folder, found.name):
            with safe_open(folder / name, framework="pt") as file:
                present.update(file.keys())
        network = module.auto_model
        prefix = f"{network.base_model_prefix}."
        if not network.state_dict().keys() <= present | {name.removeprefix(prefix) for name in present}:
            _, info = type(network).from_pretrained(
                folder, output_loading_info=True, local_files_only=True, **options
            )
            missing.update(info["missing_keys"])
    return sorted(name for name in missing if "pooler" not in name.split("."))


def _check_finite(found: FoundModel, encoder: SentenceTransformer) -> None:
    import torch
    from sentence_transformers.util import batch_to_device

    # The extremes are enough, and fast to read.
    extremes = {name: torch.stack(weights.detach().aminmax()) for name, weights in encoder.named_parameters()}
    broken = [name for name, pair in extremes.items() if not pair.isfinite().all()]
    if broken:
        raise ModelError(
            f"The weights of {found.name} are broken: {broken[0]} holds values that are not finite numbers "
            f"({len(broken)} such in all). Get the model again, or choose another."
        )
    with torch.inference_mode():  # encode() would leave the thread of a progress bar behind
        given = batch_to_device(encoder.preprocess(["a"]), encoder.device)
        embedding = encoder(given)["sentence_embedding"]
    if not embedding.isfinite().all():  # the weights are so large that what is computed with them overflows
        raise ModelError(f"The embeddings of {found.name} are not finite numbers. Choose another model.")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the progress bars and warnings of transformers and sentence-transformers inside the block."""
    from transformers.utils import logging as library

    prompts = logging.getLogger("sentence_transformers")  # it warns about every prompt that is a default
    level, verbosity, bars = prompts.level, library.get_verbosity(), library.is_progress_bar_enabled()
    prompts.setLevel(logging.CRITICAL)
    library.set_verbosity(logging.CRITICAL)
    library.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        prompts.setLevel(level)
        library.set_verbosity(verbosity)
        if bars:
            library.enable_progress_bar()  # type: ignore[no-untyped-call]
