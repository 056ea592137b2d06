"""How money, tokens, durations, shares and times are written: the one place that rounds.

Every formatter takes a value or None and gives text; None, which means unknown, is an en dash.
"""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

UNKNOWN = "–"
"""How a missing number is written."""

_GAP = "\N{NO-BREAK SPACE}"

_COMPARED = re.compile(r"_(before|after|change)$")


def usd(value: float | None) -> str:
    """US dollars: cents from one dollar up, two significant digits below, never a false zero.

    Less than half a billionth is what is left over when floats add up, and reads as zero.

    Example:
        >>> usd(1234.5), usd(0.00042), usd(0), usd(None)
        ('$1,234.50', '$0.00042', '$0.00', '–')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    magnitude = abs(value)
    if magnitude < 5e-10:
        return "$0.00"
    sign = "-" if value < 0 else ""
    if magnitude >= 0.0995:
        return f"{sign}${magnitude:,.2f}"
    digits = 1 - math.floor(math.log10(magnitude))
    return f"{sign}${magnitude:.{min(digits, 9)}f}"


def count(value: float | None) -> str:
    """A whole number with thousands separators.

    Example:
        >>> count(12345)
        '12,345'
    """
    return UNKNOWN if value is None or math.isnan(value) else f"{value:,.0f}"


def counted(number: int, word: str) -> str:
    """A number with its word, in the plural where it is not one.

    Example:
        >>> counted(1, "span"), counted(2100, "span")
        ('1 span', '2,100 spans')
    """
    return f"{count(number)} {word if number == 1 else word + 's'}"


def compact(value: float | None) -> str:
    """A large count, shortened to three significant digits.

    Example:
        >>> compact(950), compact(12_345), compact(31_234_567)
        ('950', '12.3k', '31.2M')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    for size, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        # A value that would round up to 1,000 of one unit is one of the next.
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{suffix}"
    return f"{value:,.0f}"


def duration(value_ms: float | None) -> str:
    r"""A duration given in milliseconds, in the unit a reader would use.

    Example:
        >>> [duration(value).replace("\N{NO-BREAK SPACE}", " ") for value in (87.4, 1843, 95_000, None)]
        ['87 ms', '1.84 s', '95.0 s', '–']
    """
    if value_ms is None or math.isnan(value_ms):
        return UNKNOWN
    if abs(value_ms) < 1000:
        return f"{value_ms:.0f}{_GAP}ms" if abs(value_ms) >= 10 else f"{value_ms:.1f}{_GAP}ms"
    seconds = value_ms / 1000
    return f"{seconds:.2f}{_GAP}s" if seconds < 10 else f"{seconds:,.1f}{_GAP}s"


def share(value: float | None) -> str:
    """A share of 0 to 1 as percent; a share that is not zero never reads as 0%.

    Example:
        >>> share(0.1234), share(0.00001), share(0), share(1)
        ('12.3%', '<0.01%', '0%', '100%')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    percent = value * 100
    if percent in {0, 100}:
        return f"{percent:.0f}%"
    if abs(percent) < 0.01:
        return "<0.01%"
    return f"{percent:.1f}%" if abs(percent) >= 1 else f"{percent:.2f}%"


def change(value: float | None) -> str:
    """A relative change as signed percent.

    Example:
        >>> change(0.12), change(-0.034), change(0), change(21.5)
        ('+12%', '-3.4%', '±0%', '×22')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    if value >= 10:
        return f"×{value + 1:.0f}"
    percent = value * 100
    if abs(percent) < 0.05:
        return "±0%"
    return f"{percent:+.0f}%" if abs(percent) >= 10 else f"{percent:+.1f}%"


def moment(value: datetime | None) -> str:
    """A UTC time to the second.

    Example:
        >>> from datetime import UTC
        >>> moment(datetime(2026, 11, 12, 14, 3, 9, tzinfo=UTC))
        '2026-11-12 14:03:09'
    """
    return UNKNOWN if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def text(value: Any) -> str:
    """Text as it is, flags as yes or no, unknown as a dash.

    Example:
        >>> text("gpt-4o"), text(True), text(None)
        ('gpt-4o', 'yes', '–')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return UNKNOWN if value is None else str(value)


def rate(value: float | None) -> str:
    """A number per unit of time, to two significant digits below ten.

    Example:
        >>> rate(0.0123), rate(4.56), rate(123.4), rate(0.00002)
        ('0.012', '4.6', '123', '<0.001')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    if 0 < abs(value) < 0.001:
        return "<0.001"
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


def index(value: float | None) -> str:
    """A number between 0 and 1 that is no share, to two decimals.

    Example:
        >>> index(0.4123), index(None)
        ('0.41', '–')
    """
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.2f}"


def formatter(column: str) -> tuple[Callable[[Any], str], bool]:
    """How the values of a column are written, and whether they are numbers to align right.

    The unit in the column's name decides, so a table cannot show milliseconds as dollars.

    Args:
        column: Column name with its unit, such as `spend_usd` or `latency_p95_ms`.

    Returns:
        The formatter and True for numbers.
    """
    endings: tuple[tuple[str, Callable[[Any], str]], ...] = (
        ("_change_share", change),
        ("_share", share),
        ("_share_of_errors", share),
        ("_share_low", share),
        ("_share_high", share),
        ("_ms", duration),
        ("_count", count),
        ("_per_hour", rate),
        ("_per_second", rate),
        ("_tokens", compact),
        ("_per_call", compact),
        ("_rank", count),
        ("gini", index),
        ("herfindahl", index),
    )
    quantity = column if column.endswith("_change_share") else _COMPARED.sub("", column)
    if quantity.endswith("_usd"):
        return usd, True
    for ending, write in endings:
        if quantity.endswith(ending):
            return write, True
    return (moment, False) if column.endswith("_at") else (text, False)
