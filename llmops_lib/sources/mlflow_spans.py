"""One MLflow span as a row of SPANS.

- Spans of MLflow 2 have `context`, `start_time` and `status_code`; those of MLflow 3 follow OpenTelemetry.
- The model that the span names is the one that answered, and on a failed call the one asked for.
- Counts come from `mlflow.chat.tokenUsage`; reasoning tokens stand only in the raw answer.
- Streamed answers leave an event for each chunk; the first tells how long the first token took.
- No attribute names the provider of every call: the format of the messages is no provider.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from llmops_lib.schema import MODEL_OPERATIONS
from llmops_lib.sources.attributes import SpanState, canonical_row
from llmops_lib.sources.beyond import beyond
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.mlflow_cells import hex_id, mapping, objects, plain_value
from llmops_lib.sources.otlp_values import attribute_dict
from llmops_lib.sources.provider_answers import answer_attributes, asked_model, request_attributes
from llmops_lib.sources.provider_usage import has_other_counts, usage_attributes
from llmops_lib.sources.times import parse_time

OPERATION_BY_TYPE = {
    "LLM": "chat",
    "CHAT_MODEL": "chat",
    "EMBEDDING": "embeddings",
    "RERANKER": "rerank",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
    "RETRIEVER": "retrieval",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluation",
    "CHAIN": "chain",
    "WORKFLOW": "chain",
    "TASK": "chain",
}
"""Operation of each span type; the others, of which users may invent any, are `other`."""

SPAN_TYPE = "mlflow.spanType"
"""Attribute that every span of MLflow has."""

_IN_COLUMNS = ("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.traceRequestId", "mlflow.chat.tokenUsage")
_READ = (
    *("context", "trace_id", "span_id", "parent_span_id", "parent_id", "name", "attributes", "events"),
    *("start_time_unix_nano", "start_time", "end_time_unix_nano", "end_time"),
    *("status", "status_code", "status_message", "links"),
)
_CHUNK = "mlflow.chunk.item."
_STREAMED = ("gen_ai.response.id", "gen_ai.response.model", "gen_ai.usage.")
_MILLISECOND = timedelta(milliseconds=1)
_FAILED = ("STATUS_CODE_ERROR", "ERROR", "2")


def span_row(span: Mapping[str, Any], trace_id: Any) -> dict[str, Any]:
    """The SPANS columns and `feature_hint` of a span.

    Args:
        span: A span of MLflow 2 or 3.
        trace_id: What the trace is called, where the span stands inside one.

    Raises:
        Refused: If a time cannot be right.
    """
    context = mapping(span.get("context"))
    attributes = _attributes(span)
    name = span.get("name") if isinstance(span.get("name"), str) else None
    state = _state(span)
    events = _events(span)
    chunks = [event for event in events if str(event["name"]).startswith(_CHUNK)]
    found = genai_attributes(attributes, name)
    if chunks:
        found = {**_streamed_attributes(chunks[-1]), **found}
    row: dict[str, Any] = canonical_row(found, name=name, events=events, state=state)
    if chunks and row["is_streaming"] is not False and row["operation"] in MODEL_OPERATIONS:
        row |= {"is_streaming": True, "time_to_first_token_ms": _wait(chunks[0], state.started_at)}
    own_id = hex_id(span.get("trace_id", context.get("trace_id")))
    stated = trace_id or plain_value(attributes.get("mlflow.traceRequestId"))
    row |= {
        "trace_id": stated or (f"tr-{own_id}" if own_id else None),
        "span_id": hex_id(span.get("span_id", context.get("span_id"))),
        "parent_span_id": hex_id(span.get("parent_span_id", span.get("parent_id"))),
        "name": name,
        "started_at": state.started_at,
        "ended_at": parse_time(span.get("end_time_unix_nano", span.get("end_time")) or None),
    }
    row["attributes"].pop("gen_ai.operation.name", None)
    rest = {f"mlflow.{name}": value for name, value in span.items() if name not in _READ and value}
    if objects(span.get("links")):
        rest["mlflow.links"] = objects(span["links"])
    rest |= beyond(context, ("trace_id", "span_id", "trace_state"), "mlflow.context.")
    rest |= beyond(span.get("status"), ("code", "message"), "mlflow.status.")
    row["attributes"] = {**row["attributes"], **rest}
    return row


def _attributes(span: Mapping[str, Any]) -> dict[str, Any]:
    # The REST API writes them as OpenTelemetry does.
    written = span.get("attributes")
    return attribute_dict(written) if isinstance(written, list) else mapping(written)


def genai_attributes(written: Mapping[str, Any], name: str | None) -> dict[str, Any]:
    """Attributes that MLflow wrote, with those of the GenAI conventions that they amount to.

    Args:
        written: Attributes of a span, each in JSON text or as it is; spans that MLflow exports over OTLP
            have them too.
        name: Name of the span.
    """
    attributes = {name: plain_value(value) for name, value in written.items()}
    kind = str(attributes.get(SPAN_TYPE)).upper()
    operation = OPERATION_BY_TYPE.get(kind, "span")
    rest = {name: value for name, value in attributes.items() if name not in _IN_COLUMNS}
    request = request_attributes(attributes.get("mlflow.spanInputs"))
    answer = answer_attributes(attributes.get("mlflow.spanOutputs"))
    found = {"gen_ai.operation.name": operation, **request, **answer, **rest}
    if operation == "execute_tool":
        return {"gen_ai.tool.name": name, **found}
    usage = attributes.get("mlflow.chat.tokenUsage")
    if operation not in MODEL_OPERATIONS:
        return found if usage is None else {**found, "mlflow.chat.tokenUsage": usage}
    of_langchain = mapping(attributes.get("metadata"))
    cost = mapping(attributes.get("mlflow.llm.cost")).get("total_cost")
    known = {
        **_models(attributes, request, answer),
        **usage_attributes(usage),
        "gen_ai.provider.name": attributes.get("mlflow.llm.provider") or of_langchain.get("ls_provider"),
        "llm.cost.total": cost,
    }
    if has_other_counts(usage):
        found["mlflow.chat.tokenUsage"] = usage
    return {**found, **{key: value for key, value in known.items() if value is not None}}


def _streamed_attributes(last_chunk: Mapping[str, Any]) -> dict[str, Any]:
    """Id, model and usage of a streamed answer, which MLflow 2 leaves in its last chunk."""
    chunk = mapping(json_value(last_chunk["attributes"].get("mlflow.chunk.value")))
    answer = answer_attributes(chunk.get("response", chunk))
    return {name: value for name, value in answer.items() if name.startswith(_STREAMED)}


def _wait(first_chunk: Mapping[str, Any], started_at: Any) -> float | None:
    came_at = parse_time(first_chunk["time"] or None)
    return None if came_at is None or started_at is None else (came_at - started_at) / _MILLISECOND


def _models(
    attributes: Mapping[str, Any], request: Mapping[str, Any], answer: Mapping[str, Any]
) -> dict[str, Any]:
    named = attributes.get("mlflow.llm.model")
    of_langchain = mapping(attributes.get("metadata"))
    stated = (
        *(attributes.get("model"), request.get("gen_ai.request.model")),
        *(asked_model(attributes.get(name)) for name in ("mlflow.spanInputs", "invocation_params")),
        of_langchain.get("ls_model_name"),
    )
    asked = next((model for model in stated if model), None)
    answered = answer.get("gen_ai.response.model")
    if not isinstance(asked, str):
        return {"gen_ai.request.model": named, "gen_ai.response.model": answered}
    return {
        "gen_ai.request.model": asked,
        "gen_ai.response.model": answered or (named if named != asked else None),
    }


def _state(span: Mapping[str, Any]) -> SpanState:
    status = span.get("status")
    details = mapping(status) or {"code": span.get("status_code", status)}
    return SpanState(
        started_at=parse_time(span.get("start_time_unix_nano", span.get("start_time"))),
        is_failed=str(details.get("code")).upper() in _FAILED,
        message=details.get("message") or span.get("status_message") or None,
    )


def _events(span: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": event.get("name"),
            "time": str(event.get("time_unix_nano", event.get("timestamp", ""))),
            "attributes": mapping(event.get("attributes")),
        }
        for event in objects(span.get("events"))
    ]
