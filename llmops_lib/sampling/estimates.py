"""Quality of a group of calls from what was judged and what was labelled, by the rule that fits."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from llmops_lib.stats.bounded_mean import bounded_mean_interval
from llmops_lib.stats.clustered_mean import MIN_CLUSTERS
from llmops_lib.stats.clustered_prediction import Judged, clustered_prediction_powered
from llmops_lib.stats.judge_error import Calibration, corrected_weighted_share
from llmops_lib.stats.prediction_powered import MIN_LABELS
from llmops_lib.stats.results import Estimate, Interval, Reason, no_interval
from llmops_lib.stats.spread import Spread
from llmops_lib.stats.survey import MIN_EFFECTIVE, effective_cluster_count, effective_sample_size, hajek_mean

_MOST_MISSING = 0.02
"""Share of sampled calls without a judgement above which the answer says so."""

QUALITY, JUDGE_SCORE = "quality", "judge score"

ESTIMATES_SCHEMA = pl.Schema(
    {
        "what": pl.String,
        "value": pl.Float64,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "standard_error": pl.Float64,
        "method": pl.String,
        "judge_score": pl.Float64,
        "judged_count": pl.Int64,
        "unjudged_count": pl.Int64,
        "labelled_count": pl.Int64,
        "unit_count": pl.Int64,
        "effective_count": pl.Float64,
        "tuning": pl.Float64,
        "missing_label_count": pl.Int64,
        "reasons": pl.String,
    }
)


@dataclass(frozen=True, eq=False)
class Group:
    """Judged calls of one group.

    Attributes:
        calls: What `judged_calls` gives, of the group.
        calibration: Errors of the judge where the truth is known; None where that is not known.
        is_calibrated_elsewhere: Whether that is of other calls than these.
        alpha: One minus the confidence level.
    """

    calls: pl.DataFrame
    calibration: Calibration | None
    is_calibrated_elsewhere: bool
    alpha: float


def estimated(group: Group) -> dict[str, Any]:
    """The quality of a group, and how it was corrected, as a row of `ESTIMATES_SCHEMA`.

    100 labels of these very calls: PPI++. Fewer, and the judge's errors known from other calls: Rogan and
    Gladen with Lang and Reiczigel's interval. Else the labels alone. Without a label: the judge score, called
    so.

    Args:
        group: Its calls.
    """
    judged = group.calls.drop_nulls("judgement")
    labelled = judged.drop_nulls("truth")
    judge = _hajek(judged, "judgement", group.alpha)
    row = _told(group.calls, judged, labelled, judge)
    if judged.is_empty():
        nothing = no_interval(group.alpha, "none", Reason.N_TOO_SMALL)
        return row | _said(QUALITY, None, None, nothing)
    if labelled.height >= MIN_LABELS and labelled.height < judged.height:
        found = clustered_prediction_powered(_arrays(judged), alpha=group.alpha)
        interval = (
            found.interval if row["effective_count"] >= MIN_EFFECTIVE else _too_small(group.alpha, "ppi++")
        )
        return row | _said(QUALITY, found.value, found.se, interval) | {"tuning": found.tuning}
    if group.is_calibrated_elsewhere and group.calibration is not None:
        return row | _from_calibration(group, judge, group.calibration, row["effective_count"])
    if labelled.height:
        return row | _from_labels(labelled, group.alpha)
    return row | _said(JUDGE_SCORE, judge.value, judge.se, judge.interval, Reason.NO_LABELS)


def _told(
    calls: pl.DataFrame, judged: pl.DataFrame, labelled: pl.DataFrame, judge: Estimate
) -> dict[str, Any]:
    unjudged = calls.height - judged.height
    return {
        "judge_score": judge.value,
        "judged_count": judged.height,
        "unjudged_count": unjudged,
        "labelled_count": labelled.height,
        "unit_count": judged["unit"].n_unique(),
        "effective_count": effective_sample_size(judged["weight"]),
        "tuning": None,
        "missing_label_count": max(0, MIN_LABELS - labelled.height),
        "_is_missing_some": unjudged > _MOST_MISSING * calls.height,
    }


def finished(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its reasons as text.

    Args:
        row: What `estimated` gives.
    """
    missing = (Reason.MISSING_JUDGEMENTS,) if row["_is_missing_some"] else ()
    reasons = dict.fromkeys([*row["reasons"], *missing])
    return {**{name: row[name] for name in ESTIMATES_SCHEMA}, "reasons": ", ".join(reasons) or None}


def _said(
    what: str, value: float | None, se: float | None, interval: Interval, *reasons: Reason
) -> dict[str, Any]:
    return {
        "what": what,
        "value": value,
        "lower": interval.lower,
        "upper": interval.upper,
        "standard_error": se,
        "method": interval.method,
        "reasons": [*reasons, *interval.reasons],
    }


def _from_calibration(
    group: Group, judge: Estimate, calibration: Calibration, effective: float
) -> dict[str, Any]:
    apparent, worth = judge.value or 0.0, _worth(judge, effective)
    found = corrected_weighted_share(apparent, worth, calibration, alpha=group.alpha)
    if found.value is None or found.reasons:
        nothing = no_interval(group.alpha, "lang_reiczigel", *found.reasons)
        return _said(QUALITY, None, None, nothing)
    interval = found.interval if effective >= MIN_EFFECTIVE else _too_small(group.alpha, "lang_reiczigel")
    return _said(QUALITY, found.value, found.se, interval)


def _from_labels(labelled: pl.DataFrame, alpha: float) -> dict[str, Any]:
    found = _hajek(labelled, "truth", alpha)
    few = (Reason.N_TOO_SMALL,) if labelled.height < MIN_LABELS else ()
    effective = effective_sample_size(labelled["weight"])
    if effective < MIN_EFFECTIVE or found.value is None or found.n_units < MIN_CLUSTERS:
        return _said(QUALITY, found.value, found.se, found.interval, *few)
    worth = effective_cluster_count(labelled["weight"], labelled["unit"].to_list())
    spread = Spread(found.se or 0.0, worth, effective, found.n_units - 1.0, is_weighted=True)
    interval = bounded_mean_interval(found.value, spread, alpha=alpha, method="wilson")
    return _said(QUALITY, found.value, found.se, interval, *few)


def _worth(found: Estimate, effective: float) -> float:
    """How many independent calls vary as much as these: at most what their weights are worth."""
    value, se = found.value or 0.0, found.se or 0.0
    return min(effective, value * (1 - value) / se**2) if 0 < value < 1 and se > 0 else effective


def _hajek(calls: pl.DataFrame, column: str, alpha: float) -> Estimate:
    clusters = calls["unit"].to_list() if calls.height else None
    return hajek_mean(calls[column], calls["chance"], clusters=clusters, alpha=alpha)


def _arrays(judged: pl.DataFrame) -> Judged:
    truth = judged["truth"].fill_null(math.nan).to_numpy()
    return Judged(truth, judged["judgement"], judged["weight"], np.asarray(judged["unit"].to_list()))


def _too_small(alpha: float, method: str) -> Interval:
    return no_interval(alpha, method, Reason.N_TOO_SMALL)
