"""How much of the input stands behind the figures."""

import polars as pl

from llmops_lib.views.formats import count, share
from llmops_lib.views.html import Html
from llmops_lib.views.tables import facts_table


def account_of_rows(files: pl.DataFrame, headline: pl.DataFrame) -> Html:
    """What was read, what became of it, and how many calls of the period have no price.

    Args:
        files: One row per file: `rows_read`, `span_count`, `quarantined_count`.
        headline: One row of the period: `call_count`, `unpriced_count`, `unpriced_share`.

    Returns:
        Named facts; rows read are spans and quarantined rows together.
    """
    names = ("rows_read", "span_count", "quarantined_count")
    read, spans, refused = (sum(files[name].to_list()) for name in names)
    calls = headline.row(0, named=True)
    return facts_table(
        {
            "Files": count(files.height),
            "Rows read": count(read),
            "Spans": count(spans),
            "Quarantined rows": f"{count(refused)} ({share(refused / read if read else None)})",
            "Model calls in this period": count(calls["call_count"]),
            "Calls without a price": f"{count(calls['unpriced_count'])} ({share(calls['unpriced_share'])})",
        }
    )
