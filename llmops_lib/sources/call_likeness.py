"""When two model-call spans can be the same call: columns prepared once, conditions on pairs of them."""

from datetime import UTC, datetime

import polars as pl

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

FACTS = (
    "row",
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "request_id",
    "request_model",
    "response_model",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "is_error",
    "started_at",
    "ended_at",
    "last_at",
)
"""Columns of `call_facts`."""


def call_facts(rows: pl.DataFrame, targets: pl.Series) -> pl.DataFrame:
    """The spans that still are model calls, with what tells whether two are the same.

    Args:
        rows: SPANS columns.
        targets: Row into which each row was folded, or null.

    Returns:
        The columns of `FACTS`: `row` is the row number, `kind` the operation (both kinds of text
        generation alike), `last_at` the end, which is far off for a span that is still open.
    """
    text_kinds = pl.col("operation").replace("text_completion", "chat")
    is_call = rows["is_model_call"] & targets.is_null()
    facts = rows.with_columns(
        pl.int_range(pl.len()).alias("row"),
        text_kinds.alias("kind"),
        last_at=pl.max_horizontal("started_at", pl.col("ended_at").fill_null(_NEVER)),
    )
    return facts.select(FACTS).filter(is_call)


def pairs(calls: pl.DataFrame, first: pl.Series, second: pl.Series) -> pl.DataFrame:
    """The facts of pairs of calls side by side, those of the second with the suffix `_2`."""
    facts = calls.select(FACTS)
    return (
        pl.DataFrame({"row": first, "row_2": second})
        .join(facts, on="row", how="inner", maintain_order="left")
        .join(facts.rename(lambda name: f"{name}_2"), on="row_2", how="inner", maintain_order="left")
    )


def is_same_model() -> pl.Expr:
    """Whether a pair names a common model; one side may know only what was asked for, or what answered."""
    names, names_2 = ("request_model", "response_model"), ("request_model_2", "response_model_2")
    same = [pl.col(name) == pl.col(name_2) for name in names for name_2 in names_2]
    return (pl.any_horizontal(same) & (pl.col("kind") == pl.col("kind_2"))).fill_null(value=False)


def names_no_model(suffix: str = "") -> pl.Expr:
    """Whether one of a pair names no model."""
    return pl.all_horizontal(pl.col(f"request_model{suffix}", f"response_model{suffix}").is_null())


def is_same_usage() -> pl.Expr:
    """Whether a pair states the same token counts, or neither states any.

    One side may leave out the thoughts that the other counts: instrumentations of Gemini differ in that.
    """
    answer, answer_2 = pl.col("output_tokens"), pl.col("output_tokens_2")
    thought, thought_2 = pl.col("reasoning_tokens"), pl.col("reasoning_tokens_2")
    beside = (answer + thought_2 == answer_2) & thought.is_null()
    beside_2 = (answer_2 + thought == answer) & thought_2.is_null()
    is_same_answer = answer.eq_missing(answer_2) | (beside | beside_2).fill_null(value=False)
    return pl.col("input_tokens").eq_missing(pl.col("input_tokens_2")) & is_same_answer


def has_no_usage(suffix: str = "") -> pl.Expr:
    """Whether one of a pair states no token counts."""
    return pl.all_horizontal(pl.col(f"input_tokens{suffix}", f"output_tokens{suffix}").is_null())


def has_other_id() -> pl.Expr:
    """Whether a pair has two response ids that differ."""
    return (pl.col("request_id") != pl.col("request_id_2")).fill_null(value=False)


def is_inside() -> pl.Expr:
    """Whether the first of a pair ran within the time of the second."""
    return (pl.col("started_at") >= pl.col("started_at_2")) & (pl.col("last_at") <= pl.col("last_at_2"))


def is_around() -> pl.Expr:
    """Whether the second of a pair ran within the time of the first."""
    return (pl.col("started_at") <= pl.col("started_at_2")) & (pl.col("last_at") >= pl.col("last_at_2"))
