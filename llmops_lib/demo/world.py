"""The invented company of the demonstration: its tenants, features, models, prompts, releases and faults."""

from dataclasses import dataclass

import numpy as np

from llmops_lib.demo.calibration import CODE, CONVERSATION, RETRIEVAL, Floats, TokenQuantiles

SERVICE = "support-assistant (synthetic)"
ENVIRONMENT = "synthetic-demo"

TENANTS = {
    "harbour-stores": 0.46,
    "lumen-energy": 0.21,
    "acorn-bank": 0.13,
    "tidal-travel": 0.09,
    "orchard-health": 0.07,
    "pine-insurance": 0.04,
}
"""Tenants and their shares of the sessions: one buys almost half."""

USER_COUNT = 250


@dataclass(frozen=True)
class Model:
    """A model: who serves it and how fast.

    Attributes:
        name: Name in requests.
        response_name: Dated name in answers.
        provider: OpenTelemetry provider name.
        first_token_ms: Median wait for the first token of a short prompt.
        token_ms: Median time per output token.
        id_prefix: How its response ids begin.
        is_cache_known: Whether answers state cached tokens.
    """

    name: str
    response_name: str
    provider: str
    first_token_ms: float
    token_ms: float
    id_prefix: str
    is_cache_known: bool = True


MODELS = (
    Model("gpt-4o-mini", "gpt-4o-mini-2024-07-18", "openai", 420, 9, "chatcmpl-"),
    Model("gpt-4o", "gpt-4o-2024-08-06", "openai", 560, 14, "chatcmpl-"),
    Model("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic", 900, 16, "msg_"),
    Model("gemini-2.5-flash", "gemini-2.5-flash", "gcp.gemini", 380, 6, ""),
    Model("text-embedding-3-small", "text-embedding-3-small", "openai", 110, 0, "embd-"),
    # No price list knows this one: reports must say so and never guess.
    Model("acme-llama-3-70b", "acme-llama-3-70b", "vllm", 260, 22, "cmpl-", is_cache_known=False),
)
MODEL_INDEX = {model.name: index for index, model in enumerate(MODELS)}


@dataclass(frozen=True)
class Feature:
    """A product feature: how often it is used, what a trace of it looks like, which models it asks.

    Attributes:
        name: Name in `app.feature`.
        share: Share of all traces.
        tokens: Distribution of its token counts.
        turns: Chances of 1, 2, 3 ... model calls in a trace.
        models: Models and their shares of the traces.
        prompt_name: Prompt in the registry; empty for embeddings.
        prompt_version: Version until the planted change.
        has_tools: Whether a tool runs between two model calls.
        has_retrieval: Whether a retrieval comes first.
        is_streaming: Whether answers stream.
        feedback_share: Share of answers that users rate.
    """

    name: str
    share: float
    tokens: TokenQuantiles
    turns: tuple[float, ...]
    models: dict[str, float]
    prompt_name: str = ""
    prompt_version: int = 1
    has_tools: bool = False
    has_retrieval: bool = False
    is_streaming: bool = False
    feedback_share: float = 0.0

    @property
    def calls_per_trace(self) -> float:
        """Mean number of model calls in a trace, retries aside."""
        return sum(chance * (turn + 1) for turn, chance in enumerate(self.turns))


_MINI, _LARGE, _CLAUDE, _GEMINI, _EMBEDDING, _OWN = (model.name for model in MODELS)

FEATURES = (
    Feature(
        "faq_rag", 0.52, RETRIEVAL, (1.0,), {_MINI: 0.60, _GEMINI: 0.25, _OWN: 0.15},
        "support_answer", 3, has_retrieval=True, is_streaming=True, feedback_share=0.07,
    ),
    Feature(
        "agent_refunds", 0.11, CONVERSATION, (0.0, 0.45, 0.35, 0.20), {_LARGE: 0.55, _CLAUDE: 0.45},
        "refund_agent", 7, has_tools=True,
    ),
    Feature(
        "code_helper", 0.17, CODE, (1.0,), {_CLAUDE: 0.70, _LARGE: 0.30}, "code_helper", 2, is_streaming=True
    ),
    Feature(
        "summarize_ticket", 0.18, CONVERSATION, (1.0,), {_MINI: 0.50, _GEMINI: 0.30, _OWN: 0.20},
        "ticket_summary", 5, feedback_share=0.03,
    ),
    Feature("embed_index", 0.02, CONVERSATION, (0.0, 0.2, 0.3, 0.3, 0.2), {_EMBEDDING: 1.0}),
)  # fmt: skip
FEATURE_INDEX = {feature.name: index for index, feature in enumerate(FEATURES)}

TOOLS = ("lookup_order", "issue_refund")

CHANGED_FEATURE = "faq_rag"
EXPERIMENT = "answer-length"
"""Name of the experiment, where one runs."""
CHANGED_PROMPT_TOKENS = 620
"""Input tokens that the new version of the changed prompt adds."""
CHANGED_ANSWER_FACTOR = 1.25
"""How much longer answers get under the new version."""


@dataclass(frozen=True)
class Fault:
    """A class of failed calls.

    Attributes:
        error_type: Class name that the client raises.
        http_status: Status of the answer; None where none came.
        message: What the span says.
        share: Chance per call on an ordinary day.
        incident_share: Chance per call of the model that has the planted incident.
        latency_ms: Median time until it shows.
        is_retried: Whether clients try again.
    """

    error_type: str
    http_status: int | None
    message: str
    share: float
    incident_share: float
    latency_ms: float
    is_retried: bool = True


TIMEOUT_MS = 30_000
"""When clients give up."""

FAULTS = (
    Fault("RateLimitError", 429, "Rate limit reached for requests per minute.", 0.007, 0.007, 160),
    Fault("APITimeoutError", None, "Request timed out after 30 s.", 0.003, 0.14, TIMEOUT_MS),
    Fault("InternalServerError", 500, "The server had an error processing the request.", 0.004, 0.12, 900),
    Fault("ContextLengthExceeded", 400, "The prompt exceeds the context window.", 0.001, 0.001, 90, False),
)

RETRY_SHARE = 0.8
"""Share of failed calls that are tried again, once, where the fault allows it."""


def release_name(deployments: int) -> str:
    """Release of the service after that many weekly deployments."""
    return f"2.{deployments}.0"


def user_tenants() -> list[int]:
    """The tenant of every user: larger tenants have more users, every tenant has some."""
    shares = np.array(list(TENANTS.values())) ** 0.7
    bounds = np.rint(np.cumsum(shares / shares.sum()) * USER_COUNT)
    return [int(tenant) for tenant in np.searchsorted(bounds, np.arange(USER_COUNT), side="right")]


def user_shares() -> Floats:
    """Shares of the sessions per user: within a tenant a few are busy and most are not."""
    tenants = np.array(user_tenants())
    shares = np.zeros(USER_COUNT)
    for tenant, share in enumerate(TENANTS.values()):
        members = np.flatnonzero(tenants == tenant)
        activity = 1.0 / np.arange(1, len(members) + 1) ** 0.9
        shares[members] = share * activity / activity.sum()
    return shares
