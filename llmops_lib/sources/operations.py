"""What a span does: the words of every generation of instrumentation, brought to the closed list."""

from collections.abc import Mapping
from typing import Any

_OPERATIONS = {
    # OpenTelemetry and what instrumentations write in its place
    "chat": "chat",
    "chat.completions": "chat",
    "chat_completion": "chat",
    "generate_content": "chat",
    "generation": "chat",
    "responses": "chat",
    "messages": "chat",
    "completion": "text_completion",
    "completions": "text_completion",
    "text_completion": "text_completion",
    "text.completions": "text_completion",
    # LiteLLM names its own functions, and `completion` there is chat: see `_is_chat`
    "acompletion": "chat",
    "anthropic_messages": "chat",
    "agenerate_content": "chat",
    "agenerate_content_stream": "chat",
    "generate_content_stream": "chat",
    "aresponses": "chat",
    "atext_completion": "text_completion",
    "aembedding": "embeddings",
    "arerank": "rerank",
    # Gemini CLI
    "llm_call": "chat",
    "agent_call": "invoke_agent",
    "embedding": "embeddings",
    "embeddings": "embeddings",
    "rerank": "rerank",
    "reranker": "rerank",
    "execute_tool": "execute_tool",
    "tool": "execute_tool",
    "tool_call": "execute_tool",
    "invoke_agent": "invoke_agent",
    "agent": "invoke_agent",
    "retrieval": "retrieval",
    "retriever": "retrieval",
    "retrieve": "retrieval",
    "guardrail": "guardrail",
    "evaluation": "evaluation",
    "evaluator": "evaluation",
    "evaluate": "evaluation",
    "invoke_workflow": "chain",
    "workflow": "chain",
    "task": "chain",
    "chain": "chain",
    # Spring AI, around the calls of a client
    "chat_client": "chain",
    "advisor": "chain",
    # OpenInference
    "llm": "chat",
    # known, and none of the above
    "cached": "other",
    "create_agent": "other",
    "decision": "other",
    "event": "other",
    "plan": "other",
    "parser": "other",
    "prompt": "other",
    "span": "other",
}

_TRUSTED = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "langsmith.span.kind",
    "llm.request.type",
    "ai.operationId",
    "traceloop.span.kind",
    "langfuse.observation.type",
    "spring.ai.kind",
    "lmnr.span.type",
)

_CHAT_NAMES = (".chat", ".generate_content", ".send_message", "litellm_request")

_NAME_STARTS = (
    ("chat ", "chat"),
    ("generate_content ", "chat"),
    ("text_completion ", "text_completion"),
    ("embeddings ", "embeddings"),
    ("execute_tool ", "execute_tool"),
    ("running tool: ", "execute_tool"),
    ("invoke_agent", "invoke_agent"),
    ("agent run", "invoke_agent"),
    # OpenLLMetry gives calls of the Responses API no kind, and failed ones no usage.
    ("openai.response", "chat"),
    # Google's agent kit and old Strands name no operation, and failed calls have no usage.
    ("call_llm", "chat"),
    ("Model invoke", "chat"),
    ("Tool: ", "execute_tool"),
)


def operation_name(raw: Any) -> str | None:
    """The operation that a source's word means, or None where the word is unknown.

    Args:
        raw: Such as `chat`, `LLM`, `GENERATION`, `ai.generateText.doGenerate`.

    Example:
        >>> operation_name("RETRIEVER"), operation_name("ai.embed.doEmbed"), operation_name("UNKNOWN")
        ('retrieval', 'embeddings', None)
    """
    if not isinstance(raw, str):
        return None
    if raw.startswith("ai."):
        return _vercel_operation(raw)
    return _OPERATIONS.get(raw) or _OPERATIONS.get(raw.strip().lower())


def _vercel_operation(raw: str) -> str:
    step = raw.rsplit(".", 1)[-1]
    if step in ("doGenerate", "doStream"):
        return "chat"
    if step in ("doEmbed", "doRerank"):
        return "embeddings" if step == "doEmbed" else "rerank"
    # The outer ai.generateText, ai.embed ... repeat the usage of the call inside.
    return "execute_tool" if step == "toolCall" else "chain"


def operation_of(attributes: Mapping[str, Any], name: str | None) -> str:
    """The operation of a span: what its attributes say, else what its name and evidence show.

    Args:
        attributes: Attributes of the span.
        name: Name of the span.
    """
    for key in _TRUSTED:
        if key in attributes and (operation := operation_name(attributes[key])) is not None:
            return "chat" if _is_chat(attributes[key], name or "") else operation
    return _operation_by_evidence(attributes, name or "")


def _is_chat(word: Any, name: str) -> bool:
    # OpenLLMetry says `completion` of calls to Google too, and before 0.5 to Anthropic: see the name.
    return word == "completion" and name.endswith(_CHAT_NAMES)


def _operation_by_evidence(attributes: Mapping[str, Any], name: str) -> str:
    if "gen_ai.operation.name" in attributes:
        return "other"
    has_model = "gen_ai.request.model" in attributes or "gen_ai.response.model" in attributes
    for start, operation in _NAME_STARTS:
        if name.startswith(start) and (has_model or operation in ("execute_tool", "invoke_agent")):
            return operation if _is_genai(attributes) else "other"
    if has_model and _has_usage(attributes):
        # Conventions of 2024 had no operation name: a model and its usage make the call.
        return "embeddings" if "embed" in name.lower() else "chat"
    return "execute_tool" if "gen_ai.tool.name" in attributes else "other"


def _is_genai(attributes: Mapping[str, Any]) -> bool:
    return any(key.startswith(("gen_ai.", "llm.")) for key in attributes) or "agent_name" in attributes


def _has_usage(attributes: Mapping[str, Any]) -> bool:
    return any(key.startswith(("gen_ai.usage.", "llm.usage.")) for key in attributes)
