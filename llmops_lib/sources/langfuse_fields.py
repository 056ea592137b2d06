"""Fields of Langfuse objects under one name each, whichever export they come from.

The API and the table exports write camelCase, the blob export snake_case; what is an object in JSON
is JSON text in a CSV cell, a list of key-value pairs in Parquet, and sometimes JSON text in JSON text.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.notation import from_notation
from llmops_lib.sources.refusals import Refused

_CAMEL = re.compile(r"(?<=[a-z0-9])[A-Z]")
OBJECTS = frozenset(
    (
        "metadata",
        "model_parameters",
        "usage",
        "usage_details",
        "cost_details",
        "provided_usage_details",
        "provided_cost_details",
        "tags",
        "trace_tags",
        "tool_calls",
        "tool_call_names",
        "tool_definitions",
        "scores",
    )
)
"""Fields that hold an object or a list, or JSON text of one."""

_CONTENTS = ("input", "output")
_ENUMERATION = re.compile(r"ObservationLevel\.")
_TEXT_LAYERS = 4


def fields(value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Langfuse object in snake_case, without those that are null or empty text.

    Args:
        value: A trace, observation or score of any export.

    Example:
        >>> fields({"traceId": "t-1", "usageDetails": '{"input": 12}', "statusMessage": ""})
        {'trace_id': 't-1', 'usage_details': {'input': 12}}
    """
    named = ((snake_case(name), cell) for name, cell in value.items())
    return {
        name: unwrapped(cell) if name in OBJECTS else cell
        for name, cell in named
        if cell is not None and cell != ""
    }


def from_table(row: Any) -> Any:
    """The cells of a CSV file, with the objects of Langfuse's SDK as pandas writes them taken out of text.

    Text of an input may look like Python's notation; it is read so only beside another field that is.

    Args:
        row: A row of the file.

    Example:
        >>> from_table({"usageDetails": "{'input': 12}", "level": "ObservationLevel.ERROR"})
        {'usageDetails': {'input': 12}, 'level': 'ERROR'}
    """
    if not isinstance(row, dict):
        return row
    taken = {name: _out_of_notation(cell) for name, cell in row.items() if snake_case(name) in OBJECTS}
    if any(taken[name] is not row[name] for name in taken):
        taken |= {name: _out_of_notation(row[name]) for name in _CONTENTS if name in row}
    level = row.get("level")
    taken |= {"level": _ENUMERATION.sub("", level)} if isinstance(level, str) else {}
    return {**row, **taken}


def _out_of_notation(cell: Any) -> Any:
    is_open = isinstance(cell, str) and cell[:1] in ("{", "[") and isinstance(unwrapped(cell), str)
    return from_notation(cell) if is_open else cell


@lru_cache(maxsize=1_000)
def snake_case(name: str) -> str:
    """The name of a field as the blob export writes it."""
    return _CAMEL.sub(lambda capital: f"_{capital[0].lower()}", name)


def unwrapped(value: Any) -> Any:
    r"""The object, list or text inside layers of JSON text; anything else as it is.

    Args:
        value: A cell or field.

    Example:
        >>> unwrapped('"{\\"prompt\\": \\"hello\\"}"'), unwrapped("12")
        ({'prompt': 'hello'}, '12')
    """
    for _ in range(_TEXT_LAYERS):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[", '"'):
            break
        try:
            value = parse_json(value.encode(errors="replace"))
        except Refused:
            break
    return _mapping_of_pairs(value) if isinstance(value, list) else value


def object_in(cell: Any) -> Any:
    """The object or list that a cell holds as JSON text or in Python's notation; anything else as it is.

    What JSON has no word for, such as a set or a key that is no text, becomes text.

    Args:
        cell: A cell or field.

    Example:
        >>> object_in('{"user": null}'), object_in("{'user': None}"), object_in("{none}")
        ({'user': None}, {'user': None}, '{none}')
    """
    found = unwrapped(cell)
    if not isinstance(found, str) or found.lstrip()[:1] not in ("{", "["):
        return found
    literal = from_notation(found.strip())
    if not isinstance(literal, dict | list):
        return found
    try:
        return orjson.loads(orjson.dumps(literal, default=repr, option=orjson.OPT_NON_STR_KEYS))
    except (TypeError, ValueError):
        return found


def _mapping_of_pairs(value: list[Any]) -> Any:
    if value and all(isinstance(pair, dict) and pair.keys() == {"key", "value"} for pair in value):
        return {str(pair["key"]): pair["value"] for pair in value}
    return value


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
