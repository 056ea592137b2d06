"""QUARANTINE: every input row that became no span, with the reason."""

import polars as pl

from llmops_lib.schema.tables import Column, Table

RAW_LIMIT = 2_000
"""Characters of a refused row that `raw` keeps."""

REASONS = {
    "json": "not one JSON value",
    "encoding": "not UTF-8",
    "duplicate_key": "a JSON object names a key twice",
    "depth": "nested deeper than 200 levels",
    "line_too_long": "longer than 64 MB",
    "nonfinite": "NaN or infinity where a number is expected",
    "not_object": "JSON, but not an object",
    "schema": "an object without the fields of the detected format",
    "missing_field": "an identifier or start time is missing",
    "invalid_id": "an identifier that cannot be one, such as all zeros",
    "type": "a value of the wrong type",
    "range": "a number outside the possible range",
    "too_long": "a name longer than 1,024 characters",
    "time": "a time that cannot be parsed",
    "time_range": "a time before 2015 or more than a day in the future",
    "naive_time": "a time without a zone, where none was given",
    "duplicate": "a span or score that another row holds in a later or fuller version",
    "merged": "a record whose content was merged into a row that it is about",
    "not_a_span": "no row of the table: telemetry or totals that repeat rows and are never added to them",
}
"""Reason codes of `reason` and what each means. A row's reason is `code` or `code: detail`."""

BENIGN_REASONS = ("duplicate", "merged", "not_a_span")
"""Reasons under which nothing was lost: the content is in the table already, or is no span."""

QUARANTINE = Table(
    name="quarantine",
    grain="one row per input row that became no span",
    key=(),
    columns=(
        Column("source_file", pl.String, "File of the refused row.", is_nullable=False),
        Column("source_line", pl.Int64, "Line, or row of a table, counted from 1."),
        Column("byte_offset", pl.Int64, "Offset of the line in the decompressed file.", "bytes"),
        Column("reason", pl.String, "Reason code, with a detail after a colon.", is_nullable=False),
        Column("raw", pl.String, f"First {RAW_LIMIT} characters of the row."),
    ),
)
