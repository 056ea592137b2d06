"""Calls under a breaker: the most that a call can cost is set aside before it is sent, and settled after."""

from collections.abc import Callable, Sequence

from llmops_lib.chat import ChatRequest, ChatResult
from llmops_lib.endpoints.attempts import Attempts
from llmops_lib.endpoints.settings import EndpointSettings
from llmops_lib.errors import BreakerOpenError
from llmops_lib.pricing.chat_costs import costs_usd, worst_costs_usd

# What is set aside for a call that costs nothing by the price list: a breaker takes no zero.
_LEAST_USD = 1e-9


class Guard:
    """Asks the breaker of the settings, where there is one, about every call.

    Where the price of a model is unknown, or nothing limits its output, what the policy of the breaker sets
    aside is set aside: the limit may then be overshot by what such calls cost more.

    Args:
        settings: Breaker and prices.
        provider: `gen_ai.provider.name` of the endpoint.
        requests: All calls that may come.
    """

    def __init__(
        self, settings: EndpointSettings, provider: str | None, requests: Sequence[ChatRequest]
    ) -> None:
        self._breaker, self._prices, self._provider = settings.breaker, settings.prices, provider
        self._bounds: dict[int, float | None] = {}
        if settings.breaker is not None:
            bounds = worst_costs_usd(requests, provider, settings.prices)
            self._bounds = {id(request): bound for request, bound in zip(requests, bounds, strict=True)}

    def guarded(self, request: ChatRequest, call: Callable[[], ChatResult]) -> ChatResult:
        """The result of a call, or of its refusal.

        Args:
            request: One of the requests.
            call: Makes the call.
        """
        if self._breaker is None:
            return call()
        bound = self._bounds[id(request)]
        policy = self._breaker.policy
        unknown: dict[str, str | None] = dict.fromkeys((*policy.each, *policy.where))
        scope = {**unknown, "model": request.model, **request.scope}
        try:
            reserve_usd = None if bound is None else max(bound, _LEAST_USD)
            with self._breaker.reserve(scope, reserve_usd=reserve_usd) as reservation:
                result = call()
                reservation.settle(self._cost_usd(result))
                return result
        except BreakerOpenError as error:
            return Attempts(request).failed("budget", f"not made: {error}")

    def _cost_usd(self, result: ChatResult) -> float | None:
        if result.answer is None:
            # A call that was not sent, or that the endpoint refused, costs nothing; any other may be billed.
            is_refused = result.error_type is not None and result.error_type.startswith("4")
            return 0.0 if is_refused or not result.attempt_count else None
        return costs_usd([result], self._provider, self._prices)[0]
