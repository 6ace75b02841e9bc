"""The command line: arguments in, messages and an exit code out."""

import argparse
import json
import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentence_reports import project as projects
from sentence_reports import streams
from sentence_reports.arguments import parser
from sentence_reports.errors import SentenceReportsError, UsageError
from sentence_reports.pipeline import run
from sentence_reports.process import Terminated
from sentence_reports.project import Project, find_project
from sentence_reports.report import SET_SUFFIXES, Options
from sentence_reports.sets.folder import find_sets, read_sets, title_of
from sentence_reports.terminal import BUG, Teller, count, log, say, short, show


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # or its library asks the network on its own
    debug = False
    try:
        try:
            arguments = parser().parse_args(argv, argparse.Namespace(project=None, debug=False))
        except SystemExit as end:  # --help, --version or wrong usage
            return int(end.code or 0) or _output_lost()
        debug = arguments.debug
        _need_current_folder()
        if debug:
            _start_log()
        code = COMMANDS[arguments.command](arguments)
        return code or (_output_lost() if arguments.command == "schema" else 0)
    except SentenceReportsError as error:
        say(f"sentence-reports: {error}", "red")
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt as stop:
        say("sentence-reports: stopped; finished reports are kept")
        return 143 if isinstance(stop, Terminated) else 130
    except Exception as error:
        log.info("", exc_info=True)
        say(f"sentence-reports: {type(error).__name__}: {error}", "red")
        say(traceback.format_exc().rstrip() if debug else BUG)
        return 1


def _output_lost() -> int:
    """Return 1, with a message, if standard output could not take what was printed, else 0."""
    if (error := streams.output_error()) is not None:
        say(f"sentence-reports: cannot write to standard output: {error.strerror}")
    return int(error is not None)


def _start_log() -> None:
    from sentence_reports import debug

    try:
        say(f"Writing a log to {debug.write_log(projects.version())}")
    except OSError as error:
        raise UsageError(f"cannot write a log file: {error.strerror or error}") from error


# --- commands ----------------------------------------------------------------------------------------------


def _project(arguments: argparse.Namespace) -> Project:
    if arguments.project is None:
        return find_project(Path.cwd())
    if not (arguments.project / "params").is_dir():
        raise UsageError(
            f"{arguments.project} is not a project: it has no params/ folder."
            f" Start one with  sentence-reports init {shlex.quote(str(arguments.project))}"
        )
    return Project(arguments.project.absolute())


def _need_current_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError("the current folder is gone; change to another one") from error


def _set_files(arguments: argparse.Namespace) -> list[Path]:
    """Return the set files that a command is about: those named, those of a folder, or all of the project."""
    paths: list[Path] = []
    for file in arguments.files or [_project(arguments).params]:
        found = [short(path) for path in find_sets(file)] if file.is_dir() else [file]
        if not found:
            raise UsageError(f"no set in {file}. Create one with  sentence-reports new NAME")
        paths += found
    return list(dict.fromkeys(paths))


def _options(arguments: argparse.Namespace, **options: Any) -> Options:
    """Return the options of a run; without a project there must be files and an output folder."""
    if arguments.project is None and arguments.files and arguments.out:
        try:
            project = find_project(Path.cwd())
        except UsageError:
            project = Project(Path.cwd())
    else:
        project = _project(arguments)
    return Options(project, out=arguments.out or short(project.reports), **options)


def _need_temporary_folder() -> None:
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise UsageError("no folder for temporary files can be written; name one: TMPDIR=FOLDER") from error


def _run(arguments: argparse.Namespace) -> int:
    _need_temporary_folder()
    names = ("jobs", "force", "strict", "timeout", "cold")
    options = _options(arguments, **{name: getattr(arguments, name) for name in names})
    paths = _set_files(arguments)
    with Teller(bar=sys.stderr.isatty(), debug=arguments.debug) as teller:
        reports = run(paths, options, teller)
        teller.close(reports)
    if teller.begun or any(report.failure for report in reports):
        show(reports, options.out)
    page = "index" if len(reports) > 1 else reports[0].stem
    if (options.out / f"{page}.html").exists():
        say(f"Look at {short(options.out / page)}.html")
    if any(report.failure for report in reports):
        return 1
    return 3 if any(report.unmet for report in reports) else 0


def _check(arguments: argparse.Namespace) -> int:
    good, bad = read_sets(_set_files(arguments))
    for problem in (problem for each in good for problem in each.warnings):
        say(f"{problem} (warning)", "yellow")
    for error in bad.values():
        say(str(error), "red")
    verb = "is" if len(good) == 1 else "are"
    say(f"{count(len(good), 'set')} {verb} valid" + (f", {len(bad)} not" if bad else ""))
    return 1 if bad else 0


def _new(arguments: argparse.Namespace) -> int:
    stem = projects.stem_of(arguments.name)
    path = short(projects.new(_project(arguments), stem, title_of(stem)))
    print(path)
    sys.stdout.flush()
    say(f"Write your sentences in it, then:  sentence-reports run {shlex.quote(str(path))}")
    return 0


def _init(arguments: argparse.Namespace) -> int:
    folder = arguments.folder
    written = projects.init(folder, ci=arguments.ci)
    for path in written:
        print(path)
    sys.stdout.flush()
    step = (
        "sentence-reports run"
        if folder == Path()
        else f"cd {shlex.quote(str(folder))} && sentence-reports run"
    )
    say(f"Next:  {step}" if written else f"Nothing to do: {folder.absolute()} has it all already.")
    return 0


def _preview(arguments: argparse.Namespace) -> int:
    from sentence_reports.preview import preview

    _need_temporary_folder()
    options = _options(arguments)
    _set_files(arguments)  # raises if there is none
    try:
        with Teller(bar=False, debug=arguments.debug) as teller:
            preview(arguments.files, _project(arguments).params, options, teller, _invite)
    except OSError as error:
        raise UsageError(f"cannot start the preview: {error}") from error
    say("Preview ended.")
    return 0


def _invite(address: str) -> None:
    say("Ctrl-C ends the preview. Look at")
    print(address, flush=True)


def _lab(arguments: argparse.Namespace) -> int:
    from sentence_reports.lab import open_lab

    _need_temporary_folder()
    project = _project(arguments)
    path = None if arguments.name is None else _named_set(project, arguments.name)
    open_lab(project, path, arguments.out or project.folder / "notebooks" / ".lab")


def _named_set(project: Project, name: str) -> Path:
    """Return the set file that `name` is, or the project's set of that name."""
    if Path(name).suffix in SET_SUFFIXES:
        return Path(name)
    yml = project.params / f"{name}.yml"
    return short(yml if yml.exists() else yml.with_suffix(".yaml"))


def _schema(_: argparse.Namespace) -> int:
    from sentence_reports.sets import schema

    print(json.dumps(schema(), indent=2, ensure_ascii=False))
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "check": _check,
    "new": _new,
    "init": _init,
    "preview": _preview,
    "lab": _lab,
    "schema": _schema,
}
