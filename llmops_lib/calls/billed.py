"""The side of the bill: its days, its lines as columns, and the models of traces under its names."""

import polars as pl

TOKENS = ("uncached_input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
"""Tokens that are compared; the three of input never overlap."""

COUNTED = ("call_count", *TOKENS)
"""All that is counted on a bill."""

DAY = ["provider", "billed_on"]
"""What a bill covers."""

KEY = [*DAY, "model"]
"""What is compared."""

_LINES = {
    "call_count": ("requests",),
    "uncached_input_tokens": ("uncached_input",),
    "cache_read_tokens": ("cache_read",),
    "cache_write_tokens": ("cache_write", "cache_write_1h"),
    "output_tokens": ("output",),
}


def coverage(bill: pl.DataFrame) -> pl.DataFrame:
    """What a bill can tell of each provider and day.

    Returns:
        One row per provider and day: `has_usage`, `has_split_cost` (costs by line), `is_whole` (nothing
        names a model, so that only the whole day can be compared), `is_partial` (not all hours).
    """
    is_usage, is_total = pl.col("kind") == "usage", (pl.col("line") == "total").any()
    names_none = (is_usage & pl.col("model").is_null() & (pl.col("line") != "empty")).any()
    midnight = pl.col("billed_on").first().cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    # Costs always state whole days; usage may be of hours.
    started_at, ended_at = pl.col("started_at"), pl.col("ended_at")
    starts = pl.coalesce(started_at.filter(is_usage).min(), started_at.min())
    ends = pl.coalesce(ended_at.filter(is_usage).max(), ended_at.max())
    is_partial = (starts > midnight) | (ends < midnight.dt.offset_by("1d"))
    return bill.group_by(DAY).agg(
        is_usage.any().alias("has_usage"),
        ((pl.col("kind") == "cost").any() & ~is_total).alias("has_split_cost"),
        (names_none | (~is_usage.any() & is_total)).alias("is_whole"),
        is_partial.alias("is_partial"),
    )


def billed_by_model(bill: pl.DataFrame) -> pl.DataFrame:
    """One row per provider, day and model: `billed_` counts and `billed_usd`, `names_usage`, `names_cost`."""
    is_usage, is_cost = pl.col("kind") == "usage", pl.col("kind") == "cost"
    quantities = []
    for name, lines in _LINES.items():
        stated = pl.col("quantity").filter(is_usage & pl.col("line").is_in(lines))
        # A report without a line of tokens, such as output of embeddings, used none; one without
        # requests does not count them.
        absent = pl.lit(None if name == "call_count" else 0, dtype=pl.Int64)
        total = pl.when(stated.len() == 0).then(absent).otherwise(known_sum(stated).cast(pl.Int64))
        quantities.append(total.alias(f"billed_{name}"))
    return (
        bill.filter(pl.col("line") != "empty")
        .group_by(KEY)
        .agg(
            *quantities,
            known_sum(pl.col("cost_usd").filter(is_cost)).alias("billed_usd"),
            is_usage.any().alias("names_usage"),
            is_cost.any().alias("names_cost"),
        )
    )


def with_billed_names(traced: pl.DataFrame, bill: pl.DataFrame) -> pl.DataFrame:
    """The traced rows with `model` as the bill writes it, `traced_models` as the traces do, and `is_shared`.

    Bills name dated models. A name without a date is taken for the one dated model that the bill has under
    it; where the bill has several, none is chosen and `is_shared` is true.
    """
    billed = bill.select("provider", "model").drop_nulls().unique()
    undated = pl.col("model").str.replace(r"-(\d{4}-\d{2}-\d{2}|\d{8})$", "").alias("_name")
    dated = billed.group_by("provider", undated).agg(
        pl.col("model").first().alias("_dated"), pl.len().alias("_choices")
    )
    bare = pl.col("model").str.strip_prefix(pl.col("provider") + "/")
    exact = billed.select("provider", pl.col("model").alias("_bare"), pl.lit(value=True).alias("_is_billed"))
    known = pl.col("_is_billed").fill_null(value=False)
    return (
        traced.with_columns(bare.alias("_bare"), bare.str.strip_suffix("-latest").alias("_name"))
        .join(dated, on=["provider", "_name"], how="left")
        .join(exact, on=["provider", "_bare"], how="left")
        .rename({"model": "traced_models"})
        .with_columns(
            pl.when(~known & (pl.col("_choices") == 1)).then("_dated").otherwise("_bare").alias("model"),
            (~known & (pl.col("_choices") > 1)).alias("is_shared"),
        )
    )


def with_whole_days(rows: pl.DataFrame, covered: pl.DataFrame) -> pl.DataFrame:
    """The rows with a null `model` on the days that can only be compared as a whole."""
    joined = rows.join(covered.select(*DAY, "is_whole"), on=DAY, how="left", maintain_order="left")
    is_whole = pl.col("is_whole").fill_null(value=False)
    return joined.with_columns(pl.when(~is_whole).then("model").alias("model")).drop("is_whole")


def known_sum(values: pl.Expr) -> pl.Expr:
    """The sum of what is known; null where nothing is."""
    return pl.when(values.count() > 0).then(values.sum())
