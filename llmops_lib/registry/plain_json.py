"""Plain JSON values, copied and checked."""

import math
from typing import Any


def plain_copy(value: Any, where: str) -> Any:
    """A copy of a value that holds nothing but JSON.

    Args:
        value: Anything.
        where: What it is called, for messages.

    Raises:
        ValueError: If something in it is of another type (a subclass of text too), no finite number, or
            text with half a surrogate pair; the message says where.

    Example:
        >>> plain_copy({"passages": [{"id": "p1"}]}, "inputs")
        {'passages': [{'id': 'p1'}]}
    """
    kind = type(value)
    if kind is dict:
        return {_key(key, where): plain_copy(item, f"{where}.{key}") for key, item in value.items()}
    if kind is list:
        return [plain_copy(item, f"{where}[{number}]") for number, item in enumerate(value)]
    if kind is str and not value.isascii():
        _refuse_surrogates(value, where)
    if kind not in {str, int, float, bool, type(None)} or (kind is float and not math.isfinite(value)):
        found = value if kind is float else f"a {kind.__name__}"
        msg = f"{where}: found {found}, expected JSON: text, a finite number, true, false, null, list or dict"
        raise ValueError(msg)
    return value


def _key(key: Any, where: str) -> str:
    if type(key) is not str:
        msg = f"{where}: found a {type(key).__name__} as a key, expected text"
        raise ValueError(msg)
    _refuse_surrogates(key, where)
    return key


def _refuse_surrogates(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        msg = (
            f"{where}: found half a surrogate pair at character {error.start}, expected text that is Unicode"
        )
        raise ValueError(msg) from error
