"""Which incident a postmortem is about, and which calls it is asked of."""

from typing import Any

import polars as pl

from llmops_lib.errors import NoIncidentError
from llmops_lib.signals.nearest import moment_of, nearest_incident


def chosen_incident(incidents: pl.DataFrame, spans: Any, around: str = "") -> pl.DataFrame:
    """The incident at, or nearest to, a moment or a trace; the one noticed last without either.

    Args:
        incidents: What `find_incidents` returns.
        spans: SPANS; uses `trace_id` and `started_at` where a trace is named.
        around: A time in ISO 8601 (UTC where it names no offset), the id of a trace, or nothing.

    Returns:
        One row.

    Raises:
        NoIncidentError: If there is none, or none within a day; the message lists those there are.
        IncidentError: If `around` is neither a time nor a trace.
    """
    if incidents.is_empty():
        msg = "found no incident; the data is as its own past lets expect, or begins less than a week before"
        raise NoIncidentError(msg)
    if not around:
        return incidents.sort("detected_at", "onset_at").tail(1)
    return nearest_incident(incidents, moment_of(spans, around))


def likeliest_where(causes: pl.DataFrame) -> dict[str, str]:
    """Columns and values of the first cause; nothing where there is none.

    Args:
        causes: What `explain_incident` returns.

    Example:
        >>> likeliest_where(pl.DataFrame({"columns": [["tenant"]], "values": [["acme"]]}))
        {'tenant': 'acme'}
    """
    if causes.is_empty():
        return {}
    row = causes.row(0, named=True)
    return dict(zip(row["columns"], row["values"], strict=True))
