"""COMPLETENESS: what proves, or puts in doubt, that a load holds everything that there was."""

import polars as pl

from llmops_lib.schema.tables import Column, Table

CHECKS = {
    "announced_rows": "rows that the source announces, against rows received",
    "more_pages": "whether the last page of a pull announces another one",
    "refused_rows": "rows that could not become spans and are in the quarantine",
    "duplicate_rows": "rows of a span that the same file holds in a later or fuller version; removed",
    "overlap": "rows of a span that another file holds too; removed",
    "page_cap": "files of exactly as many rows or traces as a tool returns at most",
    "cut_texts": "texts that carry a mark of truncation, or end at the same length again and again",
    "dropped_attributes": "spans of which the tracing SDK dropped attributes, events or links",
    "unstated_failures": "plain tables that state no failure, error or status of any call",
    "orphan_spans": "spans whose parent is not in the load",
    "rootless_traces": "traces without a span that has no parent",
    "time_gaps": "stretches without a span that are improbable at the traffic of that hour",
}
"""The closed list of values of `check`."""

STATUSES = {
    "proved": "shown to be complete, or to have lost nothing",
    "suspect": "a sign of loss that proves nothing alone",
    "broken": "shown to be incomplete",
    "unknown": "nothing says so and nothing speaks against it",
}
"""The closed list of values of `status`."""

COMPLETENESS = Table(
    name="completeness",
    grain="one row per check and file, or per check of the whole load",
    key=(),
    columns=(
        Column("source_file", pl.String, "File; null where the row is about the whole load."),
        Column("check", pl.String, f"One of {', '.join(CHECKS)}.", is_nullable=False),
        Column(
            "status",
            pl.String,
            "; ".join(f"`{name}`: {meaning}" for name, meaning in STATUSES.items()) + ".",
            is_nullable=False,
        ),
        Column("count", pl.Int64, "How many cases the check found."),
        Column("expected_count", pl.Int64, "What there should be; null where nobody says."),
        Column("received_count", pl.Int64, "What there is; null where it is not counted."),
        Column("detail", pl.String, "What was found, in words; may name files, never holds content."),
    ),
)
