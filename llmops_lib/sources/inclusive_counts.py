"""Counts of one call that prove to lie beside each other, put inside one another as SPANS has them."""

import re
from collections.abc import Mapping
from typing import Any

from llmops_lib.schema import MADE_INCLUSIVE, TOKEN_CONVENTION

_WHOLE = re.compile(r"([0-9]{1,19})(?:\.0*)?")

REASONING_ADDED = "reasoning beside output, made inclusive"
"""Value of `TOKEN_CONVENTION` where the reasoning was added to the output."""


def made_inclusive(counts: Mapping[str, Any], total: Any = None) -> tuple[dict[str, Any], dict[str, str]]:
    """The counts with cache inside the input and reasoning inside the output, and a note if that took adding.

    A part is larger than what should contain it, or the stated total contains both: nothing else proves it.

    Args:
        counts: Token columns of SPANS.
        total: What the source states as the total.

    Example:
        >>> made_inclusive({"input_tokens": 9, "cache_read_tokens": 1905, "output_tokens": 20})[0]
        {'input_tokens': 1914, 'cache_read_tokens': 1905, 'output_tokens': 20}
    """
    given, answer = (whole_number(counts.get(name)) for name in ("input_tokens", "output_tokens"))
    cached = sum(whole_number(counts.get(name)) or 0 for name in ("cache_read_tokens", "cache_write_tokens"))
    thought = whole_number(counts.get("reasoning_tokens")) or 0
    stated = whole_number(total)
    if given is not None and given >= 0 and is_beside(given, cached, answer or 0, stated):
        return {**counts, "input_tokens": given + cached}, {TOKEN_CONVENTION: MADE_INCLUSIVE}
    if answer is not None and answer >= 0 and is_beside(answer, thought, given or 0, stated):
        return {**counts, "output_tokens": answer + thought}, {TOKEN_CONVENTION: REASONING_ADDED}
    return {**counts}, {}


def is_beside(whole: int, part: int, other: int, total: int | None) -> bool:
    """Whether a part proves to be beside the whole and not in it.

    Args:
        whole: Input or output.
        part: Cache or reasoning.
        other: The other side of the call.
        total: What the source states as the total.

    Example:
        >>> is_beside(9, 1905, 20, None), is_beside(100, 64, 20, 184), is_beside(100, 64, 20, 120)
        (True, True, False)
    """
    return part > 0 and (part > whole or total == whole + part + other)


def whole_number(value: Any) -> int | None:
    """The whole number that a count is, also as a float or as text; None for anything else.

    Args:
        value: A count.

    Example:
        >>> whole_number("12.0"), whole_number(12.0), whole_number(1.5), whole_number(True)
        (12, 12, None, None)
    """
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    found = _WHOLE.fullmatch(value) if isinstance(value, str) else None
    return int(found[1]) if found else None
