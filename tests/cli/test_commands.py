"""The command line: one clear line and exit code 2 for bad input, JSON for scripts, silence in pipes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

ROW = {
    "started_at": "2026-11-09T10:00:00Z",
    "model": "gpt-4o",
    "provider": "openai",
    "input_tokens": 1000,
    "output_tokens": 100,
    "latency_ms": 800.0,
}


@pytest.fixture
def export(tmp_path) -> Path:
    """An export of two calls in week 2026-W46."""
    path = tmp_path / "calls.jsonl"
    pl.DataFrame([ROW, ROW | {"started_at": "2026-11-10T10:00:00Z"}]).write_ndjson(path)
    return path


def refusal(outcome):
    """The one message of a refused command."""
    code, out, err = outcome
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("error: ") == 1
    assert "Traceback" not in err
    return err


def test_a_path_that_does_not_exist_is_named(run, tmp_path):
    """The commonest mistake of all."""
    assert "missing.jsonl" in refusal(
        run("report", "weekly", tmp_path / "missing.jsonl", "--output", tmp_path)
    )


def test_a_command_that_is_stopped_says_so(run, tmp_path):
    """Ctrl-C at any moment, here while a file of the user runs: no traceback, and the usual exit code."""
    stopping = tmp_path / "tools.py"
    stopping.write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    assert run("prompts", "tools", stopping) == (130, "", "stopped\n")


def test_an_empty_name_of_a_source_is_not_taken_for_the_synthetic_export(run, tmp_path):
    """An unset variable of the shell must not end in a report of data that nobody has."""
    code, _, err = run("report", "weekly", "", "--output", tmp_path)
    assert code == 2
    assert "source is empty" in err


@pytest.mark.parametrize("option", ["--prices", "--columns"])
def test_a_file_beside_the_export_that_does_not_exist_is_named(run, export, tmp_path, option):
    """At once, and not when a kernel has started."""
    message = refusal(run("report", "weekly", export, option, tmp_path / "gone.yaml", "--output", tmp_path))
    assert "gone.yaml" in message
    assert "notebook" not in message


def test_an_empty_file_is_called_empty(run, tmp_path):
    """An export that failed leaves one."""
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert "empty" in refusal(run("ingest", empty, "--store", tmp_path / "store"))


def test_an_unknown_format_says_what_was_looked_for(run, tmp_path):
    """The reader learns which formats there are and that a mapping would do."""
    path = tmp_path / "notes.txt"
    path.write_text("hello\nworld\n", encoding="utf-8")
    message = refusal(run("ingest", path, "--store", tmp_path / "store"))
    assert all(word in message for word in ("resourceSpans", "Langfuse", "Phoenix", "column mapping"))


def test_an_unknown_dimension_lists_the_known_ones(run, export, tmp_path):
    """A typo should answer itself."""
    assert "tenant" in refusal(run("report", "weekly", export, "--by", "tenat", "--output", tmp_path))


def test_a_week_without_calls_lists_those_with_some(run, export, tmp_path):
    """The week before is one digit away."""
    message = refusal(run("report", "weekly", export, "--week", "2026-W40", "--output", tmp_path))
    assert "2026-W46" in message


def test_a_name_that_is_no_week_is_refused(run, export, tmp_path):
    """The expected form stands in the message."""
    assert "2026-W46" in refusal(run("report", "weekly", export, "--week", "2026-46", "--output", tmp_path))


def test_output_that_cannot_be_written_is_named(run, export, tmp_path):
    """A file stands where the folder should be."""
    blocked = tmp_path / "blocked"
    blocked.touch()
    assert "blocked" in refusal(run("report", "weekly", export, "--output", blocked))


def test_a_store_that_cannot_be_written_is_named(run, export, tmp_path):
    """As with reports."""
    blocked = tmp_path / "blocked"
    blocked.touch()
    assert "blocked" in refusal(run("ingest", export, "--store", blocked))


def test_an_unknown_option_is_a_usage_error(run, export):
    """The parser lists what there is."""
    code, _, err = run("report", "weekly", export, "--weekly")
    assert code == 2
    assert "--weekly" in err


def test_a_report_is_written_from_an_export_and_from_a_store(run, export, tmp_path):
    """The same calls give the same figures, whichever way they come."""
    assert run("ingest", export, "--store", tmp_path / "store")[0] == 0
    figures = []
    for source in (export, tmp_path / "store"):
        code, out, err = run("report", "weekly", source, "--output", tmp_path / source.stem, "--json")
        assert (code, err) == (0, "")
        figures.append(json.loads(out)["figures"])
    assert figures[0] == figures[1]
    assert figures[0]["call_count"] == 2
    assert figures[0]["spend_usd"] == pytest.approx(2 * (1000 * 2.5 + 100 * 10) / 1e6)


def test_a_month_without_calls_lists_those_with_some(run, export, tmp_path):
    """As with weeks."""
    message = refusal(run("report", "spenders", export, "--month", "2026-10", "--output", tmp_path))
    assert "2026-11" in message


def test_a_name_that_is_no_month_is_refused(run, export, tmp_path):
    """A week is a likely slip."""
    message = refusal(run("report", "spenders", export, "--month", "2026-W46", "--output", tmp_path))
    assert "such as '2026-11'" in message


def test_the_review_of_spenders_is_written_from_a_store(run, export, tmp_path):
    """One month alone works, and a store gives the figures of its export."""
    assert run("ingest", export, "--store", tmp_path / "store")[0] == 0
    arguments = ("--month", "2026-11", "--top", "3", "--output", tmp_path, "--json")
    code, out, err = run("report", "spenders", tmp_path / "store", *arguments)
    assert (code, err) == (0, "")
    figures = json.loads(out)["figures"]
    assert figures["call_count"] == 2
    assert figures["spend_usd"] == pytest.approx(2 * (1000 * 2.5 + 100 * 10) / 1e6)


def test_ingesting_twice_is_said_to_change_nothing(run, export, tmp_path):
    """A script must be able to tell."""
    first = json.loads(run("ingest", export, "--store", tmp_path / "store", "--json")[1])
    again = json.loads(run("ingest", export, "--store", tmp_path / "store", "--json")[1])
    assert (first["span_count_added"], again["span_count_added"]) == (2, 0)


def test_a_demo_that_cannot_be_written_is_named(run, tmp_path):
    """As with reports and stores."""
    blocked = tmp_path / "blocked"
    blocked.touch()
    assert "blocked" in refusal(run("demo", blocked / "demo.jsonl"))


def test_progress_is_shown_on_a_terminal(run, export, tmp_path, monkeypatch):
    """A long ingest without a sign of life looks hung."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    for arguments in (
        ("demo", tmp_path / "demo.jsonl", "--weeks", "2"),
        ("ingest", export, "--store", tmp_path / "s"),
    ):
        code, _, err = run(*arguments)
        assert code == 0
        assert "━" in err


def test_progress_is_silent_in_a_pipe(run, export, tmp_path):
    """What a script reads must hold nothing but the outcome."""
    assert run("ingest", export, "--store", tmp_path / "s")[2] == ""


def test_the_demo_says_what_it_wrote(run, tmp_path):
    """The next command stands in its output."""
    path = tmp_path / "new" / "demo.jsonl"
    code, out, err = run("demo", path, "--weeks", "2", "--calls-per-week", "200")
    assert (code, err) == (0, "")
    assert f"llmops report weekly {path}" in out


def test_the_demo_of_a_regression_says_how_to_read_its_postmortem(run, tmp_path):
    """An incident that nobody is told of is one that nobody looks at."""
    path = tmp_path / "demo.jsonl"
    code, out, _ = run("demo", path, "--weeks", "2", "--calls-per-week", "200", "--regression")
    assert code == 0
    assert f"llmops report postmortem {path} --around 2026-11-11T10:00Z" in out
    assert "both change the prompt" in refusal(run("demo", path, "--regression", "--experiment"))


def test_the_installed_command_answers(tmp_path):
    """The entry point of the package is what users type."""
    command = Path(sys.executable).with_name("llmops")
    shown = subprocess.run(
        [command, "report", "weekly", "--help"], capture_output=True, text=True, check=True
    )
    assert "--week" in shown.stdout
    gone = subprocess.run(
        [command, "ingest", tmp_path / "no", "--store", tmp_path / "s"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert gone.returncode == 2
    assert gone.stderr.startswith("error: ")


def test_a_terminal_of_another_encoding_sees_the_number_of_a_character_that_it_lacks(export):
    """A figure of tokens holds an arrow; an ASCII terminal must not be answered with a traceback."""
    command = Path(sys.executable).with_name("llmops")
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    found = subprocess.run(
        [command, "search", export], capture_output=True, text=True, check=True, env=ascii_only
    )
    assert "\\u2192" in found.stdout
    assert found.stderr == ""


def test_control_characters_in_a_message_are_shown_not_obeyed(run, tmp_path):
    """A file name can hold a terminal escape."""
    message = refusal(run("ingest", tmp_path / "a\x1b[2Jb", "--store", tmp_path / "s"))
    assert "\x1b" not in message
    assert "\\x1b" in message


def test_an_ingest_says_what_speaks_against_completeness(run, tmp_path):
    """A pull that stopped halfway is found when it is stored, not when its week is reported."""
    span = {
        "name": "x",
        "context": {"trace_id": "t1", "span_id": "s1"},
        "parent_id": "gone",
        "span_kind": "LLM",
        "start_time": "2026-11-09T10:00:00Z",
        "attributes": {},
    }
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"data": [span], "next_cursor": "more"}), encoding="utf-8")
    _, out, _ = run("ingest", page, "--store", tmp_path / "store")
    said = f"broken: more_pages in {page}: the last page announces another one: fetch the rest"
    assert said in out.splitlines()
    checks = json.loads(run("ingest", page, "--store", tmp_path / "store", "--json")[1])["completeness"]
    assert {check["check"]: check["status"] for check in checks}["orphan_spans"] == "suspect"
