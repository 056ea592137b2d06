"""What is asked of a model, what came of it, and what makes the calls."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol

import orjson

BASELINE_MODEL = "llmops-baseline-extractive"
"""Name of the bundled answerer, which is no language model, wherever it shows."""

OnCall = Callable[[int, int, str], None]
"""Called after each call with the number of calls done, the number of all, and a few words."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class ChatRequest:
    """One chat completion to ask for.

    Attributes:
        model: Model, as the endpoint names it.
        messages: Chat messages, each with `role` and `content`.
        parameters: Further fields of the request, such as `temperature` and `max_tokens`.
        tools: Tool definitions in the form of the API.
        trial: Number of the repetition; the same request with another number is asked anew.
        scope: What the call is about, by column of SPANS, for breakers that limit tenants or features.
        carried: What the span of the call tells besides, by attribute name, such as `gen_ai.prompt.name`.
        purpose: What it is for, as policies name it: `eval`, `judge`, `rerun`, `redteam` or `other`.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    parameters: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    tools: Sequence[Mapping[str, Any]] = ()
    trial: int = 0
    scope: Mapping[str, str | None] = field(default_factory=lambda: _NOTHING)
    carried: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    purpose: str = "other"

    def body(self) -> dict[str, Any]:
        """The request as the API takes it."""
        tools = {"tools": list(self.tools)} if self.tools else {}
        return {**self.parameters, **tools, "model": self.model, "messages": list(self.messages)}

    def content_hash(self, url: str) -> str:
        """SHA-256, in hex, of all that decides the answer: address, body and number of the repetition."""
        text = orjson.dumps([url, self.body(), self.trial], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True)
class ChatAnswer:
    """What the endpoint answered.

    Attributes:
        text: Text of the first choice; None where it has none.
        tool_calls: Tool calls of the first choice, in the form of the API.
        finish_reason: Why it ended.
        response_id: Identifier that the endpoint gave it.
        model: Model that answered, as the endpoint says.
        input_tokens: Input tokens, cached ones included; None where not said.
        output_tokens: Output tokens, reasoning included; None where not said.
        cache_read_tokens: Those of the input that came from the cache.
        reasoning_tokens: Those of the output that were reasoning.
    """

    text: str | None
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    finish_reason: str | None = None
    response_id: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    reasoning_tokens: int | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """What a reader of the answer should know.

        `truncated` (cut at the token limit), `filtered`, `empty` (neither text nor tool call) and `no_usage`
        (tokens are unknown, and so is the cost).
        """
        found = {
            "truncated": self.finish_reason == "length",
            "filtered": self.finish_reason == "content_filter",
            "empty": not self.text and not self.tool_calls,
            "no_usage": self.input_tokens is None or self.output_tokens is None,
        }
        return tuple(name for name, holds in found.items() if holds)


@dataclass(frozen=True)
class ChatResult:
    """One call and what came of it.

    Attributes:
        request: What was asked, before a policy had data in it replaced.
        answer: The answer; None where there is none.
        error: Why there is none; None where there is one.
        error_type: `429`, `500` ... for a status, else `no_answer`, `budget`, `deadline` or `policy`.
        started_at: Start of the call, UTC; of a cached answer, of the call that it was the answer to.
        latency_ms: From the first attempt to the end of the answer, waits included.
        attempt_count: Requests that were sent, also by the call that a cached answer came from.
        cost_usd: By the price list; None where the price or the tokens are unknown.
        is_cached: Whether nothing was sent, since the same had been asked before.
        trace_id: Of the span of the call.
        span_id: Of the span of the call.
    """

    request: ChatRequest
    answer: ChatAnswer | None
    error: str | None
    error_type: str | None
    started_at: datetime
    latency_ms: float
    attempt_count: int
    cost_usd: float | None
    is_cached: bool
    trace_id: str
    span_id: str


def has_baseline(results: Iterable[ChatResult]) -> bool:
    """Whether the bundled answerer, which is no language model, answered, by whatever name it was asked."""
    return any(result.answer is not None and result.answer.model == BASELINE_MODEL for result in results)


class Caller(Protocol):
    """What makes calls, such as an `EndpointClient`."""

    @property
    def provider(self) -> str | None:
        """`gen_ai.provider.name` of what is called, where that is known."""

    def chat_all(self, requests: Sequence[ChatRequest], *, on_call: OnCall | None = None) -> list[ChatResult]:
        """One result per request, in the order of the requests."""
