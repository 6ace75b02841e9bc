"""What the hub answers, and how long and how much of it is listened to. Some searches run in a process of their own, as
the library reads HF_HOME and HF_ENDPOINT when it is imported; more in this one, which takes half the time; and most in
this one with the download, which takes a hundredth.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from hub import COMMIT, HTML, JSON, STEP, Finder, Here, Inside, Reply, StandIn, closed_port
from support import edit, eventually, only_pickle

from sentence_reports import models
from sentence_reports.models import EMBEDDED, FoundModel, find_model
from sentence_reports.models.find import DEFAULT_REVISIONS, EMBEDDED_SHA256

BGE = "BAAI/bge-base-en"
PINNED = DEFAULT_REVISIONS[BGE]
OTHER = "2" * 40


def test_what_the_hub_has_is_downloaded_once_and_only_what_is_needed(model: Path, hf_home: Path) -> None:
    (model / "onnx").mkdir()
    for name in ("pytorch_model.bin", "onnx/model.onnx", "onnx/config.json", "tf_model.h5", ".gitattributes"):
        (model / name).write_bytes(b"x")
    with StandIn({"some/model": model}) as hub:
        found = Finder(["some/model"], hub=hub.url).one()
        assert (found.source, found.revision) == ("hub cache", COMMIT)
        assert found.sha256 == find_model(str(model)).sha256
        assert Path(found.folder).is_relative_to(hf_home)
        fetched = {path.split(f"/resolve/{COMMIT}/")[1] for path in hub.asked if path.startswith("GET /some")}
        assert fetched == {name for name, _ in models.files(find_model(str(model)))}
        assert {"model.safetensors", "modules.json", "1_Pooling/config.json", "tokenizer.json"} <= fetched
        hub.asked.clear()
        assert Finder(["some/model"], hub=hub.url).one() == found
        assert hub.asked == []


def test_the_revision_is_the_one_given_else_the_pinned_one(tiny: Path) -> None:
    with StandIn({BGE: tiny, "some/model": tiny}, commit=PINNED) as hub:
        answers = Inside([BGE], ["some/model", "v1"], hub=hub.url).all()
        assert [answer["found"]["revision"] for answer in answers] == [PINNED, PINNED]
        assert LOOK in hub.asked
        assert "GET /api/models/some/model/revision/v1" in hub.asked


def test_a_repository_that_cannot_be_used_is_refused_before_the_download(model: Path) -> None:
    pickled = Path(shutil.copytree(model, model.parent / "pickled"))
    only_pickle(pickled)
    (model / "modules.json").unlink()
    with StandIn({"no/modules": model, "only/pickle": pickled}) as hub:
        no_modules, only = Inside(
            ["no/modules", None, EMBEDDED], ["only/pickle", None, EMBEDDED], hub=hub.url
        ).all()
        assert "another pooling" in no_modules["error"]
        assert "only as a pickle (pytorch_model.bin)" in only["error"]
        assert not [path for path in hub.asked if "/resolve/" in path]


def test_a_downloaded_model_that_needs_code_is_refused(model: Path) -> None:
    edit(model / "config.json", auto_map={"AutoModel": "x.Y"})
    with StandIn({"some/model": model}) as hub:
        assert "auto_map" in Inside(["some/model", None, EMBEDDED], hub=hub.url).error()


NOT_THE_HUB = "something other than the Hugging Face hub answered at its address"
PAGE = b"<html>Please log in</html>"
UNREACHABLE: dict[str, tuple[Reply, str]] = {
    "500": ((500, HTML, b"x"), "the Hugging Face hub is unavailable (HTTP 500)"),
    "503": ((503, JSON, b"{}"), "the Hugging Face hub is unavailable (HTTP 503)"),
    "429": ((429, JSON, b"{}"), "the Hugging Face hub is unavailable (HTTP 429)"),
    "page": ((200, HTML, PAGE), NOT_THE_HUB),
    "blocked": ((403, HTML, PAGE), NOT_THE_HUB),
    "no page": ((404, HTML, PAGE), NOT_THE_HUB),
    "proxy": ((407, HTML, PAGE), NOT_THE_HUB),
    "other JSON": ((200, JSON, b'{"hello": 1}'), NOT_THE_HUB),
    "a list": ((200, JSON, b"[1]"), NOT_THE_HUB),
    "no commit": ((200, JSON, b'{"id": "x/y"}'), NOT_THE_HUB),
    "round and round": ((302, {"Location": "/"}, b""), "the Hugging Face hub could not be reached"),
}


@pytest.mark.parametrize("case", UNREACHABLE)
def test_a_hub_that_is_none_or_does_not_serve_makes_the_fallback_stand_in(case: str) -> None:
    reply, reason = UNREACHABLE[case]
    with StandIn(reply=reply) as hub:
        fallen, strict = Inside([BGE, None, EMBEDDED], [BGE], hub=hub.url).all()
    found = FoundModel(**fallen["found"])
    assert (found.name, found.source, found.sha256) == (EMBEDDED, "installed package", EMBEDDED_SHA256)
    assert (found.stands_in_for, found.reason) == (BGE, reason)
    assert f"{BGE} is not on this machine, and {reason}" in strict["error"]
    if case != "round and round":
        assert hub.asked == [LOOK]  # no retries, and once for both


@pytest.mark.parametrize("why", ["nothing listens", "no such host", "offline"])
def test_without_a_network_the_fallback_stands_in_at_once(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = "http://nowhere.invalid" if why == "no such host" else closed_port()
    if why == "offline":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    finder = Finder([BGE, None, EMBEDDED], [BGE], hub=endpoint)
    fallen, strict = finder.all()
    assert (fallen["found"]["name"], fallen["found"]["stands_in_for"]) == (EMBEDDED, BGE)
    reached = "the Hugging Face hub could not be reached"
    assert fallen["found"]["reason"] == ("HF_HUB_OFFLINE is set" if why == "offline" else reached)
    for words in (f"hf download {BGE} --revision {PINNED}", "Connect to the network"):
        assert words in strict["error"]
    assert (finder.network == []) == (why == "offline")


def test_offline_mode_set_after_the_library_was_imported_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import os\nfrom huggingface_hub import HfApi\nos.environ['HF_HUB_OFFLINE'] = '1'\n"
        "from sentence_reports.models import find_model\n"
        f"print(find_model({BGE!r}, None, {EMBEDDED!r}).reason)"
    )
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "HF_HUB_OFFLINE is set\n"


LOOK = f"GET /api/models/{BGE}/revision/{PINNED}"


@pytest.mark.slow
def test_a_hub_that_hangs_is_given_up() -> None:
    with StandIn(reply="hang") as hanging, StandIn(reply="drip") as dripping:
        finders = [Finder([BGE, None, EMBEDDED], hub=hub.url) for hub in (hanging, dripping)]
        for finder in finders:  # give both their work before waiting for one
            finder.process.stdin.write(finder.work)
            finder.process.stdin.close()
            finder.process.stdin = None
            finder.work = None
        answers = [finder.all()[0] for finder in finders]
        assert hanging.asked == dripping.asked == [LOOK]  # no retries
    assert {answer["found"]["reason"] for answer in answers} == {
        "the Hugging Face hub did not answer in time"
    }


BROKEN = {
    "closes": "the download from the Hugging Face hub broke off",
    "503": "the download from the Hugging Face hub broke off",  # 40 s of retries
    "page": "the download from the Hugging Face hub broke off",
    "hangs": "the download from the Hugging Face hub stalled",
}


@pytest.mark.parametrize(
    "how",
    [
        "closes",
        pytest.param("503", marks=pytest.mark.slow),
        "page",
        pytest.param("hangs", marks=pytest.mark.slow),
    ],
)
def test_a_download_that_breaks_off_makes_the_fallback_stand_in(how: str, tiny: Path) -> None:
    patience = (
        "import sentence_reports.models.hub; sentence_reports.models.hub.STALL_SECONDS = 5"
        if how == "hangs"
        else ""
    )
    with StandIn({"some/model": tiny}, broken_files=how) as hub:
        found = Finder(["some/model", None, EMBEDDED], hub=hub.url, first=patience).one()
        assert [path for path in hub.asked if "/resolve/" in path]
    assert (found.name, found.stands_in_for) == (EMBEDDED, "some/model")
    assert found.reason == BROKEN[how]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_download_ends_with_its_process(tiny: Path) -> None:
    with StandIn({"some/model": tiny}, broken_files="hangs") as hub:
        finder = Finder(["some/model"], hub=hub.url)
        assert finder.process.stdin is not None
        finder.process.stdin.write(finder.work)
        finder.process.stdin.close()
        finder.process.stdin = None
        assert eventually(lambda: any("/resolve/" in path for path in hub.asked))
        (download,) = psutil.Process(finder.process.pid).children()
        finder.process.kill()
        finder.process.communicate()
        assert psutil.wait_procs([download], 30)[1] == []


@pytest.mark.slow
def test_a_slow_download_is_not_given_up(model: Path) -> None:
    content = os.urandom(6 * STEP)  # comes within 10 s
    (model / "vocab.txt").write_bytes(content)
    with StandIn({"some/model": model}) as hub:
        patience = "from sentence_reports.models import hub; hub.STALL_SECONDS = 7"
        found = Finder(["some/model"], hub=hub.url, first=patience).one()
    assert Path(found.folder, "vocab.txt").read_bytes() == content


# A shell that mounts a disk of 40 kB at its first word, for what it then runs alone, and is replaced by that.
SMALL_DISK = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=40k none "$0" && exec "$@"']


def test_a_full_disk_is_an_error_and_one_message(tiny: Path, hf_home: Path) -> None:
    hf_home.mkdir()
    try:
        small = subprocess.run([*SMALL_DISK, str(hf_home), "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("unshare, of util-linux, is not here")
    if small.returncode:
        pytest.skip("no small disk can be mounted here")
    with StandIn({"some/model": tiny}) as hub:
        error = Finder(
            ["some/model", None, EMBEDDED], hub=hub.url, within=[*SMALL_DISK, str(hf_home)]
        ).error()
    assert error == "some/model cannot be stored on this machine: No space left on device."


def test_a_fallback_that_is_not_here_is_an_error_that_names_both() -> None:
    error = Inside([BGE, None, "other/model"], hub=closed_port()).error()
    assert f"The model {BGE} is not on this machine" in error
    assert "its fallback_model other/model is not on this machine either" in error


def test_a_fallback_may_be_a_folder(model: Path) -> None:
    found = Inside([BGE, None, str(model)], hub=closed_port()).one()
    assert (found.name, found.source, found.stands_in_for) == (str(model), "folder", BGE)


NO = b'{"error": "no"}'
ANSWERS: dict[str, tuple[Reply, str]] = {
    "unknown": ((401, JSON, NO), "There is no model"),
    "not found": ((404, {**JSON, "X-Error-Code": "RepoNotFound"}, NO), "There is no model"),
    "gated": ((403, {**JSON, "X-Error-Code": "GatedRepo"}, NO), "If it is gated, request access"),
    "revision": ((404, {**JSON, "X-Error-Code": "RevisionNotFound"}, NO), f"no revision '{PINNED}'"),
    "forbidden": ((403, JSON, NO), "refuses access"),
    "token": (
        (401, {**JSON, "X-Error-Message": "Invalid credentials in Authorization header"}, NO),
        "`hf auth login`",
    ),
    "other": ((400, JSON, NO), "HTTP 400"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_the_word_of_the_hub_is_an_error_and_never_falls_back(case: str) -> None:
    reply, words = ANSWERS[case]
    with StandIn(reply=reply) as hub:
        error = Inside([BGE, None, EMBEDDED], hub=hub.url).error()
    assert words in error
    assert BGE in error


def test_certificates_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent.pem")
    words = Inside(["some/model", None, EMBEDDED], hub="https://127.0.0.1:9").error()
    assert words.startswith("The hub cannot be asked: ")
    assert words.endswith("Check HF_ENDPOINT and this machine's variables for proxies and certificates.")


def test_an_address_that_is_none_is_an_error() -> None:
    assert (
        "The hub cannot be asked: Request URL is missing"
        in Inside([BGE, None, EMBEDDED], hub="not-an-address").error()
    )


# --- hubs that lie ----------------------------------------------------------------------------------------

UNUSABLE = "The hub's answer about some/model cannot be used: "


def refused(hub: StandIn, search: type[Here] = Here) -> str:
    """What is wrong with the hub's answer, after which no fallback hides that something is."""
    error = search(["some/model", None, EMBEDDED], hub=hub.url).error()
    assert error.startswith(UNUSABLE), error
    assert error.endswith(". Check HF_ENDPOINT and this machine's proxy.")
    return error.removeprefix(UNUSABLE)


def outside(place: Path) -> list[Path]:
    """The files in a folder that are not in the hub cache."""
    return [path for path in place.rglob("*") if path.is_file() and "hf_home" not in path.parts]


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"../../../../../../evil"'},
        {"X-Linked-ETag": '"' + 6 * "../" + "evil" + '"'},
        {"ETag": '"/evil"'},
        {"X-Repo-Commit": "../../../evil"},
        {"X-Repo-Commit": "2" * 40},
    ],
)
def test_headers_never_become_paths(headers: dict[str, str], tiny: Path, private_folders: Path) -> None:
    with StandIn({"some/model": tiny}, headers=headers) as hub:
        reason = refused(hub)
    assert "is not a hash" in reason or "is of another commit" in reason
    assert outside(private_folders) == []


ELSEWHERE = ["../../../../evil.json", "/evil.json", "a/../../b.json", "nul\0.json", "a\\b.json", "C:b.json"]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_names_that_lead_elsewhere_are_refused_before_the_download(
    name: str, tiny: Path, private_folders: Path
) -> None:
    with StandIn({"some/model": tiny}, listed={name: 1}) as hub:
        assert refused(hub, Inside).startswith(f"{name!r} is not the name of a file in a repository")
        assert not [path for path in hub.asked if "/resolve/" in path]
    assert outside(private_folders) == []


def test_another_commit_than_the_one_asked_for_is_refused(tiny: Path) -> None:
    with StandIn({"some/model": tiny}, names=(OTHER,)) as hub:
        error = Inside(["some/model", OTHER, EMBEDDED], hub=hub.url).error()
    assert f"it is about the commit {COMMIT} instead of {OTHER}" in error


def test_deeply_nested_json_is_refused_and_the_next_model_is_found(model: Path) -> None:
    with StandIn(reply=(200, JSON, b"[" * 200_000)) as hub:
        deep, folder = Inside(["some/model", None, EMBEDDED], [str(model)], hub=hub.url).all()
    assert deep["error"].startswith(f"{UNUSABLE}RecursionError: ")
    assert folder["found"]["name"] == str(model)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"id": 1, "sha": "%s", "siblings": 5}', NOT_THE_HUB),
        (
            b'{"id": "x/y", "sha": "%s", "siblings": [{"rfilename": 5}]}',
            "'5' is not the name of a file in a repository",
        ),
    ],
)
def test_json_of_the_wrong_types_is_an_error_in_words(answer: bytes, words: str) -> None:
    with StandIn(reply=(200, JSON, answer % COMMIT.encode())) as hub:
        error = Inside(["some/model"], hub=hub.url).error()
    assert words in error


def test_json_without_end_is_cut_off(tiny: Path) -> None:
    with StandIn(reply="endless") as hub:
        assert refused(hub).startswith("it is longer than any model's")
        assert hub.sent < 40_000_000  # what was on its way is sent for nothing


def test_a_compressed_answer_is_refused() -> None:
    with StandIn(reply=(200, {**JSON, "Content-Encoding": "gzip"}, b"")) as hub:
        assert refused(hub).startswith("it is compressed")


def test_a_file_without_end_is_cut_off(tiny: Path) -> None:
    size = sum(path.stat().st_size for path in tiny.rglob("*") if path.is_file())
    with StandIn({"some/model": tiny}, broken_files="endless") as hub:
        assert refused(hub).startswith("it brings more bytes than the model has")
        assert hub.sent < 80_000_000 + 2 * size


def test_too_many_files_or_bytes_are_refused_before_the_download(tiny: Path) -> None:
    with StandIn({"some/model": tiny}, listed={f"{k}.json": 1 for k in range(10_000)}) as hub:
        assert "files to download; at most 500 are" in refused(hub, Inside)
        assert len(hub.asked) == 1
    with StandIn({"some/model": tiny}, listed={"more.safetensors": 10**12}) as hub:
        assert "at most 64,000,000,000 are downloaded" in refused(hub, Inside)
        assert len(hub.asked) == 1


def test_a_listing_whose_pages_never_end_is_cut_off(tiny: Path) -> None:
    with StandIn({"some/model": tiny}, broken_files="pages") as hub:
        assert refused(hub).startswith("it takes more requests than any model needs")
        assert len(hub.asked) < 100


@pytest.mark.slow
def test_a_download_without_end_is_given_up(tiny: Path) -> None:
    first = "from sentence_reports.models import hub; hub.GRACE_SECONDS = 6"
    with StandIn({"some/model": tiny}, broken_files="drips") as hub:
        found = Finder(["some/model", None, EMBEDDED], hub=hub.url, first=first).one()
    assert found.reason == "the download from the Hugging Face hub stalled"


# --- a hub that cannot be reached ---------------------------------------------------------------------------


def test_a_hub_that_cannot_be_reached_is_asked_once_for_all_fallbacks(model: Path) -> None:
    requests = [["some/model", None, EMBEDDED], ["some/model", None, str(model)], ["some/model"]]
    with StandIn(reply=(503, HTML, b"")) as hub:
        first, second, third = Finder(*requests, hub=hub.url).all()
        assert len(hub.asked) == 1
    assert first["found"]["name"] == EMBEDDED
    assert second["found"]["name"] == str(model)
    assert first["found"]["reason"] == second["found"]["reason"]
    assert "is unavailable (HTTP 503)" in third["error"]
    with StandIn(reply=(503, HTML, b"")) as hub:  # after a while it is asked again
        later = "from sentence_reports.models import hub; hub.REST_SECONDS = 0"
        Finder(*requests[:2], hub=hub.url, first=later).all()
        assert len(hub.asked) == 2


def test_a_download_that_cannot_even_start_makes_the_fallback_stand_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    found = find_model("some/model", None, EMBEDDED)
    assert (found.name, found.stands_in_for) == (EMBEDDED, "some/model")
