"""What tables of spans say about their own completeness; loading, stores and reports share it."""
