"""A trace in a notebook: its spans as a tree, all of them or those of one kind."""

from typing import Any

import ipywidgets as widgets
import polars as pl

from llmops_lib.measures.span_tree import span_tree
from llmops_lib.safety import with_excerpts
from llmops_lib.views.span_tree import span_tree_list

_KINDS = {
    "all spans": pl.lit(value=True),
    "model calls": pl.col("is_model_call"),
    "failed spans": pl.col("is_error"),
}


def span_tree_panel(spans: Any, *, trace_id: str | None = None, texts: bool = True) -> widgets.VBox:
    """A trace as a tree of spans with duration, tokens, cost, errors and masked excerpts of what was said.

    Args:
        spans: SPANS, such as `find_traces` gives; with the columns of `price_calls` costs are shown.
        trace_id: The trace; may be left out where the table holds one only.
        texts: Whether excerpts are shown at first.

    Returns:
        A panel; personal data and keys are masked in it and every text is escaped.

    Raises:
        SearchError: If there is no such trace, or several where none was named.
        MissingColumnError: If a column is missing.

    Example:
        >>> from llmops_lib import find_traces, search_traces
        >>> from llmops_lib.demo import sample_export
        >>> trace = search_traces(sample_export(), limit=1)["trace_id"].item()
        >>> panel = span_tree_panel(find_traces(sample_export(), trace))
        >>> panel.children[0].children[0].options
        ('all spans', 'model calls', 'failed spans')
    """
    tree = with_excerpts(span_tree(spans, trace_id=trace_id))
    kinds = [kind for kind, which in _KINDS.items() if set(which.meta.root_names()) <= set(tree.columns)]
    kind = widgets.Dropdown(options=kinds, description="Show")
    with_texts = widgets.Checkbox(value=texts, description="Texts", indent=False)
    shown = widgets.HTML()

    def redraw(_change: object = None) -> None:
        rows = tree.filter(_KINDS[kind.value])
        excerpts = [] if with_texts.value else [name for name in rows.columns if name.endswith("_excerpt")]
        shown.value = str(span_tree_list(rows.drop(excerpts)).markup)

    for control in (kind, with_texts):
        control.observe(redraw, names="value")
    redraw()
    return widgets.VBox([widgets.HBox([kind, with_texts]), shown])
