"""Charts of quality: day by day, and by group."""

from typing import Any

import altair as alt
import polars as pl

from llmops_lib.views.labels import UNKNOWN_NAME, label
from llmops_lib.views.scales import day_axis
from llmops_lib.views.theme import PALETTE, Drawing


def live_quality_chart(days: pl.DataFrame) -> Drawing:
    """The mean so far at the end of each day with limits that hold on all days at once.

    Args:
        days: What `live_quality` returns.

    Returns:
        A line in a band, on an axis of shares.
    """
    what = "Quality" if days.height and days["what"][0] == "quality" else "Judge score (uncorrected)"
    drawn = days.rename({"day": "started_on"}).select("started_on", "value", "lower", "upper")
    chart = alt.Chart(drawn).encode(x=day_axis(drawn["started_on"].to_list()))
    axis = alt.Axis(format="~%", tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    band = chart.mark_area(opacity=0.25, color=PALETTE[0]).encode(
        y=alt.Y("lower:Q", title="Good answers so far (%)", axis=axis, scale=scale), y2="upper:Q"
    )
    line = chart.mark_line(strokeWidth=3, color=PALETTE[0]).encode(y="value:Q")
    return alt.layer(band, line).properties(
        title=alt.TitleParams(
            f"{what} so far, day by day",
            subtitle="Line: all calls judged so far. Band: 95% on all days at once, however often one looks",
        ),
        description=f"A line in a band: {what.lower()} of all calls judged so far, per day.",
        height=220,
    )


def quality_by_chart(estimates: pl.DataFrame, by: str) -> Drawing:
    """Quality of each group with its interval, the judge score beside it.

    Args:
        estimates: What `quality_estimate` returns by one column, names masked; `day` is drawn upright.
        by: That column.

    Returns:
        Points with interval bars; rows whose quality is unknown show the judge score alone.
    """
    name = pl.col(by).cast(pl.String).fill_null(UNKNOWN_NAME).alias("started_on" if by == "day" else "name")
    is_known = pl.col("what") == "quality"
    limits = [pl.when(is_known).then(pl.col(one)).alias(one) for one in ("value", "lower", "upper")]
    drawn = estimates.select(name, *limits, "judge_score")
    axis, scale = alt.Axis(format="~%", tickCount=5), alt.Scale(domain=[0, 1])
    chart = alt.Chart(drawn)
    if by == "day":
        place = chart.encode(x=day_axis(drawn["started_on"].to_list()))
        ends: dict[str, Any] = {
            "y": alt.Y("lower:Q", title="Good answers (%)", axis=axis, scale=scale),
            "y2": "upper:Q",
        }
        at, other = {"y": "value:Q"}, {"y": "judge_score:Q"}
    else:
        place = chart.encode(y=alt.Y("name:N", title=None, sort=drawn["name"].to_list()))
        ends = {"x": alt.X("lower:Q", title="Good answers (%)", axis=axis, scale=scale), "x2": "upper:Q"}
        at, other = {"x": "value:Q"}, {"x": "judge_score:Q"}
    bars = place.mark_rule(strokeWidth=2).encode(**ends)
    points = place.mark_circle(size=90, color=PALETTE[0], opacity=1).encode(**at)
    judge = place.mark_tick(color=PALETTE[1]).encode(**other)
    return alt.layer(bars, judge, points).properties(
        title=alt.TitleParams(
            f"Quality by {label(by).lower()}",
            subtitle="Point and bar: quality with its 95% interval. Mark: what the judge alone says",
        ),
        description=f"Points with intervals: quality by {label(by).lower()}, the judge score beside it.",
        height=220 if by == "day" else alt.Step(30),
    )
