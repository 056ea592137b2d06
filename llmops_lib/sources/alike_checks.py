"""Which spans carry what the checks of single values let pass unchanged."""

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from llmops_lib.schema import UTC_DATETIME
from llmops_lib.sources.carried import COST, COUNTS, NAMES, TEXTS
from llmops_lib.sources.checks import COUNT_LIMIT, NAME_LIMIT
from llmops_lib.sources.prototypes import WAIT_COLUMN
from llmops_lib.sources.times import KNOWN_PAST_US

__all__ = ["NANOSECONDS", "is_usual", "typed", "with_numbers"]

_TIMES = ("started_at", "ended_at")
_FLOATS = (COST, WAIT_COLUMN)
_DIGITS = "^[0-9]{1,15}$"
NANOSECONDS = "^1[0-9]{18}$"
"""Pattern of times of this century."""

_ID_PATTERNS = {"trace_id": "^[0-9a-f]{32}$", "span_id": "^[0-9a-f]{16}$", "parent_span_id": "^[0-9a-f]{16}$"}
_NO_ID = "0" * 16
_NUMBER = "_number"


def with_numbers(carried: pl.DataFrame) -> pl.DataFrame:
    """The same rows, with further columns of the counts, and the times in microseconds, as numbers.

    Args:
        carried: What `finished` returns.
    """
    counts = [_number(name, _DIGITS) for name in _counts(carried)]
    return carried.with_columns(*counts, *(_number(name, NANOSECONDS) // 1_000 for name in _TIMES))


def _counts(carried: pl.DataFrame) -> list[str]:
    return [name for name in COUNTS if name in carried.columns]


def _number(name: str, pattern: str) -> pl.Expr:
    digits = pl.col(name)
    return (
        pl.when(digits.str.contains(pattern)).then(digits).cast(pl.Int64, strict=False).alias(name + _NUMBER)
    )


def typed(carried: pl.DataFrame) -> pl.DataFrame:
    """The columns that are carried as digits, as what they are, and no others that are none of a row.

    Args:
        carried: What `with_numbers` returns, of the spans for which `is_usual` holds.
    """
    counts = [pl.col(name + _NUMBER).alias(name) for name in _counts(carried)]
    times = [pl.col(name + _NUMBER).cast(UTC_DATETIME).alias(name) for name in _TIMES]
    return carried.with_columns(*counts, *times).drop(f"^.*{_NUMBER}$", "is_full", "has_total", "has_reason")


def is_usual(carried: pl.DataFrame) -> pl.Series:
    """Whether what a span carries is what the checks of single values let pass unchanged.

    Args:
        carried: What `with_numbers` returns.
    """
    rules = [*_identity_rules(), *(_RULES[name](pl.col(name)) for name in carried.columns if name in _RULES)]
    rules += [pl.col("is_full"), _is_inclusive(carried.columns)]
    return carried.select(pl.all_horizontal(*rules)).to_series()


def _identity_rules() -> Iterator[pl.Expr]:
    for name, pattern in _ID_PATTERNS.items():
        is_id = pl.col(name).str.contains(pattern) & ~pl.col(name).str.starts_with(_NO_ID)
        yield is_id.fill_null(value=name == "parent_span_id")
    for name in _TIMES:
        yield pl.col(name + _NUMBER).is_between(*KNOWN_PAST_US).fill_null(value=False)


def _is_name(column: pl.Expr) -> pl.Expr:
    return (column.str.len_bytes() <= NAME_LIMIT).fill_null(value=True)


def _is_count(column: pl.Expr) -> pl.Expr:
    count = pl.col(column.meta.output_name() + _NUMBER)
    return column.is_null() | count.is_between(0, COUNT_LIMIT).fill_null(value=False)


def _is_conventional(column: pl.Expr) -> pl.Expr:
    # As `contents.names_messages_without_parts` says of single texts.
    has_role, has_parts = (column.str.contains(name, literal=True) for name in ('"role"', '"parts"'))
    return (~has_role | has_parts).fill_null(value=True)


def _is_positive(column: pl.Expr) -> pl.Expr:
    # A cost of 0 may mean that the writer knew no price.
    return column.is_null() | (column.is_finite() & (column > 0))


_RULES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    **dict.fromkeys((*NAMES, "finish_reason"), _is_name),
    **dict.fromkeys(COUNTS, _is_count),
    **dict.fromkeys(TEXTS, _is_conventional),
    **dict.fromkeys(_FLOATS, _is_positive),
}


_COUNTED = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "input_tokens", "output_tokens")


def _is_inclusive(columns: Sequence[str]) -> pl.Expr:
    """Whether cache and reasoning may be counted within input and output without a further look."""
    read, write, thought, given, answer = (
        pl.col(name + _NUMBER) if name in columns else pl.lit(None, dtype=pl.Int64) for name in _COUNTED
    )
    cached, thought = read.fill_null(0) + write.fill_null(0), thought.fill_null(0)
    is_plain = (cached == 0) & (thought == 0)
    is_within = (cached <= given.fill_null(0)) & (thought <= answer.fill_null(0))
    return is_plain | (is_within & ~pl.col("has_total"))
