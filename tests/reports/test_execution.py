"""Running a notebook: in this interpreter, cut off from the caller's folder and profile, never for ever."""

import json
import logging
import re
import sys
import tempfile

import pytest

from llmops_lib.demo import write_demo
from llmops_lib.errors import EmptyPeriodError, ReportError
from llmops_lib.reports.execution import execute


def printed(notebook: dict) -> str:
    """What the last cell wrote to standard output."""
    return "".join(
        output["text"] for output in notebook["cells"][-1]["outputs"] if output.get("name") == "stdout"
    )


READ = re.compile(r"(\d+) of \1 MB read, [1-9][\d,]* rows, export\.jsonl")


def test_what_is_read_of_an_export_is_told_while_it_is_read(write_notebook, tmp_path):
    """The one cell that reads an export may take minutes, in a process of its own."""
    write_demo(tmp_path / "export.jsonl", weeks=1, calls_per_week=60)
    export, told_all = tmp_path / "export.jsonl", tmp_path / "told all"
    code = "from llmops_lib import open_source\nimport pathlib, time\n"
    code += f"height = open_source({str(export)!r}).spans.collect().height\n"
    # The cell stays until what it wrote last was told, however busy the machine is.
    code += f"while not pathlib.Path({str(told_all)!r}).exists():\n    time.sleep(0.05)"
    seen = []

    def tell(*step):
        seen.append(step)
        if READ.fullmatch(step[2]):
            told_all.touch()

    run = execute(write_notebook(code), {}, cell_timeout_s=300, on_progress=tell)
    assert run.error is None
    told = [step for step in seen if "MB read" in step[2]]
    assert READ.fullmatch(told[-1][2])
    assert [step[:2] for step in seen if step not in told][-1][0] > told[-1][0]


def test_a_notebook_runs_in_this_interpreter_and_nothing_else(write_notebook, tmp_path, monkeypatch):
    """Not in whatever `python3` kernel is installed, and not with modules from the caller's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": ["/bin/false"], "display_name": "x", "language": "x"})
    )
    (tmp_path / "polars.py").write_text("raise RuntimeError('shadowed')")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("week = 'from the start-up script'; extra = 1")
    code = (
        "import json, os, sys, polars\nprint(json.dumps([sys.executable, os.getcwd(), week, extra_is_there]))"
    )
    code = code.replace("extra_is_there", "'extra' in globals()")
    seen = []
    run = execute(
        write_notebook("## Section", code), {"week": "it's"}, on_progress=lambda *step: seen.append(step)
    )
    assert run.error is None
    assert json.loads(printed(run.notebook)) == [sys.executable, str(tmp_path), "it's", False]
    assert seen == [(1, 3, "What broke"), (2, 3, "What broke"), (3, 3, "Section")]


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (
            "from llmops_lib.errors import EmptyPeriodError\nraise EmptyPeriodError('week holds no spans')",
            EmptyPeriodError,
            "week holds no spans",
        ),
        ("{}['x']", ReportError, """the cell that begins "{}['x']" failed: KeyError: 'x'"""),
        (
            "import sys; sys.exit(0)",
            ReportError,
            "the run ended at the cell that begins 'import sys; sys.exit(0)'",
        ),
        (
            "import os; os._exit(3)",
            ReportError,
            "DeadKernelError in the cell that begins 'import os; os._exit(3)'",
        ),
    ],
    ids=["library error", "other error", "early exit", "dead kernel"],
)
def test_a_failed_run_says_why_in_one_line(code, kind, message, write_notebook):
    """A wall of traceback helps neither the reader nor a script."""
    run = execute(write_notebook(code, "print('later')"), {}, cell_timeout_s=300)
    assert type(run.error) is kind
    assert str(run.error).startswith(message)
    assert "\n" not in str(run.error)
    assert printed(run.notebook) == ""


def test_a_run_over_its_time_says_so_and_writes_no_log_and_nothing_to_the_terminal(
    write_notebook, caplog, capfd
):
    """Papermill logs unknown annotations and the kernel client logs time limits; neither is news."""
    caplog.set_level(0)
    notebook = write_notebook("import time; time.sleep(600)", parameters="week: str | None = None")
    run = execute(notebook, {"week": "2026-W46"}, cell_timeout_s=5)
    assert type(run.error) is ReportError
    assert str(run.error).startswith("CellTimeoutError in the cell that begins 'import time;")
    assert "\n" not in str(run.error)
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


def test_a_long_temporary_folder_does_not_stop_a_run(write_notebook, tmp_path, monkeypatch):
    """The path of a Unix socket may be a hundred characters, that of a folder thousands."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert execute(write_notebook("1"), {}).error is None
    assert list(long.iterdir()) == []


def test_a_progress_callback_that_fails_is_not_taken_for_a_failing_cell(write_notebook):
    """The error of the caller belongs to the caller."""

    def stop(*_step):
        message = "enough"
        raise ArithmeticError(message)

    with pytest.raises(ArithmeticError, match="enough"):
        execute(write_notebook("1"), {}, on_progress=stop)
