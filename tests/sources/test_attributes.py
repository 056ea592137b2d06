import json

import pytest

from llmops_lib.schema import SPANS
from llmops_lib.sources.attributes import canonical_row

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}


def _row(attributes, **keywords):
    return canonical_row(attributes, name=keywords.pop("name", "span"), **keywords)


GENERATIONS = {
    "semconv of 2024": {
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.prompt_tokens": 120,
        "gen_ai.usage.completion_tokens": 30,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.id": "r-1",
    },
    "semconv of 2026": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.usage.cache_read.input_tokens": 64,
        "gen_ai.usage.reasoning.output_tokens": 8,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.id": "r-1",
        "gen_ai.conversation.id": "c-1",
    },
    "OpenLLMetry": {
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.prompt_tokens": 120,
        "gen_ai.usage.completion_tokens": 30,
        "gen_ai.usage.cache_read_input_tokens": 64,
        "gen_ai.usage.reasoning_tokens": 8,
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.completion.0.content": "hello",
        "gen_ai.response.id": "r-1",
        "traceloop.association.properties.session_id": "c-1",
    },
    "OpenInference": {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.request.model_name": "gpt-4o",
        "llm.response.model_name": "gpt-4o-2024-08-06",
        "llm.token_count.prompt": 120,
        "llm.token_count.completion": 30,
        "llm.token_count.prompt_details.cache_read": 64,
        "llm.token_count.completion_details.reasoning": 8,
        "llm.finish_reason": "stop",
        "output.value": '{"id": "r-1", "service_tier": "flex", "choices": []}',
        "session.id": "c-1",
    },
    "Vercel AI SDK": {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.provider": "openai.responses",
        "ai.model.id": "gpt-4o",
        "ai.response.model": "gpt-4o-2024-08-06",
        "ai.usage.inputTokens": 120,
        "ai.usage.outputTokens": 30,
        "ai.usage.cachedInputTokens": 64,
        "ai.usage.reasoningTokens": 8,
        "ai.response.finishReason": "stop",
        "ai.response.id": "r-1",
        "ai.telemetry.metadata.sessionId": "c-1",
    },
    "pydantic-ai": {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.usage.details.cache_read_tokens": 64,
        "gen_ai.usage.details.reasoning_tokens": 8,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.id": "r-1",
        "gen_ai.conversation.id": "c-1",
    },
    "Langfuse": {
        "langfuse.observation.type": "generation",
        "gen_ai.system": "openai",
        "langfuse.observation.model.name": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "langfuse.observation.usage_details": (
            '{"input": 56, "input_cached_tokens": 64, "output": 22, "output_reasoning": 8}'
        ),
        "gen_ai.response.id": "r-1",
        "gen_ai.response.finish_reasons": '["stop"]',
        "langfuse.session.id": "c-1",
    },
}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_one_call_looks_the_same_whoever_instrumented_it(generation):
    """All generations of conventions coexist, and spend must not depend on which one a service uses."""
    row = _row(GENERATIONS[generation])
    expected = {
        "operation": "chat",
        "provider": "openai",
        "request_model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06",
        "input_tokens": 120,
        "output_tokens": 30,
        "request_id": "r-1",
        "finish_reason": "stop",
    }
    if generation != "semconv of 2024":
        expected |= {"cache_read_tokens": 64, "reasoning_tokens": 8, "session_id": "c-1"}
    assert {name: row.get(name) for name in expected} == expected


@pytest.mark.parametrize("generation", GENERATIONS)
def test_only_columns_come_back(generation):
    """The collector refuses anything else, as a mistake of the reader."""
    assert set(_row(GENERATIONS[generation])) <= {*SPANS.names, "feature_hint"}


def test_usage_counts_on_model_calls_only():
    """Agents and outer spans of SDKs repeat the usage of their children."""
    usage = {"gen_ai.usage.input_tokens": 120, "operation.cost": 0.5, "ai.usage.outputTokens": 7}
    row = _row({"gen_ai.operation.name": "invoke_agent", **usage})
    assert not {"input_tokens", "output_tokens", "reported_cost_usd"} & set(row)
    assert {name: row["attributes"][name] for name in usage} == usage


def test_what_no_column_holds_is_kept_under_its_name():
    """Nothing is lost: today's unmapped attribute may be tomorrow's question."""
    row = _row(CHAT | {"gen_ai.request.temperature": 0.2, "my.own": {"a": [1]}})
    assert row["attributes"]["gen_ai.request.temperature"] == 0.2
    assert row["attributes"]["my.own"] == {"a": [1]}


def test_the_more_trusted_attribute_wins_and_the_other_is_kept():
    """Instrumentations write two generations at once, and sometimes they disagree."""
    row = _row({"gen_ai.system": "azure", "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"})
    assert row["provider"] == "openai"
    assert row["attributes"]["gen_ai.system"] == "azure"


def test_a_stale_property_does_not_beat_the_attribute_of_the_span():
    """Traceloop's properties leak into the next request of the same thread."""
    row = _row({"traceloop.association.properties.session_id": "old", "session.id": "new"})
    assert row["session_id"] == "new"


def test_openinference_metadata_names_tenant_and_feature():
    """OpenInference has no attribute for them, so applications put them into `metadata`."""
    row = _row({"metadata": '{"tenant": "acme", "feature": "faq", "thread_id": "t-1", "user_id": 7}'})
    expected = {"tenant": "acme", "feature": "faq", "session_id": "t-1", "user_id": 7}
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("key", ["tenant", "team", "org"])
def test_several_words_name_the_tenant(key):
    """Whom to charge is called differently everywhere."""
    assert _row({f"traceloop.association.properties.{key}": "acme"})["tenant"] == "acme"


def test_a_stated_feature_is_no_hint_and_a_hint_no_feature():
    """A guess must not look like a statement: hints count only where no ancestor states a feature."""
    row = _row({"app.feature": "faq", "gen_ai.agent.name": "bot"})
    assert (row["feature"], row["feature_hint"]) == ("faq", "bot")
    row = _row({"http.route": "/v1/faq", "traceloop.workflow.name": "none"})
    assert (row.get("feature"), row["feature_hint"]) == (None, "/v1/faq")


def test_the_route_of_a_model_call_is_no_hint():
    """The Anthropic SDK writes the route of the provider: `/v1/messages` is no feature of the product."""
    assert _row(CHAT | {"http.route": "/v1/messages"})["feature_hint"] is None


def test_vercel_function_ids_are_features():
    """They are set by the application, call by call."""
    assert _row({"ai.operationId": "ai.generateText", "ai.telemetry.functionId": "faq"})["feature"] == "faq"


def test_the_resource_names_service_release_and_environment():
    """What it says beyond that is kept."""
    resource = {
        "service.name": "support-bot",
        "service.version": "1.4.2",
        "deployment.environment": "production",
        "host.name": "a",
    }
    row = _row({}, resource=resource)
    assert (row["service"], row["release"], row["environment"]) == ("support-bot", "1.4.2", "production")
    assert row["attributes"] == {"otel.resource": {"host.name": "a"}}


def test_the_default_service_name_is_unknown():
    """SDKs write `unknown_service` where nobody named the service."""
    assert _row({}, resource={"service.name": "unknown_service:node"}).get("service") is None


def test_a_cost_of_zero_from_openlit_is_unknown():
    """OpenLIT writes 0 where it has no price; other tools mean it."""
    row = _row(CHAT | {"gen_ai.usage.cost": 0})
    assert row.get("reported_cost_usd") is None
    assert row["attributes"]["gen_ai.usage.cost"] == 0
    assert _row(CHAT | {"operation.cost": 0.0})["reported_cost_usd"] == 0.0
    assert _row(CHAT | {"gen_ai.usage.cost": 0.25})["reported_cost_usd"] == 0.25


def test_langfuse_costs_are_the_total_or_the_sum():
    """Cost details come with and without a total."""
    costs = "langfuse.observation.cost_details"
    assert _row(CHAT | {costs: '{"input": 0.25, "output": 0.5}'})["reported_cost_usd"] == 0.75
    assert _row(CHAT | {costs: '{"input": 0.25, "total": 1.5}'})["reported_cost_usd"] == 1.5


def test_prompts_are_named_by_every_registry():
    """Prompt versions are compared across exports."""
    langfuse = {"langfuse.observation.prompt.name": "faq", "langfuse.observation.prompt.version": 3}
    row = _row(CHAT | langfuse)
    assert (row["prompt_name"], row["prompt_version"]) == ("faq", 3)
    traceloop = {
        "traceloop.prompt.key": "faq",
        "traceloop.prompt.version": 3,
        "traceloop.prompt.version_hash": "h",
    }
    row = _row(CHAT | traceloop)
    assert (row["prompt_name"], row["prompt_version"], row["prompt_hash"]) == ("faq", 3, "h")


def test_tags_are_lists_however_they_are_written():
    """Langfuse writes a list, or its JSON text."""
    assert _row({"tag.tags": ["prod", "faq"]})["tags"] == ["prod", "faq"]
    assert _row({"langfuse.trace.tags": '["prod"]'})["tags"] == ["prod"]
    assert _row({"tags": "prod"})["tags"] == ["prod"]


def test_a_failed_openinference_call_has_the_model_it_asked_for():
    """The model stands only among the parameters; without it failures could not be counted by model."""
    attributes = {"openinference.span.kind": "LLM", "llm.invocation_parameters": '{"model": "gpt-4o"}'}
    assert _row(attributes)["request_model"] == "gpt-4o"


def test_the_service_tier_has_one_name():
    """Prices depend on the tier, and pricing reads exactly one attribute."""
    for name in (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "anthropic.response.service_tier",
    ):
        assert _row(CHAT | {name: "flex"})["attributes"]["openai.response.service_tier"] == "flex"
    assert _row(GENERATIONS["OpenInference"])["attributes"]["openai.response.service_tier"] == "flex"


def test_structured_values_where_a_name_belongs_are_kept_aside():
    """One odd attribute must not cost the whole span."""
    row = _row(CHAT | {"user.id": {"id": 7}, "session.id": "s-1"})
    assert row.get("user_id") is None
    assert row["attributes"]["user.id"] == {"id": 7}


def test_an_exception_event_is_kept_with_its_stack():
    """Type and message have columns, the stack has not."""
    exception = {"exception.type": "openai.RateLimitError", "exception.stacktrace": "Traceback"}
    row = _row(CHAT, events=[{"name": "exception", "time": 1, "attributes": exception}])
    assert (row["is_error"], row["error_type"]) == (True, "RateLimitError")
    assert row["attributes"]["otel.events"] == [{"name": "exception", "time": 1, "attributes": exception}]


def test_chunk_events_are_not_kept():
    """There is one per token and they say nothing."""
    events = [
        {"name": "llm.content.completion.chunk", "time": number, "attributes": {}} for number in range(9)
    ]
    row = _row(CHAT, events=events)
    assert row["is_streaming"] is True
    assert "otel.events" not in row["attributes"]


def test_attributes_are_json_whatever_they_hold():
    """The collector writes them as JSON text."""
    assert json.dumps(_row(GENERATIONS["Vercel AI SDK"])["attributes"])


@pytest.mark.parametrize(
    ("value", "feature"), [('"faq"', "faq"), ("faq", "faq"), ('"faq", "x"', '"faq", "x"'), ('"', '"')]
)
def test_names_that_langfuse_writes_as_json_lose_their_quotes(value, feature):
    """The SDK encodes metadata; spend by feature must not have a feature in quotes."""
    row = canonical_row({"langfuse.trace.metadata.feature": value}, name="span")
    assert row["feature"] == feature


@pytest.mark.parametrize(
    ("attributes", "columns"),
    [
        (
            {"gen_ai.usage.output_tokens": 16, "gen_ai.usage.experimental.reasoning_tokens": 76},
            {"output_tokens": 92, "reasoning_tokens": 76},
        ),
        (
            {"gen_ai.usage.output_tokens": 92, "gen_ai.usage.reasoning.output_tokens": 76},
            {"output_tokens": 92, "reasoning_tokens": 76},
        ),
        (
            {"gen_ai.usage.input_tokens": 30, "gen_ai.usage.cache_write_input_tokens": 7},
            {"input_tokens": 30, "cache_write_tokens": 7},
        ),
        ({"gen_ai.cost.total_cost": 0.25}, {"reported_cost_usd": 0.25}),
        (
            {"gen_ai.response.prompt_tokens": 30, "gen_ai.response.completion_tokens": 4},
            {"input_tokens": 30, "output_tokens": 4},
        ),
        (
            {"metadata.user_api_key_user_id": "u-1", "metadata.user_api_key_team_id": "t-1"},
            {"user_id": "u-1", "tenant": "t-1"},
        ),
        ({"langsmith.metadata.thread_id": "s-1"}, {"session_id": "s-1"}),
        ({"gen_ai.system": "strands-agents"}, {"provider": None}),
        (
            {
                "gen_ai.usage.input_tokens": 90,
                "gen_ai.usage.input_tokens.cached": 60,
                "gen_ai.usage.input_tokens.cache_write": 20,
                "gen_ai.usage.output_tokens.reasoning": 5,
                "gen_ai.usage.total_cost": 0.5,
            },
            {
                "input_tokens": 90,
                "cache_read_tokens": 60,
                "cache_write_tokens": 20,
                "reasoning_tokens": 5,
                "reported_cost_usd": 0.5,
            },
        ),
        (
            {"gen_ai.system": "spring_ai", "spring.ai.chat.client.conversation.id": "c-1"},
            {"provider": None, "session_id": "c-1"},
        ),
        ({"lmnr.association.properties.user_id": "u-1"}, {"user_id": "u-1"}),
    ],
    ids=[
        *("ADK", "ADK of 2026", "Strands", "LiteLLM cost", "Semantic Kernel", "LiteLLM", "LangSmith"),
        *("none", "OpenRouter and Sentry", "Spring AI", "Laminar"),
    ],
)
def test_names_of_single_instrumentations_are_known(attributes, columns):
    """Google's agent kit leaves thoughts out of the output until it has the word of the conventions."""
    row = _row({**CHAT, **attributes})
    assert {name: row.get(name) for name in columns} == columns


def test_beside_a_framework_another_attribute_names_the_provider():
    """Google's agent kit names itself as the system, and OpenInference the provider beside it."""
    row = _row({**CHAT, "gen_ai.system": "gcp.vertex.agent", "llm.provider": "google"})
    assert row["provider"] == "gcp.gen_ai"
    assert (
        _row({**CHAT, "gen_ai.system": "gcp.vertex.agent", "llm.provider": "127.0.0.1"})["provider"] is None
    )


@pytest.mark.parametrize("reason", [["FinishReason.STOP"], "stop", "FinishReason.STOP"])
def test_a_finish_reason_is_not_the_name_of_an_enumeration(reason):
    """Python writes its class before the member."""
    row = canonical_row({"gen_ai.response.finish_reasons": reason}, name="chat")
    assert row["finish_reason"] == "stop"
