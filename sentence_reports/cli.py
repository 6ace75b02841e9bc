"""The commands, which turn arguments into messages and an exit code."""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sentence_reports import pipeline, results, streams
from sentence_reports import project as projects
from sentence_reports.arguments import parser
from sentence_reports.diff import diff
from sentence_reports.errors import OutputError, SentenceReportsError, SetError, UsageError, explained
from sentence_reports.files import atomic_write
from sentence_reports.model_commands import baseline, cache
from sentence_reports.models.device import choose_device
from sentence_reports.ownership import check_result_files
from sentence_reports.prepare import named_model, today
from sentence_reports.printing import find_browser
from sentence_reports.process import Terminated
from sentence_reports.project import Project, find_project
from sentence_reports.report import SET_SUFFIXES, Options
from sentence_reports.sets import title_of
from sentence_reports.sets.folder import find_sets, read_sets
from sentence_reports.terminal import BUG, Teller, log, say, short, show, show_checked, write_log
from sentence_reports.texts import count


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # otherwise its library uses the network
    debug = False
    try:
        try:
            arguments = parser().parse_args(argv, argparse.Namespace(project=None, debug=False))
        except SystemExit as end:  # --help, --version or wrong usage
            return int(end.code or 0) or output_lost()
        debug = arguments.debug
        start(debug=debug)
        code = COMMANDS[arguments.command](arguments)
        return code or (output_lost() if arguments.command in ("schema", "baseline", "cache", "diff") else 0)
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


def output_lost() -> int:
    """Return 1, with a message, if standard output could not take what was printed, else 0."""
    if (error := streams.output_error()) is not None:
        say(f"sentence-reports: cannot write to standard output: {error.strerror}")
    return int(error is not None)


def start(*, debug: bool) -> None:
    """Write a log if `debug`. Raises UsageError if that is not possible, or if the current folder is gone."""
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError("the current folder is gone; change to another one") from error
    if debug:
        with explained(UsageError, "cannot write a log file"):
            say(f"Writing a log to {write_log()}")


def need_temporary_folder() -> None:
    """Raise UsageError if there is no folder for temporary files; whatever starts a notebook needs one."""
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise UsageError("no folder for temporary files can be written; name one: TMPDIR=FOLDER") from error


def program(*, here: bool = True) -> str:
    """Return the command as it can be typed `here`, or in any folder; in a clone it may not be on PATH."""
    script = Path(sys.executable).with_name("sentence-reports")
    if shutil.which("sentence-reports") or not script.exists():
        return "sentence-reports"
    return typed(short(script) if here else script)


def typed(path: Path) -> str:
    """Return a path as it is typed in a command, with quotes if it needs some."""
    return shlex.quote(str(path)) if os.name == "posix" else subprocess.list2cmdline([str(path)])


# --- what a command is about -------------------------------------------------------------------------------


def project_of(arguments: argparse.Namespace, *, needed: bool = True) -> Project:
    """Return the project that is named, or the one around the current folder.

    If there is none, raise UsageError, or return the current folder if none is `needed`.
    """
    folder: Path | None = arguments.project
    if folder is None:
        try:
            return find_project(Path.cwd())
        except UsageError:
            if needed:
                raise
            return Project(Path.cwd())
    if not (folder / "params").is_dir():
        raise UsageError(
            f"{folder} is not a project: it has no params/ folder."
            f" Start one with  {program()} init {typed(folder)}"
        )
    return Project(folder.absolute())


def set_files(arguments: argparse.Namespace) -> list[Path]:
    """Return the set files named, those of the folders named, or all of the project.

    Raises UsageError if there is none.
    """
    paths: list[Path] = []
    for file in arguments.files or [project_of(arguments).params]:
        files = [short(path) for path in find_sets(file)] if file.is_dir() else [file]
        if not files:
            raise UsageError(f"no set in {file}. Create one with  {program()} new NAME")
        paths += files
    return list(dict.fromkeys(paths))


def is_set_file(name: str) -> bool:
    """Return whether `name` is that of a file, not just of a set."""
    return Path(name).suffix in SET_SUFFIXES


def named_set(project: Project, name: str) -> Path:
    """Return `name` if it is a set file, else the project's set of that name.

    Raises UsageError if there is no such set, but a folder of that name.
    """
    yml = project.params / f"{name}.yml"
    path = Path(name) if is_set_file(name) else short(yml if yml.exists() else yml.with_suffix(".yaml"))
    if not path.exists() and Path(name).is_dir():
        raise UsageError(f"{name} is a folder, and lab opens one set. Name the set")
    return path


def options_of(arguments: argparse.Namespace, **options: Any) -> Options:
    """Return the options of a run. Raises UsageError without a project, unless files and an output folder are named."""
    need_temporary_folder()
    project = project_of(arguments, needed=not arguments.files or arguments.out is None)
    return Options(project, out=arguments.out or short(project.reports), **options)


# --- commands ----------------------------------------------------------------------------------------------


def run(arguments: argparse.Namespace) -> int:
    """Make the reports that are out of date; print their table and the page to look at; write the results."""
    names = ("jobs", "force", "strict", "timeout", "cold", "embeddings")
    chosen = {name: getattr(arguments, name) for name in names}
    chosen |= {"model": named_model(arguments.model), "device": choose_device(arguments.device)}
    chosen["scheduler"] = arguments.scheduler or os.environ.get("DASK_SCHEDULER_ADDRESS") or None
    options = options_of(arguments, **chosen)
    paths = set_files(arguments)
    if arguments.pdf:
        options = replace(options, browser=find_browser())
    check_result_files(arguments.junit, arguments.markdown)
    with Teller(bar=sys.stderr.isatty(), debug=arguments.debug) as teller:
        reports = pipeline.run(paths, options, teller)
        teller.close(reports)
    if teller.begun or any(report.failure for report in reports):
        show(reports, options.out)
        output_lost()  # a message only: the reports are made
    texts = {arguments.junit: results.junit(reports, today()), arguments.markdown: results.markdown(reports)}
    with explained(OutputError, "the results could not be written"):
        atomic_write({path: text.encode() for path, text in texts.items() if path is not None})
    page = reports[0].stem if len(reports) == 1 and not reports[0].failure else "index"
    if (options.out / f"{page}.html").exists():
        say(f"Look at {short(options.out / page)}.html")
    if teller.unprinted or any(report.failure for report in reports):
        return 1
    return 3 if any(report.unmet for report in reports) else 0


def check(arguments: argparse.Namespace) -> int:
    """Print the problems of sets."""
    good, bad = read_sets(set_files(arguments))
    show_checked(good)
    for error in bad.values():
        say(str(error), "red")
    valid = "is valid" if len(good) == 1 else "are valid"
    say(f"{count(len(good), 'set')} {valid}" + (f", {len(bad)} not" if bad else ""))
    return 1 if bad else 0


def new(arguments: argparse.Namespace) -> int:
    """Create a set."""
    stem = projects.stem_of(arguments.name)
    path = short(projects.new(project_of(arguments), stem, title_of(stem)))
    print(path)
    sys.stdout.flush()
    say(f"Write your sentences in it, then:  {program()} run {typed(path)}")
    return 0


def init(arguments: argparse.Namespace) -> int:
    """Start a project; print the files written and what to do next."""
    folder = arguments.folder
    written = projects.init(folder, ci=arguments.ci)
    for path in written:
        print(path)
    sys.stdout.flush()
    if (workflow := folder / projects.WORKFLOW) in written:
        say(f"First set SENTENCE_REPORTS in {workflow} to what pip should install")
    if not written:
        say(f"Nothing to do: {folder.absolute()} already has all of these files.")
    elif folder == Path():
        say(f"Next:  {program()} run")
    else:
        say(f"Next:  cd {typed(folder)} && {program(here=False)} run")
    return 0


def preview(arguments: argparse.Namespace) -> int:
    """Show the reports in a browser until Ctrl-C."""
    from sentence_reports.preview import preview as show_in_browser

    options = options_of(arguments)
    set_files(arguments)  # raises if there is none
    try:
        with Teller(bar=False, debug=arguments.debug) as teller:
            show_in_browser(arguments.files, options, teller, invite)
    except OSError as error:
        raise UsageError(f"cannot start the preview: {error}") from error
    say("Preview ended.")
    return 0


def invite(address: str) -> None:
    """Print the address of a preview."""
    say("Ctrl-C ends the preview. Look at")
    print(address, flush=True)


def lab(arguments: argparse.Namespace) -> int:
    """Open a copy of the notebook in JupyterLab, which replaces this process."""
    from sentence_reports.lab import open_lab

    name = arguments.name
    project = project_of(arguments, needed=name is None or not is_set_file(name) or arguments.out is None)
    need_temporary_folder()
    path = None if name is None else named_set(project, name)
    try:
        open_lab(project, path, arguments.out or project.folder / "notebooks" / ".lab")
    except SetError as error:
        raise UsageError(str(error)) from error


def clean(arguments: argparse.Namespace) -> int:
    """Remove the reports that were made here, and nothing else; for `make clean`."""
    from sentence_reports import output_folder

    reports = short(project_of(arguments).reports)
    say(f"Removed {count(len(output_folder.clean(reports)), 'file')} from {reports}")
    return 0


def schema(_: argparse.Namespace) -> int:
    """Print the JSON schema of set files."""
    from sentence_reports import sets

    print(json.dumps(sets.schema(), indent=2, ensure_ascii=False))
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": run,
    "check": check,
    "new": new,
    "init": init,
    "preview": preview,
    "lab": lab,
    "diff": lambda arguments: diff(arguments.old, arguments.new, arguments.out),
    "clean": clean,
    "schema": schema,
    "baseline": baseline,
    "cache": cache,
}
