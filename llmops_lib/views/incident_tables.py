"""The tables of a postmortem: impact, causes, parts of the change, and what showed it."""

import polars as pl

from llmops_lib.views.formats import UNKNOWN, count, duration, share, usd
from llmops_lib.views.html import Html
from llmops_lib.views.labels import label
from llmops_lib.views.tables import data_table, facts_table


def causes_table(causes: pl.DataFrame, incident: pl.DataFrame) -> Html:
    """The candidates that account for an incident, in order.

    Args:
        causes: What `explain_incident` returns, masked.
        incident: One row of `find_incidents`.

    Returns:
        A table.
    """
    row = incident.row(0, named=True)
    is_usd = row["unit"] == "USD"
    rows = [
        {
            "cause": cause["cause"],
            "is_new": cause["is_new"],
            "explained_share": cause["explained_share"],
            "usual": usd(cause["usual"]) if is_usd else share(cause["usual"]),
            "during": usd(cause["during"]) if is_usd else share(cause["during"]),
            "call_count": cause["call_count"],
            "same_as": ", ".join(cause["same_as"]) or UNKNOWN,
        }
        for cause in causes.iter_rows(named=True)
    ]
    labels = {"cause": "Calls with", "is_new": "New", "explained_share": "Of the change", "usual": "Before",
              "same_as": "The same calls"}  # fmt: skip
    return data_table(
        pl.DataFrame(rows, schema_overrides={"usual": pl.String, "during": pl.String}),
        caption="What the calls have in common, the likeliest first",
        labels=labels,
        empty="No value accounts for a tenth of the change.",
    )


def impact_facts(impact: pl.DataFrame, *, caption: str) -> Html:
    """What an incident did, as named facts.

    Args:
        impact: One row of `blast_radius`.
        caption: Which calls it is of.

    Returns:
        A definition list; what is not recorded is a dash.
    """
    row = impact.row(0, named=True)
    low, high = row["wrong_answer_count_low"], row["wrong_answer_count_high"]
    wrong = UNKNOWN if low is None else f"{row['wrong_answer_count']:,.0f} ({low:,.0f} to {high:,.0f})"
    scored = UNKNOWN if low is None else f"{count(row['scored_count'])} by {row['scorer']}"
    return facts_table(
        {
            "Calls in that time": count(row["call_count"]),
            "Of these affected": count(row["affected_count"]),
            "Users": count(row["user_count"]),
            "Sessions": count(row["session_count"]),
            "Traces": count(row["trace_count"]),
            "Tenants": count(row["tenant_count"]),
            "Spend": usd(row["spend_usd"]),
            "Spend above the usual": usd(row["excess_spend_usd"]),
            "Failed calls": count(row["error_count"]),
            "Failed above the usual": UNKNOWN
            if row["excess_error_count"] is None
            else f"{row['excess_error_count']:,.0f}",
            "Wrong answers above the usual (95%)": wrong,
            "Answers that were scored": scored,
        },
        caption=caption,
    )


def breakdown_table(parts: pl.DataFrame, incident: pl.DataFrame) -> Html:
    """Every value of a column with its part of the change.

    Args:
        parts: What `incident_breakdown` returns, masked; its first column names the values.
        incident: One row of `find_incidents`.

    Returns:
        A table whose shares add up to the whole change.
    """
    column = parts.columns[0]
    is_usd = incident["unit"].item() == "USD"
    write = usd if is_usd else lambda value: UNKNOWN if value is None else f"{value * 100:+.2f} points"
    shown = parts.select(
        column,
        pl.col("seen_during").round().cast(pl.Int64).alias("call_count"),
        pl.Series("part", [write(value) for value in parts["contribution"]], dtype=pl.String),
        "explained_share",
    )
    labels = {
        "call_count": "Calls in the incident",
        "part": "Part of the change",
        "explained_share": "Of the change",
    }
    return data_table(shown, caption=f"Parts of the change, by {label(column).lower()}", labels=labels)


def detections_table(changes: pl.DataFrame, incident: pl.DataFrame) -> Html:
    """Which signals showed an incident, and how long after its onset.

    Args:
        changes: What `change_points` returns, masked.
        incident: One row of `find_incidents`.

    Returns:
        A table, the first to show it on top.
    """
    onset = incident["onset_at"].item()
    near = changes.filter(pl.col("incident") == incident["incident"].item())
    after = (pl.col("detected_at") - pl.lit(onset)).dt.total_milliseconds().cast(pl.Float64)
    shown = near.sort("detected_at", "metric", "dimension", "value").select(
        "metric",
        pl.when(pl.col("dimension") == "").then(pl.lit("all calls")).otherwise(
            pl.format("{}={}", "dimension", "value")
        ).alias("where"),
        "detected_at",
        after.map_elements(_hours, return_dtype=pl.String).alias("after"),
        pl.col("confidence").alias("confidence_share"),
    )  # fmt: skip
    labels = {"where": "Of", "detected_at": "Evidence enough (UTC)", "after": "After the onset",
              "confidence_share": "No false alarm"}  # fmt: skip
    return data_table(shown.head(12), caption="What showed it, and when", labels=labels, empty="Nothing did.")


def _hours(milliseconds: float) -> str:
    hours = milliseconds / 3.6e6
    return f"{hours:,.0f} h" if hours >= 1 else duration(max(milliseconds, 0.0))
