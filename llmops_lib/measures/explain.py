"""Why spend changed: more calls, other models, longer texts, fewer cache reads, other prices, or retries."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import narwhals as nw

from llmops_lib.calls import (
    EFFECTS,
    FACTORS,
    LINES,
    PRICE_HINT,
    SIDES,
    Frame,
    flagged_retries,
    model_calls,
    ordered,
    path_effects,
    portable,
    share,
    stacked,
    tally,
)
from llmops_lib.frames import by_columns

_QUANTITIES = ("uncached", "read", "write", "output")
_TOKENS = tuple(f"{name}_tokens" for name in _QUANTITIES)
_MONEY = ("spend_usd", "once_usd", *(f"{name}_usd" for name in _QUANTITIES))
_SHOWN = ("call_count", "unpriced_count", "spend_usd")
_AMOUNTS = (*_SHOWN, "once_count", "once_usd", *_TOKENS, *_MONEY[2:])
_EFFECTS = tuple(f"{name}_effect_usd" for name in (*EFFECTS, "retry"))


@portable
def explain_change(
    before: Any, after: Any, *, by: str | Sequence[str] = (), mix: str | Sequence[str] = ("feature", "model")
) -> Any:
    """The change in spend between two periods, split to the cent into what caused it.

    A failed attempt that was made again is in `retry_effect_usd`, whatever else changed. For all other priced
    calls, the spend of a group is a product of the number of calls, the share of each cell of `mix`, input
    and output tokens per call, the shares of the input that are read from and written to the cache, and the
    prices paid per token; `llmops_lib.calls.spend_path` says how its change is split, without an order of the
    factors. The effects of a row add up to its change, and the rows to the change of the total.

    Assumptions: within a cell only means count, so that a change of mix below it (prompts of one model)
    shows as tokens, and a change of price level (service tiers) as price. What a cell does not have in one
    period is taken from the other: a new group or cell is volume or mix and nothing else. A cost whose parts
    are unknown, and a charge per request, is a price per call. Cache counts that are not recorded count as
    none, as they do in `price_calls`. Volume is that of the row's own group: by `tenant` it holds what a
    total row calls mix between tenants, where `mix` names them.

    Args:
        before: SPANS of the earlier period with the columns of `price_calls`, and those of `with_retries` or
            what it uses; on the engine of `after`.
        after: The same of the later period.
        by: Grouping columns; none gives one total row.
        mix: Columns whose values make up a group; a shift between them is mix.

    Returns:
        One row per group of either period, by the size of the change downwards, then by `by`: `by`, `state`
        (`in both`, `new`, `gone`; `unpriced before`, `unpriced after` or `unpriced` where there were calls
        and none had a cost; `no calls`), `call_count_before`, `call_count_after`, `unpriced_count_before`,
        `unpriced_count_after` (calls without a cost, in none of the sums), `spend_usd_before`,
        `spend_usd_after` (USD of priced calls; 0 without calls, null where no call has a cost),
        `spend_usd_change` (of known spend; null where neither side has any), and its parts
        `volume_effect_usd`, `mix_effect_usd`, `input_effect_usd`, `output_effect_usd` (tokens per call),
        `cache_effect_usd`, `price_effect_usd`, `retry_effect_usd`.

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.
        EngineError: If the tables are of different kinds, or an engine lacks an expression.

    Example:
        >>> import polars as pl
        >>> call = {
        ...     "is_model_call": True, "feature": "chat", "model": "large", "is_retried": False,
        ...     "is_retry": False, "input_tokens": 100, "output_tokens": 0, "cache_read_tokens": 0,
        ...     "cache_write_tokens": 0, "cost_usd": 1.0, "input_cost_usd": 1.0, "cache_read_cost_usd": 0.0,
        ...     "cache_write_cost_usd": 0.0, "output_cost_usd": 0.0,
        ... }
        >>> longer = call | {"input_tokens": 200, "cost_usd": 2.0, "input_cost_usd": 2.0}
        >>> change = explain_change(pl.DataFrame([call]), pl.DataFrame([longer, longer]))
        >>> change.select("spend_usd_change", "volume_effect_usd", "input_effect_usd").rows()
        [(3.0, 1.5, 1.5)]
    """
    keys = by_columns(by)
    cell = ["_all", *keys, *(name for name in by_columns(mix) if name not in keys)]
    sides = [_cells(table, cell, side) for table, side in zip((before, after), SIDES, strict=True)]
    # A name ends in its unit, as `tally` needs it; the side stands in front until the end.
    amounts = [f"{side}_{name}" for side in SIDES for name in _AMOUNTS]
    # A full join drops null keys on some engines; stacking and grouping keeps them on all.
    paired = stacked(sides).group_by(cell).agg(nw.col(name).max() for name in amounts)
    known = paired.with_columns(nw.col(name).fill_null(0) for name in amounts)
    return _rows(_with_effects(_with_factors(known, ["_all", *keys])), keys).to_native()


def _cells(table: Any, cell: list[str], side: str) -> Frame:
    """Counts, tokens and money of each cell in one period, named for it."""
    columns = [
        "is_retried",
        "cost_usd",
        "input_cost_usd",
        "cache_read_cost_usd",
        "cache_write_cost_usd",
        "output_cost_usd",
        "input_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "output_tokens",
    ]
    flagged = flagged_retries(table).to_native()
    calls = model_calls(flagged, columns, by=cell[1:], hint=PRICE_HINT).with_columns(nw.lit(1).alias("_all"))
    cost = nw.col("cost_usd")
    is_once = ~cost.is_null() & ~nw.col("is_retried").fill_null(value=False)
    prepared = calls.with_columns(
        cost.alias("spend_usd"), nw.when(is_once).then(cost).alias("once_usd"), *_line_columns(is_once)
    )
    counts = {"unpriced_count": cost.is_null(), "once_count": is_once}
    tallied = tally(prepared, cell, counts=counts, sums=[*_TOKENS, *_MONEY])
    return tallied.rename({name: f"{side}_{name}" for name in _AMOUNTS})


def _line_columns(is_once: nw.Expr) -> list[nw.Expr]:
    """Tokens and money of each line of the price, of calls whose cost is known in parts."""
    is_split = is_once & ~nw.any_horizontal(
        nw.col("input_cost_usd", "output_cost_usd", "input_tokens").is_null(), ignore_nulls=False
    )
    read, write = (nw.col(f"cache_{name}_tokens").fill_null(0) for name in ("read", "write"))
    read_usd, write_usd = (nw.col(f"cache_{name}_cost_usd").fill_null(0.0) for name in ("read", "write"))
    tokens = {
        "uncached": nw.col("input_tokens") - read - write,
        "read": read,
        "write": write,
        "output": nw.col("output_tokens").fill_null(0),
    }
    money = {
        "uncached": nw.col("input_cost_usd") - read_usd - write_usd,
        "read": read_usd,
        "write": write_usd,
        "output": nw.col("output_cost_usd"),
    }
    return [
        nw.when(is_split).then(value).alias(f"{name}_{unit}")
        for unit, values in (("tokens", tokens), ("usd", money))
        for name, value in values.items()
    ]


def _with_factors(cells: Frame, group: list[str]) -> Frame:
    """The cells with both sides of every factor; what one side does not have is that of the other."""
    totals = [nw.col(f"{side}_once_count").sum().over(group).alias(f"requests_{side}") for side in SIDES]
    own = cells.with_columns(totals).with_columns(
        factor.alias(f"_{name}_{side}") for side in SIDES for name, factor in _own_factors(side).items()
    )
    other = {"before": "after", "after": "before"}
    return own.with_columns(
        nw.coalesce(f"_{name}_{side}", f"_{name}_{other[side]}", nw.lit(0.0)).alias(f"{name}_{side}")
        for name in FACTORS[1:]
        for side in SIDES
    )


def _own_factors(side: str) -> dict[str, nw.Expr]:
    calls = nw.col(f"{side}_once_count")
    tokens = {name: nw.col(f"{side}_{name}_tokens") for name in _QUANTITIES}
    money = {name: nw.col(f"{side}_{name}_usd") for name in _QUANTITIES}
    inputs = tokens["uncached"] + tokens["read"] + tokens["write"]
    # Money of a line without tokens has no price per token; it stays in what a call costs.
    lines = [nw.when(tokens[name] > 0).then(money[name]).otherwise(nw.lit(0.0)) for name in _QUANTITIES]
    return {
        "share": share(calls, nw.col(f"requests_{side}")),
        "input": share(inputs, calls),
        "output": share(tokens["output"], calls),
        **{line: share(tokens[line], inputs) for line in LINES},
        **{f"{name}_price": share(money[name], tokens[name]) for name in _QUANTITIES},
        "fee": share(nw.col(f"{side}_once_usd") - reduce(add, lines), calls),
    }


def _with_effects(cells: Frame) -> Frame:
    before, after = (nw.col(f"{side}_spend_usd") - nw.col(f"{side}_once_usd") for side in SIDES)
    effects = path_effects() | {"retry": after - before}
    return cells.with_columns(effect.alias(f"{name}_effect_usd") for name, effect in effects.items())


def _rows(cells: Frame, keys: list[str]) -> Frame:
    """The cells summed to groups, with what they are called and in order."""
    sums = [*(f"{side}_{name}" for side in SIDES for name in _SHOWN), *_EFFECTS]
    totals = tally(cells, keys, sums=sums).with_columns(nw.col(name).fill_null(0) for name in sums)
    change = (nw.col("after_spend_usd") - nw.col("before_spend_usd")).alias("spend_usd_change")
    told = totals.with_columns(_state().alias("state"), change)
    # What has calls and no known cost spent an unknown amount, which is not zero.
    is_known = nw.col("state") != "unpriced"
    changes = [nw.when(is_known).then(nw.col(name)).alias(name) for name in ("spend_usd_change", *_EFFECTS)]
    told = told.with_columns(*changes, *(_known_spend(side) for side in SIDES))
    told = told.with_columns(nw.col("spend_usd_change").abs().alias("_size"))
    renamed = told.rename({f"{side}_{name}": f"{name}_{side}" for side in SIDES for name in _SHOWN})
    shown = [f"{name}_{side}" for name in _SHOWN for side in SIDES]
    ranked = ordered(renamed, ["_size", *keys], largest_first=["_size"])
    return ranked.select([*keys, "state", *shown, "spend_usd_change", *_EFFECTS])


def _known_spend(side: str) -> nw.Expr:
    calls, unpriced = nw.col(f"{side}_call_count"), nw.col(f"{side}_unpriced_count")
    is_known = (calls == 0) | (unpriced < calls)
    return nw.when(is_known).then(nw.col(f"{side}_spend_usd")).alias(f"{side}_spend_usd")


def _state() -> nw.Expr:
    calls = {side: nw.col(f"{side}_call_count") for side in SIDES}
    is_unpriced = {side: calls[side] == nw.col(f"{side}_unpriced_count") for side in SIDES}
    is_absent = {side: calls[side] == 0 for side in SIDES}
    cases = (
        (is_absent["before"] & is_absent["after"], "no calls"),
        (is_unpriced["before"] & is_unpriced["after"], "unpriced"),
        (is_absent["before"], "new"),
        (is_absent["after"], "gone"),
        (is_unpriced["before"], "unpriced before"),
        (is_unpriced["after"], "unpriced after"),
    )
    state: nw.Expr = nw.lit("in both")
    for condition, text in reversed(cases):
        state = nw.when(condition).then(nw.lit(text)).otherwise(state)
    return state
