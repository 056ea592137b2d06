"""Figures of bills: counts and decimal amounts, checked one by one."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from llmops_lib.sources.refusals import Refused

_LARGEST = 2**53


def count(row: Mapping[str, Any], name: str) -> float | None:
    """The count of that name, or None where it is absent or null.

    A negative count is kept: `reconcile` names it, and a repair would hide it.

    Raises:
        Refused: If it is no finite number.

    Example:
        >>> count({"input_tokens": 120}, "input_tokens"), count({"input_tokens": None}, "input_tokens")
        (120.0, None)
    """
    value = row.get(name)
    if value is None:
        return None
    amount = decimal(value, name)
    if abs(amount) > _LARGEST:
        raise Refused(reason="range", detail=f"{name} is {str(value)[:40]}")
    return float(amount)


def decimal(value: Any, name: str) -> Decimal:
    """A number, or the text of one, without the rounding of a float.

    Args:
        value: Number or text.
        name: What it is, for the message.

    Raises:
        Refused: If it is no finite number.

    Example:
        >>> decimal("123.78912", "amount") / 100
        Decimal('1.2378912')
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refused(reason="type", detail=f"{name} is a {type(value).__name__}, expected a number")
    try:
        number = Decimal(str(value)[:400])
    except InvalidOperation:
        raise Refused(reason="type", detail=f"{name} is {value!r:.60}, expected a number") from None
    if not number.is_finite():
        raise Refused(reason="nonfinite", detail=name)
    return number


def text(row: Mapping[str, Any], name: str) -> str | None:
    """The text of that name, or None where it is absent, null or empty.

    Raises:
        Refused: If it is no text.
    """
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(reason="type", detail=f"{name} is a {type(value).__name__}, expected text")
    return value or None


def in_dollars(currency: Any) -> None:
    """Nothing, once the currency is known to be the US dollar.

    Raises:
        Refused: If it is another one, because a rate of exchange would be a guess.
    """
    if not isinstance(currency, str) or currency.lower() != "usd":
        raise Refused(reason="range", detail=f"currency is {currency!r:.20}, expected USD")
