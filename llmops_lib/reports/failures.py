"""One clear line for each way in which a report notebook can fail."""

from collections.abc import Mapping
from typing import Any

from llmops_lib import errors
from llmops_lib.reports.plain import plain
from llmops_lib.reports.secrets import without_secrets

_LONGEST = 2_000


def cell_failure(source: str, ename: str, evalue: str) -> errors.LlmopsError:
    """What a cell raised: a library error as itself, any other as a ReportError that names the cell.

    Args:
        source: Code of the cell that raised.
        ename: Class name of the exception in the kernel.
        evalue: Its message, which may hold text from traces.
    """
    message = _printable(evalue)
    kind = getattr(errors, ename, None)
    if isinstance(kind, type) and issubclass(kind, errors.LlmopsError):
        return kind(message)
    return errors.ReportError(f"the cell that begins {first_line(source)!r} failed: {ename}: {message}")


def stopped_early(cells: list[Mapping[str, Any]]) -> errors.LlmopsError | None:
    """An error if some code cell was never executed although no error was shown, else None."""
    for cell in cells:
        if cell["cell_type"] == "code" and first_line(cell["source"]) and _status(cell) != "completed":
            return errors.ReportError(f"the run ended at the cell that begins {first_line(cell['source'])!r}")
    return None


def kernel_failure(cells: list[Mapping[str, Any]], error: Exception) -> errors.LlmopsError:
    """The error for a kernel that did not start, died, or ran into the time limit.

    Args:
        cells: Cells of the notebook as it stopped.
        error: What Papermill or the kernel client raised.
    """
    started = [cell for cell in cells if cell["metadata"].get("papermill", {}).get("start_time")]
    where = (
        f"in the cell that begins {first_line(started[-1]['source'])!r}"
        if started
        else "before the first cell"
    )
    reason = _printable(str(error)).splitlines()
    return errors.ReportError(f"{type(error).__name__} {where}: {reason[0] if reason else 'no reason given'}")


def first_line(source: str) -> str:
    """The first line of a cell's code, by which a reader finds it; empty where there is none."""
    lines = source.strip().splitlines()
    return _printable(lines[0][:80]) if lines else ""


def _status(cell: Mapping[str, Any]) -> str | None:
    status: str | None = cell["metadata"].get("papermill", {}).get("status")
    return status


def _printable(text: str) -> str:
    safe = without_secrets(plain(text))
    return safe if len(safe) <= _LONGEST else safe[:_LONGEST] + " ..."
