"""What a kernel inherits: environment variables that do not change a notebook, and a limit of open files."""

import math
import os
import tempfile

from sentence_reports.process import cores, with_absolute_folders

# Settings of Python, and of the libraries that a notebook uses, which must not depend on the user.
TOOLS = (
    *("PYTHON", "IPYTHON", "JUPYTER", "MPL", "MATPLOTLIB", "PANDAS"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "VECLIB_", "NUMEXPR_", "GOTO_"),
    *("TORCH", "PYTORCH_", "ATEN_", "TOKENIZERS_", "TRANSFORMERS_", "ARROW_", "JE_ARROW_"),
    "MALLOC_",  # a worker of Dask sets one with which a third more time is spent (docs/benchmarks.md)
)
# Exceptions: what Python needs to find its packages and not to write next to them, and what describes the machine.
KEPT = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "TRANSFORMERS_CACHE"),
    *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)
# A kernel always uses all cores that this process may use: the last bit of a result can depend on the thread count.
# Threads that wait must not spin: that costs up to 30 times the time when another process wants the cores
# (benchmarks/threads.py).
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(cores()))
ENOUGH_FILES = 1024  # that can be open at once
OWN = THREADS | {
    "HF_HUB_OFFLINE": "1",  # the models have been found; a kernel downloads nothing
    "MATPLOTLIBRC": os.devnull,  # matplotlib's defaults, not the user's file
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONHASHSEED": "0",  # the same order of sets in every run
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # of pyarrow; a fork would lose the thread
}


def kernel_environment() -> dict[str, str]:
    """Return the environment of a kernel, or of a process that starts kernels.

    It is this process's own, with absolute folders, without the user's settings of Python and of the libraries,
    and with ours instead.
    """
    kept = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(TOOLS)}
    kept = with_absolute_folders(kept)
    if "PYTHONPATH" in kept:
        kept["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, kept["PYTHONPATH"].split(os.pathsep)))
    # Otherwise torch leaves an empty folder, named after the user, in the temporary folder.
    return kept | OWN | {"TORCHINDUCTOR_CACHE_DIR": tempfile.gettempdir()}


def raise_file_limit() -> float:
    """Let this process and its kernels open `ENOUGH_FILES`, if the system allows it; return how many they can open."""
    if os.name != "posix":
        return math.inf
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return math.inf if soft == resource.RLIM_INFINITY else soft
