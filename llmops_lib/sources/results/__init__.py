"""Eval results: one module per format, from a file to one row per run, example, trial and scorer."""
