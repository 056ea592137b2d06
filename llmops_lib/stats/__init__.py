"""Statistics that measures share, each with the source of its formula."""
