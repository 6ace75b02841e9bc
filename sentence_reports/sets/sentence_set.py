"""What a sentence set is: its keys, their types and defaults, and what must hold between them.

A new key is a field of `SentenceSet` (of a nested mapping: a class like `Reference`). What has to hold between keys
goes into `cross_check`.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from sentence_reports.claim_records import Claim
from sentence_reports.collected import Collected
from sentence_reports.errors import SetError
from sentence_reports.report import FOLDER, TEXTS_HASH, ModelChoice, Request
from sentence_reports.sets.choices import (
    ELSEWHERE,
    MAX_MODELS,
    MIN_MODELS,
    Choice,
    choices_of,
    wrong_models,
)
from sentence_reports.sets.collections import OF_A_COLLECTION, TopicOptions, collection_mismatches
from sentence_reports.sets.colormaps import COLORMAPS
from sentence_reports.sets.expectations import (
    Expectation,
    Subjects,
    claim_mismatches,
    resolve,
    subjects_of,
    subjects_of_file,
)
from sentence_reports.sets.mapping import Mapping, Mismatch, NotBlank
from sentence_reports.sets.naming import did_you_mean
from sentence_reports.sets.opening import refusal
from sentence_reports.sets.quoting import show
from sentence_reports.sets.ratings import (
    RatedPairs,
    Ratings,
    RatingsFile,
    find_ratings,
    rating_mismatches,
    read_ratings,
)
from sentence_reports.sets.reference import Reference, reference_mismatches
from sentence_reports.sets.sentences import Sentences, repeated, sentence_mismatches, texts_of, wrong_number
from sentence_reports.sets.text_files import (
    MUST_BE_A_MAPPING,
    NOT_OF_A_FILE,
    TextsFile,
    read_texts,
    texts_mismatches,
)

MAX_QUERIES = 1000


def _what_goes_together(schema: dict[str, Any]) -> None:
    """Tell editors that a set has either sentences or a file of texts, and what does not go with some keys."""
    for key in ("sentences", "texts"):
        entry = schema["properties"][key]
        entry.update(entry.pop("anyOf")[0])
        del entry["default"]
    schema["oneOf"] = [{"required": ["sentences"]}, {"required": ["texts"]}]
    schema["dependentSchemas"] = {
        "models": {"properties": dict.fromkeys(ELSEWHERE, False)},
        "texts": {"properties": dict.fromkeys(NOT_OF_A_FILE, False)},
        "sentences": {"properties": dict.fromkeys(OF_A_COLLECTION, False)},
    }


class SentenceSet(Mapping):
    """The sentences of one report, and how to make it."""

    model_config = ConfigDict(title="Sentence set", json_schema_extra=_what_goes_together)

    title: NotBlank | None = Field(
        None, description="The page's title and heading. Without it, the file name made readable."
    )
    description: str = Field("", description="One paragraph under the title; plain text.")
    sentences: Sentences | None = Field(
        None,
        description="The sentences to compare, 2 to 3000: a list of texts, or a mapping of group names to "
        "lists of texts. Groups order and color the heatmap.",
    )
    texts: Annotated[TextsFile, MUST_BE_A_MAPPING] | None = Field(
        None,
        description="A file of up to 1,000,000 texts, instead of `sentences`: a table, or a text per line.",
    )
    topics: TopicOptions | None = Field(None, description="How topics are found in a file of texts.")
    map: Literal["pca", "pacmap"] = Field(
        "pca",
        description="The map of a file of texts: by principal components, or by PaCMAP (package pacmap).",
    )
    queries: Annotated[
        list[NotBlank] | None, Field(json_schema_extra={"minItems": 1, "maxItems": MAX_QUERIES})
    ] = Field(None, description="Texts to search for in the sentences: the report ranks what each one finds.")
    model: NotBlank = Field(
        "BAAI/bge-base-en",
        description="The embedding model: its id on the Hugging Face hub, or a local folder.",
    )
    models: Annotated[
        list[Choice] | None, Field(json_schema_extra={"minItems": MIN_MODELS, "maxItems": MAX_MODELS})
    ] = Field(
        None,
        description="Two to six models to compare on the same sentences: each a name, or a mapping with its own "
        "revision, prompt, truncate_dim and label, or with files of vectors.",
    )
    revision: NotBlank | None = Field(
        None,
        description="The model's commit on the hub. Without it, the pinned one if the model has one.",
    )
    prompt: str | None = Field(
        None,
        description='What is put before each sentence, such as "passage: ", or the name of one of the model\'s '
        "prompts. Without it, the model's own default; \"\" for nothing. Queries get the model's query prompt.",
    )
    truncate_dim: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="How many of an embedding's dimensions are used, from the first; all without it. For models "
        "that are trained for it (Matryoshka).",
    )
    fallback_model: NotBlank | None = Field(
        "sentence-transformers/all-MiniLM-L6-v2",
        description="Used, with a notice, if the hub cannot be reached and the model is not on this "
        "machine. With null that is an error.",
    )
    normalize: bool = Field(True, description="Whether embeddings are scaled to length 1.")
    label_size: int = Field(
        30,
        ge=5,
        le=200,
        description="How many characters of a sentence the heatmap shows before it writes ...",
    )
    cmap: str = Field(
        "YlGnBu",
        title="Colormap",
        description="The heatmap's colors: a matplotlib colormap.",
        json_schema_extra={"enum": list(COLORMAPS)},
    )
    order: Literal["given", "similarity"] | None = Field(
        None,
        description="The order of the heatmap's rows: as given, or so that similar sentences are next to each other "
        "(within each group, if there are groups). Without it, by similarity for more than 20 sentences without "
        "groups.",
    )
    expect: list[Expectation] | None = Field(
        None,
        description="Claims that must hold. If one does not, the page and the command line say so.",
    )
    claim: NotBlank | None = Field(
        None, description="What the claims show together, in one sentence: the page's headline if all hold."
    )
    ratings: Ratings | None = Field(
        None,
        description="How similar people find pairs of sentences, on any scale: a list of "
        "[sentence, sentence, score], or a table in a file.",
    )
    reference: Reference | None = Field(
        None, description="Published figures to check the report's own against."
    )

    @field_validator("cmap")
    @classmethod
    def _is_a_colormap(cls, name: str) -> str:
        if name not in COLORMAPS:
            message = f"is {show(name)}, which is not a matplotlib colormap{did_you_mean(name, COLORMAPS)}"
            raise PydanticCustomError("colormap", "{message}", {"message": message})
        return name

    @classmethod
    def cross_check(cls, data: dict[str, Any]) -> Iterator[Mismatch]:
        """Yield what is wrong with texts, claims, ratings and figures, and what does not go together."""
        sentences, queries, expect, ratings = map(data.get, ("sentences", "queries", "expect", "ratings"))
        yield from texts_mismatches(data)
        yield from collection_mismatches(data)
        yield from sentence_mismatches(sentences)
        if isinstance(queries, list):
            yield from wrong_number(
                "queries", len(queries), "query queries", "a search needs", 1, MAX_QUERIES
            )
            yield from repeated(texts_of("queries", queries))
        subjects = subjects_of(sentences, queries, data.get("models"))
        if isinstance(expect, list) and data.get("texts") is None:
            yield from claim_mismatches(expect, subjects)
        elif data.get("claim") is not None and expect is None:
            yield Mismatch(("claim",), "needs `expect`, the claims that it sums up.")
        if isinstance(ratings, list):
            yield from rating_mismatches(ratings, subjects.sentences)
        yield from reference_mismatches(data.get("reference"), len(subjects.sentences.texts))
        yield from wrong_models(data)
        for key in ("order", "ratings", "reference"):
            if data.get(key) is not None and queries is not None:
                message = (
                    "does not go with `queries`: a search compares queries with sentences, not sentences"
                )
                yield Mismatch((key,), f"{message} with each other. Put it into a set without queries.")

    @property
    def all_sentences(self) -> tuple[str, ...]:
        """All sentences in the file's order, group by group."""
        return tuple(text for _, text in texts_of("sentences", self.sentences))

    @property
    def groups(self) -> tuple[str, ...] | None:
        """The group's name for each of `all_sentences`; None if the set has no groups."""
        if not isinstance(self.sentences, dict):
            return None
        return tuple(name for name, texts in self.sentences.items() for _ in texts)

    @property
    def resolution(self) -> float | None:
        """The resolution with which topics are found; None if the set leaves it to the report."""
        return self.topics.resolution if self.topics else None

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What `expect` claims about sentences, in the file's order, with sentences by their position."""
        return self._claims(subjects_of(self.sentences, self.queries))

    def claims_about(self, collected: Collected) -> tuple[Claim, ...]:
        """Return what `expect` claims about the texts of a file, by their position in `collected.texts`."""
        return self._claims(subjects_of_file(collected, self.queries))

    def wrong_claims_about(self, collected: Collected) -> Iterator[Mismatch]:
        """Yield what is wrong with claims about the texts of a file, such as a row that is not there."""
        yield from claim_mismatches(self._expected, subjects_of_file(collected, self.queries))

    @property
    def _expected(self) -> list[dict[str, Any]]:
        return [item.model_dump(exclude_unset=True) for item in self.expect or ()]

    def _claims(self, subjects: Subjects) -> tuple[Claim, ...]:
        return tuple(claim for item in self._expected if (claim := resolve(item, subjects, (), [])))

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """The models of a comparison with their labels, in the file's order; else the one model, called by its name."""
        if self.models:
            return choices_of(self.models)
        request = Request(self.model, self.revision, self.fallback_model)
        return (ModelChoice(self.model, request, self.prompt, self.truncate_dim),)

    @property
    def notebook(self) -> Literal["walkthrough", "search", "comparison", "collection"]:
        """The notebook that makes the report."""
        if self.texts:
            return "collection"
        if self.models:
            return "comparison"
        return "search" if self.queries else "walkthrough"

    def rated_pairs(self, folder: Path = Path()) -> RatedPairs:
        """Return what people say: the positions of two sentences, counted from 0, and a score, for each rated pair.

        Ratings in a file are read, relative to `folder`. Raises SetError with the file, row and column of everything
        that is wrong with them.
        """
        if isinstance(self.ratings, RatingsFile):
            return read_ratings(self.ratings, self.all_sentences, folder).pairs
        return find_ratings(self.ratings or [], self.all_sentences)

    def collected(self) -> Collected:
        """Read the texts of the file that `texts` names.

        A relative file is in the folder that the environment variable `FOLDER` names, which a run sets for its kernel
        to that of the set, else in the current folder. Raises SetError if the file cannot be used or is not the one
        that the run saw, ValueError if the set has sentences instead.
        """
        if self.texts is None:
            raise ValueError("the set names no file of texts")
        try:
            collected = read_texts(self.texts, Path(os.environ.get(FOLDER, "")))
            if os.environ.get(TEXTS_HASH, collected.sha256) != collected.sha256:
                raise refusal(Path(self.texts.file), None, "the file changed since the run began. Run again.")
            return collected
        except SetError as error:  # called as the set calls it, since the notebook is kept and shown
            raise SetError(tuple(replace(it, file=self.texts.file) for it in error.problems)) from None

    def parameters(self) -> dict[str, Any]:
        """Return what papermill injects: the keys that the author wrote, and only these, as plain data."""
        return self.model_dump(mode="json", exclude_unset=True)


def schema() -> dict[str, Any]:
    """Return the JSON schema of a set file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **SentenceSet.model_json_schema()}
