"""What promptfoo calls its providers and prompts, as models, prompts and runs."""

import hashlib
from collections.abc import Mapping
from typing import Any

from llmops_lib.sources.checks import NAME_LIMIT
from llmops_lib.sources.providers import provider_name

_RUN_NAME_LIMIT = 80
# What stands between the vendor and the model in a provider id such as `openai:chat:gpt-4o`.
_APIS = frozenset(
    (
        "chat",
        "completion",
        "completions",
        "responses",
        "messages",
        "embedding",
        "embeddings",
        "assistant",
        "realtime",
        "transcription",
        "text-generation",
        "text-classification",
        "feature-extraction",
        "converse",
    )
)
# Providers that are programs or addresses: what model they call, if any, is not to be known from their id.
_PROGRAMS = frozenset(
    (
        "python",
        "javascript",
        "exec",
        "file",
        "http",
        "https",
        "ws",
        "wss",
        "webhook",
        "echo",
        "manual-input",
        "golang",
        "ruby",
        "browser",
        "package",
        "promptfoo",
        "mcp",
    )
)
_VENDORS = {"vertex": "vertex_ai", "azureopenai": "azure", "google": "gcp.gemini"}


def run_name(provider: str | None, prompt: str | None) -> str:
    """What tells apart the runs that one evaluation makes: its provider and its prompt.

    Args:
        provider: Label or id of the provider.
        prompt: Label of the prompt, which is its whole text where the author gave none.
    """
    return "/".join(_short(part) for part in (provider, prompt) if part) or "run"


def provider_id(provider: Any) -> str | None:
    """Id of a provider, which older versions write as text and newer ones as an object."""
    found = provider.get("id") if isinstance(provider, Mapping) else provider
    return found if isinstance(found, str) and found else None


def model_columns(provider: str | None) -> dict[str, Any]:
    """`provider` and `model` of a provider id.

    Args:
        provider: Id such as `openai:chat:gpt-4o-mini` or `bedrock:anthropic.claude-v2:1`.

    Example:
        >>> model_columns("openai:chat:gpt-4o-mini"), model_columns("python:retrieve.py")
        ({'provider': 'openai', 'model': 'gpt-4o-mini'}, {})
    """
    vendor, _, rest = (provider or "").partition(":")
    # A blank is in no id, but in labels such as `Haiku: cold`, which stand for ids in tables.
    if not rest or vendor in _PROGRAMS or len((provider or "").split()) > 1:
        return {}
    api, _, model = rest.partition(":")
    return {
        "provider": provider_name(_VENDORS.get(vendor, vendor)),
        "model": model if api in _APIS and model else rest,
    }


def prompt_columns(label: Any, prompt_id: Any = None) -> dict[str, Any]:
    """`prompt_name` and `prompt_hash`; a label that is a whole long prompt is no name."""
    is_name = isinstance(label, str) and len(label) <= NAME_LIMIT
    return {
        "prompt_name": label if is_name else None,
        "prompt_hash": prompt_id if isinstance(prompt_id, str) else None,
    }


def _short(part: str) -> str:
    if len(part) <= _RUN_NAME_LIMIT and "\n" not in part:
        return part
    return hashlib.sha256(part.encode(errors="replace")).hexdigest()[:12]
