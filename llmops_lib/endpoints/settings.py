"""Which endpoint is called, and how patiently; the key comes from the environment and shows nowhere."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from llmops_lib.budgets.breaker import Breaker
from llmops_lib.endpoints.addresses import Address, checked_address
from llmops_lib.errors import EndpointError
from llmops_lib.safety.audit.log import AuditLog
from llmops_lib.safety.policy import Policy
from llmops_lib.sources.fetch.addresses import Resolve, resolved

OPENAI = "https://api.openai.com/v1"
"""Where the OpenAI SDK goes when no variable names a server."""

_PROVIDERS = {
    "api.anthropic.com": "anthropic",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.openai.com": "openai",
    "api.x.ai": "x_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
"""`gen_ai.provider.name` of hosts that serve their own models; a gateway's provider is unknown."""


@dataclass(frozen=True)
class EndpointSettings:
    """How calls are made; the defaults are right for most endpoints.

    Attributes:
        concurrency: Calls at a time.
        attempts: Requests per call before it counts as failed.
        first_wait_seconds: Wait before the second attempt, doubled from then on, with jitter.
        longest_wait_seconds: Longest wait, also of one that the endpoint asks for.
        timeout_seconds: Longest silence of the endpoint.
        deadline_seconds: Calls that have not begun this long after the first one are not made; None: no end.
        cache: Folder of answers by content; None: every call is made anew.
        spans_file: OTLP/JSON file that a span of every call is added to; None: none is written.
        prices: The user's own price list, as `price_calls` takes it.
        breaker: Must let a call through before it is sent; the most that the call can cost is set aside, and
            settled when its cost is known. None: nothing is limited.
        policy: What may be sent; None: `policy.yaml` of the working directory, else the packaged policy.
        audit: Where every request is recorded; None: where the environment says, see `audit_folder`.
    """

    concurrency: int = 8
    attempts: int = 4
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    timeout_seconds: float = 120.0
    deadline_seconds: float | None = None
    cache: str | Path | None = None
    spans_file: str | Path | None = None
    prices: str | Path | pl.DataFrame | None = None
    breaker: Breaker | None = None
    policy: Policy | None = None
    audit: AuditLog | None = None

    def __post_init__(self) -> None:
        for name in ("concurrency", "attempts"):
            if getattr(self, name) < 1:
                msg = f"{name} is {getattr(self, name)}; expected at least 1"
                raise EndpointError(msg)


@dataclass(frozen=True)
class Endpoint:
    """A checked address and the key for it.

    Attributes:
        address: Where calls go.
        key: Sent as bearer token; not shown by `repr`. None: no key is sent.
    """

    address: Address
    key: str | None = field(default=None, repr=False)

    @property
    def provider(self) -> str | None:
        """`gen_ai.provider.name`, where the host tells it."""
        return _PROVIDERS.get(self.address.host)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, *, resolve: Resolve = resolved
    ) -> "Endpoint":
        """The endpoint that the environment names, under the names that the OpenAI SDK reads.

        `OPENAI_BASE_URL` (OpenAI when unset), `OPENAI_API_KEY`, `LLMOPS_ALLOWED_HOSTS` (`host:port` with
        commas between) and `LLMOPS_ALLOW_LOCAL` (1 for a server on this machine or network).

        Args:
            environment: Variables.
            resolve: What gives the addresses of a host name.

        Raises:
            EndpointError: If the address is refused, or the key is missing or cannot be a key.

        Example:
            >>> local = {"OPENAI_BASE_URL": "http://127.0.0.1:8123/v1", "LLMOPS_ALLOW_LOCAL": "1"}
            >>> Endpoint.from_environment(local).address.port
            8123
        """
        given = {name: value.strip() for name, value in environment.items()}
        hosts = [host.strip().lower() for host in given.get("LLMOPS_ALLOWED_HOSTS", "").split(",")]
        address = checked_address(
            given.get("OPENAI_BASE_URL") or OPENAI,
            allowed_hosts=filter(None, hosts),
            allows_local=given.get("LLMOPS_ALLOW_LOCAL", "").lower() in ("1", "true", "yes"),
            resolve=resolve,
        )
        key = given.get("OPENAI_API_KEY") or None
        if key is not None and not re.fullmatch(r"[!-~]+", key):
            msg = "OPENAI_API_KEY holds spaces, line breaks or other characters that no key has; set it again"
            raise EndpointError(msg)
        if key is None and not address.is_local:
            msg = f"OPENAI_API_KEY is not set; {address.host} answers only with a key"
            raise EndpointError(msg)
        return cls(address, key)
