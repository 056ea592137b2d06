"""What a call used, as polars expressions: the counts that are billed, and why some cannot be."""

from functools import reduce
from operator import add

import polars as pl

from llmops_lib.schema import MADE_INCLUSIVE, TOKEN_CONVENTION

ONE_HOUR_WRITES = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
"""Key of `attributes` that holds the part of `cache_write_tokens` that was written for an hour."""

SERVICE_TIER = "openai.response.service_tier"
"""Key of `attributes` that holds the service tier, whatever the provider."""

UNBILLED_OUTPUT = ("embeddings", "rerank")
"""Operations whose output is no text, so that a missing count of output tokens costs nothing."""

TEMPORARY = "_pricing_"
"""Prefix of the columns that pricing adds on the way and drops at the end."""

COUNTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def count(name: str) -> pl.Expr:
    """A token count of SPANS; null where unknown."""
    return pl.col(name).cast(pl.Int64, strict=False)


def attribute(key: str, where: pl.Expr | None = None) -> pl.Expr:
    """The text of a top key of `attributes`; null where absent.

    Few rows have the key, and a search for its text is far cheaper than parsing JSON, so only rows that
    hold the text (and meet `where`) are parsed.
    """
    attributes = pl.col("attributes").cast(pl.String)
    mentions = attributes.str.contains(f'"{key}"', literal=True)
    mentions = mentions if where is None else mentions & where
    return pl.when(mentions).then(attributes).str.json_path_match(f"$['{key}']")


def one_hour_writes() -> pl.Expr:
    """Tokens written to the prompt cache for an hour; null where none are stated."""
    stated = attribute(ONE_HOUR_WRITES, where=count("cache_write_tokens") > 0)
    return stated.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)


def is_made_inclusive() -> pl.Expr:
    """Whether the reader has added the cache tokens to the input."""
    note = f'"{TOKEN_CONVENTION}":"{MADE_INCLUSIVE}"'
    return pl.col("attributes").cast(pl.String).str.contains(note, literal=True).fill_null(value=False)


def other_input_tokens(made_inclusive: pl.Expr) -> pl.Expr:
    """The input if cache tokens stood the other way: without them where they were added, else with them.

    Args:
        made_inclusive: Whether the reader has added them.
    """
    cached = count("cache_read_tokens").fill_null(0) + count("cache_write_tokens").fill_null(0)
    return count("input_tokens") + pl.when(made_inclusive).then(-cached).otherwise(cached)


def impossible_usage(one_hour: pl.Expr, input_tokens: pl.Expr | None = None) -> pl.Expr:
    """Why the counts cannot be true, in words; null where they can.

    Args:
        one_hour: The 1-hour part of `cache_write_tokens`.
        input_tokens: In place of the column of that name.
    """
    input_tokens = count("input_tokens") if input_tokens is None else input_tokens
    output_tokens = count("output_tokens")
    read, write = count("cache_read_tokens").fill_null(0), count("cache_write_tokens").fill_null(0)
    reasoning = count("reasoning_tokens")
    negative = [_negative(name, count(name)) for name in COUNTS]
    return pl.coalesce(
        *negative,
        _negative("1-hour cache writes", one_hour),
        # Subtracted, because the sum of two forged counts could overflow.
        pl.when(read > input_tokens - write).then(
            _worded(
                "cache_read_tokens ({}) + cache_write_tokens ({}) > input_tokens ({})",
                read,
                write,
                input_tokens,
            )
        ),
        pl.when(one_hour > write).then(
            _worded("1-hour cache writes ({}) > cache_write_tokens ({})", one_hour, write)
        ),
        pl.when(reasoning > output_tokens).then(
            _worded("reasoning_tokens ({}) > output_tokens ({})", reasoning, output_tokens)
        ),
    )


def unknown_usage() -> pl.Expr:
    """Which count is missing, in words; null where all that is billed is known."""
    no_input = pl.col("input_tokens").is_null()
    is_billed = ~pl.col("operation").cast(pl.String).is_in(UNBILLED_OUTPUT)
    no_output = pl.col("output_tokens").is_null() & is_billed
    return (
        pl.when(no_input & pl.col("output_tokens").is_null())
        .then(pl.lit("usage unknown: the call states no token counts"))
        .when(no_input)
        .then(pl.lit("usage unknown: the call states no input_tokens"))
        .when(no_output)
        .then(pl.lit("usage unknown: the call states no output_tokens"))
    )


def cost_usd(one_hour: pl.Expr, input_tokens: pl.Expr | None = None) -> pl.Expr:
    """Counts times unit prices of the rate card, in USD; null where no rate was found.

    Args:
        one_hour: The 1-hour part of `cache_write_tokens`.
        input_tokens: In place of the column of that name.
    """
    return _tokens_usd(*_lines(one_hour, input_tokens).values()) + _rate("per_call_usd")


def cost_parts_usd(one_hour: pl.Expr) -> dict[str, pl.Expr]:
    """What input, its cache reads and writes, and output cost, in USD, by column of PRICED_COLUMNS.

    Args:
        one_hour: The 1-hour part of `cache_write_tokens`.
    """
    lines = _lines(one_hour)
    read, write = lines["read"], (lines["write"], lines["write_1h"])
    return {
        "input_cost_usd": _tokens_usd(lines["uncached"], read, *write),
        "cache_read_cost_usd": _tokens_usd(read),
        "cache_write_cost_usd": _tokens_usd(*write),
        "output_cost_usd": _tokens_usd(lines["output"], lines["reasoning"]),
    }


def _lines(one_hour: pl.Expr, input_tokens: pl.Expr | None = None) -> dict[str, pl.Expr]:
    input_tokens = count("input_tokens") if input_tokens is None else input_tokens
    read, write = count("cache_read_tokens").fill_null(0), count("cache_write_tokens").fill_null(0)
    reasoning, for_an_hour = count("reasoning_tokens").fill_null(0), one_hour.fill_null(0)
    return {
        "uncached": (input_tokens - read - write) * _rate("input_price"),
        "read": read * _rate("cache_read"),
        "write": (write - for_an_hour) * _rate("cache_write"),
        "write_1h": for_an_hour * _rate("cache_write_1h"),
        "output": (count("output_tokens").fill_null(0) - reasoning) * _rate("output_price"),
        "reasoning": reasoning * _rate("reasoning"),
    }


def _tokens_usd(*lines: pl.Expr) -> pl.Expr:
    return reduce(add, lines) / 1_000_000


def _rate(name: str) -> pl.Expr:
    return pl.col(f"{TEMPORARY}{name}")


def _negative(name: str, tokens: pl.Expr) -> pl.Expr:
    return pl.when(tokens < 0).then(_worded(f"{name} ({{}}) < 0", tokens))


def _worded(template: str, *counts: pl.Expr) -> pl.Expr:
    return pl.format(f"impossible usage: {template}", *counts)
