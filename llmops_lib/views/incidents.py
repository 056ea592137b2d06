"""An incident in one screen: what, since when, to whom, why most likely, and what to do."""

from collections.abc import Mapping
from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import UNKNOWN, count, counted, share, usd
from llmops_lib.views.html import Html

_BAD_ONES = {
    "latency": "slow calls",
    "cost per call": "dear calls",
    "errors": "failed calls",
    "retries": "attempts made again",
    "refusals": "refusals",
    "tool failures": "failed runs of tools",
    "quality": "failing answers",
    "findings": "findings",
}
_MOMENT = "%a %-d %b %H:%M"


def incident_summary(
    incident: pl.DataFrame, causes: pl.DataFrame, impact: pl.DataFrame, matches: pl.DataFrame
) -> Html:
    """What happened, since when, to whom, why most likely, what to do.

    Args:
        incident: One row of `find_incidents`, masked.
        causes: What `explain_incident` returns, masked.
        impact: One row of `blast_radius`.
        matches: What `matching_playbooks` returns.

    Returns:
        A sentence, four cards and three lines; every text in them is escaped.
    """
    row, reached = incident.row(0, named=True), impact.row(0, named=True)
    cause = causes.row(0, named=True) if causes.height else None
    best = matches.row(0, named=True) if matches.height else None
    cards = [
        ("What", _level(row, row["during"]), f"{_what(row)} in {_place(row)}; {_usual(row)}"),
        ("Since when (UTC)", f"{row['onset_at']:%-d %b %H:%M}", _until(row)),
        ("Reached", _reached(reached), _others(reached)),
        ("Cost", *_cost(reached, row["metric"])),
    ]
    items = Markup("").join(
        Markup(
            '<div class="kpi"><div class="kpi-label">{}</div><div class="kpi-value">{}</div>'
            '<div class="kpi-note">{}</div></div>'
        ).format(*card)
        for card in cards
    )
    first = [
        ("Most likely", _named(cause) if cause else "no cause stands out", _why(cause)),
        *_to_do(best),
    ]
    lines = Markup("").join(Markup("<p>{}: <strong>{}</strong> ({})</p>").format(*line) for line in first)
    said = _sentence(row, cause)
    return Html(Markup('<p class="summary">{}</p><div class="kpis">{}</div>{}').format(said, items, lines))


def _sentence(row: Mapping[str, Any], cause: Mapping[str, Any] | None) -> str:
    when = f"Since {row['onset_at']:{_MOMENT}} UTC, and not over when the data ended"
    if row["ended_at"]:
        when = f"From {row['onset_at']:{_MOMENT}} to {row['ended_at']:{_MOMENT}} UTC"
    rose = f"rose from {_level(row, row['usual'])} to {_level(row, row['during'])}"
    told = f"{when}, {_what(row)} in {_place(row)} {rose}."
    if cause is None:
        return told
    part = min(cause["explained_share"], 1.0)
    new = ", which came up just before," if cause["is_new"] else ""
    if not cause["columns"]:
        return (
            f"{told} It is spread over all calls: no tenant, model or feature tells more than all together."
        )
    return f"{told} {_named(cause)}{new} accounts for {share(part)} of the change."


def _named(cause: Mapping[str, Any]) -> str:
    """The cause by the name that people know: a prompt and its version where the cause is its hash."""
    known = [name for name in cause["same_as"] if "prompt_name=" in name and "prompt_version=" in name]
    return str(known[0] if known and cause["columns"] == ["prompt_hash"] else cause["cause"])


def _usual(row: Mapping[str, Any]) -> str:
    """The usual, and how many times as much it is now where that says more."""
    usual = f"usual {_level(row, row['usual'])}"
    times = row["during"] / row["usual"] if row["usual"] else 0.0
    return f"{usual}, {times:,.0f} times as much" if times >= _MANY_TIMES else usual


_MANY_TIMES = 3.0


def _what(row: Mapping[str, Any]) -> str:
    metric, _, detail = row["metric"].partition(": ")
    what = _BAD_ONES.get(metric, "spend")
    return f"{what} ({detail})" if detail else what


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['dimension']}={row['value']}" if row["dimension"] else "all calls"


def _level(row: Mapping[str, Any], value: float) -> str:
    return f"{usd(value)} an hour" if row["unit"] == "USD" else share(value)


def _until(row: Mapping[str, Any]) -> str:
    low, high = row["onset_low_at"], row["onset_high_at"]
    sure = f"95%: {low:%-d %b %H:%M} to {high:%-d %b %H:%M}" if low != high else "to the hour"
    if not row["ended_at"]:
        return f"{sure}; not over when the data ended"
    hours = (row["ended_at"] - row["onset_at"]).total_seconds() / 3600
    return f"{sure}; for {hours:,.0f} h, until {row['ended_at']:{_MOMENT}}"


def _reached(row: Mapping[str, Any]) -> str:
    return UNKNOWN if row["user_count"] is None else counted(row["user_count"], "user")


def _others(row: Mapping[str, Any]) -> str:
    names = {"session_count": "session", "trace_count": "trace", "tenant_count": "tenant"}
    known = [counted(row[name], word) for name, word in names.items() if row[name] is not None]
    return f"{count(row['affected_count'])} calls; {', '.join(known)}"


def _cost(row: Mapping[str, Any], metric: str) -> tuple[str, str]:
    excess, wrong = row["excess_spend_usd"], row["wrong_answer_count"]
    amount, spend = UNKNOWN, "spend unknown"
    if excess is not None:
        amount = usd(max(excess, 0.0))
        spend = "spend above the usual" if excess > 0 else "spend as usual or less"
    if wrong is None:
        return amount, f"{spend}; answers were not scored"
    low, high = (max(row[f"wrong_answer_count_{side}"], 0.0) for side in ("low", "high"))
    told = f"{max(wrong, 0.0):,.0f} wrong answers"
    scored = "rated" if row["scorer"] == "feedback" else "scored"
    sample = f"if un{scored} answers are like the {count(row['scored_count'])} {scored}"
    interval = f"more than usual, {sample} (95%: {low:,.0f} to {high:,.0f})"
    if metric.startswith("quality") or low > 0 or excess is None:
        above = f"; {amount} of {spend}" if excess is not None and excess > 0 else ""
        return told, f"{interval}{above}"
    return amount, f"{spend}; {told} {interval}"


def _why(cause: Mapping[str, Any] | None) -> str:
    if cause is None:
        return "the change is spread over all calls"
    new = "new; " if cause["is_new"] else ""
    others = [name for name in (cause["cause"], *cause["same_as"]) if name != _named(cause)][:2]
    same = f"; the very same calls: {'; '.join(others)}" if others else ""
    return f"{new}{share(min(cause['explained_share'], 1.0))} of the change{same}"


_FITS = 0.5
"""Signs by weight below which what a playbook advises may well be wrong."""


def _to_do(best: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    if best is None:
        return [("Do first", "no playbook matches", "see the evidence")]
    like = ("Looks like", best["title"], _how_well(best))
    if best["match_share"] < _FITS:
        return [("Do first", "look at the evidence: no playbook fits well", "the nearest is below"), like]
    return [("Do first", best["mitigation"][0], f"roll back: {best['rollback']}"), like]


def _how_well(best: Mapping[str, Any]) -> str:
    """How many signs of the playbook hold, and the first that does not."""
    held, missing = len(best["held"]), best["missing"]
    lacks = f"; not seen: {missing[0]}" if missing else ""
    return f"{held} of its {held + len(missing)} signs, {share(best['match_share'])} by weight{lacks}"
