"""Charts that answer how long users waited."""

import altair as alt
import polars as pl

from llmops_lib.views.labels import label, named
from llmops_lib.views.theme import PERCENTILE_COLOURS, Drawing


def latency_over_time_chart(over_time: pl.DataFrame) -> Drawing:
    """Latency percentiles of calls through a period, one line each.

    Args:
        over_time: One row per hour or day: `bucket_at` (UTC), `latency_p50_ms`, `latency_p95_ms`, and so on
            (ms); a percentile that its calls cannot resolve is null and leaves a gap.

    Returns:
        A line chart on a logarithmic axis, since a slow tail is many times the median.
    """
    points = _long(over_time, ["bucket_at"])
    if points["latency_s"].null_count() == points.height:
        points = points.clear()
    chart = alt.Chart(points).encode(
        x=alt.X(
            "bucket_at:T",
            title=None,
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(format="%a %-d %b", tickCount="day"),
        ),
        y=alt.Y("latency_s:Q", title="Latency (s, log scale)", scale=_log_scale(), axis=_seconds_axis()),
        color=_percentile_colour(),
    )
    return alt.layer(
        chart.mark_line(strokeWidth=2, interpolate="linear"), chart.mark_circle(size=18, opacity=1)
    ).properties(
        title=alt.TitleParams(
            "How long calls took",
            subtitle="A percentile is drawn only where there are enough calls to know it",
        ),
        description="Lines: latency percentiles of calls over the period, logarithmic scale.",
        height=240,
    )


def latency_by_chart(percentiles: pl.DataFrame, dimension: str) -> Drawing:
    """Latency percentiles of each group side by side.

    Args:
        percentiles: One row per group: the dimension, `call_count`, `latency_p50_ms` and so on (ms).
        dimension: Column that names the groups.

    Returns:
        Points on a logarithmic axis, groups in the order of the table, with their number of calls.
    """
    groups = named(percentiles, dimension).with_columns(
        pl.format("{} (n = {})", pl.col(dimension), pl.col("call_count")).alias("group")
    )
    points = _long(groups, ["group"])
    chart = alt.Chart(points).encode(
        y=alt.Y("group:N", title=None, sort=groups["group"].to_list()),
        x=alt.X("latency_s:Q", title="Latency (s, log scale)", scale=_log_scale(), axis=_seconds_axis()),
    )
    return alt.layer(
        chart.mark_line(strokeWidth=2, opacity=0.5).encode(detail="group:N"),
        chart.mark_circle(size=90, opacity=1).encode(color=_percentile_colour()),
    ).properties(
        title=alt.TitleParams(
            f"Latency by {label(dimension).lower()}",
            subtitle="p50 needs 2 calls, p95 needs 20, p99 needs 100; n is the number of calls",
        ),
        description=f"Points: latency percentiles by {label(dimension).lower()}, logarithmic scale.",
        height=alt.Step(30),
    )


def _long(table: pl.DataFrame, index: list[str]) -> pl.DataFrame:
    # Zero has no logarithm. A null stays in its place, so that a line breaks where nothing is known.
    columns = [name for name in table.columns if name.startswith("latency_p")]
    return (
        table.unpivot(columns, index=index, variable_name="percentile", value_name="latency_ms")
        .with_columns(
            pl.col("percentile").str.extract(r"(p\d+)"),
            (pl.col("latency_ms").cast(pl.Float64) / 1000).alias("latency_s"),
        )
        .with_columns(pl.when(pl.col("latency_s") > 0).then("latency_s"))
        .drop("latency_ms")
    )


def _percentile_colour() -> alt.Color:
    scale = alt.Scale(domain=list(PERCENTILE_COLOURS), range=list(PERCENTILE_COLOURS.values()))
    return alt.Color("percentile:N", title=None, scale=scale)


def _log_scale() -> alt.Scale:
    return alt.Scale(type="log", nice=False, padding=12)


def _seconds_axis() -> alt.Axis:
    return alt.Axis(format="~g", tickCount=4, grid=True)
