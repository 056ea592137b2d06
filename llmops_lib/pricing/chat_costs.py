"""What calls cost, and what they may cost at most, by the price list."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from llmops_lib.chat import ChatRequest, ChatResult
from llmops_lib.pricing.calls import USED, price_calls
from llmops_lib.schema import SPANS

_SCHEMA = pl.Schema({name: SPANS.polars_schema[name] for name in USED})
_TOKEN_LIMITS = ("max_completion_tokens", "max_tokens")

Prices = str | Path | pl.DataFrame | None


def costs_usd(
    results: Sequence[ChatResult], provider: str | None, prices: Prices = None
) -> list[float | None]:
    """What each call cost; None where its tokens or its price are unknown.

    Args:
        results: The calls.
        provider: `gen_ai.provider.name` of the endpoint.
        prices: The user's own list, as `price_calls` takes it.
    """
    return _costs((_usage(result, provider) for result in results), prices)


def worst_costs_usd(
    requests: Sequence[ChatRequest], provider: str | None, prices: Prices = None
) -> list[float | None]:
    """What each call can cost at most; None where the price is unknown or nothing limits the output.

    A token stands for one byte or more, so the bytes of a request bound its input tokens.

    Args:
        requests: The calls, none of them made yet.
        provider: `gen_ai.provider.name` of the endpoint.
        prices: The user's own list, as `price_calls` takes it.
    """
    now = datetime.now(UTC)
    return _costs((_bound(request, provider, now) for request in requests), prices)


def _costs(usages: Iterable[dict[str, Any]], prices: Prices) -> list[float | None]:
    calls = pl.DataFrame(list(usages), schema=_SCHEMA).with_columns(
        is_model_call=True, operation=pl.lit("chat")
    )
    return price_calls(calls, prices=prices)["cost_usd"].to_list() if calls.height else []


def _usage(result: ChatResult, provider: str | None) -> dict[str, Any]:
    answer = result.answer
    return {
        "provider": provider,
        "started_at": result.started_at,
        "request_model": result.request.model,
        "response_model": answer and answer.model,
        "input_tokens": answer and answer.input_tokens,
        "output_tokens": answer and answer.output_tokens,
        "cache_read_tokens": answer and answer.cache_read_tokens,
        "reasoning_tokens": answer and answer.reasoning_tokens,
    }


def _bound(request: ChatRequest, provider: str | None, now: datetime) -> dict[str, Any]:
    limits = [request.parameters.get(name) for name in _TOKEN_LIMITS]
    limit = next((value for value in limits if isinstance(value, int)), None)
    return {
        "provider": provider,
        "started_at": now,
        "request_model": request.model,
        "input_tokens": len(orjson.dumps(request.body())),
        "output_tokens": limit,
    }
