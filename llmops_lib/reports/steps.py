"""How far a report has come: its cells, and the export that the kernel is reading."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmops_lib.reports.outputs import heading_of
from llmops_lib.sources.reading_note import reading_told

Progress = Callable[[int, int, str], None]
"""Called with cells done, cells in all, and the heading they stand under or how much of an export is read."""

_LOOK_EVERY_S = 0.3


class Steps:
    """Counts the cells of a notebook as they are executed, and looks what is read meanwhile.

    Args:
        cells: Cells of the notebook.
        is_injected: Whether a cell with parameters is put in.
        on_progress: Whom to tell; nobody where None.
    """

    def __init__(self, cells: list[Any], *, is_injected: bool, on_progress: Progress | None) -> None:
        sources = [cell["source"].strip() for cell in cells if cell["cell_type"] == "code"]
        self._total = len([source for source in sources if source]) + is_injected
        self._headings = [heading_of(cell) for cell in cells]
        self._is_injected = is_injected
        self._on_progress = on_progress
        self._count = itertools.count(1)
        self._done = 0

    def cell(self, index: int) -> None:
        """Takes note of an executed cell."""
        if self._on_progress is None:
            return
        # Papermill put the injected cell before this one.
        above = [heading for heading in self._headings[: index + 1 - self._is_injected] if heading]
        self._done = next(self._count)
        self._on_progress(self._done, self._total, above[-1] if above else "")

    @contextmanager
    def watching(self, note: Path) -> Iterator[None]:
        """Tells what the kernel writes about the export that it reads, while it does.

        Args:
            note: File that it writes.
        """
        ended = threading.Event()

        def watch() -> None:
            last = None
            while not ended.wait(_LOOK_EVERY_S):
                told = reading_told(note)
                if told is not None and told != last and self._on_progress is not None:
                    self._on_progress(self._done, self._total, _read_so_far(*told))
                last = told

        watcher = threading.Thread(target=watch, daemon=True)
        if self._on_progress is not None:
            watcher.start()
        try:
            yield
        finally:
            ended.set()
            if watcher.is_alive():
                watcher.join()


def _read_so_far(done: int, total: int, rows: int, file: str) -> str:
    return f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB read, {rows:,} rows, {file}"
