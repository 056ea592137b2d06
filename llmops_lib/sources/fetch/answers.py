"""Answers of servers, with every row kept as the bytes that it came in.

Rows are not parsed and written again: numbers of any size, repeated keys and odd escapes reach the file
as the server sent them, and its reader decides. Only where the fast parser refuses a page, as it does for
half of a surrogate pair in one of the rows, are its rows read and written by the standard library.
"""

import json
from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape", bound=msgspec.Struct)


class WrongAnswerError(Exception):
    """An answer that is not what the API gives; never leaves this package."""


class Meta(msgspec.Struct):
    """What stands beside the rows of a page of Langfuse, for its two kinds of paging."""

    cursor: str | None = None
    limit: int | None = None
    totalItems: int | None = None  # noqa: N815 - the API's own name


class RowsPage(msgspec.Struct):
    """A page of Langfuse (`meta`) or of Phoenix (`next_cursor`)."""

    data: list[msgspec.Raw]
    meta: Meta | None = None
    next_cursor: str | None = None


def decoded(body: bytes, shape: type[Shape]) -> Shape:
    """A body as a shape.

    Args:
        body: An answer.
        shape: What it should be.

    Raises:
        WrongAnswerError: If it is something else; the message shows nothing of it.
    """
    try:
        return _decoded(body, shape)
    except msgspec.ValidationError as error:
        msg = f"an answer has another shape than expected ({error})"
    except (ValueError, RecursionError):
        msg = f"an answer of {len(body):,} bytes is no JSON"
    raise WrongAnswerError(msg)


def _decoded(body: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError:
        raise
    except (ValueError, RecursionError):
        parsed = json.loads(body)
    rows = parsed.get("data") if isinstance(parsed, dict) else None
    if isinstance(rows, list):
        parsed["data"] = [msgspec.Raw(json.dumps(row).encode()) for row in rows]
    return msgspec.convert(parsed, shape)


def on_one_line(row: bytes) -> bytes:
    r"""A row without line breaks, its strings and numbers as they were.

    Args:
        row: JSON text.

    Example:
        >>> on_one_line(b'{"id": "a",\n "n": 12345678901234567890123}')
        b'{"id":"a","n":12345678901234567890123}'
    """
    if b"\n" not in row and b"\r" not in row:
        return row
    try:
        return msgspec.json.format(row, indent=-1)
    except msgspec.DecodeError:
        return json.dumps(json.loads(row)).encode()


def fields_of(row: bytes | msgspec.Raw, shape: type[Shape]) -> Shape | None:
    """A few fields of a row; None where the row is no object or has other types there.

    Args:
        row: JSON text.
        shape: The fields.
    """
    try:
        return msgspec.json.decode(row, type=shape)
    except (ValueError, RecursionError):
        pass
    try:
        known: Any = json.loads(bytes(row))
        return msgspec.convert(known, shape)
    except (ValueError, RecursionError):
        return None
