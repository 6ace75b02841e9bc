"""What the package imports when it is imported: nothing that Windows lacks, nothing heavy too early."""

import subprocess
import sys

# Raises ImportError for each import of a POSIX-only module by a module of the package, as Windows would.
HIDE = """
import builtins, importlib, pkgutil
real = builtins.__import__
def hiding(name, globals=None, *rest, **more):
    if name.split(".")[0] in {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}:
        if globals and globals["__name__"].startswith("sentence_reports"):
            raise ImportError(f"{globals['__name__']} imports {name}")
    return real(name, globals, *rest, **more)
builtins.__import__ = hiding
import sentence_reports
for module in pkgutil.walk_packages(sentence_reports.__path__, "sentence_reports."):
    if not module.name.endswith((".__main__", ".forkserver")):
        importlib.import_module(module.name)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_only_the_fork_server_needs_posix() -> None:
    done = run(HIDE)
    assert done.returncode == 0, done.stderr
    assert "forkserver imports fcntl" in run(HIDE.replace(', ".forkserver"', "")).stderr


def test_kernels_start_before_anything_heavy_is_imported() -> None:
    code = "import sys, sentence_reports.execution.kernels, sentence_reports.execution.forking\n"
    heavy = {"IPython", "jupyter_client", "nbclient", "numpy", "papermill", "torch", "zmq"}
    assert run(code + f"print({heavy} & set(sys.modules))").stdout == "set()\n"
