"""JSON as pandas writes a table unless it is told otherwise: columns first, `{column: {index: cell}}`."""

from typing import Any

_FEWEST = 3


def by_column(value: Any) -> list[dict[str, Any]] | None:
    """The rows of a table that was written by column, or None where the value is none.

    Args:
        value: A JSON value.

    Example:
        >>> by_column({"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}, "c": {"0": 5, "1": 6}})
        [{'a': 1, 'b': 3, 'c': 5}, {'a': 2, 'b': 4, 'c': 6}]
        >>> by_column({"trace": {"id": 1}, "observations": []}) is None
        True
    """
    if not isinstance(value, dict) or len(value) < _FEWEST:
        return None
    columns = list(value.values())
    if not all(isinstance(column, dict) and column.keys() == columns[0].keys() for column in columns):
        return None
    rows = zip(*(column.values() for column in columns), strict=True)
    return [dict(zip(value, cells, strict=True)) for cells in rows]


def is_begun_by_column(value: Any) -> bool:
    """Whether the beginning of a JSON value looks like the first column of such a table, index 0, 1, ...

    Args:
        value: As far as it goes.

    Example:
        >>> is_begun_by_column({"name": {"0": "chat", "1": "ch"}})
        True
    """
    column = next(iter(value.values()), None) if isinstance(value, dict) else None
    return isinstance(column, dict) and list(column)[:2] == ["0", "1"]
