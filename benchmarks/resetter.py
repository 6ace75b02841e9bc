"""What `reuse.py` runs in a kernel: puts a function into builtins that resets the kernel and checks what is left."""


def _resetter():
    import builtins
    import gc
    import os
    import sys
    import threading
    import time
    import warnings
    from pathlib import Path

    import matplotlib
    import matplotlib.pyplot
    import numpy
    import pandas
    import torch
    from pandas._config import config

    shell = get_ipython()  # noqa: F821

    def options(tree, prefix=""):
        flat = {}
        for name, value in tree.items():
            if isinstance(value, dict):
                flat |= options(value, f"{prefix}{name}.")
            else:
                flat[prefix + name] = value
        return flat

    def attributes():
        """The identity of every attribute of every module, and of every class where it is defined."""
        found = {}
        for name, module in list(sys.modules.items()):
            if name in ("__main__", "__mp_main__") or not hasattr(module, "__dict__"):
                continue
            for key, value in list(vars(module).items()):
                found[f"{name}.{key}"] = id(value)
                if isinstance(value, type) and value.__module__ == name:
                    found |= {f"{name}.{key}.{part}": id(own) for part, own in list(vars(value).items())}
        return found

    state = dict(os.environ), Path.cwd(), list(sys.path), list(warnings.filters), dict(matplotlib.rcParams)
    chosen, modules = options(config._global_config), set(sys.modules)
    threads = {thread.ident for thread in threading.enumerate()}
    before = attributes()
    gc.collect()
    gc.freeze()  # else each collection looks through all modules, for a second

    def reset():
        began = time.perf_counter()
        shell.reset(new_session=True, aggressive=False)
        os.environ.clear()
        os.environ.update(state[0])
        os.chdir(state[1])
        sys.path[:] = state[2]
        warnings.filters[:] = state[3]
        dict.update(matplotlib.rcParams, state[4])
        for name, value in options(config._global_config).items():
            if value != chosen[name]:
                pandas.set_option(name, chosen[name])
        for name in set(sys.modules) - modules:
            if "." not in name and len([m for m in sys.modules if m.startswith(f"{name}.")]) == 0:
                del sys.modules[name]
        matplotlib.pyplot.close("all")
        numpy.random.seed()
        torch.seed()
        gc.collect()
        seconds = time.perf_counter() - began
        after = attributes()
        return {
            "seconds": seconds,
            "check": time.perf_counter() - began - seconds,
            "changed": sorted(name for name, value in before.items() if after.get(name) != value),
            "threads": [t.name for t in threading.enumerate() if t.ident not in threads],
        }

    builtins._reset = reset


_resetter()
