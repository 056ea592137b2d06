"""What spans that are alike carry, as columns."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import polars as pl

from llmops_lib.sources.carried import COST, COUNTS, NAMES, OWN_FIELDS, TEXTS, Layout
from llmops_lib.sources.json_cells import (
    json_texts,
    number_texts,
    parsed_numbers,
    quoted,
    rewritten,
    unmasked,
)
from llmops_lib.sources.json_skeletons import filled, token_of, tokens_in
from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.messages import finish_reason_of, tool_calls_of
from llmops_lib.sources.otlp_forms import Form
from llmops_lib.sources.otlp_values import any_value
from llmops_lib.sources.prototypes import WAIT_COLUMN, Prototype
from llmops_lib.sources.refusals import Refused

__all__ = ["UnlikeError", "carried_cells", "finished"]

_TIMES = ("started_at", "ended_at")
_FLOATS = (COST, WAIT_COLUMN)
_WHOLE = "^(?:0|-?[1-9][0-9]{0,17})$"


class UnlikeError(Exception):
    """A value is of another kind than spans that are alike carry."""


def carried_cells(
    cells: pl.DataFrame, form: Form, layout: Layout, prototypes: Sequence[Prototype], numbers: pl.Series
) -> pl.DataFrame:
    """Column -> what each span carries to it, as it is masked; `attributes` as JSON, null if unusual.

    Args:
        cells: The tokens of spans.
        form: Their form.
        layout: Their layout.
        prototypes: What they share, those of one `destinations`.
        numbers: The number of the prototype of each span.

    Raises:
        UnlikeError: If a value is of an unexpected kind.
    """
    prototype = prototypes[0]
    found = {name: _own(form, name, form.span.get(field)) for name, field in OWN_FIELDS.items()}
    for column, position in prototype.columns.items():
        found[column] = _carried(form, column, form.values[position])
    if prototype.opaque:
        places = prototype.opaque.values()
        written = [_json(cells, form, layout.kinds[place], form.values[place]) for place in places]
        found["attributes"] = _attributes(written, prototypes, numbers)
    # What is absent or empty was dropped from the row that all share.
    required = [
        (column != "").fill_null(value=False) for name, column in found.items() if name != "parent_span_id"
    ]
    return cells.select(
        **found,
        is_full=pl.all_horizontal(required),
        has_total=pl.lit(layout.has_total),
        has_reason=pl.lit(prototype.has_reason),
    )


def _own(form: Form, name: str, leaf: Any) -> pl.Expr:
    if leaf is None and name == "parent_span_id":
        return pl.lit(None, dtype=pl.String)
    return _number(form, leaf) if name in _TIMES and type(leaf) is int else _string(leaf)


def _carried(form: Form, column: str, leaf: Any) -> pl.Expr:
    is_number = type(leaf) is int
    if is_number != (column in _FLOATS) and column not in COUNTS:
        raise UnlikeError
    return _number(form, leaf) if is_number else _string(leaf)


def _string(leaf: Any) -> pl.Expr:
    if not isinstance(leaf, str):
        raise UnlikeError
    return pl.col(str(token_of(leaf)))


def _number(form: Form, leaf: int) -> pl.Expr:
    place = token_of(leaf)
    token = form.between[place // 2]
    if token.count("0") != 1:
        raise UnlikeError
    before, _, after = token.partition("0")
    column = pl.col(str(place)).str.slice(len(before))
    return column.str.head(-len(after)) if after else column


def _json(cells: pl.DataFrame, form: Form, kind: str, leaf: Any) -> pl.Expr:
    """The values of an attribute as JSON text, null where one is unusual."""
    if isinstance(leaf, bool):
        return pl.lit("true" if leaf else "false")
    if isinstance(leaf, dict | list):
        return pl.lit(_nested(cells, form, kind, leaf))
    if type(leaf) is int:
        return pl.lit(number_texts(cells.select(_number(form, leaf)).to_series()))
    column = _string(leaf)
    if kind == "intValue":
        return pl.when(column.str.contains(_WHOLE)).then(column)
    return pl.when(column != "").then(quoted(column))


def _nested(cells: pl.DataFrame, form: Form, kind: str, leaf: Any) -> pl.Series:
    tokens = list(tokens_in(leaf))
    columns = cells.select(
        (unmasked(pl.col(str(token))) if token % 2 else _number(form, token)).alias(str(token))
        for token in tokens
    )
    pairs = zip(tokens, columns, strict=True)
    held = [column.to_list() if token % 2 else parsed_numbers(column) for token, column in pairs]
    rows = zip(*held, strict=True) if tokens else repeat((), cells.height)
    # A loop over rows, because what they hold may have any shape.
    texts = [_nested_text(kind, filled(leaf, dict(zip(tokens, row, strict=True)))) for row in rows]
    return pl.Series(texts, dtype=pl.String)


def _nested_text(kind: str, value: Any) -> str | None:
    try:
        return json_text([any_value({kind: value})])[1:-1]
    except Refused:
        return None


def _attributes(written: Sequence[pl.Expr], prototypes: Sequence[Prototype], numbers: pl.Series) -> pl.Expr:
    parts = list(zip(*(prototype.template for prototype in prototypes), strict=True))
    differ = {str(number): part for number, part in enumerate(parts) if len(set(part)) > 1}
    own = pl.DataFrame(differ)[numbers].to_dict() if differ else {}
    around = [own.get(str(number), part[0]) for number, part in enumerate(parts)]
    pairs = zip(map(pl.lit, around), [*written, pl.lit("")], strict=True)
    return pl.concat_str(column for pair in pairs for column in pair)


def finished(carried: pl.DataFrame) -> pl.DataFrame:
    """What spans carry as their columns hold it, but for counts and times, which stay digits.

    Args:
        carried: What `carried_cells` returns.
    """
    given = carried.columns
    texts = [json_texts(carried[name]).alias(name) for name in TEXTS if name in given]
    floats = [_floats(name, carried[name]) for name in _FLOATS if name in given]
    names = [unmasked(pl.col(name)) for name in NAMES if name in given]
    parent = pl.when(pl.col("parent_span_id") != "").then("parent_span_id").alias("parent_span_id")
    found = carried.with_columns(*texts, *floats, *names, parent)
    return found.with_columns(_told_by_output(found)) if "output" in given else found


def _floats(name: str, texts: pl.Series) -> pl.Series:
    rows = texts.is_not_null().arg_true()
    per_unit = 1_000.0 if name == WAIT_COLUMN else 1.0
    values = [value * per_unit for value in map(float, parsed_numbers(texts.gather(rows)))]
    return pl.repeat(None, texts.len(), dtype=pl.Float64, eager=True).alias(name).scatter(rows, values)


def _told_by_output(carried: pl.DataFrame) -> list[pl.Series]:
    output = carried["output"]
    nothing = pl.repeat(None, output.len(), dtype=pl.String, eager=True)
    has_calls = output.str.contains("tool_call", literal=True)
    may_tell = output.str.contains("finish_reason", literal=True) & ~carried["has_reason"]
    return [
        rewritten(nothing, output, has_calls, _tool_calls).alias("tool_calls"),
        rewritten(nothing, output, may_tell, finish_reason_of).alias("finish_reason"),
    ]


def _tool_calls(output: str) -> str | None:
    calls = tool_calls_of(output)
    return json_text(calls) if calls else None
