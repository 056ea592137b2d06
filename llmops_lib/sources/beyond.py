"""What an object of an export says beyond the fields that a reader knows: kept as attributes, by name."""

from collections.abc import Container, Mapping
from typing import Any


def beyond(fields: Any, known: Container[str], prefix: str) -> dict[str, Any]:
    """The fields that no reader knows, under attribute names of their own; what says nothing is left out.

    Args:
        fields: An object of an export; anything else has none.
        known: Names of the fields that are read.
        prefix: Put before each name.

    Example:
        >>> beyond({"code": 2, "weight": 0.5, "note": None}, ("code",), "otel.status.")
        {'otel.status.weight': 0.5}
    """
    if not isinstance(fields, Mapping):
        return {}
    return {
        f"{prefix}{name}": value
        for name, value in fields.items()
        if name not in known and value is not None and value not in ("", [], {})
    }
