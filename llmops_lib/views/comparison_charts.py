"""Charts that answer which of two arms is better, and where."""

import altair as alt
import polars as pl

from llmops_lib.views.labels import named
from llmops_lib.views.metric_words import METRIC_LABELS, p_text
from llmops_lib.views.theme import BAD_COLOUR, PALETTE, REST_COLOUR, Drawing

VERDICT_COLOURS = {
    "better": PALETTE[2],
    "worse": BAD_COLOUR,
    "equivalent": PALETTE[0],
    "inconclusive": REST_COLOUR,
    "no direction": "#c3c9d0",
}
"""Colour of each verdict."""

_ARM_COLOURS = [PALETTE[0], PALETTE[1]]
_COUNTED, _EARLY = "counted", "too few users to act on"


def effects_chart(metrics: pl.DataFrame, *, a: str, b: str) -> Drawing:
    """Relative differences of the metrics with their intervals: a forest.

    Args:
        metrics: One row per metric: `metric`, `verdict`, `lift`, `lift_lower`, `lift_upper`; a metric without
            a lift, such as one that is zero in a, is not drawn.
        a: Name of the baseline.
        b: Name of the candidate.

    Returns:
        A point and a line per metric around a line at no difference, coloured by verdict.
    """
    drawn = metrics.filter(pl.col("lift_lower").is_not_null(), pl.col("lift_upper").is_not_null()).select(
        pl.col("metric").replace(METRIC_LABELS),
        pl.col("verdict").fill_null("no direction"),
        *(pl.col(name) * 100 for name in ("lift", "lift_lower", "lift_upper")),
        zero=pl.lit(0.0),
    )
    present = [word for word in VERDICT_COLOURS if word in set(drawn["verdict"])]
    colour = alt.Color(
        "verdict:N",
        title=None,
        scale=alt.Scale(domain=present, range=[VERDICT_COLOURS[word] for word in present]),
    )
    y = alt.Y("metric:N", title=None, sort=drawn["metric"].to_list())
    chart = alt.Chart(drawn)
    axis = alt.X("lift_lower:Q", title=f"{b} against {a} (%)", axis=alt.Axis(grid=True, format="+,.0f"))
    zero = chart.mark_rule(strokeDash=[4, 3]).encode(x="zero:Q")
    ranges = chart.mark_rule(strokeWidth=3).encode(y=y, x=axis, x2="lift_upper:Q", color=colour)
    points = chart.mark_circle(size=90, opacity=1).encode(y=y, x="lift:Q", color=colour)
    return alt.layer(zero, ranges, points).properties(
        title=alt.TitleParams(
            "What the candidate changes",
            subtitle="Points: relative difference; lines: 95% interval. Left of the dashed line is less",
        ),
        description=f"Relative difference of each metric of {b} against {a}, with 95% intervals.",
        height=alt.Step(30),
    )


def distributions_chart(percentiles: pl.DataFrame, *, column: str, title: str) -> Drawing:
    """How a number is spread over the calls of each arm.

    Args:
        percentiles: One row per arm and percentile: `arm`, `percentile`, `value`.
        column: What the number is, unit included, such as `latency_ms`.
        title: The question that the chart answers.

    Returns:
        A line per arm: share of the calls at or below a value, on a logarithmic axis.
    """
    unit = {"ms": "s", "usd": "USD", "tokens": "tokens"}.get(column.rsplit("_", 1)[-1], "")
    scale = 1000 if unit == "s" else 1
    points = percentiles.filter(pl.col("value") > 0).with_columns(pl.col("value") / scale)
    arms = points["arm"].unique(maintain_order=True).to_list()
    chart: Drawing = (
        alt.Chart(points)
        .mark_line(strokeWidth=2.5, interpolate="linear")
        .encode(
            x=alt.X(
                "value:Q",
                title=f"{METRIC_LABELS.get(column, column)} ({unit}, log scale)",
                scale=alt.Scale(type="log", nice=False, padding=8),
                axis=alt.Axis(format="~g", tickCount=5, grid=True),
            ),
            y=alt.Y(
                "percentile:Q", title="Share of the calls at or below (%)", scale=alt.Scale(domain=[0, 100])
            ),
            color=alt.Color(
                "arm:N", title=None, scale=alt.Scale(domain=arms, range=_ARM_COLOURS[: len(arms)])
            ),
            detail="arm:N",
        )
        .properties(
            title=alt.TitleParams(
                title, subtitle="A line further right is more; crossing lines are not one effect"
            ),
            description=f"Share of calls at or below each value of {column}, by arm.",
            height=230,
        )
    )
    return chart


def segments_chart(segments: pl.DataFrame, *, metric: str, by: str) -> Drawing:
    """The difference in each segment, raw and shrunken.

    Args:
        segments: One row per segment: `segment`, `a_user_count`, `b_user_count`, `diff`, `shrunken`,
            `shrunken_lower`, `shrunken_upper`.
        metric: Metric that differs.
        by: What the segments are.

    Returns:
        For each segment a hollow point (its own difference) and a full one with its interval (shrunken).
    """
    drawn = named(segments.filter(pl.col("shrunken").is_not_null()), "segment").with_columns(
        pl.format("{} (n = {} + {})", "segment", "a_user_count", "b_user_count").alias("group"),
        zero=pl.lit(0.0),
    )
    y = alt.Y("group:N", title=None, sort=drawn["group"].to_list())
    chart = alt.Chart(drawn)
    zero = chart.mark_rule(strokeDash=[4, 3]).encode(x="zero:Q")
    title = f"Difference in {METRIC_LABELS.get(metric, metric).lower()}{_unit(metric)}"
    x = alt.X("shrunken_lower:Q", title=title, axis=alt.Axis(grid=True, format="+~g", tickCount=5))
    ranges = chart.mark_rule(strokeWidth=3, color=PALETTE[0]).encode(y=y, x=x, x2="shrunken_upper:Q")
    points = chart.mark_circle(size=90, opacity=1, color=PALETTE[0]).encode(y=y, x="shrunken:Q")
    raw = chart.mark_point(size=70, filled=False, color=REST_COLOUR, strokeWidth=2).encode(y=y, x="diff:Q")
    return alt.layer(zero, ranges, raw, points).properties(
        title=alt.TitleParams(
            f"The difference by {by}",
            subtitle="Grey: the segment alone. Blue: drawn towards all, with its 95% interval. n: users",
        ),
        description=f"Difference of {metric} by {by}, raw and after empirical Bayes shrinkage.",
        height=alt.Step(30),
    )


def looks_chart(looks: pl.DataFrame, *, metric: str, alpha: float = 0.05) -> Drawing:
    """What anybody who looked at the end of each day would have seen.

    Args:
        looks: As `prompt_looks` gives them: `day`, `diff`, `lower`, `upper`, `is_early`, `p_so_far`.
        metric: Metric that differs.
        alpha: Level of the limits; the first day whose smallest p value reached it is named.

    Returns:
        A point a day around a line at no difference, inside the band of limits that hold on all days at once.
    """
    drawn = looks.filter(pl.col("diff").is_not_null()).with_columns(
        look=pl.when("is_early").then(pl.lit(_EARLY)).otherwise(pl.lit(_COUNTED)), zero=pl.lit(0.0)
    )
    name = METRIC_LABELS.get(metric, metric).lower()
    # The year is in the subtitle, and sixty days have no room for it.
    axis = alt.Axis(labelAngle=0, labelOverlap=True, labelExpr="slice(datum.label, 5)")
    x = alt.X("day:O", title="End of day (UTC)", axis=axis)
    colour = alt.Color(
        "look:N", title=None, scale=alt.Scale(domain=[_COUNTED, _EARLY], range=[PALETTE[0], REST_COLOUR])
    )
    chart = alt.Chart(drawn)
    y = alt.Y(
        "lower:Q", title=f"Difference{_unit(metric)}", axis=alt.Axis(grid=True, format="+~g", tickCount=5)
    )
    ranges = chart.mark_rule(strokeWidth=3).encode(x=x, y=y, y2="upper:Q", color=colour)
    points = chart.mark_circle(size=90, opacity=1).encode(x=x, y="diff:Q", color=colour)
    zero = chart.mark_rule(strokeDash=[4, 3]).encode(y="zero:Q")
    return alt.layer(zero, ranges, points).properties(
        title=alt.TitleParams(
            f"Difference in {name} by the end of each day", subtitle=_smallest_p(looks, alpha)
        ),
        description=f"Difference in {name} by the end of each day, with limits for all days at once.",
        height=230,
    )


def _unit(metric: str) -> str:
    return {"usd": " (USD)", "ms": " (ms)", "share": " (share of 1)"}.get(metric.rsplit("_", 1)[-1], "")


def _smallest_p(looks: pl.DataFrame, alpha: float) -> str:
    if looks.is_empty():
        return "No effect is shown"
    told = looks["p_so_far"].drop_nulls()
    if told.is_empty():
        return "No look had enough users to prove anything"
    proven = looks.filter(pl.col("p_so_far") < alpha)["day"]
    since = f"below {alpha:.0%} from {proven[0]} on" if len(proven) else f"never below {alpha:.0%}"
    return f"Limits hold on all days at once. Smallest p value so far: {p_text(told[-1])}; {since}"
