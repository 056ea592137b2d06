"""Raw requests and answers of model providers, which platforms keep as they were sent, as GenAI attributes.

The messages in them become messages of OpenTelemetry's shape. Whatever else they hold stays beside those
as `input.value` and `output.value`, so that nothing is lost and no prompt is kept twice.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.cloud_answers import cloud_facts, cloud_messages
from llmops_lib.sources.json_text import json_value
from llmops_lib.sources.langchain_answers import langchain_attributes
from llmops_lib.sources.langsmith_content import run_input
from llmops_lib.sources.messages import chat_messages, otel_message
from llmops_lib.sources.provider_usage import usage_attributes

_MODELS = ("model", "modelId", "model_id", "model_name")
RESPONSE_ITEMS = (
    *("message", "reasoning", "function_call", "custom_tool_call", "mcp_call", "mcp_list_tools"),
    *("web_search_call", "file_search_call", "code_interpreter_call", "computer_call"),
    *("image_generation_call", "local_shell_call"),
)
"""Types of the items in an answer of the Responses API."""

_CONTENT_TYPES = ("text", "tool_use", "thinking", "redacted_thinking", "server_tool_use")
_OF_A_CANDIDATE = frozenset(("content", "finishReason", "finish_reason", "index"))
_OF_A_CHOICE = ("message", "text", "finish_reason", "index", "logprobs")
_KNOWN = ("role", "content", "tool_calls", "reasoning_content", "name")


def request_attributes(value: Any) -> dict[str, Any]:
    """The messages, the model and the parameters of a request.

    Args:
        value: Parameters of the request, their JSON text, or whatever else went into a span.

    Example:
        >>> request_attributes({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]})[
        ...     "gen_ai.request.model"
        ... ]
        'gpt-4o'
    """
    request = json_value(value)
    if isinstance(request, list) and request and isinstance(request[0], list):
        # LangChain lists the messages of each prompt of a batch.
        return {"gen_ai.input.messages": run_input({"messages": request})[0]}
    holder, messages = _asked(request) if isinstance(request, dict) else ("", None)
    if messages is None:
        return {"input.value": value}
    attributes: dict[str, Any] = {"gen_ai.input.messages": messages}
    rest = {name: item for name, item in request.items() if name != holder}
    if isinstance(rest.get("system"), str | list) and rest["system"]:
        attributes["gen_ai.system_instructions"] = chat_messages(rest.pop("system"))
    if isinstance(rest.get("model"), str):
        attributes["gen_ai.request.model"] = rest["model"]
    if isinstance(rest.get("stream"), bool):
        attributes["gen_ai.request.stream"] = rest["stream"]
    return {**attributes, "input.value": rest} if rest else attributes


def _asked(request: Mapping[str, Any]) -> tuple[str, Any]:
    """The field that holds the messages of a request, and the messages; None where it has none."""
    listed, contents = request.get("messages"), request.get("contents")
    if isinstance(listed, list):
        is_batch = bool(listed) and isinstance(listed[0], list)
        return "messages", run_input({"messages": listed})[0] if is_batch else chat_messages(listed)
    # Gemini calls them contents; one without a role is the user's.
    if isinstance(contents, list) and contents and all(_has_parts(item) for item in contents):
        return "contents", [otel_message(item, role="user") for item in contents]
    return "", None


def _has_parts(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("parts"), list)


def asked_model(request: Any) -> str | None:
    """The model that a request names, also one without messages, or the parameters of one.

    Args:
        request: The request, its parameters, or JSON text of either.

    Example:
        >>> asked_model({"modelId": "amazon.nova-lite-v1:0", "inferenceConfig": {}})
        'amazon.nova-lite-v1:0'
    """
    found = json_value(request)
    fields = found if isinstance(found, dict) else {}
    named = (fields.get(name) for name in _MODELS)
    return next((model for model in named if isinstance(model, str) and model), None)


def answer_attributes(value: Any) -> dict[str, Any]:
    """The messages of an answer, its id, model, finish reasons and usage.

    Args:
        value: An answer of OpenAI (chat, completions, responses, embeddings), Anthropic, Gemini or Bedrock,
            a result of LangChain, its JSON text, a bare list of choices, or whatever else came out of a span.

    Example:
        >>> choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
        >>> answer_attributes([choice])["gen_ai.output.messages"][0]["parts"]
        [{'type': 'text', 'content': 'hello'}]
    """
    answer = json_value(value)
    if isinstance(answer, list) and answer and all(_is_choice(item) for item in answer):
        answer = {"choices": answer}
    if isinstance(answer, list) and _is_response(answer):
        answer = {"output": answer}
    if not isinstance(answer, dict):
        return {"output.value": value}
    told = langchain_attributes(answer, asked_model(answer.get("llm_output")))
    if told is not None:
        return told
    holder, messages = _messages(answer)
    if messages is None:
        return {"output.value": value, **(_facts(answer) if "usage" in answer and "model" in answer else {})}
    rest = {name: item for name, item in answer.items() if name != holder or not _is_told(holder, item)}
    reasons = [message["finish_reason"] for message in messages if message.get("finish_reason")]
    found = {"gen_ai.output.messages": messages, **_facts(answer)}
    found |= {"gen_ai.response.finish_reasons": reasons} if reasons else {}
    return {**found, "output.value": rest} if rest else found


def ending_attributes(metadata: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Why an answer ended, where it does not say so: some wrappers of Anthropic note it apart.

    Args:
        metadata: Metadata of the span; uses `stop_reason`, `finish_reason`.
        answer: What `answer_attributes` gave.

    Example:
        >>> ending_attributes({"stop_reason": "end_turn"}, {})
        {'gen_ai.response.finish_reasons': ['end_turn']}
    """
    reason = metadata.get("stop_reason", metadata.get("finish_reason"))
    is_known = "gen_ai.response.finish_reasons" in answer or not isinstance(reason, str)
    return {} if is_known else {"gen_ai.response.finish_reasons": [reason]}


def _facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    told = cloud_facts(answer)
    named = {"gen_ai.response.id": told["id"], "gen_ai.response.model": told["model"]}
    facts = {name: value for name, value in named.items() if isinstance(value, str) and value}
    return {**facts, **usage_attributes(told["usage"])}


def _is_response(items: list[Any]) -> bool:
    """Whether a list is the output of the Responses API; some platforms keep no more of its answer."""
    return bool(items) and all(
        isinstance(item, dict) and item.get("type") in RESPONSE_ITEMS for item in items
    )


def _is_choice(item: Any) -> bool:
    return isinstance(item, dict) and (
        isinstance(item.get("message"), dict) or ("text" in item and "finish_reason" in item)
    )


def _messages(answer: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]] | None]:
    """The field that holds the messages, and the messages."""
    choices = answer.get("choices")
    if isinstance(choices, list) and choices and all(_is_choice(choice) for choice in choices):
        return "choices", [_chosen(choice) for choice in choices]
    if isinstance(answer.get("content"), list) and _is_content(answer):
        return "content", [_message({"content": answer["content"]}, answer.get("stop_reason"))]
    output = answer.get("output")
    if isinstance(output, list) and (answer.get("object") == "response" or _is_response(output)):
        return "output", [_message({"content": _response_parts(output)}, None)]
    if isinstance(answer.get("text"), str) and isinstance(answer.get("finishReason"), str):
        # The Vercel AI SDK, whose result is no answer of a provider.
        told = {"content": answer["text"], "tool_calls": answer.get("toolCalls")}
        return "text", [_message(told, answer["finishReason"])]
    return cloud_messages(answer) or ("", None)


def _is_content(answer: Mapping[str, Any]) -> bool:
    """Whether these are parts of an answer of Anthropic, also without its frame; a role alone is no frame."""
    if answer.get("type") == "message" or isinstance(answer.get("stop_reason"), str):
        return True
    content = answer["content"]
    are_parts = all(isinstance(part, dict) and part.get("type") in _CONTENT_TYPES for part in content)
    return bool(content) and are_parts and "role" not in answer


def _chosen(choice: Mapping[str, Any]) -> dict[str, Any]:
    message = choice.get("message")
    found = message if isinstance(message, dict) else {"content": choice.get("text")}
    # What is beside the message and says much, such as probabilities, is kept with the whole answer.
    beside = {name: value for name, value in choice.items() if name not in _OF_A_CHOICE}
    return _message({**beside, **found}, choice.get("finish_reason"))


def _message(message: Mapping[str, Any], reason: Any) -> dict[str, Any]:
    thought = message.get("reasoning_content")
    told = {name: value for name, value in message.items() if name != "reasoning_content"}
    converted = otel_message({**told, "finish_reason": reason}, role="assistant")
    if isinstance(thought, str) and thought:
        converted["parts"] = [{"type": "reasoning", "content": thought}, *converted["parts"]]
    return converted


def _response_parts(output: list[Any]) -> list[Any]:
    parts: list[Any] = []
    for item in output:
        is_message = isinstance(item, dict) and item.get("type") == "message"
        content = item.get("content") if is_message else None
        parts += content if isinstance(content, list) else [item]
    return parts


def _is_told(holder: str, item: Any) -> bool:
    """Whether the messages tell all that the field holds, so that it need not be kept beside them."""
    if holder == "candidates":
        return not any(candidate[name] for candidate in item for name in candidate.keys() - _OF_A_CANDIDATE)
    if holder != "choices":
        return True
    messages = [choice.get("message") or {} for choice in item]
    return not any(
        message[name] for message in messages for name in message if name not in _KNOWN
    ) and not any(choice.get("logprobs") for choice in item)
