"""PRICES: a user's own dated price list, for self-hosted or negotiated models."""

import polars as pl

from llmops_lib.schema.tables import Column, Table

PRICES = Table(
    name="prices",
    grain="one row per model, service tier, input-size tier and start date",
    key=("provider", "model", "service_tier", "min_input_tokens", "effective_from_on"),
    columns=(
        Column("provider", pl.String, "Provider that the price holds for; null means any provider."),
        Column(
            "model", pl.String, "Model name as it stands in `model` or `request_model`.", is_nullable=False
        ),
        Column("service_tier", pl.String, "Service tier (batch, flex, priority); null means any."),
        Column(
            "min_input_tokens",
            pl.Int64,
            "Price of calls with at least this many input tokens; 0 is the base price.",
            "tokens",
            is_nullable=False,
        ),
        Column("effective_from_on", pl.Date, "First UTC day on which the price holds.", is_nullable=False),
        Column(
            "input_usd_per_mtok",
            pl.Float64,
            "Price of uncached input.",
            "USD per million tokens",
            is_nullable=False,
        ),
        Column(
            "output_usd_per_mtok", pl.Float64, "Price of output.", "USD per million tokens", is_nullable=False
        ),
        Column(
            "cache_read_usd_per_mtok",
            pl.Float64,
            "Price of cache reads; null means the price of input.",
            "USD per million tokens",
        ),
        Column(
            "cache_write_usd_per_mtok",
            pl.Float64,
            "Price of 5-minute cache writes; null means the price of input.",
            "USD per million tokens",
        ),
        Column(
            "cache_write_1h_usd_per_mtok",
            pl.Float64,
            "Price of 1-hour cache writes; null means the price of 5-minute cache writes.",
            "USD per million tokens",
        ),
        Column("source", pl.String, "Where the price comes from: a contract, a page, a person."),
    ),
)
