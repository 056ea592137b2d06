"""What stands around OTLP in files that no exporter wrote: answers of a trace store, and spans alone.

- Tempo answers with `{"batches": [...]}` or `{"trace": {"resourceSpans": [...]}}`.
- Scripts and documents hold spans one by one, in a list or under `spans`.
"""

from collections.abc import Mapping
from typing import Any

_GROUPS = ("scopeSpans", "instrumentationLibrarySpans")
_HOLDERS = ("trace", "traces", "spans")
_SPAN = {"traceId", "spanId", "startTimeUnixNano"}


def is_bare_span(value: Any) -> bool:
    """Whether a value is one span of OTLP/JSON without a request around it.

    Args:
        value: An object of a file.
    """
    return isinstance(value, dict) and value.keys() >= _SPAN and not isinstance(value.get("attributes"), dict)


def unwrapped(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What stands in a wrapping, each with what else the wrapping says; a bare span as a request.

    Args:
        value: An object of a file that is no request.

    Returns:
        Requests, and whatever else was wrapped; the object itself where it is no wrapping.

    Example:
        >>> unwrapped({"batches": [{"scopeSpans": []}]})
        [{'resourceSpans': [{'scopeSpans': []}]}]
    """
    if is_bare_span(value):
        return [_request(value)]
    if _is_list_of_groups(value.get("batches")):
        return [_renamed(value, "batches", "resourceSpans")]
    held = next((name for name in _HOLDERS if isinstance(value.get(name), dict | list)), None)
    if held is None:
        return [dict(value)]
    inner = value[held] if isinstance(value[held], list) else [value[held]]
    if not inner or not all(isinstance(item, dict) for item in inner):
        return [dict(value)]
    around = {name: item for name, item in value.items() if name != held}
    return [{**around, **found} for item in inner for found in unwrapped(item)]


def _is_list_of_groups(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(group, dict) and any(name in group for name in _GROUPS) for group in value)
    )


def _renamed(value: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: item for name, item in value.items()}


def _request(span: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in span.items() if name not in ("resource", "scope")}
    scoped = {"scope": span.get("scope"), "spans": [own]}
    return {"resourceSpans": [{"resource": span.get("resource"), "scopeSpans": [scoped]}]}
