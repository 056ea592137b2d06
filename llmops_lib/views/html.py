"""A piece of HTML that a notebook shows; text only ever enters it escaped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup


@dataclass(frozen=True)
class Html:
    """HTML made by our own encoders.

    IPython's own `HTML` class also opens paths and addresses that it is given, so trace text
    could make it read a file (ipython issue 13870); this one only ever holds markup.

    Attributes:
        markup: Markup built with `markupsafe`, so that every value in it was escaped.
    """

    markup: Markup

    def _repr_html_(self) -> str:
        return str(self.markup)


def figured_list(
    rows: pl.DataFrame, item: Callable[[dict[str, Any]], Markup], *, caption: str, empty: str
) -> Html:
    """Rows as an ordered list, in the order given.

    Args:
        rows: What is listed.
        item: Makes the list item of one row.
        caption: What the rows have in common.
        empty: What is said where there are none.
    """
    if rows.is_empty():
        return Html(Markup('<p class="note">{}: {}</p>').format(caption, empty))
    items = Markup("").join(item(row) for row in rows.iter_rows(named=True))
    return Html(
        Markup('<figure class="calls"><figcaption>{}</figcaption><ol>{}</ol></figure>').format(caption, items)
    )
