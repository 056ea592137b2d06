"""Spend along several dimensions: for each a chart of the days and one against the period before."""

from collections.abc import Sequence

import polars as pl
from markupsafe import Markup

from llmops_lib.views.html import Html
from llmops_lib.views.labels import label
from llmops_lib.views.picture import figure_markup
from llmops_lib.views.spend_charts import daily_spend_chart, spend_change_chart
from llmops_lib.views.tables import data_table

_CHANGE_COLUMNS = (
    "spend_usd_after",
    "spend_usd_before",
    "spend_usd_change",
    "spend_usd_change_share",
    "call_count_after",
)


def spend_breakdown_figures(
    dimensions: Sequence[str], *, daily: pl.DataFrame, change: pl.DataFrame, previous: pl.DataFrame
) -> Html:
    """Every dimension of a spend breakdown as figures, with the numbers behind them.

    Args:
        dimensions: Column names, in the order in which they are shown.
        daily: Rows per `dimension`, `value` and `started_on` with `spend_usd` (USD); few values each.
        change: Rows per `dimension` and `value`, in order, with `spend_usd_after`, `spend_usd_before`,
            `spend_usd_change`, `spend_usd_change_share`, `call_count_after`.
        previous: Total `spend_usd` per `started_on` of the period before.

    Returns:
        Per dimension: spend per day, spend against the period before, and a table that opens.
    """
    if change["spend_usd_after"].null_count() == change.height:
        note = Markup(
            '<p class="note">No call of this period has a known cost, so there is no spend to draw.</p>'
        )
        return Html(note + Markup("").join(_numbers(change, name) for name in dimensions))
    return Html(Markup("").join(_figures(daily, change, name, previous=previous) for name in dimensions))


def _figures(daily: pl.DataFrame, change: pl.DataFrame, name: str, *, previous: pl.DataFrame) -> Markup:
    days = daily.filter(dimension=name).rename({"value": name})
    groups = change.filter(dimension=name).rename({"value": name})
    return Markup("{}{}<details><summary>All numbers</summary>{}</details>").format(
        figure_markup(daily_spend_chart(days, name, previous=previous).to_dict()),
        figure_markup(spend_change_chart(groups.head(10), name).to_dict()),
        _numbers(change, name),
    )


def _numbers(change: pl.DataFrame, name: str) -> Markup:
    groups = change.filter(dimension=name).rename({"value": name})
    columns = [column for column in _CHANGE_COLUMNS if column in groups.columns]
    return data_table(
        groups.select(name, *columns).head(100), caption=f"Spend by {label(name).lower()}"
    ).markup
