"""The set files of a folder, read all together: names that clash are an error, like anything in a file."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from sentence_reports import process
from sentence_reports.errors import Problem, SetError, UsageError, explained
from sentence_reports.report import SET_SUFFIXES
from sentence_reports.sets import SetFile, read_set, variant_of
from sentence_reports.texts import legible


def find_sets(folder: Path) -> list[Path]:
    """Return the set files of a folder, by name; none if there is no such folder.

    Raises UsageError if the folder may not be read.
    """
    with explained(UsageError, f"cannot look into {folder}"):
        paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if path.suffix in SET_SUFFIXES and not path.name.startswith(".")]


def read_sets(
    paths: Iterable[Path], model: str | None = None, *, survey: bool = True
) -> tuple[list[SetFile], dict[str, SetError]]:
    """Read every set; return the valid ones in order, and what is wrong with the others by stem.

    With `model`, a hub id or the absolute path of a folder, each set has that one instead of its own. `survey` is that
    of `read_set`.
    """
    # realpath, because Path.resolve raises if a link leads to itself
    paths = list({(os.path.realpath(path), path.stem): path for path in paths}.values())
    valid: list[SetFile] = []
    errors: dict[str, SetError] = {}
    for path in paths:
        process.check()
        try:
            if (message := _name_problem(path, paths)) is not None:
                raise SetError((Problem(str(path), None, None, message),))
            read = read_set(path, survey=survey)
            valid.append(read if model is None else read.with_model(_seen_from(path.parent, model)))
        except SetError as error:
            stem = stem_of(path, model)
            earlier = errors[stem].problems if stem in errors else ()
            errors[stem] = SetError(earlier + error.problems)
    return valid, errors


def _name_problem(path: Path, paths: Sequence[Path]) -> str | None:
    if path.suffix not in SET_SUFFIXES:
        named = [Path("params", f"{path.name}{suffix}") for suffix in SET_SUFFIXES if not path.exists()]
        meant = next((f"; did you mean {named_set}?" for named_set in named if named_set.is_file()), "")
        return f"not a set file: its name must end in {' or '.join(SET_SUFFIXES)}{meant}"
    if legible(path.stem) != path.stem:
        return "the file's name is not valid UTF-8, so no page can show it. Rename the file"
    if path.stem.casefold() == "index":
        return "a set cannot be called index: its page would replace the list of all reports. Rename the file"
    others = [p for p in paths if p != path and stem_of(p).casefold() == stem_of(path).casefold()]
    if others:
        return f"its report would have the same name as that of {others[0]}. Rename one of the two"
    return None


def stem_of(path: Path, model: str | None = None) -> str:
    """Return the name of a set's report, with its own or another model.

    A file that is not a set goes by a name that no set can have.
    """
    stem = path.stem if path.suffix in SET_SUFFIXES else f"./{path.name}"
    return legible(stem if model is None else f"{stem}@{variant_of(model)}")


def _seen_from(folder: Path, model: str) -> str:
    """The name of a model as a set in `folder` would write it: the path of a model's folder is relative to the set."""
    if not (path := Path(model)).is_absolute():
        return model
    try:
        return Path(
            os.path.relpath(os.path.realpath(path.parent), os.path.realpath(folder)), path.name
        ).as_posix()
    except ValueError:  # on another drive of Windows
        return model
