"""Answers as LangChain keeps them: the result of a batch of prompts, or one message alone."""

from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.langsmith_content import message_fields, message_of, run_output
from llmops_lib.sources.langsmith_usage import token_columns

_COUNTS = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}


def langchain_attributes(answer: Mapping[str, Any], asked: str | None) -> dict[str, Any] | None:
    """What an answer of LangChain tells; None where it is none.

    Args:
        answer: A result with `generations`, or one message with its `response_metadata`.
        asked: The model, where the answer names none.

    Example:
        >>> message = {"type": "ai", "content": "hi", "response_metadata": {"finish_reason": "stop"}}
        >>> langchain_attributes(message, None)["gen_ai.response.finish_reasons"]
        ['stop']
    """
    if isinstance(answer.get("generations"), list):
        return _generated(answer, asked)
    if not _is_message(answer):
        return None
    # The message keeps what it says of itself, but for its id.
    rest = {"output.value": {"id": answer["id"]}} if isinstance(answer.get("id"), str) else {}
    told = _generated({"generations": [[{"message": answer}]]}, asked)
    return {name: item for name, item in told.items() if name != "output.value"} | rest


def _is_message(answer: Mapping[str, Any]) -> bool:
    """Whether an answer is a message of the model, and not what a tool returned."""
    fields = message_fields(answer)
    is_whole = "content" in fields and isinstance(fields.get("response_metadata"), dict)
    return is_whole and message_of(answer).get("role") == "assistant"


def _generated(answer: Mapping[str, Any], asked: str | None) -> dict[str, Any]:
    columns, rest = run_output(answer)
    counts, notes = token_columns({"outputs": answer})
    told = {
        "gen_ai.output.messages": columns.get("output"),
        "gen_ai.response.model": columns.get("response_model") or asked,
        "gen_ai.response.id": columns.get("request_id"),
        "gen_ai.response.finish_reasons": [reason for reason in (columns.get("finish_reason"),) if reason],
        "output.value": rest,
        **{_COUNTS[column]: count for column, count in counts.items()},
        **notes,
    }
    return {name: value for name, value in told.items() if value}
