"""The package as it is used from Python."""

import pickle
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from support import ROOT, Ran

import sentence_reports


def test_every_public_name_can_be_had_and_is_listed() -> None:
    assert set(sentence_reports.MODULE_OF) == set(sentence_reports.__all__)
    assert set(sentence_reports.__all__) <= set(dir(sentence_reports))
    for name in sentence_reports.__all__:
        assert getattr(sentence_reports, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        sentence_reports.nothing  # noqa: B018


def test_the_import_alone_loads_nothing() -> None:
    code = (
        "import sys, sentence_reports; print(*(n for n in sys.modules if n.startswith('sentence_reports')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "sentence_reports\n"


def test_a_finished_notebook_gives_its_summary_and_matrix(shipped: Ran) -> None:
    notebook = nbformat.read(shipped.out / "sbert-movies.ipynb", as_version=4)
    summary = sentence_reports.read_summary(notebook)
    texts = sentence_reports.read_set(ROOT / "params" / "sbert-movies.yaml").set.all_sentences
    assert summary.sentences == tuple(texts)
    assert summary.similarity.shape == (6, 6)
    assert summary.similarity.dtype == np.float32
    assert summary.similarity[0, 4] == pytest.approx(0.8939, abs=1e-4)


def test_a_set_becomes_a_report_that_displays_itself(tmp_path: Path, tiny_notebook: Path) -> None:
    project = sentence_reports.Project(tiny_notebook.parents[1])
    path = tmp_path / "mine.yaml"
    path.write_text("sentences: [one, two]\nmodel: sentence-transformers/all-MiniLM-L6-v2\n")
    job = sentence_reports.prepare_job(sentence_reports.read_set(path), project)
    made = sentence_reports.make_report(pickle.loads(pickle.dumps(job)))
    assert isinstance(made, sentence_reports.Made), made
    assert pickle.loads(pickle.dumps(made)) == made
    assert made.summary.sentences == ("one", "two")
    assert sorted(made.files) == [".csv", ".html", ".ipynb"]
    frame = BeautifulSoup(made._repr_html_(), "html.parser").iframe
    assert frame is not None
    assert frame["srcdoc"] == made.files[".html"].decode()
    assert not [name for name in tmp_path.iterdir() if name.suffix == ".html"]


TYPED = """
from sentence_reports import read_set, read_summary
reveal_type(read_set)
reveal_type(read_summary)
read_set(1)
"""


@pytest.mark.slow
def test_types_are_checked_from_outside(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "use.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "-> sentence_reports.sets" in done.stdout
    assert (
        "-> sentence_reports.summary.WalkthroughSummary | sentence_reports.summary.SearchSummary"
        in done.stdout
    )
    assert 'Argument 1 to "read_set" has incompatible type "int"' in done.stdout
    assert "missing library stubs or py.typed" not in done.stdout
