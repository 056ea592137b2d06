"""What spans that are alike carry, as columns."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby, repeat
from typing import Any

import numpy as np
import polars as pl

from llmops_lib.sources.alike_checks import NANOSECONDS
from llmops_lib.sources.alike_kinds import Cell, Kind, Written
from llmops_lib.sources.carried import COST, NAMES, OWN_FIELDS, TEXTS
from llmops_lib.sources.json_cells import (
    json_texts,
    number_texts,
    parsed_numbers,
    quoted,
    rewritten,
    unmasked,
)
from llmops_lib.sources.json_skeletons import filled
from llmops_lib.sources.json_text import json_text
from llmops_lib.sources.json_tokens import Tokens
from llmops_lib.sources.messages import finish_reason_of, tool_calls_of
from llmops_lib.sources.otlp_values import any_value
from llmops_lib.sources.prototypes import WAIT_COLUMN
from llmops_lib.sources.refusals import Refused

__all__ = ["carried_cells", "finished"]

_FLOATS = (COST, WAIT_COLUMN)
_WHOLE = "^(?:0|-?[1-9][0-9]{0,17})$"


def carried_cells(tokens: Tokens, kinds: Sequence[Kind], rows: Sequence[np.ndarray]) -> pl.DataFrame:
    """Column -> what each span carries to it, as it is masked; `attributes` as JSON, null if unusual.

    Args:
        tokens: Of all spans.
        kinds: Kinds of spans, in their `order`.
        rows: The rows of the spans of each.
    """
    names = dict.fromkeys(chain(OWN_FIELDS, *(kind.columns for kind in kinds)))
    columns = {name: _column(tokens, [kind.columns.get(name) for kind in kinds], rows) for name in names}
    sizes = list(map(len, rows))
    alike = groupby(zip(kinds, rows, strict=True), key=lambda one: one[0].order)
    columns["attributes"] = pl.concat([_attributes(tokens, *zip(*some, strict=True)) for _, some in alike])
    # What is absent or empty was dropped from the row that all share.
    required = [(pl.col(name) != "").fill_null(value=True) for name in columns if name != "parent_span_id"]
    is_opaque = pl.Series(np.repeat([bool(kind.written) for kind in kinds], sizes))
    return pl.DataFrame(columns).with_columns(
        is_full=pl.all_horizontal(*required, pl.col("attributes").is_not_null() | ~is_opaque),
        has_total=pl.Series(np.repeat([kind.has_total for kind in kinds], sizes)),
        has_reason=pl.Series(np.repeat([kind.prototype.has_reason for kind in kinds], sizes)),
    )


def _column(tokens: Tokens, cells: Sequence[Cell | None], rows: Sequence[np.ndarray]) -> pl.Series:
    """What spans hold in one cell of each kind, null where there is none."""
    sizes = list(map(len, rows))
    given = [cell or Cell(-1) for cell in cells]
    places = np.repeat([cell.place for cell in given], sizes)
    index = pl.Series(tokens.starts[np.concatenate(rows)] + places)
    found = tokens.flat.gather(index.set(pl.Series(places < 0), None))
    if not any(cell.after or cell.before for cell in given):
        return found
    before, after = (np.repeat([getattr(cell, end) for cell in given], sizes) for end in ("before", "after"))
    length = found.str.len_chars().cast(pl.Int64) - pl.Series(before + after)
    return found.str.slice(pl.Series(before), length)


def _attributes(tokens: Tokens, kinds: Sequence[Kind], rows: Sequence[np.ndarray]) -> pl.Series:
    """`attributes` of spans of kinds of one `order`, null where one is unusual or all share them."""
    sizes = list(map(len, rows))
    number = np.repeat(np.arange(len(kinds)), sizes)
    if not kinds[0].written:
        return pl.repeat(None, len(number), dtype=pl.String, eager=True)
    parts: list[pl.Series] = []
    for slot in range(len(kinds[0].written) + 1):
        around = pl.Series([kind.prototype.template[slot] for kind in kinds], dtype=pl.String)
        parts.append(around.gather(number))
        if slot < len(kinds[0].written):
            parts.append(_json(tokens, [kind.written[slot] for kind in kinds], rows))
    return pl.select(pl.concat_str(list(map(pl.lit, parts)))).to_series()


def _json(tokens: Tokens, written: Sequence[Written], rows: Sequence[np.ndarray]) -> pl.Series:
    """Values made in one way as JSON text, null where one is unusual."""
    way = written[0].way
    if way == "constant":
        texts = pl.Series(["true" if one.leaf else "false" for one in written])
        return texts.gather(np.repeat(np.arange(len(written)), list(map(len, rows))))
    if way == "nested":
        return pl.concat([_nested(tokens, one, some) for one, some in zip(written, rows, strict=True)])
    found = _column(tokens, [one.cells[0] for one in written], rows)
    if way == "number":
        return number_texts(found)
    column = pl.col("cell")
    if way == "text":
        return found.to_frame("cell").select(pl.when(column != "").then(quoted(column))).to_series()
    pattern = _WHOLE if way == "whole" else NANOSECONDS
    return found.to_frame("cell").select(pl.when(column.str.contains(pattern)).then(column)).to_series()


def _nested(tokens: Tokens, written: Written, rows: np.ndarray) -> pl.Series:
    held: dict[int, Iterable[Any]] = {}
    for cell in written.cells:
        column = _column(tokens, [cell], [rows])
        held[cell.place] = parsed_numbers(column) if cell.place % 2 == 0 else _unmasked(column).to_list()
    values = zip(*held.values(), strict=True) if held else repeat((), len(rows))
    # A loop over rows, because what they hold may have any shape.
    texts = [_nested_text(written, dict(zip(held, row, strict=True))) for row in values]
    return pl.Series(texts, dtype=pl.String)


def _nested_text(written: Written, held: Mapping[int, Any]) -> str | None:
    try:
        return json_text([any_value({written.kind: filled(written.leaf, held)})])[1:-1]
    except Refused:
        return None


def _unmasked(texts: pl.Series) -> pl.Series:
    return texts.to_frame("cell").select(unmasked(pl.col("cell"))).to_series()


def finished(carried: pl.DataFrame) -> pl.DataFrame:
    """What spans carry as their columns hold it, but for counts and times, which stay digits.

    Args:
        carried: What `carried_cells` returns.
    """
    given = carried.columns
    texts = [json_texts(carried[name]).alias(name) for name in TEXTS if name in given]
    floats = [_floats(name, carried[name]) for name in _FLOATS if name in given]
    names = [unmasked(pl.col(name)) for name in NAMES if name in given]
    # Written anew, because a token keeps the texts of its whole block in memory.
    ids = [pl.concat_str(name, pl.lit("")).alias(name) for name in ("trace_id", "span_id")]
    parent = pl.concat_str(pl.when(pl.col("parent_span_id") != "").then("parent_span_id"), pl.lit(""))
    found = carried.with_columns(*texts, *floats, *names, *ids, parent.alias("parent_span_id"))
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
