"""Which span or resource attribute fills which column, in order of trust.

The names are those of the OpenTelemetry GenAI conventions of every generation, OpenInference,
OpenLLMetry and Traceloop, the Vercel AI SDK, pydantic-ai, OpenLIT, the SDK of Anthropic, Langfuse,
LangSmith, LiteLLM, OpenRouter, Laminar, Strands, Spring AI and Semantic Kernel.
They coexist: instrumentations switch to a newer generation only when told to.

Source: https://github.com/open-telemetry/semantic-conventions-genai,
https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
"""

_PROPERTIES = (
    "traceloop.association.properties.",
    "lmnr.association.properties.",
    "ai.telemetry.metadata.",
    "langfuse.trace.metadata.",
    "langfuse.observation.metadata.",
    "langsmith.metadata.",
    "metadata.",
)

PROPERTY_NAMES = {
    "session_id": (
        "session_id",
        "sessionId",
        "conversation_id",
        "conversationId",
        "chat_id",
        "chatId",
        "thread_id",
        "threadId",
    ),
    "user_id": ("user_id", "userId", "user", "user_api_key_end_user_id", "user_api_key_user_id"),
    "tenant": (
        *("tenant", "tenant_id", "tenantId", "team", "org", "organization"),
        *("user_api_key_team_id", "user_api_key_org_id"),
    ),
    "feature": ("feature",),
    "environment": ("environment", "env"),
    "prompt_name": ("prompt_name", "promptName"),
    "prompt_version": ("prompt_version", "promptVersion"),
}
"""What applications call a column in the free properties that SDKs pass through, such as `metadata`."""


def _properties(column: str) -> tuple[str, ...]:
    return tuple(prefix + name for name in PROPERTY_NAMES[column] for prefix in _PROPERTIES)


_SPAN_NAMES = {
    "provider": (
        "gen_ai.provider.name",
        "gen_ai.system",
        "llm.provider",
        "llm.system",
        "ai.model.provider",
        "llm.vendor",
    ),
    "request_model": (
        "gen_ai.request.model",
        "llm.request.model_name",
        "llm.request.model",
        "ai.model.id",
        "llm.model_name",
        "embedding.model_name",
        "reranker.model_name",
        "langfuse.observation.model.name",
    ),
    "response_model": (
        "gen_ai.response.model",
        "llm.response.model_name",
        "llm.response.model",
        "ai.response.model",
    ),
    "finish_reason": (
        "gen_ai.response.finish_reasons",
        "gen_ai.response.finish_reason",
        "llm.finish_reason",
        "ai.response.finishReason",
        "ai.finishReason",
        "anthropic.message.stop_reason",
    ),
    "is_streaming": (
        "gen_ai.request.stream",
        "gen_ai.request.is_stream",
        "gen_ai.is_streaming",
        "llm.is_streaming",
    ),
    "request_id": ("gen_ai.response.id", "ai.response.id", "llm.response.id", "anthropic.request.id"),
    "http_status": ("http.response.status_code", "http.status_code"),
    "session_id": (
        "gen_ai.conversation.id",
        "session.id",
        "langfuse.session.id",
        *_properties("session_id"),
        "gcp.vertex.agent.session_id",
        "spring.ai.chat.client.conversation.id",
    ),
    "user_id": (
        "user.id",
        "enduser.id",
        "langfuse.user.id",
        *_properties("user_id"),
        "gen_ai.request.user",
        "gen_ai.user",
        "llm.user",
    ),
    "tenant": ("tenant.id", "app.tenant", "tenant", "tenant_id", *_properties("tenant"), "team", "org"),
    "feature": ("app.feature", "feature", *_properties("feature"), "ai.telemetry.functionId"),
    "environment": (
        "langfuse.environment",
        "deployment.environment.name",
        "deployment.environment",
        "gen_ai.environment",
    ),
    "release": ("langfuse.release",),
    "prompt_name": (
        "langfuse.observation.prompt.name",
        "gen_ai.prompt.name",
        "traceloop.prompt.key",
        "llm.prompt_template.name",
        *_properties("prompt_name"),
        "prompt.name",
        "prompt.id",
    ),
    "prompt_version": (
        "langfuse.observation.prompt.version",
        "gen_ai.prompt.version",
        "traceloop.prompt.version",
        "llm.prompt_template.version",
        *_properties("prompt_version"),
        "prompt.version",
    ),
    "prompt_hash": ("traceloop.prompt.version_hash", "gen_ai.prompt.hash", "prompt.hash"),
    "tool_name": (
        "gen_ai.tool.name",
        "ai.toolCall.name",
        "tool.name",
        "tool_call.function.name",
        "spring.ai.tool.definition.name",
    ),
    "tool_call_id": ("gen_ai.tool.call.id", "ai.toolCall.id", "tool_call.id", "tool.id"),
    "tags": ("langfuse.trace.tags", "tag.tags", "logfire.tags", "tags"),
    "system_instructions": ("gen_ai.system_instructions",),
}

_USAGE_NAMES = {
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "ai.usage.tokens",
        "gen_ai.response.prompt_tokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
        "gen_ai.response.completion_tokens",
    ),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cached_input_tokens",
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cache_read_input_tokens",
        "gen_ai.usage.details.cached_tokens",
        "gen_ai.usage.input_tokens.cached",
        "llm.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_input",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "gen_ai.usage.details.cache_creation_input_tokens",
        "gen_ai.usage.input_tokens.cache_write",
        "llm.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "gen_ai.usage.output_tokens.reasoning",
        "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.outputTokenDetails.reasoningTokens",
        "ai.usage.reasoningTokens",
    ),
    "reported_cost_usd": (
        "gen_ai.usage.cost",
        "operation.cost",
        "llm.cost.total",
        "gen_ai.usage.total_cost",
        "gen_ai.cost.total_cost",
    ),
}

PROVIDER_NAMES = _SPAN_NAMES["provider"]
"""Attributes that name a provider, or a framework that called one."""

USAGE_COLUMNS = tuple(_USAGE_NAMES)
"""Columns that count only on a model call: elsewhere the same attributes repeat those of the children."""

RESOURCE_COLUMN_OF = {
    "deployment.environment.name": "environment",
    "deployment.environment": "environment",
    "langfuse.environment": "environment",
    "service.name": "service",
    "service.version": "release",
    "langfuse.release": "release",
}
"""Resource attribute -> column; the first of two that fill one column counts."""

COLUMN_OF = {
    name: (column, rank)
    for column, names in (_SPAN_NAMES | _USAGE_NAMES).items()
    for rank, name in enumerate(names)
}
"""Span attribute -> column and rank; the lowest rank counts."""

FEATURE_HINTS = (
    "traceloop.workflow.name",
    "gen_ai.workflow.name",
    "gen_ai.agent.name",
    "agent_name",
    "traceloop.entity.name",
    "langfuse.trace.name",
    "http.route",
)
"""Attributes that tell roughly what a span was for; they count only where no feature is stated."""
