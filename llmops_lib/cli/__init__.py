"""The `llmops` command.

Exit codes: 0 done, 1 the check says no, 2 bad usage or input, 130 stopped by Ctrl-C.
"""

import sys
from io import TextIOWrapper

from llmops_lib.cli.app import app
from llmops_lib.cli.screen import plain
from llmops_lib.errors import LlmopsError

__all__ = ["app", "main"]


_STOPPED = 130
"""Exit code of a command that Ctrl-C stopped."""


def main() -> None:
    """Run the command line; a library error is its message on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding shows a character that it lacks as its number.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except (KeyboardInterrupt, SystemExit) as ended:
        # typer makes an exit code of Ctrl-C, and says nothing.
        if isinstance(ended, SystemExit) and ended.code != _STOPPED:
            raise
        sys.stderr.write("stopped\n")
        sys.exit(_STOPPED)
    except LlmopsError as error:
        notes = getattr(error, "__notes__", ())
        sys.stderr.write("".join(f"{plain(line)}\n" for line in (f"error: {error}", *notes)))
        sys.exit(2)
