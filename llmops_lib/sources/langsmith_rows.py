"""One LangSmith run as a row of SPANS.

- Tokens and cost of a run contain those of the runs inside it. They count on runs of type llm and
  embedding only; on any other run they stay attributes.
- `session_id` of a run is its project; the conversation stands in the metadata.
- Times without a zone are UTC; those of the JavaScript SDK are epoch milliseconds.
- A table of runs that pandas saved as CSV holds objects in Python's notation.
"""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS
from llmops_lib.sources.attribute_names import PROPERTY_NAMES
from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.feedback import is_feedback
from llmops_lib.sources.langfuse_fields import mapping, unwrapped
from llmops_lib.sources.langsmith_content import run_input, run_output
from llmops_lib.sources.langsmith_ids import run_ids
from llmops_lib.sources.langsmith_usage import DETAILS, token_columns
from llmops_lib.sources.mlflow_cells import cell_value
from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.times import parse_time

_OPERATIONS = {
    "llm": "chat",
    "chain": "chain",
    "tool": "execute_tool",
    "retriever": "retrieval",
    "embedding": "embeddings",
}
_BY_MODEL_TYPE = {"llm": "text_completion", "embedding": "embeddings", "embeddings": "embeddings"}
_OBJECTS = (
    "inputs",
    "outputs",
    "extra",
    "events",
    "tags",
    "feedback_stats",
    "serialized",
    "parent_run_ids",
    "prompt_token_details",
    "completion_token_details",
    "prompt_cost_details",
    "completion_cost_details",
)
_USAGE = frozenset(
    (
        "prompt_tokens",
        "completion_tokens",
        "total_cost",
        "prompt_token_details",
        "completion_token_details",
        "first_token_time",
    )
)
_IN_COLUMNS = frozenset(
    (
        "id",
        "trace_id",
        "parent_run_id",
        "name",
        "start_time",
        "end_time",
        "latency_seconds",
        "inputs",
        "outputs",
        "error",
        "tags",
        "events",
    )
)
_ERROR_CLASS = re.compile(r"\s*(?:\w+\.)*([A-Za-z_]\w*)\s*[(:]")
_ERROR_STATUS = re.compile(r"Error code: ([1-5]\d\d)\b")


def run_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """The SPANS columns and `feature_hint` of a run.

    Args:
        record: A run, or what its creation and its updates give together.

    Raises:
        Refused: If a time cannot be right.
    """
    run = {
        name: cell_value(unwrapped(value)) if name in _OBJECTS else value
        for name, value in record.items()
        if value is not None and value != ""
    }
    metadata = mapping(mapping(run.get("extra")).get("metadata"))
    operation = _operation(run, metadata)
    row = {
        **run_ids(run),
        **_properties(run, metadata, operation),
        **_outcome(run),
        "name": run.get("name"),
        "operation": operation,
        "started_at": parse_time(run.get("start_time"), timezone="UTC"),
        "ended_at": parse_time(run.get("end_time"), timezone="UTC"),
        "tags": run.get("tags") or None,
        "tool_name": run.get("name") if operation == "execute_tool" else None,
        "attributes": _attributes(run, operation),
    }
    if "latency_seconds" in run and isinstance(run["latency_seconds"], int | float):
        row["latency_ms"] = run["latency_seconds"] * 1_000
    if operation not in MODEL_OPERATIONS:
        return row | {"input": run.get("inputs"), "output": run.get("outputs")}
    return _with_call(row, run, metadata)


def _with_call(row: dict[str, Any], run: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    counts, notes = token_columns(run)
    asked, more_asked = run_input(run.get("inputs"))
    answered, more_answered = run_output(run.get("outputs"))
    attributes = row["attributes"] | notes
    attributes |= {"langsmith.inputs": more_asked} if more_asked else {}
    attributes |= {"langsmith.outputs": more_answered} if more_answered else {}
    provider = metadata.get("ls_provider")
    return {
        **row,
        **answered,
        **counts,
        **_streaming(run, row),
        "input": asked,
        "provider": provider_name(provider) if isinstance(provider, str) else None,
        "request_model": _request_model(run, metadata),
        "reported_cost_usd": run.get("total_cost"),
        "attributes": attributes,
    }


def _operation(run: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    operation = _OPERATIONS.get(str(run.get("run_type")).lower(), "other")
    if operation == "chat":
        return _BY_MODEL_TYPE.get(str(metadata.get("ls_model_type")), "chat")
    return operation


def _properties(run: Mapping[str, Any], metadata: Mapping[str, Any], operation: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, names in PROPERTY_NAMES.items():
        named = (metadata.get(name) for name in names)
        found[column] = next((value for value in named if value and isinstance(value, str | int)), None)
    # A model run is named after the class of its client.
    is_named = operation not in MODEL_OPERATIONS and run_ids(run)["parent_span_id"] is None
    stats = mapping(run.get("feedback_stats"))
    scores = [mapping(stat).get("avg") for name, stat in stats.items() if is_feedback(name)]
    return found | {
        "prompt_name": found["prompt_name"] or metadata.get("lc_hub_repo"),
        "prompt_version": found["prompt_version"] or metadata.get("lc_hub_commit_hash"),
        "release": metadata.get("revision_id"),
        "feature_hint": metadata.get("graph_id") or (run.get("name") if is_named else None),
        "feedback_score": next((score for score in scores if isinstance(score, int | float)), None),
    }


def _request_model(run: Mapping[str, Any], metadata: Mapping[str, Any]) -> Any:
    extra = mapping(run.get("extra"))
    asked = mapping(extra.get("invocation_params")) or mapping(metadata.get("ls_invocation_params"))
    names = (asked.get("model"), asked.get("model_name"), mapping(run.get("inputs")).get("model"))
    stated = (metadata.get("ls_model_name"), *names)
    return next((name for name in stated if isinstance(name, str) and name), None)


def _streaming(run: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    events = run.get("events")
    tokens = (event for event in events if _is_token(event)) if isinstance(events, list) else iter(())
    first = run.get("first_token_time") or mapping(next(tokens, None)).get("time")
    first_at = parse_time(first, timezone="UTC")
    if first_at is not None and row["started_at"] is not None and first_at >= row["started_at"]:
        elapsed = first_at - row["started_at"]
        return {"time_to_first_token_ms": elapsed.total_seconds() * 1_000, "is_streaming": True}
    parameters = mapping(mapping(run.get("extra")).get("invocation_params"))
    stated = parameters.get("stream", mapping(run.get("inputs")).get("stream"))
    return {"is_streaming": stated if isinstance(stated, bool) else None}


def _is_token(event: Any) -> bool:
    return mapping(event).get("name") == "new_token"


def _outcome(run: Mapping[str, Any]) -> dict[str, Any]:
    text = run.get("error")
    if not text and str(run.get("status")).lower() != "error":
        return {"is_error": False}
    message = text if isinstance(text, str) else ""
    last = message.rstrip().rpartition("\n")[2] if message.startswith("Traceback") else message
    named, status = _ERROR_CLASS.match(last[:300]), _ERROR_STATUS.search(message[:1_000])
    return {
        "is_error": True,
        "error_type": named[1] if named else None,
        "error_message": text,
        "http_status": int(status[1]) if status else None,
    }


def _attributes(run: Mapping[str, Any], operation: str) -> dict[str, Any]:
    in_columns = _IN_COLUMNS | _USAGE if operation in MODEL_OPERATIONS else _IN_COLUMNS
    rest = {name: value for name, value in run.items() if name not in in_columns}
    events = run.get("events")
    # One event for every token of an answer that is kept as a whole.
    rest["events"] = (
        [event for event in events if not _is_token(event)] if isinstance(events, list) else events
    )
    for name in ("prompt_token_details", "completion_token_details"):
        if name not in rest:
            rest[name] = beyond(run.get(name), DETAILS, "")
    return {f"langsmith.{name}": value for name, value in rest.items() if value not in (None, {}, [])}
