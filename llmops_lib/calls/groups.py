"""Groups of rows: counts, sums of what is known, shares.

Only elementary aggregates are used, since pandas cannot group by more; results are cast, since DuckDB
sums integers to 38 digits and polars counts in unsigned numbers that wrap below zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import narwhals as nw

from llmops_lib.calls.engines import Frame, with_pandas_dtypes

_UNITS_PER_USD = 2.0**26
"""Money is summed in whole units of about 1.5e-8 USD and, apart from them, in what is left of each cost.

Whole numbers add up to the same sum in any order, up to 134 million USD, so that threads and engines cannot
disagree in the last digit and the same inputs give the same report. A power of two loses nothing.
"""

_NOTHING: Mapping[str, nw.Expr] = MappingProxyType({})


def tally(
    frame: Frame,
    by: Sequence[str],
    aggregates: Mapping[str, nw.Expr] = _NOTHING,
    *,
    counts: Mapping[str, nw.Expr] = _NOTHING,
    sums: Sequence[str] = (),
) -> Frame:
    """One row per group: its rows, how many of them meet a condition, sums of what is known, and more.

    Args:
        frame: Rows to group.
        by: Grouping columns; a null key is a group. None at all gives one row, even over no rows.
        aggregates: Elementary aggregates by name. Names ending in `_count` or `_tokens` are
            whole numbers, those ending in `_at` times, all others floats.
        counts: Conditions by the name of their count; a row that cannot be told is not counted.
        sums: Columns to sum; the sum is null where no value of the group is known.

    Returns:
        `by`, `call_count`, `counts`, `sums`, `aggregates`; not sorted.
    """
    money = [name for name in sums if name.endswith("_usd")]
    # pandas groups by conditions only where they are columns of numbers already.
    flags = [flag(condition).alias(f"_is_{name}") for name, condition in counts.items()]
    columns = [*flags, *(part for name in money for part in _parts(name))]
    prepared = frame.with_columns(*columns) if columns else frame
    named = {
        "call_count": nw.len(),
        **{name: nw.col(f"_is_{name}").sum() for name in counts},
        **{name: nw.col(f"_units_{name}" if name in money else name).sum() for name in sums},
        **aggregates,
    }
    known = {f"_known_{name}": nw.col(name).count() for name in sums}
    rests = {f"_rest_{name}": nw.col(f"_rest_{name}").sum() for name in money}
    every = [aggregate.alias(name) for name, aggregate in {**named, **known, **rests}.items()]
    tallied = _with_result_dtypes(prepared.group_by(by).agg(*every) if by else _total(prepared, every), named)
    values = {
        name: (nw.col(name) + nw.col(f"_rest_{name}")) / _UNITS_PER_USD if name in money else nw.col(name)
        for name in sums
    }
    sums_known = [nw.when(nw.col(f"_known_{name}") > 0).then(values[name]).alias(name) for name in sums]
    zeroed = [nw.col(name).fill_null(0) for name in named if name.endswith("_count") and name not in sums]
    return tallied.with_columns(*sums_known, *zeroed).select([*by, *named])


def with_group(frame: Frame, by: Sequence[str], aggregates: Mapping[str, nw.Expr]) -> Frame:
    """The rows, each with aggregates of its group; a null key is a group.

    Args:
        frame: Rows to group.
        by: Grouping columns, all of text.
        aggregates: Elementary aggregates by name, as in `tally`.

    Returns:
        The columns of `frame`, `group_call_count` (rows of the group) and `aggregates`.
    """
    # Null does not equal null in a join, and no name of a model or feature is this one character.
    marks = [nw.col(name).fill_null("\0").alias(f"_by_{name}") for name in by]
    marked = frame.with_columns(nw.lit("").alias("_by_"), *marks)
    keys = ["_by_", *(f"_by_{name}" for name in by)]
    # Both are of one engine, which the union of two frame classes does not tell the type checker.
    groups: Any = tally(marked, keys, aggregates).rename({"call_count": "group_call_count"})
    return marked.join(groups, on=keys, how="left").drop(keys)


def with_place(frame: Frame, name: str, *, by: Sequence[str] = (), order_by: Sequence[str]) -> Frame:
    """The rows with their place in an order: 1 for the first of each group.

    Args:
        frame: Rows to count.
        name: Column to add.
        by: Grouping columns; a null key is a group.
        order_by: Columns to order by, upwards; rows whose first one is null take no place of their own.
    """
    # A sum of ones: counting in an order goes wrong on pandas in Narwhals 2.29.
    ones = flag(~nw.col(order_by[0]).is_null()).alias("_one")
    counted = frame.with_columns(ones, nw.lit("").alias("_whole"))
    place = nw.col("_one").cum_sum().over("_whole", *by, order_by=order_by).alias(name)
    return counted.with_columns(place).drop("_one", "_whole")


def flag(condition: nw.Expr) -> nw.Expr:
    """1 where the condition holds, 0 where it does not or cannot be told; its sum is a count."""
    # pandas' own columns of truth values take no condition that cannot be told.
    return nw.when(condition.fill_null(value=False)).then(nw.lit(1)).otherwise(nw.lit(0))


def share(part: nw.Expr, whole: nw.Expr) -> nw.Expr:
    """`part / whole`; null where the whole is zero, negative or unknown."""
    return nw.when(whole > 0).then(part / whole)


def _parts(name: str) -> list[nw.Expr]:
    units = nw.col(name) * _UNITS_PER_USD
    return [units.floor().alias(f"_units_{name}"), (units - units.floor()).alias(f"_rest_{name}")]


def _total(frame: Frame, aggregates: Sequence[nw.Expr]) -> Frame:
    if not frame.implementation.is_pandas_like():
        return frame.select(*aggregates)
    # Aggregates of an empty pandas frame lose their dtype; groups keep it, and there is at most one here.
    whole = frame.with_columns(nw.lit(1).alias("_whole")).group_by("_whole").agg(*aggregates).drop("_whole")
    total: Frame = nw.from_native(whole.to_native().reindex([0]))
    return total


def _with_result_dtypes(frame: Frame, names: Iterable[str]) -> Frame:
    whole = [name for name in names if name.endswith(("_count", "_tokens"))]
    real = [name for name in names if name not in whole and not name.endswith("_at")]
    if frame.implementation.is_pandas_like():
        return with_pandas_dtypes(frame, dict.fromkeys(whole, "Int64") | dict.fromkeys(real, "Float64"))
    return frame.with_columns(
        *(nw.col(name).cast(nw.Int64) for name in whole), *(nw.col(name).cast(nw.Float64) for name in real)
    )
