"""Estimators, intervals and tests: plain functions on arrays, each with its formula and source.

An answer is a small frozen dataclass. A number that cannot be had is None with a `Reason`, never
zero, NaN or a silent infinity; an input that holds NaN is an error that names it. Nothing depends on
global random state: what is drawn is drawn from a seed that follows from the items' own ids.
docs/statistics.md lists every function with its formula and source.
"""
