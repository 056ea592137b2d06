"""Requests and answers that Langfuse generations keep as they were sent: messages, and what else they tell.

Langfuse's own wrapper of OpenAI keeps the tools beside the messages, instrumentations of the Responses API,
of Anthropic and of Gemini keep the whole answer. OpenInference writes the same messages as attributes too,
and those hold the system prompt that the request may keep elsewhere.
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.langfuse_content import messages_in
from llmops_lib.sources.langfuse_fields import mapping, unwrapped
from llmops_lib.sources.provider_answers import answer_attributes, request_attributes
from llmops_lib.sources.usage import SERVICE_TIER

_MESSAGES = {"user": "gen_ai.input.messages", "assistant": "gen_ai.output.messages"}
_REST = {"user": "input.value", "assistant": "output.value"}
_FACTS = {
    "gen_ai.request.model": "request_model",
    "gen_ai.request.stream": "is_streaming",
    "gen_ai.response.model": "response_model",
    "gen_ai.response.id": "request_id",
    "gen_ai.system_instructions": "system_instructions",
}


def is_sent(found: Any, role: str) -> bool:
    """Whether a value is a request or an answer as it was sent, and not just messages.

    Args:
        found: `input` or `output` of a generation, out of its layers of JSON text.
        role: `user` for a request, `assistant` for an answer.

    Example:
        >>> is_sent({"messages": [{"role": "user", "content": "hi"}], "tools": []}, "user")
        True
        >>> is_sent([{"role": "user", "content": "hi"}], "user")
        False
    """
    return bool(_told(found, role))


def exchange(observation: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What the request and the answer of a generation tell, as columns and `attributes`.

    Args:
        observation: Uses `input`, `output`; fields in snake_case.
        evidence: What its original attributes say; uses `input`, `output`, where those hold messages.

    Returns:
        `input` and `output`; `request_model`, `response_model`, `request_id`, `finish_reason`,
        `is_streaming` and `system_instructions` where they are stated; in `attributes` what the messages
        do not tell.
    """
    row: dict[str, Any] = {"attributes": {}}
    for role, column in (("user", "input"), ("assistant", "output")):
        value = observation.get(column)
        found = unwrapped(value)
        told = _told(found, role)
        row |= {name: told[attribute] for attribute, name in _FACTS.items() if attribute in told}
        row[column] = told[_MESSAGES[role]] if told else messages_in(found, role)
        if _REST[role] in told:
            row["attributes"][_REST[role]] = told[_REST[role]]
        written = evidence.get(column)
        if _is_longer(written, row[column]):
            row["attributes"].setdefault(_REST[role], value)
            row[column] = written
        reason = next(iter(told.get("gen_ai.response.finish_reasons", ())), None)
        # Google's SDK writes some as numbers.
        row |= {"finish_reason": reason} if isinstance(reason, str) else {}
    tier = mapping(row["attributes"].get("output.value")).get("service_tier")
    row["attributes"] |= {SERVICE_TIER: tier} if isinstance(tier, str) else {}
    return row


def _told(found: Any, role: str) -> dict[str, Any]:
    """The attributes of a request or an answer; none where a value is neither, or messages alone."""
    if not isinstance(found, dict | list) or not found:
        return {}
    told = request_attributes(found) if role == "user" else answer_attributes(found)
    return told if _are_messages(told.get(_MESSAGES[role])) else {}


def _are_messages(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_message(item) for item in value)


def _is_message(item: Any) -> bool:
    return isinstance(item, dict) and "role" in item and isinstance(item.get("parts"), list)


def _is_longer(written: Any, kept: Any) -> bool:
    """Whether attributes hold messages that the field lacks, such as the system prompt."""
    return _are_messages(written) and (not _are_messages(kept) or len(written) > len(kept))
