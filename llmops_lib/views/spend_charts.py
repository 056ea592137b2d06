"""Charts that answer where the money went."""

import altair as alt
import polars as pl

from llmops_lib.views.formats import change, usd
from llmops_lib.views.labels import label, named
from llmops_lib.views.scales import day_axis, money_axis, name_scale
from llmops_lib.views.theme import Drawing


def daily_spend_chart(
    daily: pl.DataFrame, dimension: str, *, previous: pl.DataFrame | None = None
) -> Drawing:
    """Spend per day, stacked by one dimension, with a mark at the same day of the period before.

    Args:
        daily: One row per day and group: `started_on` (text date), the dimension, `spend_usd` (USD).
        dimension: Column that colours the stack; the largest group stands at the bottom.
        previous: One row per day of the period before, same columns; its total is drawn as a mark.

    Returns:
        A bar chart with a zero baseline.
    """
    days = daily["started_on"].unique().sort().to_list()
    rows = named(daily.filter(pl.col("spend_usd") > 0), dimension)
    totals = rows.group_by(dimension).agg(pl.col("spend_usd").sum())
    names = totals.sort(["spend_usd", dimension], descending=[True, False])[dimension].to_list()
    ranks = pl.DataFrame(
        {dimension: names, "rank": range(len(names))}, schema_overrides={dimension: pl.String}
    )
    bars = (
        alt.Chart(
            rows.join(ranks, on=dimension, how="left").select("started_on", dimension, "spend_usd", "rank")
        )
        .mark_bar()
        .encode(
            x=day_axis(days),
            y=alt.Y("spend_usd:Q", title="Spend (USD per day)", axis=money_axis(_largest_day(rows))),
            color=alt.Color(f"{dimension}:N", title=None, scale=name_scale(names)),
            order=alt.Order("rank:Q"),
        )
    )
    has_previous = previous is not None and not previous.is_empty()
    layers = [bars, _previous_marks(days, previous)] if has_previous and previous is not None else [bars]
    return alt.layer(*layers).properties(
        title=alt.TitleParams(
            f"Spend per day by {label(dimension).lower()}",
            subtitle="The mark across each bar is the total of the same day one period before"
            if has_previous
            else "",
        ),
        description=f"Stacked bars: spend in US dollars per day by {label(dimension).lower()}.",
        height=260,
    )


def _previous_marks(days: list[str], previous: pl.DataFrame) -> alt.Chart:
    before = previous.group_by("started_on").agg(pl.col("spend_usd").sum()).sort("started_on")
    # The first day is compared with the first, so that Monday stands beside Monday.
    pairs = list(zip(days, before["spend_usd"], strict=False))
    paired = pl.DataFrame(pairs, schema={"started_on": pl.String, "spend_usd": pl.Float64}, orient="row")
    marks: alt.Chart = alt.Chart(paired).mark_tick(width={"band": 0.5})
    return marks.encode(x=day_axis(days), y=alt.Y("spend_usd:Q"))


def _largest_day(rows: pl.DataFrame) -> float | None:
    totals = rows.group_by("started_on").agg(pl.col("spend_usd").sum())["spend_usd"]
    return max(totals.to_list(), default=None)


def spend_change_chart(change_table: pl.DataFrame, dimension: str) -> Drawing:
    """Spend of each group against the period before: a bar for now, a mark for then.

    Args:
        change_table: One row per group: the dimension, `spend_usd_after`, `spend_usd_before`,
            `spend_usd_change_share` (share of the period before), in order.
        dimension: Column that names the groups.

    Returns:
        A horizontal bar chart with a zero baseline, groups in the order of the table.
    """
    shown = named(change_table, dimension).with_columns(
        pl.max_horizontal("spend_usd_after", "spend_usd_before").fill_null(0).alias("note_at"),
        pl.struct("spend_usd_after", "spend_usd_before", "spend_usd_change_share")
        .map_elements(
            _note,
            return_dtype=pl.String,
        )
        .alias("note"),
    )
    names = shown[dimension].to_list()
    room = _room_for_notes(shown["note_at"])
    chart = alt.Chart(shown)
    y = alt.Y(f"{dimension}:N", sort=names, title=None)
    bars = chart.mark_bar(height={"band": 0.62}).encode(
        y=y,
        x=alt.X(
            "spend_usd_after:Q",
            title="Spend (USD)",
            axis=money_axis(room, grid=True),
            scale=alt.Scale(domain=[0, room]),
        ),
        color=alt.Color(f"{dimension}:N", scale=name_scale(names), legend=None),
    )
    marks = chart.mark_tick(height={"band": 0.8}).encode(y=y, x="spend_usd_before:Q")
    notes = chart.mark_text(align="left", dx=8).encode(y=y, x="note_at:Q", text="note:N")
    return alt.layer(bars, marks, notes).properties(
        title=alt.TitleParams(
            f"Spend by {label(dimension).lower()}",
            subtitle="Bar: this period. Mark: the period before. Percent: the change",
        ),
        description=f"Bars: spend in US dollars by {label(dimension).lower()}, against the period before.",
        height=alt.Step(30),
    )


def _note(row: dict[str, float | None]) -> str:
    now, before = row["spend_usd_after"], row["spend_usd_before"]
    if now is None:
        return "none now" if before is not None else "cost unknown"
    return f"{usd(now)}  {'new' if before is None else change(row['spend_usd_change_share'])}"


def _room_for_notes(values: pl.Series) -> float:
    # A note stands right of the longest bar; almost as much axis again holds it on a phone too.
    largest = values.max()
    return largest * 1.9 if isinstance(largest, float) and largest > 0 else 1.0
