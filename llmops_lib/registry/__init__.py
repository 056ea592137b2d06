"""Prompts and tools as files in git: read strictly, rendered in a sandbox, known by their content hash."""
