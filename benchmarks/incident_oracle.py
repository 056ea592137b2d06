"""How sure of a planted incident somebody could be who knew its calls, its hours and its metric.

The log-likelihood ratio of what was counted there: that the calls went on as before, or at the share or
the spend that they had. It owes nothing to what any detector says, so that what lies below the evidence
that chance reaches among so many streams and hours can be told from what a detector missed.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import narwhals as nw
import numpy as np
import polars as pl

from llmops_lib.demo.incident_scene import Injected, Traffic
from llmops_lib.signals.counting import flagged_calls
from llmops_lib.signals.counts import signal_named
from llmops_lib.signals.gather import gathered

_WEEK = timedelta(weeks=1)
_REPLACED = {"prompt_regression": "prompt_name", "model_regression": "request_model"}
"""What the calls of a new value had in common before it."""


def oracle_evidence(traffic: Traffic, planted: Injected) -> float:
    """Evidence of a planted incident, in natural logarithms: the most of its metrics.

    Args:
        traffic: With the incident in it.
        planted: The incident.
    """
    columns = [*planted.where, *_REPLACED.values(), "cost_usd", "trace_id", "session_id"]
    flagged = flagged_calls(traffic.spans, list(dict.fromkeys(columns))).to_native()
    own = flagged.filter(*(pl.col(name) == value for name, value in planted.where.items()))
    column = _REPLACED.get(planted.kind)
    replaced = (
        flagged.filter(pl.col(column) == _during(own, planted)[column].drop_nulls()[0]) if column else own
    )
    if planted.metrics == ("spend",):
        return _of_spend(own, planted)
    now = _counted(traffic, _during(own, planted), planted.metrics)
    month = replaced.filter(pl.col("started_at").is_between(planted.start - 4 * _WEEK, planted.start, "left"))
    before = _counted(traffic, month, planted.metrics, list(now))
    gains: dict[str, float] = {}
    for name, (bad, seen) in now.items():
        metric = name.partition(":")[0]
        usual_bad, usual_seen = before[name]
        gain = seen * _divergence(bad / seen, (usual_bad + 0.5) / (usual_seen + 1)) if seen else 0.0
        # Scorers of the same answers add up; the whole of errors has its classes in it.
        gains[metric] = gains.get(metric, 0.0) + gain
    return max(gains.values(), default=0.0)


def _during(rows: pl.DataFrame, planted: Injected) -> pl.DataFrame:
    return rows.filter(pl.col("started_at").is_between(planted.start, planted.end, closed="left"))


def _counted(
    traffic: Traffic, rows: pl.DataFrame, metrics: tuple[str, ...], names: Sequence[str] = ()
) -> dict[str, tuple[float, float]]:
    """Bad ones and how many were seen, of the signals of those names, or of all of the metrics that moved."""
    traces = rows["trace_id"].unique().implode()
    scores, findings = (
        table.filter(pl.col("trace_id").is_in(traces)) for table in (traffic.scores, traffic.findings)
    )
    counted = gathered(nw.from_native(rows), ["hour_at"], scores=scores, findings=findings)
    found = [signal_named(name) for name in names] or [
        signal
        for signal in counted.signals()
        if signal.metric in metrics and not (signal.metric == "errors" and signal.detail)
    ]
    return {
        str(signal): tuple(counted.counts(signal).select("bad_count", "seen_count").sum().row(0))
        for signal in found
    }


def _divergence(now: float, usual: float) -> float:
    if now <= usual:
        return 0.0
    missed = (1 - now) * math.log((1 - now) / (1 - usual)) if now < 1 else 0.0
    return now * math.log(now / usual) + missed


def _of_spend(own: pl.DataFrame, planted: Injected) -> float:
    """Of spend as a Poisson sum of conversations of the usual size, against the same hours of four weeks."""

    def spent(start: datetime, end: datetime) -> float:
        part = own.filter(pl.col("started_at").is_between(start, end, closed="left"))
        return float(part["cost_usd"].sum())

    weeks = [spent(planted.start - back * _WEEK, planted.end - back * _WEEK) for back in range(1, 5)]
    past = own.filter(pl.col("started_at") < planted.start)
    units = past.group_by("trace_id").agg(pl.col("cost_usd").sum())["cost_usd"]
    size = float((units**2).sum() / units.sum())
    now, usual = spent(planted.start, planted.end), max(float(np.mean(weeks)), size / 2)
    return (now * math.log(now / usual) - (now - usual)) / size if now > usual else 0.0
