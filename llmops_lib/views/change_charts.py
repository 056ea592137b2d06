"""Charts and words that answer why spend changed."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import count, usd
from llmops_lib.views.html import Html
from llmops_lib.views.labels import label
from llmops_lib.views.scales import money_axis
from llmops_lib.views.tables import data_table
from llmops_lib.views.theme import BAD_COLOUR, PALETTE, Drawing

LESS_COLOUR = PALETTE[2]
"""Money saved."""

_CAUSES = {
    "volume_effect_usd": "the number of calls",
    "mix_effect_usd": "which features and models they went to",
    "input_effect_usd": "input tokens per call",
    "output_effect_usd": "output tokens per call",
    "cache_effect_usd": "cache reads and writes",
    "price_effect_usd": "the price of a token",
    "retry_effect_usd": "attempts that failed and were made again",
}
_COMPARED = ("spend_usd_before", "spend_usd_after", "spend_usd_change")
_PERIODS = {"spend_usd_before": "Spend before"}
_COLOURS = {"total": PALETTE[0], "more": BAD_COLOUR, "less": LESS_COLOUR}


def explain_change_chart(change: pl.DataFrame, *, before: str, after: str) -> Drawing:
    """A waterfall from the spend of one period to that of the next.

    Args:
        change: The one total row of `explain_change`; one whose `state` is not `in both` draws nothing, since
            what is new or unpriced has no causes: `explain_change_note` says so.
        before: Name of the earlier period.
        after: Name of the later period.

    Returns:
        Horizontal bars on an axis that holds zero: the spend before, each effect where the last one ended,
        the spend after.
    """
    comparable = change.filter(state="in both")
    rows = [step for row in comparable.iter_rows(named=True) for step in _steps(row, before, after)]
    steps = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    names = steps["step"].to_list()
    room = max([1e-9, *steps["high_usd"]]) * 1.35
    least = min([0.0, *steps["low_usd"]])
    chart = alt.Chart(steps)
    y = alt.Y("step:N", sort=names, title=None)
    x = alt.X(
        "low_usd:Q",
        title="Spend (USD)",
        axis=money_axis(room, grid=True),
        scale=alt.Scale(domain=[least, room], nice=False),
    )
    colours = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    bars = chart.mark_bar(height={"band": 0.62}).encode(
        y=y, x=x, x2="high_usd:Q", color=alt.Color("kind:N", scale=colours, legend=None)
    )
    notes = chart.mark_text(align="left", dx=8).encode(y=y, x="high_usd:Q", text="note:N")
    return alt.layer(bars, notes).properties(
        title=alt.TitleParams(
            f"From the spend of {before} to that of {after}",
            subtitle="Each bar starts where the one above it ended; the bars between add up to the change",
        ),
        description=f"Waterfall: spend in US dollars of {before}, what changed it, and that of {after}.",
        height=alt.Step(32),
    )


_SCHEMA = {
    "step": pl.String,
    "low_usd": pl.Float64,
    "high_usd": pl.Float64,
    "kind": pl.String,
    "note": pl.String,
}


def _steps(row: dict[str, Any], before: str, after: str) -> list[tuple[str, float, float, str, str]]:
    reached = row["spend_usd_before"]
    steps = [(before, 0.0, reached, "total", usd(reached))]
    for column in _CAUSES:
        start, reached = reached, reached + row[column]
        kind = "more" if row[column] > 0 else "less"
        steps.append((label(column), min(start, reached), max(start, reached), kind, signed(row[column])))
    return [*steps, (after, 0.0, row["spend_usd_after"], "total", usd(row["spend_usd_after"]))]


def signed(value: float) -> str:
    """US dollars with their sign; nothing is neither more nor less.

    Example:
        >>> signed(1.5), signed(-0.25), signed(1e-15)
        ('+$1.50', '-$0.25', '$0.00')
    """
    written = usd(value)
    return f"+{written}" if value > 0 and written != usd(0.0) else written


def explain_change_note(change: pl.DataFrame, *, before: str, after: str) -> Html:
    """What the split of a change can and cannot say, in words.

    Args:
        change: The one total row of `explain_change`.
        before: Name of the earlier period.
        after: Name of the later period.

    Returns:
        A paragraph that names the largest cause, or says that there is nothing to compare with; a second one
        where calls without a price are in neither sum.
    """
    row = change.row(0, named=True)
    unpriced = [row["unpriced_count_before"], row["unpriced_count_after"]]
    notes = [_told(row, before, after)]
    if any(unpriced):
        notes.append(
            f"Calls without a price are in neither sum: {count(unpriced[0])} of {before} and "
            f"{count(unpriced[1])} of {after}."
        )
    return Html(Markup("").join(Markup('<p class="note">{}</p>').format(note) for note in notes))


def _told(row: dict[str, Any], before: str, after: str) -> str:
    plain = {
        "new": f"{before} has no calls, so that there is nothing to compare {after} with.",
        "gone": f"{after} has no calls.",
        "no calls": f"Neither {before} nor {after} has calls.",
        "unpriced": f"No call of {before} or {after} has a known cost: there is no change to explain.",
        "unpriced before": f"No call of {before} has a known cost, so that the change is not known.",
        "unpriced after": f"No call of {after} has a known cost, so that the change is not known.",
    }
    if row["state"] in plain:
        return plain[row["state"]]
    largest = max(_CAUSES, key=lambda column: abs(row[column]))
    return (
        f"Spend changed by {signed(row['spend_usd_change'])}. The largest part of it: "
        f"{_CAUSES[largest]}, {signed(row[largest])}."
    )


def explain_change_tables(changes: Mapping[str, pl.DataFrame]) -> Html:
    """The split of the change for each value of several dimensions, one table each.

    Args:
        changes: What `explain_change` returns by one dimension, by the name of the dimension.

    Returns:
        Tables that open, the largest change first, at most thirty rows each.
    """
    tables = [
        Markup("<details><summary>By {}</summary>{}</details>").format(
            label(name).lower(),
            data_table(change.select(name, "state", *_COMPARED, *_CAUSES).head(30), labels=_PERIODS).markup,
        )
        for name, change in changes.items()
    ]
    return Html(Markup("").join(tables))
