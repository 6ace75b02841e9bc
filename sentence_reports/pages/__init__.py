"""From an executed notebook to one HTML page, and from all reports to the index."""
