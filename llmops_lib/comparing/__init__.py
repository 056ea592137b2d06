"""Two arms held against each other: what a difference says, and what it must not be taken for.

Measures never import each other; what comparisons of eval runs and of production arms share lives here.
"""
