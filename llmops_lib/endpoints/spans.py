"""Calls as OpenTelemetry spans: OTLP/JSON, one export request per line, which `load_traces` reads back.

Names are those of the OpenTelemetry GenAI conventions, version 1.37 and later (messages as attributes).
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from llmops_lib.chat import ChatAnswer, ChatRequest, ChatResult
from llmops_lib.endpoints.settings import Endpoint
from llmops_lib.secrets.written import hide_secrets, hide_secrets_in

_CLIENT, _ERROR = 3, 2
_PARAMETERS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "seed": "gen_ai.request.seed",
}


class SpanFile:
    """A file that spans are added to, by many threads.

    Args:
        path: Its directory is made; an existing file is added to.
        endpoint: What was called.
    """

    def __init__(self, path: Path, endpoint: Endpoint) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._endpoint = endpoint
        self._lock = threading.Lock()

    def add(self, result: ChatResult) -> None:
        """Writes the span of a call as one line, in one write, so that a kill leaves whole lines.

        Keys and passwords in texts are hidden.
        """
        line = orjson.dumps(export_request(result, self._endpoint)) + b"\n"
        with self._lock, self._path.open("ab", buffering=0) as stream:
            stream.write(line)


def export_request(result: ChatResult, endpoint: Endpoint) -> dict[str, Any]:
    """The span of a call as an OTLP/JSON export request.

    Args:
        result: The call.
        endpoint: What was called.
    """
    started = _epoch_ns(result.started_at)
    status = {"code": _ERROR, "message": hide_secrets(result.error)} if result.error is not None else {}
    span = {
        "traceId": result.trace_id,
        "spanId": result.span_id,
        "parentSpanId": "",
        "name": f"chat {result.request.model}",
        "kind": _CLIENT,
        "startTimeUnixNano": str(started),
        "endTimeUnixNano": str(started + round(result.latency_ms * 1e6)),
        "attributes": [_attribute(name, value) for name, value in _attributes(result, endpoint).items()],
        "status": status,
    }
    resource = {"attributes": [_attribute("service.name", "llmops-workbench")]}
    scope = {"name": "llmops_lib.endpoints"}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": [span]}]}]}


def _attributes(result: ChatResult, endpoint: Endpoint) -> dict[str, Any]:
    request, answer = result.request, result.answer
    named = {name: request.parameters.get(key) for key, name in _PARAMETERS.items()}
    found = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": endpoint.provider,
        "gen_ai.request.model": request.model,
        **named,
        "server.address": endpoint.address.host,
        "server.port": endpoint.address.port,
        "http.request.resend_count": result.attempt_count - 1 if result.attempt_count > 1 else None,
        "error.type": result.error_type,
        "llmops.purpose": request.purpose,
        **_messages(request, answer),
        **(_of_answer(answer) if answer else {}),
        **request.carried,
    }
    return {name: value for name, value in found.items() if value is not None}


def _of_answer(answer: ChatAnswer) -> dict[str, Any]:
    return {
        "gen_ai.response.model": answer.model,
        "gen_ai.response.id": answer.response_id,
        "gen_ai.response.finish_reasons": [answer.finish_reason] if answer.finish_reason else None,
        "gen_ai.usage.input_tokens": answer.input_tokens,
        "gen_ai.usage.output_tokens": answer.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": answer.cache_read_tokens,
        "gen_ai.usage.reasoning.output_tokens": answer.reasoning_tokens,
    }


def _messages(request: ChatRequest, answer: ChatAnswer | None) -> dict[str, str | None]:
    given = [_message(str(message.get("role", "")), message.get("content")) for message in request.messages]
    system = [part for message in given if message["role"] == "system" for part in message["parts"]]
    others = [message for message in given if message["role"] != "system"]
    output = None
    if answer is not None:
        message = _message("assistant", answer.text)
        message["parts"] += [_tool_call(call) for call in answer.tool_calls]
        output = _json([{**message, "finish_reason": answer.finish_reason or ""}])
    return {
        "gen_ai.system_instructions": _json(system) if system else None,
        "gen_ai.input.messages": _json(others),
        "gen_ai.output.messages": output,
    }


def _message(role: str, content: Any) -> dict[str, Any]:
    if content is None:
        return {"role": role, "parts": []}
    text = content if isinstance(content, str) else _json(content)
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    function = function if isinstance(function, Mapping) else {}
    named = {"name": function.get("name"), "arguments": function.get("arguments")}
    return {"type": "tool_call", "id": call.get("id"), **named}


def _json(value: Any) -> str:
    return orjson.dumps(hide_secrets_in(value)).decode()


def _attribute(name: str, value: Any) -> dict[str, Any]:
    return {"key": name, "value": _value(value)}


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": str(value)}


def _epoch_ns(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1_000
