"""How the package and its tests are built: modules import downwards, and anywhere; a test file imports no other."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

PACKAGE = ROOT / "sentence_reports"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Return a module's dotted name without the package's: "cli", "sets.yaml_nodes"."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


# --- other systems -----------------------------------------------------------------------------------------

# What Windows lacks is hidden from our own modules only; the libraries look after themselves.
AS_ON_WINDOWS = """
import builtins, os, signal, sys
HIDDEN = {"fcntl", "pwd", "grp", "resource", "termios", "pty", "tty", "syslog"}
ours = lambda scope: str((scope or {}).get("__name__", "")).startswith("sentence_reports")
genuine = builtins.__import__
def hiding(name, globals=None, locals=None, fromlist=(), level=0):
    if name.split(".")[0] in HIDDEN and ours(globals):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return genuine(name, globals, locals, fromlist, level)
import papermill, nbconvert, seaborn, jupyter_client.provisioning, sklearn.feature_extraction.text  # as they are
import ipykernel.kernelapp, nbclient, tornado.web, nbformat, huggingface_hub, psutil, filelock, rich
builtins.__import__ = hiding
for name in ("fork", "forkpty", "getuid", "geteuid", "setuid", "getpgid", "killpg", "setsid", "sched_getaffinity",
             "pidfd_open", "mkfifo", "waitstatus_to_exitcode", "register_at_fork", "O_NOFOLLOW", "O_DIRECTORY"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGCHLD", "SIGALRM", "SIGQUIT", "SIGUSR1", "pthread_sigmask", "sigwait", "alarm",
             "set_wakeup_fd", "SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK", "pthread_kill", "siginterrupt"):
    if hasattr(signal, name):
        delattr(signal, name)
import socket
del socket.AF_UNIX
import importlib
for module in sys.argv[1:]:
    importlib.import_module(f"sentence_reports.{module}" if module else "sentence_reports")
print("imported", len(sys.argv[1:]))
"""


def test_every_module_can_be_imported_on_windows() -> None:
    names = [name_of(path) for path in MODULES if name_of(path) not in ("execution.forkserver", "__main__")]
    done = subprocess.run(
        [sys.executable, "-c", AS_ON_WINDOWS, *names, "__main__"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"imported {len(names) + 1}\n"


# --- size --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_file_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_functions_are_short_and_most_are_public() -> None:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in MODULES]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, kinds)]
    private = [f for f in functions if f.name.startswith("_") and not f.name.endswith("__")]
    lengths = sorted((f.end_lineno or 0) - f.lineno + 1 for f in functions)
    assert len(private) / len(functions) < 0.35
    assert lengths[len(lengths) * 9 // 10] < 25


# --- who imports whom --------------------------------------------------------------------------------------

# From the bottom to the top: a module imports what is in lower rows only. Modules of one room share a row and import
# each other without a circle.
ROWS = (
    {"texts", "process", "schemes", "streams", "files"},
    {"errors"},
    {"project", "claim_records", "collected", "facts", "overview", "printing", "lock"},
    {"summary_base"},
    {"collected_summary"},
    {"summary"},
    {"report"},
    {"pairs", "rankings", "comparison", "results", "matching", "saved_notebook"},
    {"movement"},
    {"difference"},
    {"sets", "models", "execution", "pages"},
    {"collection"},
    {"lesson"},
    {"ownership"},
    {"output_folder", "stale", "prepare", "make"},
    {"cluster"},
    {"pipeline"},
    {"terminal", "arguments"},
    {"preview", "lab", "diff", "model_commands"},
    {"cli"},
    {"", "__main__"},
)
ROW_OF = {room: number for number, row in enumerate(ROWS) for room in row}
SEPARATE = {  # rooms that know nothing of others, though these are lower
    "sets": {"models", "execution", "lesson", "pages"},
    "models": {"sets", "execution", "lesson", "pages"},
    "execution": {"sets", "models", "lesson", "pages"},
    "pages": {"sets", "models", "execution", "lesson"},
    "collection": {"sets", "models", "execution", "pages"},
    "lesson": {"execution", "pages"},
}


def room_of(name: str) -> str:
    return name.split(".")[0]


def imports(path: Path) -> set[str]:
    """Return the modules of the package that a module imports, at its beginning or in a function."""
    known = {name_of(module) for module in MODULES}
    found: set[str] = set()

    def look(node: ast.AST) -> None:
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if typing_only:
            return
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            modules = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            modules = []
        for module in modules:
            if module.split(".")[0] == "sentence_reports":
                name = module.partition(".")[2]
                if name in known:
                    found.add(name)
        for child in ast.iter_child_nodes(node):
            look(child)

    look(ast.parse(path.read_text(encoding="utf-8")))
    found.discard("")  # the package itself is imported before any of its modules
    return found - {name_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_points_back_up(path: Path) -> None:
    here = room_of(name_of(path))
    for name in imports(path):
        there = room_of(name)
        assert there == here or ROW_OF[there] < ROW_OF[here], f"{here} imports {name}"
        assert there not in SEPARATE.get(here, ()), f"{here} imports {name}"


def test_there_is_no_circle() -> None:
    graph = {name_of(path): imports(path) for path in MODULES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path, name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


# --- the tests ---------------------------------------------------------------------------------------------


def test_no_test_file_imports_another() -> None:
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
                line = f"{path.relative_to(ROOT)}:{node.lineno}"
                found += [f"{line} imports {name}" for name in names if ".test_" in f".{name}"]
    assert found == []


WITHOUT_BROWSER_KIT = """
import sys
sys.modules |= dict.fromkeys(["playwright", "axe_playwright_python"])  # as if they were not installed
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


def without_browser_kit(*words: str, ci: str) -> tuple[int, str]:
    """Run pytest without the packages that drive a browser; return its exit code and what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-c", WITHOUT_BROWSER_KIT, "-p", "no:cacheprovider", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=kept | {"CI": ci}, stdout=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_no_test_file_needs_the_browser_kit_to_be_collected() -> None:
    code, said = without_browser_kit("--collect-only", "-qq", "-m", "slow or not slow", "tests", ci="")
    assert code == 0, said
    assert "tests/test_texts.py: " in said
    assert "playwright" not in said  # as the reason why a whole file is skipped


@pytest.mark.parametrize(("ci", "outcome", "code"), [("", "2 skipped", 0), ("true", "2 errors", 1)])
def test_without_the_browser_kit_only_tests_of_a_browser_are_skipped_and_in_ci_they_fail(
    tmp_path: Path, ci: str, outcome: str, code: int
) -> None:
    words = ["-q", "-k", "isolated", f"--basetemp={tmp_path / 'base'}", "tests/test_texts.py"]
    ended, said = without_browser_kit(*words, ci=ci)
    assert ended == code, said
    assert "1 passed, " in said
    assert f", {outcome}" in said
    assert "pip install playwright axe-playwright-python" in said
