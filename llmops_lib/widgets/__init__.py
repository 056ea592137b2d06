"""Panels of sliders over what-ifs: each redraws a scenario from a small table of strata."""
