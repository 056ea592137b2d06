"""BILLS: what a provider says it was used for and charges, to hold traces against."""

import polars as pl

from llmops_lib.schema.tables import UTC_DATETIME, Column, Table

TOKEN_LINES = ("uncached_input", "cache_read", "cache_write", "cache_write_1h", "output")
"""Values of `line` that are tokens; the four of input never overlap, so that they may be added."""

BILL_LINES = (*TOKEN_LINES, "requests", "other", "total", "empty")
"""The closed list of values of `line`."""

BILLS = Table(
    name="bills",
    grain="one row per provider, UTC day, model and line; several where the report is grouped by more",
    key=(),
    columns=(
        Column("provider", pl.String, "Provider, OpenTelemetry spelling.", is_nullable=False),
        Column("billed_on", pl.Date, "UTC day of the bucket.", is_nullable=False),
        Column("model", pl.String, "Model as billed; null where the report is not grouped by model."),
        Column(
            "kind",
            pl.String,
            "`usage` or `cost`, which state the same tokens and are never added; "
            "null where all buckets of a page are empty.",
        ),
        Column(
            "line",
            pl.String,
            f"One of {', '.join(BILL_LINES)}; `total` is a cost that the report does not split, "
            "`empty` a bucket in which nothing was billed.",
            is_nullable=False,
        ),
        Column("quantity", pl.Float64, "How much was used; null where the report does not say."),
        Column("quantity_unit", pl.String, "Unit of the quantity: tokens, requests, images ..."),
        Column("cost_usd", pl.Float64, "Cost of the line; null on usage.", "USD"),
        Column("product", pl.String, "Report that the line is from: completions, embeddings, costs ..."),
        Column("line_item", pl.String, "Name of the line as the provider writes it."),
        Column("service_tier", pl.String, "Service tier; null where not grouped."),
        Column("is_batch", pl.Boolean, "Whether it went through the batch API; null where not grouped."),
        Column("project_id", pl.String, "Project or workspace; null where not grouped or the default one."),
        Column("user_id", pl.String, "User of the provider's account; null where not grouped."),
        Column("api_key_id", pl.String, "API key; null where not grouped."),
        Column("started_at", UTC_DATETIME, "Start of the bucket.", "UTC", is_nullable=False),
        Column("ended_at", UTC_DATETIME, "End of the bucket, excluded.", "UTC", is_nullable=False),
        Column(
            "is_complete",
            pl.Boolean,
            "False where the page announces a next one that was not loaded; null where it does not say.",
        ),
        Column("attributes", pl.String, "Everything that no other column holds, JSON object."),
        Column("source_format", pl.String, "Format that the row was read from.", is_nullable=False),
        Column("source_file", pl.String, "File that the row was read from.", is_nullable=False),
    ),
)
