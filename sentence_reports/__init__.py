"""Sentence Reports: from a YAML file of sentences to a page that shows how an embedding model relates them."""

import warnings

# In a notebook, tqdm misses widgets that nothing here uses, and says so in red above the lesson.
warnings.filterwarnings("ignore", message="IProgress not found")
