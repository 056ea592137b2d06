"""One span at a time: a root, a model call, a tool run or a retrieval, as OpenTelemetry names things."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from llmops_lib.demo.steps import MODEL, NO_FAULT, RETRIEVAL
from llmops_lib.demo.texts import CALL_ID, Text, system_instructions, text_pool
from llmops_lib.demo.world import CHANGED_FEATURE, FAULTS, FEATURES, MODELS, TENANTS, TOOLS, Feature, Model

Attribute = dict[str, Any]

_INTERNAL, _SERVER, _CLIENT = 1, 2, 3
_TENANT_NAMES = tuple(TENANTS)
_LIKED_SHARE = (0.72, 0.81, 0.3)
"""Share of ratings that are good: before and after the change of the prompt, and without sources."""


REGRESSED = 2
"""Revision that answers without its sources."""


@dataclass(frozen=True)
class Day:
    """Columns of one day as lists: those of traces first, then, from `trace` on, those of steps.

    The names are those of `Traces`, `Plan`, `Steps` and `Usage`; `revision` is by how many versions the
    prompt is beyond its first.
    """

    on: str
    trace_ids: Sequence[str]
    root_ids: Sequence[str]
    span_ids: Sequence[str]
    root_started: list[int]
    root_ended: list[int]
    root_failed: list[bool]
    session: list[int]
    user: list[int]
    tenant: list[int]
    feature: list[int]
    revision: list[int]
    arm: Sequence[Attribute]
    text: list[int]
    trace: list[int]
    kind: list[int]
    turn: list[int]
    is_last_turn: list[bool]
    model: list[int]
    fault: list[int]
    started: list[int]
    ended: list[int]
    first_token_s: list[float]
    input_tokens: list[int]
    output_tokens: list[int]
    cache_read_tokens: list[int]
    cache_write_tokens: list[int]
    reasoning_tokens: list[int]
    luck: list[float]


def root_span(day: Day, trace: int) -> dict[str, Any]:
    """The span of a whole trace; only it says who called and for which feature."""
    feature = FEATURES[day.feature[trace]]
    operation = "invoke_agent" if feature.has_tools else "invoke_workflow"
    attributes = [
        _constant("gen_ai.operation.name", operation),
        text_attribute("session.id", f"s-{day.on}-{day.session[trace]:05d}"),
        _constant("user.id", f"u-{day.user[trace]:03d}"),
        _constant("tenant.id", _TENANT_NAMES[day.tenant[trace]]),
        _constant("app.feature", feature.name),
    ]
    if feature.has_tools:
        attributes.append(_constant("gen_ai.agent.name", feature.name))
    if day.arm and feature.name == CHANGED_FEATURE:
        attributes.append(day.arm[trace])
    return {
        "traceId": day.trace_ids[trace],
        "spanId": day.root_ids[trace],
        "parentSpanId": "",
        "name": f"{operation} {feature.name}",
        "kind": _SERVER,
        "startTimeUnixNano": str(day.root_started[trace]),
        "endTimeUnixNano": str(day.root_ended[trace]),
        "attributes": attributes,
        "status": {"code": 2, "message": "a step failed"} if day.root_failed[trace] else {},
    }


def step_span(day: Day, row: int) -> dict[str, Any]:
    """The span of a step: its parent is the root of the trace."""
    trace = day.trace[row]
    feature = FEATURES[day.feature[trace]]
    text = text_pool(feature.name).texts[day.text[trace]]
    if day.kind[row] == MODEL:
        name, kind, attributes = _model_call(day, row, feature, text)
    elif day.kind[row] == RETRIEVAL:
        name, kind, attributes = (
            "retrieval handbook",
            _CLIENT,
            [_constant("gen_ai.operation.name", "retrieval")],
        )
    else:
        name, kind, attributes = _tool_run(day, row, text)
    fault = day.fault[row]
    return {
        "traceId": day.trace_ids[trace],
        "spanId": day.span_ids[row],
        "parentSpanId": day.root_ids[trace],
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(day.started[row]),
        "endTimeUnixNano": str(day.ended[row]),
        "attributes": attributes,
        **_feedback(day, row, feature),
        "status": {} if fault == NO_FAULT else {"code": 2, "message": FAULTS[fault].message},
    }


def text_attribute(key: str, value: str) -> Attribute:
    """An attribute that holds text."""
    return {"key": key, "value": {"stringValue": value}}


def count_attribute(key: str, value: int) -> Attribute:
    """An attribute that holds a whole number, written as text as protobuf does."""
    return {"key": key, "value": {"intValue": str(value)}}


def _model_call(day: Day, row: int, feature: Feature, text: Text) -> tuple[str, int, list[Attribute]]:
    model = MODELS[day.model[row]]
    operation = "chat" if feature.prompt_name else "embeddings"
    attributes = [
        _constant("gen_ai.operation.name", operation),
        _constant("gen_ai.provider.name", model.provider),
        _constant("gen_ai.request.model", model.name),
        text_attribute("gen_ai.input.messages", _asked(day, row, text)),
    ]
    if feature.prompt_name:
        attributes += _prompt(feature.prompt_name, feature.prompt_version + day.revision[day.trace[row]])
    if feature.is_streaming:
        attributes.append({"key": "gen_ai.request.stream", "value": {"boolValue": True}})
    fault = day.fault[row]
    if fault == NO_FAULT:
        attributes += _answer(day, row, feature, model, text)
    else:
        attributes.append(_constant("error.type", FAULTS[fault].error_type))
        status = FAULTS[fault].http_status
        attributes += [count_attribute("http.response.status_code", status)] if status else []
    return f"{operation} {model.name}", _CLIENT, attributes


def _asked(day: Day, row: int, text: Text) -> str:
    if not day.turn[row] or not FEATURES[day.feature[day.trace[row]]].has_tools:
        return text.request
    return text.follow_up.replace(CALL_ID, _call_id(day, row, day.turn[row] - 1))


def _answer(day: Day, row: int, feature: Feature, model: Model, text: Text) -> list[Attribute]:
    attributes = [
        _constant("gen_ai.response.model", model.response_name),
        text_attribute("gen_ai.response.id", f"{model.id_prefix}{day.span_ids[row]}"),
        count_attribute("gen_ai.usage.input_tokens", day.input_tokens[row]),
    ]
    if model.is_cache_known and feature.prompt_name:
        attributes.append(count_attribute("gen_ai.usage.cache_read.input_tokens", day.cache_read_tokens[row]))
    if model.provider == "anthropic":
        attributes.append(
            count_attribute("gen_ai.usage.cache_creation.input_tokens", day.cache_write_tokens[row])
        )
    if not feature.prompt_name:
        return attributes
    if model.provider == "gcp.gemini":
        attributes.append(count_attribute("gen_ai.usage.reasoning.output_tokens", day.reasoning_tokens[row]))
    if feature.is_streaming:
        wait = {"doubleValue": day.first_token_s[row]}
        attributes.append({"key": "gen_ai.response.time_to_first_chunk", "value": wait})
    asks_for_tool = feature.has_tools and not day.is_last_turn[row]
    said = text.uncited if day.revision[day.trace[row]] == REGRESSED else text.answer
    if asks_for_tool:
        said = text.tool_request.replace(CALL_ID, _call_id(day, row, day.turn[row]))
    return [
        *attributes,
        count_attribute("gen_ai.usage.output_tokens", day.output_tokens[row]),
        _FINISHED[asks_for_tool],
        text_attribute("gen_ai.output.messages", said),
    ]


def _tool_run(day: Day, row: int, text: Text) -> tuple[str, int, list[Attribute]]:
    tool = TOOLS[day.turn[row] % len(TOOLS)]
    attributes = [
        _constant("gen_ai.operation.name", "execute_tool"),
        _constant("gen_ai.tool.name", tool),
        text_attribute("gen_ai.tool.call.id", _call_id(day, row, day.turn[row])),
        text_attribute("gen_ai.tool.call.arguments", text.arguments),
    ]
    return f"execute_tool {tool}", _INTERNAL, attributes


def _call_id(day: Day, row: int, turn: int) -> str:
    return f"call_{day.root_ids[day.trace[row]]}_{turn}"


def _feedback(day: Day, row: int, feature: Feature) -> dict[str, Any]:
    """The events of a step, where a user rated the answer."""
    luck = day.luck[row]
    if day.kind[row] != MODEL or day.fault[row] != NO_FAULT or luck >= feature.feedback_share:
        return {}
    is_liked = luck < feature.feedback_share * _LIKED_SHARE[day.revision[day.trace[row]]]
    rating = {
        "timeUnixNano": str(day.ended[row]),
        "name": "gen_ai.evaluation.result",
        "attributes": [
            _constant("gen_ai.evaluation.name", "user_feedback"),
            {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": float(is_liked)}},
        ],
    }
    return {"events": [rating]}


@cache
def _prompt(name: str, version: int) -> list[Attribute]:
    instructions = system_instructions(name, version)
    return [
        text_attribute("gen_ai.prompt.name", name),
        text_attribute("gen_ai.prompt.version", str(version)),
        text_attribute("gen_ai.prompt.hash", hashlib.sha256(instructions.encode()).hexdigest()[:16]),
        text_attribute("gen_ai.system_instructions", instructions),
    ]


@cache
def _constant(key: str, value: str) -> Attribute:
    return text_attribute(key, value)


_FINISHED = {
    asks_for_tool: {
        "key": "gen_ai.response.finish_reasons",
        "value": {"arrayValue": {"values": [{"stringValue": "tool_calls" if asks_for_tool else "stop"}]}},
    }
    for asks_for_tool in (False, True)
}
