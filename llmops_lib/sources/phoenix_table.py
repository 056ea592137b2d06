"""Rows of a Phoenix dataframe, whatever it was saved as, in the shape of its REST API.

`get_spans_dataframe` leaves some attributes nested and flattens the rest into columns. Where one span
lacks a value, pandas turns a column of counts into floats; CSV turns nested cells into Python's own
notation; Parquet gives every struct the keys of all.
"""

import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from llmops_lib.sources.notation import from_notation

_PREFIX = "attributes."
_INDEX = re.compile(r"__index_level_\d+__|Unnamed: \d+|index|")
_FIELDS = (
    "name",
    "span_kind",
    "parent_id",
    "start_time",
    "end_time",
    "status_code",
    "status_message",
    "events",
    "context.span_id",
    "context.trace_id",
)
# Columns whose cells are lists or dicts even where they look like JSON; text columns such as
# input.value may hold Python notation too, and then it is their text.
_NESTED = re.compile(
    r"events|attributes\.(?:metadata|tag\.tags|tool\.parameters|llm\.(?:input_messages|output_messages|tools"
    r"|prompts|choices|prompt_template\.variables)|embedding\.embeddings|retrieval\.documents"
    r"|reranker\.(?:input|output)_documents|gen_ai|http)"
)
_TEXT = re.compile(r"name|status_message|attributes\..*(?:value|template|content|text|message)")
_NOTATION = re.compile(r"\{'|\[[\[{']")
_COUNTS = re.compile(r"attributes\.(?:llm\.(?:token_count|cost)|gen_ai\.usage|http)\..*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?")
_ABSENT_PARENTS = ("nan", "NaN", "None", "null")


def is_table_row(row: Mapping[str, Any]) -> bool:
    """Whether a record is a row of a dataframe of spans."""
    return "context.span_id" in row or "context.trace_id" in row


def span_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the dataframe as a span of the REST API.

    Args:
        row: Column names to cells: text of a CSV, or values of Parquet or JSON.

    Returns:
        `name`, `context`, `span_kind` and so on, `attributes` flat, other columns under their own names.
    """
    cells = {name: _cell(name, value) for name, value in row.items() if not _INDEX.fullmatch(name)}
    span = {name: cell for name, cell in cells.items() if not name.startswith(_PREFIX)}
    if span.get("parent_id") in _ABSENT_PARENTS or not isinstance(span.get("parent_id"), str):
        span.pop("parent_id", None)
    attributes = {
        name.removeprefix(_PREFIX): cell for name, cell in cells.items() if name.startswith(_PREFIX)
    }
    context = {"trace_id": span.pop("context.trace_id", None), "span_id": span.pop("context.span_id", None)}
    return {**span, "context": context, "attributes": dict(flattened(attributes))}


def flattened(attributes: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Attributes under dotted names, as OpenTelemetry has them.

    Args:
        attributes: Attributes of which some are objects or lists of objects.
        prefix: What stands before each name.

    Yields:
        Name and value; absent values (null, NaN) are left out.

    Example:
        >>> dict(flattened({"llm.tools": [{"tool.name": "add"}], "metadata": {"tenant": "acme"}}))
        {'llm.tools.0.tool.name': 'add', 'metadata.tenant': 'acme'}
    """
    for key, value in attributes.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from flattened(value, f"{name}.")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            yield from flattened({str(position): item for position, item in enumerate(value)}, f"{name}.")
        elif not _is_absent(value):
            yield name, value


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return _text_cell(name, value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return int(value)
    return None if _is_absent(value) else value


def _text_cell(name: str, text: str) -> Any:
    if _COUNTS.fullmatch(name) and _NUMBER.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() else number
    is_nested = _NESTED.fullmatch(name) or (_NOTATION.match(text) and not _TEXT.fullmatch(name))
    return from_notation(text) if is_nested and text[:1] in ("{", "[") else text
