"""Read a YAML file into a validated, frozen set of sentences, or report everything that is wrong with it."""

from sentence_reports.claim_records import Claim
from sentence_reports.sets.reading import SetFile, read_set, title_of, variant_of
from sentence_reports.sets.reference import Reference
from sentence_reports.sets.sentence_set import SentenceSet, schema

__all__ = ["Claim", "Reference", "SentenceSet", "SetFile", "read_set", "schema", "title_of", "variant_of"]
