"""Axes and colour scales that several charts share."""

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from llmops_lib.schema import REST_NAME
from llmops_lib.views.labels import UNKNOWN_NAME
from llmops_lib.views.theme import REST_COLOUR, UNKNOWN_COLOUR, colours


def name_scale(names: Sequence[str]) -> alt.Scale:
    """A colour scale that holds every name, the unknown and the rest in grey."""
    fixed = {UNKNOWN_NAME: UNKNOWN_COLOUR, REST_NAME: REST_COLOUR}
    chosen = colours(name for name in names if name not in fixed)
    return alt.Scale(domain=list(names), range=[fixed.get(name) or chosen[name] for name in names])


def day_axis(days: Sequence[str] | None = None) -> alt.X:
    """One place per day, labelled with its weekday.

    Args:
        days: Every day of the axis (text dates, in order); without them, those of the data.
    """
    # Weekdays are what a reader compares; noon keeps Vega from shifting the date to another zone's day.
    weekday = "timeFormat(toDate(datum.value + 'T12:00'), '%a %-d %b')"
    axis = alt.Axis(labelExpr=weekday, labelAngle=0, labelOverlap=True)
    scale = alt.Scale() if days is None else alt.Scale(domain=list(days))
    return alt.X("started_on:O", title=None, axis=axis, scale=scale)


def money_axis(largest: float | None, **options: Any) -> alt.Axis:
    """An axis of US dollars with as many decimals as its largest value needs.

    Vega's own short form writes a tenth of a cent as $100µ and five cents as $50m.

    Args:
        largest: Largest value on the axis, USD; None where there is none.
        **options: Further options of the axis.
    """
    return alt.Axis(**money_format(largest), **options)


def money_format(largest: float | None) -> dict[str, Any]:
    """The options of `money_axis` for a specification that is written by hand."""
    magnitude = largest or 1.0
    decimals = 2 if magnitude >= 0.1 else 1 - math.floor(math.log10(magnitude))
    written = "$~s" if magnitude >= 10_000 else f"$,.{min(decimals, 9)}~f"
    return {"format": written, "tickCount": 5}
