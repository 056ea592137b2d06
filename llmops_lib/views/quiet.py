"""A time at which nothing was found: what was looked at, and how small a rise would have shown."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import UNKNOWN, count, share, usd
from llmops_lib.views.html import Html
from llmops_lib.views.tables import data_table

_MOMENT = "%a %-d %b %Y %H:%M UTC"
_NEAR_HOURS = 24.0


def quiet_summary(moment: datetime, incidents: pl.DataFrame, floors: pl.DataFrame) -> Html:
    """Whether an incident is near a moment, how much was looked at, and which one is nearest.

    Args:
        moment: UTC.
        incidents: What `find_incidents` returns, masked.
        floors: What `incident_floors` returns.

    Returns:
        Two sentences; every text in them is escaped.
    """
    nearest = min(incidents.to_dicts(), key=lambda one: _away(one, moment), default=None)
    known = f"the nearest began at {nearest['onset_at']:{_MOMENT}} ({nearest['metric']})" if nearest else ""
    said = f"No incident was found within a day of {moment:{_MOMENT}}."
    if nearest and _away(nearest, moment) <= _NEAR_HOURS:
        said = f"There is an incident at {moment:{_MOMENT}}: {known}. Its postmortem tells it."
    elif floors.is_empty():
        said = f"Nothing can be said of {moment:{_MOMENT}}: it lies in the first week of the data or outside."
    kinds = floors["metric"].str.split(": ").list.first().n_unique()
    looked = f"Looked at: {count(floors.height)} signals of {count(kinds)} kinds"
    others = f"Incidents in all of the data: {count(incidents.height)}{'; ' + known if known else ''}."
    return Html(Markup('<p class="summary">{}</p><p>{}. {}</p>').format(said, looked, others))


def floors_table(floors: pl.DataFrame, *, caption: str) -> Html:
    """What is usual of each signal, and from which size on a rise would have raised an alarm.

    Args:
        floors: What `incident_floors` returns, masked.
        caption: What they are of.
    """
    rows = [
        {
            "metric": row["metric"],
            "of": f"{row['dimension']}={row['value']}" if row["dimension"] else "all calls",
            "usual": UNKNOWN if row["usual"] is None else _usual(row),
            "noticed": _noticed(row),
        }
        for row in floors.iter_rows(named=True)
    ]
    labels = {"of": "Of", "usual": "Usual", "noticed": "Noticed from"}
    schema = dict.fromkeys(("metric", "of", "usual", "noticed"), pl.String)
    return data_table(pl.DataFrame(rows, schema=schema), caption=caption, labels=labels)


def _usual(row: Mapping[str, Any]) -> str:
    return f"{usd(row['usual'])} {row['unit'].removeprefix('USD ')}" if _is_usd(row) else share(row["usual"])


def _is_usd(row: Mapping[str, Any]) -> bool:
    return str(row["unit"]).startswith("USD")


def _noticed(row: Mapping[str, Any]) -> str:
    if _is_usd(row):
        return f"{usd(row['least_usd'])} more" if row["least_usd"] is not None else UNKNOWN
    seen = f"{count(row['seen_count'])} {row['unit']} in six hours"
    return (
        f"not even all of {seen}" if row["least_count"] is None else f"{count(row['least_count'])} of {seen}"
    )


def _away(incident: Mapping[str, Any], moment: datetime) -> float:
    """Hours from a moment to an incident, 0 within it."""
    end = incident["ended_at"] or incident["detected_at"]
    early, late = incident["onset_at"] - moment, moment - end
    return float(max(early.total_seconds(), late.total_seconds(), 0.0)) / 3600
