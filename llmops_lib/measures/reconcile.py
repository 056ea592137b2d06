"""What was traced against what was billed, and a name for what is left over.

Tokens come first and money second: tokens must agree to the last one, money only says something where
they do. A bill counts a call on the day on which it ended.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import PRICE_HINT, Frame, model_calls, portable, tally
from llmops_lib.calls.bill_findings import bill_finding
from llmops_lib.calls.billed import (
    COUNTED,
    DAY,
    KEY,
    TOKENS,
    billed_by_model,
    coverage,
    known_sum,
    with_billed_names,
    with_whole_days,
)
from llmops_lib.frames import collected, narwhal, with_day
from llmops_lib.periods import Period

_COMPARED = (*COUNTED, "usd")
_COUNTS = ("failed_count", "without_usage_count", "exclusive_count", "unpriced_count")
_FLAGS = ("has_usage", "has_split_cost", "is_whole", "is_partial", "names_usage", "names_cost", "is_shared")
_USED = ("started_at", "ended_at", "is_error", "input_tokens", "output_tokens", "cache_read_tokens",
         "cache_write_tokens", "reasoning_tokens", "cost_usd")  # fmt: skip
_CHUNK_DAYS = 31
"""A year of days at once would nest deeper than expressions may."""


@portable
def reconcile(calls: Any, bill: pl.DataFrame) -> pl.DataFrame:
    """Traced against billed calls, tokens and money of each UTC day and model, with a finding.

    Failed calls without tokens are not billed and not compared. An undated model name counts as the one
    dated model that the bill has under it (`gpt-4o` as `gpt-4o-2024-08-06`); where it has several, no
    one is chosen. A day whose usage names no model is compared as a whole, with a null `model`.

    Args:
        calls: SPANS with the columns of `price_calls`, on any engine; a day is that of `ended_at`, or of
            `started_at` while that is unknown. Calls outside the first to the last day of the bill, and
            of providers that are not on it, are left out.
        bill: BILLS, such as `load_bill` gives.

    Returns:
        One row per day, provider and model, in that order: `billed_on`, `provider`, `model`,
        `traced_models` (names in the traces); then `traced_`, `billed_` and `difference_` (billed -
        traced) of `call_count`, `uncached_input_tokens`, `cache_read_tokens`, `cache_write_tokens`,
        `output_tokens` and `usd` (null where the bill does not say; traced sums of what is known);
        `failed_count`, `without_usage_count`, `exclusive_count` (cache above input), `unpriced_count`;
        `finding` (text: what the tokens say, then after a semicolon what the money says).

    Raises:
        MissingColumnError: If a column is missing, such as `cost_usd` before `price_calls`.

    Example:
        >>> from datetime import UTC, datetime
        >>> start, end = datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)
        >>> calls = pl.DataFrame({
        ...     "is_model_call": [True], "provider": ["acme"], "model": ["large"], "started_at": [start],
        ...     "ended_at": [start], "is_error": [False], "input_tokens": [100], "output_tokens": [20],
        ...     "cache_read_tokens": [0], "cache_write_tokens": [0], "reasoning_tokens": [0],
        ...     "cost_usd": [0.5],
        ... })
        >>> bill = pl.DataFrame({
        ...     "provider": "acme", "billed_on": start.date(), "model": "large-2026-01-01", "kind": "usage",
        ...     "line": ["requests", "uncached_input", "output"], "quantity": [2.0, 130.0, 27.0],
        ...     "cost_usd": pl.Series([None] * 3, dtype=pl.Float64), "started_at": start, "ended_at": end,
        ... })
        >>> reconcile(calls, bill).select("traced_models", "difference_call_count", "finding").rows()
        [('large', 1, 'untraced calls: billed but not in the traces')]
    """
    narwhal(bill, columns=["kind", "line", "quantity", "cost_usd", "started_at", "ended_at", *KEY])
    covered = coverage(bill)
    traced = _traced_by_key(with_whole_days(with_billed_names(_traced(calls, bill), bill), covered))
    billed = billed_by_model(with_whole_days(bill, covered))
    sums = traced.join(billed, on=KEY, how="full", nulls_equal=True, coalesce=True)
    joined = sums.join(covered, on=DAY, how="left").sort("billed_on", "provider", "model", nulls_last=True)
    compared = _compared(joined)
    columns = [f"{side}_{name}" for name in _COMPARED for side in ("traced", "billed", "difference")]
    first = ["billed_on", "provider", "model", "traced_models"]
    return compared.with_columns(bill_finding().alias("finding")).select(
        *first, *columns, *_COUNTS, "finding"
    )


def _chunks(bill: pl.DataFrame) -> Iterator[Period]:
    # Over no day at all, one without calls gives the columns.
    days = bill["billed_on"].unique().sort().to_list() or [date(2015, 1, 1)]
    while days:
        chunk = [day for day in days if day < days[0] + timedelta(days=_CHUNK_DAYS)]
        days = days[len(chunk) :]
        yield Period.days(chunk[0], chunk[-1] + timedelta(days=1))


def _traced(calls: Any, bill: pl.DataFrame) -> pl.DataFrame:
    frame = _comparable(calls, bill).to_native()
    keys, sums = ["provider", "started_on", "model"], [*TOKENS, "reasoning_tokens", "cost_usd"]
    tallies = (
        tally(narwhal(with_day(frame, period)), keys, counts=_conditions(), sums=sums)
        for period in _chunks(bill)
    )
    return pl.concat(collected(tallied.to_native()) for tallied in tallies).select(
        pl.col("provider", "model").cast(pl.String),
        pl.col("started_on").cast(pl.String).str.to_date().alias("billed_on"),
        (pl.col("call_count") - pl.col("failed_count")).alias("traced_call_count"),
        *(pl.col(name).alias(f"traced_{name}") for name in (*TOKENS, "reasoning_tokens")),
        pl.col("cost_usd").alias("traced_usd"),
        *_COUNTS,
    )


def _comparable(calls: Any, bill: pl.DataFrame) -> Frame:
    """The calls that the bill may hold, dated by their end."""
    inputs, outputs = nw.col("input_tokens"), nw.col("output_tokens")
    has_tokens = inputs.fill_null(0) + outputs.fill_null(0) > 0
    provider = nw.col("provider")
    is_on_bill = provider.is_in(bill["provider"].unique().to_list()) | provider.is_null()
    frame = model_calls(calls, _USED, by=["provider", "model"], hint=PRICE_HINT)
    return frame.filter(is_on_bill).with_columns(
        nw.coalesce("ended_at", "started_at").alias("started_at"),
        (inputs - _cache_tokens()).alias("uncached_input_tokens"),
        (nw.col("is_error") & ~has_tokens).alias("_is_failed"),
    )


def _conditions() -> dict[str, nw.Expr]:
    is_billable, inputs = ~nw.col("_is_failed"), nw.col("input_tokens")
    return {
        "failed_count": nw.col("_is_failed"),
        "without_usage_count": is_billable & inputs.is_null() & nw.col("output_tokens").is_null(),
        "exclusive_count": (_cache_tokens() > inputs).fill_null(value=False),
        "unpriced_count": is_billable & nw.col("cost_usd").is_null(),
    }


def _cache_tokens() -> nw.Expr:
    return nw.col("cache_read_tokens").fill_null(0) + nw.col("cache_write_tokens").fill_null(0)


def _traced_by_key(traced: pl.DataFrame) -> pl.DataFrame:
    names = [f"traced_{name}" for name in (*_COMPARED, "reasoning_tokens")]
    return traced.group_by(KEY).agg(
        pl.col("traced_models").drop_nulls().unique().sort().str.join(", "),
        pl.col("is_shared").any(),
        *(known_sum(pl.col(name)).alias(name) for name in names),
        *(pl.col(name).sum() for name in _COUNTS),
    )


def _compared(joined: pl.DataFrame) -> pl.DataFrame:
    rows = joined.with_columns(
        *(pl.col(name).fill_null(value=False) for name in _FLAGS),
        *(pl.col(name).fill_null(0) for name in (*_COUNTS, "traced_call_count")),
    )
    filled = rows.with_columns(*_billed_values(), *_traced_values())
    return filled.with_columns(
        (pl.col(f"billed_{name}") - pl.col(f"traced_{name}")).alias(f"difference_{name}")
        for name in _COMPARED
    )


def _billed_values() -> list[pl.Expr]:
    # A report that covers a day and does not name a model billed nothing for it.
    is_unused = pl.col("has_usage") & ~pl.col("names_usage") & ~pl.col("names_cost")
    is_free = pl.col("has_split_cost") & ~pl.col("names_cost")
    counts = [
        pl.when("names_usage").then(f"billed_{name}").when(is_unused).then(0).alias(f"billed_{name}")
        for name in COUNTED
    ]
    return [*counts, pl.when(is_free).then(0.0).otherwise("billed_usd").alias("billed_usd")]


def _traced_values() -> list[pl.Expr]:
    count, usd = pl.col("traced_call_count"), pl.col("traced_usd")
    is_known = (count == 0) | (count > pl.col("without_usage_count"))
    tokens = [
        pl.when(is_known).then(pl.col(f"traced_{name}").fill_null(0)).alias(f"traced_{name}")
        for name in (*TOKENS, "reasoning_tokens")
    ]
    return [*tokens, pl.when(count == 0, usd.is_null()).then(0.0).otherwise(usd).alias("traced_usd")]
