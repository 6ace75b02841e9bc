"""The least that a report can take: one process that imports, loads, encodes and plots, without a notebook.

Usage: floor.py SET.yaml PICTURE.svg
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from sentence_transformers import SentenceTransformer

from sentence_reports.models import find_model
from sentence_reports.sets import read_set


def main() -> None:
    """Draw the heatmap of one set."""
    chosen = read_set(Path(sys.argv[1])).set
    encoder = SentenceTransformer(find_model(chosen.model).folder, device="cpu", local_files_only=True)
    embeddings = np.array([encoder.encode(text, normalize_embeddings=True) for text in chosen.all_sentences])
    figure = Figure()
    similarity = pd.DataFrame(
        embeddings @ embeddings.T, index=chosen.all_sentences, columns=chosen.all_sentences
    )
    sns.heatmap(similarity, ax=figure.subplots(), annot=True)
    figure.savefig(sys.argv[2])


if __name__ == "__main__":
    main()
