"""Charts that answer what failed and when."""

import altair as alt
import polars as pl

from llmops_lib.views.labels import named
from llmops_lib.views.scales import day_axis, name_scale
from llmops_lib.views.theme import BAD_COLOUR, Drawing


def error_share_chart(daily: pl.DataFrame) -> Drawing:
    """Share of calls that failed on each day, with its 95% interval.

    Args:
        daily: One row per day: `started_on` (text date), `error_share`, `error_share_low`,
            `error_share_high` (0 to 1).

    Returns:
        Points with interval bars on an axis that starts at zero.
    """
    days = daily["started_on"].unique().sort().to_list()
    chart = alt.Chart(daily).encode(x=day_axis(days))
    share_axis = alt.Axis(format="~%", tickCount=4)
    bars = chart.mark_rule(strokeWidth=2).encode(
        y=alt.Y("error_share_low:Q", title="Failed calls (%)", axis=share_axis, scale=alt.Scale(zero=True)),
        y2="error_share_high:Q",
    )
    points = chart.mark_circle(size=90, color=BAD_COLOUR, opacity=1).encode(y="error_share:Q")
    return alt.layer(bars, points).properties(
        title=alt.TitleParams("Share of calls that failed", subtitle="Point: observed. Bar: 95% interval"),
        description="Points with intervals: share of failed calls per day.",
        height=190,
    )


def errors_by_class_chart(daily: pl.DataFrame) -> Drawing:
    """Failed calls of each error class per day.

    Args:
        daily: One row per day and class: `started_on` (text date), `error_type`, `error_count`.

    Returns:
        A stacked bar chart with a zero baseline, the most frequent class first.
    """
    days = daily["started_on"].unique().sort().to_list()
    rows = named(daily.filter(pl.col("error_count") > 0), "error_type")
    totals = rows.group_by("error_type").agg(pl.col("error_count").sum())
    names = totals.sort(["error_count", "error_type"], descending=[True, False])["error_type"].to_list()
    ranks = pl.DataFrame(
        {"error_type": names, "rank": range(len(names))}, schema_overrides={"error_type": pl.String}
    )
    bars: alt.Chart = alt.Chart(rows.join(ranks, on="error_type", how="left")).mark_bar()
    count_axis = alt.Axis(format="~s", tickCount=4, tickMinStep=1)
    return bars.encode(
        x=day_axis(days),
        y=alt.Y("error_count:Q", title="Failed calls", axis=count_axis),
        color=alt.Color("error_type:N", title=None, scale=name_scale(names)),
        order=alt.Order("rank:Q"),
    ).properties(
        title="Failed calls per day by error class",
        description="Stacked bars: failed calls per day by error class.",
        height=190,
    )
