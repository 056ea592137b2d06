"""The path formula against what it stands for: the mean over all orders of change."""

from itertools import permutations

import hypothesis.strategies as st
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings

from llmops_lib.calls import EFFECTS, FACTORS, path_effects

MEMBERS = {
    "volume": ["requests"],
    "mix": ["share"],
    "input": ["input"],
    "output": ["output"],
    "cache": ["uncached", "read", "write"],
    "price": ["uncached_price", "read_price", "write_price", "output_price", "fee"],
}
VALUES = st.lists(st.floats(0, 10, allow_subnormal=False), min_size=len(FACTORS), max_size=len(FACTORS))


def spend(factors):
    """The spend of one cell, written out."""
    token = sum(factors[line] * factors[f"{line}_price"] for line in ("uncached", "read", "write"))
    request = factors["input"] * token + factors["output"] * factors["output_price"] + factors["fee"]
    return factors["requests"] * factors["share"] * request


def mean_over_orders(before, after):
    """What each cause adds when its turn comes, averaged over the 720 orders."""
    added = dict.fromkeys(EFFECTS, 0.0)
    for order in permutations(EFFECTS):
        now = dict(before)
        for name in order:
            moved = now | {member: after[member] for member in MEMBERS[name]}
            added[name] += (spend(moved) - spend(now)) / 720
            now = moved
    return added


@given(before=VALUES, after=VALUES)
@settings(max_examples=15, deadline=None)
def test_the_path_gives_the_mean_over_all_orders(before, after):
    """Otherwise the documented meaning of an effect would be wrong."""
    sides = [dict(zip(FACTORS, values, strict=True)) for values in (before, after)]
    cell = {f"{name}_before": value for name, value in sides[0].items()}
    cell |= {f"{name}_after": value for name, value in sides[1].items()}
    found = nw.from_native(pl.DataFrame([cell])).select(**path_effects()).to_native()
    assert found.row(0, named=True) == pytest.approx(mean_over_orders(*sides), rel=1e-9, abs=1e-6)
