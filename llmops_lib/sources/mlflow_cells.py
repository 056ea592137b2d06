r"""Cells and attributes of MLflow as values: JSON text, Python's own notation, base64 identifiers.

- Every attribute of a span is JSON text, a plain text too (`"\"CHAIN\""`); some emitters write it bare.
- `search_traces` saved as CSV holds lists and objects in Python's notation.
- Identifiers are base64 in MLflow 3, hex after `0x` in MLflow 2, plain hex in its client: hex is what
  the user interface shows, and what brings the same span of two exports together.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.notation import from_notation
from llmops_lib.sources.refusals import Refused

_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{16}){1,2})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11}=|[A-Za-z0-9+/_-]{22}==")


def hex_id(value: Any) -> Any:
    """An identifier in lower-case hex; None for an absent one, anything else as it is.

    Args:
        value: Base64 of 8 or 16 bytes, or hex.

    Example:
        >>> hex_id("SnlHMQa/tY0="), hex_id("0x4A79473106BFB58D")
        ('4a79473106bfb58d', '4a79473106bfb58d')
    """
    if not isinstance(value, str):
        return value
    if plain := _HEX.fullmatch(value):
        return plain[1].lower()
    if not _BASE64.fullmatch(value):
        return value or None
    try:
        return base64.b64decode(value, altchars=b"-_" if set(value) & {"-", "_"} else None).hex()
    except binascii.Error:
        return value


def plain_value(text: Any) -> Any:
    r"""What an attribute holds once it is read as JSON; text that is no JSON stays as it is.

    Args:
        text: Value of an attribute.

    Example:
        >>> plain_value('"CHAT_MODEL"'), plain_value('{"input_tokens": 4}'), plain_value("gpt-4o")
        ('CHAT_MODEL', {'input_tokens': 4}, 'gpt-4o')
    """
    if not isinstance(text, str):
        return text
    try:
        return parse_json(text.encode(errors="replace"))
    except Refused:
        return text


def cell_value(cell: Any) -> Any:
    """The list or object that a cell holds, in JSON or in Python's notation; anything else as it is.

    Args:
        cell: Cell of a table, or a field of a JSON object.
    """
    if not isinstance(cell, str) or cell.lstrip()[:1] not in ("{", "["):
        return cell
    found = json_value(cell)
    return from_notation(cell) if found is None else found


def mapping(value: Any) -> dict[str, Any]:
    """The object that a cell holds, or an empty one."""
    found = cell_value(value)
    return dict(found) if isinstance(found, Mapping) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in the list that a cell holds, each as it is or in JSON text."""
    found = cell_value(value)
    return [mapping(item) for item in found] if isinstance(found, list) else []
