"""Which model of the public list a call is taken for, and which it must not be taken for."""

from datetime import UTC, datetime

import pytest
from genai_prices import data_snapshot

from llmops_lib.pricing.public_list import find_public, is_public, provider_id
from llmops_lib.pricing.public_models import PublicModel
from llmops_lib.pricing.rates import NoRate


def found(provider, model, requested=None):
    """Label of the model that the call is taken for, or why it is taken for none."""
    match = find_public(provider, model, requested)
    return match.label if isinstance(match, PublicModel) else match.reason


@pytest.mark.parametrize(
    ("provider", "model", "label"),
    [
        ("openai", "gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("openai", "gpt-5.2-20251211", "openai/gpt-5.2"),
        ("openai", "ft:gpt-3.5-turbo-0125:my-org::abc", "openai/ft:gpt-3.5-turbo-"),
        ("anthropic", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-20250514", "anthropic/claude-sonnet-4-0"),
        ("gcp.vertex_ai", "claude-3-5-sonnet-v2@20241022", "google/claude-3-5-sonnet"),
        ("gcp.vertex_ai", "publishers/anthropic/models/claude-3-haiku@20240307", "google/claude-3-haiku"),
        ("gcp.gemini", "models/gemini-1.5-flash-002", "google/gemini-1.5-flash"),
        ("gcp.gemini", "models/gemini-2.5-flash", "google/gemini-2.5-flash"),
        (
            "gcp.vertex_ai",
            "projects/p-1/locations/europe-west4/publishers/google/models/gemini-2.5-flash",
            "google/gemini-2.5-flash",
        ),
        ("gcp.gen_ai", "gemini-2.5-pro-preview-05-06", "google/gemini-2.5-pro"),
        ("aws.bedrock", "amazon.nova-pro-v1:0:300k", "aws/amazon.nova-pro-v1:0"),
        (
            "aws.bedrock",
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("azure.ai.openai", "gpt-4o-2024-08-06", "azure/gpt-4o at its maker's price"),
        ("x_ai", "grok-4-0709", "x-ai/grok-4-0709"),
        ("mistral_ai", "mistral-large-latest", "mistral/mistral-large"),
        ("deepseek", "deepseek-reasoner", "deepseek/deepseek-reasoner"),
    ],
)
def test_versions_regions_and_paths_of_a_model_are_that_model(provider, model, label):
    """Responses name snapshots and gateways name paths; the price is the model's."""
    assert found(provider, model) == label


@pytest.mark.parametrize(
    ("provider", "model", "namesake"),
    [
        ("gcp.gemini", "gemini-1.5-flash-8b", "gemini-1.5-flash"),
        ("gcp.gemini", "gemini-3.7-flash-lite", "gemini-3.7-flash"),
        ("gcp.gemini", "gemini-3.5-flash-8b", "gemini-3.5-flash"),
        ("azure.ai.openai", "o4-mini-deep-research", "o4-mini"),
        ("deepseek", "deepseek-r1-distill-llama-70b", "deepseek-reasoner"),
        (None, "deepseek-r1:7b", "deepseek-reasoner"),
        ("anthropic", "claude-opus-4-10", "claude-opus-4-1"),
    ],
)
def test_a_namesake_is_not_the_model(provider, model, namesake):
    """The list matches by how a name starts; a small or local sibling must not cost what the big one does."""
    assert found(provider, model).endswith(f"would take it for {namesake}, another model")


@pytest.mark.parametrize(
    ("provider", "model", "label"),
    [
        ("openai", "openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("gcp.vertex_ai", "vertex_ai/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("groq", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
        ("openrouter", "openai/gpt-4o-mini", "openrouter/openai/gpt-4o-mini"),
    ],
)
def test_a_provider_in_front_of_the_model_is_read_as_the_provider_that_it_is(provider, model, label):
    """LiteLLM writes the route into the model; another provider's prefix is part of the name."""
    assert found(provider, model) == label


@pytest.mark.parametrize("provider", ["anthropic", None])
def test_the_prefix_of_another_provider_is_not_dropped(provider):
    """`openai/gpt-4o` without OpenAI as provider may be any reseller's."""
    assert found(provider, "openai/gpt-4o").startswith("no price for ")


def test_the_response_model_decides_over_the_request_model():
    """An alias may be answered by another model, and that one is billed."""
    assert found("openai", "gpt-4o-mini-2024-07-18", "gpt-4o") == "openai/gpt-4o-mini"


def test_the_request_model_decides_where_the_response_names_none():
    """Some instrumentations, and failed calls, know the request only."""
    assert found("openai", None, "gpt-4o") == "openai/gpt-4o"


def test_the_request_model_decides_for_an_unlisted_version_of_itself():
    """A snapshot newer than the list is still the model that was asked for."""
    assert found("openai", "gpt-4o-2031-01-31", "gpt-4o") == "openai/gpt-4o"


@pytest.mark.parametrize("answered", ["llama-3.3-70b", "gpt-4o-mini-next", "/models/served"])
def test_the_request_model_does_not_stand_in_for_another_model(answered):
    """A gateway that answers with its own model must not be billed as the model it imitates."""
    assert found("openai", answered, "gpt-4o") == (
        f"no price for openai/{answered}: genai-prices 0.2.3 does not have the model"
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("publishers/google/models/gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("meta.llama3-70b-instruct-v1:0", "aws/meta.llama3-70b-instruct-v1:0"),
        (
            "meta.llama-3.3-70b-instruct",
            "the call names no provider, and none in genai-prices 0.2.3 claims the model",
        ),
        (
            "databricks-claude-sonnet-4",
            "the call names no provider, and several providers claim the model (anthropic, databricks)",
        ),
        (
            "my-llama",
            "the call names no provider, and none in genai-prices 0.2.3 claims the model",
        ),
    ],
)
def test_without_a_provider_the_model_is_priced_only_if_one_provider_alone_claims_it(model, expected):
    """The list takes the first claim; two claims are two prices, so neither is used."""
    assert found(None, model).removeprefix(f"no price for {model}: ") == expected


@pytest.mark.parametrize(
    "provider", ["my-openai-proxy", "openai_compatible", "anthropic-vertex-cache", "litellm"]
)
def test_a_provider_is_never_guessed_from_a_part_of_its_name(provider):
    """The list would take any name that contains `openai` for OpenAI, self-hosted gateways too."""
    assert not is_public(provider)
    assert (
        found(provider, "gpt-4o")
        == f"no price for {provider}/gpt-4o: genai-prices 0.2.3 does not have the provider"
    )


def test_a_call_without_a_model_says_so():
    """There is nothing to look up."""
    assert found("openai", None, None) == "no price: the call names no model"


def test_a_model_billed_by_other_units_has_no_price_per_token():
    """The list would say zero for speech models, because spans hold no audio hours."""
    model = find_public("openai", "whisper-1", None)
    rate = model.rate(datetime(2026, 1, 1, tzinfo=UTC), 10, "")
    assert isinstance(rate, NoRate)
    assert "bills it by audio_hours" in rate.reason


@pytest.mark.parametrize(
    ("otel", "listed"),
    [
        ("azure.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("gcp.vertex_ai", "google"),
        ("aws.bedrock", "aws"),
        ("x_ai", "x-ai"),
        ("mistral_ai", "mistral"),
        ("moonshot_ai", "moonshotai"),
        ("OpenAI", "openai"),
        ("groq", "groq"),
    ],
)
def test_provider_names_of_opentelemetry_lead_to_the_list(otel, listed):
    """Every provider of the conventions that the list has must be found in it."""
    assert provider_id(otel) == listed
    assert is_public(otel)


def test_prices_fetched_by_other_code_in_the_process_are_not_used():
    """The manifest names one version of the list; a number must come from that version."""
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot(providers=[], from_auto_update=True))
    try:
        find_public.cache_clear()
        assert found("openai", "gpt-4o") == "openai/gpt-4o"
    finally:
        data_snapshot.set_custom_snapshot(None)
