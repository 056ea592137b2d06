"""Failed runs: one clear line, of the error that the library raised."""

import pytest

from llmops_lib.errors import EmptyPeriodError, LlmopsError, ReportError
from llmops_lib.reports.failures import cell_failure, kernel_failure, stopped_early


def cell(source: str, **papermill: str) -> dict:
    """A code cell with Papermill's notes on it."""
    return {"cell_type": "code", "source": source, "metadata": {"papermill": papermill}}


def test_a_library_error_comes_through_as_itself():
    """Its message already says what to do; the command line prints it and exits with 2."""
    error = cell_failure("load()", "EmptyPeriodError", "week 2026-W46 holds no spans")
    assert type(error) is EmptyPeriodError
    assert str(error) == "week 2026-W46 holds no spans"


@pytest.mark.parametrize("ename", ["KeyError", "LlmopsErro", "Any", "__name__", "object"])
def test_any_other_error_names_its_cell(ename):
    """Only classes of the error tree are taken by name."""
    error = cell_failure("\n\nframe['x']\nmore()", ename, "'x'")
    assert type(error) is ReportError
    assert str(error) == f"""the cell that begins "frame['x']" failed: {ename}: 'x'"""


def test_messages_hold_no_terminal_codes_and_no_keys():
    """They hold text from traces and go to a terminal and a log."""
    key = "hf_" + "Ab1" * 12
    assert (
        str(cell_failure("x", "SourceError", f"\x1b[2J\x1b]0;t\x07bad {key}\a"))
        == "bad [secret removed]\\x07"
    )


def test_a_long_message_is_cut():
    """An error that quotes a prompt must still be one line of a terminal."""
    assert len(str(cell_failure("x", "SourceError", "a" * 10_000))) < 2_100


def test_a_run_that_ended_early_is_an_error():
    """`sys.exit(0)` in a cell would otherwise publish half a report."""
    done, left = cell("a()", status="completed"), cell("b()", status="pending")
    assert "begins 'b()'" in str(stopped_early([done, left]))
    assert stopped_early([done, cell("  "), {"cell_type": "markdown", "source": "x", "metadata": {}}]) is None


def test_a_dead_kernel_names_the_cell_it_died_in():
    """The last cell that was started is where to look."""
    cells = [cell("a()", start_time="1"), cell("b()", start_time="2"), cell("c()")]
    error = kernel_failure(cells, RuntimeError("Kernel died\nand more"))
    assert isinstance(error, LlmopsError)
    assert str(error) == "RuntimeError in the cell that begins 'b()': Kernel died"
    assert str(kernel_failure([], RuntimeError())) == "RuntimeError before the first cell: no reason given"
