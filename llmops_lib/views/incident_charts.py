"""An incident as a picture: its signal by the hour, with its time marked."""

import altair as alt
import polars as pl

from llmops_lib.views.theme import BAD_COLOUR, PALETTE, Drawing


def incident_chart(hours: pl.DataFrame, incident: pl.DataFrame, *, subject: str) -> Drawing:
    """The signal of an incident by the hour, bars of the incident in another colour.

    Args:
        hours: What `incident_hours` returns.
        incident: One row of `find_incidents`: `metric`, `unit`, `onset_at`.
        subject: Which calls are drawn, such as `tenant=acme`; masked.

    Returns:
        Bars with a zero baseline, a rule at the onset.
    """
    row = incident.row(0, named=True)
    is_usd = row["unit"] == "USD"
    title = "Spend (USD per hour)" if is_usd else f"{row['metric'].partition(': ')[0].capitalize()} (share)"
    named = hours.with_columns(
        pl.when("is_during").then(pl.lit("incident")).otherwise(pl.lit("before and after")).alias("time")
    ).select("hour_at", "value", "time")
    bars = (
        alt.Chart(named)
        .mark_bar()
        .encode(
            x=alt.X(
                "hour_at:T",
                title=None,
                scale=alt.Scale(type="utc"),
                axis=alt.Axis(format="%a %-d %b %H:%M", tickCount=6),
            ),
            x2="end_at:T",
            y=alt.Y("value:Q", title=title, axis=alt.Axis(format="$~s" if is_usd else "%", tickCount=4)),
            color=alt.Color(
                "time:N",
                title=None,
                scale=alt.Scale(domain=["before and after", "incident"], range=[PALETTE[0], BAD_COLOUR]),
            ),
        )
    )
    onset = (
        alt.Chart(pl.DataFrame({"onset_at": [row["onset_at"]]}))
        .mark_rule(strokeDash=[4, 3])
        .encode(x="onset_at:T")
    )
    chart = bars.transform_calculate(end_at="datum.hour_at + 3500000")
    return alt.layer(chart, onset).properties(
        title=alt.TitleParams(
            f"{row['metric'][:1].upper()}{row['metric'][1:]} by the hour (UTC)",
            subtitle=f"{subject}; the rule is the onset",
        ),
        description="Bars: the signal of the incident by the hour, those of the incident in red.",
        height=240,
    )
