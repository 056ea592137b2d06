"""The class of the exception in a Python traceback, where a source keeps only its text."""

import re

_CLASS = re.compile(r"(?:\w+\.)*([A-Z]\w*)(?::(?:\s.*)?)?")
_NAMED = re.compile(r"(?:\w+\.)*([A-Z]\w*(?:Error|Exception|Timeout|Exit|Interrupt))\b(?:[:(].*)?")
_FRAME = '  File "'


def error_class_of(text: str) -> str | None:
    r"""The class of the exception that a traceback or the first line of a message names, or None.

    Args:
        text: A traceback, or an exception as text.

    Example:
        >>> error_class_of("Traceback (most recent call last):\n  File \"a.py\"\nopenai.RateLimitError: 429")
        'RateLimitError'
        >>> error_class_of("Nothing went right") is None
        True
    """
    lines = text.splitlines() or [""]
    frames = [number for number, line in enumerate(lines) if line.startswith(_FRAME)]
    if not frames:
        named = _NAMED.fullmatch(lines[0])
        return named[1] if named else None
    # The message may go on over more lines, so the first line after the last frame counts.
    ends = (line for line in lines[frames[-1] + 1 :] if line and not line[0].isspace())
    found = _CLASS.fullmatch(next(ends, ""))
    return found[1] if found else None
