"""A small extractive answerer, no language model, behind a real loopback server: needs no key."""
