"""Which calls account for an incident: values of columns, and pairs of them, ranked."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from llmops_lib.calls import portable
from llmops_lib.frames import by_columns
from llmops_lib.signals import CAUSES
from llmops_lib.signals.classes import class_candidates, class_parts
from llmops_lib.signals.contrast import Sides, candidates, contrasted, summed
from llmops_lib.signals.ranking import ranked
from llmops_lib.signals.windows import Held, incident_of, incident_sides

_LEAST_SHARE = 0.1

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
    before. A candidate scores by the evidence that it changed itself, times the part of the change that it
    explains (four fifths count as all of it), so that of two groups that hold the whole change the one that
    holds little else comes first. A pair is listed where it cannot be told from its parts or scores
    more, and comes before them where that is more than the number of pairs lets expect by chance. Where
    nothing tells more than all calls together, `all calls` comes first. A value that came up just before
    comes before others that have the same calls. Common is not cause: what changes together cannot be told
    apart, and `same_as` says so.

    Args:
        spans: SPANS on any engine, as for `change_points`; uses the columns `by` that it has.
        incident: One row of `find_incidents`.
        scores: SCORES, as for `change_points`.
        findings: Findings, likewise.
        by: Columns to explain by, `region` as `with_region` tells it; tools by `tool_name` and failed calls
            by `error_type` too.
        most: How many to list.

    Returns:
        A polars DataFrame whatever came in, one row per candidate that explains at least a tenth: `rank`,
        `cause` (such as `feature=chat, tenant=acme`), `columns` and `values` (lists), `is_new` (a value of it
        came up at most 48 hours before), `explained_share` (of the change of the whole, or of the calls that
        tell the incident where that is larger), `usual` and `during`
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
    found = _told(_candidates(held, incident))
    classes = _told(class_candidates(held.sides, held.classes, _levels))
    listed = ranked(found, held.fresh, everywhere=_everywhere(held, incident), classes=classes)[:most]
    numbered = [{**row, "rank": place} for place, row in enumerate(listed, start=1)]
    return pl.DataFrame(numbered, schema=pl.Schema(_CAUSES))


def _told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["explained_share"] >= _LEAST_SHARE]


def _candidates(held: Held, incident: Any) -> list[dict[str, Any]]:
    """Every value and pair of values that not all calls have."""
    whole = summed(held.sides.cells, [])
    found = _of_stream(candidates(held.sides, held.columns), incident).with_columns(_levels(held.sides))
    is_all = [pl.col(name) == whole[name].item() for name in ("seen_before", "seen_during")]
    return found.filter(~pl.all_horizontal(is_all)).to_dicts()


def _of_stream(found: pl.DataFrame, incident: Any) -> pl.DataFrame:
    """The candidates, held against the change of the calls that tell the incident where that is larger.

    When other calls happened to get better, the whole changed less, and no part of it means anything.
    """
    row = incident_of(incident).row
    stream = [[row.get("dimension")], [row.get("value")]]
    own = found.filter(
        *(pl.col(name) == pl.lit(part) for name, part in zip(("columns", "values"), stream, strict=True))
    )
    changed = max([*found["change"].head(1), *own["contribution"]], default=0.0)
    if not own.height or changed <= found["change"].item(0):
        return found
    return found.with_columns(
        change=pl.lit(changed, pl.Float64), explained_share=pl.col("contribution") / changed
    )


def _everywhere(held: Held, incident: Any) -> dict[str, Any]:
    """All calls together, and the values that all of them have as other names of them."""
    row = contrasted(held.sides, []).with_columns(_levels(held.sides)).row(0, named=True)
    constant = [
        name
        for name in held.columns
        if held.sides.cells[name].n_unique() == 1 and held.sides.cells[name][0] is not None
    ]
    names = [f"{name}={held.sides.cells[name][0]}" for name in constant]
    signal = incident_of(incident).signal
    names += [f"error_type={signal.detail}"] if signal.metric == "errors" and signal.detail else []
    return {**row, "columns": [], "values": [], "same_as": names}


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


@portable
def incident_breakdown(
    spans: Any, incident: Any, scores: Any = None, *, column: str, findings: Any = None
) -> pl.DataFrame:
    """Every value of one column with its part of the change; the parts add up to the change.

    A share of bad calls changes because calls of a value got worse (`rate_part`) or because there were more
    of them (`mix_part`); `llmops_lib.signals.contrast` states the arithmetic, which is exact. By
    `error_type`, of an incident of errors, each class adds its own share of all calls.

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
    if column == "error_type":
        held = incident_sides(spans, incident, scores, findings, [])
        return class_parts(held.sides, held.classes)
    held = incident_sides(spans, incident, scores, findings, [column])
    return contrasted(held.sides, [column]).sort(
        "contribution", column, descending=[True, False], nulls_last=True
    )
