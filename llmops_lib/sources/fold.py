"""One provider call, one span: which model-call spans repeat another, and what becomes of them.

A call is written more than once by two instrumentations (an SDK's own span inside or beside that of
an instrumentor: twins) and by wrappers that repeat the usage of the calls inside them (roll-ups).
`twins` and `rollups` find them; here they stop being calls. Retries and repeated questions, which
are calls of their own, come one after the other or under one name, and stay.
"""

import polars as pl

from llmops_lib.sources.ancestry import jumps
from llmops_lib.sources.inherit import INHERITED
from llmops_lib.sources.rollups import fold_rollups
from llmops_lib.sources.twins import fold_twins

FOLDED_INTO = "llmops.folded_into"
"""Attribute of a folded span: id of the span that is its call, or the first of its calls."""

FOLDED_USAGE = "llmops.folded_usage"
"""Attribute of a folded span: the counts and the cost that it stated."""

USAGE = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "reported_cost_usd",
)
"""Columns that a folded span loses to its attributes."""

CHANGED = ("operation", "is_model_call", *USAGE, "attributes")
"""Columns that folding changes in the span that is folded."""

TAKEN = (
    *INHERITED,
    "time_to_first_token_ms",
    "finish_reason",
    "is_streaming",
    "error_type",
    "error_message",
    "http_status",
    "request_id",
    "prompt_name",
    "prompt_version",
    "prompt_hash",
    "input",
    "output",
    "system_instructions",
    "tool_calls",
    "feedback_score",
    "tags",
)
"""Columns in which a call takes what only its folded twin states, such as the messages."""


def fold_repeated_calls(rows: pl.DataFrame, parents: pl.Series) -> pl.DataFrame:
    """The same rows, with `is_model_call` true on one span per provider call.

    A folded span becomes `other`. The counts that it stated move into its attributes, where also stands
    which span is its call, so that folded spans can be counted. A call takes from its twin what it does
    not state itself: often one has the counts and the other the messages.

    Args:
        rows: SPANS columns, each key once.
        parents: What `parent_rows` returns.

    Returns:
        The rows in their order.
    """
    if not _has_repeats(rows):
        return rows
    generations = jumps(parents)
    targets = pl.Series([None], dtype=pl.Int64).new_from_index(0, rows.height)
    targets = fold_twins(rows, parents, generations, targets)
    rows = _completed(rows, targets)
    targets = fold_rollups(rows, parents, generations, targets)
    return _folded(rows, _last_targets(targets)) if targets.null_count() < rows.height else rows


def _has_repeats(rows: pl.DataFrame) -> bool:
    traces = rows["trace_id"].filter(rows["is_model_call"])
    return traces.n_unique() < traces.len()


def _completed(rows: pl.DataFrame, targets: pl.Series) -> pl.DataFrame:
    twins = rows.with_columns(kept=targets).filter(pl.col("kept").is_not_null())
    if twins.is_empty():
        return rows
    stated = twins.sort("started_at", "span_id").group_by("kept").agg(pl.col(TAKEN).drop_nulls().first())
    taken = rows.select(kept=pl.int_range(pl.len())).join(
        stated, on="kept", how="left", maintain_order="left"
    )
    return rows.with_columns(pl.coalesce(name, pl.lit(taken[name])).alias(name) for name in TAKEN)


def _last_targets(targets: pl.Series) -> pl.Series:
    # A span folded into one that is then folded itself belongs to the last of them.
    onward = targets.gather(targets)
    while onward.null_count() < onward.len():
        targets = targets.zip_with(onward.is_null(), onward)
        onward = targets.gather(targets)
    return targets


def _folded(rows: pl.DataFrame, targets: pl.Series) -> pl.DataFrame:
    is_folded = pl.lit(targets).is_not_null()
    target_id = rows["span_id"].gather(targets).alias("")
    # A struct is written as {"":"id"}.
    quoted_id = target_id.to_frame().select(
        pl.struct(pl.all()).struct.json_encode().str.slice(4).str.strip_suffix("}")
    )
    stated = pl.concat_str(
        [pl.concat_str(pl.lit(f'"{name}":'), pl.col(name).cast(pl.String)) for name in USAGE],
        separator=",",
        ignore_nulls=True,
    )
    facts = pl.concat_str(
        pl.lit(f'"{FOLDED_INTO}":'),
        pl.lit(quoted_id.to_series()),
        pl.lit(f',"{FOLDED_USAGE}":{{'),
        stated,
        pl.lit("}"),
    )
    own = pl.col("attributes").str.strip_chars().str.slice(1).str.strip_suffix("}").str.strip_chars()
    attributes = pl.concat_str(
        pl.lit("{"),
        pl.concat_str(pl.when(own != "").then(own), facts, separator=",", ignore_nulls=True),
        pl.lit("}"),
    )
    return rows.with_columns(
        pl.when(is_folded).then(pl.lit("other")).otherwise("operation").alias("operation"),
        pl.col("is_model_call") & ~is_folded,
        *(pl.when(~is_folded).then(name).alias(name) for name in USAGE),
        pl.when(is_folded).then(attributes).otherwise("attributes").alias("attributes"),
    )
