"""Where an incident is planted: the traffic, the time of it and a source of chance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from llmops_lib.demo.calibration import Floats
from llmops_lib.errors import LlmopsError

CALL = pl.col("is_model_call")

LEAST_CALLS = 25
"""Calls within the incident below which a cause is too small to be one."""

_MOST_SHARE = 0.6
"""Largest part of the calls that a cause has: what is true of nearly all of them explains nothing."""

_OF_ANSWERS = (
    "output",
    "finish_reason",
    "response_model",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "feedback_score",
)


@dataclass(frozen=True)
class Traffic:
    """What is observed of an application.

    Attributes:
        spans: SPANS with the columns of `price_calls`.
        scores: SCORES of a sample of calls, with `trace_id`.
        findings: `started_at`, `trace_id`, `finding` of what a safety filter found.
    """

    spans: pl.DataFrame
    scores: pl.DataFrame
    findings: pl.DataFrame


@dataclass(frozen=True)
class Injected:
    """One planted incident.

    Attributes:
        kind: One of `KINDS`.
        start: First moment, UTC.
        end: First moment after it.
        where: Columns of SPANS and their values: the cause.
        metrics: Metrics that must move, any of them.
    """

    kind: str
    start: datetime
    end: datetime
    where: Mapping[str, str]
    metrics: tuple[str, ...]


class Scene:
    """Traffic, the time of the incident and a source of chance."""

    def __init__(self, traffic: Traffic, start: datetime, end: datetime, rng: np.random.Generator) -> None:
        self.traffic, self.start, self.end, self.rng = traffic, start, end, rng
        self.spans = traffic.spans

    @property
    def is_now(self) -> pl.Expr:
        """Whether a row started in the incident."""
        return pl.col("started_at").is_between(self.start, self.end, closed="left")

    def pick(self, columns: tuple[str, ...], rows: pl.Expr, least: int = LEAST_CALLS) -> dict[str, str]:
        """A cause: values of columns that enough of the rows have, but not nearly all of them."""
        now = self.spans.filter(self.is_now & rows).drop_nulls(columns)
        counted = now.group_by(columns).len().sort(columns)
        fair = counted.filter(pl.col("len").is_between(least, max(least, now.height * _MOST_SHARE)))
        if fair.is_empty():
            msg = f"no {' and '.join(columns)} has {least} calls from {self.start} to {self.end}"
            raise LlmopsError(msg)
        place = int(self.rng.integers(fair.height))
        return dict(zip(columns, fair.select(columns).row(place), strict=True))

    def struck(self, where: Mapping[str, str], rows: pl.Expr, share: float) -> pl.Series:
        """Which spans are struck, as flags: a share of those of the cause, by chance."""
        matches = [pl.col(name) == value for name, value in where.items()]
        luck = pl.lit(pl.Series(self.rng.random(self.spans.height)))
        return self.spans.select(
            pl.all_horizontal(self.is_now, rows, *matches).fill_null(value=False) & (luck < share)
        ).to_series()

    def done(
        self, kind: str, where: Mapping[str, str], metrics: tuple[str, ...], **tables: pl.DataFrame
    ) -> tuple[Traffic, Injected]:
        """The changed traffic and what was planted."""
        now = {"spans": self.traffic.spans, "scores": self.traffic.scores, "findings": self.traffic.findings}
        return Traffic(**(now | tables)), Injected(kind, self.start, self.end, where, metrics)


def failed(
    spans: pl.DataFrame, struck: pl.Series, error_type: str, status: int | None, latency_ms: Floats
) -> pl.DataFrame:
    """The struck calls failed: no answer, no tokens, no cost."""
    nothing = (
        "output",
        "finish_reason",
        "response_model",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "feedback_score",
    )
    there = [name for name in nothing if name in spans.columns]
    return spans.with_columns(
        pl.when(struck).then(None).otherwise(pl.col(there)).name.keep(),
        pl.when(struck).then(pl.lit(True)).otherwise("is_error").alias("is_error"),
        pl.when(struck).then(pl.lit(error_type)).otherwise("error_type").alias("error_type"),
        pl.when(struck).then(pl.lit(status, pl.Int32)).otherwise("http_status").alias("http_status"),
        pl.when(struck).then(pl.Series(latency_ms)).otherwise("latency_ms").alias("latency_ms"),
        pl.when(struck).then("request_model").otherwise("model").alias("model"),
    )


def copies(scene: Scene, calls: pl.DataFrame, times: int, most_seconds: float) -> pl.DataFrame:
    """Further calls like these, with ids of their own, within so many seconds after them."""
    rows = pl.concat([calls.with_columns(_copy=pl.lit(copy)) for copy in range(times)])
    delay = (
        pl.Series(scene.rng.uniform(0.5, most_seconds, rows.height) * 1e6)
        .cast(pl.Int64)
        .cast(pl.Duration("us"))
    )
    own_id = pl.format("{}-{}", "span_id", "_copy").alias("span_id")
    return rows.with_columns(own_id, pl.col("started_at") + delay, pl.col("ended_at") + delay).drop("_copy")


def worse(
    scene: Scene, spans: pl.DataFrame, struck: pl.Series, share: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Feedback and scores of the struck calls turned to failures, a share of them."""
    luck = pl.lit(pl.Series(scene.rng.random(spans.height)))
    is_worse = struck & (luck < share) & pl.col("feedback_score").is_not_null()
    rated = spans.with_columns(
        pl.when(is_worse).then(0.0).otherwise("feedback_score").alias("feedback_score")
    )
    scores = scene.traffic.scores
    if scores.is_empty():
        return rated, scores
    traces = spans.filter(struck)["trace_id"].unique()
    unlucky = pl.lit(pl.Series(scene.rng.random(scores.height))) < share
    falls = pl.col("trace_id").is_in(traces.implode()) & unlucky
    return rated, scores.with_columns(
        pl.when(falls).then(0.0).otherwise("score").alias("score"),
        pl.when(falls).then(pl.lit(False)).otherwise("passed").alias("passed"),
    )
