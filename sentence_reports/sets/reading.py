"""Read a set file: a validated, frozen set, or everything that is wrong with the file."""

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from sentence_reports.errors import Problem, SetError
from sentence_reports.sets.naming import name_of
from sentence_reports.sets.opening import opened, refusal
from sentence_reports.sets.quoting import correction, quote, show
from sentence_reports.sets.ratings import RatingsFile, read_ratings
from sentence_reports.sets.sentence_set import SentenceSet
from sentence_reports.sets.text_files import Survey, read_texts, survey_texts
from sentence_reports.sets.text_stream import CHANGED, file_hash
from sentence_reports.sets.wording import describe, misread
from sentence_reports.sets.yaml_nodes import Document, Trail, read_document

MAX_BYTES = 5_000_000
PROSE = ("title", "description", "sentences", "queries", "claim")
"""Keys with texts that people read; so are, at any depth, `because` and `label`."""

HINTS: dict[Any, str] = {
    "baseline": " It holds the vectors of the sentences that `sentence-reports baseline` prints."
}


@dataclass(frozen=True)
class SetFile:
    """A set with the file it came from, and what its author should look at although it is allowed.

    `sha256` is the hash of its file of texts, empty if it has sentences or the file cannot be read. `survey` tells what
    is in that file, None if nobody has looked yet. `document` knows the lines of the set.
    """

    path: Path
    set: SentenceSet
    warnings: tuple[Problem, ...]
    variant: str = ""
    survey: Survey | None = None
    sha256: str = ""
    document: Document | None = field(default=None, repr=False, compare=False)

    @property
    def stem(self) -> str:
        """The name of the report: the file's name without its ending, and which variant of the set it is."""
        return f"{self.path.stem}@{self.variant}" if self.variant else self.path.stem

    @property
    def n(self) -> int:
        """The number of sentences, or of rows in the file of texts; 0 without a survey of it."""
        return len(self.set.all_sentences) if self.survey is None else self.survey.total

    @property
    def title(self) -> str:
        """The set's title, or its file's name made readable."""
        return self.set.title or title_of(self.path.stem)

    def with_model(self, model: str) -> Self:
        """Return the same set with another model, as a variant named after the last part of the model's name.

        What the set says about its own model does not apply: revision, prompt and dimensions are those of the new one,
        and no fallback stands in for it. Raises SetError for a comparison, which has several.
        """
        if self.set.models:
            message = "this set compares several models, so --model does not apply. "
            message += "Name the other sets, or run without --model."
            raise SetError((Problem(str(self.path), None, None, message),))
        keys = self.set.parameters()
        for key in ("revision", "prompt", "truncate_dim"):
            keys.pop(key, None)
        changed = SentenceSet.model_validate(keys | {"model": model, "fallback_model": None})
        return replace(self, set=changed, variant=variant_of(model))

    def problem(self, trail: Trail, message: str) -> Problem:
        """Return the problem of the value at this path of keys, with its line if the file has it."""
        value = self.document.keys.get(trail) if self.document else None
        line, column = (value.line, value.column) if value else (None, None)
        return Problem(str(self.path), line, column, message)

    def surveyed(self) -> Self:
        """Return a set that has its texts in a file with what is in that file, and what is doubtful in it.

        Raises SetError if it cannot be used or changed since it was hashed, or if claims are about rows or texts that
        it does not have.
        """
        source, folder, trail, document = self.set.texts, self.path.parent, ("texts", "file"), self.document
        if source is None or self.survey is not None or document is None:
            return self
        try:
            survey = survey_texts(source, folder)
            if survey.sha256 != self.sha256:
                raise refusal(folder / source.file, None, CHANGED)
            wrong = list(self.set.wrong_claims_about(read_texts(source, folder))) if self.set.expect else []
        except SetError as error:
            raise _unusable(document, trail, error) from error
        if wrong:
            raise SetError(tuple(_mismatch(document, *it) for it in wrong))
        doubtful = (_problem(document, trail, survey.warning),) if survey.warning else ()
        return replace(self, survey=survey, warnings=self.warnings + doubtful)

    def parameters(self) -> dict[str, Any]:
        """Return what papermill injects: the keys that the author wrote, and the title, as plain data."""
        return self.set.parameters() | {"title": self.title}


def variant_of(model: str) -> str:
    """Return what a set with another model is called: the last part of the model's name."""
    return Path(model).name.strip(".") or "model"


def title_of(stem: str) -> str:
    """Return the title of a set that states none: its file's name, made readable."""
    title = stem.replace("-", " ").replace("_", " ").strip() or stem
    return title[0].upper() + title[1:]


def read_set(path: Path, *, survey: bool = True) -> SetFile:
    """Read and validate the set in a YAML file. Raises SetError with everything that is wrong with it.

    Without a `survey`, a file of texts is only hashed; see `SetFile.surveyed`.
    """
    document = read_document(_content(path), str(path))
    problems, sentence_set = document.problems, None
    if document.data:
        for trail, key in document.keys.items():
            if trail[:-1] == ("sentences",) and key.kind != "str" and key.text:
                message = f"{misread(key)} Put the name in quotes: {quote(key.text)}:"
                problems.append(_problem(document, trail, message))
        try:
            sentence_set = SentenceSet.model_validate(document.data)
        except ValidationError as error:
            problems += _problems(document, error)
    elif document.data is not None and not problems:
        message = "the file is empty. It needs at least `sentences:` with a list of texts below."
        problems.append(Problem(str(path), None, None, message))
    if problems or sentence_set is None:
        raise SetError(tuple(sorted(problems, key=lambda it: (it.line or math.inf, it.column or 0))))
    _look_for_vectors(document, path.parent)
    set_file = SetFile(path, sentence_set, tuple(_doubtful_texts(document)), document=document)
    set_file = _with_ratings(set_file, document)
    if sentence_set.texts:
        with suppress(SetError):  # the survey will say what is wrong with it
            set_file = replace(set_file, sha256=file_hash(path.parent / sentence_set.texts.file))
    return set_file.surveyed() if survey else set_file


def files_beside(path: Path) -> list[Path]:
    """Return the files that the set in a YAML file names, which may not be there; none if it cannot be read."""
    try:
        document = read_document(_content(path), str(path))
    except SetError:
        return []
    return [path.parent / file for file in _named_files(document).values()]


def _named_files(document: Document) -> dict[Trail, str]:
    """Return the files that a set names (texts, ratings, vectors) by the path of the key that names each."""
    files = {}
    for trail, value in document.values.items():
        match trail:
            case ("texts" | "ratings", "file") | ("models", int(), "vectors", "file" | "baseline"):
                if isinstance(value.data, str) and value.data.strip():
                    files[trail] = value.data
    return files


def _look_for_vectors(document: Document, folder: Path) -> None:
    """Raise SetError if a file of vectors is not there; what it holds is not looked at."""
    problems = []
    for trail, file in _named_files(document).items():
        if "vectors" in trail:
            try:
                with opened(folder / file, "vectors are a file"):
                    pass
            except SetError as error:
                problems += [_problem(document, trail, f"cannot be used: {it}") for it in error.problems]
    if problems:
        raise SetError(tuple(problems))


def _unusable(document: Document, trail: Trail, error: SetError) -> SetError:
    """Return the error of a file that a set names; what concerns the whole file is said at the value that names it."""
    return SetError(
        tuple(
            _problem(document, trail, f"cannot be used: {problem}") if problem.line is None else problem
            for problem in error.problems
        )
    )


def _mismatch(document: Document, trail: Trail, message: str, other: Trail | None) -> Problem:
    if other:
        message += f" The other is on line {document.values[other].line}."
    return _problem(document, trail, message)


def _with_ratings(set_file: SetFile, document: Document) -> SetFile:
    """Return a set that has its ratings in a file with these ratings. Raises SetError if they cannot be read."""
    source = set_file.set.ratings
    if not isinstance(source, RatingsFile):
        return set_file
    trail = ("ratings", "file")
    try:
        read = read_ratings(source, set_file.set.all_sentences, set_file.path.parent)
    except SetError as error:
        raise _unusable(document, trail, error) from error
    rows = [(first + 1, second + 1, score) for first, second, score in read.pairs]
    doubtful = (_problem(document, trail, read.warning),) if read.warning else ()
    changed = set_file.set.model_copy(update={"ratings": rows})
    return replace(set_file, set=changed, warnings=set_file.warnings + doubtful)


def _content(path: Path) -> bytes:
    with opened(path, "a set is a YAML file") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1_000_000} MB, the limit for a set. Split it."
        raise refusal(path, None, message)
    return content


def _problems(document: Document, error: ValidationError) -> Iterator[Problem]:
    """Yield what pydantic found wrong with a document's data."""
    for details in error.errors(include_url=False, include_input=False):
        trail, message, context = details["loc"], details["msg"], details.get("ctx", {})
        if trail[-1] == "[key]":
            trail, message = trail[:-1], "has no name. Write one before the colon."
        elif details["type"] == "missing":
            message = f"is missing.{HINTS.get(trail[-1], '')}"
        elif details["type"] not in ("extra_forbidden", "cross_check"):
            message = describe(details["type"], message, context, document.values[trail])
        yield _mismatch(document, trail, message, context.get("other"))


def _problem(document: Document, trail: Trail, message: str) -> Problem:
    """Return the problem of a value; if it is not in the file, at the nearest one above it."""
    message = f"{name_of(trail)} {message}"
    for end in range(len(trail), 0, -1):
        if value := document.keys.get(trail[:end]) or document.values.get(trail[:end]):
            return Problem(document.file, value.line, value.column, message)
    return Problem(document.file, None, None, message)


def _doubtful_texts(document: Document) -> Iterator[Problem]:
    """Yield what is allowed and still looks like a mistake."""
    for trail, value in document.values.items():
        if value.kind != "str" or not (trail[0] in PROSE or trail[-1] in ("because", "label")):
            continue
        mark = value.source[:1]
        if value.comment and mark not in ('"', "'", "|", ">"):
            message = f"ends before {show(value.comment.strip())}, which YAML reads as a comment. "
            message += f"Is it part of the text? {correction(value.lead, value.text)}"
            yield _problem(document, trail, message)
        if mark not in ("|", ">") and re.search(r"\n\s*- ", value.source):
            remedy = "close the quotes before it" if mark in ('"', "'") else "indent it like this one"
            message = f'contains a line that begins with "- ". If that is a separate text, {remedy}.'
            yield _problem(document, trail, message)
