"""What would cost less, as a list: the saving first, what it rests on last."""

from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import UNKNOWN, counted, share, usd
from llmops_lib.views.html import Html

_PLACES = ("feature", "prompt_name", "model")


def suggestions_list(suggestions: pl.DataFrame) -> Html:
    """Savings in the order given, each with the calls that it concerns and its assumption.

    Args:
        suggestions: Rows with `suggestion`, `feature`, `prompt_name`, `model`, `call_count`, `spend_usd` (USD
            of these calls), `saving_usd` (null: unknown), `saving_share`, `how`.

    Returns:
        An ordered list.
    """
    caption = "Suggestions by what they would have saved this month"
    if suggestions.is_empty():
        empty = "none: no call has a known cost that could be lower."
        return Html(Markup('<p class="note">{}: {}</p>').format(caption, empty))
    items = Markup("").join(_item(row) for row in suggestions.iter_rows(named=True))
    return Html(
        Markup('<figure class="calls"><figcaption>{}</figcaption><ol>{}</ol></figure>').format(caption, items)
    )


def _item(row: dict[str, Any]) -> Markup:
    return Markup(
        '<li><p class="figures"><strong>{}</strong> {} · {}</p><p class="ids">{} · {}</p></li>'
    ).format(
        usd(row["saving_usd"]) if row["saving_usd"] is not None else "saving unknown",
        _part_of(row),
        row["suggestion"],
        Markup(" · ").join(Markup("{}").format(row[name] or UNKNOWN) for name in _PLACES),
        row["how"],
    )


def _part_of(row: dict[str, Any]) -> str:
    calls = counted(row["call_count"], "call")
    if row["spend_usd"] is None:
        return f"on {calls} of unknown cost"
    return f"of {usd(row['spend_usd'])} ({share(row['saving_share'])}) on {calls}"
