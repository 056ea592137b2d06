"""JSON Schemas: checked themselves, and values held to them without a word of the values getting out.

Values come from models and users. Patterns run on an engine that takes linear time, which knows neither
look-around nor back-references, and no reference to another document is followed.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

_SHOWN_LIMIT = 80


def check_schema(schema: Any) -> None:
    """Refuses what is no JSON Schema (draft 2020-12) or refers to another document.

    Raises:
        ValueError: If it is; the message says where.

    Example:
        >>> check_schema({"type": "text"})
        Traceback (most recent call last):
        ValueError: is no JSON Schema (draft 2020-12): type: "text" is not valid under any of the schemas ...
    """
    for reference in _references(schema):
        if not reference.startswith("#"):
            shown = reference[:_SHOWN_LIMIT]
            msg = f"refers to {shown!r}; only references within the schema (`#/...`) are followed"
            raise ValueError(msg)
    try:
        _validator(orjson.dumps(schema))
    except ValidationError as error:
        path = ".".join(str(step) for step in error.instance_path)
        where = f"{path}: " if path else ""
        hint = "; patterns have neither look-around nor back-references" if "regex" in error.message else ""
        msg = f"is no JSON Schema (draft 2020-12): {where}{error.message}{hint}"
        raise ValueError(msg) from error


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [found for item in schema for found in _references(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema[key] for key in ("$ref", "$dynamicRef") if isinstance(schema.get(key), str)]
    return own + [found for item in schema.values() for found in _references(item)]


def misfits(value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Where a JSON value does not fit a schema; nothing of the value itself is in the words.

    Args:
        value: Plain JSON.
        schema: JSON Schema that `check_schema` has passed.

    Returns:
        One text per place, such as `order: does not fit pattern ^7-`; none where it fits.

    Raises:
        ValueError: If the schema is none.

    Example:
        >>> misfits({}, {"required": ["order"]})
        ["lacks 'order'"]
    """
    validator = _validator(orjson.dumps(schema))
    if validator.is_valid(value):
        return []
    found = [_in_words(error, schema) for error in validator.iter_errors(value)]
    return sorted(dict.fromkeys(found))


@lru_cache(maxsize=512)
def _validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(schema), offline=True, pattern_options=RegexOptions())


def _in_words(error: ValidationError, schema: Any) -> str:
    # The message of the library quotes the value, which may be a secret or an attack. Of its path, the names
    # that the schema itself has are shown.
    steps = [
        step if isinstance(step, int) or step in error.schema_path else "*" for step in error.instance_path
    ]
    path = ".".join(str(step) for step in steps)
    keyword = str(error.schema_path[-1]) if error.schema_path else "schema"
    holder = _at(schema, error.schema_path[:-1])
    limit = holder.get(keyword) if isinstance(holder, Mapping) else None
    if error.kind.name == "required":
        what = f"lacks {error.kind.as_dict()['property']!r}"
    elif keyword == "additionalProperties" and limit is False:
        declared = ", ".join(holder.get("properties", {})) or "none"
        what = f"has fields that are not declared; declared are {declared}"
    elif keyword == "type":
        what = f"is not of type {_shown(limit)}"
    else:
        what = f"does not fit {keyword} {_shown(limit)}".rstrip()
    return f"{path}: {what}" if path else what


def _at(schema: Any, path: list[str | int]) -> Any:
    for step in path:
        is_there = step in schema if isinstance(schema, Mapping) else isinstance(schema, list)
        schema = schema[step] if is_there else None
    return schema


def _shown(limit: Any) -> str:
    if limit is None:
        return ""
    text = limit if isinstance(limit, str) else orjson.dumps(limit).decode()
    return text if len(text) <= _SHOWN_LIMIT else f"{text[:_SHOWN_LIMIT]}..."
