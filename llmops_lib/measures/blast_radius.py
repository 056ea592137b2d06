"""Whom an incident reached, what it cost, and which traces show it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import narwhals as nw
import polars as pl

from llmops_lib.calls import Frame, portable
from llmops_lib.frames import collected, narwhal
from llmops_lib.schema import UTC_DATETIME
from llmops_lib.signals.affected import affected_rows, flagged_of, is_feedback, telling_rows
from llmops_lib.signals.counts import FEEDBACK, Signals
from llmops_lib.signals.first_seen import first_seen, new_values
from llmops_lib.signals.gather import gathered
from llmops_lib.signals.windows import Incident, incident_of, known_time, windows_of, within
from llmops_lib.stats.two_proportions import proportion_difference

_EVERYWHERE: Mapping[str, str] = {}
_COUNTED = {
    "user_id": "user_count",
    "session_id": "session_count",
    "trace_id": "trace_count",
    "tenant": "tenant_count",
}
_SHOWN = ("trace_id", "span_id", "started_at", "request_model", "feature", "tenant", "user_id", "latency_ms",
          "cost_usd", "error_type")  # fmt: skip


@portable
def blast_radius(
    spans: Any, incident: Any, scores: Any = None, *, where: Mapping[str, str] = _EVERYWHERE
) -> pl.DataFrame:
    """What an incident did: how many users, sessions and requests, dollars, and wrong answers.

    Affected are the bad calls: failed, slow, refused, made again; for spend, quality and findings, where one
    call cannot be told from another, every call of `where` in the time of the incident. What would have gone
    wrong anyway is not taken out of the users and sessions, and is out of everything called excess.

    Args:
        spans: SPANS on any engine, as for `change_points`.
        incident: One row of `find_incidents`.
        scores: SCORES, as for `change_points`; without them wrong answers are told from feedback, where at
            least ten answers were rated.
        where: Columns and values to narrow it to, such as a cause that `explain_incident` names. One that
            came up just before is held against all calls before.

    Returns:
        A polars DataFrame of one row whatever came in: `started_at`, `ended_at` (of what was looked at, UTC),
        `call_count` (in that time), `affected_count`, `user_count`, `session_count`, `trace_count`,
        `tenant_count` (of those affected; null where not recorded), `spend_usd`, `expected_spend_usd`,
        `excess_spend_usd` (USD; null where no cost is known), `error_count`, `expected_error_count`,
        `excess_error_count`, `scorer`, `scored_count`, `failing_share_before`, `failing_share`,
        `wrong_answer_count` with `wrong_answer_count_low` and `wrong_answer_count_high` (answers more that
        are wrong than before, scaled from the scored ones, with Newcombe's 95% interval, which takes scored
        answers as independent; null without scores).

    Raises:
        IncidentError: If the incident is no single row.
        MissingColumnError: If a column is missing.

    Source:
        Newcombe, Statistics in Medicine 17 (1998), 873, method 10.
    """
    one = incident_of(incident)
    first, as_of = known_time(spans)
    windows = windows_of(one, first, as_of)
    frame = flagged_of(spans, where)
    sides = [_counted(frame, stretches, scores, where) for stretches in (windows.before, [windows.during])]
    is_new = bool(where) and _is_new(frame, where, one, first)
    if is_new:
        # What is new replaced something; what is usual is then what all calls were.
        sides[0] = _counted(flagged_of(spans, _EVERYWHERE), windows.before, scores, _EVERYWHERE)
    counts = _amounts(sides[0], sides[1], None if is_new else windows.scale)
    affected = affected_rows(frame, one, windows)
    reached = {name: _distinct(affected, column) for column, name in _COUNTED.items()}
    row = {
        "started_at": windows.during[0],
        "ended_at": windows.during[1],
        "call_count": counts.pop("call_count"),
        "affected_count": collected(affected.select(nw.len().alias("n")).to_native())["n"].item(),
        **reached,
        **counts,
        **_wrong(sides[0], sides[1], one),
    }
    return pl.DataFrame([row], schema_overrides={"started_at": UTC_DATETIME, "ended_at": UTC_DATETIME})


def _is_new(frame: Frame, where: Mapping[str, str], incident: Incident, first: datetime) -> bool:
    """Whether a value of the cause came up just before, so that it has no past of its own."""
    return new_values(first_seen(frame, [*where]), incident.start, first).height > 0


def _counted(frame: Frame, stretches: Any, scores: Any, where: Mapping[str, str]) -> Signals:
    own = None if scores is None else within(narwhal(scores), stretches).to_native()
    return gathered(within(frame, stretches), [*where], scores=own)


def _amounts(before: Signals, during: Signals, scale: float | None) -> dict[str, Any]:
    sums = pl.col("call_count", "spend_usd", "error_count").sum()
    (calls0, spend0, errors0), (calls1, spend1, errors1) = (
        side.calls.select(sums).row(0) if side.calls.height else (0, 0.0, 0) for side in (before, during)
    )
    is_priced = during.calls["spend_usd"].is_not_null().any()
    per_call = calls1 / calls0 if calls0 else 0.0
    # What is new has no volume of its own to expect: as many calls as there are, at what calls cost before.
    expected_spend = spend0 * (per_call if scale is None else scale)
    # Failures are expected per call, since an incident changes how many calls there are.
    expected_errors = errors0 * per_call if calls0 else None
    return {
        "call_count": calls1,
        "spend_usd": spend1 if is_priced else None,
        "expected_spend_usd": expected_spend if is_priced else None,
        "excess_spend_usd": spend1 - expected_spend if is_priced else None,
        "error_count": errors1,
        "expected_error_count": expected_errors,
        "excess_error_count": None if expected_errors is None else errors1 - expected_errors,
    }


def _distinct(frame: Frame, column: str) -> int | None:
    if column not in frame.collect_schema().names():
        return None
    known = frame.filter(~nw.col(column).is_null()).select(column).unique()
    found = int(collected(known.select(nw.len().alias("n")).to_native())["n"].item())
    return found or None


_LEAST_RATED = 10
_WRONG = ("scorer", "scored_count", "failing_share_before", "failing_share", "wrong_answer_count",
          "wrong_answer_count_low", "wrong_answer_count_high")  # fmt: skip


def _wrong(before: Signals, during: Signals, incident: Incident) -> dict[str, Any]:
    """Answers that are wrong and would not have been, from those that were scored."""
    scorers = during.scores.group_by("detail").agg(pl.col("seen_count").sum()).sort("seen_count", "detail")
    is_own = incident.signal.metric == "quality"
    named = scorers.filter(detail=incident.signal.detail) if is_own else scorers
    judged = named.filter((pl.col("detail") != FEEDBACK) | (pl.col("seen_count") >= _LEAST_RATED))
    if judged.is_empty():
        return dict.fromkeys(_WRONG)
    scorer = judged["detail"].item(-1)
    (n0, k0), (n1, k1) = (
        side.scores.filter(detail=scorer).select(pl.col("seen_count", "bad_count").sum()).row(0)
        for side in (before, during)
    )
    found = proportion_difference(round(k1), n1, round(k0), n0)
    calls, errors = during.calls.select(pl.col("call_count", "error_count").sum()).row(0)
    answers = calls - errors
    parts = (found.diff, found.newcombe.lower, found.newcombe.upper)
    scaled = [None if part is None else part * answers for part in parts]
    shares = (k0 / n0 if n0 else None, k1 / n1 if n1 else None)
    return dict(zip(_WRONG, (scorer, n1, *shares, *scaled), strict=True))


@portable
def incident_examples(spans: Any, incident: Any, *, where: Mapping[str, str] = _EVERYWHERE) -> pl.DataFrame:
    """The first, the most typical and the worst of the affected calls, each of a trace of its own.

    Worst is the costliest for spend, the worst rated for feedback, the slowest else; typical is the middle
    one by the same. For quality only answers are shown, for feedback only those not rated best.

    Args:
        spans: SPANS on any engine, as for `change_points`.
        incident: One row of `find_incidents`.
        where: Columns and values to narrow it to.

    Returns:
        A polars DataFrame of up to three rows: `example` (`first`, `typical`, `worst`), then of the call
        `trace_id`, `span_id`, `started_at` (UTC), `request_model`, `feature`, `tenant`, `user_id`,
        `latency_ms`, `cost_usd`, `error_type`, as far as the spans have them. `find_traces` and `span_tree`
        show the whole trace.

    Raises:
        IncidentError: If the incident is no single row.
        MissingColumnError: If a column is missing.
    """
    one = incident_of(incident)
    affected = affected_rows(flagged_of(spans, where), one, windows_of(one, *known_time(spans)))
    frame = telling_rows(affected, one)
    size = "cost_usd" if one.signal.metric == "spend" else "latency_ms"
    if is_feedback(one):
        # The lower the rating, the worse.
        size, frame = "_distance", frame.with_columns((1 - nw.col("feedback_score")).alias("_distance"))
    names = [name for name in (*_SHOWN, "_distance") if name in frame.collect_schema().names()]
    calls = collected(frame.select(names).to_native()).with_columns(pl.col("started_at").cast(UTC_DATETIME))
    key = ["started_at", *(name for name in ("trace_id", "span_id") if name in names)]
    by_size = calls.sort(size, *key, nulls_last=False) if size in names else calls.sort(key)
    places = {"first": calls.sort(key).head(1), "worst": by_size.tail(1),
              "typical": by_size.slice(calls.height // 2, 1)}  # fmt: skip
    rows = pl.concat([row.select(pl.lit(name).alias("example"), pl.all()) for name, row in places.items()])
    return rows.drop("_distance", strict=False).unique(key[1:2] or key, keep="first", maintain_order=True)
