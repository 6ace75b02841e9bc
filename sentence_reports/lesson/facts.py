"""Facts as a person writes them: of the model that ran, of those that the blog post compares, of the libraries."""

import platform
from importlib.metadata import version

import pandas as pd

from sentence_reports.facts import ModelFacts
from sentence_reports.lesson.html import HtmlOutput
from sentence_reports.texts import count_in_words, number, size_in_words

TOOLS = ("matplotlib", "numpy", "pandas", "seaborn", "sentence-transformers", "torch")

COMPARED = pd.DataFrame(
    {
        "BAAI/bge-base-en": ["768", "512 tokens", "English", "yes", "440 MB", "85.95"],
        "all-MiniLM-L6-v2": ["384", "256 tokens", "English", "yes", "91 MB", "82.03"],
        "text-embedding-ada-002": ["1,536", "8,191 tokens", "many", "no, a service", "not published", "–"],
    },
    index=[
        "numbers per embedding",
        "maximum input",
        "languages",
        "runs on your own machine",
        "size of the weights",
        "score on STS-B, higher is better",
    ],
)


def model_facts(facts: ModelFacts) -> pd.DataFrame:
    """Return what is known about a model as a table of one column, in words, without what does not apply."""
    dimension = f"{facts.dimension:,}"
    if facts.full_dimension is not None:
        dimension = f"the first {dimension} of {facts.full_dimension:,}"
    runs = facts.source != "file"  # else only its vectors are known
    limit = "no limit" if facts.max_tokens is None else f"{facts.max_tokens:,} tokens"
    rows = {
        "asked for": facts.stands_in_for,
        "reason for the fallback": facts.reason,
        "revision": (facts.revision or "none given") if runs else None,
        "from": facts.source,
        "weights (SHA-256)" if runs else "vectors (SHA-256)": facts.sha256,
        "numbers per embedding": dimension,
        "maximum input": limit if runs else None,
        "languages": ", ".join(facts.language_names),
        "parameters": count_in_words(facts.parameters) if runs else None,
        "size of all files": size_in_words(facts.size_bytes),
        "type of the numbers": facts.dtype,
        "from tokens to one vector": f"{facts.pooling} pooling" if facts.pooling else None,
        "scales vectors to length 1": ("yes" if facts.normalizes else "no") if runs else None,
        "put before each sentence": repr(facts.prompt) if facts.prompt else None,
        "put before each query": repr(facts.query_prompt) if facts.query_prompt else None,
    }
    return pd.Series({name: fact for name, fact in rows.items() if fact}, name=facts.name).to_frame()


def compared_models() -> HtmlOutput:
    """Return a table of the models that the blog post compares and of the fallback, with what its figures mean."""
    note = (
        "The blog post compares the first and the last. It swaps the two figures for ada-002; here they are as OpenAI "
        "gives them. STS-B measures how well a model agrees with human ratings of sentence pairs (Spearman "
        "correlation × 100, from the model cards and the public benchmark's results)."
    )
    return HtmlOutput(f"{COMPARED.to_html()}<p>{note}</p>", f"{COMPARED}\n{note}")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that compute, and the system."""
    tools = {tool: version(tool) for tool in TOOLS}
    system = f"{platform.system()} {platform.machine()}"
    return {"Python": platform.python_version(), **tools, "system": system}


def four_decimals(value: float) -> str:
    """Return a number as tables show it: four decimals, with a real minus sign."""
    return number(value, 4)
