"""Counts of every signal: the engine counts, only counts are collected."""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import Frame, known_rows, tally
from llmops_lib.frames import collected, narwhal
from llmops_lib.schema import UTC_DATETIME
from llmops_lib.signals.counts import FEEDBACK, Signals

_TIMES = ("hour_at",)


def gathered(flagged: Frame, keys: Sequence[str], *, scores: Any = None, findings: Any = None) -> Signals:
    """The counts of every signal by the key columns.

    Args:
        flagged: What `flagged_calls` gives, with `keys`.
        keys: Columns to count by, such as `hour_at` and `feature`.
        scores: SCORES, on any engine; uses `scorer`, `score`, `passed`, `started_at`, and those of `keys`
            that it has. Where it has `trace_id`, keys it lacks are taken from the calls of the trace.
        findings: Rows with `started_at` and `finding` (text), and `finding_count` where one stands for
            several; keys likewise.

    Returns:
        Counts as polars tables.

    Raises:
        MissingColumnError: If a column is missing.
    """
    names = flagged.collect_schema().names()
    calls = flagged.filter(nw.col("is_model_call"))
    return Signals(
        tuple(keys),
        calls=_polars(_calls(calls, keys, names), keys),
        classes=_polars(_classes(calls, keys, names), keys),
        tools=_polars(_tools(flagged, keys, names), keys),
        scores=pl.concat(
            [_feedback(calls, keys, names), _scores(scores, calls, keys)], how="vertical_relaxed"
        ),
        findings=_findings(findings, calls, keys),
    )


def _calls(calls: Frame, keys: Sequence[str], names: Sequence[str]) -> Frame:
    cost = nw.col("cost_usd") if "cost_usd" in names else nw.lit(None, nw.Float64)
    known = {
        "costed_count": ("is_dear", "dear_count"),
        "timed_count": ("is_slow", "slow_count"),
        "answer_count": ("is_refused", "refusal_count"),
        "attempt_count": ("is_retry", "retry_count"),
    }
    counts = {"error_count": nw.col("is_error"), "unpriced_count": nw.col("_cost").is_null()}
    for seen, (column, bad) in known.items():
        is_there = column in names
        counts[seen] = ~nw.col(column).is_null() if is_there else nw.lit(value=False)
        counts[bad] = nw.col(column) if is_there else nw.lit(value=False)
    prepared = calls.with_columns(cost.alias("_cost"), _unit(names).alias("_unit")).with_columns(
        nw.col("_cost").alias("spend_usd")
    )
    # Calls of one conversation come together and cost alike, so that their costs are squared as one.
    units = tally(prepared, [*keys, "_unit"], counts=counts, sums=["spend_usd"])
    squared = units.rename({"call_count": "calls_count"}).with_columns(
        (nw.col("spend_usd") * nw.col("spend_usd")).alias("squared_cost")
    )
    sums = ["calls_count", *counts, "spend_usd", "squared_cost"]
    return tally(squared, list(keys), sums=sums).drop("call_count").rename({"calls_count": "call_count"})


def _unit(names: Sequence[str]) -> nw.Expr:
    """The conversation of a call, or else its trace."""
    known = [nw.col(name) for name in ("session_id", "trace_id") if name in names]
    return nw.coalesce(*known, nw.lit("")) if known else nw.lit("")


def _classes(calls: Frame, keys: Sequence[str], names: Sequence[str]) -> Frame:
    detail = nw.col("error_type") if "error_type" in names else nw.lit(None, nw.String)
    failed = calls.filter(nw.col("is_error")).with_columns(detail.alias("detail"))
    counted = tally(failed.filter(~nw.col("detail").is_null()), [*keys, "detail"])
    return counted.with_columns(nw.col("call_count").cast(nw.Float64).alias("bad_count"))


def _tools(flagged: Frame, keys: Sequence[str], names: Sequence[str]) -> Frame:
    if not {"operation", "tool_name"} <= set(names):
        return (
            flagged.select([*keys])
            .head(0)
            .with_columns(
                nw.lit("").alias("tool_name"), nw.lit(0).alias("seen_count"), nw.lit(0.0).alias("bad_count")
            )
        )
    runs = flagged.filter(nw.col("operation") == "execute_tool")
    by = list(dict.fromkeys([*keys, "tool_name"]))
    counted = tally(runs, by, counts={"failed_count": nw.col("is_error")})
    return counted.with_columns(
        nw.col("call_count").alias("seen_count"), nw.col("failed_count").cast(nw.Float64).alias("bad_count")
    )


def _polars(frame: Frame, keys: Sequence[str]) -> pl.DataFrame:
    table = collected(frame.to_native())
    return table.with_columns(_utc(name) for name in keys if name in _TIMES)


def _utc(name: str) -> pl.Expr:
    # DuckDB gives its own name for UTC, pandas its own unit.
    return pl.col(name).cast(UTC_DATETIME)


def _feedback(calls: Frame, keys: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    if "feedback_score" not in names:
        return _no_scores(keys)
    score = nw.col("feedback_score")
    # Feedback of another scale than 0 to 1 has no failure to count.
    rated = calls.filter((score >= 0) & (score <= 1)).with_columns((1 - score).alias("bad"))
    counted = _polars(tally(rated, list(keys), sums=["bad"]), keys)
    return counted.select(
        *keys,
        pl.lit(FEEDBACK).alias("detail"),
        pl.col("call_count").alias("seen_count"),
        pl.col("bad").alias("bad_count"),
    )


def _no_scores(keys: Sequence[str]) -> pl.DataFrame:
    columns = {name: UTC_DATETIME if name in _TIMES else pl.String() for name in keys}
    return pl.DataFrame(
        schema={**columns, "detail": pl.String(), "seen_count": pl.Int64(), "bad_count": pl.Float64()}
    )


def _scores(scores: Any, calls: Frame, keys: Sequence[str]) -> pl.DataFrame:
    if scores is None:
        return _no_scores(keys)
    names = narwhal(scores, columns=["started_at", "scorer", "score"]).collect_schema().names()
    wanted = [
        "started_at",
        "scorer",
        "score",
        *(name for name in ("passed", "trace_id", *keys) if name in names),
    ]
    rows = collected(known_rows(scores, dict.fromkeys(wanted)).to_native())
    passed = pl.col("passed").cast(pl.Float64) if "passed" in names else pl.lit(None, pl.Float64)
    good = pl.when(pl.col("score").is_between(0, 1)).then("score").otherwise(passed)
    rows = rows.with_columns(
        (1 - good).alias("bad_count"), seen_count=pl.lit(1, pl.Int64), detail=pl.col("scorer")
    )
    return _keyed(rows.filter(pl.col("bad_count").is_not_null()), calls, keys)


def _findings(findings: Any, calls: Frame, keys: Sequence[str]) -> pl.DataFrame:
    if findings is None:
        return _no_scores(keys).drop("seen_count")
    names = narwhal(findings, columns=["started_at", "finding"]).collect_schema().names()
    wanted = [
        "started_at",
        "finding",
        *(name for name in ("finding_count", "trace_id", *keys) if name in names),
    ]
    rows = collected(known_rows(findings, dict.fromkeys(wanted)).to_native())
    count = pl.col("finding_count").cast(pl.Float64) if "finding_count" in names else pl.lit(1.0)
    rows = rows.with_columns(
        count.alias("bad_count"), seen_count=pl.lit(0, pl.Int64), detail=pl.col("finding")
    )
    return _keyed(rows, calls, keys).drop("seen_count")


def _keyed(rows: pl.DataFrame, calls: Frame, keys: Sequence[str]) -> pl.DataFrame:
    """The rows counted by the keys; keys that they lack are those of their trace."""
    hour_at = pl.col("started_at").cast(UTC_DATETIME).dt.truncate("1h").alias("hour_at")
    rows = rows.with_columns(hour_at)
    missing = [name for name in keys if name not in rows.columns or rows[name].is_null().all()]
    if missing and "trace_id" in rows.columns and "trace_id" in calls.collect_schema().names():
        first = (
            calls.select(["trace_id", *missing])
            .group_by("trace_id")
            .agg(*(nw.col(name).max() for name in missing))
        )
        rows = rows.drop(missing, strict=False).join(collected(first.to_native()), on="trace_id", how="left")
    absent = [name for name in keys if name not in rows.columns]
    rows = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    return (
        rows.group_by([*keys, "detail"], maintain_order=True)
        .agg(pl.col("seen_count").sum(), pl.col("bad_count").sum())
        .select(*keys, "detail", "seen_count", "bad_count")
    )
