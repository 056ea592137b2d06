"""How one call went, from its first attempt to its end."""

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from llmops_lib.chat import ChatAnswer, ChatRequest, ChatResult


class Attempts:
    """One call: when it began, how often it was sent, and its result.

    Args:
        request: What is asked.
    """

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._started_at = datetime.now(UTC)
        self._began = time.perf_counter()
        self._attempts = 0

    def body(self) -> dict[str, Any]:
        """The body of one more attempt."""
        self._attempts += 1
        return self._request.body()

    def failed(self, error_type: str, error: str) -> ChatResult:
        """The result of a call without an answer."""
        return self._result(None, error, error_type)

    def answered(self, answer: ChatAnswer) -> ChatResult:
        """The result of a call with an answer; its cost is worked out later."""
        return self._result(answer, None, None)

    def _result(self, answer: ChatAnswer | None, error: str | None, error_type: str | None) -> ChatResult:
        return ChatResult(
            request=self._request,
            answer=answer,
            error=error,
            error_type=error_type,
            started_at=self._started_at,
            latency_ms=(time.perf_counter() - self._began) * 1_000,
            attempt_count=self._attempts,
            cost_usd=None,
            is_cached=False,
            trace_id=secrets.token_hex(16),
            span_id=secrets.token_hex(8),
        )
