"""A safety review as a reader sees it: what was found, what left, what agents did, what gets through."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from llmops_lib.views.formats import UNKNOWN, count, share
from llmops_lib.views.html import Html
from llmops_lib.views.labels import UNKNOWN_NAME, label
from llmops_lib.views.quality_words import plain_table
from llmops_lib.views.tables import data_table
from llmops_lib.views.theme import PALETTE, Drawing

_ANY = "ANY"
_MEANT = {
    "got_through": "attack got through",
    "over_refused": "honest question refused",
    "not_refused": "not refused, though it must be",
}
_DATA = {_ANY: "anything at all", "FIELD": "the messages themselves"}
_ALLOWED = {True: "against the policy", False: "allowed", None: "cannot be told"}


def findings_chart(totals: pl.DataFrame) -> Drawing:
    """Share of calls that carry findings of each kind, with its 95% interval.

    Args:
        totals: Rows of `safety_findings_by` over all calls; the row of all kinds is not drawn.

    Returns:
        Points with interval bars on an axis that starts at zero, the most frequent kind on top.
    """
    drawn = totals.filter(pl.col("kind") != _ANY, pl.col("found_share").is_not_null())
    chart = alt.Chart(drawn.drop("call_count", "searched_count", "finding_count"))
    axis = alt.Axis(format="~%", tickCount=5)
    title = "Calls that carry it (%)"
    y = alt.Y("kind:N", title=None, sort=drawn["kind"].to_list())
    bars = chart.mark_rule(strokeWidth=3).encode(
        y=y,
        x=alt.X("found_share_low:Q", title=title, axis=axis, scale=alt.Scale(zero=True)),
        x2="found_share_high:Q",
    )
    points = chart.mark_circle(size=110, opacity=1, color=PALETTE[0]).encode(
        y=y, x=alt.X("found_share:Q", title=title, axis=axis)
    )
    return alt.layer(bars, points).properties(
        title=alt.TitleParams(
            "Share of calls by kind of finding", subtitle="Point: share of calls. Bar: 95% Wilson interval"
        ),
        description="Points with intervals: share of calls with findings, by kind.",
        height=alt.Step(30),
    )


def findings_table(table: pl.DataFrame, by: Sequence[str], *, caption: str) -> Html:
    """Share of calls with findings by group, with intervals; kinds and never texts.

    Args:
        table: Rows of `safety_findings_by`, names masked.
        by: Its grouping columns.
        caption: What the table shows.
    """
    kinds = table.filter(pl.col("kind") != _ANY).partition_by(by, as_dict=True)
    rows = []
    for row in table.filter(kind=_ANY).iter_rows(named=True):
        group = tuple(row[name] for name in by)
        told = kinds[group].iter_rows(named=True) if group in kinds else ()
        rows.append(
            {
                **{label(name): UNKNOWN_NAME if row[name] is None else str(row[name]) for name in by},
                "Calls with findings": f"{count(row['found_count'])} of {count(row['searched_count'])}",
                "Share": _with_interval(row),
                "Kinds": "; ".join(f"{one['kind']} {_with_interval(one)}" for one in told),
            }
        )
    return plain_table(rows, caption, empty="nothing was found.")


def rules_table(rules: pl.DataFrame) -> Html:
    """What each rule found and what its findings are worth.

    Args:
        rules: Rows of `findings_by_rule`.
    """
    rows = [
        {
            "Kind": row["kind"],
            "Rule": row["rule"],
            "Rests on": _rests_on(row["kind"], row["confidence"]),
            "Spans": count(row["found_count"]),
            "Places": count(row["finding_count"]),
            "A trace to look at": row["trace_id"] or UNKNOWN_NAME,
        }
        for row in rules.iter_rows(named=True)
    ]
    return plain_table(rows, "What found it, the surest first", empty="nothing was found.")


def sent_table(sent: pl.DataFrame) -> Html:
    """Which endpoint got which class of data, and whether the policy lets it.

    Args:
        sent: Rows of `sent_data`, names masked.
    """
    rows = [
        {
            "Endpoint": row["endpoint"] or UNKNOWN_NAME,
            "Data": _DATA.get(row["kind"], row["kind"]),
            "Messages": row["field"] if row["kind"] != _ANY else "all",
            "Policy": _ALLOWED[row["is_violation"]],
            "Rule": row["rule"] or "none names it",
            "Calls": count(row["call_count"]),
            "A trace to look at": row["trace_id"] or UNKNOWN_NAME,
        }
        for row in sent.iter_rows(named=True)
    ]
    return plain_table(rows, "What was sent where", empty="no call held data of any class.")


def actions_table(actions: pl.DataFrame, *, is_checked: bool) -> Html:
    """Tools by risk, with their calls, failures and misfits.

    Args:
        actions: Rows of `agent_actions_by_risk`, names masked.
        is_checked: Whether calls were held to schemas.
    """
    shown = actions.select("risk", "tool_name", "call_count", "executed_count", "failed_count")
    if is_checked:
        shown = actions.select(*shown.columns, "unregistered_count", "invalid_count", "unchecked_count")
    shown = shown.with_columns(actions["trace_id"])
    labels = {
        "tool_name": "Tool",
        "executed_count": "Ran",
        "failed_count": "Failed",
        "unregistered_count": "Not registered",
        "invalid_count": "Misfits",
        "unchecked_count": "Unchecked",
        "trace_id": "Last one in trace",
    }
    return data_table(shown, caption="Tool calls by risk", labels=labels, empty="no tool was called.")


def attacks_table(changes: pl.DataFrame) -> Html:
    """What got through by category, with intervals, beside the run before.

    Args:
        changes: Rows of `attack_changes`, names masked.
    """
    rows = [
        {
            "Category": f"{row['category'] or UNKNOWN_NAME} ({row['suite']})",
            "What": _MEANT[row["finding"]],
            "Cases": f"{count(row['failed_count'])} of {count(row['case_count'])}",
            "Share": share(row["failed_share"]),
            "95% interval": _interval(row["failed_share_lower"], row["failed_share_upper"]),
            "Run before": share(row["failed_share_before"]),
            "New": count(row["new_count"]),
            "No answer": count(row["missing_count"]),
        }
        for row in changes.iter_rows(named=True)
    ]
    return plain_table(rows, "Attacks by category", empty="no red-team run was given.")


def new_attacks_table(new: pl.DataFrame) -> Html:
    """Cases that fail now and did not before, the attacks that got through first.

    Args:
        new: Rows of `newly_failed`, texts masked.
    """
    rows = [
        {
            "Case": row["example_id"],
            "Category": row["category"] or UNKNOWN_NAME,
            "What": _MEANT[row["finding"]],
            "Why": row["explanation"] or UNKNOWN,
        }
        for row in new.sort("finding", maintain_order=True).iter_rows(named=True)
    ]
    return plain_table(rows, "Fails now and did not before", empty="no case, or no run before was given.")


def _with_interval(row: Mapping[str, Any]) -> str:
    low, high = row["found_share_low"], row["found_share_high"]
    return f"{share(row['found_share'])} ({_interval(low, high)})"


def _interval(low: float | None, high: float | None) -> str:
    return UNKNOWN if low is None or high is None else f"{share(low)} to {share(high)}"


def _rests_on(kind: str, confidence: float) -> str:
    if kind == "TOXICITY":
        return "tripwire: a few words, no measure of toxicity"
    if confidence <= 0.5:
        return "flag: words, to be read"
    return "form and words around it" if confidence < 0.99 else "published format or check digit"
