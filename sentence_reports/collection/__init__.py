"""What is in a collection of texts: nearest neighbors, topics, near-duplicates, loners, representatives, a map.

Pure functions on arrays: `vectors` is always `(n, d)` float32 of unit length, a row per text, and positions count from
0. They know nothing of files, models and notebooks. Memory grows with `n`, never with its square, and the same input
gives the same result for any number of threads.
"""
