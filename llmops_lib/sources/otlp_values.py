"""Values of OTLP/JSON as both correct writers and the plain protobuf mapping write them.

Writers based on protobuf write int64 as text and leave defaults out; the JavaScript exporter writes
numbers. Ids are hex in OTLP/JSON and base64 in the plain protobuf mapping; the length tells which.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from sys import intern
from typing import Any

from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.refusals import Refused

_HEX = "0123456789abcdef"
_BASE64_BYTES = {24: 16, 12: 8}
_HEX_LENGTHS = (32, 16)


def any_value(value: Any) -> Any:
    """The Python value that an `AnyValue` holds; None where it holds none.

    Args:
        value: Such as `{"stringValue": "x"}`, in camelCase or snake_case, with one field that is not null.

    Example:
        >>> any_value({"intValue": "120"}), any_value({"arrayValue": {"values": [{"boolValue": True}]}})
        (120, [True])
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Refused(reason="type", detail=f"an attribute value is {type(value).__name__}, not an object")
    for kind, held in value.items():
        if held is not None and (decode := _DECODERS.get(kind)) is not None:
            return decode(held)
    return None


def attribute_dict(attributes: Any) -> dict[str, Any]:
    """Attributes by name.

    Args:
        attributes: The list of `{"key", "value"}`, or None.

    Raises:
        Refused: `type` if it is no such list, `duplicate_key` if a name has two different values.
    """
    if attributes is None:
        return {}
    if not isinstance(attributes, list):
        raise Refused(reason="type", detail=f"attributes is {type(attributes).__name__}, not a list")
    try:
        # Most values are text, and there are dozens per span.
        found = {
            intern(attribute["key"]): any_value(value)
            if (text := (value := attribute["value"]).get("stringValue")) is None
            else text
            for attribute in attributes
        }
    except (TypeError, KeyError, AttributeError):
        return _unusual_attributes(attributes)
    is_usual = len(found) == len(attributes) and sum(map(len, attributes)) == 2 * len(found)
    return found if is_usual and _have_one_field(attributes) else _unusual_attributes(attributes)


def _have_one_field(attributes: list[Any]) -> bool:
    return all(len(attribute["value"]) == 1 for attribute in attributes)


def _unusual_attributes(attributes: list[Any]) -> dict[str, Any]:
    try:
        pairs = [(intern(attribute["key"]), any_value(attribute.get("value"))) for attribute in attributes]
        found = dict(pairs)
    except (TypeError, KeyError, AttributeError):
        raise Refused(reason="type", detail="an attribute is no object with a key") from None
    if len(found) != len(pairs):
        _refuse_contradictions(pairs, found)
    for attribute in attributes:
        more = beyond(attribute, ("key", "value"), "")
        value = attribute.get("value")
        more |= beyond(value, _first_kind(value), "value.")
        if more:
            found[f"otel.attribute.{attribute['key']}"] = more
    return found


def _first_kind(value: Any) -> tuple[str, ...]:
    """The field of a value that is read."""
    fields = value if isinstance(value, dict) else {}
    return tuple(kind for kind in fields if fields[kind] is not None and kind in _DECODERS)[:1]


def _refuse_contradictions(pairs: list[tuple[str, Any]], found: dict[str, Any]) -> None:
    for name, value in pairs:
        if found[name] != value:
            raise Refused(reason="duplicate_key", detail=f"attribute {name[:80]!r} has two values")


def int64(value: Any) -> Any:
    """A 64-bit integer from a number, digit text or the halves that JavaScript writes; else the value itself.

    Args:
        value: Such as `"120"`, `120` or `{"low": 120, "high": 0, "unsigned": true}`.

    Example:
        >>> int64({"low": -1, "high": 1}), int64("120"), int64("many")
        (8589934591, 120, 'many')
    """
    if type(value) is int:
        return value
    if isinstance(value, str):
        if len(value) < 20 and value.isdecimal():
            return int(value)
        digits = value.strip()
        is_number = digits.removeprefix("-").isdecimal() and len(digits) <= 40
        return int(digits) if is_number else value
    if isinstance(value, dict) and type(value.get("low")) is int and type(value.get("high")) is int:
        return (value["high"] << 32) | (value["low"] & 0xFFFF_FFFF)
    return value


def span_identifier(value: Any, name: str) -> Any:
    """An id as lower-case hex; None for the ways in which an id is absent.

    Args:
        value: Hex or base64 text.
        name: Field of the id, for the refusal.

    Raises:
        Refused: `type` if it is no text, `invalid_id` if it is neither hex nor base64 of 8 or 16 bytes.

    Example:
        >>> span_identifier("HnWcHAY9I/s=", "spanId"), span_identifier("B7AD6B7169203331", "spanId")
        ('1e759c1c063d23fb', 'b7ad6b7169203331')
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused(reason="type", detail=f"{name} is {type(value).__name__}, not text")
    if len(value) in _HEX_LENGTHS:
        if not value.strip(_HEX):
            return value
        if not (lowered := value.lower()).strip(_HEX):
            return lowered
    if len(value) in _BASE64_BYTES:
        try:
            decoded = base64.b64decode(value, validate=True)
        except binascii.Error:
            decoded = b""
        if len(decoded) == _BASE64_BYTES[len(value)]:
            return decoded.hex()
    raise Refused(reason="invalid_id", detail=f"{name} {value[:40]!r} is neither hex nor base64 of an id")


def camel_cased(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields under the names of OTLP/JSON, where a converter wrote those of the protobuf schema.

    Args:
        fields: A span, log record or event.
    """
    if SNAKE_CASED.isdisjoint(fields):
        return fields
    return {_SNAKE_NAME.sub(lambda match: match[1].upper(), name): value for name, value in fields.items()}


_SNAKE_NAME = re.compile(r"_([a-z])")
SNAKE_CASED = frozenset(
    ("trace_id", "span_id", "start_time_unix_nano", "time_unix_nano", "observed_time_unix_nano")
)
"""Names of the protobuf schema that tell a converter's output."""


def _array(held: Any) -> list[Any]:
    values = held.get("values") if isinstance(held, dict) else held
    return [any_value(value) for value in values] if isinstance(values, list) else []


def _pairs(held: Any) -> dict[str, Any]:
    return attribute_dict(held.get("values") if isinstance(held, dict) else held)


def _same(held: Any) -> Any:
    return held


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "stringValue": _same,
    "string_value": _same,
    "intValue": int64,
    "int_value": int64,
    "boolValue": _same,
    "bool_value": _same,
    "doubleValue": _same,
    "double_value": _same,
    "arrayValue": _array,
    "array_value": _array,
    "kvlistValue": _pairs,
    "kvlist_value": _pairs,
    "bytesValue": _same,
    "bytes_value": _same,
}
