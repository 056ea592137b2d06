"""Names of prompts, tools and suites, which become file names and so must be harmless ones."""

import re

from llmops_lib.errors import LlmopsError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))]
)
"""Windows opens a device under these names, whatever the ending."""


def checked_name(name: str, what: str, error: type[LlmopsError]) -> str:
    """The name itself, once it is known to be harmless as a file name on every system.

    Args:
        name: What somebody calls a prompt, a tool or a suite.
        what: Which of them, for the message.
        error: What to raise.

    Raises:
        LlmopsError: Of the class given, if the name is anything else.

    Example:
        >>> checked_name("support_answer", "prompt", LlmopsError)
        'support_answer'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _DEVICES:
        msg = (
            f"{what} name {str(name)[:80]!r}: expected 1 to 64 lower-case letters, digits, `_` and `-`, a "
            "letter or digit first, and no name of a Windows device"
        )
        raise error(msg)
    return name
