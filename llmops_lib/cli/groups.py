"""Groups of commands, whose lists of commands say each sentence to its end."""

from typing import Any

import typer
from typer.core import TyperGroup


class WholeLines(TyperGroup):
    """A group that wraps what it says of its commands; click would cut it off at the end of the line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes the list of commands."""
        names = self.list_commands(ctx)
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.commands[name].get_short_help_str(limit=1000)) for name in names])


def group(text: str, **settings: Any) -> typer.Typer:
    """A group of commands; without one of them it shows its help.

    Args:
        text: What the group is for.
        settings: Others of `typer.Typer`.
    """
    made = typer.Typer(cls=WholeLines, no_args_is_help=True, rich_markup_mode=None, help=text, **settings)
    # With a callback a group of one command stays a group.
    made.callback()(_nothing)
    return made


def _nothing() -> None:
    pass
