"""The one place that every request passes before a byte of it leaves: held to the policy, and recorded."""

from dataclasses import dataclass, replace

from llmops_lib.chat import ChatRequest
from llmops_lib.endpoints.settings import Endpoint, EndpointSettings
from llmops_lib.errors import PolicyError
from llmops_lib.safety.audit.log import AuditLog
from llmops_lib.safety.outgoing import Screening
from llmops_lib.safety.policy import EndpointRule, load_policy

ENDPOINT_ACTION = "endpoint_call"
"""Action of an entry that tells of a request and of what the policy said to it."""


@dataclass(frozen=True)
class Cleared:
    """What the policy says to one request.

    Attributes:
        request: What may be sent, with what must not leave replaced; None where nothing may.
        reason: Why nothing may be sent; None where something may.
        redacted: Classes of data that were replaced.
        classes: Classes of data that were found.
    """

    request: ChatRequest | None
    reason: str | None = None
    redacted: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


class Dispatch:
    """The policy and the audit log of one endpoint.

    Args:
        endpoint: What is called.
        settings: Policy and log; those of the working directory and the environment where there are none.

    Raises:
        PolicyError: If no rule of the policy names the endpoint.
    """

    def __init__(self, endpoint: Endpoint, settings: EndpointSettings) -> None:
        self._policy = settings.policy or load_policy()
        self._log = settings.audit or AuditLog.of_environment()
        address = endpoint.address
        self._place = f"{address.host}:{address.port}"
        rule = self._policy.rule_of_host(address.host, address.port, is_loopback=address.is_local)
        if rule is None:
            msg = (
                f"{self._place}: no rule of the policy names this endpoint, so nothing is sent there; add it "
                "to policy.yaml (`llmops policy init` writes one to start from), or use another endpoint"
            )
            raise PolicyError(msg)
        self._rule: EndpointRule = rule

    def cleared(self, request: ChatRequest) -> Cleared:
        """What of a request may be sent; a refusal is recorded at once.

        Args:
            request: What is to be asked.

        Raises:
            AuditError: If a refusal cannot be recorded.
        """
        reason = self._policy.refusal(self._rule, request.purpose)
        permission = self._policy.permission(self._rule, request.purpose)
        if reason is not None or permission is None:
            return self._refused(request, Cleared(None, f"{self._place}: {reason}"))
        screening = Screening(permission, self._policy.filters)
        try:
            messages = screening.messages(request.messages)
            tools = screening.value([dict(tool) for tool in request.tools], "tools")
            parameters = screening.value(dict(request.parameters), "parameters")
        except RecursionError:
            return self._refused(request, Cleared(None, "it is nested too deeply to be searched"))
        classes = tuple(screening.classes)
        if screening.held:
            held = ", ".join(screening.held)
            why = f"rule {self._rule.name} does not let {held} go to {self._place} for {request.purpose}"
            return self._refused(request, Cleared(None, why, classes=classes))
        if not screening.redacted:
            return Cleared(request, classes=classes)
        sent = replace(request, messages=messages, tools=tools, parameters=parameters)
        return Cleared(sent, redacted=tuple(screening.redacted), classes=classes)

    def record(self, request: ChatRequest, cleared: Cleared) -> None:
        """Records what was decided; whoever sends, sends after this.

        Args:
            request: What was to be asked.
            cleared: What the policy said.

        Raises:
            AuditError: If it cannot be recorded; nothing may be sent then.
        """
        decision = "block" if cleared.request is None else "redact" if cleared.redacted else "allow"
        details = {
            "decision": decision,
            "endpoint": self._place,
            "rule": self._rule.name,
            "purpose": request.purpose,
            "model": request.model,
            "classes": list(cleared.classes),
            "redacted": list(cleared.redacted),
            "reason": cleared.reason,
        }
        self._log.append(ENDPOINT_ACTION, details)

    def _refused(self, request: ChatRequest, cleared: Cleared) -> Cleared:
        self.record(request, cleared)
        return cleared
