"""Spend along several dimensions: for each a chart of the days and one against the period before."""

from collections.abc import Sequence

import polars as pl
from markupsafe import Markup

from llmops_lib.views.html import Html
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
    return Html(Markup("").join(_figures(daily, change, name, previous=previous) for name in dimensions))


def _figures(daily: pl.DataFrame, change: pl.DataFrame, name: str, *, previous: pl.DataFrame) -> Markup:
    days = daily.filter(dimension=name).rename({"value": name})
    groups = change.filter(dimension=name).rename({"value": name})
    shown = groups.head(10)
    table = data_table(
        groups.select(name, *(column for column in _CHANGE_COLUMNS if column in groups.columns)).head(100)
    )
    return Markup("{}{}<details><summary>All numbers</summary>{}</details>").format(
        figure_markup(daily_spend_chart(days, name, previous=previous).to_dict()),
        figure_markup(spend_change_chart(shown, name).to_dict()),
        table.markup,
    )
