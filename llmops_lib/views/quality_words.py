"""Reasons in a reader's words, and tables whose cells are written already."""

from collections.abc import Mapping, Sequence

import polars as pl

from llmops_lib.views.html import Html
from llmops_lib.views.tables import data_table

_REASONS = {
    "no_labels": "no labels",
    "n_too_small": "too few",
    "too_few_clusters": "fewer than 5 users",
    "few_clusters": "fewer than 20 users",
    "zero_variance": "all scores are alike",
    "not_identifiable": "the judge cannot tell good from bad well enough",
    "missing_judgements": "more than 2% without a judgement",
}


def reasons_in_words(reasons: str | None) -> str:
    """Reason codes as a reader reads them.

    Args:
        reasons: Codes with commas between; None without any.

    Example:
        >>> reasons_in_words("no_labels, few_clusters")
        'no labels, fewer than 20 users'
    """
    return ", ".join(_REASONS.get(one, one) for one in (reasons or "").split(", ") if one)


def plain_table(rows: Sequence[Mapping[str, str]], caption: str, *, empty: str = "None.") -> Html:
    """A table whose cells and headers are written already.

    Args:
        rows: By header, what stands in each cell.
        caption: What the table shows.
        empty: What is said in place of a table without rows.
    """
    names = {name: name for row in rows[:1] for name in row}
    return data_table(pl.DataFrame(rows), caption=caption, labels=names, empty=empty)
