"""The spans of a trace as an indented list, for notebooks."""

from typing import Any

import polars as pl
from markupsafe import Markup

from llmops_lib.views.formats import compact, duration, usd
from llmops_lib.views.html import Html

_DEEPEST = 40
"""Depth from which the indentation stays the same and the depth is written out."""

_INDENT_EM = 1.2
_UNSEEN = "\N{REPLACEMENT CHARACTER}"
_LINKS = {"orphan": "parent missing", "cycle": "its own ancestor"}
_EXCERPTS = {"error_excerpt": "error", "input_excerpt": "input", "output_excerpt": "output"}


def span_tree_list(tree: pl.DataFrame, *, most: int = 1_000) -> Html:
    """A trace as a list of spans, each indented by its depth, with its figures and excerpts.

    Args:
        tree: What `span_tree` returns, masked by `with_excerpts`.
        most: How many spans to show; the rest is counted.

    Returns:
        A list; every text in it is escaped.
    """
    items = Markup("").join(_item(span) for span in tree.head(most).iter_rows(named=True))
    rest = tree.height - most
    more = Markup('<p class="note">... and {} more spans</p>').format(f"{rest:,}") if rest > 0 else Markup("")
    return Html(
        Markup(
            '<figure class="span-tree"><figcaption>{}</figcaption>'
            '<ul style="list-style:none;padding:0">{}</ul>{}</figure>'
        ).format(_heading(tree), items, more)
    )


def _heading(tree: pl.DataFrame) -> str:
    if tree.is_empty():
        return "no span of this kind"
    cost = tree["cost_usd"].drop_nulls() if "cost_usd" in tree.columns else pl.Series([], dtype=pl.Float64)
    spent = usd(float(cost.sum())) if cost.len() else "cost unknown"
    failed = int(tree["is_error"].sum()) if "is_error" in tree.columns else 0
    # An id is kept as it is by masking, so that it can be copied; what cannot be seen is of no use in one.
    trace = "".join(sign if sign.isprintable() else _UNSEEN for sign in tree["trace_id"][0])
    return f"trace {trace}: {tree.height:,} spans, {spent}, {failed:,} failed"


def _item(span: dict[str, Any]) -> Markup:
    depth = min(span["depth"], _DEEPEST)
    notes = [f"depth {span['depth']}"] if span["depth"] > _DEEPEST else []
    notes += [_LINKS[span["link"]]] if span["link"] in _LINKS else []
    excerpts = Markup("").join(
        Markup("<br><small>{}: {}</small>").format(word, span[name])
        for name, word in _EXCERPTS.items()
        if span.get(name)
    )
    return Markup('<li style="margin-left:{}em"><strong>{}</strong> {}{}{}{}</li>').format(
        f"{depth * _INDENT_EM:.1f}",
        span.get("name") or span.get("operation") or "(no name)",
        " · ".join(span_figures(span)),
        _failure(span),
        Markup(" <em>({})</em>").format(", ".join(notes)) if notes else "",
        excerpts,
    )


def span_figures(span: dict[str, Any]) -> list[str]:
    """Model or tool, latency, and of a model call tokens and cost, as they are shown of a span."""
    figures = [str(span[name]) for name in ("model", "tool_name") if span.get(name)]
    figures.append(duration(span.get("latency_ms")))
    if span.get("is_model_call"):
        counts = [span.get("input_tokens"), span.get("output_tokens")]
        figures += [f"{compact(counts[0])} → {compact(counts[1])} tokens"] if counts != [None, None] else []
        cost = span.get("cost_usd")
        figures.append("cost unknown" if cost is None else usd(cost))
    return figures


def span_failure(span: dict[str, Any]) -> str:
    """Why a span failed, as far as the export says; empty for one that did not."""
    if not span.get("is_error"):
        return ""
    said = [str(span[name]) for name in ("error_type", "http_status") if span.get(name) is not None]
    return " ".join(said) or "failed"


def _failure(span: dict[str, Any]) -> Markup:
    failure = span_failure(span)
    return (
        Markup(' <strong class="bad" style="color:#cf4a3c">{}</strong>').format(failure)
        if failure
        else Markup("")
    )
