"""One Langfuse observation as a row."""

import json

import pytest

from llmops_lib.sources.langfuse_fields import fields
from llmops_lib.sources.langfuse_rows import observation_row

START = "2025-09-01T10:00:00Z"


def _row(**given):
    observation = {"id": "g-1", "traceId": "t-1", "type": "GENERATION", "startTime": START, **given}
    return observation_row(fields(observation))


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("GENERATION", "chat"),
        ("EMBEDDING", "embeddings"),
        ("TOOL", "execute_tool"),
        ("AGENT", "invoke_agent"),
        ("RETRIEVER", "retrieval"),
        ("EVALUATOR", "evaluation"),
        ("GUARDRAIL", "guardrail"),
        ("CHAIN", "chain"),
        ("SPAN", "other"),
        ("EVENT", "other"),
        ("SOMETHING_NEW", "other"),
    ],
)
def test_the_type_says_what_an_observation_does(kind, operation):
    """Only generations and embeddings are billed."""
    assert _row(type=kind)["operation"] == operation


def test_an_old_span_is_what_its_attributes_say():
    """Before mid-2025 agents and tools were all SPAN."""
    metadata = {"attributes": {"openinference.span.kind": "TOOL", "tool.name": "search"}}
    row = _row(type="SPAN", metadata=metadata)
    assert (row["operation"], row["tool_name"]) == ("execute_tool", "search")


def test_a_generation_is_a_call_whatever_its_attributes_name():
    """Langfuse sums generations; a roll-up among them is found by its counts, not by its name."""
    metadata = {"attributes": {"gen_ai.operation.name": "invoke_agent"}}
    row = _row(metadata=metadata, usageDetails={"input": 9}, totalCost=0.5)
    assert (row["operation"], row["input_tokens"]) == ("chat", 9)


def test_a_span_is_what_its_attributes_name():
    """Before mid-2025 Langfuse had no type for agents and tools."""
    row = _row(type="SPAN", metadata={"attributes": {"gen_ai.operation.name": "invoke_agent"}})
    assert row["operation"] == "invoke_agent"


def test_attributes_fill_what_langfuse_has_no_field_for():
    """Provider, response and finish reason stand in the original span only."""
    attributes = {
        "gen_ai.system": "openai.responses",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2025-08-07",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.finish_reasons": '["stop"]',
        "app.feature": "search",
        "gen_ai.usage.input_tokens": "999",
    }
    row = _row(model="gpt-5", metadata={"attributes": attributes}, usageDetails={"input": 12})
    found = {name: row[name] for name in ("provider", "request_model", "response_model", "request_id")}
    assert found == {
        "provider": "openai",
        "request_model": "gpt-5",
        "response_model": "gpt-5-2025-08-07",
        "request_id": "resp_1",
    }
    assert (row["finish_reason"], row["feature"], row["input_tokens"]) == ("stop", "search", 12)


def test_attributes_may_be_text_in_a_map_of_text():
    """The blob export turns every value of the metadata into text."""
    row = _row(metadata={"attributes": '{"gen_ai.system": "anthropic"}', "tenant": "acme"})
    assert (row["provider"], row["tenant"]) == ("anthropic", "acme")


def test_langchain_names_its_provider_in_the_metadata():
    """Its handler writes no OpenTelemetry attributes."""
    assert _row(metadata={"ls_provider": "amazon_bedrock"})["provider"] == "aws.bedrock"


def test_without_evidence_the_provider_is_unknown():
    """A model of one maker is sold by several providers at several prices."""
    assert _row(model="gpt-4o")["provider"] is None


def test_a_model_that_differs_from_the_one_asked_for_is_the_one_that_answered():
    """The SDK replaces the model by that of the response; the attributes keep the request."""
    row = _row(model="gpt-4o-2024-08-06", metadata={"attributes": {"gen_ai.request.model": "gpt-4o"}})
    assert (row["request_model"], row["response_model"]) == ("gpt-4o", "gpt-4o-2024-08-06")


@pytest.mark.parametrize(
    ("first", "waited", "is_streaming"),
    [
        ("2025-09-01T10:00:00.250Z", 250.0, True),
        ("2025-09-01T10:00:02Z", None, None),
        ("2025-09-01T09:59:59Z", None, None),
        (None, None, None),
    ],
)
def test_time_to_first_token_needs_a_first_token_inside_the_call(first, waited, is_streaming):
    """Proxies write the end of the call into the field where nothing was streamed."""
    row = _row(endTime="2025-09-01T10:00:02Z", completionStartTime=first)
    assert (row.get("time_to_first_token_ms"), row.get("is_streaming")) == (waited, is_streaming)


def test_times_without_a_zone_are_utc():
    """ClickHouse writes the blob export so."""
    assert _row(startTime="2025-08-22 09:38:56.228000")["started_at"].isoformat() == (
        "2025-08-22T09:38:56.228000+00:00"
    )


def test_an_error_is_a_level_and_its_text_a_status_message():
    """Langfuse has no status of its own."""
    row = _row(level="ERROR", statusMessage="openai.RateLimitError: Error code: 429")
    assert (row["is_error"], row["error_type"]) == (True, "RateLimitError")
    assert row["error_message"] == "openai.RateLimitError: Error code: 429"


def test_a_warning_is_no_error_and_keeps_its_text():
    """A retry that succeeded is no failure."""
    row = _row(level="WARNING", statusMessage="slow")
    assert (row["is_error"], row.get("error_message")) == (False, None)
    assert row["attributes"]["langfuse.status_message"] == "slow"


def test_what_no_column_holds_stays_in_the_attributes():
    """Nothing that was exported may be lost on the way."""
    row = _row(modelParameters='{"max_tokens": "Infinity"}', version="v7", metadata={"step": 3})
    assert row["attributes"] == {
        "metadata.step": 3,
        "langfuse.model_parameters": {"max_tokens": "Infinity"},
        "langfuse.version": "v7",
        "langfuse.type": "GENERATION",
    }


@pytest.mark.parametrize(
    ("given", "metadata", "environment"),
    [
        (None, {"environment": "prod"}, "prod"),
        (None, {"env": "prod"}, "prod"),
        ("default", {"env": "prod"}, "prod"),
        ("staging", {"env": "prod"}, "staging"),
        ("default", {}, "default"),
        ("default", {"env": ["prod"]}, "default"),
        ("default", {"resourceAttributes": '{"deployment.environment.name": "prod"}'}, "prod"),
    ],
)
def test_an_environment_in_the_metadata_counts_where_none_is_stated(given, metadata, environment):
    """Langfuse had no field for it before 2025, and writes `default` since."""
    assert _row(environment=given, metadata=metadata)["environment"] == environment


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("triage", 3)),
        ({"promptName": "answer"}, ("answer", None)),
        ({"promptName": "answer", "promptVersion": 7}, ("answer", 7)),
    ],
)
def test_a_prompt_in_the_metadata_counts_where_no_field_names_one(given, expected):
    """A name of one place and a version of another would name a prompt that does not exist."""
    row = _row(metadata={"prompt_name": "triage", "prompt_version": 3}, **given)
    assert (row["prompt_name"], row["prompt_version"]) == expected
    assert row["attributes"]["metadata.prompt_name"] == "triage"


def test_the_scope_of_a_span_and_metadata_of_any_shape_are_kept():
    """They tell which instrumentation counted the tokens; a long text is cut off by the API."""
    scope = {"name": "openinference.instrumentation.openai", "version": "0.1.46", "attributes": {"key": "pk"}}
    kept = _row(metadata={"scope": json.dumps(scope), "attributes": '{"gen_ai.request.mod'})["attributes"]
    assert kept["otel.scope.name"] == "openinference.instrumentation.openai"
    assert kept["otel.scope.attributes"] == {"key": "pk"}
    assert kept["metadata.attributes"] == '{"gen_ai.request.mod'
    assert _row(metadata="triaged by hand")["attributes"]["langfuse.metadata"] == "triaged by hand"


def test_flat_metadata_tell_what_nested_ones_tell():
    """Langfuse 4 keeps every value of the metadata under its path; provider and session would be lost."""
    attributes = {
        "gen_ai.provider.name": "openai",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.finish_reasons": '["stop"]',
        "session.id": "s-1",
        "gen_ai.system_instructions": '[{"type": "text", "content": "be brief"}]',
    }
    flat = {f"attributes.{name}": value for name, value in attributes.items()}
    resource, scope = {"service.name": "support"}, {"name": "agents", "version": "1.0"}
    flat |= {"resourceAttributes.service.name": "support", "scope.name": "agents", "scope.version": "1.0"}
    nested = {"attributes": attributes, "resourceAttributes": resource, "scope": scope}
    row = _row(metadata={**flat, "tenant": "acme"})
    assert row == _row(metadata={**nested, "tenant": "acme"})
    assert (row["provider"], row["session_id"], row["service"]) == ("openai", "s-1", "support")
    assert row["system_instructions"]


@pytest.mark.parametrize("written", [dict, json.dumps])
def test_parameters_tell_provider_and_reason_of_the_vercel_ai_sdk(written):
    """A download of a trace leaves out the metadata that say the same."""
    parameters = {"maxRetries": "2", "finishReason": "stop", "system": "google.generative-ai"}
    row = _row(modelParameters=written(parameters), metadata="{}")
    assert (row["provider"], row["finish_reason"]) == ("gcp.gemini", "stop")
    stated = {"attributes": {"gen_ai.system": "openai", "gen_ai.response.finish_reasons": ["length"]}}
    row = _row(modelParameters=written(parameters), metadata=stated)
    assert (row["provider"], row["finish_reason"]) == ("openai", "length")


def test_a_system_prompt_among_the_parameters_is_no_provider():
    """Only the Vercel AI SDK names its provider there."""
    assert not _row(modelParameters={"system": "pirate"})["provider"]
