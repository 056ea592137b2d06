"""Single calls as a list: what it was, where to find it, and what was said."""

from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import compact, duration, moment, usd
from llmops_lib.views.html import Html, figured_list
from llmops_lib.views.labels import label

_NAMES = ("model", "feature", "tenant", "user_id")
_EXCERPTS = ("error_excerpt", "input_excerpt", "output_excerpt")


def calls_list(calls: pl.DataFrame, *, caption: str, empty: str) -> Html:
    """Calls in the order given, each with its figures, its ids and its excerpts.

    Args:
        calls: Rows with `trace_id`, `span_id`, `started_at`, and of `latency_ms`, `cost_usd`, `input_tokens`,
            `output_tokens`, `error_type`, `http_status`, `model`, `feature`, `tenant`, `user_id` and the
            excerpts those that are known; of calls that stand for a spender, also `value` (its name) and
            `spend_usd` (all its spend).
        caption: What these calls have in common.
        empty: What is said where there are none.

    Returns:
        An ordered list.
    """
    return figured_list(calls, _item, caption=caption, empty=empty)


def _item(call: dict[str, Any]) -> Markup:
    return Markup(
        '<li><p class="figures">{}</p>'
        '<p class="ids">{} UTC · trace <code>{}</code> · span <code>{}</code></p>{}</li>'
    ).format(
        Markup(" · ").join(_figures(call)),
        moment(call["started_at"]),
        call["trace_id"],
        call["span_id"],
        Markup("").join(_excerpt(name, call.get(name)) for name in _EXCERPTS),
    )


def _figures(call: dict[str, Any]) -> list[Markup]:
    failure = " ".join(
        str(call[name]) for name in ("error_type", "http_status") if call.get(name) is not None
    )
    counts = [call.get("input_tokens"), call.get("output_tokens")]
    tokens = (
        f"{compact(counts[0])} → {compact(counts[1])} tokens" if counts != [None, None] else "tokens unknown"
    )
    names = [Markup("{}").format(call[name]) for name in _NAMES if call.get(name) is not None]
    return [
        *_spender(call),
        *([Markup('<strong class="bad">{}</strong>').format(failure)] if failure else []),
        Markup("<strong>{}</strong>").format(duration(call.get("latency_ms"))),
        Markup("<strong>{}</strong>").format(
            usd(call["cost_usd"]) if call.get("cost_usd") is not None else "cost unknown"
        ),
        Markup("{}").format(tokens),
        *names,
    ]


def _spender(call: dict[str, Any]) -> list[Markup]:
    if "value" not in call:
        return []
    return [Markup("<strong>{}</strong> ({} in all)").format(call["value"], usd(call["spend_usd"]))]


def _excerpt(name: str, text: str | None) -> Markup:
    if not text:
        return Markup("")
    return Markup('<p class="excerpt"><span class="who">{}</span> {}</p>').format(label(name), text)
