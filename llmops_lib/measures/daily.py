"""Days on which nothing happened."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import known_rows, ordered, portable, stacked
from llmops_lib.frames import by_columns, narwhal
from llmops_lib.periods import Period


@portable
def complete_days(daily: Any, period: Period, *, by: str | Sequence[str] = ()) -> Any:
    """A measure per day, with a row also for each day of the period that has none.

    No calls is a fact, not a gap: counts, tokens and spend of an added day are 0. Shares, percentiles
    and other columns of it are null, since there is nothing they could be of.

    Args:
        daily: A measure by `started_on` and `by`, one row per day and group, such as
            `spend_by(with_day(calls, period), ["started_on", "model"])`.
        period: Its local days are the days of the result; days that have not come yet read as 0 too.
        by: Grouping columns besides `started_on`; each group of the table gets every day.

    Returns:
        The columns of `daily`, sorted by `started_on`, then `by`.

    Raises:
        MissingColumnError: If `started_on` or a column of `by` is missing.

    Example:
        >>> import polars as pl
        >>> from datetime import date
        >>> daily = pl.DataFrame({"started_on": ["2026-11-10"], "call_count": [3], "spend_usd": [0.5]})
        >>> complete_days(daily, Period.days(date(2026, 11, 9), date(2026, 11, 11))).rows()
        [('2026-11-09', 0, 0.0), ('2026-11-10', 3, 0.5)]
    """
    keys = ["started_on", *by_columns(by)]
    columns = narwhal(daily, columns=keys).collect_schema().names()
    rows = known_rows(daily, columns).with_columns(nw.lit(1).alias("_present"))
    values = [name for name in columns if name not in keys]
    groups = rows.select(keys[1:]).unique() if keys[1:] else rows.select(nw.len().alias("_rows"))
    days = [
        groups.with_columns(
            nw.lit(day.on.isoformat()).alias("started_on"), nw.lit(0).alias("_present")
        ).select([*keys, "_present"])
        for day in period.each_day()
    ]
    every_day = stacked([rows, *days])
    # A day that has a row keeps its values, since null gives way to them.
    filled = every_day.group_by(keys).agg(*(nw.col(name).max() for name in [*values, "_present"]))
    zeroed = [
        nw.when(nw.col("_present") == 0).then(nw.lit(0)).otherwise(nw.col(name)).alias(name)
        for name in values
        if name.endswith(("_count", "_tokens")) or name == "spend_usd"
    ]
    return ordered(filled.with_columns(*zeroed).select(columns), keys).to_native()
