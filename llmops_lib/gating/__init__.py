"""Two eval runs held against each other: what makes them comparable, and what each metric says."""
