"""Spans of Claude Code: counts and names without a prefix, and input that leaves the cache out.

Source: https://docs.claude.com/en/docs/claude-code/monitoring-usage (traces)
"""

from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import TOKEN_CONVENTION

CLAUDE_CODE = "claude_code."
"""With what the name of a span of Claude Code begins."""

_OPERATIONS = {
    "claude_code.llm_request": "chat",
    "claude_code.tool": "execute_tool",
    "claude_code.interaction": "invoke_agent",
}
_NAMES = {
    "model": "gen_ai.request.model",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_creation_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "stop_reason": "gen_ai.response.finish_reason",
    "request_id": "anthropic.request.id",
    "status_code": "http.response.status_code",
    "tool_name": "gen_ai.tool.name",
    "tool_use_id": "gen_ai.tool.call.id",
    "error": "error.message",
    "user_prompt": "input.value",
}
_WAIT = "ttft_ms"
# The word of the conventions for an error of no class.
_UNNAMED = "_OTHER"


def claude_code_attributes(written: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Attributes of a span under the names of the conventions; those that it has already stay.

    Args:
        written: Attributes of the span.
        name: Name of the span.

    Example:
        >>> claude_code_attributes({"tool_name": "Bash"}, "claude_code.tool")
        {'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'Bash'}
    """
    operation = _OPERATIONS.get(name, "span")
    found = {"gen_ai.operation.name": operation}
    found |= {_NAMES.get(key, key): value for key, value in written.items()}
    if operation != "chat":
        return found
    if written.get("success") in (False, "false"):
        found.setdefault("error.type", _UNNAMED)
    if type(written.get(_WAIT)) in (int, float):
        found["gen_ai.response.time_to_first_chunk"] = written[_WAIT] / 1_000
    return {**found, TOKEN_CONVENTION: "exclusive"} if "input_tokens" in written else found
