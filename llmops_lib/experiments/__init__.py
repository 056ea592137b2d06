"""Experiments: reviewed data, the arm that a user is in, and what a span says about it."""
