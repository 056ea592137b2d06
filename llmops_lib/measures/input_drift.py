"""Does the suite still ask what people ask? Fresh inputs against the cases that are tested."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from llmops_lib.errors import MissingColumnError
from llmops_lib.frames import collected, narwhal
from llmops_lib.sampling.feedback import feedback_trend, weekly_feedback
from llmops_lib.stats.classifier_drift import classifier_drift
from llmops_lib.stats.drift import AUC_FLOOR, JS_FLOOR, PSI_FLOOR, binned_drift
from llmops_lib.stats.embedding_drift import PointDrift, Points
from llmops_lib.stats.inputs import Integers
from llmops_lib.stats.multiplicity import benjamini_hochberg
from llmops_lib.stats.permuted_divergence import permuted_divergence, quantile_bins
from llmops_lib.stats.results import Estimate
from llmops_lib.stats.suite_coverage import suite_coverage
from llmops_lib.stats.text_points import text_points, topic_codes, topic_terms

SURE = 0.01
"""Adjusted p value at or below which, and only with an effect above its floor, something has drifted."""

MOST_FRESH = 2_000
"""Fresh inputs that are looked at; those with the smallest hash of more."""

_NEW_COUNT, _NEW_USERS = 5, 3
_USED = ("trace_id", "span_id", "started_at", "unit", "draw", "text")
_FEATURES_SCHEMA = {
    "feature": pl.String,
    "effect": pl.String,
    "value": pl.Float64,
    "floor": pl.Float64,
    "p_value": pl.Float64,
    "p_adjusted": pl.Float64,
    "is_drift": pl.Boolean,
    "reason": pl.String,
}


@dataclass(frozen=True, eq=False)
class InputDrift:
    """How fresh inputs differ from a suite, and what the suite lacks.

    Attributes:
        features: One row per effect: `feature` (`length`, `topic`, `wording`), `effect` (`psi`, `js`,
            `auc`), `value`, `floor`, `p_value` (users permuted), `p_adjusted` (Benjamini-Hochberg),
            `is_drift` (adjusted p at most 0.01 and the value at its floor or above), `reason`.
        topics: One row per topic, those with most fresh inputs first: `topic`, `terms`, `suite_count`,
            `fresh_count`, `suite_share`, `fresh_share`, `unit_count` (users), `is_new` (no case of the suite;
            five fresh inputs of three users or more).
        proposals: Distinct fresh inputs that nothing in the suite is like, new topics first and topics in
            turn: `trace_id`, `span_id`, `topic`, `terms`, `distance`, `text`.
        uncovered_share: Share of fresh inputs beyond the suite's own 95% nearest distance; about 0.05 where
            they are alike.
        distance_limit: That distance.
        feedback: One row per week: `week`, `feedback_count`, `mean_feedback`.
        feedback_trend: Change of feedback per week, by user; None where there is too little.
        suite_count: Cases.
        fresh_count: Fresh inputs that were looked at.
        unit_count: Users (or sessions, or traces) behind them.
        case_topics: One row per case: `case_id` (null where the suite has none), `topic`.
        fresh_topics: One row per fresh input: `topic`, `unit`; `reweighted_score` takes both.
    """

    features: pl.DataFrame
    topics: pl.DataFrame
    proposals: pl.DataFrame
    uncovered_share: float | None
    distance_limit: float | None
    feedback: pl.DataFrame
    feedback_trend: Estimate | None
    suite_count: int
    fresh_count: int
    unit_count: int
    case_topics: pl.DataFrame
    fresh_topics: pl.DataFrame

    @property
    def feedback_limits(self) -> tuple[float | None, float | None, float | None]:
        """Change of feedback per week and its limits; None where it is not known."""
        trend = self.feedback_trend
        return (None,) * 3 if trend is None else (trend.value, trend.interval.lower, trend.interval.upper)


def input_drift(fresh: Any, suite: Any, *, most_proposals: int = 20) -> InputDrift:
    """Lengths, topics and wording of fresh inputs against those of a suite, and inputs the suite lacks.

    With the n of production every difference is significant; so drift is said only of an effect above its
    floor (JS 0.05, PSI 0.2, area under the curve 0.65) with an adjusted p value of at most 0.01, from
    permuting users. Texts are compared by wording (`text_points`), offline.

    Args:
        fresh: Production inputs: `trace_id`, `span_id`, `started_at`, `unit`,
            `draw`, `text` (masked, since terms of it are shown) and, where it is there, `feedback_score`;
            `with_input_text` makes them of a sample. With `chance` only those count that were drawn with
            equal chances.
        suite: Cases: `text`, made alike.
        most_proposals: Most inputs that are proposed.

    Raises:
        MissingColumnError: If a column is missing.

    Source:
        As `binned_drift`, `permuted_divergence`, `classifier_drift`, `suite_coverage`.
    """
    rows = _written(narwhal(fresh, columns=_USED).to_native())
    if "chance" in rows.columns:
        rows = rows.filter(pl.col("draw") < pl.col("chance").min())
    by_time = ("started_at", "trace_id", "span_id")
    looked_at = rows.sort("draw", *by_time).head(MOST_FRESH).sort(by_time)
    cases = _written(narwhal(suite, columns=["text"]).to_native())
    if cases.is_empty():
        msg = "the suite holds no text to compare with; name the input of its prompt that users write"
        raise MissingColumnError(msg)
    texts = [*cases["text"], *looked_at["text"]]
    n = cases.height
    points = text_points(texts)
    codes = topic_codes(points)
    named = topic_terms(texts, codes)
    coverage = suite_coverage(points[:n], points[n:])
    topics = _topics(codes, n, looked_at["unit"], named)
    told = looked_at.with_columns(
        pl.Series("topic", codes[n:]),
        pl.Series(
            "distance",
            coverage.distances if looked_at.height and n > 1 else [None] * looked_at.height,
            pl.Float64,
        ),
    )
    beyond = (
        told.filter(pl.Series(coverage.is_uncovered, dtype=pl.Boolean))
        if n > 1 and told.height
        else told.clear()
    )
    units = [*(f"case {at}" for at in range(n)), *looked_at["unit"]]
    return InputDrift(
        features=_features(texts, points, codes, (n, units)),
        topics=topics,
        proposals=_proposals(beyond, topics, most_proposals),
        uncovered_share=coverage.uncovered_share,
        distance_limit=coverage.threshold,
        feedback=weekly_feedback(looked_at),
        feedback_trend=feedback_trend(looked_at),
        suite_count=n,
        fresh_count=looked_at.height,
        unit_count=looked_at["unit"].n_unique(),
        case_topics=pl.DataFrame({"case_id": cases.get_column("case_id", default=None), "topic": codes[:n]}),
        fresh_topics=told.select("topic", "unit"),
    )


def _written(table: Any) -> pl.DataFrame:
    text = pl.col("text").cast(pl.String)
    return collected(table).with_columns(text).filter(text.str.len_chars() > 0)


def _features(
    texts: Sequence[str], points: Points, codes: Integers, parts: tuple[int, Sequence[str]]
) -> pl.DataFrame:
    n, units = parts
    lengths = np.array([float(len(text)) for text in texts])
    old, new = quantile_bins(lengths[:n], lengths[n:])
    by_length = permuted_divergence(old, new, users=units)
    by_topic = permuted_divergence(codes[:n], codes[n:], users=units)
    by_wording = classifier_drift(points[:n], points[n:], users=units)
    tests = [by_length, by_topic, by_wording]
    known = [test.p_value for test in tests if test.p_value is not None]
    adjusted = iter(benjamini_hochberg(known).tolist())
    p_values = [(None, None) if test.p_value is None else (test.p_value, next(adjusted)) for test in tests]
    effects = [
        ("length", "psi", binned_drift(lengths[:n], lengths[n:]).psi, PSI_FLOOR, 0),
        ("length", "js", by_length.value, JS_FLOOR, 0),
        ("topic", "js", by_topic.value, JS_FLOOR, 1),
        ("wording", "auc", by_wording.value, AUC_FLOOR, 2),
    ]
    rows = [
        (
            feature,
            effect,
            value,
            floor,
            *p_values[at],
            _is_drift(value, floor, p_values[at][1]),
            _why(tests[at]),
        )
        for feature, effect, value, floor, at in effects
    ]
    return pl.DataFrame(rows, schema=_FEATURES_SCHEMA, orient="row")


def _is_drift(value: float | None, floor: float, adjusted: float | None) -> bool | None:
    return None if value is None or adjusted is None else adjusted <= SURE and value >= floor


def _why(test: PointDrift) -> str | None:
    return ", ".join(test.reasons) or None


def _topics(codes: Integers, n: int, units: pl.Series, named: Sequence[str]) -> pl.DataFrame:
    suite = pl.DataFrame({"topic": codes[:n]}).group_by("topic").agg(suite_count=pl.len().cast(pl.Int64))
    fresh = (
        pl.DataFrame({"topic": codes[n:], "unit": units})
        .group_by("topic")
        .agg(fresh_count=pl.len().cast(pl.Int64), unit_count=pl.col("unit").n_unique().cast(pl.Int64))
    )
    every = pl.DataFrame(
        {"topic": range(len(named)), "terms": list(named)}, schema_overrides={"topic": pl.Int64}
    )
    counted = (
        every.join(suite, on="topic", how="left")
        .join(fresh, on="topic", how="left")
        .with_columns(pl.col("suite_count", "fresh_count", "unit_count").fill_null(0))
    )
    is_new = (
        (pl.col("suite_count") == 0)
        & (pl.col("fresh_count") >= _NEW_COUNT)
        & (pl.col("unit_count") >= _NEW_USERS)
    )
    shares = ("suite_share", "fresh_share")
    names = ("topic", "terms", "suite_count", "fresh_count", *shares, "unit_count", "is_new")
    return (
        counted.with_columns(
            suite_share=pl.col("suite_count") / max(n, 1),
            fresh_share=pl.col("fresh_count") / max(len(codes) - n, 1),
            is_new=is_new,
        )
        .select(names)
        .sort("fresh_count", "topic", descending=[True, False])
    )


def _proposals(beyond: pl.DataFrame, topics: pl.DataFrame, most: int) -> pl.DataFrame:
    distinct = beyond.sort("distance", "trace_id", descending=[True, False]).unique(
        "text", keep="first", maintain_order=True
    )
    ranked = distinct.join(
        topics.select("topic", "terms", "is_new"), on="topic", how="left", maintain_order="left"
    )
    turn = pl.int_range(pl.len()).over("topic").alias("_turn")
    ordered = ranked.with_columns(turn).sort(
        "is_new", "_turn", "distance", "trace_id", descending=[True, False, True, False]
    )
    return ordered.head(most).select("trace_id", "span_id", "topic", "terms", "distance", "text")
