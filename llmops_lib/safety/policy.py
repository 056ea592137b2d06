"""What may be sent where: a policy as reviewed data, read from `policy.yaml`."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from llmops_lib.errors import PolicyError
from llmops_lib.reviewed_yaml import ReviewedKind, first_repeated, read_reviewed
from llmops_lib.safety.filters import FilterPolicy
from llmops_lib.secrets.findings import PERSONAL_KINDS

PACKAGED = Path(__file__).with_name("policy.yaml")
"""The policy of whoever has none of their own."""

OWN = Path("policy.yaml")
"""Where one's own policy is looked for: in the working directory."""

LOOPBACK = "loopback"
"""Stands among hosts for servers on this machine."""

Purpose = Literal["eval", "judge", "rerun", "redteam", "production", "other"]
RequestField = Literal["system", "user", "assistant", "tool", "tools", "parameters"]
DataClass = Literal["EMAIL", "PHONE", "CARD", "IBAN", "IP", "SSN", "SECRET", "MEDIA"]
Action = Literal["allow", "redact", "block"]

FIELDS: tuple[RequestField, ...] = ("system", "user", "assistant", "tool", "tools", "parameters")
"""Parts of a request: messages by their role, tool definitions, and everything else."""


class Permission(BaseModel):
    """What may be sent for one purpose.

    Attributes:
        fields: Parts of a request that may be sent.
        classes: What to do with data of each class; `personal` stands for all kinds of personal data that are
            not named. A class that is not there is blocked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: tuple[RequestField, ...] = FIELDS
    classes: Mapping[Literal["personal"] | DataClass, Action]

    @field_validator("classes")
    @classmethod
    def _media_cannot_be_redacted(cls, classes: Mapping[str, str]) -> Mapping[str, str]:
        if classes.get("MEDIA") == "redact":
            msg = "MEDIA cannot be redacted, expected allow or block: nobody knows what a picture shows"
            raise ValueError(msg)
        return classes

    def action(self, kind: str) -> Action:
        """What to do with data of a class."""
        named = self.classes.get(kind)  # type: ignore[call-overload] # kinds of findings are classes
        if named is None and kind in PERSONAL_KINDS:
            named = self.classes.get("personal")
        return named or "block"


class EndpointRule(BaseModel):
    """What may go to some endpoints.

    Attributes:
        name: Name in messages, tables and the audit log.
        hosts: `host` (any port) or `host:port`; `loopback` for servers on this machine.
        providers: `gen_ai.provider.name` of what answers there, for traces.
        region: Where it is.
        retention_days: How long it keeps what it is sent; None where that is not known.
        purposes: What may be sent for which purpose; `any` for purposes that are not named.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=60)
    hosts: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    region: str | None = None
    retention_days: int | None = Field(default=None, ge=0)
    purposes: Mapping[Literal["any"] | Purpose, Permission]


class Policy(BaseModel):
    """A data-handling policy.

    Attributes:
        filters: What is looked for.
        regions: Regions that data may go to; None: any.
        longest_retention_days: Longest time that an endpoint may keep data; None: any.
        endpoints: What may go where; the first rule that names an endpoint counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    filters: FilterPolicy = FilterPolicy()
    regions: tuple[str, ...] | None = None
    longest_retention_days: int | None = Field(default=None, ge=0)
    endpoints: tuple[EndpointRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> "Policy":
        twice = first_repeated(rule.name for rule in self.endpoints)
        if twice is not None:
            msg = f"two endpoints are named {twice!r}, expected a name of its own for each"
            raise ValueError(msg)
        return self

    def rule_of_host(self, host: str, port: int, *, is_loopback: bool) -> EndpointRule | None:
        """The rule of an endpoint; None where no rule names it."""
        spelt = {host, f"{host}:{port}"} | ({LOOPBACK} if is_loopback else set[str]())
        return next((rule for rule in self.endpoints if spelt & set(rule.hosts)), None)

    def rule_of_provider(self, provider: str) -> EndpointRule | None:
        """The rule of a provider; None where no rule names it."""
        return next((rule for rule in self.endpoints if provider in self._providers[rule.name]), None)

    def refusal(self, rule: EndpointRule | None, purpose: str) -> str | None:
        """Why nothing at all may go to an endpoint for a purpose; None where something may."""
        if rule is None:
            return "no rule of the policy names it"
        if self.regions is not None and rule.region not in self.regions:
            return (
                f"its region is {rule.region or 'not known'}, and the policy allows {', '.join(self.regions)}"
            )
        longest = self.longest_retention_days
        if longest is not None and (rule.retention_days is None or rule.retention_days > longest):
            kept = (
                "for how long is not known"
                if rule.retention_days is None
                else f"for {rule.retention_days} days"
            )
            return f"it keeps what it is sent {kept}, and the policy allows {longest} days"
        if self.permission(rule, purpose) is None:
            return f"rule {rule.name} allows nothing for the purpose {purpose}"
        return None

    def permission(self, rule: EndpointRule, purpose: str) -> Permission | None:
        """What may be sent for a purpose; None where nothing may."""
        named = rule.purposes.get(purpose)  # type: ignore[call-overload] # any other purpose has none
        return named or rule.purposes.get("any")

    @cached_property
    def _providers(self) -> dict[str, frozenset[str]]:
        return {rule.name: frozenset(rule.providers) for rule in self.endpoints}


_KIND = ReviewedKind(
    error=PolicyError,
    what="policy",
    holds="`filters` and a list under `endpoints`",
    todo="compare docs/safety.md, or the example that `llmops policy init` writes",
    no_such_key=f"no such key; a policy has {', '.join(Policy.model_fields)}",
    said={"extra_forbidden": "no such field", "missing": "is missing"},
    expected={
        "retention_days": "whole days such as 30",
        "purposes": "purposes such as {judge: {classes: ...}}",
    },
)


def load_policy(path: str | Path | None = None) -> Policy:
    """A policy, checked.

    Args:
        path: YAML file; without it `policy.yaml` of the working directory, and where there is none, the
            packaged policy.

    Raises:
        PolicyError: If the file cannot be read or says what cannot be; the message says where, what was
            found, what was expected and what to do.

    Example:
        >>> policy = load_policy(PACKAGED)
        >>> rule = policy.rule_of_host("api.openai.com", 443, is_loopback=False)
        >>> policy.permission(rule, "judge").action("EMAIL")
        'redact'
        >>> policy.refusal(policy.rule_of_host("example.org", 443, is_loopback=False), "judge")
        'no rule of the policy names it'
    """
    return read_reviewed(policy_file(path), Policy, _KIND)


def policy_file(path: str | Path | None = None) -> Path:
    """Where `load_policy` finds the policy."""
    if path is not None:
        return Path(path)
    return OWN if OWN.exists() else PACKAGED
