"""What follows from the stated columns of a plain table: ids, times, flags and inclusive token counts."""

import hashlib
from collections import Counter
from collections.abc import Iterator

import polars as pl

from llmops_lib.schema import MODEL_OPERATIONS, SPANS
from llmops_lib.sources.held import Pieces
from llmops_lib.sources.providers import provider_name

# Beyond ten years a latency is an error of unit, and its end would leave the range of dates.
_LONGEST_MS = 10 * 366 * 86_400_000.0


def derived_columns(rows: pl.DataFrame, *, is_exclusive: bool) -> pl.DataFrame:
    """The rows with every SPANS column that follows from others.

    Args:
        rows: Every SPANS column but those of provenance, null where the table does not say.
        is_exclusive: Whether the cache tokens come on top of input_tokens.

    Returns:
        The same rows. `started_at` is null where neither it nor an end and a latency are stated.
    """
    took = pl.duration(
        microseconds=pl.when(pl.col("latency_ms") < _LONGEST_MS).then(pl.col("latency_ms") * 1_000)
    )
    both = pl.col("started_at").is_not_null() & pl.col("ended_at").is_not_null()
    elapsed = (pl.col("ended_at") - pl.col("started_at")).dt.total_microseconds() / 1_000
    cached = pl.col("cache_read_tokens").fill_null(0) + pl.col("cache_write_tokens").fill_null(0)
    has_failed = (
        (pl.col("http_status") >= 400).fill_null(value=False)
        | pl.col("error_type").is_not_null()
        | pl.col("error_message").is_not_null()
    )
    rows = rows.with_columns(
        _one_spelling(rows["provider"]),
        pl.coalesce("started_at", pl.col("ended_at") - took),
        pl.coalesce("ended_at", pl.col("started_at") + took),
        pl.when(both).then(pl.when(elapsed >= 0).then(elapsed)).otherwise("latency_ms").alias("latency_ms"),
        pl.col("input_tokens") + (cached if is_exclusive else 0),
        pl.coalesce("is_error", has_failed),
        pl.coalesce("response_model", "request_model", "model").alias("model"),
        # A log with one model column holds the name that was asked for, and prices are found by that.
        pl.when(pl.col("response_model").is_null())
        .then(pl.coalesce("request_model", "model"))
        .otherwise("request_model")
        .alias("request_model"),
        pl.col("operation").fill_null("chat"),
    )
    return rows.with_columns(pl.coalesce("is_model_call", pl.col("operation").is_in(MODEL_OPERATIONS)))


def _one_spelling(providers: pl.Series) -> pl.Series:
    """The providers under the names that bills and other sources have for them, a host as it is."""
    return providers.replace({raw: provider_name(raw) or raw for raw in providers.drop_nulls().unique()})


def with_digest(rows: pl.DataFrame, content: pl.Series) -> pl.DataFrame:
    """The rows with `digest`, a hash of what each holds, where an id is missing.

    Args:
        rows: Uses `trace_id`, `span_id`.
        content: Each row as text.
    """
    is_nameless = rows.select(pl.any_horizontal(pl.col("trace_id", "span_id").is_null())).to_series()
    # polars' own hash may change with its version, and these ids are stored: hence one by one.
    digests = [
        hashlib.sha256(text.encode()).hexdigest() if needed else None
        for text, needed in zip(content, is_nameless, strict=True)
    ]
    return rows.with_columns(digest=pl.Series(digests, dtype=pl.String))


def with_ids(table: Pieces) -> Iterator[pl.DataFrame]:
    """The rows of a whole table with an id each; equal rows are told apart by how many came before.

    Args:
        table: Uses `trace_id`, `span_id`, `digest`.

    Yields:
        Rows without `digest`. A row with a span id but no trace id is a trace of its own.
    """
    may_repeat = pl.col("digest").is_not_null() & pl.col("digest").hash().is_in(_repeated(table).implode())
    seen: Counter[str] = Counter()
    for rows in table.frames():
        is_repeated = rows.select(may_repeat).to_series()
        # One by one, as the digests are; only those that come again are counted.
        names = [
            _told_apart(digest, seen) if again else digest
            for digest, again in zip(rows["digest"], is_repeated, strict=True)
        ]
        yield (
            rows.with_columns(pl.Series("digest", names, dtype=pl.String))
            .with_columns(
                pl.coalesce("trace_id", "span_id", pl.col("digest").str.slice(0, 32)),
                pl.coalesce("span_id", pl.col("digest").str.slice(0, 16)),
            )
            .drop("digest")
        )


def _repeated(table: Pieces) -> pl.Series:
    """Hashes of the digests that come more than once, and perhaps of a few others."""
    found = [rows["digest"].drop_nulls().hash() for rows in table.frames(columns=["digest"])]
    hashes = pl.concat([pl.Series(dtype=pl.UInt64), *found])
    return hashes.filter(hashes.is_duplicated()).unique()


def _told_apart(digest: str, seen: Counter[str]) -> str:
    seen[digest] += 1
    number = seen[digest] - 1
    return hashlib.sha256(f"{digest}:{number}".encode()).hexdigest() if number else digest


def with_every_column(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with each SPANS column that they lack, as null."""
    absent = [column for column in SPANS.columns if column.name not in rows.columns]
    return rows.with_columns(pl.lit(None, dtype=column.dtype).alias(column.name) for column in absent)
