"""Values that a template may have written as a given text, by the filters that they went through."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import nodes

UNREAD = object()
"""Stands for a value that the text does not tell."""

_DECODER = json.JSONDecoder()


def json_end(text: str, start: int) -> list[int]:
    """Where the JSON value ends that begins at a place; nothing where none begins there."""
    try:
        _, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return []
    return [end]


def without_filters(node: nodes.Expr) -> tuple[nodes.Expr, list[str]]:
    """What an expression is about, and the filters that it goes through, the last one first."""
    filters: list[str] = []
    while isinstance(node, nodes.Filter) and node.node is not None:
        filters.append(node.name)
        node = node.node
    return node, filters


def values_of(text: str, filters: list[str], node: nodes.Expr, schema: Mapping[str, Any]) -> Iterator[Any]:
    """Values that may have been written as a text; `UNREAD` where the filters leave too many.

    Args:
        text: What was written.
        filters: Filters, the last one first.
        node: The expression, with their arguments.
        schema: What the input schema says of the value.
    """
    if not filters:
        yield from _plain_values(text, schema)
    elif len(filters) == 1 and filters[0] in _UNDONE:
        yield from _UNDONE[filters[0]](text, node)
    else:
        yield UNREAD


def _plain_values(text: str, schema: Mapping[str, Any]) -> Iterator[Any]:
    stated = schema.get("type")
    kinds = stated if isinstance(stated, list) else [stated]
    if None in kinds or "string" in kinds:
        yield text
    if not {None, "integer", "number"}.isdisjoint(kinds) and text[:1] in "-0123456789":
        try:
            number = json.loads(text)
        except ValueError:
            return
        if type(number) in (int, float) and str(number) == text:
            yield number


def _from_json(text: str, _node: nodes.Expr) -> Iterator[Any]:
    yield json.loads(text)


def _from_trimmed(text: str, _node: nodes.Expr) -> Iterator[Any]:
    # The second stands for all texts with blanks around them.
    yield from (text, f" {text}\n")


def _from_case(text: str, _node: nodes.Expr) -> Iterator[Any]:
    yield from dict.fromkeys((text, text.lower(), text.upper(), text.swapcase()))


def _from_default(text: str, _node: nodes.Expr) -> Iterator[Any]:
    yield from (text, UNREAD)


def _from_joined(text: str, node: nodes.Expr) -> Iterator[Any]:
    arguments = node.args if isinstance(node, nodes.Filter) else []
    separator = arguments[0].value if arguments and isinstance(arguments[0], nodes.Const) else ""
    if isinstance(separator, str) and separator and separator in text:
        yield text.split(separator)
    yield [text]
    if not text:
        yield []


_UNDONE: Mapping[str, Callable[[str, nodes.Expr], Iterator[Any]]] = {
    "tojson": _from_json,
    "trim": _from_trimmed,
    "lower": _from_case,
    "upper": _from_case,
    "default": _from_default,
    "join": _from_joined,
}
