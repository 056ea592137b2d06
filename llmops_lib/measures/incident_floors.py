"""What was watched where no incident was found, and how small a one would have been noticed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from llmops_lib.calls import portable
from llmops_lib.signals import WATCHED
from llmops_lib.signals.floors import noticed_from
from llmops_lib.signals.nearest import moment_of
from llmops_lib.signals.windows import known_time


@portable
def incident_floors(  # noqa: PLR0913 - what find_incidents takes, and the moment
    spans: Any,
    scores: Any = None,
    *,
    around: datetime | str = "",
    findings: Any = None,
    by: str | Sequence[str] = WATCHED,
    false_alarms_per_week: float = 0.25,
    least_excess_usd: float = 1.0,
) -> pl.DataFrame:
    """Every stream that `find_incidents` watches, with the smallest rise that it would have noticed.

    Args:
        spans: SPANS, as for `change_points`.
        scores: SCORES, likewise.
        around: A moment, a time in ISO 8601 (UTC where it names no offset), the id of a trace, or nothing:
            the last moment of the data.
        findings: Findings, as for `change_points`.
        by: Columns whose values are watched one by one.
        false_alarms_per_week: False alarms to be expected per week at the most.
        least_excess_usd: USD above what was usual below which a rise of spend is none.

    Returns:
        A polars DataFrame whatever came in, one row per stream: `metric`, `dimension`, `value`, `usual`
        (share, or USD), `seen_count` (in six hours, on average of the week before; null for spend),
        `least_count` (bad ones among them that would have raised an alarm, spread evenly over six hours;
        null where not even all of them would), `least_usd` (above the usual), `unit` (`calls`, `answers`,
        `runs`, `USD in an hour`, `USD in a day`). No rows where the moment lies in the first week of the
        data, of which nothing is said, or outside of it.

    Raises:
        IncidentError: If there is no span, or `around` is neither a time nor a trace.
    """
    return noticed_from(
        spans, scores, findings, by, at=asked_moment(spans, around),
        false_alarms_per_week=false_alarms_per_week, least_excess_usd=least_excess_usd,
    )  # fmt: skip


def asked_moment(spans: Any, around: datetime | str = "") -> datetime:
    """The moment that is asked about, UTC; the last of the data where none is."""
    return moment_of(spans, around) if around else known_time(spans)[1]
