"""What metadata and parameters of a Langfuse observation tell where no field does, and what is kept of them.

Langfuse puts there what it does not understand of an OpenTelemetry span, and applications put there what
Langfuse had no field for yet, such as the environment and the prompt. Since version 4 it keeps metadata flat,
every value a text under its path: `attributes.gen_ai.system` for `{"attributes": {"gen_ai.system": ...}}`.

Source: `flattenJsonToPathArrays` in https://github.com/langfuse/langfuse (packages/shared).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from llmops_lib.sources.attribute_names import PROPERTY_NAMES
from llmops_lib.sources.langfuse_fields import mapping, unwrapped
from llmops_lib.sources.providers import provider_name
from llmops_lib.sources.resource_columns import is_name

OTEL_PARTS = ("attributes", "resourceAttributes", "scope")
"""What Langfuse keeps of an OpenTelemetry span in the metadata."""

ENDING = "finishReason"
"""Parameter of a model by which Langfuse's spans of the Vercel AI SDK are known."""

_PROMPT = ("prompt_name", "prompt_version", "prompt_hash")
_ENVIRONMENTS = PROPERTY_NAMES["environment"]
_NOTED = (*_ENVIRONMENTS, *PROPERTY_NAMES["prompt_name"], *PROPERTY_NAMES["prompt_version"])
_UNSTATED_ENVIRONMENTS = (None, "", "default")

_READ_ALONE = frozenset((*OTEL_PARTS, *_NOTED))
_PATHS = tuple(f"{part}." for part in OTEL_PARTS)


def is_read_alone(names: Iterable[str]) -> bool:
    """Whether an observation with these names in the metadata is read one by one.

    Args:
        names: Names in the metadata, as they are written.
    """
    return any(name in _READ_ALONE or name.startswith(_PATHS) for name in names)


def nested_parts(observation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The observation with the parts of an OpenTelemetry span as objects, where its metadata are flat.

    Args:
        observation: Fields in snake_case.

    Example:
        >>> nested_parts({"metadata": {"attributes.gen_ai.system": "openai", "step": "2"}})
        {'metadata': {'attributes': {'gen_ai.system': 'openai'}, 'step': '2'}}
    """
    metadata = mapping(observation.get("metadata"))
    is_flat = metadata.keys().isdisjoint(OTEL_PARTS) and any(name.startswith(_PATHS) for name in metadata)
    if not is_flat:
        return observation
    nested: dict[str, Any] = {}
    for name, value in metadata.items():
        part, _, path = name.partition(".")
        if part in OTEL_PARTS:
            nested.setdefault(part, {})[path] = value
        else:
            nested[name] = value
    return {**observation, "metadata": nested}


def environment_of(observation: Mapping[str, Any], evidence: Mapping[str, Any]) -> Any:
    """The environment of an observation.

    Langfuse writes `default` where nobody stated one; what stands in the metadata is then more exact.

    Args:
        observation: Fields in snake_case.
        evidence: What its original attributes say; uses `environment`.
    """
    given, metadata = observation.get("environment"), mapping(observation.get("metadata"))
    if given not in _UNSTATED_ENVIRONMENTS:
        return given
    noted = next((metadata[name] for name in _ENVIRONMENTS if is_name(metadata.get(name))), None)
    return noted or evidence.get("environment") or given


def prompt_of(observation: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The prompt columns of an observation, all from its fields or all from what its attributes say.

    A name of one and a version of the other would name a prompt that does not exist.

    Args:
        observation: Fields in snake_case.
        evidence: What its original attributes and its metadata say.
    """
    is_stated = any(name in observation for name in _PROMPT)
    return {name: (observation if is_stated else evidence).get(name) for name in _PROMPT}


def ending_of(observation: Mapping[str, Any]) -> dict[str, str]:
    """Provider and finish reason of a call by the Vercel AI SDK, which Langfuse keeps among its parameters.

    Downloads of a trace hold them nowhere else: they leave the metadata out.

    Args:
        observation: Fields in snake_case.

    Example:
        >>> ending_of({"model_parameters": {"finishReason": "stop", "system": "openai.chat"}})
        {'provider': 'openai', 'finish_reason': 'stop'}
    """
    parameters = mapping(unwrapped(observation.get("model_parameters")))
    if ENDING not in parameters:
        return {}
    provider, reason = parameters.get("system"), parameters[ENDING]
    told = {
        "provider": provider_name(provider) if isinstance(provider, str) else None,
        "finish_reason": reason if isinstance(reason, str) else None,
    }
    return {name: value for name, value in told.items() if value}


def kept_metadata(metadata: Any) -> dict[str, Any]:
    """Attributes for what no column and no other attribute holds of the metadata.

    Args:
        metadata: The field of an observation.

    Example:
        >>> kept_metadata({"scope": '{"name": "langfuse-sdk"}', "prompt_name": "triage"})
        {'otel.scope.name': 'langfuse-sdk', 'metadata.prompt_name': 'triage'}
    """
    if not isinstance(metadata, dict):
        return {} if metadata in (None, "", []) else {"langfuse.metadata": metadata}
    parts = {name: unwrapped(metadata[name]) for name in OTEL_PARTS if metadata.get(name)}
    texts = {f"metadata.{name}": part for name, part in parts.items() if not isinstance(part, dict)}
    scope = {f"otel.scope.{name}": value for name, value in mapping(parts.get("scope")).items() if value}
    return {**texts, **scope, **{f"metadata.{name}": metadata[name] for name in _NOTED if name in metadata}}
