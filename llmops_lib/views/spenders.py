"""The largest spenders of several dimensions: against the period before, in numbers, and by example."""

from collections.abc import Sequence

import polars as pl
from markupsafe import Markup

from llmops_lib.views.calls_list import calls_list
from llmops_lib.views.html import Html
from llmops_lib.views.labels import label
from llmops_lib.views.picture import figure_markup
from llmops_lib.views.spend_charts import spend_change_chart
from llmops_lib.views.tables import data_table

_DRAWN = 10
_BY_SPEND = (
    "spend_usd",
    "spend_share",
    "call_count",
    "unpriced_count",
    "cost_per_call_usd",
    "tokens_per_call",
)
_BY_TOKENS = (
    "tokens_per_call",
    "input_tokens_per_call",
    "output_tokens_per_call",
    "call_count",
    "cost_per_call_usd",
    "spend_usd",
)


def spender_figures(
    dimensions: Sequence[str],
    *,
    rankings: pl.DataFrame,
    change: pl.DataFrame,
    examples: pl.DataFrame,
    n: int,
) -> Html:
    """The largest spenders of each dimension.

    Args:
        dimensions: Column names, in the order in which they are shown.
        rankings: Rows per `dimension` and `value` with `spend_rank`, `tokens_rank` and what
            `spender_rankings` returns with them.
        change: Rows per `dimension` and `value`, in order, with `spend_usd_after`, `spend_usd_before`,
            `spend_usd_change_share`.
        examples: Calls per `dimension` and `value` with `spend_usd` and what a list of calls shows.
        n: How many of each ranking are shown.

    Returns:
        Per dimension: spend against the period before, the ranking by spend, the ranking by tokens per call,
        and calls to look at; the last two open.
    """
    tables = {"rankings": rankings, "change": change, "examples": examples}
    parts = [
        _figures(name, n, **{key: table.filter(dimension=name) for key, table in tables.items()})
        for name in dimensions
    ]
    return Html(Markup("").join(parts))


def _figures(
    name: str, n: int, *, rankings: pl.DataFrame, change: pl.DataFrame, examples: pl.DataFrame
) -> Markup:
    title = label(name)
    known = change.filter(pl.col("spend_usd_after").is_not_null() | pl.col("spend_usd_before").is_not_null())
    drawn = figure_markup(spend_change_chart(known.head(_DRAWN).rename({"value": name}), name).to_dict())
    listed = calls_list(
        examples, caption="The most expensive call of each", empty="No call that names one has a known cost."
    )
    return Markup(
        "<h3>{}</h3>{}{}<details><summary>By tokens per call</summary>{}</details>"
        "<details><summary>Calls to look at</summary>{}</details>"
    ).format(
        title,
        drawn if known.height else "",
        _ranked(rankings, name, "spend_rank", _BY_SPEND, n),
        _ranked(rankings, name, "tokens_rank", _BY_TOKENS, n),
        listed.markup,
    )


def _ranked(rankings: pl.DataFrame, name: str, rank: str, columns: Sequence[str], n: int) -> Markup:
    top = rankings.filter(pl.col(rank) <= n).sort(rank).rename({"value": name})
    empty = {
        "spend_rank": "no call has a known cost.",
        "tokens_rank": "none has enough calls with token counts.",
    }
    caption = f"{label(name)} by {'spend' if rank == 'spend_rank' else 'tokens per call'}"
    return data_table(top.select(name, *columns), caption=caption, empty=empty[rank]).markup
