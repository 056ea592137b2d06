"""SPANS: one row per span (a model call, a tool execution, an agent step, a retrieval ...)."""

import polars as pl

from llmops_lib.schema.tables import UTC_DATETIME, Column, Table

OPERATIONS = (
    "chat",
    "text_completion",
    "embeddings",
    "rerank",
    "execute_tool",
    "invoke_agent",
    "retrieval",
    "guardrail",
    "evaluation",
    "chain",
    "other",
)
"""The closed list of values of `operation`."""

MODEL_OPERATIONS = ("chat", "text_completion", "embeddings", "rerank")
"""The operations that call a model provider and can be billed."""

TOKEN_CONVENTION = "llmops.token_convention"  # noqa: S105 - the name of an attribute, no secret
"""Attribute that says how the counts of a row stood in the source, where input_tokens left the cache out."""

MADE_INCLUSIVE = "exclusive, made inclusive"
"""Value of `TOKEN_CONVENTION` where the reader added the cache to the input."""

_I64, _F64, _STR, _BOOL = pl.Int64, pl.Float64, pl.String, pl.Boolean

SPANS = Table(
    name="spans",
    grain="one row per span",
    key=("trace_id", "span_id"),
    columns=(
        Column("trace_id", _STR, "Trace as in the source; OTLP ids are lower-case hex.", is_nullable=False),
        Column("span_id", _STR, "Span as in the source; OTLP ids are lower-case hex.", is_nullable=False),
        Column("parent_span_id", _STR, "Parent span; null at the root of a trace."),
        Column("name", _STR, "Span name as in the source."),
        Column(
            "operation",
            _STR,
            f"What the span does: one of {', '.join(OPERATIONS)}.",
            is_nullable=False,
            otel_name="gen_ai.operation.name",
        ),
        Column(
            "is_model_call",
            _BOOL,
            "True on exactly one span per provider call; only these rows are priced and counted.",
            is_nullable=False,
        ),
        Column("started_at", UTC_DATETIME, "Start of the span.", "UTC", is_nullable=False),
        Column("ended_at", UTC_DATETIME, "End of the span; null while it is open.", "UTC"),
        Column("latency_ms", _F64, "From start to end; null where the clock ran backwards.", "ms"),
        Column(
            "time_to_first_token_ms",
            _F64,
            "From start to the first streamed token; null for a call that did not stream.",
            "ms",
            otel_name="gen_ai.response.time_to_first_chunk",
        ),
        Column("provider", _STR, "Provider, OpenTelemetry spelling.", otel_name="gen_ai.provider.name"),
        Column("request_model", _STR, "Model asked for.", otel_name="gen_ai.request.model"),
        Column("response_model", _STR, "Model that answered.", otel_name="gen_ai.response.model"),
        Column("model", _STR, "Response model where known, else request model."),
        Column(
            "input_tokens",
            _I64,
            "Tokens sent, cache reads and cache writes included.",
            "tokens",
            otel_name="gen_ai.usage.input_tokens",
        ),
        Column(
            "output_tokens",
            _I64,
            "Tokens generated, reasoning included.",
            "tokens",
            otel_name="gen_ai.usage.output_tokens",
        ),
        Column(
            "cache_read_tokens",
            _I64,
            "Part of input_tokens that the provider read from its prompt cache.",
            "tokens",
            otel_name="gen_ai.usage.cache_read.input_tokens",
        ),
        Column(
            "cache_write_tokens",
            _I64,
            "Part of input_tokens that the provider wrote to its prompt cache.",
            "tokens",
            otel_name="gen_ai.usage.cache_creation.input_tokens",
        ),
        Column(
            "reasoning_tokens",
            _I64,
            "Part of output_tokens spent on reasoning.",
            "tokens",
            otel_name="gen_ai.usage.reasoning.output_tokens",
        ),
        Column("reported_cost_usd", _F64, "Cost that the export states, untouched.", "USD"),
        Column("is_error", _BOOL, "Whether the span failed.", is_nullable=False),
        Column("error_type", _STR, "Error class without its module.", otel_name="error.type"),
        Column("error_message", _STR, "Error text as in the source."),
        Column("http_status", pl.Int32, "HTTP status.", otel_name="http.response.status_code"),
        Column("finish_reason", _STR, "Why generation ended.", otel_name="gen_ai.response.finish_reasons"),
        Column("is_streaming", _BOOL, "Whether the answer was streamed.", otel_name="gen_ai.request.stream"),
        Column("request_id", _STR, "Provider's response id.", otel_name="gen_ai.response.id"),
        Column("session_id", _STR, "Conversation.", otel_name="gen_ai.conversation.id"),
        Column("user_id", _STR, "End user.", otel_name="user.id"),
        Column("tenant", _STR, "Customer or team that the spend belongs to."),
        Column("feature", _STR, "Product feature that made the call."),
        Column("environment", _STR, "Deployment environment.", otel_name="deployment.environment.name"),
        Column("service", _STR, "Service.", otel_name="service.name"),
        Column("release", _STR, "Release of the service.", otel_name="service.version"),
        Column("prompt_name", _STR, "Prompt in the registry.", otel_name="gen_ai.prompt.name"),
        Column("prompt_version", _STR, "Version of the prompt."),
        Column("prompt_hash", _STR, "Content hash of the prompt."),
        Column("tool_name", _STR, "Tool that was executed.", otel_name="gen_ai.tool.name"),
        Column("tool_call_id", _STR, "Tool call that was executed.", otel_name="gen_ai.tool.call.id"),
        Column("input", _STR, "Messages or arguments, JSON.", otel_name="gen_ai.input.messages"),
        Column("output", _STR, "Messages or result, JSON.", otel_name="gen_ai.output.messages"),
        Column("system_instructions", _STR, "System prompt, JSON.", otel_name="gen_ai.system_instructions"),
        Column("tool_calls", _STR, "Tool calls that the model asked for, JSON list."),
        Column("feedback_score", _F64, "Feedback of the end user, in the source's own scale."),
        Column("tags", pl.List(pl.String), "Free labels."),
        Column("attributes", _STR, "Everything that no other column holds, JSON object."),
        Column("source_format", _STR, "Format that the row was read from.", is_nullable=False),
        Column("source_file", _STR, "File that the row was read from.", is_nullable=False),
        Column(
            "source_line",
            _I64,
            "Line, or row of a table, counted from 1; null in a file that has no lines.",
        ),
    ),
)

PRICED_COLUMNS = (
    Column("cost_usd", _F64, "Cost of the call at the price in force when it started.", "USD"),
    Column("is_priced", _BOOL, "Whether a price was found; false on rows that are not model calls."),
    Column("price_basis", _STR, "Price entry and the date it came into force."),
    Column(
        "input_cost_usd", _F64, "Part of cost_usd for input_tokens, cache reads and writes included.", "USD"
    ),
    Column("cache_read_cost_usd", _F64, "Part of input_cost_usd for cache_read_tokens.", "USD"),
    Column("cache_write_cost_usd", _F64, "Part of input_cost_usd for cache_write_tokens.", "USD"),
    Column(
        "output_cost_usd",
        _F64,
        "Part of cost_usd for output_tokens, reasoning included. Charges per request are in no part.",
        "USD",
    ),
)
"""Columns that `price_calls` adds to SPANS."""

OTHER_CONVENTION = Column(
    "other_convention_usd",
    _F64,
    "Cost of the call if its cache tokens were counted the other way: on top of its input, or inside it "
    "where the reader has added them; null where that cannot be.",
    "USD",
)
"""Column that `price_both_conventions` adds to those of `price_calls`."""

RETRY_COLUMNS = (
    Column("is_retried", _BOOL, "Whether the call failed and was made again; null where it cannot be told."),
    Column("is_retry", _BOOL, "Whether the call made a failed one again; null where it cannot be told."),
)
"""Columns that `with_retries` adds to SPANS."""

REGION = Column("region", _STR, "Region that the export states for the call; null where it states none.")
"""Column that `with_region` adds to SPANS."""

SAMPLE_COLUMNS = (
    Column(
        "draw", _F64, "Hash of the trace as a number from 0 to 1: the call is drawn where it is below chance."
    ),
    Column("chance", _F64, "Probability with which the call was drawn.", is_nullable=False),
    Column("weight", _F64, "One over chance: how many calls it stands for.", is_nullable=False),
    Column("stratum", _STR, "Calls that were drawn with the same chance.", is_nullable=False),
    Column("risk_flag", _STR, "What may be wrong with the call; `none` where nothing is.", is_nullable=False),
    Column("tenant_tier", _STR, "`large`: a tenth of all calls or more; `small`; null without a tenant."),
)
"""Columns that `sample_calls` adds to SPANS."""
