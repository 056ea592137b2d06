"""How much traffic there was, and how fast models wrote."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from llmops_lib.calls import model_calls, ordered, percentile_name, portable, quantile, resolved, share, tally
from llmops_lib.frames import by_columns, in_period
from llmops_lib.periods import Period

_SPEED = percentile_name("generation", 50, "tokens_per_second")


@portable
def throughput(calls: Any, period: Period, by: str | Sequence[str] = ()) -> Any:
    """Calls and tokens per unit of time over a period, and the speed of a single call.

    Rates are means over the whole period, idle hours too: no peak is seen in them. The speed of a
    call is its output tokens over its whole latency, the wait for the first token included.

    Args:
        calls: SPANS; uses `started_at`, `latency_ms`, `is_error`, `input_tokens`, `output_tokens`.
        period: Calls that started in it are counted; its length divides them.
        by: Grouping columns; none gives one total row.

    Returns:
        One row per group, sorted by `by`: `by`, `call_count`, `calls_per_hour`,
        `input_tokens_per_second`, `output_tokens_per_second` (known tokens over the period),
        `generation_p50_tokens_per_second` (median over successful calls that wrote, null below 2).

    Example:
        >>> import polars as pl
        >>> from datetime import date
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True, True], "is_error": [False, False], "latency_ms": [1000.0, 2000.0],
        ...     "input_tokens": [864, 0], "output_tokens": [80, 352],
        ... }).with_columns(started_at=pl.datetime(2026, 11, 9, 8, time_zone="UTC"))
        >>> throughput(calls, Period.days(date(2026, 11, 9), date(2026, 11, 10))).rows()
        [(2, 0.08333333333333333, 0.01, 0.005, 128.0)]
    """
    keys = by_columns(by)
    seconds = (period.end - period.start).total_seconds()
    used = ["latency_ms", "is_error", "input_tokens", "output_tokens"]
    frame = model_calls(in_period(calls, period), used, by=keys)
    has_written = ~nw.col("is_error") & (nw.col("output_tokens") > 0)
    speed = share(nw.col("output_tokens") * 1000.0, nw.col("latency_ms"))
    tallied = tally(
        frame.with_columns(nw.when(has_written).then(speed).alias("_speed")),
        keys,
        counts={"speed_count": ~nw.col("_speed").is_null()},
        sums=["input_tokens", "output_tokens"],
        aggregates={_SPEED: quantile("_speed", 50)},
    ).with_columns(
        (nw.col("call_count") * 3600 / seconds).alias("calls_per_hour"),
        (nw.col("input_tokens") / seconds).alias("input_tokens_per_second"),
        (nw.col("output_tokens") / seconds).alias("output_tokens_per_second"),
        resolved(_SPEED, 50, count="speed_count"),
    )
    rates = ["calls_per_hour", "input_tokens_per_second", "output_tokens_per_second", _SPEED]
    return ordered(tallied.select([*keys, "call_count", *rates]), keys).to_native()
