"""The cost of every model call in a table of spans."""

from pathlib import Path
from typing import Any

import polars as pl

from llmops_lib.errors import EngineError, SchemaError
from llmops_lib.frames import narwhal
from llmops_lib.pricing.own_list import OwnList
from llmops_lib.pricing.price_files import checked_prices
from llmops_lib.pricing.rate_card import NAME_KEY, RateCard, rate_card, tier_text
from llmops_lib.pricing.usage import (
    COUNTS,
    SERVICE_TIER,
    TEMPORARY,
    attribute,
    cost_parts_usd,
    cost_usd,
    impossible_usage,
    is_made_inclusive,
    one_hour_writes,
    other_input_tokens,
    unknown_usage,
)
from llmops_lib.schema import OTHER_CONVENTION, PRICED_COLUMNS

USED = ("is_model_call", "operation", "started_at", *NAME_KEY, *COUNTS)
"""Columns of SPANS that a price depends on."""
_PRICED = [column.name for column in PRICED_COLUMNS]


def price_calls(spans: Any, *, prices: str | Path | pl.DataFrame | None = None) -> Any:
    """The spans with what each model call cost, at the price in force when the call started.

    A cost is null where it is not known; a price is never guessed and an impossible count never mended,
    so a sum of `cost_usd` covers the rows with `is_priced` only: state the others beside it.

    Args:
        spans: SPANS as a polars DataFrame or LazyFrame, or a pandas DataFrame. Without `attributes`,
            cache writes are taken for 5-minute ones and every call for one of the standard service tier.
            Of a LazyFrame, the distinct model names are collected (streaming, three columns) to look up
            their prices; the priced table itself stays lazy.
        prices: The user's own list, as a YAML or CSV file or a PRICES frame. It goes before the public
            list for the models that it names, from its first date on.

    Returns:
        The same rows in the same order and kind of table, with `cost_usd` (USD, null where unknown),
        `is_priced`, `price_basis` (the price entry and its date, or why there is no cost; null on rows
        that are not model calls), and the parts of the cost: `input_cost_usd`, of it
        `cache_read_cost_usd` and `cache_write_cost_usd`, and `output_cost_usd` (USD; a charge per request
        is in `cost_usd` only). Columns of these names that were there before are replaced.

    Raises:
        EngineError: If the table is of another kind.
        MissingColumnError: If a column of SPANS that pricing uses is missing.
        SchemaError: If `started_at` has no time zone.
        PriceError: If the own list cannot be read or contradicts itself.

    Source:
        Prices: genai-prices, https://github.com/pydantic/genai-prices

    Example:
        >>> from datetime import UTC, datetime
        >>> spans = pl.DataFrame(
        ...     {
        ...         "is_model_call": [True], "operation": ["chat"], "provider": ["openai"],
        ...         "started_at": [datetime(2025, 6, 10, tzinfo=UTC)],
        ...         "request_model": ["o3"], "response_model": ["o3-2025-04-16"],
        ...         "input_tokens": [1_000_000], "output_tokens": [100_000],
        ...         "cache_read_tokens": [None], "cache_write_tokens": [None], "reasoning_tokens": [None],
        ...     }
        ... )
        >>> price_calls(spans)["cost_usd"].item()
        2.8
    """
    return _table_priced(spans, prices, _PRICED)


def price_both_conventions(spans: Any, *, prices: str | Path | pl.DataFrame | None = None) -> Any:
    """The spans with what each model call cost, and would cost if its cache were counted the other way.

    Args:
        spans: As `price_calls` takes them. Without `attributes`, no call is taken for one whose counts
            the reader converted.
        prices: As `price_calls` takes them.

    Returns:
        What `price_calls` returns, and `other_convention_usd` (USD, at the unit prices of the call as it
        is): with the cache tokens on top of the input, or inside it where the reader has added them; null
        where such counts cannot be.

    Raises:
        As `price_calls` does.

    Example:
        >>> from datetime import UTC, datetime
        >>> spans = pl.DataFrame(
        ...     {
        ...         "is_model_call": [True], "operation": ["chat"], "provider": ["openai"],
        ...         "started_at": [datetime(2025, 6, 10, tzinfo=UTC)],
        ...         "request_model": ["o3"], "response_model": ["o3-2025-04-16"],
        ...         "input_tokens": [1_000_000], "output_tokens": [0], "cache_read_tokens": [500_000],
        ...         "cache_write_tokens": [None], "reasoning_tokens": [None],
        ...     }
        ... )
        >>> price_both_conventions(spans).select("cost_usd", "other_convention_usd").row(0)
        (1.25, 2.25)
    """
    return _table_priced(spans, prices, [*_PRICED, OTHER_CONVENTION.name])


def _table_priced(spans: Any, prices: str | Path | pl.DataFrame | None, added: list[str]) -> Any:
    own = OwnList(checked_prices(prices))
    frame = narwhal(
        spans, columns=USED, hint="price_calls() takes a SPANS table, such as load_traces() gives"
    )
    native = frame.to_native()
    if isinstance(native, pl.LazyFrame):
        return _priced(native, own, added)
    if isinstance(native, pl.DataFrame):
        return _priced(native.lazy(), own, added).collect()
    if frame.implementation.is_pandas():
        return _priced_pandas(native, own, added)
    msg = (
        f"price_calls() found a {type(native).__module__}.{type(native).__name__}, expected a polars "
        "DataFrame or LazyFrame, or a pandas DataFrame. Convert the table first: `relation.pl()` in DuckDB, "
        "`table.to_polars()` in Ibis, `pl.from_arrow(frame.toArrow())` in Spark"
    )
    raise EngineError(msg)


def _priced_pandas(spans: Any, own: OwnList, added: list[str]) -> Any:
    used = [name for name in (*USED, "attributes") if name in spans.columns]
    priced = _priced(pl.from_pandas(spans[used]).lazy(), own, added).select(added).collect()
    basis = priced["price_basis"].to_pandas().array
    arrays = {name: priced[name].to_numpy() for name in added} | {"price_basis": basis}
    return spans.assign(**arrays)


def _priced(spans: pl.LazyFrame, own: OwnList, added: list[str]) -> pl.LazyFrame:
    schema = spans.collect_schema()
    kept = [name for name in schema.names() if name not in added]
    staged = spans.with_columns(_staged(schema))
    name_key = [f"{TEMPORARY}{name}" for name in NAME_KEY]
    names = staged.filter(_is_call()).select(name_key).unique().collect(engine="streaming")
    card = rate_card(names.rename(dict(zip(name_key, NAME_KEY, strict=True))), own)
    slots = [f"{TEMPORARY}{name}" for name in ("name_id", "tier", "date_slot", "time_slot", "size_slot")]
    rated = (
        staged.join(_temporary(card.names), on=name_key, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(_slots(card))
        .join(_temporary(card.rates), on=slots, how="left", maintain_order="left")
    )
    verdict = _verdict()
    return rated.with_columns(_impossible(), unknown_usage().alias(f"{TEMPORARY}unknown")).select(
        *kept, *(verdict[name].alias(name) for name in added)
    )


def _staged(schema: pl.Schema) -> list[pl.Expr]:
    started_at = schema["started_at"]
    if not isinstance(started_at, pl.Datetime) or started_at.time_zone is None:
        msg = (
            f"spans: found started_at of type {started_at}, expected Datetime with the time zone UTC; "
            "prices change at UTC midnights, so give the times their zone first"
        )
        raise SchemaError(msg)
    has_attributes = "attributes" in schema
    nothing = pl.lit(None)
    return [
        *(pl.col(name).cast(pl.String).alias(f"{TEMPORARY}{name}") for name in NAME_KEY),
        (is_made_inclusive() if has_attributes else pl.lit(value=False)).alias(f"{TEMPORARY}converted"),
        pl.col("started_at").dt.convert_time_zone("UTC").alias(f"{TEMPORARY}at"),
        (one_hour_writes() if has_attributes else nothing).cast(pl.Int64).alias(f"{TEMPORARY}one_hour"),
        (attribute(SERVICE_TIER) if has_attributes else nothing).cast(pl.String).alias(f"{TEMPORARY}tier"),
    ]


def _slots(card: RateCard) -> list[pl.Expr]:
    at = pl.col(f"{TEMPORARY}at")
    input_tokens = pl.col("input_tokens").cast(pl.Int64, strict=False)
    reached = {
        "date": [at.dt.date() >= cut for cut in _cuts(card, "date")],
        "time": [at.dt.time() >= cut for cut in _cuts(card, "time")],
        "size": [input_tokens > cut for cut in _cuts(card, "size")],
    }
    none_reached = pl.lit(0, dtype=pl.UInt32)
    return [
        tier_text(pl.col(f"{TEMPORARY}tier"), card).alias(f"{TEMPORARY}tier"),
        *(
            pl.sum_horizontal(none_reached, *cuts).cast(pl.UInt32).alias(f"{TEMPORARY}{kind}_slot")
            for kind, cuts in reached.items()
        ),
    ]


def _cuts(card: RateCard, kind: str) -> list[pl.Expr]:
    return [pl.col(f"{TEMPORARY}{name}") for name in card.cut_columns(kind)]


def _impossible() -> pl.Expr:
    return impossible_usage(_one_hour()).alias(f"{TEMPORARY}impossible")


def _verdict() -> dict[str, pl.Expr]:
    impossible, unknown = pl.col(f"{TEMPORARY}impossible"), pl.col(f"{TEMPORARY}unknown")
    is_usable = _is_call() & impossible.is_null() & unknown.is_null()
    cost = pl.when(is_usable).then(cost_usd(_one_hour()))
    basis = pl.coalesce(impossible, unknown, pl.col(f"{TEMPORARY}basis"))
    other_input = other_input_tokens(pl.col(f"{TEMPORARY}converted"))
    can_be = _is_call() & unknown.is_null() & impossible_usage(_one_hour(), other_input).is_null()
    parts = cost_parts_usd(_one_hour())
    return {
        "cost_usd": cost,
        "is_priced": cost.is_not_null(),
        "price_basis": pl.when(_is_call()).then(basis),
        **{name: pl.when(is_usable).then(part) for name, part in parts.items()},
        OTHER_CONVENTION.name: pl.when(can_be).then(cost_usd(_one_hour(), other_input)),
    }


def _one_hour() -> pl.Expr:
    return pl.col(f"{TEMPORARY}one_hour")


def _is_call() -> pl.Expr:
    return pl.col("is_model_call").cast(pl.Boolean).fill_null(value=False)


def _temporary(frame: pl.DataFrame) -> pl.LazyFrame:
    return frame.rename({name: f"{TEMPORARY}{name}" for name in frame.columns}).lazy()
