"""One row per span: which of several rows of the same span is kept."""

import polars as pl

from llmops_lib.schema import SPANS
from llmops_lib.sources.table_mapping import PROVENANCE

KEY = list(SPANS.key)
_CONTENT = [name for name in (*SPANS.names, "feature_hint") if name not in (*PROVENANCE, *KEY)]


def best_first(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows ordered so that of one span the row to keep comes first.

    That is the last by `ended_at`, then the fullest (most values, then most text). The order is total,
    down to the content and the place in the files, so that it does not depend on the order of reading.

    Args:
        rows: SPANS columns, `feature_hint` and any others.
    """
    texts = [name for name in _CONTENT if rows.schema[name] == pl.String]
    ranked = rows.with_columns(
        pl.sum_horizontal(pl.col(_CONTENT).is_not_null()).alias("_values"),
        pl.sum_horizontal(pl.col(texts).str.len_bytes()).alias("_size"),
        pl.struct(_CONTENT).struct.json_encode().alias("_content"),
    )
    rank = {
        "ended_at": True,
        "_values": True,
        "_size": True,
        "_content": True,
        "source_file": False,
        "source_line": False,
    }
    ordered = ranked.sort(
        [*KEY, *rank], descending=[False, False, *rank.values()], nulls_last=True, maintain_order=True
    )
    return ordered.drop("_values", "_size", "_content")


def split_repeated(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of spans that occur once, and the rows of those that occur more often."""
    if rows.height == rows.select(KEY).n_unique():
        return rows, rows.clear()
    is_repeated = pl.len().over(KEY) > 1
    return rows.filter(~is_repeated), rows.filter(is_repeated)
