"""Calls to a model behind an OpenAI-compatible address, and a small server for machines without a key."""
