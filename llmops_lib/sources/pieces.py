"""Rows as columns: a piece of a file is checked and converted column by column.

What `checks` says of one value holds. A column whose values all have the plain type that they should
have passes at once, which is nearly every column of a clean export; in any other column each value is
looked at alone.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any

import polars as pl

from llmops_lib.schema import MODEL_OPERATIONS, OPERATIONS, SPANS, UTC_DATETIME
from llmops_lib.sources.checks import COLUMNS, COUNT_LIMIT, NAME_LIMIT, REQUIRED, checked_value
from llmops_lib.sources.refusals import Refused
from llmops_lib.sources.times import KNOWN_PAST_US

__all__ = ["DTYPES", "Failures", "checked_columns", "checked_series", "with_all", "with_derived"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
DTYPES = {name: SPANS.polars_schema.get(name, pl.String()) for name in COLUMNS}
_NO_ID = "0" * 16
# What making a series of values raises that are not what they seem: lone surrogates, integers over 64 bits.
_UNFIT = (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError)

Failures = dict[int, dict[str, Refused]]
"""Why a value cannot be right, by the number of its row and its column."""


def checked_columns(rows: Sequence[Mapping[str, Any]]) -> tuple[pl.DataFrame, dict[int, Refused]]:
    """The rows that can be right, as a frame of `COLUMNS`, and why each of the others cannot.

    Args:
        rows: SPANS columns and `feature_hint` to values, as `checks.checked_row` takes them.

    Returns:
        The frame, and by the number of a row the refusal that `checked_row` would raise for it.
    """
    failures: Failures = {}
    given: set[str] = set().union(*rows)
    names = [name for name in COLUMNS if name in given or name in REQUIRED]
    frame = pl.DataFrame([checked_series(name, [row.get(name) for row in rows], failures) for name in names])
    for name in REQUIRED:
        if frame[name].null_count():
            for number in frame[name].is_null().arg_true():
                failures.setdefault(number, {}).setdefault(name, Refused("missing_field", name))
    frame = with_derived(with_all(frame))
    if not failures:
        return frame, {}
    kept = [number for number in range(len(rows)) if number not in failures]
    return frame[kept], {number: _first(rows[number], failures[number]) for number in sorted(failures)}


def _first(row: Mapping[str, Any], failed: Mapping[str, Refused]) -> Refused:
    # A row is checked in its own order, and for what is missing at last.
    given = (name for name in row if name in failed and row[name] is not None and row[name] != "")
    return failed[next(given, None) or next(name for name in REQUIRED if name in failed)]


def with_all(frame: pl.DataFrame) -> pl.DataFrame:
    """`COLUMNS`, null where the frame has none of the name.

    Args:
        frame: Some of `COLUMNS`, each value checked.
    """
    absent = [name for name in COLUMNS if name not in frame.columns]
    nothing = [pl.lit(None, dtype=DTYPES[name]).alias(name) for name in absent]
    return frame.with_columns(nothing).select(COLUMNS)


def with_derived(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with latency, model and the flags worked out, as `checks.checked_row` does for one.

    Args:
        frame: `COLUMNS`, each value checked.
    """
    return frame.with_columns(_derived(frame))


def _derived(frame: pl.DataFrame) -> list[pl.Expr | pl.Series]:
    micros = (frame["ended_at"] - frame["started_at"]).cast(pl.Float64)
    # By a scalar, polars multiplies with the reciprocal, which is a last digit off for every tenth value.
    latency_ms = micros / pl.repeat(1_000.0, frame.height, eager=True)
    operation = frame["operation"].fill_null("other")
    return [
        pl.when(frame["ended_at"].is_null())
        .then("latency_ms")
        .when(latency_ms >= 0)
        .then(latency_ms)
        .alias("latency_ms"),
        pl.coalesce("response_model", "request_model", "model").alias("model"),
        operation,
        frame["is_model_call"].zip_with(
            frame["is_model_call"].is_not_null(), operation.is_in(MODEL_OPERATIONS)
        ),
        frame["is_error"].fill_null(value=False),
    ]


def checked_series(name: str, values: list[Any] | pl.Series, failures: Failures) -> pl.Series:
    """The values of a column, null where one cannot be right.

    Args:
        name: One of `checks.COLUMNS`.
        values: As `checks.checked_value` takes them, or None; a series of texts.
        failures: Takes what is refused.
    """
    types: set[type] = {str} if isinstance(values, pl.Series) else set(map(type, values))
    if types <= {NoneType}:
        return pl.repeat(None, len(values), dtype=DTYPES[name], eager=True).alias(name)
    if (plain := _PLAIN.get(name)) is not None:
        try:
            series = plain(name, values, types - {NoneType})
        except _UNFIT:
            series = None
        if series is not None:
            return series
    return _one_by_one(name, list(values), failures)


def _one_by_one(name: str, values: list[Any], failures: Failures) -> pl.Series:
    checked: list[Any] = []
    for number, value in enumerate(values):
        try:
            checked.append(None if value is None or value == "" else checked_value(name, value))
        except Refused as refused:
            checked.append(None)
            # Its traceback would keep all these values in memory.
            failures.setdefault(number, {})[name] = refused.with_traceback(None)
    dtype = DTYPES[name]
    if dtype == UTC_DATETIME:
        return pl.Series(name, _micros(checked), dtype=pl.Int64).cast(dtype)
    return pl.Series(name, checked, dtype=dtype)


def _micros(moments: list[Any]) -> list[int | None]:
    # polars takes five times as long for datetimes as for the integers behind them.
    return [None if moment is None else (moment - _EPOCH) // _MICROSECOND for moment in moments]


def _texts(name: str, values: Any, types: set[type]) -> pl.Series | None:
    if types != {str}:
        return None
    series = pl.Series(name, values, dtype=pl.String)
    is_empty = series == ""
    return series.set(is_empty, None) if is_empty.any() else series


def _names(name: str, values: Any, types: set[type]) -> pl.Series | None:
    series = _texts(name, values, types)
    longest = 0 if series is None else series.str.len_bytes().max()
    return series if not isinstance(longest, int) or longest <= NAME_LIMIT else None


def _identifiers(name: str, values: Any, types: set[type]) -> pl.Series | None:
    series = _names(name, values, types)
    if series is None:
        return None
    is_none = series.str.starts_with(_NO_ID)
    return series if not is_none.any() or series.filter(is_none).str.strip_chars("0").ne("").all() else None


def _operations(name: str, values: Any, types: set[type]) -> pl.Series | None:
    return _texts(name, values, types) if _OPERATION_VALUES.issuperset(values) else None


_OPERATION_VALUES = frozenset((*OPERATIONS, None, ""))


def _whole(lowest: int, highest: int) -> Callable[[str, Any, set[type]], pl.Series | None]:
    def counts(name: str, values: Any, types: set[type]) -> pl.Series | None:
        if types != {int}:
            return None
        series = pl.Series(name, values, dtype=DTYPES[name])
        return series if series.is_between(lowest, highest).all() else None

    return counts


def _numbers(name: str, values: Any, types: set[type]) -> pl.Series | None:
    if types != {float}:
        return None
    series = pl.Series(name, values, dtype=pl.Float64)
    return series if series.is_finite().all() else None


def _durations(name: str, values: Any, types: set[type]) -> pl.Series | None:
    series = _numbers(name, values, types)
    return None if series is None else series.set(series < 0, None)


def _flags(name: str, values: Any, types: set[type]) -> pl.Series | None:
    return pl.Series(name, values, dtype=pl.Boolean) if types == {bool} else None


def _moments(name: str, values: Any, types: set[type]) -> pl.Series | None:
    if types == {int}:
        series = pl.Series(name, values, dtype=pl.Int64) // 1_000
    elif types == {datetime} and all(value is None or value.tzinfo is UTC for value in values):
        series = pl.Series(name, _micros(values), dtype=pl.Int64)
    else:
        return None
    # Integers in any unit but nanoseconds lie outside.
    return series.cast(UTC_DATETIME) if series.is_between(*KNOWN_PAST_US).all() else None


_BY_DTYPE = {
    pl.String(): _names,
    pl.Int64(): _whole(0, COUNT_LIMIT),
    pl.Float64(): _numbers,
    pl.Boolean(): _flags,
    UTC_DATETIME: _moments,
}
_JSON = ("input", "output", "system_instructions", "tool_calls", "attributes")
_PLAIN = {
    name: plain
    for name, dtype in DTYPES.items()
    if (plain := _BY_DTYPE.get(dtype)) is not None and name not in _JSON
}
_PLAIN |= {
    "trace_id": _identifiers,
    "span_id": _identifiers,
    "parent_span_id": _identifiers,
    "operation": _operations,
    "error_message": _texts,
    "latency_ms": _durations,
    "time_to_first_token_ms": _durations,
    "http_status": _whole(100, 599),
}
