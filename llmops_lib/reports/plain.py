"""Text as it may be printed: no terminal codes, no invisible control characters."""

import re

_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    r"""The text without colour and title codes; any other control character is written as an escape.

    Example:
        >>> plain("\x1b[31mred\x1b[0m\x07")
        'red\\x07'
    """
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", _TERMINAL_CODE.sub("", text))
