"""Has quality dropped? Alarms over judged calls, false ones as rare as was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from llmops_lib.errors import SchemaError
from llmops_lib.frames import by_columns
from llmops_lib.sampling.labels import judged_calls
from llmops_lib.sampling.streams import equal_chances
from llmops_lib.sampling.watch import MOST_ACCEPTABLE, Detector, Watch, alarms, judged_per_day, tolerance_of
from llmops_lib.schema import UTC_DATETIME

STREAMS = ("feature", "tenant", "prompt_version", "model")
"""What each value of can be watched for itself."""

_LEAST_REFERENCE = 30
_QUIET = timedelta(days=7)
_ALARMS = {
    "started_at": UTC_DATETIME,
    "detected_at": UTC_DATETIME,
    "failure_share": pl.Float64,
    "reference_failure_share": pl.Float64,
    "call_count": pl.Int64,
    "is_news": pl.Boolean,
}
_WATCHED = {
    "judged_count": pl.Int64,
    "judged_per_day": pl.Float64,
    "reference_failure_share": pl.Float64,
    "acceptable_failure_share": pl.Float64,
    "days_between_false_alarms": pl.Float64,
    "calls_between_false_alarms": pl.Float64,
    "alarm_count": pl.Int64,
    "last_judged_at": UTC_DATETIME,
    "reason": pl.String,
}


@dataclass(frozen=True, eq=False)
class QualityAlarms:
    """Alarms, and what was watched.

    Attributes:
        alarms: One row per alarm in order of time: the stream, `started_at` (when the rise most likely
            began), `detected_at`, `failure_share` (between the two), `reference_failure_share`, `call_count`
            (judged between the two), `is_news` (false where the one before was within 7 days: a drop that
            lasts raises an alarm again and again, and pages once).
        streams: One row per stream: `judged_count` (with equal chances), `judged_per_day`,
            `reference_failure_share`, `acceptable_failure_share`, `days_between_false_alarms` (of this stream
            alone, on average at least), `calls_between_false_alarms`, `alarm_count`, `last_judged_at`,
            `reason` (why it is not watched: `n_too_small`; `not_identifiable`, nearly everything fails).
        detector: `e-sr` or `cusum`.
        days: Days between false alarms of all streams together.
    """

    alarms: pl.DataFrame
    streams: pl.DataFrame
    detector: str
    days: float


def quality_alarms(  # noqa: PLR0913 - a table, and what a team decides beforehand
    scores: Any,
    *,
    by: str | Sequence[str] = (),
    reference_quality: float | None = None,
    reference_days: int = 14,
    tolerance: float | None = None,
    days: float = 365,
    detector: Detector = "e-sr",
    scorer: str = "",
) -> QualityAlarms:
    """When the judge began to fail more answers than is usual, with a bound on false alarms.

    Over the calls that were drawn with equal chances, in order of time. `e-sr`: while the mean failure is at
    most the acceptable one, false alarms are on average at least `days` apart over all streams together,
    however scores are distributed. `cusum` sees a rise sooner, takes the reference for the truth and days for
    normal, and holds `days` only if they are. The judge may have changed and not the answers: label some
    calls of the time before and after. Users with many calls make both alarm sooner than stated.

    Args:
        scores: SCORES of `llmops eval judge`, of one judge, on any engine.
        by: Any of `feature`, `tenant`, `prompt_version`, `model`, whose values are watched each for itself.
        reference_quality: Judge score that is usual, 0 to 1; that of the first `reference_days` where None,
            and alarms are of the time after.
        reference_days: Days that the reference is from.
        tolerance: Rise of failures that is still acceptable; the larger of 2 points and 1.645 standard errors
            of the reference where None. While the true level is beyond it, alarms are no false ones.
        days: Days between false alarms, all streams together.
        detector: `e-sr` or `cusum`.
        scorer: Scorer whose scores count.

    Raises:
        SchemaError: If scores have no chances or several judges, or a setting is no usable number.

    Source:
        Shin, Ramdas and Rinaldo, E-detectors (arXiv:2203.03532); Page, Biometrika 41 (1954), with Brook and
        Evans, Biometrika 59 (1972).
    """
    keys = _checked(by_columns(by), detector, days, reference_quality, tolerance)
    calls = judged_calls(scores, None, scorer=scorer, labels_from="sample")
    parts = calls.partition_by(keys, as_dict=True, maintain_order=True) if keys else {(): calls}
    each = days * max(len(parts), 1)
    alarm_rows: list[dict[str, Any]] = []
    stream_rows: list[dict[str, Any]] = []
    # A few dozen streams, each with a history of its own.
    for names, part in parts.items():
        name = dict(zip(keys, names, strict=True))
        stream = equal_chances(part).with_columns(failure=1 - pl.col("judgement"))
        watched, row = _watched(stream, reference_quality, reference_days, (tolerance, each, detector))
        found = [] if row["reason"] else alarms(watched, row.pop("watch"))
        told = {"reference_failure_share": row["reference_failure_share"]}
        before = [None, *(alarm.detected_at for alarm in found)]
        alarm_rows += [
            name | told | _columns(alarm) | {"is_news": last is None or alarm.started_at >= last + _QUIET}
            for alarm, last in zip(found, before, strict=False)
        ]
        stream_rows.append(name | row | {"alarm_count": len(found)})
    return QualityAlarms(
        _table(alarm_rows, keys, _ALARMS).sort("detected_at", *keys, nulls_last=True),
        _table(stream_rows, keys, _WATCHED).sort(
            "judged_count", *keys, descending=[True, *(False for _ in keys)]
        ),
        detector,
        days,
    )


def _checked(
    keys: list[str], detector: str, days: float, quality: float | None, tolerance: float | None
) -> list[str]:
    unknown = [key for key in keys if key not in STREAMS]
    wrong = {
        f"by={unknown}, expected any of {', '.join(STREAMS)}": bool(unknown),
        f"detector {detector!r}, expected 'e-sr' or 'cusum'": detector not in ("e-sr", "cusum"),
        f"days={days!r}, expected 5 to 100,000 days between false alarms": not 5 <= days <= 100_000,
        f"reference_quality={quality!r}, expected 0 to 1": quality is not None and not 0 <= quality <= 1,
        f"tolerance={tolerance!r}, expected 0 up to 1": tolerance is not None and not 0 <= tolerance < 1,
    }
    found = next((what for what, is_wrong in wrong.items() if is_wrong), None)
    if found is not None:
        msg = f"found {found}"
        raise SchemaError(msg)
    return keys


def _watched(
    stream: pl.DataFrame, quality: float | None, first_days: int, how: tuple[float | None, float, Detector]
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The calls that alarms may be of, and what is told of the stream."""
    tolerance, days, detector = how
    per_day = judged_per_day(stream)
    facts: dict[str, Any] = {
        "judged_count": stream.height,
        "judged_per_day": per_day,
        "last_judged_at": stream["started_at"].max(),
        "reference_failure_share": None if quality is None else 1 - quality,
        "reason": None,
    }
    rest = stream
    before = stream.clear()
    if quality is None and stream.height:
        until = stream["started_at"].min() + timedelta(days=first_days)  # type: ignore[operator]
        before, rest = (
            stream.filter(pl.col("started_at") < until),
            stream.filter(pl.col("started_at") >= until),
        )
    if quality is None and before.height < _LEAST_REFERENCE:
        return rest, facts | {"reason": "n_too_small"}
    reference = float(before["failure"].mean()) if quality is None else 1 - quality  # type: ignore[arg-type]
    allowed = tolerance if tolerance is not None else tolerance_of(before["failure"])
    watch = Watch(reference, allowed, days, detector)
    if watch.acceptable > MOST_ACCEPTABLE:
        return rest, facts | {"reference_failure_share": reference, "reason": "not_identifiable"}
    return rest, facts | {
        "watch": watch,
        "reference_failure_share": reference,
        "acceptable_failure_share": watch.acceptable if detector == "e-sr" else reference,
        "days_between_false_alarms": days,
        "calls_between_false_alarms": days * per_day,
    }


def _columns(alarm: Any) -> dict[str, Any]:
    return {
        name: getattr(alarm, name) for name in ("started_at", "detected_at", "failure_share", "call_count")
    }


def _table(rows: list[dict[str, Any]], keys: list[str], columns: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=pl.Schema([*((key, pl.String) for key in keys), *columns.items()]))
