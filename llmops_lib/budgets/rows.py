"""What the rows about a budget have in common, whether they look at now or at the past."""

import polars as pl

from llmops_lib.budgets.declared import Budget
from llmops_lib.schema import UTC_DATETIME

WINDOW_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "budget": pl.String,
    "tenant": pl.String,
    "feature": pl.String,
    "user_id": pl.String,
    "model": pl.String,
    "window": pl.String,
    "window_start_at": UTC_DATETIME,
    "window_end_at": UTC_DATETIME,
    "call_count": pl.Int64,
    "unknown_count": pl.Int64,
    "spent_usd": pl.Float64,
    "spent_tokens": pl.Int64,
    "limit_usd": pl.Float64,
    "limit_tokens": pl.Int64,
    "spent_share": pl.Float64,
    "state": pl.String,
}
"""Columns of a row about one budget, one value that it holds for, and one window."""


def declared_columns(budget: Budget) -> list[pl.Expr]:
    """What the budget itself says, as columns of its rows."""
    return [
        pl.lit(budget.name).alias("budget"),
        pl.lit(budget.window).alias("window"),
        pl.lit(budget.limit_usd, pl.Float64).alias("limit_usd"),
        pl.lit(budget.limit_tokens, pl.Int64).alias("limit_tokens"),
        *(pl.lit(value).alias(name) for name, value in budget.where.items()),
    ]


def names_its_value(budget: Budget) -> pl.Expr:
    """Whether a row names a value of each dimension of `each`: else nobody knows whose limit it counts on."""
    return pl.all_horizontal(pl.lit(value=True), *(pl.col(name).is_not_null() for name in budget.each))
