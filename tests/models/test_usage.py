"""How a model is used: prompts that it declares or a set chooses, and how many dimensions are kept."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from support import edit

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import EMBEDDED, FoundModel, choose_usage, find_model
from sentence_reports.models.usage import Usage
from sentence_reports.models.wordllama import WORDLLAMA, wordllama_modules

CAT = "the cat sat"


def test_a_model_without_prompts_is_used_without(tiny: Path) -> None:
    found = find_model(str(tiny))
    assert choose_usage(found) == Usage("", "", "", None)
    assert choose_usage(find_model(EMBEDDED)) == Usage("", "", "", None)
    encoder = models.load(found)
    assert Usage.of(encoder) == Usage("", "", "", None)
    same = encoder.encode(CAT)
    assert (encoder.encode_query(CAT) == same).all()
    assert (encoder.encode_document(CAT) == same).all()


def test_e5_puts_one_word_before_queries_and_another_before_passages(e5: Path) -> None:
    found = find_model(str(e5))
    plain = models.load(found)
    assert choose_usage(found) == Usage.of(plain) == Usage("", "query: ", "passage: ", None)
    bare = plain.encode(CAT)
    assert (plain.encode_query(CAT) == plain.encode(f"query: {CAT}")).all()
    assert (plain.encode_document(CAT) == plain.encode(f"passage: {CAT}")).all()
    assert not np.allclose(plain.encode_query(CAT), bare, rtol=0, atol=1e-4)
    assert not np.allclose(plain.encode_document(CAT), plain.encode_query(CAT), rtol=0, atol=1e-4)
    for prompt in ("query", "query: "):  # the name, or the text itself
        encoder = models.load(found, prompt)
        assert Usage.of(encoder) == Usage("query: ", "query: ", "query: ", None)
        assert (encoder.encode(CAT) == plain.encode(f"query: {CAT}")).all()
        assert (encoder.encode_document(CAT) == plain.encode(f"query: {CAT}")).all()


def test_bge_puts_an_instruction_before_queries_only(bge: Path) -> None:
    encoder = models.load(find_model(str(bge)))
    assert Usage.of(encoder) == Usage("", "represent the query : ", "", None)
    assert (encoder.encode_query(CAT) == encoder.encode(f"represent the query : {CAT}")).all()
    assert (encoder.encode_document(CAT) == encoder.encode(CAT)).all()


def test_a_default_prompt_is_used_unless_the_set_says_otherwise(e5: Path) -> None:
    edit(e5 / "config_sentence_transformers.json", default_prompt_name="passage")
    found = find_model(str(e5))
    bare = models.load(found, "")
    assert Usage.of(bare) == Usage("", "query: ", "", None)
    assert Usage.of(models.load(found)) == Usage("passage: ", "query: ", "passage: ", None)
    assert (models.load(found).encode(CAT) == bare.encode(f"passage: {CAT}")).all()
    assert (models.load(found, "query").encode(CAT) == bare.encode(f"query: {CAT}")).all()
    assert (models.load(found, "on the mat ").encode(CAT) == bare.encode(f"on the mat {CAT}")).all()


def test_a_name_that_the_model_does_not_declare_is_an_error_before_anything_is_loaded(
    e5: Path, tiny: Path
) -> None:
    found = replace(find_model(str(e5)), name="mine")
    (e5 / "model.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        models.load(found, "question")
    assert str(caught.value) == (
        "The model mine declares no prompt with the name 'question'. It declares query ('query: '), "
        "passage ('passage: '). To put one word before each sentence, add a space after it."
    )
    with pytest.raises(
        ModelError, match="It declares none"
    ):  # its file declares an empty one, which does nothing
        choose_usage(find_model(str(tiny)), "query")
    assert choose_usage(found, "question ").text == "question "
    assert choose_usage(found, "question:").text == "question:"
    assert choose_usage(found, "生成表示：").text == "生成表示："  # a prompt in a script without spaces


def test_too_many_dimensions_are_an_error_before_anything_is_loaded(e5: Path) -> None:
    found = replace(find_model(str(e5)), name="mine")
    (e5 / "model.safetensors").unlink()
    with pytest.raises(
        ModelError, match="`truncate_dim` is 33, but the embeddings of mine have 32 dimensions"
    ):
        choose_usage(found, None, 33)
    assert choose_usage(found, None, 32).truncate_dim == 32


@pytest.mark.skipif(find_spec("wordllama") is None, reason="this Python has no wordllama")
def test_too_many_dimensions_of_a_static_model_are_an_error_before_it_is_loaded(tmp_path: Path) -> None:
    packaged = find_model(WORDLLAMA)
    with pytest.raises(ModelError, match=r"`truncate_dim` is 257, but .* have 256 dimensions"):
        choose_usage(packaged, None, 257)
    SentenceTransformer(modules=wordllama_modules(packaged), device="cpu").save(str(tmp_path))
    saved = FoundModel("mine", None, "folder", str(tmp_path), "0")
    with pytest.raises(ModelError, match=r"`truncate_dim` is 257, but .* have 256 dimensions"):
        choose_usage(saved, None, 257)
    next(tmp_path.rglob("model.safetensors")).write_bytes(b"damaged")
    assert choose_usage(saved, None, 257).truncate_dim == 257  # loading will say what is wrong


@pytest.mark.parametrize("content", ["{", "[]", '{"prompts": ["query"]}', '{"prompts": {"query": null}}'])
def test_a_damaged_file_of_prompts_is_an_error_or_declares_none(content: str, model: Path) -> None:
    (model / "config_sentence_transformers.json").write_text(content)
    found = FoundModel("mine", None, "folder", str(model), "0")
    if content == "{":
        with pytest.raises(ModelError, match=r"config_sentence_transformers\.json of mine cannot be read"):
            choose_usage(found)
    else:
        assert choose_usage(found) == Usage("", "", "", None)


def test_truncated_embeddings_are_the_first_dimensions_at_length_one(model: Path) -> None:
    found = find_model(str(model))
    whole, cut = models.load(found), models.load(found, truncate_dim=8)
    first = whole.encode(CAT)[:8]
    assert np.allclose(cut.encode(CAT), first, atol=1e-6)
    assert np.linalg.norm(cut.encode(CAT)) < 0.99
    scaled = cut.encode(CAT, normalize_embeddings=True)
    assert np.allclose(scaled, first / np.linalg.norm(first), atol=1e-6)
    assert models.load(found, truncate_dim=32).encode(CAT).shape == (32,)
    with pytest.raises(
        ModelError, match=r"`truncate_dim` is 33, but the embeddings of .* have 32 dimensions"
    ):
        models.load(found, truncate_dim=33)


def test_the_facts_hold_what_was_used(e5: Path) -> None:
    found = find_model(str(e5))
    encoder = models.load(found, truncate_dim=8)
    facts = models.describe(found, encoder)
    assert facts.declared_prompts == {"query": "query: ", "passage": "passage: "}
    assert (facts.prompt, facts.query_prompt) == ("", "")
    assert (facts.dimension, facts.full_dimension, facts.normalizes) == (8, 32, False)
    assert encoder.truncate_dim == 8
    searching = models.describe(found, encoder, queries=True)
    assert (searching.prompt, searching.query_prompt) == ("passage: ", "query: ")
    whole = models.describe(found, models.load(found, "query"))
    assert (whole.prompt, whole.dimension, whole.full_dimension, whole.normalizes) == (
        "query: ",
        32,
        None,
        True,
    )


def test_a_fallback_ignores_what_was_written_for_the_other_model(e5: Path) -> None:
    found = replace(find_model(str(e5)), stands_in_for="asked/for", reason="a reason")
    encoder = models.load(found, "no-such-name", truncate_dim=1000)
    assert (
        Usage.of(encoder)
        == choose_usage(found, "no-such-name", 1000)
        == Usage("", "query: ", "passage: ", None)
    )


def test_the_tokens_of_a_query_are_counted_with_its_prompt(e5: Path) -> None:
    found = find_model(str(e5))
    encoder = models.load(found)
    assert [facts.count for facts in models.token_report(encoder, [CAT])] == [5]
    assert [facts.count for facts in models.token_report(encoder, [CAT], "query: ")] == [7]
    assert [facts.count for facts in models.token_report(models.load(found, "query"), [CAT])] == [7]
