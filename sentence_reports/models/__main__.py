"""Compute the baselines that are shipped again, for developers:  python -m sentence_reports.models"""

from sentence_reports.files import atomic_write
from sentence_reports.models.baseline import SEVERAL, SHIPPED, compute
from sentence_reports.models.encoder import load
from sentence_reports.models.find import EMBEDDED, find_model
from sentence_reports.models.wordllama import WORDLLAMA

if __name__ == "__main__":
    found = [find_model(name) for name in (EMBEDDED, WORDLLAMA)]
    atomic_write({SHIPPED: SEVERAL.dump_json(tuple(compute(model, load(model)) for model in found))})
