"""Sentence Reports: from a YAML file of sentences to a page that shows how an embedding model relates them."""
