"""What travels to a worker: a job and the content of the files that its set names, but no path of this machine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sentence_reports.errors import ModelError
from sentence_reports.report import FoundModel, Job

HERE = "Run this set without --scheduler"
OWN_FOLDERS = ("this set", "file")
"""The sources of what stands in for a model and is not looked for: word counts, and vectors that travel."""


@dataclass(frozen=True)
class Parcel:
    """A job whose folders are empty; `files` holds the content of each file that it needs, by the name in its set.

    `run` is the name of the run, another one for each, `code` is the digest of the program that made this parcel.
    """

    job: Job
    files: Mapping[str, bytes] = field(repr=False)
    run: str
    code: str


def pack(job: Job, run: str, code: str) -> Parcel:
    """Return what a worker needs to do a job of this machine.

    Raises ModelError if a model is a folder of this machine or a file cannot travel; OSError if one cannot be read.
    """
    for _, answer in job.models:
        if isinstance(answer, FoundModel) and answer.source == "folder":
            raise ModelError(
                f"the model {answer.name} is a folder of this machine, and the workers of a cluster find a model by "
                f"its id on the hub. {HERE}, or name such an id"
            )
    contents = {}
    for folder, name in named_files(job):
        if Path(name).expanduser().is_absolute():
            raise ModelError(
                f"the file {name} is named by a path of this machine, which the workers of a cluster do not have. "
                f"Write it relative to the set file. {HERE} if that is not possible"
            )
        contents[name] = (folder / name).read_bytes()
    models = tuple(
        (request, replace(answer, folder="") if isinstance(answer, FoundModel) else answer)
        for request, answer in job.models
    )
    return Parcel(replace(job, folder="", models=models), contents, run, code)


def named_files(job: Job) -> Iterator[tuple[Path, str]]:
    """Yield the folder and the name of each file that a job's set names and its kernel reads."""
    if job.folder:
        yield Path(job.folder), job.parameters["texts"]["file"]
    for request, answer in job.models:
        if isinstance(answer, FoundModel) and request.vectors is not None:
            yield from ((Path(answer.folder), name) for name in request.vectors)


def unpack(parcel: Parcel, folder: Path, locate: Callable[[FoundModel], FoundModel]) -> Job:
    """Return the job as this machine can do it, with its files in `folder`; `locate` gives a model its folder.

    Raises whatever `locate` does.
    """
    up = max((Path(name).parts.count("..") for name in parcel.files), default=0)
    base = folder.joinpath(*["set"] * (up + 1))  # so deep that no name leads out of `folder`
    base.mkdir(parents=True)
    for name, content in parcel.files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def settle(answer: FoundModel | str) -> FoundModel | str:
        if isinstance(answer, str):
            return answer
        return replace(answer, folder=str(base)) if answer.source in OWN_FOLDERS else locate(answer)

    models = tuple((request, settle(answer)) for request, answer in parcel.job.models)
    return replace(parcel.job, folder=str(base) if parcel.job.sha256 else "", models=models)
