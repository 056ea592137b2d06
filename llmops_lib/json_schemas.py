"""JSON Schemas: checked themselves, and values held to them without a word of the values getting out."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError as JsonSchemaError
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

_SHOWN_LIMIT = 80


def check_schema(schema: Any) -> None:
    """Refuses what is no JSON Schema (draft 2020-12) or refers to another document.

    Raises:
        ValueError: If it is; the message says where.
    """
    try:
        Draft202012Validator.check_schema(schema)
    except JsonSchemaError as error:
        msg = f"is no JSON Schema (draft 2020-12): {error.json_path} is not valid under {error.validator!r}"
        raise ValueError(msg) from error
    for reference in _references(schema):
        if not reference.startswith("#"):
            shown = reference[:_SHOWN_LIMIT]
            msg = f"refers to {shown!r}; only references within the schema (`#/...`) are followed"
            raise ValueError(msg)


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
        One text per place, such as `order: does not match '^7-'`; none where it fits.

    Raises:
        ValueError: If a reference within the schema leads nowhere.

    Example:
        >>> misfits({}, {"required": ["order"]})
        ["lacks 'order'"]
    """
    try:
        errors = sorted(
            _validator(orjson.dumps(schema)).iter_errors(value), key=lambda error: error.json_path
        )
    except (Unresolvable, RecursionError) as error:
        msg = f"its schema cannot be followed ({type(error).__name__}); check its `$ref`s"
        raise ValueError(msg) from error
    return list(dict.fromkeys(_in_words(error) for error in errors))


@lru_cache(maxsize=512)
def _validator(schema: bytes) -> Draft202012Validator:
    # An empty registry: jsonschema would otherwise fetch references from the network.
    return Draft202012Validator(orjson.loads(schema), registry=Registry())


def _in_words(error: ValidationError) -> str:
    # The message of the library quotes the value, which may be a secret or an attack.
    path = ".".join(str(step)[:_SHOWN_LIMIT] for step in error.absolute_path)
    limit = str(error.validator_value)
    shown = limit if len(limit) <= _SHOWN_LIMIT else f"{limit[:_SHOWN_LIMIT]}..."
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        what = f"lacks {', '.join(repr(name) for name in missing)}"
    elif error.validator == "additionalProperties" and error.validator_value is False:
        declared = ", ".join(error.schema.get("properties", {})) or "none"
        what = f"has fields that are not declared; declared are {declared}"
    elif error.validator == "type":
        what = f"is not of type {shown}"
    else:
        what = f"does not fit {error.validator} {shown}"
    return f"{path}: {what}" if path else what
