"""Which calls account for an incident: values of columns, and pairs of them, ranked."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from llmops_lib.calls import portable
from llmops_lib.frames import by_columns
from llmops_lib.signals import CAUSES
from llmops_lib.signals.contrast import Sides, candidates, contrasted
from llmops_lib.signals.windows import incident_sides

_LEAST_SHARE = 0.1
_NEW_COUNTS = 1.25
"""A value that came up just before counts a quarter more: it is a change in itself."""

_PAIR_COUNTS = 1.1
"""A pair must tell so much more than the better of its parts to be listed beside it."""

_CAUSES = {
    "rank": pl.Int64(),
    "cause": pl.String(),
    "columns": pl.List(pl.String()),
    "values": pl.List(pl.String()),
    "is_new": pl.Boolean(),
    **dict.fromkeys(("explained_share", "usual", "during", "rate_share", "mix_share"), pl.Float64()),
    **dict.fromkeys(("surprise", "evidence"), pl.Float64()),
    "call_count": pl.Int64(),
    "same_as": pl.List(pl.String()),
}


@portable
def explain_incident(  # noqa: PLR0913 - what finds an incident, the incident, and how much to list
    spans: Any,
    incident: Any,
    scores: Any = None,
    *,
    findings: Any = None,
    by: str | Sequence[str] = CAUSES,
    most: int = 10,
) -> pl.DataFrame:
    """What the calls of an incident have in common: values and pairs of values, the likeliest first.

    The incident is held against the seven days before it; spend against the same hours of up to four weeks
    before. A candidate scores by the part of the change that it explains (at most all of it) times the
    evidence that it changed itself, so that of two groups that hold the whole change the one that holds
    little else comes first. A value that came up just before counts a quarter more; a pair is listed only
    where it scores a tenth more than its parts. Common is not cause: what changes together cannot be told
    apart, and `same_as` says so.

    Args:
        spans: SPANS on any engine, as for `change_points`; uses the columns `by` that it has.
        incident: One row of `find_incidents`.
        scores: SCORES, as for `change_points`.
        findings: Findings, likewise.
        by: Columns to explain by; tools by `tool_name` too.
        most: How many to list.

    Returns:
        A polars DataFrame whatever came in, one row per candidate that explains at least a tenth: `rank`,
        `cause` (such as `feature=chat, tenant=acme`), `columns` and `values` (lists), `is_new` (a value of it
        came up at most 48 hours before), `explained_share` (of the change of the whole), `usual` and `during`
        (USD, or share of bad ones), `rate_share` and `mix_share` (the explained share split into worse calls
        and more such calls; null for spend), `surprise` (its term of the Jensen-Shannon divergence),
        `evidence` (log-likelihood ratio), `call_count` (during), `same_as` (list: other names of the same
        calls).

    Raises:
        IncidentError: If the incident is no single row.
        MissingColumnError: If a column is missing.

    Example:
        >>> from llmops_lib import find_incident, load_traces, price_calls
        >>> from llmops_lib.demo import sample_export
        >>> spans = price_calls(load_traces(sample_export()))
        >>> incident = find_incident(spans, around="2026-11-12T15:00Z")
        >>> explain_incident(spans, incident)["cause"].item(0)
        'feature=agent_refunds, tenant=lumen-energy'
    """
    held = incident_sides(spans, incident, scores, findings, by_columns(by))
    everything = held.sides.cells.select(pl.col("seen_before", "seen_during").sum()).row(0)
    is_all = (pl.col("seen_before") == everything[0]) & (pl.col("seen_during") == everything[1])
    found = candidates(held.sides, held.columns).filter(pl.col("explained_share") >= _LEAST_SHARE, ~is_all)
    rows = found.with_columns(_levels(held.sides)).to_dicts()
    listed = _distinct([_scored(row, held.fresh) for row in rows])[:most]
    numbered = [{**row, "rank": place} for place, row in enumerate(listed, start=1)]
    return pl.DataFrame(numbered, schema=pl.Schema(_CAUSES))


def _scored(row: dict[str, Any], fresh: set[tuple[str, str]]) -> dict[str, Any]:
    is_new = any(part in fresh for part in zip(row["columns"], row["values"], strict=True))
    score = min(row["explained_share"], 1.0) * row["evidence"] * (_NEW_COUNTS if is_new else 1.0)
    return {**row, "is_new": is_new, "_score": score}


def _levels(sides: Sides) -> list[pl.Expr]:
    per = {side: 1.0 if sides.is_amount else pl.col(f"seen_{side}") for side in ("before", "during")}
    part = [(pl.col(f"{name}_part") / pl.col("change")).alias(f"{name}_share") for name in ("rate", "mix")]
    usual, during = (pl.col(f"bad_{side}") / per[side] for side in ("before", "during"))
    return [
        pl.when(pl.col("seen_before") > 0).then(usual).alias("usual"),
        during.alias("during"),
        pl.col("seen_during").cast(pl.Int64).alias("call_count"),
        *part,
    ]


def _distinct(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, the best first, without pairs that tell no more than a part and with other names joined."""
    # A list of some hundred candidates at most, each of which is compared with those before it.
    rows = sorted(rows, key=lambda row: (-row["_score"], len(row["columns"])))
    alone = {(row["columns"][0], row["values"][0]): row for row in rows if len(row["columns"]) == 1}
    kept: dict[tuple[float, ...], dict[str, Any]] = {}
    for row in rows:
        parts = list(zip(row["columns"], row["values"], strict=True))
        name = ", ".join(f"{column}={value}" for column, value in parts)
        is_pair = len(parts) == 2
        if is_pair and not _tells_more(row, [alone[part] for part in parts if part in alone]):
            continue
        calls = _calls(row)
        if calls in kept:
            kept[calls]["same_as"] += [] if is_pair else [name]
        else:
            kept[calls] = {**row, "cause": name, "same_as": []}
    return list(kept.values())


def _tells_more(pair: dict[str, Any], parts: list[dict[str, Any]]) -> bool:
    is_same = any(pair["seen_during"] == part["seen_during"] for part in parts)
    return not is_same and all(pair["_score"] >= _PAIR_COUNTS * part["_score"] for part in parts)


def _calls(row: dict[str, Any]) -> tuple[float, ...]:
    return tuple(row[f"{what}_{side}"] for what in ("seen", "bad") for side in ("during", "before"))


@portable
def incident_breakdown(
    spans: Any, incident: Any, scores: Any = None, *, column: str, findings: Any = None
) -> pl.DataFrame:
    """Every value of one column with its part of the change; the parts add up to the change.

    A share of bad calls changes because calls of a value got worse (`rate_part`) or because there were more
    of them (`mix_part`); `llmops_lib.signals.contrast` states the arithmetic, which is exact.

    Args:
        spans: SPANS on any engine, as for `change_points`, with `column`.
        incident: One row of `find_incidents`.
        scores: SCORES, as for `change_points`.
        column: Column to break down by.
        findings: Findings, as for `change_points`.

    Returns:
        A polars DataFrame whatever came in, one row per value, `contribution` downwards: `column`,
        `seen_before`, `bad_before`, `seen_during`, `bad_during` (of spend: calls and USD, before scaled
        to the length of the incident), `contribution`, `rate_part`, `mix_part`, `change` (of the whole; USD,
        or a share), `explained_share`, `surprise`, `evidence`.

    Raises:
        IncidentError: If the incident is no single row.
        MissingColumnError: If a column is missing.

    Example:
        >>> from llmops_lib import find_incident, load_traces, price_calls
        >>> from llmops_lib.demo import sample_export
        >>> spans = price_calls(load_traces(sample_export()))
        >>> incident = find_incident(spans, around="2026-11-12T15:00Z")
        >>> parts = incident_breakdown(spans, incident, column="tenant")
        >>> bool(abs(parts["explained_share"].sum() - 1) < 1e-9), parts["tenant"].item(0)
        (True, 'lumen-energy')
    """
    held = incident_sides(spans, incident, scores, findings, [column])
    return contrasted(held.sides, [column]).sort(
        "contribution", column, descending=[True, False], nulls_last=True
    )
