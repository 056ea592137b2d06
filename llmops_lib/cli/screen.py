"""What goes to the terminal: plain text, progress only where a person watches."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb]"
)

Advance = Callable[[int, int, str], None]
"""Called with steps done, steps in all (0 while unknown) and what is being done."""


def plain(text: str) -> str:
    r"""Text that cannot steer a terminal: control, direction and separator characters are shown, not obeyed.

    Example:
        >>> plain("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


@contextmanager
def writing(path: Path, *, option: str | None = None) -> Iterator[None]:
    """Makes what keeps a file from being written an error of the command.

    Args:
        path: The file.
        option: Option that named it.

    Raises:
        BadParameter: If the block cannot write the file.
    """
    try:
        yield
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}"
        raise typer.BadParameter(msg, param_hint=option) from error


def write_new(path: Path, text: str) -> None:
    """Writes a file to start from, and never over one that is there.

    Args:
        path: The file.
        text: What stands in it.

    Raises:
        BadParameter: If it is there, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror}); name a file that is not there yet"
        raise typer.BadParameter(msg) from error


def say(text: str) -> None:
    """One line for the reader, on standard output; a line feed in it is shown, and begins no other line."""
    sys.stdout.write(plain(text).replace("\n", "\\n") + "\n")
    # A reader of a pipe must not wait for the next line to see this one.
    sys.stdout.flush()


def say_json(value: dict[str, Any]) -> None:
    """One JSON object for a script, on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")
    sys.stdout.flush()


@contextmanager
def progress(task: str) -> Iterator[Advance]:
    """A progress bar on standard error while a person watches; silence in a pipe.

    Args:
        task: What takes the time.

    Yields:
        A function to call as steps get done.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total, _what: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        shown = bar.add_task(task, total=None)

        def advance(done: int, total: int, what: str) -> None:
            bar.update(shown, completed=done, total=total or None, description=plain(f"{task}: {what}"[:70]))

        yield advance


@contextmanager
def reading_progress(task: str) -> Iterator[Callable[[int, int, int, str], None]]:
    """A progress bar of bytes and rows on standard error while a person watches; silence in a pipe.

    Args:
        task: What takes the time.

    Yields:
        A function to call with bytes read, bytes in all, rows read and the file that is read.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total, _rows, _file: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        DownloadColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        shown = bar.add_task(task, total=None)

        def advance(done: int, total: int, rows: int, file: str) -> None:
            name = plain(file.rpartition("/")[2])[-24:]
            bar.update(
                shown, completed=done, total=total or None, description=f"{task} {rows:,} rows, {name}"
            )

        yield advance
