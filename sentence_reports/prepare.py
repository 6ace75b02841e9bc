"""Prepare the job of making a set's report, with its notebook, its model and what its page says about the run."""

import os
import shlex
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sentence_reports.errors import ModelError, UsageError
from sentence_reports.models import choose_usage, find_model
from sentence_reports.models.files import model_folder
from sentence_reports.models.find import check_name
from sentence_reports.project import Project, find_project
from sentence_reports.report import EPOCH, LEXICAL, FoundModel, Job, Request
from sentence_reports.sets import SetFile

REHEARSAL = "sentence_reports.lesson.rehearsal:rehearse"
"""What the process that starts kernels does once, see `Kernels`."""
TIMEOUT = 900.0
TIMEOUT_OF_A_ROW = 0.2  # a large model, with two cores that others use as well


@dataclass
class ModelFinder:
    """Finds each model once, whichever sets ask for it; `strict` allows no fallback."""

    strict: bool = False
    _results: dict[tuple[Request, Path], FoundModel | ModelError] = field(default_factory=dict)

    def find(self, request: Request, folder: Path) -> FoundModel:
        """Return the model that runs for a set in `folder`. Raises ModelError, for each such set, if there is none."""
        if self.strict:
            request = request._replace(fallback_model=None)
        key = request, folder
        if key not in self._results:
            try:
                self._results[key] = find_model(*request, folder=folder)
            except ModelError as error:
                self._results[key] = error
        result = self._results[key]
        if isinstance(result, ModelError):
            raise result
        return result

    def is_found(self, request: Request, folder: Path) -> bool:
        """Return whether this very model is found, and no fallback in its place."""
        try:
            return self.find(request, folder).stands_in_for is None
        except ModelError:
            return False

    def missing(self, set_file: SetFile) -> tuple[str, ...]:
        """Return the labels of the models of a comparison that are not found; nothing for a set with one model."""
        folder, choices = set_file.path.parent, set_file.set.choices if set_file.set.models else ()
        return tuple(choice.label for choice in choices if not self.is_found(choice.request, folder))


def prepare_job(
    set_file: SetFile,
    project: Project,
    *,
    models: ModelFinder | None = None,
    date: str | None = None,
    timeout: float | None = None,
    device: str = "cpu",
    embeddings: bool = False,
) -> Job:
    """Return the job of making a set's report: plain data, with the notebook and the models that were found.

    `date` is the day that the page shows, by default `today()`; `timeout` limits the run, in seconds, and is
    `default_timeout` otherwise. `device` and `embeddings` are those of `Options`. Raises ModelError if the model cannot
    be found or does not fit the set's prompt or `truncate_dim`, in a comparison if only one model is left; UsageError
    if the notebook cannot be read; SetError if a file of texts cannot be used.
    """
    set_file = set_file.surveyed()
    return Job(
        stem=set_file.stem,
        notebook=read_notebook(project.notebook(set_file.set.notebook)),
        parameters=set_file.parameters(),
        n=set_file.n,
        models=find_models(set_file, models or ModelFinder()),
        date=date or today(),
        command=_command(set_file),
        warnings=tuple(str(replace(warning, file=set_file.path.name)) for warning in set_file.warnings),
        timeout=timeout or default_timeout(set_file),
        folder=str(set_file.path.parent.absolute()) if set_file.set.texts else "",
        sha256=set_file.sha256,
        device=device_of(set_file, device),
        tables=tables_of(set_file, embeddings=embeddings),
        epoch=os.environ.get(EPOCH, ""),
    )


def default_timeout(set_file: SetFile) -> float:
    """Return the limit for a set in seconds: a quarter of an hour, and 0.2 s more for each row of a file of texts."""
    return TIMEOUT + TIMEOUT_OF_A_ROW * (set_file.survey.total if set_file.survey else 0)


def device_of(set_file: SetFile, device: str) -> str:
    """Return the device that a set's model runs on if a run chooses this one: a walkthrough's always runs on "cpu"."""
    return "cpu" if set_file.set.notebook == "walkthrough" else device


def tables_of(set_file: SetFile, *, embeddings: bool) -> tuple[str, ...]:
    """Return the suffixes of the tables next to a set's page; with `embeddings`, also that of a collection's."""
    if set_file.set.texts is None:
        return (".csv",)
    return (".csv", ".neighbours.csv", ".npy") if embeddings else (".csv", ".neighbours.csv")


def find_models(set_file: SetFile, models: ModelFinder) -> tuple[tuple[Request, FoundModel | str], ...]:
    """Return each model that a set asks for, or the reason why it cannot be had.

    Raises ModelError if none is left, or only one for a comparison. A model that is there may still not fit its prompt
    or `truncate_dim`; in a comparison, the notebook then says so.
    """
    answers: dict[Request, FoundModel | str] = {}
    failures: dict[str, ModelError] = {}
    choices = set_file.set.choices
    for index, choice in enumerate(choices):
        try:
            found = models.find(choice.request, set_file.path.parent)
            answers[choice.request] = found
            for key in ("prompt", "truncate_dim"):
                try:
                    choose_usage(found, **{key: getattr(choice, key)})
                except ModelError as error:
                    trail = ("models", index, key) if set_file.set.models else (key,)
                    raise ModelError(str(set_file.problem(trail, str(error)))) from error
        except ModelError as error:
            answers.setdefault(choice.request, str(error))
            failures[choice.label] = error
    if len(choices) == 1 and failures:
        raise failures[choices[0].label]
    if len(choices) > 1 and (left := len(choices) - len(failures)) < 2:
        reasons = "".join(f"\n{label}: {error}" for label, error in failures.items())
        have = "none of them" if not left else "only one of them"
        raise ModelError(
            f"A comparison needs two of its {len(choices)} models, and {have} can be used.{reasons}"
        )
    return tuple(answers.items())


def named_model(name: str | None) -> str | None:
    """Return the model that `--model` names: a hub id, or the absolute path of a folder. Raises UsageError."""
    if name is None:
        return None
    if name == LEXICAL:
        raise UsageError(
            f"--model {LEXICAL} cannot run alone. Write it in `models` of a set, next to a model"
        )
    try:
        check_name("--model", name)
    except ModelError as error:
        raise UsageError(str(error)) from error
    return name if (folder := model_folder(name)) is None else str(folder.resolve())


def read_notebook(path: Path) -> str:
    """Return a notebook as JSON text. Raises UsageError if the file cannot be read as one."""
    import nbformat

    try:
        text = path.read_text(encoding="utf-8")
        nbformat.reads(text, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        raise UsageError(f"{path} cannot be read as a notebook: {error}") from error
    return text


def today() -> str:
    """Return the day that reports show: today, or that of SOURCE_DATE_EPOCH (reproducible-builds.org), in UTC.

    Raises UsageError if that variable is not a number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH must be seconds since 1970, got {epoch!r}") from error
    return moment.strftime("%Y-%m-%d")


def _command(set_file: SetFile) -> str:
    """Return the command that makes a report again, from the folder of the set's project or else from the set's."""
    folder, name = set_file.path.parent.resolve(), set_file.path.name  # a link keeps its own name
    words, model = [name, "--out", "reports"], set_file.set.model
    with suppress(UsageError):
        base = find_project(folder).folder
        words = [(folder / name).relative_to(base).as_posix()]
        if own := model_folder(model, set_file.path.parent):
            model = Path(os.path.relpath(own.resolve(), base)).as_posix()
    if set_file.variant:
        words += ["--model", model]
    return shlex.join(["sentence-reports", "run", *words])
