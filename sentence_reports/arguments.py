"""The arguments of the command line, and the help texts."""

import argparse
import threading
from pathlib import Path

from sentence_reports.project import version

EXIT_CODES = """\
exit codes:
  0  success
  1  a set failed, or a page could not be printed; all else is made
  2  nothing could be started
  3  all reports are made, but a claim or published figure does not hold
  130, 143  interrupted; finished reports are kept
"""

DIFF = """\
exit codes:
  0  a reader would see the same
  1  the page could not be written
  2  a notebook cannot be read, is not an executed one of this project, or the two have no sentence in common
  3  something moved

What counts: sentences added, removed or in another group; a similarity that differs by more than 0.0001 (if the
model differs, chance-corrected, by more than 0.01); claims that turned, came or went; how published figures compare;
the rank correlation with ratings; what unrelated pairs score, and which models of a comparison ran. What does not
count is listed: model, revision, weights, prompt, settings, notices, versions, the order of the sentences.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser; parsed arguments hold `command` (its name), `project`, `debug` and the command's own."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--project", type=Path, metavar="DIR", help="project folder (default: the nearest one with params/)"
    )
    common.add_argument("--debug", action="store_true", help="show tracebacks and write a log file")
    main = argparse.ArgumentParser(
        prog="sentence-reports",
        description="Turn YAML files of sentences into pages that show how an embedding model relates them.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    main.add_argument(
        "--version",
        action="version",
        version=f"sentence-reports {version()}",
        help="print the version and exit",
    )
    commands = main.add_subparsers(required=True, dest="command", metavar="COMMAND", title="commands")

    def add(name: str, help: str, *examples: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=help,
            description=help[0].upper() + help[1:] + ".",
            epilog="examples:\n" + "\n".join(f"  sentence-reports {example}" for example in examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[common],
        )

    command = add("run", "make every report that is out of date, and the index",
                  "run", "run params/mine.yaml --out trial", "run --strict --junit results.xml")  # fmt: skip
    add_files(command)
    add_out(command)
    command.add_argument("--jobs", type=positive, metavar="N",
                         help="sets to run in parallel (default: as many as cores and memory allow)")  # fmt: skip
    command.add_argument("--force", action="store_true", help="make every report again")
    command.add_argument("--strict", action="store_true", help="fail instead of using the fallback model")
    command.add_argument("--model", metavar="NAME",
                         help="use this model instead of each set's own; reports are named SET@MODEL")  # fmt: skip
    command.add_argument("--timeout", type=seconds, metavar="SECONDS",
                         help="time limit for each set (default: 900, more for a large file of texts)")  # fmt: skip
    command.add_argument("--scheduler", metavar="ADDRESS",
                         help="make the reports on the workers of this Dask scheduler, such as tcp://host:8786 "
                              "(default: DASK_SCHEDULER_ADDRESS, or this machine)")  # fmt: skip
    command.add_argument("--device", default="cpu", metavar="NAME",
                         help="where models run: cpu, cuda, mps, or auto for the fastest (default: cpu)")  # fmt: skip
    command.add_argument("--embeddings", action="store_true",
                         help="write the embeddings of each file of texts to NAME.npy")  # fmt: skip
    command.add_argument("--pdf", action="store_true",
                         help="print each page to a PDF; needs Chromium, Chrome or Edge")  # fmt: skip
    command.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit XML")
    command.add_argument("--markdown", type=Path, metavar="FILE", help="write a summary in Markdown")
    command.add_argument("--cold", action="store_true", help=argparse.SUPPRESS)

    add_files(add("check", "validate sets without running them", "check", "check params/mine.yaml"))

    command = add("new", "create params/NAME.yaml; never overwrites", "new mine")
    command.add_argument("name", metavar="NAME", help="letters, digits, - and _")

    command = add("init", "start a project with three sets; never overwrites", "init study --ci")
    command.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR",
                         help="folder to start it in (default: the current one)")  # fmt: skip
    command.add_argument("--ci", action="store_true", help="add a GitHub workflow that publishes the reports")

    command = add("preview", "show the reports in a browser and update them as you write",
                  "preview", "preview params/mine.yaml")  # fmt: skip
    add_files(command)
    add_out(command)

    command = add("lab", "open a copy of the notebook in JupyterLab", "lab", "lab mine")
    command.add_argument("name", nargs="?", metavar="NAME", help="a set of the project, or a set file")

    command.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the copy (default: the project's notebooks/.lab)"
    )

    command = add("diff", "show what changed between two reports, from their saved notebooks",
                  "diff old/mine.ipynb reports/mine.ipynb", "diff OLD.ipynb NEW.ipynb --out changes.html")  # fmt: skip
    command.epilog = f"{DIFF}\n{command.epilog}"
    command.add_argument("old", type=Path, metavar="OLD", help="an executed notebook, as run saves it")
    command.add_argument("new", type=Path, metavar="NEW", help="the one to compare with it")
    command.add_argument("--out", type=Path, metavar="FILE", help="write a page about it to FILE (.html)")

    commands.add_parser("clean", parents=[common])  # for `make clean`; --help does not list it

    add(
        "baseline",
        "print the 200 unrelated sentences of the baseline, one per line",
        "baseline > baseline.txt",
    )

    command = add("cache", "show how many vectors are kept of each model", "cache", "cache --clear")
    command.add_argument("--clear", action="store_true", help="remove all vectors")

    add("schema", "print the JSON schema of set files", "schema > params/schema.json")
    return main


def add_files(command: argparse.ArgumentParser) -> None:
    """Add the set files that a command is about."""
    command.add_argument("files", nargs="*", type=Path, metavar="FILE",
                         help="set files, or folders of them (default: the project's params/)")  # fmt: skip


def add_out(command: argparse.ArgumentParser) -> None:
    """Add the output folder."""
    command.add_argument("--out", type=Path, metavar="DIR",
                         help="output folder (default: the project's reports/)")  # fmt: skip


def positive(text: str) -> int:
    """Return a positive integer."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, got {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """Return a number of seconds that a wait can last."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"expected a positive number of seconds, got {text!r}")
    return number
