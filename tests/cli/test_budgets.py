"""`llmops budgets`, as it is typed."""

import json
from types import SimpleNamespace

import pytest

from llmops_lib.demo import sample_export

BUDGETS = """\
budgets:
  - {name: everything, limit_usd: 1000, window: month}
  - {name: tight, limit_usd: 0.01, window: day, where: {tenant: acorn-bank}}
  - {name: users, limit_tokens: 900000, window: rolling 24h, each: user_id}
"""


@pytest.fixture
def llmops(llmops, monkeypatch, tmp_path):
    """Runs the command in a folder with a file of budgets."""
    (tmp_path / "budgets.yaml").write_text(BUDGETS)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code, out, err = llmops("budgets", *arguments)
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    return run


def test_status_prints_a_line_for_each_value(llmops):
    """And stays within 80 columns."""
    run = llmops("status", sample_export(), "--top", "2")
    assert run.returncode == 0
    assert run.stderr.startswith("7 of 7,507 rows could not be read")
    lines = run.stdout.splitlines()
    assert lines[0].startswith("as of 2026-11-")
    assert "tight: $0.010 in a day, tenant acorn-bank" in lines
    assert any(line.startswith("  ... and ") for line in lines)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("limit", "code"), [("0.0001", 1), ("1000", 0)])
def test_check_fails_where_a_budget_is_used_up(llmops, tmp_path, limit, code):
    """It is what a scheduled job looks at."""
    (tmp_path / "budgets.yaml").write_text(f"budgets: [{{name: all, limit_usd: {limit}, window: month}}]")
    run = llmops("check", sample_export(), "--json")
    (row,) = json.loads(run.stdout)["budgets"]
    assert (run.returncode, row["state"]) == (code, "stop" if code else "ok")


def test_a_day_is_looked_from_at_its_end(llmops):
    """A date has no time, and the whole day is meant."""
    run = llmops("status", sample_export(), "--at", "2026-11-12", "--json")
    assert json.loads(run.stdout)["budgets"][0]["as_of_at"].startswith("2026-11-12 23:59:59")


def test_data_that_ends_before_the_moment_is_called_old(llmops):
    """What was spent since is not in it, and the status must not read as if it were."""
    run = llmops("status", sample_export(), "--at", "2026-11-30")
    assert "the last call is of 2026-11-15" in run.stdout.splitlines()[1]


def test_a_name_from_a_trace_cannot_forge_a_line(llmops, tmp_path):
    """Tenants and users are whatever the application was sent."""
    row = {"started_at": "2026-11-09T10:00:00Z", "model": "gpt-4o", "provider": "openai"}
    usage = {"input_tokens": 1000, "output_tokens": 100}
    users = ["ann\n  ok 0% all is well\x1b[2J", "bob" * 100]
    lines = (json.dumps(row | usage | {"span_id": user, "user_id": user}) for user in users)
    (tmp_path / "calls.jsonl").write_text("\n".join(lines))
    run = llmops("status", "calls.jsonl")
    assert len([line for line in run.stdout.splitlines() if "ann" in line]) == 1
    assert "\x1b" not in run.stdout
    assert max(map(len, run.stdout.splitlines())) < 120


def test_backtest_names_the_moments(llmops):
    """The tight budget is used up every day."""
    run = llmops("backtest", sample_export())
    assert run.returncode == 0
    assert "tight: $0.010 in a day, tenant acorn-bank" in run.stdout


def test_export_says_what_is_not_expressed_and_fails(llmops):
    """On standard error too, where a pipe does not swallow it."""
    run = llmops("export", "--litellm")
    exported = json.loads(run.stdout)
    assert run.returncode == 1
    assert exported["requests"][0]["path"] == "/team/new"
    assert run.stderr.splitlines()[-1].startswith("not expressed: users: limit_tokens")


def test_init_writes_a_file_that_works_and_replaces_none(llmops, tmp_path):
    """The first two commands of a new user."""
    (tmp_path / "budgets.yaml").unlink()
    assert llmops("init").returncode == 0
    assert llmops("status", sample_export()).returncode == 0
    assert llmops("init").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export",), "--litellm"),
        (("status", "none.jsonl"), "none.jsonl"),
        (("status", "none.jsonl", "--at", "yesterday"), "expected a date"),
        (("status", "none.jsonl", "--at", "2026-11-12T08:00"), "expected a date"),
        (("check", "none.jsonl", "--budgets", "none.yaml"), "llmops budgets init"),
    ],
)
def test_bad_usage_is_said_in_a_line(llmops, arguments, said):
    """Exit code 2, and no traceback."""
    run = llmops(*arguments)
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr
