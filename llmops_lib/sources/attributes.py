"""GenAI attributes of any instrumentation as columns: the heart of OTLP, Phoenix and Langfuse-OTel alike.

What no column holds stays in `attributes`, under its own name. Usage counts only on model calls: agents,
workflows and the outer spans of SDKs repeat the usage of their children, and adding it would double it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS
from llmops_lib.sources.attribute_names import (
    COLUMN_OF,
    FEATURE_HINTS,
    PROPERTY_NAMES,
    PROVIDER_NAMES,
    USAGE_COLUMNS,
)
from llmops_lib.sources.checks import NAME_LIMIT
from llmops_lib.sources.contents import FLATTENED, content_columns
from llmops_lib.sources.failures import SpanState, error_columns
from llmops_lib.sources.feedback import event_feedback
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.litellm_spans import LITELLM_NAMES, add_litellm_facts
from llmops_lib.sources.messages import finish_reason_of
from llmops_lib.sources.operations import operation_of
from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.resource_columns import Resource, add_resource, described_resource, is_name
from llmops_lib.sources.streaming import CHUNK_EVENTS, streaming_columns
from llmops_lib.sources.usage import complete_usage

__all__ = ["Resource", "SpanState", "canonical_row", "columns_of", "described_resource"]

_UNKNOWN_STATE = SpanState()
_CALLS = frozenset(MODEL_OPERATIONS)
_HINTS = frozenset(FEATURE_HINTS)
_PREFIXES = tuple(FLATTENED)
_PROPERTY_ATTRIBUTES = ("metadata", "langfuse.trace.metadata", "langfuse.observation.metadata")
_HOLDERS = (dict, list)
_LIST_COLUMNS = ("finish_reason", "tags", "system_instructions")
_ENUM = "FinishReason."
_NO_NAMES = ("none", "null", "unknown")


def canonical_row(
    attributes: Mapping[str, Any],
    *,
    name: str | None,
    events: Sequence[Mapping[str, Any]] = (),
    resource: Mapping[str, Any] | Resource = MappingProxyType({}),
    state: SpanState = _UNKNOWN_STATE,
) -> dict[str, Any]:
    """The columns that attributes, events and resource of one span can fill.

    Args:
        attributes: Attributes by their dotted names.
        name: Name of the span.
        events: `{"name", "time", "attributes": {...}}` each, in order of time.
        resource: Attributes of the resource; or what `described_resource` made of them, once for many spans.
        state: Start and status of the span, where the reader knows them.

    Returns:
        SPANS columns except ids, times and provenance, and `feature_hint`; `attributes` holds whatever
        was not mapped. Values are as the source has them: `RowCollector.accept` checks them.

    Raises:
        Refused: If Langfuse usage details hold a count that is none.

    Example:
        >>> row = canonical_row({"gen_ai.operation.name": "chat", "gen_ai.system": "OpenAI"}, name="chat")
        >>> row["operation"], row["provider"]
        ('chat', 'openai')
    """
    row, origins, rest, flattened = _sorted_attributes(attributes)
    operation = row["operation"] = operation_of(attributes, name if isinstance(name, str) else None)
    _finish_values(row, origins, rest)
    if operation in _CALLS:
        _add_invocation(row, rest)
        if not LITELLM_NAMES.isdisjoint(rest):
            add_litellm_facts(row, rest)
        complete_usage(row, rest)
        row |= streaming_columns(
            attributes, events, stated=row.get("is_streaming"), started_at=state.started_at
        )
    else:
        rest |= {origins[column]: row.pop(column) for column in USAGE_COLUMNS if column in row}
    row |= error_columns(attributes, events, http_status=row.get("http_status"), state=state)
    contents, unused = content_columns(rest, flattened, events)
    row |= contents
    if row.get("finish_reason") is None:
        row["finish_reason"] = finish_reason_of(row.get("output"))
    if events:
        row["feedback_score"] = event_feedback(events)
    _add_properties(row, rest)
    row["feature_hint"] = None if _HINTS.isdisjoint(attributes) else _feature_hint(attributes, operation)
    add_resource(row, rest, resource if isinstance(resource, Resource) else described_resource(resource))
    kept = [dict(event) for event in unused if event.get("name") not in CHUNK_EVENTS]
    row["attributes"] = rest | {"otel.events": kept} if kept else rest
    return row


def _sorted_attributes(
    attributes: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, str], dict[str, Any], dict[str, dict[str, Any]]]:
    """Columns, the attribute that filled each, attributes without a column, and flattened messages."""
    names = tuple(attributes)
    columns = columns_of(names)
    row: dict[str, Any] = {}
    origins: dict[str, str] = {}
    rest: dict[str, Any] = {}
    flattened: dict[str, dict[str, Any]] = {}
    for name, column, value in zip(names, columns, attributes.values(), strict=True):
        if value is None or value == "":
            continue
        if column is None:
            rest[name] = value
        elif not column:
            _set_aside(name, value, rest, flattened)
        elif value.__class__ in _HOLDERS and column not in _LIST_COLUMNS:
            rest[name] = value
        elif column not in row:
            row[column], origins[column] = value, name
        else:
            _choose(row, origins, rest, (name, column, value))
    return row, origins, rest, flattened


def _choose(
    row: dict[str, Any], origins: dict[str, str], rest: dict[str, Any], found: tuple[str, str, Any]
) -> None:
    """Of two attributes of one column the one of lower rank; the other is kept where it differs."""
    name, column, value = found
    if COLUMN_OF[name][1] < COLUMN_OF[origins[column]][1]:
        if row[column] != value:
            rest[origins[column]] = row[column]
        row[column], origins[column] = value, name
    elif row[column] != value:
        rest[name] = value


@lru_cache(maxsize=4_096)
def columns_of(names: tuple[str, ...]) -> tuple[str | None, ...]:
    """The column of each attribute, None where it has none, and empty where it may be a flattened message.

    An application writes few different sets of attributes, each of them many times.
    """
    return tuple(
        COLUMN_OF[name][0] if name in COLUMN_OF else "" if name.startswith(_PREFIXES) else None
        for name in names
    )


def _set_aside(name: str, value: Any, rest: dict[str, Any], flattened: dict[str, dict[str, Any]]) -> None:
    prefix = next(prefix for prefix in _PREFIXES if name.startswith(prefix))
    if name[len(prefix) :][:1].isdecimal():
        flattened.setdefault(prefix, {})[name[len(prefix) :]] = value
    else:
        rest[name] = value


def _finish_values(row: dict[str, Any], origins: Mapping[str, str], rest: dict[str, Any]) -> None:
    for column, finish in _FINISHED.items():
        if column in row:
            found, row[column] = row[column], finish(row[column])
            if row[column] is None or (
                column == "finish_reason" and isinstance(found, list) and len(found) > 1
            ):
                rest[origins[column]] = found
    if "provider" in row and row["provider"] is None:
        # Beside a framework, another attribute may name the provider that it called.
        others = (rest[name] for name in PROVIDER_NAMES if isinstance(rest.get(name), str))
        row["provider"] = next(filter(None, map(provider_name, others)), None)
    for column in PROPERTY_NAMES.keys() & origins.keys():
        # Langfuse's SDK writes what it passes through as JSON: a name with its quotes.
        if origins[column].startswith("langfuse."):
            row[column] = _unquoted(row[column])
    # OpenLIT writes a cost of 0 where it has no price for the model, so that 0 says nothing.
    if origins.get("reported_cost_usd") == "gen_ai.usage.cost" and row["reported_cost_usd"] in (0, "0"):
        rest["gen_ai.usage.cost"] = row.pop("reported_cost_usd")


def _unquoted(value: Any) -> Any:
    if not (isinstance(value, str) and value.startswith('"')):
        return value
    held = json_value(f"[{value}]")
    return held[0] if isinstance(held, list) and len(held) == 1 and isinstance(held[0], str) else value


def _finish_reason(value: Any) -> str | None:
    reasons = json_value(value)
    reason = reasons[0] if isinstance(reasons, list) and reasons else value
    if not isinstance(reason, str):
        return None
    # Semantic Kernel and Google write the member of an enumeration.
    return reason.removeprefix(_ENUM).lower() if reason.startswith(_ENUM) else reason.replace("-", "_")


def _http_status(value: Any) -> int | None:
    status = int(value) if isinstance(value, str) and value.isdecimal() and len(value) == 3 else value
    return status if type(status) is int and 100 <= status <= 599 else None


def _tags(value: Any) -> list[str] | None:
    tags = json_value(value)
    listed = tags if isinstance(tags, list) else [value]
    return [tag for tag in listed if isinstance(tag, str)] or None


_FINISHED: dict[str, Callable[[Any], Any]] = {
    "provider": lambda value: provider_name(value) if isinstance(value, str) else None,
    "finish_reason": _finish_reason,
    "http_status": _http_status,
    "tags": _tags,
}


def _add_invocation(row: dict[str, Any], rest: Mapping[str, Any]) -> None:
    """A failed call of OpenInference names its model only among the parameters of the request."""
    for name in ("llm.invocation_parameters", "embedding.invocation_parameters"):
        parameters = json_value(rest.get(name))
        if isinstance(parameters, dict):
            if isinstance(parameters.get("model"), str):
                row.setdefault("request_model", parameters["model"])
            if isinstance(parameters.get("stream"), bool):
                row.setdefault("is_streaming", parameters["stream"])


def _add_properties(row: dict[str, Any], rest: Mapping[str, Any]) -> None:
    for attribute in _PROPERTY_ATTRIBUTES:
        if attribute not in rest:
            continue
        properties = json_value(rest[attribute])
        if not isinstance(properties, dict):
            continue
        for column, names in PROPERTY_NAMES.items():
            found = next((properties[name] for name in names if is_name(properties.get(name))), None)
            if found is not None and row.get(column) is None:
                row[column] = found


def _feature_hint(attributes: Mapping[str, Any], operation: str) -> str | None:
    for name in FEATURE_HINTS:
        hint = attributes.get(name)
        # The route of a model call is the provider's, not the application's.
        if name == "http.route" and operation in MODEL_OPERATIONS:
            continue
        if isinstance(hint, str) and 0 < len(hint) <= NAME_LIMIT and hint.lower() not in _NO_NAMES:
            return hint
    return None
