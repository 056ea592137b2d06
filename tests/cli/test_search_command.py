"""`llmops search`: the same conditions, masked text, trees that fit the terminal, nothing that steers it."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

START = datetime(2026, 11, 9, 10, tzinfo=UTC)


def write_trace(path, count=3, **columns):
    """A trace of that many spans, each the child of the one before."""
    rows = {
        "trace_id": ["t1"] * count,
        "span_id": [f"s{place}" for place in range(count)],
        "parent_span_id": [None, *(f"s{place}" for place in range(count - 1))],
        "started_at": [(START + timedelta(seconds=place)).isoformat() for place in range(count)],
        "name": [f"step {place}" for place in range(count)],
        "operation": ["chat"] * count,
        "model": ["gpt-4o"] * count,
        "provider": ["openai"] * count,
        "input_tokens": [1000] * count,
        "output_tokens": [100] * count,
        "latency_ms": [800.0] * count,
        "user_id": ["ann@example.com"] * count,
        **columns,
    }
    pl.DataFrame(rows, schema_overrides={"parent_span_id": pl.String}).write_ndjson(path)
    return path


def test_found_spans_are_listed_masked_with_where_to_find_them(run, tmp_path):
    """Someone pastes this into a ticket."""
    code, out, _ = run("search", write_trace(tmp_path / "calls.jsonl"), "--user", "ann@example.com")
    assert code == 0
    assert "trace t1 span s2" in out
    assert "3 spans of 1 trace" in out
    assert "ann@example.com" not in out


def test_rows_that_could_not_be_read_are_told_of_beside_what_was_found(run, tmp_path):
    """What is looked for may be in one of them."""
    path = write_trace(tmp_path / "calls.jsonl")
    with path.open("a") as stream:
        stream.write('{"trace_id": \n')
    for command in (("search", path), ("trace", "show", path, "t1")):
        code, _, err = run(*command)
        assert (code, err) == (
            0,
            "1 of 4 rows could not be read, and nothing is said of them; read_quarantine() shows them\n",
        )


def test_nothing_found_is_exit_code_1(run, tmp_path):
    """A script asks whether there is any."""
    code, out, _ = run("search", write_trace(tmp_path / "calls.jsonl"), "--user", "bob")
    assert (code, out) == (1, "0 spans of 0 traces\n")


def test_json_holds_what_the_list_shows(run, tmp_path):
    """For scripts; masked too, since it goes to logs."""
    path = write_trace(tmp_path / "calls.jsonl")
    code, out, _ = run("search", path, "--limit", 2, "--json", "--min-latency", 500)
    found = json.loads(out)
    assert (code, found["is_more"], [span["span_id"] for span in found["spans"]]) == (0, True, ["s2", "s1"])
    assert "ann@example.com" not in out


def test_the_tree_of_a_trace_is_drawn(run, tmp_path):
    """What a reader of an incident wants next."""
    path = write_trace(
        tmp_path / "calls.jsonl",
        is_error=[False, False, True],
        error_type=[None, None, "Timeout"],
        input=["hello there", None, None],
    )
    code, out, _ = run("search", path, "--trace", "t1", "--tree")
    assert code == 0
    assert "└── step 0" in out
    assert "        └── step 2" in out
    assert all(
        part in out for part in ("Timeout", "800 ms", "1k → 100 tokens", "input: hello there", "1 failed")
    )


def test_a_thousand_levels_fit_the_terminal(run, tmp_path, monkeypatch):
    """Deep chains of agents must neither crash nor run off the screen."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run("search", write_trace(tmp_path / "calls.jsonl", 1_000), "--trace", "t1", "--tree")
    assert code == 0
    assert "depth 999 step 999" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_hostile_text_does_not_steer_the_terminal(run, tmp_path):
    """Escape sequences and markup of the trace are shown, not obeyed."""
    hostile = "\x1b]52;c;aGk=\x07[/bold][link=http://evil]x\u202e"
    path = write_trace(
        tmp_path / "calls.jsonl",
        name=[hostile] * 3,
        model=[hostile] * 3,
        input=[hostile] * 3,
        trace_id=[hostile] * 3,
        error_message=[hostile] * 3,
        is_error=[True] * 3,
    )
    for options in ((), ("--tree",), ("--json",), ("--tree", "--json")):
        code, out, _ = run("search", path, "--failed", *options)
        assert code == 0
        assert not any(sign in out for sign in "\x1b\x07\u202e")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "yesterday"), "2026-11-09"),
        (("--since", "2026-11-10", "--until", "2026-11-09"), "before it starts"),
        (("--limit", "0"), "--limit"),
        (("--text", "x" * 5000), "1,000"),
    ],
)
def test_bad_conditions_are_refused(run, tmp_path, options, said):
    """One clear line, exit code 2."""
    code, out, err = run("search", write_trace(tmp_path / "calls.jsonl"), *options)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_found_spans_are_written_for_a_spreadsheet(run, tmp_path):
    """Someone sorts them by hand; a user id is whatever the user typed, and stays masked here too."""
    path = write_trace(tmp_path / "calls.jsonl", user_id=["=HYPERLINK(1)", "ann@example.com", "+1+1"])
    code, _, _ = run("search", path, "--csv", tmp_path / "found.csv")
    assert code == 0
    found = pl.read_csv(tmp_path / "found.csv")
    assert found["user_id"].to_list()[::2] == ["'+1+1", "'=HYPERLINK(1)"]
    assert found["latency_ms"].to_list() == [800.0] * 3
    assert "ann@example.com" not in (tmp_path / "found.csv").read_text("utf-8")
    code, _, error = run("search", path, "--csv", tmp_path / "nowhere" / "found.csv")
    assert code == 2
    assert "cannot be written" in error
