"""What spans that are alike carry, as columns, and which of them carry something unusual."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any

import polars as pl

from llmops_lib.schema import UTC_DATETIME
from llmops_lib.sources.carried import COST, COUNTS, NAMES, OWN_COLUMNS, TEXTS, Layout
from llmops_lib.sources.checks import COUNT_LIMIT, NAME_LIMIT
from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.messages import finish_reason_of, tool_calls_of
from llmops_lib.sources.otlp_values import any_value
from llmops_lib.sources.prototypes import WAIT_COLUMN, Prototype
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import KNOWN_PAST_US

__all__ = ["UnlikeError", "carried_columns", "is_usual", "typed_columns"]

_TIMES = ("started_at", "ended_at")
_FLOATS = (COST, WAIT_COLUMN)
_DTYPES = {**dict.fromkeys(_FLOATS, pl.Float64()), "is_full": pl.Boolean()}
_PLAIN_KINDS = ("stringValue", "boolValue", "doubleValue")
_DIGITS = "^[0-9]{1,15}$"
_NANOSECONDS = "^1[0-9]{18}$"
_ID_PATTERNS = {"trace_id": "^[0-9a-f]{32}$", "span_id": "^[0-9a-f]{16}$", "parent_span_id": "^[0-9a-f]{16}$"}
_NO_ID = "0" * 16


class UnlikeError(Exception):
    """A value is of another kind than spans that are alike carry."""


def carried_columns(
    carried: Sequence[tuple[Any, ...]], layout: Layout, prototype: Prototype
) -> dict[str, list[Any]]:
    """Column -> what each span carries to it, counts and times as digits; None in place of what is unusual.

    Args:
        carried: What `layout.carried_by` returns, for spans that are alike.
        layout: Their layout.
        prototype: What they share.

    Raises:
        UnlikeError: If a value is of an unexpected kind.
    """
    columns = list(zip(*carried, strict=True))
    own, held = (
        columns[: len(OWN_COLUMNS)],
        dict(zip(layout.carried, columns[len(OWN_COLUMNS) :], strict=True)),
    )
    try:
        found = {name: _OWN[name](values) for name, values in zip(OWN_COLUMNS, own, strict=True)}
        for column, position in prototype.columns.items():
            found[column] = _READERS[column](held[position])
        if prototype.opaque:
            found["attributes"] = _attributes(held, layout, prototype)
        if "output" in prototype.columns:
            found |= _told_by_output(found["output"], has_reason=prototype.has_reason)
    except (TypeError, Refused) as error:
        raise UnlikeError from error
    found["is_full"] = _is_full(found)
    return found


def _is_full(found: Mapping[str, list[Any]]) -> list[bool]:
    # A value that is absent or empty was dropped from the row that all share.
    required = [values for name, values in found.items() if name not in _OPTIONAL and None in values]
    if not required:
        return [True] * len(found["trace_id"])
    return [None not in values for values in zip(*required, strict=True)]


_OPTIONAL = ("parent_span_id", "tool_calls", "finish_reason")


def _kinds(values: Sequence[Any]) -> set[type]:
    return set(map(type, values))


def _identifiers(values: Sequence[Any]) -> list[Any]:
    if not _kinds(values) <= {str, NoneType}:
        raise TypeError
    return [value or None for value in values]


def _digits(values: Sequence[Any]) -> list[str]:
    kinds = _kinds(values)
    if not kinds <= {str, int}:
        raise TypeError
    return list(values) if kinds == {str} else list(map(str, values))


def _texts(values: Sequence[Any]) -> list[str | None]:
    return [json_text(text) if text else None for text in _identifiers(values)]


def _numbers(values: Sequence[Any]) -> list[float]:
    if not _kinds(values) <= {int, float}:
        raise TypeError
    return list(map(float, values))


def _milliseconds(values: Sequence[Any]) -> list[float]:
    return [seconds * 1_000.0 for seconds in _numbers(values)]


_OWN: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    **dict.fromkeys(OWN_COLUMNS, _identifiers),
    **dict.fromkeys(_TIMES, _digits),
}
_READERS: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    **dict.fromkeys(NAMES, _identifiers),
    **dict.fromkeys(TEXTS, _texts),
    **dict.fromkeys(COUNTS, _digits),
    COST: _numbers,
    WAIT_COLUMN: _milliseconds,
}


def _attributes(held: Mapping[int, Sequence[Any]], layout: Layout, prototype: Prototype) -> list[str | None]:
    columns = [_decoded(held[position], layout.kinds[position]) for position in prototype.opaque.values()]
    names = tuple(prototype.opaque)
    return [
        None
        if None in values or "" in values
        else json_text({**prototype.rest, **dict(zip(names, values, strict=True))})
        for values in zip(*columns, strict=True)
    ]


def _decoded(values: Sequence[Any], kind: str) -> Sequence[Any]:
    return values if kind in _PLAIN_KINDS else [any_value({kind: value}) for value in values]


def _told_by_output(output: list[str | None], *, has_reason: bool) -> dict[str, list[Any]]:
    calls = [json_text(found) if (found := tool_calls_of(text)) else None for text in output]
    if has_reason:
        return {"tool_calls": calls}
    return {"tool_calls": calls, "finish_reason": [finish_reason_of(text) for text in output]}


def carried_frame(groups: Sequence[Mapping[str, list[Any]]]) -> pl.DataFrame:
    """The columns of groups one after the other, null where a group carries nothing to a column.

    Args:
        groups: What `carried_columns` returns, for each.
    """
    names = dict.fromkeys(chain.from_iterable(groups))
    return pl.DataFrame([_joined(name, groups) for name in names])


def _joined(name: str, groups: Sequence[Mapping[str, list[Any]]]) -> pl.Series:
    values: list[Any] = []
    for columns in groups:
        values += columns.get(name) or [None] * len(columns["trace_id"])
    return pl.Series(name, values, dtype=_DTYPES.get(name, pl.String()))


def typed_columns(carried: pl.DataFrame) -> list[pl.Expr]:
    """The columns that are carried as digits, as what they are.

    Args:
        carried: What `carried_columns` returns, of the spans for which `is_usual` holds.
    """
    whole = [pl.col(name).cast(pl.Int64) for name in COUNTS if name in carried.columns]
    return whole + [(pl.col(name).cast(pl.Int64) // 1_000).cast(UTC_DATETIME) for name in _TIMES]


def is_usual(carried: pl.DataFrame, *, has_total: pl.Series) -> pl.Series:
    """Whether what a span carries is what the checks of single values let pass unchanged.

    Args:
        carried: What `carried_columns` returns, null where a span carries nothing to a column.
        has_total: Whether a span states a total of tokens.
    """
    rules = [*_identity_rules(), *(_RULES[name](pl.col(name)) for name in carried.columns if name in _RULES)]
    rules += [pl.col("is_full"), _is_inclusive(carried.columns, has_total)]
    return carried.select(pl.all_horizontal(*rules)).to_series()


def _identity_rules() -> Iterator[pl.Expr]:
    for name, pattern in _ID_PATTERNS.items():
        is_id = pl.col(name).str.contains(pattern) & ~pl.col(name).str.starts_with(_NO_ID)
        yield is_id.fill_null(value=name == "parent_span_id")
    for name in _TIMES:
        digits = pl.col(name).str.contains(_NANOSECONDS)
        moment = pl.col(name).cast(pl.Int64, strict=False) // 1_000
        yield (digits & moment.is_between(*KNOWN_PAST_US)).fill_null(value=False)


def _is_name(column: pl.Expr) -> pl.Expr:
    return (column.str.len_bytes() <= NAME_LIMIT).fill_null(value=True)


def _is_count(column: pl.Expr) -> pl.Expr:
    count = pl.when(column.str.contains(_DIGITS)).then(column).cast(pl.Int64, strict=False)
    return column.is_null() | count.is_between(0, COUNT_LIMIT).fill_null(value=False)


def _is_positive(column: pl.Expr) -> pl.Expr:
    # A cost of 0 may mean that the writer knew no price.
    return column.is_null() | (column.is_finite() & (column > 0))


_RULES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    **dict.fromkeys((*NAMES, "finish_reason"), _is_name),
    **dict.fromkeys(COUNTS, _is_count),
    **dict.fromkeys(_FLOATS, _is_positive),
}


_COUNTED = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "input_tokens", "output_tokens")


def _is_inclusive(columns: Sequence[str], has_total: pl.Series) -> pl.Expr:
    """Whether cache and reasoning may be counted within input and output without a further look."""
    read, write, thought, given, answer = (
        pl.col(name).cast(pl.Int64, strict=False) if name in columns else pl.lit(None, dtype=pl.Int64)
        for name in (
            "cache_read_tokens",
            "cache_write_tokens",
            "reasoning_tokens",
            "input_tokens",
            "output_tokens",
        )
    )
    cached, thought = read.fill_null(0) + write.fill_null(0), thought.fill_null(0)
    is_plain = (cached == 0) & (thought == 0)
    is_within = (cached <= given.fill_null(0)) & (thought <= answer.fill_null(0))
    return is_plain | (is_within & ~pl.lit(has_total))
