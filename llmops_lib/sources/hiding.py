"""Keys and passwords hidden in rows before any of them reaches a disk, where rows are read to be stored."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from llmops_lib.schema import RAW_LIMIT
from llmops_lib.secrets.patterns import LONGEST_MATCH

KEPT_AS_IS = frozenset(("trace_id", "span_id", "parent_span_id", "operation", "source_format", "source_file"))
"""Columns of rows that are joined by them, or that are ours."""

_HIDES: ContextVar[bool] = ContextVar("whether keys are hidden in rows", default=False)


@contextlib.contextmanager
def hiding(*, is_on: bool) -> Iterator[None]:
    """Hides keys and passwords in rows that are collected while it lasts.

    Args:
        is_on: Whether it does.
    """
    token = _HIDES.set(is_on)
    try:
        yield
    finally:
        _HIDES.reset(token)


def hides_secrets() -> bool:
    """Whether rows that are collected now are freed of keys."""
    return _HIDES.get()


def raw_limit() -> int:
    """Characters of a refused row that are taken: so many more that a key which `RAW_LIMIT` cuts is known."""
    return RAW_LIMIT + LONGEST_MATCH if _HIDES.get() else RAW_LIMIT
