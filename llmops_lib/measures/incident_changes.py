"""What changed just before an incident, and what happened when."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from llmops_lib.calls import portable
from llmops_lib.calls.tool_calls import tool_calls
from llmops_lib.frames import narwhal
from llmops_lib.schema import UTC_DATETIME
from llmops_lib.signals import WATCHED, flagged_calls, gathered
from llmops_lib.signals.first_seen import JUST_BEFORE, first_seen, new_values
from llmops_lib.signals.windows import Incident, incident_of, known_time, windows_of, within

_FIRSTS = (
    "response_model",
    "release",
    "prompt_version",
    "prompt_hash",
    "request_model",
    "provider",
    "feature",
)
_CHANGES = {
    "changed_at": UTC_DATETIME,
    "kind": pl.String(),
    "what": pl.String(),
    "hours_before": pl.Float64(),
    "call_count": pl.Int64(),
}
_TOOL_COLUMNS = (
    "trace_id",
    "span_id",
    "operation",
    "tool_calls",
    "tool_name",
    "tool_call_id",
    "input",
    "attributes",
)
_LEAST_SHIFT = 0.1


@portable
def changes_before(
    spans: Any, incident: Any, *, versions: pl.DataFrame | None = None, tools: pl.DataFrame | None = None
) -> pl.DataFrame:
    """What came up within 48 hours before an incident, or with it: suspects, not culprits.

    Args:
        spans: SPANS on any engine, with at least three days before the incident; uses `response_model`,
            `release`, `prompt_version`, `prompt_hash`, `request_model`, `provider`, `feature`, `tenant`, and
            for the hashes of tools the columns of `checked_tool_calls`, as far as the spans have them.
        incident: One row of `find_incidents`.
        versions: PROMPT_VERSIONS, such as `prompt_versions` gives: commits of prompts.
        tools: TOOL_VERSIONS, such as `tool_versions` gives: commits of tools.

    Returns:
        A polars DataFrame whatever came in, one row per change, the nearest to the onset first:
        `changed_at` (UTC; of a commit, when it was made and not when it was deployed), `kind` (`prompt
        commit`, `tool commit`, `first seen`, `tool schema first seen`, `traffic mix`), `what`, `hours_before`
        (the onset; negative after it), `call_count` (calls that have it; null for commits).

    Raises:
        IncidentError: If the incident is no single row.
        MissingColumnError: If a column is missing.
    """
    one = incident_of(incident)
    first, as_of = known_time(spans)
    present = set(narwhal(spans).collect_schema().names())
    columns = [name for name in _FIRSTS if name in present]
    rows = [*_firsts(spans, columns, one, first), *_mix(spans, one, first, as_of)]
    if set(_TOOL_COLUMNS) <= present:
        rows += _tool_hashes(spans, one, first)
    rows += _commits(versions, "committed_at", "prompt commit", one)
    rows += _commits(tools, "in_force_at", "tool commit", one)
    table = pl.DataFrame(rows, schema=pl.Schema(_CHANGES), orient="row")
    before = (pl.lit(one.start) - pl.col("changed_at")).dt.total_seconds() / 3600
    return table.with_columns(before.round(1).alias("hours_before")).sort(
        pl.col("kind") == "traffic mix", pl.col("hours_before").abs(), "kind", "what", maintain_order=True
    )


_Row = tuple[datetime, str, str, None, int | None]


def _firsts(spans: Any, columns: list[str], incident: Incident, first: datetime) -> Iterator[_Row]:
    seen = first_seen(flagged_calls(spans, columns), columns)
    for row in new_values(seen, incident.start, first).iter_rows(named=True):
        yield row["first_at"], "first seen", f"{row['column']}={row['value']}", None, row["call_count"]


def _tool_hashes(spans: Any, incident: Incident, first: datetime) -> Iterator[_Row]:
    stated = tool_calls(spans, ()).filter(pl.col("stated_hash").is_not_null())
    seen = stated.group_by("tool_name", "stated_hash").agg(
        pl.col("started_at").min().alias("first_at"), pl.len().alias("call_count")
    )
    for row in new_values(seen, incident.start, first).iter_rows(named=True):
        what = f"{row['tool_name']} schema {row['stated_hash'][:12]}"
        yield row["first_at"], "tool schema first seen", what, None, row["call_count"]


def _mix(spans: Any, incident: Incident, first: datetime, as_of: datetime) -> Iterator[_Row]:
    """Values whose part of the calls differs by ten points from the time before."""
    watched = [name for name in WATCHED if name in set(narwhal(spans).collect_schema().names())]
    windows = windows_of(incident, first, as_of)
    flagged = flagged_calls(spans, watched)
    sides = [gathered(within(flagged, part), watched).calls for part in (windows.before, [windows.during])]
    for column in watched:
        shares = [
            side.group_by(column)
            .agg(pl.col("call_count").sum())
            .with_columns((pl.col("call_count") / side["call_count"].sum()).alias("share"))
            for side in sides
        ]
        both = shares[0].join(shares[1], on=column, how="full", coalesce=True, suffix="_now").fill_null(0)
        moved = both.filter(
            (pl.col("share_now") - pl.col("share")).abs() >= _LEAST_SHIFT, pl.col(column).is_not_null()
        )
        for row in moved.sort(column).iter_rows(named=True):
            what = f"{column}={row[column]} from {row['share']:.0%} to {row['share_now']:.0%} of calls"
            yield incident.start, "traffic mix", what, None, row["call_count_now"]


def _commits(table: pl.DataFrame | None, at: str, kind: str, incident: Incident) -> Iterator[_Row]:
    if table is None:
        return
    moment = pl.col(at).is_between(incident.start - JUST_BEFORE, incident.start + timedelta(hours=1))
    for row in table.filter(moment).iter_rows(named=True):
        name = row.get("prompt_name") or row.get("tool_name")
        label = f" version {row['prompt_version']}" if row.get("prompt_version") else ""
        said = f": {row['subject']}" if row.get("subject") else ""
        yield (
            row[at],
            kind,
            f"{name}{label} ({str(row.get('commit') or 'uncommitted')[:10]}){said}",
            None,
            None,
        )


def incident_timeline(
    incident: Any, changes: pl.DataFrame, examples: pl.DataFrame, *, alerts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """What happened when: changes before, onset, the first affected call, detection, the end.

    Args:
        incident: One row of `find_incidents`.
        changes: What `changes_before` returns.
        examples: What `incident_examples` returns.
        alerts: Other rows with `happened_at` (UTC) and `event`, such as when somebody was told.

    Returns:
        One row per moment, in order: `happened_at` (UTC), `event`.
    """
    one = incident_of(incident)
    # A mix is no moment.
    moments = changes.filter(pl.col("kind") != "traffic mix").iter_rows(named=True)
    rows = [(row["changed_at"], f"{row['kind']}: {row['what']}") for row in moments]
    rows += [
        (one.start, f"onset of {one.signal} (to the hour)"),
        (one.detected, "evidence enough to tell it from chance"),
    ]
    rows += [(one.end, "back to usual")] if one.end else []
    names = {"first": "first affected call", "worst": "worst affected call"}
    rows += [
        (row["started_at"], names[row["example"]])
        for row in examples.iter_rows(named=True)
        if row["example"] in names
    ]
    table = pl.DataFrame(rows, schema={"happened_at": UTC_DATETIME, "event": pl.String}, orient="row")
    every = (
        table if alerts is None else pl.concat([table, alerts.select(table.columns)], how="vertical_relaxed")
    )
    return every.sort("happened_at", "event", maintain_order=True)
