"""Names of prompts, tools, suites and runs, which become file names and so must be harmless ones."""

import re

from llmops_lib.errors import LlmopsError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RUN_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9_-])?")
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


def checked_run_id(run_id: str, error: type[LlmopsError]) -> str:
    """The run id itself, once it is known to be harmless as the name of a folder on every system.

    Args:
        run_id: What somebody calls a run of evals or a rerun.
        error: What to raise.

    Raises:
        LlmopsError: Of the class given, if the run id is anything else.

    Example:
        >>> checked_run_id("support_quality-answer-5af1-20261102T100000", LlmopsError)
        'support_quality-answer-5af1-20261102T100000'
    """
    is_plain = isinstance(run_id, str) and _RUN_ID.fullmatch(run_id)
    if not is_plain or run_id.partition(".")[0].lower() in _DEVICES:
        msg = (
            f"run id {str(run_id)[:80]!r}: expected 1 to 200 letters without accents, digits, `.`, `_` and "
            "`-`, a letter or digit first, no `.` last, and no name of a Windows device; give another run_id"
        )
        raise error(msg)
    return run_id
