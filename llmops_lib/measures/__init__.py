"""Measures of model calls: a table of spans in, a small table out, on the engine of the table."""
