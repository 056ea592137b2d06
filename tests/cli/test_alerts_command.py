"""`llmops alerts`, as it is typed."""

import json

import polars as pl
import pytest

RULES = """\
destinations: {log: {file: told.jsonl}, hook: {url_env: LLMOPS_TEST_HOOK}}
rules:
  - {name: failing, kind: failed, window: 1h, above_share: 0.5, min_calls: 5, ends_after: 1h, to: log}
"""


@pytest.fixture
def export(tmp_path, monkeypatch):
    """An export of ten calls, of which so many failed, in a folder with rules."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alerts.yaml").write_text(RULES)

    def write(failed):
        path = tmp_path / "calls.jsonl"
        minutes = [f"2026-11-09T10:0{place}:00Z" for place in range(10)]
        pl.DataFrame(
            {"started_at": minutes, "model": "gpt-4o", "is_error": [place < failed for place in range(10)]}
        ).write_ndjson(path)
        return path

    return write


def test_firing_alerts_are_exit_code_1_and_told_once(run, export, tmp_path):
    """What a timer runs every hour."""
    path = export(9)
    code, out, err = run("alerts", "check", path, "--rules", "alerts.yaml")
    assert (code, err) == (1, "")
    assert "failing: all calls" in out
    assert "new, episode" in out
    again, out, _ = run("alerts", "check", path)
    assert again == 1
    assert "open, episode" in out
    assert len((tmp_path / "told.jsonl").read_text().splitlines()) == 1


def test_rows_that_no_rule_saw_are_told_of(run, export):
    """Silence over half of an export is no good news."""
    path = export(1)
    with path.open("a") as stream:
        stream.write('{"started_at": \n')
    code, out, err = run("alerts", "check", path, "--json")
    assert (code, "1 of 11 rows could not be read" in err) == (0, True)
    assert (json.loads(out)["refused_count"], json.loads(out)["rows_read"]) == (1, 11)


def test_nothing_firing_is_exit_code_0(run, export):
    """Silence, but it says what was looked at."""
    code, out, _ = run("alerts", "check", export(1))
    assert code == 0
    assert out == "0 episodes, 0 new; looked at 2026-11-08 10:09 to 2026-11-09 10:09 UTC\n"


def test_json_says_what_was_found_and_who_was_told(run, export):
    """For scripts."""
    code, out, _ = run("alerts", "check", export(9), "--json")
    outcome = json.loads(out)
    assert code == 1
    assert [episode["told"] for episode in outcome["episodes"]] == [["log"]]
    assert outcome["sent"][0]["destination"] == "log"


def test_a_dry_run_tells_nobody(run, export, tmp_path):
    """And says who would have been told."""
    code, out, _ = run("alerts", "check", export(9), "--dry-run")
    assert code == 1
    assert "would be told" in out
    assert not (tmp_path / "told.jsonl").exists()


def test_who_cannot_be_reached_is_named_on_standard_error(run, export, monkeypatch, tmp_path):
    """The next check tells them; until then the exit code is 1."""
    (tmp_path / "alerts.yaml").write_text(RULES.replace("to: log", "to: hook"))
    monkeypatch.setenv("LLMOPS_TEST_HOOK", "json://127.0.0.1:9/CANARY")
    code, out, err = run("alerts", "check", export(9))
    assert code == 1
    assert "waits: hook" in out
    assert err == "could not reach hook; it is told at the next check\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rules", "gone.yaml"), "gone.yaml"),
        (("--lookback", "soon"), "15m, 6h or 2d"),
        (("--state", "alerts.yaml/x"), "--state"),
    ],
)
def test_bad_input_is_exit_code_2(run, export, options, said):
    """One clear line."""
    code, out, err = run("alerts", "check", export(9), *options)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_a_pattern_needs_a_place_to_remember(run, export):
    """Beside a pattern is nowhere."""
    export(9)
    code, _, err = run("alerts", "check", "c*.jsonl")
    assert (code, "--state" in err) == (2, True)


def test_init_writes_an_example_and_never_over_a_file(run, tmp_path):
    """The first step of a new user."""
    path = tmp_path / "new.yaml"
    assert run("alerts", "init", path)[0] == 0
    code, _, err = run("alerts", "init", path)
    assert (code, "not there yet" in " ".join(err.split())) == (2, True)
