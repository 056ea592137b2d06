"""Suites of eval cases, and the locks that hold them still."""
