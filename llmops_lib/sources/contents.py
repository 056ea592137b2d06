"""`input`, `output` and `tool_calls` of a span, wherever its instrumentation put the text."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmops_lib.sources.cloud_answers import cloud_messages
from llmops_lib.sources.event_messages import MESSAGE_EVENTS, event_messages
from llmops_lib.sources.flattened import flattened_messages
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.messages import chat_messages, otel_message, tool_calls_of, untyped_parts

FLATTENED = {
    "gen_ai.prompt.": ("input", "user"),
    "gen_ai.completion.": ("output", "assistant"),
    "llm.input_messages.": ("input", "user"),
    "llm.output_messages.": ("output", "assistant"),
}
"""Prefix of numbered attributes -> column and the role of messages that state none."""


def _as_it_is(value: Any) -> Any:
    return value


def _asked(value: Any) -> Any:
    return chat_messages(value, role="user")


def _answered(value: Any) -> Any:
    answer = json_value(value)
    if isinstance(answer, dict) and isinstance(answer.get("completion"), str):
        # OpenRouter's own shape.
        texts = (answer["completion"],)
        return [_answer(texts, thought=answer.get("reasoning"), calls=answer.get("toolCalls"))]
    if (parts := untyped_parts(answer)) is not None:
        return [otel_message({"content": parts}, role="assistant")]
    return chat_messages(value, role="assistant")


def _answer(texts: Sequence[Any], *, thought: Any, calls: Any) -> dict[str, Any]:
    content = [{"type": "reasoning", "text": thought}] if thought else []
    content += [{"type": "text", "text": found} for found in texts if found]
    return otel_message({"content": content, "tool_calls": json_value(calls)}, role="assistant")


def _conventional(value: Any, role: str) -> Any:
    """Messages of the conventions as they are; those that only have their name, brought to their shape."""
    if isinstance(value, str) and not names_messages_without_parts(value):
        return value
    found = json_value(value)
    messages = found if isinstance(found, list) else []
    if messages and all(isinstance(item, dict) and "parts" in item for item in messages):
        return value
    return chat_messages(value, role=role)


def _conventional_input(value: Any) -> Any:
    return _conventional(value, "user")


def _conventional_output(value: Any) -> Any:
    return _conventional(value, "assistant")


def names_messages_without_parts(text: str) -> bool:
    """Whether text may hold messages of another shape than that of the conventions.

    Args:
        text: Value of an attribute.
    """
    return '"role"' in text and '"parts"' not in text


def _agent_kit_request(value: Any) -> Any:
    request = json_value(value)
    contents = request.get("contents") if isinstance(request, dict) else None
    return chat_messages(contents) if contents else None


def _agent_kit_answer(value: Any) -> Any:
    answer = json_value(value)
    if not isinstance(answer, dict) or not isinstance(answer.get("content"), dict):
        return None
    _, messages = cloud_messages({"candidates": [answer]}) or ("", [])
    return [{name: value for name, value in message.items() if value is not None} for message in messages]


def _listed_messages(value: Any) -> Any:
    """The Phoenix client leaves `llm.input_messages` a list of objects with dotted names."""
    found = json_value(value)
    if not isinstance(found, list):
        return value
    return flattened_messages({str(number): item for number, item in enumerate(found)}, role="user") or value


def _vercel_prompt(value: Any) -> Any:
    prompt = json_value(value)
    if not isinstance(prompt, dict):
        return value
    messages = [{"role": "system", "content": prompt["system"]}] if prompt.get("system") else []
    if isinstance(prompt.get("messages"), list):
        messages += prompt["messages"]
    elif isinstance(prompt.get("prompt"), str):
        messages.append({"role": "user", "content": prompt["prompt"]})
    return chat_messages(messages) if messages else value


# In order of trust: what is written as messages, then what is written as text, then raw requests.
_WRITTEN: dict[str, tuple[tuple[str, Callable[[Any], Any]], ...]] = {
    "input": (
        ("gen_ai.input.messages", _conventional_input),
        ("gen_ai.prompt", _asked),
        ("gen_ai.request.messages", _asked),
        ("llm.input_messages", _listed_messages),
        ("ai.prompt.messages", _asked),
        ("ai.prompt", _vercel_prompt),
        ("langfuse.observation.input", _asked),
        ("gen_ai.tool.call.arguments", _as_it_is),
        ("ai.toolCall.args", _as_it_is),
        ("tool_arguments", _as_it_is),
        ("gcp.vertex.agent.tool_call_args", _as_it_is),
        ("spring.ai.tool.call.arguments", _as_it_is),
        ("gcp.vertex.agent.llm_request", _agent_kit_request),
        ("pydantic_ai.all_messages", _as_it_is),
        ("traceloop.entity.input", _as_it_is),
        ("ai.values", _as_it_is),
        ("ai.value", _as_it_is),
        ("lmnr.span.input", _asked),
        ("input.value", _asked),
        # OpenInference writes the schema here, beside the arguments in `input.value`.
        ("tool.parameters", _as_it_is),
    ),
    "output": (
        ("gen_ai.output.messages", _conventional_output),
        ("gen_ai.completion", _answered),
        ("gen_ai.response.text", _answered),
        ("llm.output_messages", _listed_messages),
        ("langfuse.observation.output", _answered),
        ("gen_ai.tool.call.result", _as_it_is),
        ("ai.toolCall.result", _as_it_is),
        ("tool_response", _as_it_is),
        ("gcp.vertex.agent.tool_response", _as_it_is),
        ("spring.ai.tool.call.result", _as_it_is),
        ("gcp.vertex.agent.llm_response", _agent_kit_answer),
        ("final_result", _as_it_is),
        ("traceloop.entity.output", _as_it_is),
        ("lmnr.span.output", _answered),
        ("output.value", _answered),
    ),
}
_VERCEL_ANSWER = ("ai.response.text", "ai.response.toolCalls", "ai.response.object", "ai.response.reasoning")
_PYDANTIC_EVENTS = ("events", "all_messages_events")
READ_NAMES = frozenset(
    (*_VERCEL_ANSWER, *_PYDANTIC_EVENTS, *(name for sources in _WRITTEN.values() for name, _ in sources))
)
"""Attributes in which messages are looked for."""


def content_columns(
    rest: dict[str, Any], flattened: Mapping[str, Mapping[str, Any]], events: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    """`input`, `output`, `tool_calls` and what else of the messages was recorded, and the events not used.

    Args:
        rest: Attributes without a column; the ones used are taken out.
        flattened: Prefix of `FLATTENED` -> numbered attributes without it.
        events: Events of the span.
    """
    columns: dict[str, Any] = {}
    if not flattened and not events and rest.keys().isdisjoint(READ_NAMES):
        return columns, []
    for prefix, numbered in flattened.items():
        column, role = FLATTENED[prefix]
        messages = flattened_messages(numbered, role=role)
        if messages and column not in columns:
            columns[column] = messages
        else:
            rest.update({prefix + name: value for name, value in numbered.items()})
    _add_written(columns, rest)
    unused = list(events)
    if "input" not in columns or "output" not in columns:
        unused = [event for event in events if str(event.get("name")) not in MESSAGE_EVENTS]
        for column, messages in _messages_in_events(rest, events).items():
            columns.setdefault(column, messages)
    columns["tool_calls"] = tool_calls_of(columns.get("output"))
    return {column: value for column, value in columns.items() if value}, unused


def _add_written(columns: dict[str, Any], rest: dict[str, Any]) -> None:
    if "output" not in columns and any(name in rest for name in _VERCEL_ANSWER):
        columns["output"] = [_vercel_answer(rest)]
    for column, sources in _WRITTEN.items():
        if column in columns:
            continue
        for name, convert in sources:
            value = rest.get(name)
            if value is None or value == "":
                continue
            converted = convert(value)
            if converted is None:
                continue
            columns[column] = converted
            # A request holds more than its messages, and the rest of it must not be lost.
            if converted is value or isinstance(json_value(value), list):
                del rest[name]
            break


def _vercel_answer(rest: dict[str, Any]) -> dict[str, Any]:
    text, calls, answer, thought = (rest.pop(name, None) for name in _VERCEL_ANSWER)
    return _answer((text, answer), thought=thought, calls=calls)


def _messages_in_events(rest: dict[str, Any], events: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for name, fields in _message_events(rest, events):
        for column, messages in event_messages(name, fields).items():
            columns.setdefault(column, []).extend(messages)
    return columns


def _message_events(
    rest: dict[str, Any], events: Sequence[Mapping[str, Any]]
) -> list[tuple[str, Mapping[str, Any]]]:
    found = [(event.get("name"), event.get("attributes")) for event in events]
    for attribute in _PYDANTIC_EVENTS:
        bodies = json_value(rest.get(attribute))
        if isinstance(bodies, list) and all(isinstance(body, dict) for body in bodies):
            found += [(body.get("event.name"), body) for body in bodies]
            del rest[attribute]
    return [
        (name, fields if isinstance(fields, Mapping) else {})
        for name, fields in found
        if isinstance(name, str) and name in MESSAGE_EVENTS
    ]
