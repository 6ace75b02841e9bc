"""Read a YAML file into a validated, frozen set of sentences, or report everything that is wrong with it."""

from sentence_reports.sets.model import Reference, SentenceSet, schema
from sentence_reports.sets.reading import SetFile, read_set, title_of

__all__ = ["Reference", "SentenceSet", "SetFile", "read_set", "schema", "title_of"]
