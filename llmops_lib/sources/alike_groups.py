"""Spans in groups of which all have the same attributes, and what decides something is the same."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from llmops_lib.sources.carried import Layout
from llmops_lib.sources.json_skeletons import tokens_in
from llmops_lib.sources.json_tokens import Tokens, joined
from llmops_lib.sources.otlp_forms import EVENT_TIME, Form

__all__ = ["by_decisions", "by_names"]

_SPLITS = 50

Group = tuple[Form, np.ndarray]
"""Spans of one form, by their rows."""


def by_names(tokens: Tokens, groups: Sequence[Group]) -> Iterator[tuple[Form, list[str] | None, np.ndarray]]:
    """Spans of one form whose attributes have the same names; None as names of those in too many groups.

    Args:
        tokens: Of all spans.
        groups: Spans of one form each.
    """
    for _ in range(_SPLITS):
        if not groups:
            return
        names = [_places(tokens, rows[:1], form.names) for form, rows in groups]
        own = np.concatenate([_places(tokens, rows, form.names) for form, rows in groups])
        first = np.concatenate(
            [np.tile(some, len(rows)) for some, (_, rows) in zip(names, groups, strict=True)]
        )
        is_same = (tokens.flat.gather(own) == tokens.flat.gather(first)).to_numpy()
        others = []
        for some, (form, rows) in zip(names, groups, strict=True):
            size = len(rows) * len(some)
            is_alike = is_same[:size].reshape(len(rows), len(some)).all(axis=1)
            is_same = is_same[size:]
            yield form, tokens.flat.gather(some).to_list(), rows[is_alike]
            if not is_alike.all():
                others.append((form, rows[~is_alike]))
        groups = others
    yield from ((form, None, rows) for form, rows in groups)


def by_decisions(
    tokens: Tokens, scopes: np.ndarray, groups: Sequence[tuple[Form, Layout, np.ndarray]]
) -> Iterator[tuple[Form, Layout, tuple[int, str], np.ndarray]]:
    """Spans of one layout for which what decides something is the same: their scope, and some tokens.

    Args:
        tokens: Of all spans.
        scopes: The number of the scope of each.
        groups: Spans of one layout each.
    """
    if not groups:
        return
    places = [_deciding(form, layout) for form, layout, _ in groups]
    heights = [len(rows) for _, _, rows in groups]
    pairs = zip(places, groups, strict=True)
    decisions = tokens.flat.gather(
        np.concatenate([_places(tokens, rows, some) for some, (*_, rows) in pairs])
    )
    all_rows = np.concatenate([rows for *_, rows in groups])
    frame = pl.DataFrame(
        {
            "group": np.repeat(np.arange(len(groups)), heights),
            "scope": scopes[all_rows],
            "decided": joined(decisions, np.repeat([len(some) for some in places], heights)),
            "row": all_rows,
        }
    )
    found = frame.group_by("group", "scope", "decided", maintain_order=True).agg("row")
    for group, scope, decided, rows in zip(*found, strict=True):
        form, layout, _ = groups[group]
        yield form, layout, (scope, decided), rows.to_numpy()


def _deciding(form: Form, layout: Layout) -> list[int]:
    deciding: list[Any] = [form.span[name] for name in layout.fields]
    deciding += [form.values[position] for position in layout.deciding]
    deciding += [
        value
        for event in form.span.get("events") or ()
        for name, value in event.items()
        if name != EVENT_TIME
    ]
    return sorted(set(tokens_in(deciding)))


def _places(tokens: Tokens, rows: np.ndarray, places: Sequence[int]) -> np.ndarray:
    """Where some tokens of each span stand among all tokens."""
    found: np.ndarray = (tokens.starts[rows][:, None] + np.array(places, np.int64)).ravel()
    return found
