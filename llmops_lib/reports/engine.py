"""Papermill's engine for reports: executes in a kernel that is already there and tells of every cell."""

import logging
from collections.abc import Callable
from typing import Any

from jupyter_client.manager import KernelManager
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine

_SILENT = logging.Logger("silent", level=logging.CRITICAL + 1)  # noqa: LOG001 - no part of the user's logging


class ReportEngine(Engine):  # type: ignore[misc] # Papermill has no types
    """Executes a notebook in a started kernel and shuts that down."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        kernel: KernelManager,
        cell_timeout_s: int,
        on_cell: Callable[[int], None],
        **_papermill_options: Any,
    ) -> None:
        """Executes the cells of Papermill's notebook manager in order; `on_cell` gets the index of each."""
        client = PapermillNotebookClient(
            nb_man,
            km=kernel,
            kernel_name=kernel_name,
            timeout=cell_timeout_s,
            # What goes wrong is told once, by the error that follows.
            log=_SILENT,
            on_cell_executed=lambda cell_index, **_: on_cell(cell_index),
            # Nothing is left to save, and a polite shutdown takes longer than a small report.
            shutdown_kernel="immediate",
        )
        client.execute(cleanup_kc=True)
