import pytest

from llmops_lib.sources.providers import provider_name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("OpenAI", "openai"),
        ("openai.chat", "openai"),
        ("openai.responses", "openai"),
        ("azure", "azure.ai.openai"),
        ("az.ai.openai", "azure.ai.openai"),
        ("azure-openai.responses", "azure.ai.openai"),
        ("az.ai.inference", "azure.ai.inference"),
        ("vertex_ai", "gcp.vertex_ai"),
        ("gemini", "gcp.gemini"),
        ("google_ai", "gcp.gemini"),
        ("anthropic_vertexai", "gcp.vertex_ai"),
        ("AWS", "aws.bedrock"),
        ("Anthropic", "anthropic"),
        ("xai", "x_ai"),
        ("mistralai", "mistral_ai"),
        ("text-completion-openai", "openai"),
        ("vertex_ai_beta", "gcp.vertex_ai"),
        ("X", "x_ai"),
        ("our-own-cluster", "our-own-cluster"),
    ],
)
def test_spellings_of_a_provider_become_one(raw, name):
    """Spend by provider must not be split by who instrumented the call."""
    assert provider_name(raw) == name


@pytest.mark.parametrize(
    "raw", ["127.0.0.1", "localhost:8080", "api.example.com", "http://proxy", "", "  ", None]
)
def test_a_host_is_no_provider(raw):
    """A gateway is where a call went, not who answered."""
    assert provider_name(raw) is None


def test_naming_twice_changes_nothing():
    """Tables that were exported by us come back through the same function."""
    for raw in ("OpenAI", "bedrock", "gemini", "azure", "mistralai"):
        assert provider_name(provider_name(raw)) == provider_name(raw)
