"""Runs a report notebook through Papermill, in a kernel of its own."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_lib.errors import LlmopsError
from llmops_lib.reports.failures import cell_failure, kernel_failure, stopped_early
from llmops_lib.reports.steps import Progress, Steps

CELL_TIMEOUT_S = 600
"""Longest that one cell may run."""

_ENGINE = "llmops-report"


@dataclass(frozen=True)
class Execution:
    """A notebook after its run, and why the run failed if it did.

    Attributes:
        notebook: The notebook with its outputs, as far as it came; notebook format 4.
        error: None after a complete run.
    """

    notebook: dict[str, Any]
    error: LlmopsError | None


def execute(
    notebook: Path,
    parameters: Mapping[str, Any],
    *,
    cell_timeout_s: int = CELL_TIMEOUT_S,
    on_progress: Progress | None = None,
) -> Execution:
    """The notebook after its cells ran with the given parameters, in the folder of the caller.

    Args:
        notebook: Path of the notebook; it is not changed.
        parameters: Checked values for its `parameters` cell.
        cell_timeout_s: Longest that one cell may run.
        on_progress: Called after each cell, and while an export is read.

    Returns:
        The executed notebook; a cell that raised, an early exit, a dead kernel and a cell over the time
        limit are told in `error`.
    """
    from llmops_lib.reports.kernel import READING, report_kernel  # noqa: PLC0415 - imports the Jupyter client

    # The kernel starts while Papermill is imported: each takes a second or more.
    with report_kernel() as (kernel, folder), _quiet_papermill():
        import nbformat  # noqa: PLC0415 - slow to import

        node = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
        steps = Steps(node["cells"], is_injected=bool(parameters), on_progress=on_progress)
        options = {
            "kernel": kernel,
            "cell_timeout_s": cell_timeout_s,
            "on_cell": steps.cell,
        }
        with steps.watching(folder / READING):
            raised = _papermill(node, folder / "executed.ipynb", dict(parameters), options)
        ran = folder / "executed.ipynb"
        executed = nbformat.read(ran, as_version=4)  # type: ignore[no-untyped-call]
    return Execution(executed, _told(raised, executed["cells"]))


def _papermill(
    node: Any, target: Path, parameters: dict[str, Any], options: dict[str, Any]
) -> Exception | None:
    import papermill  # noqa: PLC0415 - slow to import
    from papermill.engines import papermill_engines  # noqa: PLC0415 - slow to import

    from llmops_lib.reports.engine import ReportEngine  # noqa: PLC0415 - imports Papermill

    papermill_engines.register(_ENGINE, ReportEngine)
    try:
        papermill.execute_notebook(
            # Papermill fills braces in a path with parameters, so it gets the notebook itself.
            node,
            target,
            parameters=parameters,
            engine_name=_ENGINE,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            **options,
        )
    # A dead kernel is a RuntimeError, a cell over the limit a TimeoutError.
    except (papermill.PapermillExecutionError, RuntimeError, TimeoutError) as error:
        return error
    return None


def _told(raised: Any, cells: list[Any]) -> LlmopsError | None:
    if raised is None:
        return stopped_early(cells)
    if hasattr(raised, "evalue"):
        return cell_failure(raised.source, raised.ename, raised.evalue)
    return kernel_failure(cells, raised)


@contextmanager
def _quiet_papermill() -> Iterator[None]:
    # It logs a warning for every parameter whose annotation its own pattern does not see.
    logger = logging.getLogger("papermill")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled
