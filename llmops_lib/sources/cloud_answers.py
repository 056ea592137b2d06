"""Raw answers of Gemini and of Bedrock's Converse API, which keep messages, usage and names elsewhere.

Source: https://ai.google.dev/api/generate-content#GenerateContentResponse,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.messages import otel_message

_REASONS = ("finishReason", "finish_reason")
_NAMES = {
    "id": ("id", "responseId", "response_id"),
    "model": ("model", "modelVersion", "model_version"),
    "usage": ("usage", "usageMetadata", "usage_metadata"),
    "stop_reason": ("stop_reason", "stopReason"),
}


def cloud_messages(answer: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]] | None:
    """The field that holds the messages, and the messages in OpenTelemetry's shape; None without any.

    Args:
        answer: The body of an answer, also with the names in snake_case that Google's SDK for Python writes.

    Example:
        >>> cloud_messages({"output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}}})
        ('output', [{'role': 'assistant', 'parts': [{'type': 'text', 'content': 'hi'}]}])
    """
    candidates, output = answer.get("candidates"), answer.get("output")
    if isinstance(candidates, list) and candidates and all(isinstance(one, dict) for one in candidates):
        return "candidates", [_candidate(one) for one in candidates]
    if _is_candidate(answer):
        return "content", [_candidate(answer)]
    message = output.get("message") if isinstance(output, dict) else None
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return None
    reason = answer.get("stopReason")
    return "output", [otel_message({**message, "finish_reason": reason}, role="assistant")]


def cloud_facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    """`id`, `model`, `usage` and `stop_reason` of an answer of any provider, under these names.

    Args:
        answer: The body of an answer.
    """
    return {
        fact: next((answer[name] for name in names if answer.get(name)), None)
        for fact, names in _NAMES.items()
    }


def _is_candidate(answer: Mapping[str, Any]) -> bool:
    """Whether an answer is a candidate alone, as Google's agent kit keeps it."""
    content = answer.get("content")
    if not isinstance(content, dict) or not isinstance(content.get("parts"), list):
        return False
    return content["role"] == "model" if "role" in content else "finish_reason" in answer


def _candidate(candidate: Mapping[str, Any]) -> dict[str, Any]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    listed = parts if isinstance(parts, list) else []
    told = otel_message({"role": "assistant", "parts": listed}, role="assistant")
    reasons = (candidate[name] for name in _REASONS if candidate.get(name))
    return {**told, "finish_reason": next(reasons, None)}
