"""JSON inside columns: any value of a source as JSON text, and such text back as a value."""

import json
from typing import Any

import orjson

from llmops_lib.sources.lines import parse_json
from llmops_lib.sources.refusals import Refused

_OPENINGS = ("{", "[", '"')


def json_text(value: Any) -> str:
    """The value as JSON text.

    Text that already is a JSON object, list or string stays as it is; any other text becomes a JSON
    string, so that every reader of the column can parse what it finds.

    Args:
        value: What the source held.

    Example:
        >>> json_text("hello"), json_text('{"city": "Paris"}'), json_text(5)
        ('"hello"', '{"city": "Paris"}', '5')
    """
    if not isinstance(value, str):
        return _dumped(value)
    if value.lstrip()[:1] in _OPENINGS:
        try:
            orjson.loads(value)
        except orjson.JSONDecodeError:
            mended = json_value(value) if "\\u" in value else None
            return _dumped(value if mended is None else mended)
        return value
    return _dumped(value)


def json_value(text: Any) -> Any:
    """The object or list that JSON text holds, or None where it holds neither.

    Args:
        text: Text of an attribute; a dict or list is given back as it is.

    Example:
        >>> json_value('{"tenant": "acme"}'), json_value("acme")
        ({'tenant': 'acme'}, None)
    """
    if isinstance(text, dict | list):
        return text
    if not isinstance(text, str) or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _mended(text)


def _mended(text: str) -> Any:
    try:
        return parse_json(text.encode(errors="replace"))
    except Refused:
        return None


def _dumped(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        pass
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        raise Refused(reason="depth") from None
    except TypeError:
        raise Refused(reason="type", detail="keys that are no text") from None
    return text.encode(errors="replace").decode()
