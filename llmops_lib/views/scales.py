"""Axes and colour scales that several charts share."""

from collections.abc import Sequence

import altair as alt

from llmops_lib.views.labels import REST_NAME, UNKNOWN_NAME
from llmops_lib.views.theme import REST_COLOUR, UNKNOWN_COLOUR, colours


def name_scale(names: Sequence[str]) -> alt.Scale:
    """A colour scale that holds every name, the unknown and the rest in grey."""
    fixed = {UNKNOWN_NAME: UNKNOWN_COLOUR, REST_NAME: REST_COLOUR}
    chosen = colours(name for name in names if name not in fixed)
    return alt.Scale(domain=list(names), range=[fixed.get(name) or chosen[name] for name in names])


def day_axis() -> alt.X:
    """One place per day, labelled with its weekday."""
    # Weekdays are what a reader compares; "utc" keeps Vega from shifting the date to the viewer's zone.
    weekday = "timeFormat(toDate(datum.value + 'T12:00'), '%a %-d %b')"
    return alt.X(
        "started_on:O", title=None, axis=alt.Axis(labelExpr=weekday, labelAngle=0, labelOverlap=True)
    )
