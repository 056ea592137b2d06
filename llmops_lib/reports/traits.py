"""Traces of a report on quality by what they are like, and those of the last days apart from the rest."""

from datetime import timedelta

import polars as pl

from llmops_lib.measures.trace_traits import trace_traits
from llmops_lib.safety import with_input_text
from llmops_lib.schema import SPANS
from llmops_lib.stats.seeds import seeded_generator

MOST_TRACES = 5_000
"""Traces that are looked at, drawn with equal chances of more."""


def drawn_traits(spans: pl.LazyFrame | None, *, feature: str = "", most: int = MOST_TRACES) -> pl.DataFrame:
    """`trace_traits` of traces drawn with equal chances; of none where there are no spans.

    Args:
        spans: SPANS of whole traces.
        feature: Traces with a span of this feature; empty: all.
        most: Most traces.
    """
    every = SPANS.empty().lazy() if spans is None else spans
    wanted = every.filter(feature=feature) if feature else every
    ids = wanted.select(pl.col("trace_id").unique()).collect()["trace_id"].sort()
    if len(ids) > most:
        drawn = seeded_generator("drawn_traits/1", ids).choice(len(ids), most, replace=False)
        ids = ids.gather(sorted(drawn))
    rows = every.filter(pl.col("trace_id").is_in(ids.implode())).collect()
    asked = rows.filter(pl.col("is_model_call") & pl.col("input").is_not_null())
    first = asked.sort("started_at", "span_id").unique("trace_id", keep="first", maintain_order=True)
    texts = with_input_text(first).select("trace_id", "span_id", "text")
    return trace_traits(rows.join(texts, on=["trace_id", "span_id"], how="left"))


def recent_and_before(traits: pl.DataFrame, *, days: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Traces of the last days, and those before them.

    Args:
        traits: `trace_traits`.
        days: How many days, the day of the last trace included (UTC).

    Example:
        >>> from datetime import UTC, datetime
        >>> times = [datetime(2026, 11, day, 9, tzinfo=UTC) for day in (1, 2, 3)]
        >>> [part.height for part in recent_and_before(pl.DataFrame({"started_at": times}), days=2)]
        [2, 1]
    """
    on = pl.col("started_at").dt.date()
    is_recent = on > on.max() - timedelta(days=days)
    return traits.filter(is_recent), traits.filter(~is_recent)
