"""What is in a collection of texts: nearest neighbors, topics, near-duplicates, loners, representatives, a map.

Pure functions on arrays: `vectors` is always `(n, d)` float32 of unit length, a row per text, and positions count from
0. They know nothing of files, models and notebooks. Memory grows with `n`, never with its square, and the same input
gives the same result for any number of threads.
"""

from sentence_reports.collection.duplicates import near_duplicates, numbered_texts
from sentence_reports.collection.groups import compare_groups
from sentence_reports.collection.loners import find_loners
from sentence_reports.collection.projection import project
from sentence_reports.collection.representatives import find_representatives
from sentence_reports.collection.topics import find_topics

__all__ = [
    "compare_groups",
    "find_loners",
    "find_representatives",
    "find_topics",
    "near_duplicates",
    "numbered_texts",
    "project",
]
