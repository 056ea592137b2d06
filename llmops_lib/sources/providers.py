"""Provider names: the many spellings of exports, brought to the one of OpenTelemetry."""

import re
from functools import lru_cache

_SPELLINGS = {
    "aws": "aws.bedrock",
    "aws_bedrock": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "azure_text": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "azure_ai": "azure.ai.inference",
    "gemini": "gcp.gemini",
    "google_ai": "gcp.gemini",
    "google_ai_studio": "gcp.gemini",
    "google-ai-studio": "gcp.gemini",
    "google-gla": "gcp.gemini",
    "google.generative-ai": "gcp.gemini",
    "google": "gcp.gen_ai",
    "google_genai": "gcp.gen_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertex": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "anthropic_vertexai": "gcp.vertex_ai",
    "google-vertex": "gcp.vertex_ai",
    "google_vertexai": "gcp.vertex_ai",
    "google.vertex": "gcp.vertex_ai",
    "vertex.anthropic": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "codestral": "mistral_ai",
    "text-completion-codestral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "moonshotai": "moonshot_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
    "x.ai": "x_ai",
    "x": "x_ai",
    "aiohttp_openai": "openai",
    "text-completion-openai": "openai",
    "anthropic_text": "anthropic",
    "cohere_chat": "cohere",
    "ollama_chat": "ollama",
    "sagemaker_chat": "sagemaker",
}

# Instrumentations of frameworks name the framework, whichever provider it called.
_FRAMEWORKS = frozenset(
    (
        *("agno", "autogen", "crewai", "gcp.vertex.agent", "haystack", "langchain", "langgraph"),
        *(
            "llama_index",
            "llamaindex",
            "pydantic_ai",
            "semantic_kernel",
            "smolagents",
            "spring_ai",
            "strands-agents",
        ),
    )
)

# What the Vercel AI SDK appends to a provider: `openai.chat`, `anthropic.messages`, `azure-openai.responses`.
_API_SUFFIX = re.compile(
    r"\.(?:chat|chat_completions|completion|completions|responses|messages|embedding|embeddings|textembedding|image|speech|transcription)$"
)
_LONGEST = 200
_HOST = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?|localhost(?::\d+)?|.*:\d+|https?://.*|.*\.(?:com|net|org|io|dev|local|internal|cloud)"
)


def provider_name(raw: str | None) -> str | None:
    """The provider in OpenTelemetry's spelling, or None where the text names none.

    A host name is where a call went, not who answered: gateways and proxies would appear as providers, and
    so would frameworks.

    Args:
        raw: The spelling of the export.

    Source:
        https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ (`gen_ai.provider.name`)

    Example:
        >>> provider_name("openai.responses"), provider_name("AWS"), provider_name("127.0.0.1")
        ('openai', 'aws.bedrock', None)
    """
    return _recognised(raw) if raw and len(raw) <= _LONGEST else None


@lru_cache(maxsize=1_024)
def _recognised(raw: str) -> str | None:
    name = raw.strip().lower()
    name = _SPELLINGS.get(name) or _API_SUFFIX.sub("", name)
    name = _SPELLINGS.get(name, name)
    return None if not name or name in _FRAMEWORKS or _HOST.fullmatch(name) else name
