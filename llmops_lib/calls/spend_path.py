"""How a change in spend splits among the factors that spend is a product of.

The spend of a group is a sum over its cells, such as its models:

    requests x share x [ input x (uncached x price + read x price + write x price) + output x price + fee ]

A factor that changes while the others stand still has a plain effect; when all change, the effects depend on
the order in which the changes are imagined. Here all factors move together, each on a straight line from its
value before to its value after, and a factor's effect is what it adds along the way (the integral of its
derivative: the Aumann-Shapley value). Since the spend is linear in each factor, that is the mean of the
effects over all orders (the Shapley value), so that no order is preferred; the effects add up to the whole
change, vanish where nothing changed, and change sign when the periods are exchanged.

Sources: Aumann and Shapley, Values of Non-Atomic Games, 1974; Owen, Multilinear extensions of games,
Management Science 18, 1972; Sun, Changes in energy consumption and energy intensity: a complete
decomposition model, Energy Economics 20, 1998; Shorrocks, Decomposition procedures for distributional
analysis, Journal of Economic Inequality 11, 2013.
"""

from functools import reduce
from operator import add

import narwhals as nw

SIDES = ("before", "after")

LINES = ("uncached", "read", "write")
"""Parts of the input that have a price each; they never overlap."""

FACTORS = (
    "requests",
    "share",
    "input",
    "output",
    *LINES,
    *(f"{line}_price" for line in (*LINES, "output")),
    "fee",
)
"""What spend is a product of: requests of the group, the share of the cell, tokens per request, shares of
the input, prices per token, and what a request costs whatever its tokens."""

EFFECTS = ("volume", "mix", "input", "output", "cache", "price")

# Gauss-Legendre with three nodes is exact for polynomials up to degree five, and the derivatives are of
# degree four.
_NODES = ((0.5 - 0.15**0.5, 5 / 18), (0.5, 8 / 18), (0.5 + 0.15**0.5, 5 / 18))


def path_effects() -> dict[str, nw.Expr]:
    """The effect of each of `EFFECTS` in one cell, USD.

    Returns:
        Expressions over `<factor>_before` and `<factor>_after` for each of `FACTORS`, all of them known.
    """
    at_nodes = [(weight, _effects_at(node)) for node, weight in _NODES]
    return {name: reduce(add, [weight * effects[name] for weight, effects in at_nodes]) for name in EFFECTS}


def _effects_at(node: float) -> dict[str, nw.Expr]:
    before = {name: nw.col(f"{name}_before") for name in FACTORS}
    change = {name: nw.col(f"{name}_after") - before[name] for name in FACTORS}
    at = {name: before[name] + change[name] * node for name in FACTORS}
    token_usd = reduce(add, [at[line] * at[f"{line}_price"] for line in LINES])
    request_usd = at["input"] * token_usd + at["output"] * at["output_price"] + at["fee"]
    cell = at["requests"] * at["share"]
    cached = reduce(add, [change[line] * at[f"{line}_price"] for line in LINES])
    repriced = reduce(add, [at[line] * change[f"{line}_price"] for line in LINES])
    return {
        "volume": change["requests"] * at["share"] * request_usd,
        "mix": at["requests"] * change["share"] * request_usd,
        "input": cell * change["input"] * token_usd,
        "output": cell * change["output"] * at["output_price"],
        "cache": cell * at["input"] * cached,
        "price": cell * (at["input"] * repriced + at["output"] * change["output_price"] + change["fee"]),
    }
