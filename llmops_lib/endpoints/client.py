"""Many calls to one endpoint: side by side, patient, within limits, and each one accounted for."""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from llmops_lib.chat import ChatRequest, ChatResult, OnCall
from llmops_lib.endpoints.answers import chat_answer
from llmops_lib.endpoints.attempts import Attempts
from llmops_lib.endpoints.cache import AnswerCache, Kept
from llmops_lib.endpoints.dispatch import Dispatch
from llmops_lib.endpoints.guard import Guard
from llmops_lib.endpoints.pinned import PinnedTransport
from llmops_lib.endpoints.settings import Endpoint, EndpointSettings
from llmops_lib.endpoints.spans import SpanFile
from llmops_lib.errors import FetchError
from llmops_lib.pricing.chat_costs import costs_usd
from llmops_lib.sources.fetch.connection import Connection
from llmops_lib.sources.fetch.keys import BearerAuth
from llmops_lib.sources.fetch.settings import FetchSettings

DEFAULTS = EndpointSettings()
"""The settings that a client has where none are given."""

_PATH = "/chat/completions"


class EndpointClient:
    """Calls to one endpoint, to be used in a `with` statement.

    Args:
        endpoint: Where to; `Endpoint.from_environment()` when None.
        settings: Patience and bounds.

    Every request is held to a policy before a byte of it leaves, and recorded in the audit log.

    Raises:
        EndpointError: If the environment names no usable endpoint.
        PolicyError: If no rule of the policy names the endpoint, or the policy cannot be read.
    """

    def __init__(self, endpoint: Endpoint | None = None, settings: EndpointSettings = DEFAULTS) -> None:
        self.endpoint = endpoint or Endpoint.from_environment()
        self._settings = settings
        self._dispatch = Dispatch(self.endpoint, settings)
        self._cache = AnswerCache(Path(settings.cache)) if settings.cache else None
        self._spans = SpanFile(Path(settings.spans_file), self.endpoint) if settings.spans_file else None
        address, key = self.endpoint.address, self.endpoint.key
        patience = FetchSettings(
            attempts=settings.attempts,
            first_wait_seconds=settings.first_wait_seconds,
            longest_wait_seconds=settings.longest_wait_seconds,
            timeout_seconds=settings.timeout_seconds,
            transport=PinnedTransport(address, settings.concurrency),
        )
        self._connection = Connection(address.url, BearerAuth(key) if key else None, patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._connection.__exit__()

    @property
    def provider(self) -> str | None:
        """`gen_ai.provider.name`, where the host of the endpoint tells it."""
        return self.endpoint.provider

    def chat(self, request: ChatRequest) -> ChatResult:
        """One call; whatever goes wrong with it is in the result.

        Args:
            request: What to ask.
        """
        return self.chat_all([request])[0]

    def chat_all(self, requests: Sequence[ChatRequest], *, on_call: OnCall | None = None) -> list[ChatResult]:
        """Many calls, as many at a time as the settings say.

        Args:
            requests: What to ask.
            on_call: Called after each call.

        Returns:
            One result per request, in the order of the requests.
        """
        done: dict[int, ChatResult] = {}
        for number, result in self._done(requests):
            done[number] = result
            if on_call is not None:
                on_call(len(done), len(requests), result.error_type or "answered")
        results = [done[number] for number in range(len(requests))]
        costs = costs_usd(results, self.endpoint.provider, self._settings.prices)
        return [replace(result, cost_usd=cost) for result, cost in zip(results, costs, strict=True)]

    def _done(self, requests: Sequence[ChatRequest]) -> Iterator[tuple[int, ChatResult]]:
        deadline = self._deadline()
        guard = Guard(self._settings, self.endpoint.provider, requests)
        with ThreadPoolExecutor(self._settings.concurrency, thread_name_prefix="llmops-call") as pool:
            waiting = {
                pool.submit(self._result, request, guard, deadline): number
                for number, request in enumerate(requests)
            }
            try:
                for done in as_completed(waiting):
                    yield waiting[done], done.result()
            finally:
                # Calls that have not begun are not made after an error or an interrupt.
                pool.shutdown(wait=True, cancel_futures=True)

    def _result(self, request: ChatRequest, guard: Guard, deadline: float) -> ChatResult:
        cleared = self._dispatch.cleared(request)
        if cleared.request is None:
            return Attempts(request).failed("policy", f"not sent: {cleared.reason}")
        sent = cleared.request
        content_hash = sent.content_hash(self.endpoint.address.url)
        kept = self._cache.get(content_hash) if self._cache else None
        if kept is not None:
            return kept.result(request)
        self._dispatch.record(request, cleared)
        result = guard.guarded(request, lambda: self._called(sent, deadline))
        # The span comes first: an answer that is kept has its span, whenever the run is killed.
        if self._spans:
            self._spans.add(result)
        if self._cache and result.answer is not None:
            self._cache.put(content_hash, Kept.of(result, result.answer))
        return replace(result, request=request)

    def _called(self, request: ChatRequest, deadline: float) -> ChatResult:
        call = Attempts(request)
        if time.monotonic() > deadline:
            return call.failed("deadline", "not made: the time of this run was over")
        try:
            answer = self._connection.post(_PATH, call.body, chat_answer)
        except FetchError as error:
            is_unusable = error.status in (None, HTTPStatus.OK)
            return call.failed("no_answer" if is_unusable else str(error.status), str(error))
        return call.answered(answer)

    def _deadline(self) -> float:
        seconds = self._settings.deadline_seconds
        return math.inf if seconds is None else time.monotonic() + seconds
