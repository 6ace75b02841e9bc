"""A notebook for tests of what goes wrong: the walkthrough with another cell in front."""

from pathlib import Path

import nbformat
from support import ROOT

# The fork server started the kernel, and the worker the fork server.
KILLS_ITS_WORKER = "import os, psutil\npsutil.Process().parent().parent().kill()"
SLEEPS = "import time\ntime.sleep({})"


def write_faulty(folder: Path, name: str, code: str) -> None:
    """Write a set of this name, and the project's own notebook, which runs `code` for that set only."""
    (folder / "params" / f"{name}.yaml").write_text(
        f"model: sentence-transformers/all-MiniLM-L6-v2\nsentences: [A {name}, Two, Three]\n"
    )
    notebook = nbformat.read(ROOT / "notebooks" / "walkthrough.ipynb", as_version=4)
    lines = [f"if sentences[0] == 'A {name}':", *(f"    {line}" for line in code.splitlines())]
    cells = notebook.cells
    place = 1 + next(n for n, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", ()))
    cells.insert(place, nbformat.v4.new_code_cell("\n".join(lines)))
    (folder / "notebooks").mkdir(exist_ok=True)
    nbformat.write(notebook, folder / "notebooks" / "walkthrough.ipynb")
