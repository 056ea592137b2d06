"""The public price list: which model of the bundled genai-prices data a call was answered by.

Only the data shipped with the installed version is used: no network, and one version gives one answer.
"""

import re
from functools import lru_cache

from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelInfo

from llmops_lib.pricing.matching import is_same_model, is_version_of
from llmops_lib.pricing.public_models import LIST_NAME, PublicModel
from llmops_lib.pricing.rates import NoRate

_SPELLINGS = {
    "amazon_bedrock": "aws",
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_ai": "azure",
    "bedrock": "aws",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "github_copilot": "github-copilot",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "together_ai": "together",
    "vertex_ai": "google",
    "voyage": "voyageai",
    "voyage_ai": "voyageai",
    "x_ai": "x-ai",
    "xai": "x-ai",
    "z_ai": "zai",
}
# A maker with a dot behind it, and what no other cloud writes: a region in front or a version behind. Oracle
# names Cohere's and Meta's models with a dot too, but never Anthropic's or Amazon's.
_BEDROCK = re.compile(
    r"(?:arn:aws[a-z-]*:bedrock:.*/)?"
    r"(?:(?:us|eu|ap|apac|jp|au|ca|sa|us-gov|global)\.[a-z0-9]+\.[a-z].*"
    r"|(?:anthropic|amazon)\.[a-z].*|[a-z0-9]+\.[a-z].*-v\d+:\d+(?::\d+k)?)"
)
_PROVIDERS_BY_ID = {provider.id: provider for provider in providers}
# A snapshot of our own: the process-wide one may have been replaced by prices from the network.
_SNAPSHOT = DataSnapshot(providers=providers, from_auto_update=False)


def provider_id(provider: str) -> str:
    """The id of a provider in the public list, or its lower-cased name where the list has none.

    Args:
        provider: OpenTelemetry spelling, or an id of the list.

    Example:
        >>> provider_id("azure.ai.openai"), provider_id("my-gateway")
        ('azure', 'my-gateway')
    """
    lowered = provider.strip().lower()
    return _SPELLINGS.get(lowered, lowered)


def is_public(provider: str | None) -> bool:
    """Whether the public list has the provider; none is guessed from a part of its name."""
    return provider is not None and provider_id(provider) in _PROVIDERS_BY_ID


def public_models() -> list[tuple[str, PublicModel]]:
    """Every model of the public list with the id of the provider that sells it."""
    return [
        (provider.id, PublicModel(f"{provider.id}/{info.id}", info, has_tiers=True))
        for provider in providers
        for info in provider.models
    ]


@lru_cache(maxsize=16_384)
def find_public(provider: str | None, model: str | None, requested: str | None) -> PublicModel | NoRate:
    """The model of the public list that a call was answered by, or why there is none.

    The response model decides. The request model does where the response names none, or names an
    unlisted version of it: a gateway may answer with another model than it was asked for.

    Args:
        provider: Provider of the call; null lets the model name decide, if one provider alone claims it.
        model: Response model.
        requested: Request model.
    """
    found = _find(provider, model or requested)
    if isinstance(found, NoRate) and model and requested and is_version_of(model, requested):
        by_request = _find(provider, requested)
        return by_request if isinstance(by_request, PublicModel) else found
    return found


def _find(provider: str | None, name: str | None) -> PublicModel | NoRate:
    if name is None:
        return NoRate("no price: the call names no model")
    asked = f"no price for {provider}/{name}" if provider else f"no price for {name}"
    if provider is None:
        claims = _claims(name.lower())
        if len(claims) != 1:
            claimed = f"several providers claim the model ({', '.join(claims)})"
            unclaimed = f"none in {LIST_NAME} claims the model"
            return NoRate(f"{asked}: the call names no provider, and {claimed if claims else unclaimed}")
        return _sold_by(claims[0], name, asked)
    if not is_public(provider):
        return NoRate(f"{asked}: {LIST_NAME} does not have the provider")
    return _sold_by(provider_id(provider), name, asked)


def _claims(name: str) -> list[str]:
    """The providers of a model whose name says whose it is."""
    if _BEDROCK.fullmatch(name):
        return ["aws"]
    return [one.id for one in providers if one.model_match and one.model_match.is_match(name)]


def _sold_by(seller: str, name: str, asked: str) -> PublicModel | NoRate:
    info = _listed(seller, name)
    prefix, _, rest = name.partition("/")
    # Gateways write the provider in front of the model: `openai/gpt-4o`, provider openai.
    if info is None and rest and provider_id(prefix) == seller:
        info, name = _listed(seller, rest), rest
    # Google's own APIs name `models/gemini-2.5-flash`, Vertex AI a path of project, region and publisher.
    if info is None and seller == "google" and "models/" in name:
        name = name.rpartition("models/")[2]
        info = _listed(seller, name)
    if info is None:
        return NoRate(f"{asked}: {LIST_NAME} does not have the model")
    if not is_same_model(info, name):
        return NoRate(f"{asked}: {LIST_NAME} would take it for {info.id}, another model")
    if any(info is own for own in _PROVIDERS_BY_ID[seller].models):
        return PublicModel(f"{seller}/{info.id}", info, has_tiers=True)
    return PublicModel(f"{seller}/{info.id} at its maker's price", info, has_tiers=False)


def _listed(seller: str, name: str) -> ModelInfo | None:
    try:
        return _SNAPSHOT.find_provider_model(name, None, seller, None)[1]
    except LookupError:
        return None
