"""The signals as counts: of how many calls, how many were bad."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

METRICS = (
    "spend",
    "cost per call",
    "latency",
    "errors",
    "retries",
    "refusals",
    "tool failures",
    "quality",
    "findings",
)
"""What is watched. All but `spend` are shares of bad ones."""

_MOST_DETAILS = 12
_OF_CALLS = {
    "cost per call": ("costed_count", "dear_count"),
    "latency": ("timed_count", "slow_count"),
    "errors": ("call_count", "error_count"),
    "retries": ("attempt_count", "retry_count"),
    "refusals": ("answer_count", "refusal_count"),
}
FEEDBACK = "feedback"
"""Detail of the quality that users' feedback tells."""


@dataclass(frozen=True)
class Signal:
    """One thing that is watched.

    Attributes:
        metric: One of `METRICS`.
        detail: Error class, scorer or kind of finding; empty where the metric is taken as a whole.
    """

    metric: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.metric}: {self.detail}" if self.detail else self.metric


def signal_named(name: str) -> Signal:
    """The signal that a text such as `errors: RateLimitError` names."""
    metric, _, detail = name.partition(": ")
    return Signal(metric, detail)


@dataclass(frozen=True)
class Signals:
    """Everything counted, by the key columns asked for; small polars tables.

    Attributes:
        keys: Columns that all of them are counted by.
        calls: Model calls: `call_count`, `spend_usd`, `squared_cost`, `unpriced_count` and a pair of counts
            for each metric that is a share of calls.
        classes: Failed calls by `detail`: `bad_count`.
        tools: Runs of tools by `tool_name`: `seen_count`, `bad_count`.
        scores: Scored answers by `detail`: `seen_count`, `bad_count`.
        findings: Findings by `detail`: `bad_count`.
    """

    keys: tuple[str, ...]
    calls: pl.DataFrame
    classes: pl.DataFrame
    tools: pl.DataFrame
    scores: pl.DataFrame
    findings: pl.DataFrame
    by_detail: dict[str, pl.DataFrame] = field(init=False)

    def __post_init__(self) -> None:
        tables = {"errors": self.classes, "quality": self.scores, "findings": self.findings}
        object.__setattr__(self, "by_detail", tables)

    def signals(self) -> Iterator[Signal]:
        """What there is to watch: whatever was seen at all."""
        if self.calls["spend_usd"].sum() > 0:
            yield Signal("spend")
        for metric, (_, bad) in _OF_CALLS.items():
            if self.calls[bad].sum() > 0:
                yield Signal(metric)
        if not self.tools.is_empty():
            yield Signal("tool failures")
        for metric, table in self.by_detail.items():
            commonest = table.group_by("detail").agg(pl.col("bad_count").sum()).sort("bad_count", "detail")
            for detail in commonest.tail(_MOST_DETAILS)["detail"]:
                yield Signal(metric, detail)

    def counts(self, signal: Signal) -> pl.DataFrame:
        """Keys (null where a table lacks one), `seen_count` and `bad_count` of a signal other than spend."""
        if signal.metric == "tool failures":
            return self.tools
        if signal.metric == "quality":
            return self.scores.filter(detail=signal.detail)
        if signal.detail:
            bad = self.by_detail[signal.metric].filter(detail=signal.detail)
            seen = self.calls.select(
                *self.keys, pl.col("call_count").alias("seen_count"), bad_count=pl.lit(0.0)
            )
            unseen = bad.with_columns(seen_count=pl.lit(0, pl.Int64)).select(seen.columns)
            return pl.concat([seen, unseen], how="vertical_relaxed")
        seen_name, bad_name = _OF_CALLS[signal.metric]
        return self.calls.select(
            *self.keys,
            pl.col(seen_name).alias("seen_count"),
            pl.col(bad_name).cast(pl.Float64).alias("bad_count"),
        )
